/* SPDX-License-Identifier: MIT */
#pragma once

/* C as a row of tokens: enough for code that clang-format has laid out. */

#include <stdbool.h>
#include <stddef.h>

enum { TOKENS_MAX = 16384 };

enum token_kind { TOKEN_WORD, TOKEN_NUMBER, TOKEN_STRING, TOKEN_PUNCTUATION };

struct token {
	enum token_kind kind;
	size_t at, len; /* in the text */
	unsigned line;	/* from 1 */
	bool define;	/* in the value of a #define */
};

struct source {
	char *text;
	size_t len;
	struct token v[TOKENS_MAX];
	size_t n;
};

void source_read(const char *path, struct source *ret);
void source_done(struct source *source);
bool token_is(const struct source *source, size_t i, const char *text);
size_t token_end(const struct source *source, size_t i);
size_t token_after(const struct source *source, size_t i);
size_t token_before(const struct source *source, size_t i);
