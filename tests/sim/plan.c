/* SPDX-License-Identifier: MIT */

/* What is configured and what goes wrong, made of a seed. */

#include <inttypes.h>

#include "tests/sim/sim.h"

static const char *const words[_SIM_WHAT_MAX] = {
	[SIM_FREEZE] = "freeze",   [SIM_PAUSE] = "pause",	[SIM_CRASH] = "crash",
	[SIM_CUT] = "cut",	   [SIM_SPLIT] = "split",	[SIM_LOSS] = "loss",
	[SIM_DELAY] = "delay",	   [SIM_SWITCH] = "switch",	[SIM_MAINT] = "maintenance",
	[SIM_STOP] = "stop",	   [SIM_LINK] = "link",		[SIM_CHECK] = "check",
	[SIM_STEAL] = "steal",	   [SIM_FLUSH] = "flush",	[SIM_SLOW] = "slow",
	[SIM_REFUSE] = "refuse",   [SIM_DEAFREF] = "deaf",	[SIM_DRIP] = "drip",
	[SIM_TWICE] = "twice",	   [SIM_VERSION] = "version",	[SIM_MUTE] = "mute",
	[SIM_SERVICE] = "service", [SIM_STRANGER] = "stranger", [SIM_UNITS] = "units",
	[SIM_INHIBIT] = "inhibit",
};

/* Interval, lease and dead time that R8 allows, from the fastest that we promise on. */
static const struct {
	uint32_t interval, lease, dead;
} rhythms[] = {
	{ MS(50), MS(350), MS(500) },	{ MS(50), MS(250), MS(400) }, { MS(10), MS(60), MS(100) },
	{ MS(100), MS(700), MS(1000) }, { MS(20), MS(60), MS(110) },
};

/**
 * plan_config() - The configuration of one node, with what is its own
 */
void plan_config(const struct sim_history *h, uint8_t node, struct core_config *ret)
{
	uint8_t differs = h->differs[node];

	*ret = h->config;
	ret->self = node;
	ret->digest = differs ? 2u + node : 1;
	if (differs & SIM_DIFFERS_GROUP && h->n_groups > 1)
		ret->n_groups--;
	if (differs & SIM_DIFFERS_RHYTHM) {
		ret->interval_us = rhythms[h->other_rhythm].interval;
		ret->lease_us = rhythms[h->other_rhythm].lease;
		ret->dead_us = rhythms[h->other_rhythm].dead;
	}
	for (unsigned i = 0; i < h->n_nodes && differs & SIM_DIFFERS_PRIORITY; i++)
		ret->priority[i] = (uint16_t)(201 - ret->priority[i]);
	for (unsigned g = 0; g < h->n_groups; g++) {
		struct core_group_config *c = &ret->groups[g];

		c->strict ^= (differs & SIM_DIFFERS_HANDOVER) != 0;
		c->preempt ^= (differs & SIM_DIFFERS_PREEMPT) != 0;
		c->keep_alone ^= (differs & SIM_DIFFERS_ALONE) != 0;
	}
}

static void configure(uint64_t *dice, struct sim_history *h)
{
	size_t rhythm = chance(dice, 50) ? 0 : between(dice, 0, ARRAY_SIZE(rhythms) - 1);
	struct core_config *c = &h->config;

	*c = (struct core_config){
		.n_nodes = h->n_nodes,
		.n_groups = h->n_groups,
		.n_announce = 2,
		.interval_us = rhythms[rhythm].interval,
		.lease_us = rhythms[rhythm].lease,
		.dead_us = rhythms[rhythm].dead,
		.start_wait_us = SEC(5),
		.restart_hold_us = SEC(3),
		.step_us = SEC(2),
		.refresh_us = SEC(1),
		.announce_us = { MS(10), MS(100) },
	};
	for (unsigned i = 0; i < h->n_nodes; i++)
		c->priority[i] = chance(dice, 70) ? 100 : (uint16_t)between(dice, 1, 200);
	for (unsigned g = 0; g < h->n_groups; g++)
		c->groups[g] = (struct core_group_config){
			.strict = chance(dice, 35),
			.hot = chance(dice, 30),
			.preempt = chance(dice, 15),
			.keep_alone = chance(dice, 85),
			.last_resort_us = SEC(3),
			.linger_us = chance(dice, 80) ? MS(20) : (uint32_t)between(dice, 0, MS(60)),
		};
}

/* Mostly short, sometimes as long as anything that is waited for. */
static uint64_t some_time(uint64_t *dice, const struct core_config *c)
{
	if (chance(dice, 30))
		return between(dice, 1, 3 * (uint64_t)c->interval_us);
	if (chance(dice, 50))
		return between(dice, 1, 2 * (uint64_t)c->dead_us);
	return between(dice, 1, SEC(4));
}

