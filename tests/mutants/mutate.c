/* SPDX-License-Identifier: MIT */

/*
 * mutate list HEADER FILE FIRST             every small change to FILE, a line each: number
 *                                           from FIRST on, line, function, what it does
 * mutate text HEADER FILE FIRST [EXCEPT...] FILE with all of them but these
 *
 * HEADER has the enums whose values are exchanged for each other. In the text there is each
 * function as it was, under the name NAME__0, and once for each change to it, as NAME__NUMBER;
 * and NAME, which calls the one that `mutant_number` says. The compiler calls the place of a
 * mistake in one of them "mutant NUMBER".
 */

#include <ctype.h>
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mutants/mutate.h"

enum { EXCEPT_MAX = 64 };

struct output {
	struct mutants m;
	bool text;
	size_t next; /* number */
	size_t except[EXCEPT_MAX], n_except;
};

/* One more change to the function in hand. */
void mutant(struct mutants *m, size_t from, size_t to, const char *format, ...)
{
	struct change *c = &m->changes[m->n++];
	va_list ap;

	if (m->n == CHANGES_MAX)
		errx(EXIT_FAILURE, "a function with %d changes", CHANGES_MAX);
	c->from = from;
	c->to = to;
	va_start(ap, format);
	if (vsnprintf(c->text, sizeof(c->text), format, ap) >= (int)sizeof(c->text))
		errx(EXIT_FAILURE, "a change of more than %d bytes", CHANGE_MAX);
	va_end(ap);
}

/* --- list ---------------------------------------------------------------------- */

/* Text on one line, each run of blanks as one of them. */
static void print_squeezed(const char *text, size_t len)
{
	bool blank = false;

	for (size_t i = 0; i < len; i++) {
		if (isspace((unsigned char)text[i])) {
			blank = true;
			continue;
		}
		if (blank)
			putchar(' ');
		blank = false;
		putchar(text[i]);
	}
}

/* The lines that the change touches, before and after. */
static void list(const struct mutants *m, const struct change *c, size_t number)
{
	const struct source *s = m->source;
	const struct token *name = &s->v[m->function];
	size_t begin = c->from, end = c->to;
	unsigned line = 1;

	while (begin && s->text[begin - 1] != '\n')
		begin--;
	while (isspace((unsigned char)s->text[begin]))
		begin++;
	while (s->text[end] != '\n')
		end++;
	for (size_t i = 0; i < c->from; i++)
		line += s->text[i] == '\n';
	printf("%zu\t%u\t%.*s\t", number, line, m->function ? (int)name->len : 1,
	       m->function ? s->text + name->at : "-");
	print_squeezed(s->text + begin, end - begin);
	printf(" => ");
	print_squeezed(s->text + begin, c->from - begin);
	printf("%s%s", begin < c->from && isspace((unsigned char)s->text[c->from - 1]) ? " " : "",
	       c->text);
	print_squeezed(s->text + c->to, end - c->to);
	putchar('\n');
}

/* --- text ---------------------------------------------------------------------- */

static void print_range(const struct source *s, size_t from, size_t to)
{
	printf("%.*s", (int)(to - from), s->text + from);
}

static bool is_excepted(const struct output *o, size_t number)
{
	for (size_t i = 0; i < o->n_except; i++)
		if (o->except[i] == number)
			return true;
	return false;
}

/* The tokens of a function: those of its type, its name, its parameters, and its body. */
struct function {
	size_t begin, name, body, end;
};

/* All but the body, under another name. */
static void print_head(const struct source *s, const struct function *f, size_t number)
{
	size_t begin = token_is(s, f->begin, "static") ? f->begin + 1 : f->begin;

	if (token_is(s, begin, "inline"))
		begin++;
	printf("\n# 1 \"mutant %zu\"\nstatic __attribute__((noinline, unused)) ", number);
	print_range(s, s->v[begin].at, token_end(s, f->name));
	printf("__%zu", number);
	print_range(s, token_end(s, f->name), s->v[f->body].at);
}

/* A call with the parameters that there are: the last word of each. */
static void print_call(const struct source *s, const struct function *f, size_t number)
{
	print_range(s, s->v[f->name].at, token_end(s, f->name));
	printf("__%zu(", number);
	for (size_t i = f->name + 2; i < f->body; i++) {
		const struct token *word = &s->v[i - 1];

		if (!token_is(s, i, ",") && i != f->body - 1)
			continue;
		if (word->len != 4 || memcmp(s->text + word->at, "void", 4) != 0)
			print_range(s, word->at, token_end(s, i - 1));
		if (i != f->body - 1)
			putchar(',');
	}
	printf(");\n");
}

