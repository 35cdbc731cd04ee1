/* SPDX-License-Identifier: MIT */

/* The instance of a unit, EVENT:GROUP:FROM:NODE:STATE:TIME, and what it stands for. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/conf/conf_keys.h"
#include "agent/reaction/reaction.h"

static const char *const states[_REACTION_STATE_MAX] = {
	[REACTION_PRIMARY] = "primary",
	[REACTION_BACKUP] = "backup",
	[REACTION_FAULT] = "fault",
	[REACTION_NONE] = "none",
};

/**
 * reaction_format() - Write a call as the instance of a unit, not escaped yet
 */
void reaction_format(const struct reaction_call *call, char ret[static REACTION_INSTANCE_MAX])
{
	static_assert(REACTION_EVENT_SIZE + 3 * (CONF_NAME_MAX + 1) + 8 + 20 + 1 <=
			      REACTION_INSTANCE_MAX,
		      "it fits");
	assert(call->state < _REACTION_STATE_MAX);
	(void)snprintf(ret, REACTION_INSTANCE_MAX, "%s:%s:%s:%s:%s:%" PRIu64, call->event,
		       call->group, call->from, call->node, states[call->state], call->at_us);
}

/* In place. systemd escapes of what may be there the dash only, of which it makes \x2d. */
static int unescape(char *text)
{
	static const char dash[] = "\\x2d";
	char *to = text;

	for (const char *p = text; *p; to++) {
		bool escaped = *p == '\\';

		if (escaped && strncmp(p, dash, strlen(dash)) != 0)
			return -EINVAL;
		*to = escaped ? '-' : *p;
		p += escaped ? strlen(dash) : 1;
	}
	*to = '\0';
	return 0;
}

/* The next of the parts, cut off *@rest, if it fits into @size bytes. */
static int cut(char **rest, char *ret, size_t size)
{
	const char *part = strsep(rest, ":");

	if (!part || strlen(part) >= size)
		return -EINVAL;
	(void)snprintf(ret, size, "%s", part); /* fits */
	return 0;
}

static int parse_state(const char *word, enum reaction_state *ret)
{
	for (enum reaction_state state = 0; state < _REACTION_STATE_MAX; state++)
		if (!strcmp(word, states[state])) {
			*ret = state;
			return 0;
		}
	return -EINVAL;
}

/* Digits and nothing else; @text has less than 20. */
static int parse_time(const char *text, uint64_t *ret)
{
	if (!*text || text[strspn(text, "0123456789")])
		return -EINVAL;
	*ret = strtoull(text, NULL, 10);
	return 0;
}

/**
 * reaction_parse() - Read the instance of a unit, whoever has made it up
 * @instance: as systemd has it (%i)
 * @ret: its names are names, its event looks like one; nobody knows whether they exist
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int reaction_parse(const char *instance, struct reaction_call *ret)
{
	_cleanup_(freep) char *copy = strdup(instance);
	struct reaction_call call = { 0 };
	char state[8], at[20], *rest = copy;

	if (!copy)
		return -ENOMEM;
	if (unescape(copy) < 0 || cut(&rest, call.event, sizeof(call.event)) < 0 ||
	    cut(&rest, call.group, sizeof(call.group)) < 0 ||
	    cut(&rest, call.from, sizeof(call.from)) < 0 ||
	    cut(&rest, call.node, sizeof(call.node)) < 0 || cut(&rest, state, sizeof(state)) < 0 ||
	    cut(&rest, at, sizeof(at)) < 0 || rest)
		return -EINVAL;
	if (!conf_event_valid(call.event) || (*call.group && !conf_name_valid(call.group)) ||
	    !conf_name_valid(call.from) || !conf_name_valid(call.node) ||
	    parse_state(state, &call.state) < 0 || parse_time(at, &call.at_us) < 0)
		return -EINVAL;
	*ret = call;
	return 0;
}
