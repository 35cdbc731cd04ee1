/* SPDX-License-Identifier: MIT */

/* Units of systemd: the one that is watched, and those that are steps of a move. */

#include <errno.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/conf/conf_keys.h"

/* What our user may start and stop (polkit). */
#define OURS "takeover-"

static bool is_of_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       strchr(":-_.\\@", c) != NULL;
}

static bool is_type(const char *suffix)
{
	static const char *const types[] = {
		"service", "target", "socket", "mount",	    "timer", "path",
		"scope",   "slice",  "device", "automount", "swap",
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(suffix, types[i]))
			return true;
	return false;
}

/* systemd.unit(5): a name, perhaps with an instance behind the first @, and a type */
static bool is_unit(const char *name)
{
	const char *dot = strrchr(name, '.'), *at = strchr(name, '@');

	for (const char *p = name; *p; p++)
		if (!is_of_name(*p))
			return false;
	return dot && dot > name && at != name && is_type(dot + 1) && !(at && at + 1 == dot);
}

static bool is_ours(const char *name)
{
	return strncmp(name, OURS, strlen(OURS)) == 0;
}

/* Why it is no unit, if that can be told. */
static int refuse_unit(const struct conf_key *key, const char *name, const struct conf_place *place)
{
	const char *dot = strrchr(name, '.');

	if (dot && dot > name && dot[-1] == '@' && is_type(dot + 1))
		return conf_complain(place,
				     "%s= takes a unit, and %s is a template; an instance of it "
				     "has a name between @ and the dot.",
				     key->name, name);
	if (!dot && *name && !strpbrk(name, " \t/"))
		return conf_complain(place, "%s= takes the whole name of a unit: %s.service?",
				     key->name, name);
	return conf_complain(place, "%s= takes %s, not \"%s\".", key->name, key->kind->takes, name);
}

static int refuse_others_unit(const struct conf_key *key, const char *unit,
			      const struct conf_place *place)
{
	return conf_complain(place,
			     "%s= takes a unit whose name begins with %s, the only ones that the "
			     "agent may start and stop; make one that does what %s is wanted for.",
			     key->name, OURS, unit);
}

static int unit_parse(const struct conf_key *key, const char *text, void *object,
		      const struct conf_place *place)
{
	char **field = (char **)((char *)object + key->offset);
	char *unit;

	if (!is_unit(text))
		return refuse_unit(key, text, place);
	unit = strdup(text);
	if (!unit)
		return -ENOMEM;
	free(*field);
	*field = unit;
	return 0;
}

static void unit_print(const struct conf_key *key, const void *object, FILE *to)
{
	const char *unit = *(char *const *)((const char *)object + key->offset);

	if (unit)
		fprintf(to, "%s=%s\n", key->name, unit);
}

const struct conf_kind conf_kind_unit = {
	.takes = "the name of a unit such as kamailio.service",
	.parse = unit_parse,
	.print = unit_print,
};

static int own_unit_parse(const struct conf_key *key, const char *text, void *object,
			  const struct conf_place *place)
{
	if (is_unit(text) && !is_ours(text))
		return refuse_others_unit(key, text, place);
	return unit_parse(key, text, object, place);
}

const struct conf_kind conf_kind_own_unit = {
	.takes = "the name of a unit such as takeover-page@sip.service",
	.parse = own_unit_parse,
	.print = unit_print,
};

/**
 * conf_steps_done() - Free steps
 * @steps: empty afterwards
 */
void conf_steps_done(struct conf_steps *steps)
{
	for (size_t i = 0; i < steps->n; i++)
		free(steps->v[i].unit);
	free(steps->v);
	*steps = (struct conf_steps){ 0 };
}

static int add_step(struct conf_steps *steps, bool stop, const char *unit)
{
	struct conf_step *v = reallocarray(steps->v, steps->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	steps->v = v;
	v[steps->n] = (struct conf_step){ .stop = stop, .unit = strdup(unit) };
	if (!v[steps->n].unit)
		return -ENOMEM;
	steps->n++;
	return 0;
}

static int refuse_step(const struct conf_key *key, const char *text, const struct conf_place *place)
{
	return conf_complain(place, "%s= takes %s, not \"%s\".", key->name, key->kind->takes, text);
}

static int steps_parse(const struct conf_key *key, const char *text, void *object,
		       const struct conf_place *place)
{
	struct conf_steps *steps = (void *)((char *)object + key->offset);
	_cleanup_(freep) char *words = strdup(text);
	const char *verb, *unit;
	char *rest;
	bool stop;

	if (!words)
		return -ENOMEM;
	if (!*text) {
		conf_steps_done(steps);
		return 0;
	}
	verb = strtok_r(words, " \t", &rest);
	unit = strtok_r(NULL, " \t", &rest);
	if (!verb || !unit || strtok_r(NULL, " \t", &rest))
		return refuse_step(key, text, place);
	stop = !strcmp(verb, "stop");
	if (!stop && strcmp(verb, "start") != 0)
		return refuse_step(key, text, place);
	if (!is_unit(unit))
		return refuse_unit(key, unit, place);
	if (!is_ours(unit))
		return refuse_others_unit(key, unit, place);
	if (steps->n == CONF_STEPS_MAX)
		return conf_complain(place, "%s= may be given %d times at most.", key->name,
				     CONF_STEPS_MAX);
	return add_step(steps, stop, unit);
}

static void steps_print(const struct conf_key *key, const void *object, FILE *to)
{
	const struct conf_steps *steps = (const void *)((const char *)object + key->offset);

	for (size_t i = 0; i < steps->n; i++)
		fprintf(to, "%s=%s %s\n", key->name, steps->v[i].stop ? "stop" : "start",
			steps->v[i].unit);
}

const struct conf_kind conf_kind_steps = {
	.takes = "start or stop and a unit such as takeover-commit@sip.service",
	.list = true,
	.parse = steps_parse,
	.print = steps_print,
};
