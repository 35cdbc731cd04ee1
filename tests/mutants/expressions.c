/* SPDX-License-Identifier: MIT */

/* Operators, operands and constants. */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mutants/mutate.h"

static const char *const operators[][2] = {
	{ "<", "<=" },	{ "<", ">=" },	{ "<=", "<" },	{ "<=", ">" },	{ ">", ">=" },
	{ ">", "<=" },	{ ">=", ">" },	{ ">=", "<" },	{ "==", "!=" }, { "!=", "==" },
	{ "&&", "||" }, { "||", "&&" }, { "+", "-" },	{ "-", "+" },	{ "*", "+" },
	{ "/", "*" },	{ "%", "/" },	{ "&", "|" },	{ "|", "&" },	{ "<<", ">>" },
	{ ">>", "<<" }, { "+=", "-=" }, { "-=", "+=" }, { "|=", "&=" }, { "&=", "|=" },
	{ "++", "--" }, { "--", "++" },
};

/* What ends an operand of && and ||, and what ends a condition of ?: on its left. */
static const char *const logical[] = { "&&", "||", "?", ":", ";", ",", "=", "|=",     "&=", "+=",
				       "-=", "(",  "[", "{", ")", "]", "}", "return", NULL };
static const char *const ternary[] = { "?",  ":",  ";", ",", "=", "|=",	    "&=",
				       "+=", "-=", "(", "[", "{", "return", NULL };

static bool is_one_of(const struct source *s, size_t i, const char *const *list)
{
	for (; *list; list++)
		if (token_is(s, i, *list))
			return true;
	return false;
}

static bool closes(const struct source *s, size_t i)
{
	return token_is(s, i, ")") || token_is(s, i, "]") || token_is(s, i, "}");
}

/* The first token of what stands left of this operator. */
static size_t left_of(const struct source *s, size_t i, const char *const *stops)
{
	size_t first = i--;

	while (closes(s, i) || !is_one_of(s, i, stops)) {
		size_t before = token_before(s, i);

		first = before + 1;
		i = before;
	}
	return first;
}

/* The first token that is no more of what stands right of this operator. */
static size_t right_of(const struct source *s, size_t i)
{
	for (i++; token_is(s, i, "(") || token_is(s, i, "[") || !is_one_of(s, i, logical);)
		i = token_after(s, i);
	return i;
}

static void replace_tokens(struct mutants *m, size_t from, size_t to, const char *text)
{
	mutant(m, m->source->v[from].at, token_end(m->source, to - 1), "%s", text);
}

/* clang-format sets blanks around an operator only if it has two operands. */
static bool is_unary(const struct source *s, size_t i)
{
	return !isspace((unsigned char)s->text[token_end(s, i)]);
}

static void mutate_operator(struct mutants *m, size_t i)
{
	const struct source *s = m->source;
	bool unary = is_unary(s, i);

	if (unary && (token_is(s, i, "!") || token_is(s, i, "~") || token_is(s, i, "-")))
		replace_tokens(m, i, i + 1, "");
	for (size_t o = 0; o < sizeof(operators) / sizeof(*operators); o++)
		if (token_is(s, i, operators[o][0]) &&
		    (!unary || token_is(s, i, "++") || token_is(s, i, "--")))
			replace_tokens(m, i, i + 1, operators[o][1]);
	if (token_is(s, i, "&&") || token_is(s, i, "||")) {
		const char *neutral = token_is(s, i, "&&") ? "true" : "false";
		size_t left = left_of(s, i, logical);

		if (!token_is(s, left - 1, "&&") && !token_is(s, left - 1, "||"))
			replace_tokens(m, left, i, neutral);
		replace_tokens(m, i + 1, right_of(s, i), neutral);
	}
	if (token_is(s, i, "?")) {
		replace_tokens(m, left_of(s, i, ternary), i, "true");
		replace_tokens(m, left_of(s, i, ternary), i, "false");
	}
}

