/* SPDX-License-Identifier: MIT */

#include "agent/reaction/react.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "agent/bus/bus.h"
#include "agent/cleanup.h"
#include "agent/clock.h"
#include "agent/log.h"
#include "agent/reaction/react_private.h"
#include "agent/systemd/systemd.h"
#include "agent/tell.h"

/* How long systemd may be away, as it is at the start, before what waits for it is given up. */
#define PATIENCE_US (5 * USEC_PER_SEC)

/* Beyond the time-out systemd stops a command, and tells us; this is for when it does not. */
#define STOPPED_US (REACTION_STOP_US + USEC_PER_SEC)

static const char *const words[_REACT_RESULT_MAX] = {
	[REACT_DONE] = "done",		 [REACT_FAILED] = "failed", [REACT_LATE] = "timed-out",
	[REACT_CANCELLED] = "cancelled", [REACT_LOST] = "lost",
};

static void answer(struct react *react, struct react_test *test)
{
	struct react_test **at = &react->tests;

	while (*at != test)
		at = &(*at)->next;
	*at = test->next;
	bus_tested(react->agent->bus, test->request, test->results, test->n);
	free(test);
}

/**
 * react_test_note() - What has become of a reaction, for who has fired it
 * @firing: may be nobody's test
 */
void react_test_note(struct react *react, const struct firing *firing, enum react_result result,
		     const char *text)
{
	struct react_test *test = firing->test;

	if (!test)
		return;
	(void)snprintf(test->texts[test->n], sizeof(test->texts[0]), "%s", text); /* or cut */
	test->results[test->n] = (struct api_reaction){ .name = firing->reaction->name,
							.result = words[result],
							.text = test->texts[test->n] };
	test->n++;
	if (--test->left == 0)
		answer(react, test);
}

/* "page to 00-04563 of alpha", and how many of these it is for */
static void describe(const struct react *react, const struct firing *firing, char ret[static 128])
{
	char more[24] = "";

	if (firing->n > 1)
		(void)snprintf(more, sizeof(more), " (%u times)", firing->n);
	(void)snprintf(ret, 128, "reaction %s to %s of %s%s", firing->reaction->name, firing->event,
		       react->agent->conf->nodes[firing->from].name, more); /* fits */
}

/* Takes @firing. */
static void end(struct react *react, uint8_t group, struct firing *firing, enum react_result result,
		const char *text)
{
	static const enum tell_reaction as[_REACT_RESULT_MAX] = {
		[REACT_DONE] = TELL_REACTION_DONE, [REACT_FAILED] = TELL_REACTION_FAILED,
		[REACT_LATE] = TELL_REACTION_LATE, [REACT_CANCELLED] = TELL_REACTION_CANCELLED,
		[REACT_LOST] = TELL_REACTION_LOST,
	};
	_cleanup_(freep) struct firing *owned = firing;
	char what[128];

	describe(react, owned, what);
	if (result != REACT_LOST) /* they are told of together */
		tell_reaction(react->agent, group, as[result], owned->reaction->name, what, text);
	react_test_note(react, owned, result, text);
}

/* Those that had no room, and those that waited for a systemd that does not come. */
static void tell_lost(struct react *react, uint8_t group, const char *why)
{
	struct lane *lane = &react->lanes[group];
	char number[16];

	if (!lane->lost)
		return;
	(void)snprintf(number, sizeof(number), "%u", lane->lost); /* fits */
	lane->lost = 0;
	tell_reaction(react->agent, group, TELL_REACTION_LOST, NULL, number, why);
}

/* Takes the firing at *@at out of the queue. */
static struct firing *take(struct lane *lane, struct firing **at)
{
	struct firing *firing = *at;

	*at = firing->next;
	firing->next = NULL;
	lane->n--;
	return firing;
}

/* Said once; what happens until systemd comes starts nothing. */
static void give_up(struct react *react, uint8_t group)
{
	static const char why[] = "there is no systemd on the bus";
	struct lane *lane = &react->lanes[group];

	while (lane->first) {
		struct firing *firing = take(lane, &lane->first);

		lane->lost += firing->n;
		end(react, group, firing, REACT_LOST, why);
	}
	if (react->complained)
		lane->lost = 0;
	react->complained = true;
	tell_lost(react, group, why);
}

