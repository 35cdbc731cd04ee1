/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "agent/cleanup.h"
#include "agent/clock.h"
#include "agent/kernel/adopt.h"
#include "agent/kernel/gatekeeper.h"
#include "agent/kernel/subs.h"
#include "agent/kernel/vips.h"

/* When the kernel says that the lease has this long to live, it may be a little longer. */
enum { LEASE_LATE_MS = 20 };

/* What is long enough for an agent that lives to renew its lease; its heartbeats are faster. */
enum { LEASE_PROOF_MS = 1000 };

struct adopter {
	const struct conf *conf;
	uint8_t self;
	struct nl *route;
	struct gatekeeper *keeper;
	struct adoption *found;
};

static void adopter_done(struct adopter *a)
{
	nl_close(a->route);
}

static struct subs subs_of(const struct adopter *a, uint8_t group)
{
	return (struct subs){ .group = &a->conf->groups[group], .node = &a->conf->nodes[a->self] };
}

static int list_missing(struct adopter *a, uint8_t group, struct vips *ret)
{
	return vips_missing(a->route, &a->conf->groups[group], a->conf->address_lifetime_s, ret);
}

static int add_all(struct adopter *a, struct vips *vips)
{
	int r = vips->n > 0;

	while (r > 0)
		r = vips_add_slice(a->route, vips);
	return r;
}

/*
 * A stranger has taken some meanwhile; or this is another configuration, and the group has more
 * addresses, or the same in another form: added before anything of the old form is removed, and
 * not before there is a gate that knows them.
 */
static bool completes(struct adopter *a, uint8_t group)
{
	_cleanup_(vips_done) struct vips missing = { 0 }, still = { 0 }, again = { 0 };

	if (list_missing(a, group, &missing) < 0)
		return false;
	if (!missing.n)
		return !missing.absent;
	if (add_all(a, &missing) < 0 || list_missing(a, group, &still) < 0)
		return false;
	if (still.n && (vips_make_way(a->route, &still) < 0 || add_all(a, &still) < 0))
		return false;
	if (list_missing(a, group, &again) < 0 || again.n || again.absent)
		return false;
	a->found->grown[group] = true;
	return true;
}

/*
 * The kernel lets its addresses answer, and can have all of them. Otherwise it is not as it
 * should be, and cleared away below.
 */
static bool stands(struct adopter *a, uint8_t group)
{
	_cleanup_(vips_done) struct vips missing = { 0 };
	_cleanup_(freep) struct link *links = NULL;
	const struct subs subs = subs_of(a, group);
	size_t n_links;

	if (a->keeper->ordered.levels[group + 1] != GATE_ANSWER)
		return false;
	if (link_list(a->route, &links, &n_links) < 0 || !subs_stand(&subs, links, n_links))
		return false;
	return list_missing(a, group, &missing) == 0 && !missing.absent;
}

static bool adopts_any(const struct adopter *a)
{
	bool any = false;

	for (uint8_t g = 0; g < a->conf->n_groups; g++)
		any |= a->found->adopted[g];
	return any;
}

static const char *name_of(const struct link *links, size_t n, int ifindex)
{
	for (size_t i = 0; i < n; i++)
		if (links[i].index == ifindex)
			return links[i].name;
	return "";
}

/* In this very form: another configuration may have had another. */
static bool is_adopted(const struct adopter *a, const struct addr *addr, const char *ifname)
{
	for (uint8_t g = 0; g < a->conf->n_groups; g++) {
		const struct conf_vip *vip = conf_find_vip(&a->conf->groups[g], &addr->ip);

		if (vip && a->found->adopted[g])
			return vip->prefix == addr->prefix && !strcmp(vip->ifname, ifname);
	}
	return false;
}

/* With its interface goes what was kept ready on it: one by one thousands would take seconds. */
static void clear_staged(struct adopter *a)
{
	for (uint8_t g = 0; g < a->conf->n_groups; g++) {
		const struct subs subs = subs_of(a, g);

		if (!a->found->adopted[g] && a->conf->groups[g].staged)
			(void)subs_delete(a->route, &subs); /* it is looked at again below */
	}
}

