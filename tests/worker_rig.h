/* SPDX-License-Identifier: MIT */
#pragma once

/* A worker in a network of its own, and orders for it. */

#include "agent/kernel/worker.h"

#include <errno.h>

#include "agent/kernel/gatekeeper.h"
#include "tests/held.h"

/* Leases and tickets that do not run out while a busy machine thinks. */
#define LONG_TIMES HELD_NODES_WITH("Lease=30s\nDeadTime=60s\nInterval=10s\n")

static struct conf *conf;
static struct worker *worker;
static struct gatekeeper viewer; /* looks at the gate beside the worker */
static uint32_t last_id;

static inline void start(const char *text)
{
	struct gatekeeper keeper;

	netns_enter();
	conf = conf_from_text(text);
	cr_assert_eq(gatekeeper_init(&viewer, conf), 0);
	cr_assert_eq(gatekeeper_init(&keeper, conf), 0);
	cr_assert_eq(gate_install(keeper.nf, &keeper.config, NULL), 0);
	cr_assert_eq(worker_new(conf, 0, &keeper, &worker), 0);
	cr_assert_null(keeper.nf, "taken over");
}

static inline void enter(void)
{
	start(LONG_TIMES HELD_GROUPS);
}

static inline void leave(void)
{
	worker_free(worker);
	gatekeeper_done(&viewer);
	conf_free(conf);
}

static inline uint32_t order(enum worker_type type, uint8_t group)
{
	struct worker_order o = { .type = type, .id = ++last_id, .group = group };

	cr_assert_eq(worker_order(worker, &o), 0);
	return o.id;
}

static inline uint32_t prepare(uint8_t group)
{
	struct worker_order o = {
		.type = WORKER_PREPARE, .id = ++last_id, .group = group, .ticket = true
	};

	cr_assert_eq(worker_order(worker, &o), 0);
	return o.id;
}

static inline uint32_t order_gate(enum worker_type type, uint8_t group, enum gate_level level)
{
	struct worker_order o = { .type = type, .id = ++last_id, .group = group, .level = level };

	cr_assert_eq(worker_order(worker, &o), 0);
	return o.id;
}

static inline struct worker_result next(void)
{
	struct worker_result result;

	while (!worker_next(worker, &result))
		netns_await(worker_fd(worker));
	return result;
}

/* The result of the only order under way. */
static inline int outcome(uint32_t id)
{
	struct worker_result result = next();

	cr_assert_eq(result.id, id);
	return result.err;
}

/* Each succeeds, and in this order. */
static inline void all_done(const uint32_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(outcome(ids[i]), 0, "the order at %zu", i);
}

static inline struct gate_state gate(void)
{
	struct gate_state state;

	cr_assert_eq(gate_read(viewer.nf, &viewer.config, &state), 0);
	return state;
}

static inline void hold(uint8_t group)
{
	cr_assert_eq(outcome(prepare(group)), 0);
	cr_assert_eq(outcome(order_gate(WORKER_CREATE, group, GATE_ANSWER)), 0);
}