/* Of what is begun nothing can be said but which unit it is. */
static int name_of(const struct react *react, uint8_t group, const struct firing *firing,
		   char ret[static UNIT_NAME_SIZE])
{
	const struct agent *agent = react->agent;
	const struct conf *conf = agent->conf;
	struct reaction_call call = { .state = firing->state, .at_us = firing->at.us };
	char prefix[sizeof(REACTION_PREFIX) + CONF_NAME_MAX], instance[REACTION_INSTANCE_MAX];

	if (firing->reaction->unit) {
		(void)snprintf(ret, UNIT_NAME_SIZE, "%s", firing->reaction->unit);
		return 0;
	}
	(void)snprintf(call.event, sizeof(call.event), "%s", firing->event); /* all of it fits */
	if (firing->of_group)
		memcpy(call.group, conf->groups[group].name, sizeof(call.group));
	memcpy(call.from, conf->nodes[firing->from].name, sizeof(call.from));
	memcpy(call.node, conf->nodes[agent->self].name, sizeof(call.node));
	reaction_format(&call, instance);
	(void)snprintf(prefix, sizeof(prefix), REACTION_PREFIX "%s", firing->reaction->name);
	return unit_instance(prefix, instance, ".service", ret);
}

static uint64_t patience_us(const struct conf_reaction *reaction)
{
	return reaction->timeout_us + (reaction->unit ? 0 : STOPPED_US);
}

/* Return: 0, begun or failed; -ENOTCONN, and it waits still. */
static int begin(struct react *react, uint8_t group)
{
	struct lane *lane = &react->lanes[group];
	struct firing *firing = lane->first;
	char name[UNIT_NAME_SIZE];
	int r;

	r = name_of(react, group, firing, name);
	if (r == 0)
		r = systemd_order(react->agent->systemd, UNIT_START, name,
				  systemd_id(SYSTEMD_REACTION, group, 0));
	if (r == -ENOTCONN)
		return r;
	(void)take(lane, &lane->first);
	tell_lost(react, group, "too many were waiting");
	if (r < 0) {
		end(react, group, firing, REACT_FAILED, strerror(-r));
		return 0;
	}
	lane->running = firing;
	lane->started = clock_now();
	lane->due = instant_add(lane->started, patience_us(firing->reaction));
	return 0;
}

/* The next one, if none runs. */
static void advance(struct react *react, uint8_t group)
{
	struct lane *lane = &react->lanes[group];
	int r = 0;

	while (r == 0 && !lane->running && lane->first)
		r = begin(react, group);
	if (r < 0 &&
	    (react->complained || instant_since(clock_now(), lane->first->at) >= PATIENCE_US))
		give_up(react, group);
}

/**
 * react_go_on() - Something is in a queue, or has left it
 */
void react_go_on(struct react *react, uint8_t group)
{
	advance(react, group);
	systemd_look(react->agent->systemd);
}

/* Not those of a test: who waits for it counts on each. */
static bool is_repeated(const struct firing *waiting, const struct firing *firing)
{
	return waiting->reaction == firing->reaction && waiting->event == firing->event &&
	       waiting->from == firing->from && waiting->of_group == firing->of_group &&
	       !waiting->test && !firing->test;
}

/**
 * react_enqueue() - Something is to be started
 * @firing: taken
 *
 * A repetition takes the place of what it repeats, but at the end: in between may stand the
 * opposite, and what has happened last is to be done last.
 */
void react_enqueue(struct react *react, uint8_t group, struct firing *firing)
{
	struct lane *lane = &react->lanes[group];
	struct firing **at = &lane->first;

	while (*at) {
		if (is_repeated(*at, firing)) {
			struct firing *before = take(lane, at);

			firing->n += before->n;
			free(before);
		} else {
			at = &(*at)->next;
		}
	}
	*at = firing;
	lane->n++;
	if (lane->n <= REACT_WAITING_MAX)
		return;
	firing = take(lane, &lane->first);
	lane->lost += firing->n;
	end(react, group, firing, REACT_LOST, "too many were waiting");
}

/* 00-04562 and 00-04563 are of a new primary, the others of a new backup. */
static bool is_of_primary(const char *event)
{
	return event[7] >= '2';
}

/**
 * react_cancel() - What has been undone before anything came of it need not be done
 * @cause: the opposite role, soon enough: CancelTimeout=
 */
void react_cancel(struct react *react, const struct react_cause *cause)
{
	struct lane *lane = &react->lanes[cause->group];
	struct firing **at = &lane->first;
	instant now = clock_now();

	if (!conf_event_of_role(cause->event))
		return;
	while (*at) {
		const struct firing *f = *at;

		if (f->from == cause->from && !f->test && conf_event_of_role(f->event) &&
		    is_of_primary(f->event) != is_of_primary(cause->event) &&
		    instant_since(now, f->at) < f->reaction->cancel_us)
			end(react, cause->group, take(lane, at), REACT_CANCELLED, cause->event);
		else
			at = &(*at)->next;
	}
}