/* Our tag says that an address was put there by us, under whatever configuration. */
static int remove_rest(struct adopter *a)
{
	_cleanup_(freep) struct addr *found = NULL;
	_cleanup_(freep) struct link *links = NULL;
	size_t n, n_links, ours = 0;
	int r;

	r = addr_list(a->route, &found, &n);
	if (r == 0)
		r = link_list(a->route, &links, &n_links);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct addr addr = found[i];

		if (addr.tag != ADDR_TAG ||
		    is_adopted(a, &addr, name_of(links, n_links, addr.ifindex)))
			continue;
		found[i] = found[ours];
		found[ours++] = addr;
	}
	return vips_take_off(a->route, found, ours, found + ours, n - ours);
}

/*
 * The interfaces of what is not adopted go down, and those that are missing are
 * made now, so that a claim need not. What fails here fails for a claim as well,
 * which tells of it.
 */
static int settle_links(struct adopter *a)
{
	const struct conf_vip *refused;
	int r;

	r = subs_tidy(a->route, a->conf);
	for (uint8_t g = 0; r == 0 && g < a->conf->n_groups; g++) {
		const struct subs subs = subs_of(a, g);

		if (a->found->adopted[g])
			continue;
		if (!a->conf->groups[g].staged) /* it goes up when its addresses are on it */
			(void)subs_sink(a->route, &subs, &refused);
		(void)subs_make(a->route, &subs, &refused);
	}
	return r;
}

/* Laid anew, for this configuration: what is adopted stays open all the time. */
static int change_gate(struct adopter *a)
{
	struct gate_state *gate = &a->keeper->ordered;

	for (uint8_t g = 0; g < a->conf->n_groups; g++)
		if (!a->found->adopted[g])
			gate->levels[g + 1] = GATE_CLOSED;
	gate->installed = true;
	gate->other = false;
	return gate_install(a->keeper->nf, &a->keeper->config, gate);
}

/*
 * Nothing may answer that is not adopted. A table that stands is kept only if
 * there is something to adopt behind it, and replaced only while its lease, of
 * which nothing may be added to, lives. The moat has ended with the process that
 * laid it.
 */