static struct sim_fault some_fault(uint64_t *dice, const struct sim_history *h, uint8_t what)
{
	struct sim_fault f = {
		.what = what,
		.at = SIM_FAULTS_FROM + between(dice, 0, SEC(8)),
		.lasts = some_time(dice, &h->config),
		.node = (uint8_t)between(dice, 0, h->n_nodes - 1u),
		.group = (uint8_t)between(dice, 0, h->n_groups - 1u),
	};

	f.peer = (uint8_t)((f.node + between(dice, 1, h->n_nodes - 1u)) % h->n_nodes);
	switch ((enum sim_what)what) {
	case SIM_CRASH:
		f.arg = (uint32_t)between(dice, 0, SIM_CRASH_DISK);
		f.lasts += MS(10);
		if (chance(dice, 10))
			f.lasts = SIM_FOREVER;
		break;
	case SIM_CUT:
		f.arg = chance(dice, 50) ? SIM_PATHS_MAX
					 : (uint32_t)between(dice, 0, h->n_paths - 1u);
		break;
	case SIM_LOSS:
		f.arg = (uint32_t)between(dice, 5, 300);
		break;
	case SIM_DELAY:
		f.arg = (uint32_t)between(dice, MS(1), MS(120));
		break;
	case SIM_SWITCH:
		f.arg = chance(dice, 40);
		f.lasts = 0;
		break;
	case SIM_STOP: /* sometimes away for longer than the peer was told to wait (R11) */
		f.arg = chance(dice, 40);
		f.lasts = between(dice, MS(10), chance(dice, 40) ? SEC(5) : MS(300));
		break;
	case SIM_DRIP:
	case SIM_TWICE:
		f.arg = (uint32_t)between(dice, 50, 1000);
		break;
	case SIM_STEAL:
	case SIM_FLUSH:
		f.lasts = 0;
		break;
	case SIM_LINK:
	case SIM_CHECK:
		if (chance(dice, 15))
			f.lasts = SIM_FOREVER;
		break;
	case SIM_SLOW:
		f.arg = (uint32_t)between(dice, MS(1), SEC(1));
		break;
	case SIM_REFUSE:
		f.arg = (uint32_t)between(dice, 1, 60);
		break;
	case SIM_DEAFREF:
		f.arg = chance(dice, 30);
		break;
	case SIM_MUTE:
		f.arg = chance(dice, 40);
		if (chance(dice, 40))
			f.lasts = SIM_FOREVER;
		else
			f.lasts *= 4;
		break;
	case SIM_SERVICE:
		f.arg = chance(dice, 60);
		f.lasts *= 4;
		break;
	case SIM_STRANGER:
	case SIM_UNITS:
	case SIM_INHIBIT:
	case SIM_FREEZE:
	case SIM_PAUSE:
	case SIM_SPLIT:
	case SIM_MAINT:
	case SIM_VERSION:
	case _SIM_WHAT_MAX:
		break;
	}
	return f;
}

static void sort(struct sim_history *h)
{
	for (size_t i = 1; i < h->n_faults; i++)
		for (size_t k = i; k && h->faults[k].at < h->faults[k - 1].at; k--) {
			struct sim_fault later = h->faults[k - 1];

			h->faults[k - 1] = h->faults[k];
			h->faults[k] = later;
		}
}

/* Those that the promises are about come more often than those that excuse. */
static uint8_t some_kind(uint64_t *dice)
{
	static const uint8_t often[] = { SIM_FREEZE, SIM_CRASH, SIM_CUT, SIM_STOP, SIM_SWITCH };

	if (chance(dice, 60))
		return often[between(dice, 0, ARRAY_SIZE(often) - 1)];
	return (uint8_t)between(dice, 0, SIM_MUTE - 1);
}

/* Misfortunes seldom come alone: mostly while the last one is being dealt with. */
static void some_faults(uint64_t *dice, struct sim_history *h, const uint8_t *kinds, size_t n_kinds)
{
	uint64_t at = 0;

	for (size_t i = 0; i < h->n_faults; i++) {
		struct sim_fault *f = &h->faults[i];

		*f = some_fault(dice, h, kinds[between(dice, 0, n_kinds - 1)]);
		if (at && chance(dice, 60))
			f->at = at + between(dice, 0, 2 * (uint64_t)h->config.dead_us);
		at = f->at;
	}
}

