/* SPDX-License-Identifier: MIT */
#pragma once

/* What the tests of the API have for an agent: it does as it is told. */

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base.h"
#include "sdbus/api.h"

enum { RIG_GROUPS_MAX = 4 };

static inline void must(int r, const char *what)
{
	cr_assert_geq(r, 0, "%s: %s", what, strerror(-r));
}

#define MUST(call) must((call), #call)

/* An agent that does as it is told and remembers what it was asked. */
struct fake {
	struct api_manager manager;
	struct api_group groups[RIG_GROUPS_MAX];
	struct api_peer peers[1];
	struct api_path paths[2];
	struct api_node nodes[2];
	char *unfit[4], *unfit_there[4], *addresses[4];
	const char *cannot;
	char **sentences; /* NULL: no memory for them */

	int explanations, switchovers, drains, maintenances, announces, inhibits, reloads;
	uint64_t timeout_us;	   /* of the last who drains */
	api_request abandoned;	   /* the last who has gone; 0: nobody */
	struct api_switchover how; /* the last one; its node is in `to` */
	char to[64], who[64], why[64];
	uint32_t uid;
	struct api_inhibitor inhibitors[2];
	int inhibitor;	   /* our end of the pipe whose other end was given away; 0: none */
	const char *trace; /* in the pipe; NULL: none, for trace_err */
	int trace_err;
	api_request request; /* the last one */
	size_t group;
	bool on;
	bool changes; /* the configuration, when it is read again */
	struct api_event
		events[4];  /* that are kept, with ascending numbers; one without id ends them */
	const char *visits; /* address of the bus that somebody comes to meanwhile */
	sd_bus *visitor;    /* that one; of who has set it */
	const char *answer_at_once;	  /* primary; NULL: later */
	const char *refusal;		  /* an error, at once; NULL: none */
	struct api_reaction reactions[2]; /* what comes of a test */
	size_t n_reactions;
	char event[32]; /* that was tested last */
	const char *go; /* the second inhibitor is told here; the first is dropped */
	struct api *api;

	bool name_answered;
	int name_err;
};

static inline void fake_get_manager(void *ctx, struct api_manager *ret)
{
	*ret = ((struct fake *)ctx)->manager;
}

static inline void fake_get_group(void *ctx, size_t group, struct api_group *ret)
{
	*ret = ((struct fake *)ctx)->groups[group];
}

static inline void fake_get_peer(void *ctx, size_t peer, struct api_peer *ret)
{
	*ret = ((struct fake *)ctx)->peers[peer];
}

static inline const char *fake_can_switchover(void *ctx, size_t group)
{
	(void)group;
	return ((struct fake *)ctx)->cannot;
}

static inline char **fake_explain(void *ctx, size_t group)
{
	struct fake *fake = ctx;

	fake->explanations++;
	fake->group = group;
	return fake->sentences;
}

static inline void fake_switchover(void *ctx, size_t group, const struct api_switchover *how,
				   api_request request)
{
	struct fake *fake = ctx;

	fake->switchovers++;
	fake->how = *how;
	(void)snprintf(fake->to, sizeof(fake->to), "%s", how->to ?: "");
	fake->group = group;
	fake->request = request;
	if (fake->refusal)
		(void)api_reply_error(fake->api, request, fake->refusal, NULL);
	else if (fake->answer_at_once)
		(void)api_reply_ok(fake->api, request, fake->answer_at_once, 21400);
}

static inline void fake_drain(void *ctx, size_t group, uint64_t timeout_us, api_request request)
{
	struct fake *fake = ctx;

	fake->drains++;
	fake->group = group;
	fake->timeout_us = timeout_us;
	fake->request = request;
	if (fake->refusal)
		(void)api_reply_error(fake->api, request, fake->refusal, NULL);
	else if (fake->answer_at_once)
		(void)api_reply_drained(fake->api, request, fake->answer_at_once, 21400, 3);
}

static inline void fake_abandon(void *ctx, api_request request)
{
	((struct fake *)ctx)->abandoned = request;
}

static inline void fake_set_maintenance(void *ctx, size_t group, bool on, api_request request)
{
	struct fake *fake = ctx;

	fake->maintenances++;
	fake->group = group;
	fake->request = request;
	fake->on = on;
	if (fake->answer_at_once)
		(void)api_reply_ok(fake->api, request, "", 0);
}

/* Gives a pipe away, the reading end stays. */
static inline void fake_inhibit(void *ctx, size_t group, const struct api_inhibitor *by,
				api_request request)
{
	struct fake *fake = ctx;
	int fds[2];

	fake->inhibits++;
	fake->group = group;
	fake->request = request;
	fake->uid = by->uid;
	(void)snprintf(fake->who, sizeof(fake->who), "%s", by->who);
	(void)snprintf(fake->why, sizeof(fake->why), "%s", by->why);
	if (fake->refusal) {
		(void)api_reply_error(fake->api, request, fake->refusal, NULL);
		return;
	}
	if (!fake->answer_at_once)
		return;
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	(void)api_reply_fd(fake->api, request, fds[1]);
	(void)close(fds[1]);
	fake->inhibitor = fds[0];
	if (fake->go && fake->inhibits == 1) {
		(void)close(fds[0]);
	} else if (fake->go) {
		int go = open(fake->go, O_WRONLY | O_CLOEXEC | O_NONBLOCK);

		cr_assert_eq(write(go, "go\n", 3), 3);
		(void)close(go);
	}
}

