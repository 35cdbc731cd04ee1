/* SPDX-License-Identifier: MIT */

/* The verb: how often it looks, what it says to people, how it ends. The kernel is made up. */

#include <arpa/inet.h>

#include "netlink/witness.h"
#include "tests/ctl_rig.h"

enum { ADDRS_MAX = 64 };

#define LOOK "look\n" /* on stderr, for each look at the kernel */

static struct witness_addr *add_addr(struct witness *w, const char *text, uint8_t tag)
{
	struct witness_addr *a = &w->addrs[w->n_addrs++];
	const int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	assert(w->n_addrs <= ADDRS_MAX);
	a->ip.family = family == AF_INET ? 4 : 6;
	assert(inet_pton(family, text, a->ip.bytes) == 1);
	a->prefix = a->ip.family == 4 ? 24 : 64;
	a->ifindex = 2;
	a->tag = tag;
	a->valid_s = tag ? 60 : WITNESS_FOR_EVER;
	a->nodad = tag;
	w->routes[w->n_routes++] = (struct witness_route){ .ip = a->ip, .ifindex = 2 };
	return a;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ip));
}

/* The kernel of alpha of bus_rig.h, which is primary, without those that are of no group. */
static void make(struct witness *ret)
{
	fputs(LOOK, stderr);
	*ret = (struct witness){ .addrs = calloc(ADDRS_MAX, sizeof(*ret->addrs)),
				 .routes = calloc(ADDRS_MAX, sizeof(*ret->routes)),
				 .links = calloc(1, sizeof(*ret->links)),
				 .n_links = 1,
				 .gate.v = calloc(4, sizeof(*ret->gate.v)) };
	ret->links[0] = (struct witness_link){ .index = 2, .up = true, .running = true };
	(void)strcpy(ret->links[0].name, "eth0");
	(void)add_addr(ret, "10.10.11.101", 0);
	(void)add_addr(ret, "10.20.0.101", 0);
	(void)add_addr(ret, "10.10.11.103", WITNESS_TAG);
	(void)add_addr(ret, "2001:db8:11::103", WITNESS_TAG);
	for (size_t i = 0; i < 4; i++)
		ret->gate.v[i] = (struct witness_gate_vip){
			.ip = ret->addrs[2 + i / 2].ip,
			.kind = i % 2 ? WITNESS_GATE_ANSWERS : WITNESS_GATE_TRAFFIC,
			.open = true,
		};
	ret->gate.n = 4;
}

static int hand_out(struct witness *w)
{
	qsort(w->addrs, w->n_addrs, sizeof(*w->addrs), compare);
	qsort(w->routes, w->n_routes, sizeof(*w->routes), compare);
	return 0;
}

static int healthy(struct witness *ret)
{
	make(ret);
	return hand_out(ret);
}

static int untagged(struct witness *ret)
{
	make(ret);
	ret->addrs[2].tag = 0;
	return hand_out(ret);
}

static int unread_gate(struct witness *ret)
{
	make(ret);
	ret->gate.err = -EPERM;
	return hand_out(ret);
}

/* Each process has its own count. */
static int untagged_at_first(struct witness *ret)
{
	static int looks;

	return looks++ < 2 ? untagged(ret) : healthy(ret);
}

static int many_orphans(struct witness *ret)
{
	char text[32];

	make(ret);
	for (int i = 1; i <= 20; i++) {
		(void)snprintf(text, sizeof(text), "10.99.0.%d", i);
		(void)add_addr(ret, text, WITNESS_TAG);
	}
	return hand_out(ret);
}

static int unreadable(struct witness *ret)
{
	(void)ret;
	return -ENOBUFS;
}

static void verify(struct rig *rig, int (*look)(struct witness *ret), struct outcome *ret)
{
	rig->look = look;
	RUN(rig, ret, "verify");
}

static int looks_of(const struct outcome *outcome)
{
	int n = 0;

	for (const char *at = outcome->text; (at = strstr(at, LOOK)); at += strlen(LOOK))
		n++;
	return n;
}

Test(takeoverctl_verify, nothing_differs, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	verify(&rig, healthy, &outcome);
	cr_expect_eq(outcome.code, CTL_OK);
	cr_expect_str_eq(outcome.text, "  sip: this node is primary, 2 addresses\n"
				       "  the kernel has what takeoverd says\n|" LOOK);
	rig_done(&rig);
}

