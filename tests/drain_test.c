/* SPDX-License-Identifier: MIT */
#include "agent/drain/drain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <time.h>

#include "agent/bus/bus.h"
#include "agent/clock.h"
#include "agent/why.h"
#include "tests/netns.h"
#include "tests/with_conf.h"

/* The connections are those of a host of the test's own; core, worker and bus are played here. */

#define SIP4 "10.77.0.100"

enum { SIP = 0, REQUEST = 7, FOREVER = 0 };
#define SECOND USEC_PER_SEC

static struct {
	enum core_result can;
	unsigned orders; /* of the worker, */
	bool on;	 /* the last one: to refuse; */
	uint32_t order;	 /* its id; */
	int full;	 /* and it takes none: errno */
	unsigned moves, refusals, changes;
	uint32_t moved_for, refused;
	char error[32];
	uint64_t ahead_us; /* of the clock of the loop is the agent's */
} world;

static struct agent agent; /* too large for a stack */

/* These stand in front of the library's. */

instant clock_now(void)
{
	struct timespec ts;

	cr_assert_eq(clock_gettime(CLOCK_BOOTTIME, &ts), 0);
	return (instant){ (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000 +
			  world.ahead_us };
}

uint64_t clock_us(void)
{
	return clock_now().us;
}

void agent_step(struct agent *of, struct core_event *event)
{
	(void)of;
	cr_assert_eq(event->type, CORE_EV_SWITCHOVER);
	world.moves++;
	world.moved_for = event->request.request;
}

enum core_result core_can_switchover(const struct core *core, uint8_t group)
{
	(void)core;
	(void)group;
	return world.can;
}

int worker_order(struct worker *worker, const struct worker_order *order)
{
	(void)worker;
	cr_assert_eq(order->type, WORKER_DRAIN);
	world.orders++;
	if (world.full)
		return -world.full;
	world.on = order->drain;
	world.order = order->id;
	return 0;
}

const char *why_refused(const struct agent *of, uint8_t group, enum core_result result,
			char buf[static WHY_TEXT_MAX])
{
	(void)of;
	(void)group;
	(void)result;
	buf[0] = '\0';
	return buf;
}

void bus_refuse(struct bus *bus, api_request request, const char *error, const char *text)
{
	(void)bus;
	(void)text;
	world.refusals++;
	world.refused = request;
	(void)snprintf(world.error, sizeof(world.error), "%s", error);
}

void bus_group_changed(struct bus *bus, uint8_t group)
{
	(void)bus;
	cr_assert_eq(group, SIP);
	world.changes++;
}

struct host {
	struct conf *conf;
	struct drains *drains;
	int listener;
};

static struct host enter(void)
{
	struct sockaddr_in self = { .sin_family = AF_INET };
	struct host host;

	memset(&world, 0, sizeof(world));
	world.can = CORE_RESULT_OK;
	netns_enter();
	sh("ip addr add " SIP4 "/32 dev lo");
	host.conf = conf_from_text("[Agent]\nAuthentication=none\n"
				   "[Node alpha]\nAddress=10.77.0.11\n"
				   "[Node beta]\nAddress=10.77.0.12\n"
				   "[Group sip]\nVirtualAddress=" SIP4 "/16 eth0\n");
	agent.conf = host.conf;
	agent.core.groups[SIP].state = CORE_STATE_PRIMARY;
	agent.core.stopping = false;
	cr_assert_geq(sd_event_new(&agent.loop), 0);
	cr_assert_eq(drains_new(&agent, &host.drains), 0);
	host.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(inet_pton(AF_INET, SIP4, &self.sin_addr), 1);
	cr_assert_eq(bind(host.listener, (struct sockaddr *)&self, sizeof(self)), 0);
	cr_assert_eq(listen(host.listener, 8), 0);
	return host;
}

static void leave(struct host *host)
{
	drains_free(host->drains);
	agent.loop = sd_event_unref(agent.loop);
	(void)close(host->listener);
	conf_free(host->conf);
}

/* The client's end has the loopback's address. */
struct pair {
	int client, service;
};

static struct pair join(const struct host *host)
{
	const struct sockaddr_in from = { .sin_family = AF_INET,
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in to;
	socklen_t len = sizeof(to);
	struct pair pair = { .client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };

	cr_assert_eq(getsockname(host->listener, (struct sockaddr *)&to, &len), 0);
	cr_assert_eq(bind(pair.client, (const struct sockaddr *)&from, sizeof(from)), 0);
	cr_assert_eq(connect(pair.client, (struct sockaddr *)&to, len), 0);
	pair.service = accept(host->listener, NULL, NULL);
	cr_assert_geq(pair.service, 0);
	return pair;
}

static void part(const struct pair *pair)
{
	(void)close(pair->client);
	(void)close(pair->service);
}

/* What the worker was told last has been done. */
static void carry_out(struct host *host, int err)
{
	const struct worker_result result = {
		.type = WORKER_DRAIN, .id = world.order, .group = SIP, .err = err
	};

	drain_result(host->drains, &result);
}

/* Turns the loop until it is so. */
#define await(condition)                                                                           \
	do {                                                                                       \
		while (!(condition))                                                               \
			cr_assert_gt(sd_event_run(agent.loop, PATIENCE_MS *USEC_PER_MSEC), 0,      \
				     "not: %s", #condition);                                       \
	} while (0)

static uint32_t connections(const struct host *host)
{
	struct drain_state state;

	cr_assert(drain_look(host->drains, SIP, &state));
	return state.connections;
}

static bool drains(const struct host *host)
{
	struct drain_state state;

	return drain_look(host->drains, SIP, &state);
}

static void begin(struct host *host, uint64_t timeout_us)
{
	drain_begin(host->drains, SIP, timeout_us ?: UINT64_MAX, REQUEST);
	cr_assert_eq(world.refusals, 0);
	cr_assert(world.on);
	carry_out(host, 0);
}

Test(drain, nothing_open_is_no_reason_to_wait, .timeout = 20)
{
	struct host host = enter();
	uint32_t left = 1;

	begin(&host, FOREVER);
	await(world.moves);
	cr_expect_eq(world.moved_for, REQUEST);
	cr_expect(world.on, "who gets in now would be cut off");
	cr_expect(drain_answered(host.drains, REQUEST, &left));
	cr_expect_eq(left, 0);
	cr_expect_not(world.on);
	cr_expect_not(drain_answered(host.drains, REQUEST, &left), "once");
	cr_expect_not(drains(&host));
	leave(&host);
}

Test(drain, last_end_is_what_is_waited_for, .timeout = 20)
{
	struct host host = enter();
	struct pair first = join(&host), last = join(&host);

	begin(&host, FOREVER);
	await(connections(&host) == 2);
	cr_expect_eq(world.moves, 0);
	part(&first);
	await(connections(&host) == 1);
	cr_expect_eq(world.moves, 0);
	part(&last);
	await(world.moves);
	cr_expect_eq(world.moves, 1);
	leave(&host);
}

Test(drain, deadline_ends_the_waiting, .timeout = 20)
{
	struct host host = enter();
	struct pair pair = join(&host);
	uint32_t left = 0;

	begin(&host, 10 * SECOND);
	await(connections(&host) == 1);
	cr_expect_eq(world.moves, 0);
	world.ahead_us = 10 * SECOND;
	await(world.moves);
	cr_expect(drain_answered(host.drains, REQUEST, &left));
	cr_expect_eq(left, 1);
	part(&pair);
	leave(&host);
}

/* Whatever the core answers. */
Test(drain, door_is_open_again_after_a_switchover_that_failed, .timeout = 20)
{
	struct host host = enter();
	uint32_t left;

	begin(&host, FOREVER);
	await(world.moves);
	cr_assert(drain_answered(host.drains, REQUEST, &left));
	cr_expect_not(world.on);
	drain_begin(host.drains, SIP, UINT64_MAX, REQUEST + 1);
	cr_expect_str_eq(world.error, "Busy", "the kernel has not opened it yet");
	carry_out(&host, 0);
	world.refusals = 0;
	begin(&host, FOREVER);
	leave(&host);
}

Test(drain, what_cannot_move_is_refused_at_once, .timeout = 20)
{
	struct host host = enter();

	world.can = CORE_RESULT_NOT_FIT;
	drain_begin(host.drains, SIP, SECOND, REQUEST);
	cr_expect_str_eq(world.error, "NotFit");
	agent.core.groups[SIP].state = CORE_STATE_BACKUP;
	world.can = CORE_RESULT_OK;
	drain_begin(host.drains, SIP, SECOND, REQUEST);
	cr_expect_str_eq(world.error, "NotHeld");
	world.can = CORE_RESULT_BUSY;
	agent.core.groups[SIP].state = CORE_STATE_CLAIMING;
	drain_begin(host.drains, SIP, SECOND, REQUEST);
	cr_expect_str_eq(world.error, "Busy");
	cr_expect_eq(world.orders, 0);
	leave(&host);
}

Test(drain, one_at_a_time, .timeout = 20)
{
	struct host host = enter();
	struct pair pair = join(&host);

	begin(&host, FOREVER);
	drain_begin(host.drains, SIP, SECOND, REQUEST + 1);
	cr_expect_eq(world.refused, REQUEST + 1);
	cr_expect_str_eq(world.error, "Busy");
	cr_expect(drains(&host));
	part(&pair);
	leave(&host);
}

Test(drain, group_that_goes_another_way_is_let_go, .timeout = 20)
{
	struct host host = enter();
	struct pair pair = join(&host);

	begin(&host, FOREVER);
	drains_follow(host.drains);
	cr_expect(world.on);
	world.can = CORE_RESULT_BUSY; /* somebody else's switchover */
	drains_follow(host.drains);
	cr_expect_not(world.on);
	cr_expect_eq(world.refused, REQUEST);
	cr_expect_str_eq(world.error, "Busy");
	part(&pair);
	leave(&host);
}

Test(drain, agent_that_stops_drains_no_more, .timeout = 20)
{
	struct host host = enter();
	struct pair pair = join(&host);

	begin(&host, FOREVER);
	agent.core.stopping = true;
	drains_follow(host.drains);
	cr_expect_not(world.on);
	cr_expect_eq(world.refused, REQUEST);
	part(&pair);
	leave(&host);
}

/* For a moment it may only be unheard. */
Test(drain, peer_that_cannot_take_over_ends_it, .timeout = 20)
{
	struct host host = enter();
	struct pair pair = join(&host);

	begin(&host, FOREVER);
	await(connections(&host) == 1);
	world.can = CORE_RESULT_NOT_FIT;
	drains_follow(host.drains);
	cr_expect(world.on);
	await(world.refusals);
	cr_expect_str_eq(world.error, "NotFit");
	cr_expect_not(world.on);
	part(&pair);
	leave(&host);
}

Test(drain, who_has_gone_wants_nothing, .timeout = 20)
{
	struct host host = enter();
	struct pair pair = join(&host);

	begin(&host, FOREVER);
	drain_abandon(host.drains, REQUEST + 1);
	cr_expect(world.on, "somebody else");
	drain_abandon(host.drains, REQUEST);
	cr_expect_not(world.on);
	part(&pair);
	leave(&host);
}

/* As a switchover goes on without its caller. */
Test(drain, move_that_is_under_way_is_not_abandoned, .timeout = 20)
{
	struct host host = enter();
	uint32_t left;

	begin(&host, FOREVER);
	await(world.moves);
	drain_abandon(host.drains, REQUEST);
	cr_expect(world.on);
	cr_expect(drain_answered(host.drains, REQUEST, &left));
	leave(&host);
}

Test(drain, kernel_that_does_not_refuse_is_said, .timeout = 20)
{
	struct host host = enter();

	drain_begin(host.drains, SIP, UINT64_MAX, REQUEST);
	carry_out(&host, -ENOENT);
	cr_expect_str_eq(world.error, "Failed");
	cr_expect_not(drains(&host));
	cr_expect_eq(world.moves, 0);
	leave(&host);
}

/* A door that could not be opened is tried again. */
Test(drain, door_is_opened_in_the_end, .timeout = 20)
{
	struct host host = enter();
	struct pair pair = join(&host);

	begin(&host, FOREVER);
	world.full = EBUSY;
	drain_abandon(host.drains, REQUEST);
	cr_expect(world.on);
	world.full = 0;
	await(!world.on);
	carry_out(&host, -ENOBUFS);
	world.on = true;
	await(!world.on);
	part(&pair);
	leave(&host);
}

/* The answer to an order that is outdated says nothing. */
Test(drain, order_that_has_been_taken_back_begins_nothing, .timeout = 20)
{
	struct host host = enter();
	uint32_t first;

	drain_begin(host.drains, SIP, UINT64_MAX, REQUEST);
	first = world.order;
	drain_abandon(host.drains, REQUEST);
	cr_expect_not(world.on);
	drain_result(host.drains,
		     &(struct worker_result){ .type = WORKER_DRAIN, .id = first, .group = SIP });
	cr_expect_not(drains(&host));
	drain_begin(host.drains, SIP, UINT64_MAX, REQUEST + 1);
	cr_expect_str_eq(world.error, "Busy", "nor has it ended anything");
	carry_out(&host, 0);
	cr_expect_eq(world.moves, 0);
	leave(&host);
}
