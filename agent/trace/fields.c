/* SPDX-License-Identifier: MIT */

#include "agent/trace/fields.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static bool is_signed(const struct field *f)
{
	return strcmp(f->name, "err") == 0;
}

static uint64_t get(const void *object, const struct field *f)
{
	const void *at = (const uint8_t *)object + f->offset;

	switch (f->size) {
	case 1:
		return *(const uint8_t *)at;
	case 2:
		return *(const uint16_t *)at;
	case 4:
		return *(const uint32_t *)at;
	}
	return *(const uint64_t *)at;
}

/* What does not fit is refused. */
static int set(void *object, const struct field *f, uint64_t value)
{
	void *at = (uint8_t *)object + f->offset;

	if ((f->size < sizeof(value) && value >> (8 * f->size)) || (f->is_bool && value > 1))
		return -ERANGE;
	switch (f->size) {
	case 1:
		*(uint8_t *)at = (uint8_t)value;
		break;
	case 2:
		*(uint16_t *)at = (uint16_t)value;
		break;
	case 4:
		*(uint32_t *)at = (uint32_t)value;
		break;
	default:
		*(uint64_t *)at = value;
		break;
	}
	return 0;
}

/**
 * fields_print() - The rest of a line: the fields that are not zero, and its end
 * @to: a failure to write is kept in it, for ferror()
 * @object: borrowed
 * @fields: of the object
 */
void fields_print(FILE *to, const void *object, const struct field *fields)
{
	for (const struct field *f = fields; f->name; f++) {
		uint64_t value = get(object, f);

		if (value && is_signed(f))
			(void)fprintf(to, " %s=%" PRId32, f->name, (int32_t)value);
		else if (value)
			(void)fprintf(to, " %s=%" PRIu64, f->name, value);
	}
	(void)fputc('\n', to);
}

/**
 * fields_equal() - Are all these fields the same in two objects?
 */
bool fields_equal(const void *a, const void *b, const struct field *fields)
{
	for (const struct field *f = fields; f->name; f++)
		if (get(a, f) != get(b, f))
			return false;
	return true;
}

/**
 * fields_digest() - A few bytes that differ, most probably, if a field does
 * @digest: of what comes before
 * @object: borrowed
 * @fields: of the object
 *
 * Return: the digest; not for more than accidents.
 */
uint32_t fields_digest(uint32_t digest, const void *object, const struct field *fields)
{
	uint64_t hash = digest;

	for (const struct field *f = fields; f->name; f++) {
		/* the multiplier of Knuth's MMIX generator; its high half is the good one */
		hash = (hash ^ get(object, f)) * UINT64_C(6364136223846793005) + f->offset;
		hash ^= hash >> 32;
	}
	return (uint32_t)hash;
}

/**
 * fields_clear() - Make each of the fields zero
 * @object: of which
 * @fields: of the object
 */
void fields_clear(void *object, const struct field *fields)
{
	for (const struct field *f = fields; f->name; f++)
		memset((uint8_t *)object + f->offset, 0, f->size);
}

static int parse_number(const char **at, bool with_sign, uint64_t *ret)
{
	bool negative = with_sign && **at == '-';
	char *end;

	if (!isdigit((unsigned char)(*at)[negative]))
		return -EINVAL;
	errno = 0;
	*ret = strtoull(*at + negative, &end, 10);
	if (errno || (negative && *ret > INT32_MAX))
		return -ERANGE;
	if (negative)
		*ret = (uint32_t) - (int32_t)*ret;
	*at = end;
	return 0;
}

static const struct field *find_field(const struct field *fields, const char *name, size_t len)
{
	for (const struct field *f = fields; f && f->name; f++)
		if (strlen(f->name) == len && memcmp(f->name, name, len) == 0)
			return f;
	return NULL;
}

/**
 * fields_parse_two() - The rest of a line that has fields of two objects
 * @at: from the blank before the first one on
 * @object: where they go; fields that are not named keep their values
 * @fields: of the object
 * @other: where those go that are not the object's
 * @more: of the other one; NULL: it has none
 *
 * Return: 0; -EINVAL: these are no fields; -ERANGE: a value does not fit.
 */
int fields_parse_two(const char *at, void *object, const struct field *fields, void *other,
		     const struct field *more)
{
	while (*at == ' ') {
		size_t len = strcspn(++at, "= ");
		const struct field *f = find_field(fields, at, len);
		void *of = object;
		uint64_t value;
		int r;

		if (!f) {
			f = find_field(more, at, len);
			of = other;
		}
		if (!f || at[len] != '=')
			return -EINVAL;
		at += len + 1;
		r = parse_number(&at, is_signed(f), &value);
		if (r < 0)
			return r;
		r = set(of, f, value);
		if (r < 0)
			return r;
	}
	return *at ? -EINVAL : 0;
}

/**
 * fields_parse() - The rest of a line
 *
 * The parameters and what is returned are those of fields_parse_two().
 */
int fields_parse(const char *at, void *object, const struct field *fields)
{
	return fields_parse_two(at, object, fields, NULL, NULL);
}

/**
 * fields_number() - A decimal number
 * @at: where it is; moved on behind it
 *
 * Return: 0; -EINVAL: there is none; -ERANGE: it is too large.
 */
int fields_number(const char **at, uint64_t *ret)
{
	return parse_number(at, false, ret);
}

/**
 * fields_index() - A blank and a number that is less than @n
 *
 * The other parameters and what is returned are those of fields_number().
 */
int fields_index(const char **at, unsigned n, uint8_t *ret)
{
	uint64_t value;
	int r;

	if (**at != ' ')
		return -EINVAL;
	(*at)++;
	r = parse_number(at, false, &value);
	if (r < 0)
		return r;
	if (value >= n)
		return -ERANGE;
	*ret = (uint8_t)value;
	return 0;
}

/**
 * fields_word() - Is this the next word?
 * @at: where it should be; moved on behind it if it is
 * @word: without a blank
 */
bool fields_word(const char **at, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len) != 0 || ((*at)[len] != ' ' && (*at)[len]))
		return false;
	*at += len;
	return true;
}