static inline void fake_announce(void *ctx, size_t group)
{
	struct fake *fake = ctx;

	fake->announces++;
	fake->group = group;
}

/* What fits into a pipe. */
static inline int fake_get_trace(void *ctx)
{
	struct fake *fake = ctx;
	int fds[2];

	if (!fake->trace)
		return fake->trace_err;
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	cr_assert_eq(write(fds[1], fake->trace, strlen(fake->trace)), (ssize_t)strlen(fake->trace));
	(void)close(fds[1]);
	return fds[0];
}

static inline bool fake_next_event(void *ctx, uint64_t since_us, uint64_t after,
				   struct api_event *ret)
{
	const struct fake *fake = ctx;

	for (size_t i = 0; i < ARRAY_SIZE(fake->events) && fake->events[i].id; i++) {
		if (fake->events[i].number <= after || fake->events[i].time_us < since_us)
			continue;
		*ret = fake->events[i];
		return true;
	}
	return false;
}

static inline void fake_visit(struct fake *fake)
{
	const char *name;

	MUST(sd_bus_new(&fake->visitor));
	MUST(sd_bus_set_address(fake->visitor, fake->visits));
	MUST(sd_bus_set_bus_client(fake->visitor, true));
	MUST(sd_bus_start(fake->visitor));
	MUST(sd_bus_get_unique_name(fake->visitor, &name)); /* it is there */
}

static inline void fake_reload(void *ctx, api_request request)
{
	struct fake *fake = ctx;

	fake->reloads++;
	fake->request = request;
	if (fake->visits)
		fake_visit(fake);
	if (fake->refusal)
		(void)api_reply_error(fake->api, request, fake->refusal,
				      "takeover.conf:3: no\ntakeover.conf:7: neither");
	else
		(void)api_reply_reload(fake->api, request, fake->changes);
}

static inline void fake_test(void *ctx, size_t group, const char *event, api_request request)
{
	struct fake *fake = ctx;

	fake->group = group;
	(void)snprintf(fake->event, sizeof(fake->event), "%s", event);
	if (fake->refusal)
		(void)api_reply_error(fake->api, request, fake->refusal, NULL);
	else
		(void)api_reply_tested(fake->api, request, fake->reactions, fake->n_reactions);
}

static inline void fake_named(void *ctx, int err)
{
	struct fake *fake = ctx;

	fake->name_answered = true;
	fake->name_err = err;
}

static inline struct api_ops fake_ops(void)
{
	return (struct api_ops){
		.get_manager = fake_get_manager,
		.n_groups = 1,
		.n_peers = 1,
		.get_group = fake_get_group,
		.get_peer = fake_get_peer,
		.can_switchover = fake_can_switchover,
		.explain = fake_explain,
		.switchover = fake_switchover,
		.drain = fake_drain,
		.abandon = fake_abandon,
		.set_maintenance = fake_set_maintenance,
		.inhibit = fake_inhibit,
		.announce = fake_announce,
		.test = fake_test,
		.get_trace = fake_get_trace,
		.next_event = fake_next_event,
		.reload = fake_reload,
		.named = fake_named,
	};
}

/* alpha, primary for the group sip since 1 s after boot; its peer is beta. */
static inline void fake_init(struct fake *fake)
{
	static const struct api_path paths[] = {
		{ "10.10.11.101", "10.10.11.102", 2000, 1980, 20, 310, 220, 9977000 },
		{ "10.20.0.101", "10.20.0.102", 2000, 0, 0, 0, 0, 0 },
	};

	*fake = (struct fake){ .cannot = "" };
	fake->manager = (struct api_manager){
		.version = "0.1.0",
		.node = "alpha",
		.interval_us = 50000,
		.lease_us = 350000,
		.dead_us = 500000,
		.lease_remaining_us = 312000,
	};
	fake->addresses[0] = (char *)"10.10.11.103/24 eth0";
	fake->addresses[1] = (char *)"2001:db8:11::103/64 eth0";
	for (size_t i = 0; i < RIG_GROUPS_MAX; i++)
		fake->groups[i] = (struct api_group){
			.name = "sip",
			.role = "primary",
			.state = "primary",
			.primary = "alpha",
			.reason = "switchover",
			.mode = "alias",
			.redundancy = "hot",
			.handover = "seamless",
			.term = 7,
			.role_since_us = 1000000,
			.fit = true,
			.unfit = fake->unfit,
			.virtual_addresses = fake->addresses,
			.nodes = { fake->nodes, ARRAY_SIZE(fake->nodes) },
		};
	fake->nodes[0] = (struct api_node){ "alpha", "primary", fake->unfit };
	fake->nodes[1] = (struct api_node){ "beta", "backup", fake->unfit_there };
	memcpy(fake->paths, paths, sizeof(paths));
	fake->peers[0] = (struct api_peer){
		.name = "beta",
		.state = "up",
		.same_configuration = true,
		.paths = fake->paths,
		.n_paths = ARRAY_SIZE(fake->paths),
	};
}
