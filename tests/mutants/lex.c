/* SPDX-License-Identifier: MIT */

#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mutants/lex.h"

static size_t word_len(const char *at)
{
	size_t n = 0;

	while (isalnum((unsigned char)at[n]) || at[n] == '_')
		n++;
	return n;
}

static size_t string_len(const char *at)
{
	size_t n = 1;

	while (at[n] && at[n] != at[0])
		n += at[n] == '\\' && at[n + 1] ? 2 : 1;
	return n + 1;
}

static size_t punctuation_len(const char *at)
{
	static const char *const longer[] = { "<<=", ">>=", "...", "->", "++", "--", "<<", ">>",
					      "<=",  ">=",  "==",  "!=", "&&", "||", "+=", "-=",
					      "*=",  "/=",  "%=",  "&=", "|=", "^=" };

	for (size_t i = 0; i < sizeof(longer) / sizeof(*longer); i++)
		if (strncmp(at, longer[i], strlen(longer[i])) == 0)
			return strlen(longer[i]);
	return 1;
}

static void add(struct source *s, size_t at, unsigned line, bool define)
{
	const char *c = s->text + at;
	struct token *t = &s->v[s->n++];

	if (s->n == TOKENS_MAX)
		errx(EXIT_FAILURE, "more than %d tokens", TOKENS_MAX);
	*t = (struct token){ .at = at, .line = line, .define = define };
	if (isdigit((unsigned char)*c)) {
		t->kind = TOKEN_NUMBER;
		t->len = word_len(c);
	} else if (isalpha((unsigned char)*c) || *c == '_') {
		t->kind = TOKEN_WORD;
		t->len = word_len(c);
	} else if (*c == '"' || *c == '\'') {
		t->kind = TOKEN_STRING;
		t->len = string_len(c);
	} else {
		t->kind = TOKEN_PUNCTUATION;
		t->len = punctuation_len(c);
	}
}

/* Past a directive; of a #define that is an expression, to the expression. */
static size_t skip_directive(const char *text, size_t at, bool *ret_define)
{
	static const char define[] = "#define ";
	size_t name = at + strlen(define);

	*ret_define = false;
	if (strncmp(text + at, define, strlen(define)) == 0) {
		name += word_len(text + name);
		*ret_define = text[name] == ' ';
		if (*ret_define)
			return name;
	}
	while (text[at] && text[at] != '\n')
		at += text[at] == '\\' && text[at + 1] ? 2 : 1;
	return at;
}

static void lex(struct source *s)
{
	unsigned line = 1;
	bool define = false;

	for (size_t at = 0; at < s->len;) {
		size_t next = at + 1;

		if (strncmp(s->text + at, "/*", 2) == 0) {
			next = (size_t)(strstr(s->text + at, "*/") + 2 - s->text);
		} else if (s->text[at] == '#') {
			next = skip_directive(s->text, at, &define);
		} else if (s->text[at] == '\n') {
			define = false;
		} else if (!isspace((unsigned char)s->text[at])) {
			add(s, at, line, define);
			next = at + s->v[s->n - 1].len;
		}
		for (; at < next; at++)
			line += s->text[at] == '\n';
	}
}

/**
 * source_read() - Read and divide a file; ends the program if it cannot
 */
void source_read(const char *path, struct source *ret)
{
	FILE *f = fopen(path, "re");
	size_t size = 0;

	memset(ret, 0, sizeof(*ret));
	if (!f || getdelim(&ret->text, &size, '\0', f) < 0)
		err(EXIT_FAILURE, "%s", path);
	(void)fclose(f); /* read only */
	ret->len = strlen(ret->text);
	lex(ret);
}

void source_done(struct source *source)
{
	free(source->text);
}

bool token_is(const struct source *source, size_t i, const char *text)
{
	return i < source->n && source->v[i].len == strlen(text) &&
	       memcmp(source->text + source->v[i].at, text, source->v[i].len) == 0;
}

/* Where in the text it ends. */
size_t token_end(const struct source *source, size_t i)
{
	return source->v[i].at + source->v[i].len;
}

static int nesting(const struct source *s, size_t i)
{
	if (token_is(s, i, "(") || token_is(s, i, "[") || token_is(s, i, "{"))
		return 1;
	if (token_is(s, i, ")") || token_is(s, i, "]") || token_is(s, i, "}"))
		return -1;
	return 0;
}

/* The token after this one, or after what this one opens. */
size_t token_after(const struct source *source, size_t i)
{
	int depth = 0;

	do {
		depth += nesting(source, i++);
	} while (depth > 0 && i < source->n);
	return i;
}

/* The token before this one, or before what this one closes. There is one. */
size_t token_before(const struct source *source, size_t i)
{
	int depth = 0;

	do {
		depth -= nesting(source, i--);
	} while (depth > 0 && i > 0);
	return i;
}