/* Only silence and what an operator does: then the books can be kept to the letter. */
static void keep_gentle(struct sim_history *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->n_faults; i++)
		if (h->faults[i].what == SIM_SWITCH)
			h->faults[kept++] = h->faults[i];
	h->n_faults = kept;
}

/* In some histories the service is watched, with dice of their own: the others stay as they are. */
static void deal_silence(struct sim_history *h)
{
	uint64_t dice = ~h->seed;
	size_t n = between(&dice, 1, 4);

	if (!chance(&dice, 25))
		return;
	for (unsigned g = 0; g < h->n_groups; g++)
		h->config.groups[g].traffic_us = (uint32_t)between(&dice, SEC(1), SEC(3));
	h->probes = chance(&dice, 30);
	if (chance(&dice, 40))
		keep_gentle(h);
	while (n-- && h->n_faults < SIM_FAULTS_MAX)
		h->faults[h->n_faults++] = some_fault(&dice, h, SIM_MUTE);
}

/*
 * In most histories claims ask first, with dice of their own as well; in some the
 * service network is cut, mostly as something else is, or a stranger answers.
 */
static void deal_probes(struct sim_history *h)
{
	static const uint32_t times[] = { MS(200), MS(200), MS(20), MS(50), SEC(1) };
	uint64_t dice = h->seed ^ UINT64_C(0x5bd1e9955bd1e995);
	size_t n = chance(&dice, 30) ? between(&dice, 1, 3) : 0;

	if (chance(&dice, 30))
		return;
	h->config.probe_us = times[between(&dice, 0, ARRAY_SIZE(times) - 1)];
	if (h->config.groups[0].traffic_us)
		return; /* with books of its own */
	while (n-- && h->n_faults < SIM_FAULTS_MAX) {
		uint8_t what = chance(&dice, 75) ? SIM_SERVICE : SIM_STRANGER;
		struct sim_fault f = some_fault(&dice, h, what);

		if (h->n_faults && chance(&dice, 50))
			f.at = h->faults[0].at + between(&dice, 0, MS(20)) - MS(10);
		h->faults[h->n_faults++] = f;
	}
}

/* At the moment that hurts: inside a move, or as the others claim. */
static void aim(uint64_t *dice, struct sim_history *h)
{
	const struct core_config *c = &h->config;
	struct sim_fault *moves = &h->faults[0];

	*moves = some_fault(dice, h, SIM_SWITCH);
	for (size_t i = 1; i < h->n_faults; i++) {
		struct sim_fault *f = &h->faults[i];

		if (chance(dice, 50))
			f->at = moves->at + between(dice, 0, MS(30));
		else if (chance(dice, 50))
			f->at = moves->at + c->dead_us - c->interval_us +
				between(dice, 0, 2 * (uint64_t)c->interval_us);
		else if (f->lasts && chance(dice, 50)) /* it began before */
			f->at = moves->at - between(dice, 0, c->dead_us);
	}
}

/*
 * What takeover(7) promises without any exception: one freeze or crash at any
 * instant, of any length, with its end, and any loss in one direction.
 */
static void promise(uint64_t *dice, struct sim_history *h)
{
	const struct core_config *c = &h->config;
	struct sim_fault *worst = &h->faults[0];
	uint64_t about = 2 * (uint64_t)c->dead_us;

	h->promised = true;
	h->n_faults = between(dice, 2, 7);
	*worst = some_fault(dice, h, chance(dice, 60) ? SIM_FREEZE : SIM_CRASH);
	if (worst->what == SIM_FREEZE && chance(dice, 70)) /* the lease may survive it */
		worst->lasts = between(dice, c->interval_us,
				       chance(dice, 50) ? 2 * c->interval_us
							: c->lease_us + c->interval_us);
	for (size_t i = 1; i < h->n_faults; i++) {
		struct sim_fault *f = &h->faults[i];

		*f = some_fault(dice, h,
				chance(dice, 25) ? SIM_SWITCH
				: i % 2		 ? SIM_CUT
						 : SIM_DRIP);
		if (f->what == SIM_SWITCH) {
			f->at = worst->at + MS(3) - between(dice, 0, MS(30));
			continue;
		}
		f->node = h->faults[1].node;
		f->peer = h->faults[1].peer;
		if (f->what == SIM_CUT && chance(dice, 70))
			f->arg = SIM_PATHS_MAX;
		f->at = worst->at - between(dice, 0, c->dead_us);
		f->lasts = between(dice, 1, 2 * about);
		if (chance(dice, 30)) /* or afterwards */
			f->at = worst->at + between(dice, 0, about);
		if (chance(dice, 50))
			worst->node = f->node;
	}
}