static void mutate_number(struct mutants *m, size_t i)
{
	const struct token *t = &m->source->v[i];
	unsigned long value = strtoul(m->source->text + t->at, NULL, 0);
	int len = (int)t->len;
	const char *text = m->source->text + t->at;

	mutant(m, t->at, token_end(m->source, i), "%d", value == 0);
	if (value)
		mutant(m, t->at, token_end(m->source, i), "(%.*s + 1)", len, text);
	if (value > 1)
		mutant(m, t->at, token_end(m->source, i), "(%.*s * 2)", len, text);
}

/* The enumerator after this one, or the first after the last; 0: it is none of a named enum. */
static size_t next_enumerator(const struct source *c, const struct source *s, size_t word)
{
	size_t first = 0;

	for (size_t i = 1; i + 1 < c->n; i++) {
		const struct token *t = &c->v[i];

		if (token_is(c, i, "{"))
			first = i >= 2 && token_is(c, i - 2, "enum") ? i + 1 : 0;
		if (token_is(c, i, "}"))
			first = 0;
		if (!first || t->len != s->v[word].len ||
		    memcmp(c->text + t->at, s->text + s->v[word].at, t->len) != 0)
			continue;
		while (!token_is(c, i, ",") && !token_is(c, i, "}"))
			i++;
		return token_is(c, i, "}") || c->text[c->v[i + 1].at] == '_' ||
				       token_is(c, i + 1, "}")
			       ? first
			       : i + 1;
	}
	return 0;
}

static bool is_constant(const struct source *s, size_t i)
{
	for (size_t c = 0; c < s->v[i].len; c++)
		if (islower((unsigned char)s->text[s->v[i].at + c]))
			return false;
	return !token_is(s, i + 1, "(") && !token_is(s, i, "NULL");
}

static void mutate_word(struct mutants *m, size_t i)
{
	const struct source *s = m->source;
	const struct token *t = &s->v[i];
	size_t next = next_enumerator(m->constants, s, i);

	if (token_is(s, i, "true")) {
		replace_tokens(m, i, i + 1, "false");
	} else if (token_is(s, i, "false")) {
		replace_tokens(m, i, i + 1, "true");
	} else if (token_is(s, i, "INSTANT_NEVER")) {
		replace_tokens(m, i, i + 1, "((instant){ 1 })");
	} else if (next) {
		mutant(m, t->at, token_end(s, i), "%.*s", (int)m->constants->v[next].len,
		       m->constants->text + m->constants->v[next].at);
	} else if (is_constant(s, i)) {
		replace_tokens(m, i, i + 1, "0");
		mutant(m, t->at, token_end(s, i), "(%.*s + 1)", (int)t->len, s->text + t->at);
		mutant(m, t->at, token_end(s, i), "(%.*s * 2)", (int)t->len, s->text + t->at);
	}
}

/* `.field = value` of a compound literal: the field is left at zero. */
static void leave_out_field(struct mutants *m, size_t i)
{
	size_t end = i + 3;

	while (!token_is(m->source, end, ",") && !token_is(m->source, end, "}"))
		end = token_after(m->source, end);
	if (end > i + 4 || !token_is(m->source, i + 3, "0"))
		replace_tokens(m, i + 3, end, "0");
}

void mutate_expression(struct mutants *m, size_t from, size_t to)
{
	const struct source *s = m->source;

	for (size_t i = from; i < to; i++) {
		switch (s->v[i].kind) {
		case TOKEN_WORD:
			mutate_word(m, i);
			break;
		case TOKEN_NUMBER:
			mutate_number(m, i);
			break;
		case TOKEN_STRING:
			if (s->v[i].len > 2)
				replace_tokens(m, i, i + 1, "\"\"");
			break;
		case TOKEN_PUNCTUATION:
			mutate_operator(m, i);
			if (token_is(s, i, ".") && token_is(s, i + 2, "=") &&
			    (token_is(s, i - 1, "{") || token_is(s, i - 1, ",")))
				leave_out_field(m, i);
			break;
		}
	}
}
