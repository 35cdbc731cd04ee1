/* SPDX-License-Identifier: MIT */
#pragma once

#include "tests/mutants/lex.h"

enum { CHANGE_MAX = 512, CHANGES_MAX = 512 };

/* The text from @from to before @to becomes something else. */
struct change {
	size_t from, to;
	char text[CHANGE_MAX];
};

/* Small changes to a file, a function at a time. */
struct mutants {
	const struct source *source;
	const struct source *constants; /* a header with the enums */
	size_t function;		/* token with its name; 0: outside of all */
	struct change changes[CHANGES_MAX];
	size_t n;
};

void mutant(struct mutants *m, size_t from, size_t to, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* expressions.c: in the tokens from @from to before @to */
void mutate_expression(struct mutants *m, size_t from, size_t to);

/* statements.c: of a function whose body begins with the token @body */
void mutate_function(struct mutants *m, size_t name, size_t body);
