/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The fields of a struct as text, " name=value" for each that is not zero, by a
 * table of where they are. What every kind of line of a trace is made of.
 */

#include <stdio.h>

#include "agent/base.h"

struct field {
	const char *name; /* NULL ends a list; "err" is a number with a sign */
	size_t offset, size;
	bool is_bool;
};

#define FIELD(type, label, member)                                                                 \
	{                                                                                          \
		label, offsetof(struct type, member), sizeof(((struct type *)NULL)->member),       \
			_Generic(((struct type *)NULL)->member, bool                               \
				 : true, default                                                   \
				 : false)                                                          \
	}
#define LIST(...)                                                                                  \
	(const struct field[])                                                                     \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}
#define NOTHING                                                                                    \
	(const struct field[])                                                                     \
	{                                                                                          \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

void fields_print(FILE *to, const void *object, const struct field *fields);
bool fields_equal(const void *a, const void *b, const struct field *fields);
uint32_t fields_digest(uint32_t digest, const void *object, const struct field *fields);

int fields_parse(const char *at, void *object, const struct field *fields);
int fields_parse_two(const char *at, void *object, const struct field *fields, void *other,
		     const struct field *more);
void fields_clear(void *object, const struct field *fields);

/* What stands before the fields. */
int fields_number(const char **at, uint64_t *ret);
int fields_index(const char **at, unsigned n, uint8_t *ret);
bool fields_word(const char **at, const char *word);