static bool is_void(const struct source *s, const struct function *f)
{
	return token_is(s, f->name - 1, "void");
}

static void print_choice(struct output *o, const struct function *f)
{
	const struct source *s = o->m.source;

	printf("\n# 1 \"choice\"\n");
	print_range(s, s->v[f->begin].at, s->v[f->body].at);
	printf("{\nswitch (mutant_number) {\n");
	for (size_t i = 0; i < o->m.n; i++) {
		if (is_excepted(o, o->next + i))
			continue;
		printf("case %zu: %s", o->next + i, is_void(s, f) ? "" : "return ");
		print_call(s, f, o->next + i);
		printf("%s", is_void(s, f) ? "break;\n" : "");
	}
	printf("default: %s", is_void(s, f) ? "" : "return ");
	print_call(s, f, 0);
	printf("}\n}\n");
}

static void print_function(struct output *o, const struct function *f)
{
	const struct source *s = o->m.source;

	print_head(s, f, 0);
	print_range(s, s->v[f->body].at, token_end(s, f->end - 1));
	for (size_t i = 0; i < o->m.n; i++) {
		const struct change *c = &o->m.changes[i];

		if (is_excepted(o, o->next + i))
			continue;
		print_head(s, f, o->next + i);
		print_range(s, s->v[f->body].at, c->from);
		printf("%s", c->text);
		print_range(s, c->to, token_end(s, f->end - 1));
	}
	print_choice(o, f);
}

/* A number that a #define names is chosen where it stands. */
static void print_number(struct output *o, const struct token *t)
{
	putchar('(');
	for (size_t i = 0; i < o->m.n; i++)
		printf("mutant_number == %zu ? %s : ", o->next + i, o->m.changes[i].text);
	print_range(o->m.source, t->at, t->at + t->len);
	putchar(')');
}

/* -------------------------------------------------------------------------------- */

static void flush(struct output *o)
{
	for (size_t i = 0; !o->text && i < o->m.n; i++)
		list(&o->m, &o->m.changes[i], o->next + i);
	o->next += o->m.n;
	o->m.n = 0;
}

/* In a #define, and not the argument of a macro that could paste it. */
static bool is_defined_number(const struct source *s, size_t i)
{
	return s->v[i].define && s->v[i].kind == TOKEN_NUMBER &&
	       !(token_is(s, i - 1, "(") && s->v[i - 2].kind == TOKEN_WORD);
}

static bool is_function(const struct source *s, size_t i)
{
	return !s->v[i].define && i && token_is(s, i, "(") && token_is(s, token_after(s, i), "{");
}

static struct function function_at(const struct source *s, size_t open)
{
	struct function f = { .begin = open - 1, .name = open - 1, .body = token_after(s, open) };

	while (f.begin && !s->v[f.begin - 1].define && !token_is(s, f.begin - 1, "}") &&
	       !token_is(s, f.begin - 1, ";"))
		f.begin--;
	f.end = token_after(s, f.body);
	return f;
}

/* A file: its functions, and the numbers that it defines. */
static void mutate(struct output *o)
{
	const struct source *s = o->m.source;
	size_t printed = 0;

	for (size_t i = 0; i < s->n;) {
		struct function f = { 0 };

		if (is_function(s, i)) {
			f = function_at(s, i);
			mutate_function(&o->m, f.name, f.body);
			o->m.function = f.name;
			i = f.end;
		} else {
			if (is_defined_number(s, i))
				mutate_expression(&o->m, i, i + 1);
			i = s->v[i].define ? i + 1 : token_after(s, i);
		}
		if (o->text && o->m.n) {
			size_t first = f.end ? f.begin : i - 1;

			print_range(s, printed, s->v[first].at);
			if (f.end)
				print_function(o, &f);
			else
				print_number(o, &s->v[i - 1]);
			printed = token_end(s, i - 1);
		}
		flush(o);
		o->m.function = 0;
	}
	if (o->text)
		print_range(s, printed, s->len);
}

int main(int argc, char **argv)
{
	static struct source source, constants;
	static struct output o = { .m = { .source = &source, .constants = &constants } };

	if (argc < 5 || argc - 5 > EXCEPT_MAX)
		errx(2, "mutate list|text HEADER FILE FIRST [EXCEPT...]");
	o.text = strcmp(argv[1], "text") == 0;
	source_read(argv[2], &constants);
	source_read(argv[3], &source);
	o.next = strtoul(argv[4], NULL, 10);
	for (int i = 5; i < argc; i++)
		o.except[o.n_except++] = strtoul(argv[i], NULL, 10);
	mutate(&o);
	source_done(&source);
	source_done(&constants);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
