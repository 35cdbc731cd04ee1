/* SPDX-License-Identifier: MIT */

#include "sdbus/ctl.h"

static int show_version(struct ctl *ctl, int argc, char **argv)
{
	(void)argc, (void)argv;
	fprintf(ctl->out, "takeoverctl %s\n", API_VERSION);
	return CTL_OK;
}

static const struct verb {
	const char *name, *arguments;
	int (*run)(struct ctl *ctl, int argc, char **argv); /* NULL: show this table */
	const char *sentence;
} verbs[] = {
	{ "status", "", ctl_status, "Show nodes, groups and paths." },
	{ "switchover", "[GROUP]", ctl_switchover,
	  "Move a group to the other node, and wait for it." },
	{ "maintenance", "on|off [GROUP]", ctl_maintenance,
	  "Keep this node out of a group, or let it in again." },
	{ "version", "", show_version, "Show the version." },
	{ "help", "", NULL, "Show this." },
};

static void print_usage(FILE *out)
{
	fprintf(out, "usage: takeoverctl VERB [ARGUMENTS]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(out, "  %-11s %-14s  %s\n", verbs[i].name, verbs[i].arguments,
			verbs[i].sentence);
	fprintf(out, "\nGROUP may be left out if there is only one.\n");
}

/* How many letters to insert, delete or replace (Levenshtein); @b is one of our verbs. */
static size_t distance(const char *a, const char *b)
{
	size_t row[16], len = strlen(b);

	assert(len < ARRAY_SIZE(row));
	for (size_t k = 0; k <= len; k++)
		row[k] = k;
	for (size_t i = 1; *a; a++, i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t k = 1; k <= len; k++) {
			size_t best = corner + (*a != b[k - 1]);

			corner = row[k];
			if (corner + 1 < best)
				best = corner + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			row[k] = best;
		}
	}
	return row[len];
}

/* The verb that was probably meant: mistyped or cut short; NULL: no idea. */
static const char *guess(const char *name)
{
	size_t best = 3; /* from here on it is another word */
	const char *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		const size_t far = distance(name, verbs[i].name);

		if (*name && strncmp(name, verbs[i].name, strlen(name)) == 0)
			return verbs[i].name;
		if (far < best) {
			best = far;
			found = verbs[i].name;
		}
	}
	return found;
}

static int refuse_verb(struct ctl *ctl, const char *name)
{
	const char *meant = guess(name);

	if (*name == '-') {
		fprintf(ctl->err,
			"takeoverctl: \"%s\" is not an option; 'takeoverctl help' shows what "
			"there is.\n",
			name);
		return CTL_USAGE;
	}
	fprintf(ctl->err, "takeoverctl: there is no verb \"%s\"", name);
	if (meant)
		fprintf(ctl->err, "; did you mean '%s'?\n", meant);
	else
		fprintf(ctl->err, "; 'takeoverctl help' shows what there is.\n");
	return CTL_USAGE;
}

static int run(const struct verb *verb, struct ctl *ctl, int argc, char **argv)
{
	if (verb->run)
		return verb->run(ctl, argc, argv);
	print_usage(ctl->out);
	return CTL_OK;
}

/**
 * ctl_run() - the program behind main()
 * @ctl: where to print; its bus is opened if a verb needs it
 * @argc: number of arguments, that of the verb included
 * @argv: the arguments
 *
 * Return: the exit code.
 */
int ctl_run(struct ctl *ctl, int argc, char **argv)
{
	const char *name = argc > 0 ? argv[0] : NULL;

	if (!name) {
		print_usage(ctl->err);
		return CTL_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	if (strcmp(name, "--version") == 0)
		name = "version";
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return run(&verbs[i], ctl, argc - 1, argv + 1);
	return refuse_verb(ctl, name);
}
