/* SPDX-License-Identifier: MIT */

/* Which reactions are meant by what has happened, here or to the other node. */

#include <errno.h>
#include <stdlib.h>

#include "agent/clock.h"
#include "agent/reaction/react_private.h"

static const char *node_name(const struct react *react, uint8_t node)
{
	return react->agent->conf->nodes[node].name;
}

static const char *find_word(const struct conf_words *words, const char *word)
{
	for (size_t i = 0; i < words->n; i++)
		if (!strcmp(words->v[i], word))
			return words->v[i];
	return NULL;
}

static bool is_from(const struct react *react, const struct conf_reaction *reaction, uint8_t from)
{
	if (!strcmp(reaction->from, "self"))
		return from == react->agent->self;
	if (!strcmp(reaction->from, "peer"))
		return from != react->agent->self;
	return !strcmp(reaction->from, node_name(react, from));
}

static bool is_in_role(const struct react *react, const struct conf_reaction *reaction,
		       const struct react_cause *cause)
{
	const struct core_group *g = &react->agent->core.groups[cause->group];

	return reaction->role == CONF_ROLE_ANY ||
	       (cause->of_group && g->primary == (reaction->role == CONF_ROLE_PRIMARY));
}

static bool is_of_group(const struct react *react, const struct conf_reaction *reaction,
			const struct react_cause *cause)
{
	const struct conf_group *group = &react->agent->conf->groups[cause->group];

	return reaction->groups.n == 0 ||
	       (cause->of_group && find_word(&reaction->groups, group->name));
}

/* Is it for this event, of this group, on this node? Return: its own copy of the id; NULL. */
static const char *is_meant(const struct react *react, const struct conf_reaction *reaction,
			    const struct react_cause *cause)
{
	if (*reaction->node && strcmp(reaction->node, node_name(react, react->agent->self)) != 0)
		return NULL;
	if (!is_of_group(react, reaction, cause) || !is_from(react, reaction, cause->from))
		return NULL;
	return find_word(&reaction->events, cause->event);
}

static enum reaction_state state_now(const struct react *react, const struct react_cause *cause)
{
	const struct core_group *g = &react->agent->core.groups[cause->group];

	if (!cause->of_group)
		return REACTION_NONE;
	if (g->primary)
		return REACTION_PRIMARY;
	return g->state == CORE_STATE_FAULT ? REACTION_FAULT : REACTION_BACKUP;
}

/* Without memory it counts as one that was too many. */
static void fire(struct react *react, const struct conf_reaction *reaction, const char *event,
		 const struct react_cause *cause, struct react_test *test)
{
	struct firing *firing = calloc(1, sizeof(*firing));
	const struct firing none = { .reaction = reaction, .test = test };
	uint64_t now_us = clock_now().us;

	if (!firing) {
		react->lanes[cause->group].lost++;
		react_test_note(react, &none, REACT_LOST, strerror(ENOMEM));
		return;
	}
	react->last_us = now_us > react->last_us ? now_us : react->last_us + 1;
	*firing = (struct firing){ .reaction = reaction,
				   .event = event,
				   .from = cause->from,
				   .of_group = cause->of_group,
				   .state = state_now(react, cause),
				   .at = { react->last_us },
				   .n = 1,
				   .test = test };
	react_enqueue(react, cause->group, firing);
}

/**
 * react_to() - Something has happened: is anything to be started?
 * @react: NULL: there are no reactions
 */
void react_to(struct react *react, const struct react_cause *cause)
{
	const struct conf *conf;
	bool any = false;

	if (!react)
		return;
	conf = react->agent->conf;
	react_cancel(react, cause);
	for (size_t i = 0; i < conf->n_reactions; i++) {
		const struct conf_reaction *reaction = &conf->reactions[i];
		const char *event = is_meant(react, reaction, cause);

		if (!event || !is_in_role(react, reaction, cause))
			continue;
		any = true;
		fire(react, reaction, event, cause, NULL);
	}
	if (any)
		react_go_on(react, cause->group);
}

/**
 * react_test() - Fire an event of this node by hand, whatever the role
 * @react: NULL: there are no reactions, and nobody to be answered either
 * @request: is answered with what has become of the reactions, when all have ended
 *
 * Return: how many there are; 0: nobody will be answered.
 */
size_t react_test(struct react *react, uint8_t group, const char *event, api_request request)
{
	struct react_cause cause = { .event = event, .group = group, .of_group = true };
	const char *meant[CONF_REACTIONS_MAX];
	struct react_test *test;
	const struct conf *conf;
	size_t n = 0;

	if (!react)
		return 0;
	conf = react->agent->conf;
	cause.from = react->agent->self;
	for (size_t i = 0; i < conf->n_reactions; i++) {
		meant[i] = is_meant(react, &conf->reactions[i], &cause);
		n += meant[i] != NULL;
	}
	test = n ? calloc(1, sizeof(*test)) : NULL;
	if (!test)
		return 0;
	*test = (struct react_test){ .request = request, .left = n, .next = react->tests };
	react->tests = test;
	for (size_t i = 0; i < conf->n_reactions; i++)
		if (meant[i])
			fire(react, &conf->reactions[i], meant[i], &cause, test);
	react_go_on(react, group);
	return n;
}

/* What a node that has a new role says of it, if its configuration is ours. */
static const char *event_of(const struct conf_group *group, bool primary)
{
	if (primary)
		return group->core.hot ? "00-04563" : "00-04562";
	return group->core.hot ? "00-04561" : "00-04560";
}

static void follow_peer(struct react *react, uint8_t group, uint8_t node)
{
	const struct conf *conf = react->agent->conf;
	const struct core_record *record = core_peer_record(&react->agent->core, node, group);
	uint8_t *seen = &react->seen[group * conf->n_nodes + node], before = *seen;
	struct react_cause cause = { .group = group, .of_group = true, .from = node };
	bool primary;

	if (!record)
		return;
	primary = record->state == CORE_STATE_PRIMARY || record->state == CORE_STATE_YIELDING;
	*seen = (uint8_t)(1 + primary);
	if (!before || before == *seen)
		return;
	cause.event = event_of(&conf->groups[group], primary);
	react_to(react, &cause);
}

/**
 * react_follow() - Has another node a new role? Its heartbeats say so
 * @react: NULL: there are no reactions
 *
 * The role that it is first heard with is not new.
 */
void react_follow(struct react *react)
{
	const struct agent *agent;

	if (!react || !react->heeds_peers)
		return;
	agent = react->agent;
	for (uint8_t g = 0; g < agent->conf->n_groups; g++)
		for (uint8_t n = 0; n < agent->conf->n_nodes; n++)
			if (n != agent->self)
				follow_peer(react, g, n);
}

/**
 * react_heeds_peers() - Is there a reaction to what happens to other nodes?
 * @node: our own name
 */
bool react_heeds_peers(const struct conf *conf, const char *node)
{
	for (size_t i = 0; i < conf->n_reactions; i++)
		if (strcmp(conf->reactions[i].from, "self") != 0 &&
		    strcmp(conf->reactions[i].from, node) != 0)
			return true;
	return false;
}
