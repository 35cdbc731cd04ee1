/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf.h"

#include <errno.h>
#include <stdarg.h>

#include "agent/cleanup.h"
#include "agent/conf/conf_keys.h"

/**
 * conf_problems_addv() - Record one mistake or doubt.
 * @problems: list that grows by one
 * @where: file (copied; NULL: none), line and warning are taken; its text is ignored
 * @format: a whole sentence, printf style
 *
 * Return: 0; -ENOMEM, and nothing is recorded.
 */
int conf_problems_addv(struct conf_problems *problems, const struct conf_problem *where,
		       const char *format, va_list args)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(freep) char *file = NULL;
	struct conf_problem *v;

	if (vasprintf(&text, format, args) < 0) {
		text = NULL; /* vasprintf() leaves it undefined */
		return -ENOMEM;
	}
	if (where->file) {
		file = strdup(where->file);
		if (!file)
			return -ENOMEM;
	}
	v = reallocarray(problems->v, problems->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	problems->v = v;
	v[problems->n++] = (struct conf_problem){
		.file = TAKE(file),
		.line = where->line,
		.warning = where->warning,
		.text = TAKE(text),
	};
	return 0;
}

/**
 * conf_problems_add() - The same with the arguments themselves
 *
 * Return: as conf_problems_addv().
 */
int conf_problems_add(struct conf_problems *problems, const struct conf_problem *where,
		      const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = conf_problems_addv(problems, where, format, args);
	va_end(args);
	return r;
}

/**
 * conf_complain() - Record a mistake at the place where it was made.
 * @place: list, file, line, and whether it is only a warning
 * @format: a whole sentence, printf style
 *
 * Return: 0; -ENOMEM.
 */
int conf_complain(const struct conf_place *place, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = conf_problems_addv(place->problems, &place->where, format, args);
	va_end(args);
	return r;
}

/**
 * conf_problems_fatal() - Is there more than warnings?
 * @problems: list to look through
 *
 * Return: true if at least one problem is an error.
 */
bool conf_problems_fatal(const struct conf_problems *problems)
{
	for (size_t i = 0; i < problems->n; i++)
		if (!problems->v[i].warning)
			return true;
	return false;
}

/**
 * conf_problems_done() - Forget all problems.
 * @problems: empty and usable afterwards
 */
void conf_problems_done(struct conf_problems *problems)
{
	for (size_t i = 0; i < problems->n; i++) {
		free(problems->v[i].file);
		free(problems->v[i].text);
	}
	free(problems->v);
	*problems = (struct conf_problems){ 0 };
}
