/* SPDX-License-Identifier: MIT */

/* A node's kernel: addresses, and the gate with its lease. It outlives the process. */

#include "tests/sim/sim.h"

enum { KERNEL_ENOENT = 2, KERNEL_ENOMEM = 12, KERNEL_EBUSY = 16 };

/* Does this node answer for the group's addresses? */
bool kernel_serves(const struct world *w, const struct node *n, unsigned group)
{
	if (!n->present[group] || n->paused_until)
		return false;
	return n->flushed ||
	       (n->gate[group] != CORE_GATE_CLOSED && n->lease_until > node_clock(w, n));
}

/* The group's addresses are on this node, or are not. */
void kernel_place(struct world *w, struct node *n, unsigned group, bool here)
{
	w->n_present[group] = (uint8_t)(w->n_present[group] + here - n->present[group]);
	n->present[group] = here;
}

/* The machine loses its power, or worse. */
void kernel_lose(struct world *w, struct node *n, enum sim_crash how)
{
	if (how == SIM_CRASH_AGENT)
		return;
	n->lease_until = n->echo_until = 0;
	n->flushed = false;
	n->booted = true;
	memset(n->ticket_until, 0, sizeof(n->ticket_until));
	memset(n->gate, 0, sizeof(n->gate));
	for (unsigned g = 0; g < w->h->n_groups; g++)
		kernel_place(w, n, g, false);
	if (how == SIM_CRASH_DISK) {
		memset(n->term, 0, sizeof(n->term));
		memset(n->maintenance, 0, sizeof(n->maintenance));
		memset(n->primary_term, 0, sizeof(n->primary_term));
	}
}

static int set_gate(struct world *w, struct node *n, const struct core_action *a)
{
	uint64_t clock = node_clock(w, n);

	if (n->flushed)
		return -KERNEL_ENOENT;
	if (a->gate.create) {
		if (n->ticket_until[a->group] <= clock)
			return -KERNEL_ENOENT;
		n->ticket_until[a->group] = 0;
		memset(n->gate, 0, sizeof(n->gate));
		n->lease_until = clock + n->core.config.lease_us;
	}
	n->gate[a->group] = a->gate.level;
	if (a->gate.level == CORE_GATE_ANSWER)
		service_opened(w, (uint8_t)(n - w->nodes), a->group);
	return 0;
}

static int shut(struct node *n)
{
	if (n->flushed)
		return -KERNEL_ENOENT;
	memset(n->gate, 0, sizeof(n->gate));
	n->lease_until = 0;
	return 0;
}

static int lengthen(struct world *w, struct node *n, uint32_t lease_us)
{
	if (n->flushed || n->lease_until <= node_clock(w, n))
		return -KERNEL_ENOENT;
	n->lease_until = node_clock(w, n) + lease_us;
	exposed_held(w, (unsigned)(n - w->nodes));
	return 0;
}

static int prepare(struct world *w, struct node *n, const struct core_action *a)
{
	kernel_place(w, n, a->group, true);
	if (a->ticket && n->flushed)
		return -KERNEL_ENOENT;
	if (a->ticket)
		n->ticket_until[a->group] =
			node_clock(w, n) + 2 * (uint64_t)n->core.config.interval_us + 5000;
	return 0;
}

static int carry_out(struct world *w, struct node *n, const struct core_action *a)
{
	switch (a->type) {
	case CORE_DO_STORE:
		n->term[a->group] = a->store.term;
		n->maintenance[a->group] = a->store.maintenance;
		return 0;
	case CORE_DO_PREPARE:
		return prepare(w, n, a);
	case CORE_DO_REMOVE:
		kernel_place(w, n, a->group, false);
		return 0;
	case CORE_DO_GATE:
		return set_gate(w, n, a);
	case CORE_DO_SHUT:
		return shut(n);
	case CORE_DO_REBUILD:
		n->flushed = false;
		n->lease_until = n->rebuilt_until;
		return 0;
	case CORE_DO_LEASE:
		return lengthen(w, n, a->lease_us);
	case CORE_DO_BEAT:
	case CORE_DO_ANNOUNCE:
	case CORE_DO_DEFEND:
	case CORE_DO_PROBE:
	case CORE_DO_UNITS:
	case CORE_DO_EXIT:
	case CORE_DO_REPLY:
	case CORE_DO_TELL:
	case _CORE_DO_MAX:
		break;
	}
	return 0;
}

static void leave(struct world *w, uint8_t node)
{
	struct node *n = &w->nodes[node];

	n->alive = false;
	w->timers_moved = true;
	w->disturbed_at = w->now;
	n->life++;
	for (size_t i = 0; i < n->n_requests; i++)
		if (!n->requests[i].heard)
			n->requests[i].at = 0; /* the bus tells them that there is nobody */
	world_push(w, w->now + (w->h->exact ? w->h->config.dead_us : n->away_us), SIM_BOOT, node);
}

/*
 * Law 1: announced is what the kernel serves here and, while it does not answer who asks,
 * what nobody else answers for. An address that a stranger has just deleted is told of a
 * moment later.
 */
static void check_announced(struct world *w, unsigned node, unsigned group)
{
	const struct node *n = &w->nodes[node];

	if (n->flushed || n->gate[group] == CORE_GATE_ANSWER)
		return;
	if (n->gate[group] != CORE_GATE_READY)
		law_broken(w, "announced with the gate closed", group);
	for (unsigned i = 0; i < w->h->n_nodes; i++)
		if (i != node && w->nodes[i].gate[group] == CORE_GATE_ANSWER &&
		    !w->nodes[i].flushed && kernel_serves(w, &w->nodes[i], group) &&
		    !exposed(w, node, i))
			law_broken(w, "announced what another one answers for", group);
}

/* An order whose time has come; its answer takes a while to be seen. */
void kernel_perform(struct world *w, uint8_t node, const struct core_action *a)
{
	struct node *n = &w->nodes[node];
	struct item *done;
	bool refused;
	int err;

	if (a->type == CORE_DO_EXIT) {
		leave(w, node);
		return;
	}
	if (a->type == CORE_DO_ANNOUNCE || a->type == CORE_DO_DEFEND) {
		check_announced(w, node, a->group);
		return;
	}
	refused = n->refuse && a->type != CORE_DO_STORE && chance(&w->state, n->refuse);
	if (a->type == CORE_DO_PROBE && !refused) {
		service_ask(w, node, a);
		return;
	}
	if (refused)
		err = a->type == CORE_DO_PREPARE ? -KERNEL_ENOMEM : -KERNEL_EBUSY;
	else
		err = carry_out(w, n, a);
	done = world_push(w, w->now + between(&w->state, 20, 300), SIM_DONE, node);
	done->action = *a;
	done->err = err;
}