Test(takeoverctl_verify, difference_is_what_was_seen_three_times, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	verify(&rig, untagged, &outcome);
	cr_expect_eq(outcome.code, CTL_FAILED);
	cr_expect(strstr(outcome.text, "\n! sip: 10.10.11.103 on eth0 does not bear"), "%s",
		  outcome.text);
	cr_expect(strstr(outcome.text,
			 "\n! 1 difference between the kernel and what takeoverd says\n|"),
		  "%s", outcome.text);
	cr_expect_eq(looks_of(&outcome), 3);
	verify(&rig, untagged_at_first, &outcome);
	cr_expect_eq(outcome.code, CTL_OK, "%s", outcome.text);
	cr_expect_eq(looks_of(&outcome), 3);
	rig_done(&rig);
}

Test(takeoverctl_verify, what_was_not_checked_is_said, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	verify(&rig, unread_gate, &outcome);
	cr_expect_eq(outcome.code, CTL_OK);
	cr_expect(strstr(outcome.text, "\n  sip: gate not checked: Operation not permitted; "
				       "it needs root (CAP_NET_ADMIN).\n"
				       "  the kernel has what takeoverd says, as far as it was "
				       "checked\n|"),
		  "%s", outcome.text);
	rig_done(&rig);
}

Test(takeoverctl_verify, many_of_a_kind_are_counted, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	verify(&rig, many_orphans, &outcome);
	cr_expect_eq(outcome.code, CTL_FAILED);
	cr_expect(strstr(outcome.text, "! alpha: 10.99.0.1/24 on eth0 bears"), "%s", outcome.text);
	cr_expect(strstr(outcome.text, "\n  and 12 more of this kind (address-orphan)\n"), "%s",
		  outcome.text);
	cr_expect(strstr(outcome.text, "\n! 20 differences "), "%s", outcome.text);
	rig_done(&rig);
}

Test(takeoverctl_verify, kernel_that_cannot_be_read_is_a_failure, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	verify(&rig, unreadable, &outcome);
	cr_expect_eq(outcome.code, CTL_FAILED);
	cr_expect(strstr(outcome.text, "|takeoverctl: the kernel cannot be read: No buffer space"),
		  "%s", outcome.text);
	rig_done(&rig);
}

Test(takeoverctl_verify, group_is_one_of_those_there_are, .timeout = 10)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	rig.look = healthy;
	RUN(&rig, &outcome, "verify", "sip");
	cr_expect_eq(outcome.code, CTL_OK, "%s", outcome.text);
	RUN(&rig, &outcome, "verify", "spi");
	cr_expect_eq(outcome.code, CTL_FAILED);
	cr_expect_str_eq(outcome.text, "|takeoverctl: there is no group \"spi\" here; did you "
				       "mean 'sip'?\n");
	RUN(&rig, &outcome, "verify", "s p");
	cr_expect_eq(outcome.code, CTL_USAGE);
	rig_done(&rig);
}

/* How often the agent has been asked, and until when the group is not where it was. */
static int asked, moves_until;

static void get_moving_group(void *ctx, size_t group, struct api_group *ret)
{
	fake_get_group(ctx, group, ret);
	if (asked++ < moves_until)
		ret->term += (uint64_t)asked;
}

Test(takeoverctl_verify, group_that_moves_is_looked_at_when_it_stands, .timeout = 20)
{
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	rig.ops.get_group = get_moving_group;
	rig_open_bus(&rig);
	rig_start(&rig);
	asked = 0;
	moves_until = 3; /* once before and once after each look */
	verify(&rig, healthy, &outcome);
	cr_expect_eq(outcome.code, CTL_OK, "%s", outcome.text);
	cr_expect_eq(looks_of(&outcome), 3);

	moves_until = INT32_MAX;
	verify(&rig, healthy, &outcome);
	cr_expect_eq(outcome.code, CTL_FAILED);
	cr_expect(strstr(outcome.text, "the groups do not stand still"), "%s", outcome.text);
	rig_done(&rig);
}

Test(takeoverctl_verify, group_between_states_is_waited_for, .timeout = 20)
{
	struct outcome outcome;
	struct rig rig;

	start_bus(&rig);
	rig.agent.groups[0].state = "yielding";
	verify(&rig, healthy, &outcome);
	cr_expect_eq(outcome.code, CTL_OK);
	cr_expect_gt(looks_of(&outcome), 3);
	cr_expect(strstr(outcome.text, "not checked: the group is yielding"), "%s", outcome.text);
	rig_done(&rig);
}
