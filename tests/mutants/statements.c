/* SPDX-License-Identifier: MIT */

/* What is done, whether it is done, and what is returned. */

#include <ctype.h>
#include <string.h>

#include "tests/mutants/mutate.h"

static size_t statement(struct mutants *m, size_t i);

static void replace_tokens(struct mutants *m, size_t from, size_t to, const char *text)
{
	mutant(m, m->source->v[from].at, token_end(m->source, to - 1), "%s", text);
}

static size_t semicolon(const struct source *s, size_t i)
{
	while (!token_is(s, i, ";"))
		i = token_after(s, i);
	return i;
}

/* `(condition)`: forced, and mutated; to the token after it. */
static size_t condition(struct mutants *m, size_t open, bool may_loop)
{
	size_t end = token_after(m->source, open);

	if (!may_loop)
		replace_tokens(m, open + 1, end - 1, "true");
	replace_tokens(m, open + 1, end - 1, "false");
	mutate_expression(m, open + 1, end - 1);
	return end;
}

static size_t for_loop(struct mutants *m, size_t i)
{
	size_t end = token_after(m->source, i + 1);
	size_t first = semicolon(m->source, i + 2);
	size_t second = semicolon(m->source, first + 1);

	replace_tokens(m, first + 1, second, "false");
	mutate_expression(m, i + 2, end - 1);
	return statement(m, end);
}

/* The type that the function in hand returns, if it is this one. */
static bool returns(const struct mutants *m, const char *type)
{
	size_t i = m->function;

	return (token_is(m->source, i - 1, type) && !token_is(m->source, i - 2, "*")) ||
	       (*type == '*' && token_is(m->source, i - 1, "*"));
}

static size_t return_statement(struct mutants *m, size_t i)
{
	const struct source *s = m->source;
	size_t end = semicolon(s, i);
	int len = (int)(s->v[end].at - s->v[i + 1].at);
	const char *value = s->text + s->v[i + 1].at;

	if (end <= i + 2 && !returns(m, "void") && !islower((unsigned char)*value))
		; /* a constant, and mutated as such */
	else if (token_is(s, i + 1, "true") || token_is(s, i + 1, "false"))
		;
	else if (returns(m, "bool"))
		mutant(m, s->v[i].at, s->v[end].at, "return !(%.*s)", len, value);
	else if (returns(m, "instant"))
		replace_tokens(m, i, end, "return INSTANT_NEVER");
	else if (returns(m, "*"))
		replace_tokens(m, i, end, "return NULL");
	else if (returns(m, "void"))
		replace_tokens(m, i, end, "");
	else
		mutant(m, s->v[i].at, s->v[end].at, "return 1 + (%.*s)", len, value);
	mutate_expression(m, i + 1, end);
	return end + 1;
}

/* The bodies of cases that end in a break, and the breaks. */
static size_t switch_statement(struct mutants *m, size_t i)
{
	const struct source *s = m->source;
	size_t end = token_after(s, token_after(s, i + 1)) - 1, body = 0;

	mutate_expression(m, i + 2, token_after(s, i + 1) - 1);
	for (i = token_after(s, i + 1) + 1; i < end;) {
		if (token_is(s, i, "case") || token_is(s, i, "default")) {
			while (!token_is(s, i, ":"))
				i++;
			body = ++i;
		} else if (token_is(s, i, "break")) {
			if (i > body)
				replace_tokens(m, body, i, "");
			replace_tokens(m, i, i + 2, ";");
			i += 2;
		} else {
			i = statement(m, i);
		}
	}
	return end + 1;
}

/* Its first word is a type. */
static bool is_declaration(const struct source *s, size_t i)
{
	static const char *const types[] = { "const", "static",	 "struct", "enum",
					     "bool",  "instant", "int",	   "unsigned" };

	for (size_t t = 0; t < sizeof(types) / sizeof(*types); t++)
		if (token_is(s, i, types[t]))
			return true;
	return s->v[i].len > 2 && memcmp(s->text + token_end(s, i) - 2, "_t", 2) == 0;
}

/* a = b = value: each of the two has to be set. */
static void leave_out_assignments(struct mutants *m, size_t i, size_t end)
{
	unsigned n = 0;

	for (size_t t = i; t < end; t = token_after(m->source, t))
		n += token_is(m->source, t, "=");
	for (size_t t = i; n > 1 && t < end; t = token_after(m->source, t)) {
		if (!token_is(m->source, t, "="))
			continue;
		replace_tokens(m, i, t + 1, "");
		i = t + 1;
	}
}

static size_t expression_statement(struct mutants *m, size_t i)
{
	size_t end = semicolon(m->source, i);

	if (token_is(m->source, i, "assert"))
		return end + 1;
	if (!is_declaration(m->source, i) && end > i) {
		replace_tokens(m, i, end, "");
		leave_out_assignments(m, i, end);
	}
	mutate_expression(m, i, end);
	return end + 1;
}

/* From its first token; to the one after it. */
static size_t statement(struct mutants *m, size_t i)
{
	const struct source *s = m->source;

	if (token_is(s, i, "{")) {
		for (i++; !token_is(s, i, "}");)
			i = statement(m, i);
		return i + 1;
	}
	if (token_is(s, i, "if")) {
		i = statement(m, condition(m, i + 1, false));
		return token_is(s, i, "else") ? statement(m, i + 1) : i;
	}
	if (token_is(s, i, "while"))
		return statement(m, condition(m, i + 1, true));
	if (token_is(s, i, "for"))
		return for_loop(m, i);
	if (token_is(s, i, "switch"))
		return switch_statement(m, i);
	if (token_is(s, i, "return"))
		return return_statement(m, i);
	return expression_statement(m, i);
}

void mutate_function(struct mutants *m, size_t name, size_t body)
{
	m->function = name;
	(void)statement(m, body);
}