/**
 * react_here() - systemd is here: what waits for it can be started
 */
void react_here(struct react *react)
{
	if (!react)
		return;
	react->complained = false;
	for (uint8_t g = 0; g < react->agent->conf->n_groups; g++)
		if (react->lanes[g].first)
			react_go_on(react, g);
}

/**
 * react_done() - systemd has done with a reaction
 * @why: its word, or its sentence
 */
void react_done(struct react *react, uint32_t id, int err, const char *why)
{
	uint8_t group = systemd_id_group(id);
	struct lane *lane = react ? &react->lanes[group] : NULL;
	enum react_result result = REACT_DONE;
	uint64_t took_us;

	if (!lane || !lane->running)
		return;
	took_us = instant_since(clock_now(), lane->started);
	if (err) /* of a service that has had its time systemd says nothing but that it failed */
		result = took_us < lane->running->reaction->timeout_us ? REACT_FAILED : REACT_LATE;
	end(react, group, TAKE(lane->running), result, result == REACT_FAILED ? why : "");
	react_go_on(react, group);
}

/**
 * react_look() - Is what runs late, or has systemd been away for too long?
 *
 * Return: when to look again; never: somebody else will say so.
 */
instant react_look(struct react *react, uint8_t group, instant now)
{
	struct lane *lane = react ? &react->lanes[group] : NULL;

	if (!lane)
		return INSTANT_NEVER;
	if (lane->running && instant_reached(now, lane->due)) {
		systemd_forget(react->agent->systemd, systemd_id(SYSTEMD_REACTION, group, 0));
		end(react, group, TAKE(lane->running), REACT_LATE, "");
	}
	advance(react, group);
	if (lane->running)
		return lane->due;
	return lane->first ? instant_add(lane->first->at, PATIENCE_US) : INSTANT_NEVER;
}

/* systemd has what its generator made at its last daemon-reload, which is the operator's. */
static void look_for_units(const struct conf *conf, const char *node)
{
	for (size_t i = 0; i < conf->n_reactions; i++) {
		const struct conf_reaction *reaction = &conf->reactions[i];

		if (reaction->command && (!*reaction->node || !strcmp(reaction->node, node)) &&
		    !reaction_is_known(reaction, REACTION_UNITS))
			log_say(LOG_LEVEL_WARNING,
				"systemd does not know [Reaction %s] as it is: say systemctl "
				"daemon-reload",
				reaction->name);
	}
}

/**
 * react_new() - Ready to react
 * @ret: NULL if the configuration has nothing to react with
 *
 * Return: 0; -ENOMEM.
 */
int react_new(struct agent *agent, struct react **ret)
{
	_cleanup_(react_freep) struct react *react = NULL;
	const struct conf *conf = agent->conf;
	const char *node = conf->nodes[agent->self].name;

	if (conf->n_reactions == 0)
		return 0;
	react = calloc(1, sizeof(*react));
	if (!react)
		return -ENOMEM;
	react->agent = agent;
	react->heeds_peers = react_heeds_peers(conf, node);
	react->lanes = calloc(conf->n_groups, sizeof(*react->lanes));
	react->seen = calloc(conf->n_groups * conf->n_nodes, sizeof(*react->seen));
	if (!react->lanes || !react->seen)
		return -ENOMEM;
	if (sd_booted() > 0)
		look_for_units(conf, node);
	*ret = TAKE(react);
	return 0;
}

/* Return: how many that were. */
static size_t lane_done(struct lane *lane)
{
	size_t n = lane->lost;

	free(lane->running);
	while (lane->first) {
		n += lane->first->n;
		free(take(lane, &lane->first));
	}
	return n;
}

/**
 * react_free() - The end: what runs goes on, what waits does not run
 */
struct react *react_free(struct react *react)
{
	size_t n = 0;

	if (!react)
		return NULL;
	for (uint8_t g = 0; react->lanes && g < react->agent->conf->n_groups; g++)
		n += lane_done(&react->lanes[g]);
	if (n)
		log_say(LOG_LEVEL_WARNING, "%zu reaction%s waited still, and will not run", n,
			n == 1 ? "" : "s");
	while (react->tests) {
		struct react_test *test = react->tests;

		react->tests = test->next;
		free(test);
	}
	free(react->lanes);
	free(react->seen);
	free(react);
	return NULL;
}