static int settle_gate(struct adopter *a)
{
	struct gate_state *gate = &a->keeper->ordered;
	int r;

	if (gate->other && adopts_any(a)) {
		gate->lease_ms = gatekeeper_ms_until(a->found->lease_until);
		if (!gate->lease_ms)
			memset(a->found->adopted, 0, sizeof(a->found->adopted));
	}
	if (!adopts_any(a)) {
		*gate = (struct gate_state){ .installed = true };
		return gate_install(a->keeper->nf, &a->keeper->config, NULL);
	}
	if (gate->other)
		return change_gate(a);
	r = gate_guard(a->keeper->nf, &a->keeper->config, gate);
	if (r < 0)
		return r;
	for (uint8_t g = 0; g < a->conf->n_groups; g++) {
		if (a->found->adopted[g] || gate->levels[g + 1] == GATE_CLOSED)
			continue;
		gate->levels[g + 1] = GATE_CLOSED;
		r = gate_set(a->keeper->nf, &a->keeper->config, g + 1u, GATE_CLOSED);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What cannot be made whole is not adopted either. Return: 0; errors of the kernel. */
static int complete(struct adopter *a)
{
	bool all = true;

	for (uint8_t g = 0; g < a->conf->n_groups; g++)
		if (a->found->adopted[g] && !completes(a, g))
			all = a->found->adopted[g] = false;
	return all ? 0 : settle_gate(a);
}

/* Which groups are to be adopted, and until when? Return: 0; errors of the kernel. */
static int find(struct adopter *a)
{
	struct gatekeeper *keeper = a->keeper;
	instant measured = clock_now();
	uint32_t left_ms = 0;
	int r;

	if (!keeper->ordered.installed && !keeper->ordered.other)
		return 0;
	r = gate_lease_left(keeper->nf, &left_ms);
	if (r < 0 && r != -ENOENT) /* flushed just now: nothing is left */
		return r;
	for (uint8_t g = 0; left_ms && g < a->conf->n_groups; g++)
		a->found->adopted[g] = stands(a, g);
	if (adopts_any(a) && left_ms > keeper->config.lease_ms) {
		/* It was lengthened for the restart, which is over. */
		r = gate_extend(keeper->nf, keeper->config.lease_ms);
		if (r == -ENOENT) /* it ended just now */
			memset(a->found->adopted, 0, sizeof(a->found->adopted));
		else if (r < 0)
			return r;
		left_ms = keeper->config.lease_ms;
	}
	a->found->lease_until = instant_add(measured, left_ms * USEC_PER_MSEC);
	return 0;
}

/**
 * adopt() - Keep what still answers, clear away what does not (R6)
 *
 * Addresses with our tag behind an open gate whose lease lives go on serving as
 * if nothing had happened, also under another configuration: groups are known by
 * their names. Blocks; called once, before the loop.
 *
 * @self: number of our node
 * @keeper: of the gate; knows afterwards how it stands
 *
 * Return: 0; errors of the kernel.
 */
int adopt(const struct conf *conf, uint8_t self, struct gatekeeper *keeper, struct adoption *ret)
{
	_cleanup_(adopter_done) struct adopter a = { .conf = conf, .self = self, .keeper = keeper };
	struct adoption found = { 0 };
	int r;

	a.found = &found;
	r = nl_open(NETLINK_ROUTE, &a.route);
	if (r < 0)
		return r;
	r = gate_read(keeper->nf, &keeper->config, &keeper->ordered);
	if (r < 0)
		return r;
	r = find(&a);
	if (r < 0)
		return r;
	r = settle_gate(&a);
	if (r < 0)
		return r;
	r = complete(&a);
	if (r < 0)
		return r;
	clear_staged(&a);
	r = remove_rest(&a);
	if (r < 0)
		return r;
	r = settle_links(&a);
	if (r < 0)
		return r;
	*ret = found;
	return 0;
}

/* 0: there is none. */
static int lease_left(struct nl *nf, uint32_t *ret_ms)
{
	int r = gate_lease_left(nf, ret_ms);

	if (r != -ENOENT)
		return r;
	*ret_ms = 0; /* no gate either */
	return 0;
}

/*
 * A lease of ours has a time-out. Somebody has added this one by hand, and it would neither end nor
 * be renewed: so it gets one, which tells whether an agent lives. 0: there is none any more.
 */
static int end_lease(struct nl *nf, uint32_t *ret_ms)
{
	int r = gate_extend(nf, LEASE_PROOF_MS);

	if (r < 0 && r != -ENOENT)
		return r;
	*ret_ms = r < 0 ? 0 : LEASE_PROOF_MS; /* nobody has kept the other family's alive */
	return 0;
}

/*
 * What a lease still lets answer goes on until then: the peer waits for that as well.
 *
 * Return: 0; -EBUSY if somebody has renewed it; errors of the kernel.
 */
static int await_lease_end(struct nl *nf)
{
	struct timespec ts;
	uint32_t left_ms;
	int r;

	r = lease_left(nf, &left_ms);
	if (r == 0 && left_ms == UINT32_MAX)
		r = end_lease(nf, &left_ms);
	if (r < 0 || left_ms == 0)
		return r;
	left_ms += LEASE_LATE_MS;
	ts = (struct timespec){ .tv_sec = left_ms / 1000,
				.tv_nsec = (long)(left_ms % 1000) * 1000 * 1000 };
	(void)nanosleep(&ts, NULL); /* whatever interrupts it ends us */
	r = lease_left(nf, &left_ms);
	if (r < 0)
		return r;
	return left_ms ? -EBUSY : 0;
}

/**
 * adopt_nothing() - Clear away all that an agent has left, whatever its configuration was
 *
 * Addresses with our tag and interfaces that we have made; the gate stays, and is
 * closed. Waits until the lease is over, of which nothing is taken away.
 *
 * Return: 0; -EBUSY if the lease is renewed: an agent runs; -ENOMEM; errors of the kernel.
 */
int adopt_nothing(void)
{
	_cleanup_(conf_freep) struct conf *none = calloc(1, sizeof(*none));
	_cleanup_(gatekeeper_done) struct gatekeeper keeper = { 0 };
	_cleanup_(adopter_done) struct adopter a = { .conf = none, .keeper = &keeper };
	struct adoption found = { 0 };
	int r, rest;

	if (!none)
		return -ENOMEM;
	a.found = &found;
	r = nl_open(NETLINK_ROUTE, &a.route);
	if (r < 0)
		return r;
	r = gatekeeper_init(&keeper, none);
	if (r < 0)
		return r;
	r = await_lease_end(keeper.nf);
	if (r < 0)
		return r;
	r = gate_shut(keeper.nf, &keeper.config);
	if (r < 0 && r != -ENOENT)
		return r;
	r = subs_tidy(a.route, none); /* what is on them goes with them, at once */
	rest = remove_rest(&a);
	return rest < 0 ? rest : r;
}