static void differ(uint64_t *dice, struct sim_history *h)
{
	h->other_rhythm = (uint8_t)between(dice, 0, ARRAY_SIZE(rhythms) - 1);
	for (unsigned i = 0; i < h->n_nodes; i++) {
		if (chance(dice, 50))
			h->differs[i] =
				(uint8_t)(1u << between(dice, 0, 5) | 1u << between(dice, 0, 5));
		if (chance(dice, 30))
			h->differs[i] |= SIM_DIFFERS_RHYTHM;
	}
}

/* Mostly none; sometimes worse than any quartz. */
static int16_t some_drift(uint64_t *dice)
{
	int most = chance(dice, 30) ? 5000 : 500;

	return (int16_t)(chance(dice, 60) ? 0 : (int)between(dice, 0, 2 * (uint64_t)most) - most);
}

/*
 * A few kinds of faults for each history, and more of them the fewer the kinds:
 * who has everything at once has little of each.
 */
void plan_make(uint64_t seed, struct sim_history *ret)
{
	struct sim_history *h = ret;
	uint64_t dice = seed;
	uint8_t kinds[5];
	size_t n_kinds;

	*h = (struct sim_history){ .seed = seed };
	h->n_nodes = chance(&dice, 70) ? 2 : (uint8_t)between(&dice, 3, SIM_NODES_MAX);
	h->n_groups = chance(&dice, 60) ? 1 : SIM_GROUPS_MAX;
	h->n_paths = chance(&dice, 70) ? 1 : SIM_PATHS_MAX;
	h->lockstep = chance(&dice, 15);
	h->references = chance(&dice, 30);
	configure(&dice, h);
	for (unsigned i = 0; i < h->n_nodes; i++)
		h->drift_ppm[i] = some_drift(&dice);
	if (chance(&dice, 15))
		differ(&dice, h);
	if (chance(&dice, 20)) {
		promise(&dice, h);
	} else {
		n_kinds = between(&dice, 1, ARRAY_SIZE(kinds));
		for (size_t i = 0; i < n_kinds; i++)
			kinds[i] = some_kind(&dice);
		h->n_faults = chance(&dice, 3)
				      ? 0
				      : between(&dice, 1, chance(&dice, 60) ? 8 : SIM_FAULTS_MAX);
		some_faults(&dice, h, kinds, n_kinds);
		if (h->n_faults && chance(&dice, 25))
			aim(&dice, h);
	}
	deal_silence(h);
	deal_probes(h);
	units_deal(h);
	sort(h);
	plan_bounds(h);
}

void fault_print(const struct sim_fault *f, FILE *to)
{
	fprintf(to, "%s node %u peer %u group %u arg %" PRIu32, words[f->what], f->node, f->peer,
		f->group, f->arg);
	if (f->lasts == SIM_FOREVER)
		fprintf(to, " for ever\n");
	else
		fprintf(to, " for %.6f s\n", (double)f->lasts / 1e6);
}

void plan_print(const struct sim_history *h, FILE *to)
{
	const struct core_config *c = &h->config;

	fprintf(to,
		"history %" PRIu64 ": %s%u nodes, %u paths%s%s, interval %" PRIu32
		", lease %" PRIu32 ", dead time %" PRIu32 ", probe %" PRIu32 " us\n",
		h->seed, h->promised ? "promised, " : "", h->n_nodes, h->n_paths,
		h->lockstep ? ", in lockstep" : "", h->references ? ", with references" : "",
		c->interval_us, c->lease_us, c->dead_us, c->probe_us);
	for (unsigned g = 0; g < h->n_groups; g++)
		fprintf(to,
			"  group %u:%s%s%s%s linger %" PRIu32 " us, traffic %" PRIu32
			" us%s, units %u and %u\n",
			g, c->groups[g].strict ? " strict" : " seamless",
			c->groups[g].hot ? " hot" : "", c->groups[g].preempt ? " preempt" : "",
			c->groups[g].keep_alone ? "" : " release", c->groups[g].linger_us,
			c->groups[g].traffic_us, h->probes ? " with probes" : "",
			c->groups[g].before_release, c->groups[g].before_claim);
	for (unsigned i = 0; i < h->n_nodes; i++)
		fprintf(to, "  node %u: priority %u, drift %d ppm, differs %x\n", i, c->priority[i],
			h->drift_ppm[i], h->differs[i]);
	for (size_t i = 0; i < h->n_faults; i++) {
		fprintf(to, "  %10.6f ", (double)h->faults[i].at / 1e6);
		fault_print(&h->faults[i], to);
	}
}
