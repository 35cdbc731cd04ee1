/* SPDX-License-Identifier: MIT */

/* From the instance of a unit to the command, which is told by its environment what it is for. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/reaction/reaction.h"

/* execve(2) takes no string of more than 128 KiB; a shell ought to be able to loop over it. */
enum { ADDRESSES_MAX = 64 * 1024 };

static int complain(FILE *err, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int complain(FILE *err, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fputs("takeover-react: ", err);
	(void)vfprintf(err, format, args);
	(void)fputc('\n', err);
	va_end(args);
	return r;
}

static const struct conf_group *find_group(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_groups; i++)
		if (!strcmp(conf->groups[i].name, name))
			return &conf->groups[i];
	return NULL;
}

/* "10.0.0.3 2001:db8::3": those that fit, of thousands */
static int set_addresses(const struct conf_group *group)
{
	_cleanup_(freep) char *list = calloc(1, ADDRESSES_MAX);
	size_t used = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; group && i < group->n_vips; i++) {
		char ip[INET6_ADDRSTRLEN];

		(void)conf_format_ip(&group->vips[i].ip, ip, sizeof(ip));
		if (used + 1 + strlen(ip) >= ADDRESSES_MAX)
			break;
		used += (size_t)sprintf(list + used, "%s%s", used ? " " : "", ip);
	}
	return setenv("TAKEOVER_ADDRESSES", list, true) < 0 ? -errno : 0;
}

/* Of two nodes it is known who the other one is. */
static const char *peer_of(const struct conf *conf, uint8_t node)
{
	return conf->n_nodes == 2 ? conf->nodes[1 - node].name : "";
}

static int set_environment(const struct conf *conf, const char *name,
			   const struct reaction_call *call, uint8_t node)
{
	static const struct {
		const char *role, *state;
	} as[_REACTION_STATE_MAX] = {
		[REACTION_PRIMARY] = { "primary", "MASTER" },
		[REACTION_BACKUP] = { "backup", "BACKUP" },
		[REACTION_FAULT] = { "backup", "FAULT" },
		[REACTION_NONE] = { "", "" },
	};
	char priority[8];
	const struct {
		const char *name, *value;
	} variables[] = {
		{ "TAKEOVER_REACTION", name },
		{ "TAKEOVER_EVENT", call->event },
		{ "TAKEOVER_GROUP", call->group },
		{ "TAKEOVER_FROM", call->from },
		{ "TAKEOVER_NODE", call->node },
		{ "TAKEOVER_PEER", peer_of(conf, node) },
		{ "TAKEOVER_ROLE", as[call->state].role },
		{ "TAKEOVER_STATE", as[call->state].state },
		{ "TAKEOVER_PRIORITY", priority },
	};

	(void)snprintf(priority, sizeof(priority), "%u", conf->nodes[node].priority); /* fits */
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		if (setenv(variables[i].name, variables[i].value, true) < 0)
			return -errno;
	return set_addresses(find_group(conf, call->group));
}

/* "${NAME}" and nothing else, of a name that we have set. */
static char *replacement(const char *word)
{
	const char *const *names;
	size_t n;

	names = conf_reaction_variables(&n);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(names[i]);

		if (!strncmp(word, "${", 2) && !strncmp(word + 2, names[i], len) &&
		    !strcmp(word + 2 + len, "}"))
			return getenv(names[i]);
	}
	return NULL;
}

static int load(const char *file, struct conf **ret, FILE *err)
{
	struct conf_problems problems = { 0 };
	int r;

	r = conf_load(file, ret, &problems);
	if (r < 0)
		r = complain(err, r, "%s is not taken: %s", file,
			     problems.n ? problems.v[0].text : strerror(-r));
	conf_problems_done(&problems);
	return r;
}

/* What the instance names has to be there: it was the agent's word only. */
static int look_up(const struct conf *conf, const struct reaction_call *call, uint8_t *ret_node,
		   FILE *err)
{
	uint8_t from;

	if (*call->group && !find_group(conf, call->group))
		return complain(err, -ENOENT, "there is no group %s", call->group);
	if (conf_find_node(conf, call->from, &from) < 0)
		return complain(err, -ENOENT, "there is no node %s", call->from);
	if (conf_find_node(conf, call->node, ret_node) < 0)
		return complain(err, -ENOENT, "there is no node %s", call->node);
	return 0;
}

/**
 * reaction_run() - Become the command of a reaction
 * @file: configuration
 * @name: of the reaction
 * @instance: of its unit, as systemd has it; not trusted
 * @command: its words, which are changed; NULL-terminated, and root's
 * @err: receives what is wrong
 *
 * Return: only on failure. -EINVAL if @instance is none; -ENOENT if it names what is not there;
 * errors of conf_load() and execve(2).
 */
int reaction_run(const char *file, const char *name, const char *instance, char **command,
		 FILE *err)
{
	_cleanup_(conf_freep) struct conf *conf = NULL;
	struct reaction_call call;
	uint8_t node;
	int r;

	r = reaction_parse(instance, &call);
	if (r < 0)
		return complain(err, r, "\"%s\" is no event of the agent", instance);
	r = load(file, &conf, err);
	if (r < 0)
		return r;
	r = look_up(conf, &call, &node, err);
	if (r == 0)
		r = set_environment(conf, name, &call, node);
	if (r < 0)
		return r;
	for (char **word = command; *word; word++)
		*word = replacement(*word) ?: *word;
	(void)execv(command[0], command);
	return complain(err, -errno, "cannot run %s: %s", command[0], strerror(errno));
}
