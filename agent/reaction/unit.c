/* SPDX-License-Identifier: MIT */

/*
 * The unit that is made of a reaction. Everything in it is root's: of what the agent says there
 * is but the instance, and that is an argument of the runner, never a part of a command, of a
 * path or of the environment.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/conf/conf_keys.h"
#include "agent/reaction/reaction.h"

/* systemd.syntax(7), and without a specifier (systemd.unit(5)) */
static void print_escaped(const char *text, FILE *to)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		if (*text == '%')
			fputc('%', to);
		if (*text == '\t')
			fputs("\\t", to);
		else
			fputc(*text, to);
	}
}

static void print_time(const char *key, uint64_t us, FILE *to)
{
	fprintf(to, "%s=", key);
	conf_print_time(us, to);
	fputc('\n', to);
}

/* ":": what looks like a variable is not replaced by systemd. */
static void print_command(const struct conf_reaction *reaction, FILE *to)
{
	fprintf(to, "ExecStart=:%s/takeover-react " CONF_FILE " %s %%i", LIBEXECDIR,
		reaction->name);
	for (size_t i = 0; i < reaction->run.n; i++) {
		fputs(" \"", to);
		print_escaped(reaction->run.v[i], to);
		fputc('"', to);
	}
	fputc('\n', to);
}

static void print_circumstances(const struct conf_reaction *reaction, FILE *to)
{
	if (reaction->user)
		fprintf(to, "User=%s\n", reaction->user);
	if (reaction->directory) {
		fputs("WorkingDirectory=", to);
		print_escaped(reaction->directory, to);
		fputc('\n', to);
	}
	for (size_t i = 0; i < reaction->environment.n; i++) {
		fputs("Environment=\"", to);
		print_escaped(reaction->environment.v[i], to);
		fputs("\"\n", to);
	}
}

/**
 * reaction_print_unit() - Write the template of a reaction with a command
 * @to: a file of systemd, or what is to be held against one
 *
 * What hangs is ended, what it has left running goes with it, and what it says is not more than
 * the journal can do with; a failed instance is forgotten, as nobody would look for its number.
 *
 * Return: 0; -EIO.
 */
int reaction_print_unit(const struct conf_reaction *reaction, FILE *to)
{
	fprintf(to,
		"# Made by takeover-generator of [Reaction %s] in " CONF_FILE ".\n"
		"[Unit]\n"
		"Description=Reaction %s\n"
		"Documentation=man:takeover.conf(5)\n"
		"CollectMode=inactive-or-failed\n"
		"StartLimitIntervalSec=0\n"
		"\n"
		"[Service]\n"
		"Type=oneshot\n",
		reaction->name, reaction->name);
	print_command(reaction, to);
	print_circumstances(reaction, to);
	print_time("TimeoutStartSec", reaction->timeout_us, to);
	print_time("TimeoutStopSec", REACTION_STOP_US, to);
	fprintf(to,
		"KillMode=control-group\n"
		"TasksMax=256\n"
		"StandardInput=null\n"
		"StandardOutput=journal\n"
		"StandardError=journal\n"
		"SyslogIdentifier=" REACTION_PREFIX "%s\n"
		"LogRateLimitIntervalSec=10s\n"
		"LogRateLimitBurst=200\n",
		reaction->name);
	return ferror(to) ? -EIO : 0;
}

/**
 * reaction_file() - The name of the template
 */
void reaction_file(const struct conf_reaction *reaction, char ret[static CONF_NAME_MAX + 64])
{
	(void)snprintf(ret, CONF_NAME_MAX + 64, REACTION_PREFIX "%s@.service",
		       reaction->name); /* fits */
}

/* Its text, "" if that is not there, as long as it should be; NULL: no memory. */
static char *read_text(const char *path, size_t len)
{
	_cleanup_(close_fdp) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = calloc(1, len + 2); /* and room to see that there is more */
	ssize_t n;

	if (!text || fd < 0)
		return text;
	n = read(fd, text, len + 1);
	if (n < 0)
		text[0] = '\0';
	return text;
}

/**
 * reaction_is_known() - Has systemd this reaction as the configuration has it?
 * @directory: REACTION_UNITS
 *
 * Return: false also if there is no memory to find out.
 */
bool reaction_is_known(const struct conf_reaction *reaction, const char *directory)
{
	char file[CONF_NAME_MAX + 64], path[512];
	_cleanup_(freep) char *wanted = NULL;
	_cleanup_(freep) char *found = NULL;
	size_t size;
	FILE *to = open_memstream(&wanted, &size);
	int r;

	if (!to)
		return false;
	r = reaction_print_unit(reaction, to);
	if (fclose(to) != 0 || r < 0)
		return false;
	reaction_file(reaction, file);
	(void)snprintf(path, sizeof(path), "%s/%s", directory, file); /* cut, it is not there */
	found = read_text(path, size);
	return found && !strcmp(found, wanted);
}
