/* SPDX-License-Identifier: MIT */
#include "agent/kernel/adopt.h"

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/kernel/gatekeeper.h"
#include "agent/kernel/subs.h"
#include "agent/kernel/vips.h"
#include "netlink/gate_batch.h"
#include "tests/held.h"

enum { LONG_MS = 60000, SHORT_MS = 30 };

static struct conf *conf, *before;
static struct gatekeeper last, keeper; /* the last life's, and ours */

#define NODES HELD_NODES_WITH("Lease=60s\nDeadTime=61s\nRestartHold=1s\n")

static void enter_conf(struct conf *c)
{
	conf = c;
	cr_assert_eq(gatekeeper_init(&last, conf), 0);
	cr_assert_eq(gatekeeper_init(&keeper, conf), 0);
}

static void enter_with(const char *text)
{
	netns_enter();
	enter_conf(conf_from_text(text));
}

static void enter(void)
{
	enter_with(NODES HELD_GROUPS);
}

static void enter_with_role(void)
{
	enter_with(NODES HELD_GROUPS HELD_ROLE);
}

#define WITH_SUB                                                                                   \
	NODES "[Group db]\nVirtualAddress=10.9.0.4 va\n"                                           \
	      "[Group sip]\nMode=subinterface\nSubInterface=vip0 va\n"                             \
	      "VirtualAddress=10.9.0.3/24 vip0\nVirtualAddress=fd09::3/64 vip0\n"

static void enter_with_sub(void)
{
	enter_with(WITH_SUB);
}

static void enter_with_staged(void)
{
	struct conf *staged = conf_from_text(WITH_SUB);

	netns_enter();
	staged->groups[SIP].staged = true;
	enter_conf(staged);
}

static void leave(void)
{
	gatekeeper_done(&last);
	gatekeeper_done(&keeper);
	conf_free(conf);
	conf_free(before);
}

/* The operator has written something else since. */
static void change(const char *text)
{
	gatekeeper_done(&keeper);
	before = conf;
	conf = conf_from_text(text);
	cr_assert_eq(gatekeeper_init(&keeper, conf), 0);
}

TestSuite(adopt, .init = enter, .fini = leave);
TestSuite(adopt_sub, .init = enter_with_sub, .fini = leave);
TestSuite(adopt_staged, .init = enter_with_staged, .fini = leave);
TestSuite(adopt_role, .init = enter_with_role, .fini = leave);

static void hold_addresses(uint8_t group)
{
	_cleanup_(vips_done) struct vips vips = { 0 };
	_cleanup_(nl_closep) struct nl *nl = NULL;

	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(vips_all(nl, &conf->groups[group], 600, &vips), 0);
	while (vips_add_slice(nl, &vips) > 0)
		;
	cr_assert_eq(vips_error(&vips), 0);
}

/* The last life held a group: its lease goes on for so long. */
static void hold(uint8_t group, enum gate_level level, uint32_t lease_ms)
{
	hold_addresses(group);
	cr_assert_eq(gate_install(last.nf, &last.config, NULL), 0);
	last.config.lease_ms = lease_ms;
	cr_assert_eq(gate_ticket(last.nf, group + 1u, LONG_MS), 0);
	cr_assert_eq(gate_create(last.nf, &last.config, group + 1u, level), 0);
}

static void hold_also(uint8_t group)
{
	hold_addresses(group);
	cr_assert_eq(gate_set(last.nf, &last.config, group + 1u, GATE_ANSWER), 0);
}

static struct adoption look(void)
{
	struct adoption found = { 0 };

	cr_assert_eq(adopt(conf, 0, &keeper, &found), 0);
	return found;
}

static struct gate_state gate(void)
{
	struct gate_state state;

	cr_assert_eq(gate_read(keeper.nf, &keeper.config, &state), 0);
	return state;
}

Test(adopt, on_a_fresh_host_the_gate_is_laid_and_closed)
{
	struct adoption found = look();

	cr_assert_not(found.adopted[SIP] || found.adopted[DB]);
	cr_assert(gate().installed);
	cr_assert_not(gate().lease_alive);
	cr_assert(keeper.ordered.installed);
	cr_assert_eq(keeper.ordered.levels[SIP + 1], GATE_CLOSED);
}

Test(adopt, what_stands_behind_a_living_lease_is_kept_as_it_is)
{
	instant began = clock_now();
	struct adoption found;

	hold(SIP, GATE_ANSWER, LONG_MS);
	found = look();
	cr_assert(found.adopted[SIP]);
	cr_assert_not(found.adopted[DB]);
	cr_assert(found.lease_until.us > began.us &&
		  found.lease_until.us <= clock_now().us + LONG_MS * USEC_PER_MSEC);
	cr_assert_eq(held_count(), 3);
	cr_assert(gate().lease_alive);
	cr_assert_eq(gate().levels[SIP + 1], GATE_ANSWER);
	cr_assert_eq(keeper.ordered.levels[SIP + 1], GATE_ANSWER);
	cr_assert(held("600sec") || held("599sec") || held("598sec"), "not even touched");
}

Test(adopt, a_lease_that_was_lengthened_for_the_restart_is_cut_to_its_usual_length)
{
	struct adoption found;
	uint32_t left_ms;

	hold(SIP, GATE_ANSWER, 4 * LONG_MS);
	found = look();
	cr_assert(found.adopted[SIP]);
	cr_assert_eq(gate_lease_left(last.nf, &left_ms), 0);
	cr_assert(left_ms > 0 && left_ms <= LONG_MS);
	cr_assert_leq(found.lease_until.us, clock_now().us + LONG_MS * USEC_PER_MSEC);
}

Test(adopt, both_groups_are_adopted)
{
	struct adoption found;

	hold(SIP, GATE_ANSWER, LONG_MS);
	hold_also(DB);
	found = look();
	cr_assert(found.adopted[SIP] && found.adopted[DB]);
	cr_assert_eq(held_count(), 4);
}

Test(adopt, after_the_lease_nothing_is_kept)
{
	struct adoption found;
	uint32_t left_ms = 1;

	hold(SIP, GATE_ANSWER, SHORT_MS);
	while (left_ms) /* nobody is told when it runs out */
		cr_assert_eq(gate_lease_left(last.nf, &left_ms), 0);
	found = look();
	cr_assert_not(found.adopted[SIP]);
	cr_assert_eq(held_count(), 0);
	cr_assert_eq(gate().levels[SIP + 1], GATE_CLOSED);
}

/* Its lease lives: nobody else has them. */
Test(adopt, what_a_stranger_took_of_a_group_is_put_back)
{
	struct adoption found;

	hold(SIP, GATE_ANSWER, LONG_MS);
	sh("ip address del 10.8.0.3/32 dev vb");
	found = look();
	cr_assert(found.adopted[SIP] && found.grown[SIP]);
	cr_assert_eq(held_count(), 3);
	cr_assert_eq(gate().levels[SIP + 1], GATE_ANSWER);
}

Test(adopt, a_group_in_the_middle_of_a_move_is_cleared_away)
{
	static const enum gate_level levels[] = { GATE_SERVE, GATE_READY };

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		hold(SIP, levels[i], LONG_MS);
		cr_assert_not(look().adopted[SIP]);
		cr_assert_eq(held_count(), 0);
		cr_assert_eq(gate().levels[SIP + 1], GATE_CLOSED);
	}
}

Test(adopt, one_group_is_kept_and_the_other_closed_before_its_addresses_go)
{
	struct adoption found;

	hold(SIP, GATE_ANSWER, LONG_MS);
	hold_also(DB);
	cr_assert_eq(gate_set(last.nf, &last.config, DB + 1, GATE_READY), 0);
	found = look();
	cr_assert(found.adopted[SIP]);
	cr_assert_not(found.adopted[DB]);
	cr_assert_eq(held_count(), 3);
	cr_assert_not(held(" 10.9.0.4/"));
	cr_assert(gate().lease_alive);
	cr_assert_eq(gate().levels[SIP + 1], GATE_ANSWER);
	cr_assert_eq(gate().levels[DB + 1], GATE_CLOSED);
	cr_assert_eq(keeper.ordered.levels[DB + 1], GATE_CLOSED);
}

Test(adopt, leftovers_with_our_tag_go_and_foreign_addresses_stay)
{
	sh("ip address add 10.9.0.3/24 dev vb && ip address add 10.7.0.1/24 dev va && "
	   "ip address add fd07::1/64 dev va nodad");
	held_add("10.9.0.3", 24, "va");
	held_add("10.6.0.6", 32, "va");
	held_add("fd06::6", 128, "vb");
	cr_assert_not(look().adopted[SIP]);
	cr_assert_eq(held_count(), 0);
	cr_assert(held("vb    inet 10.9.0.3/24 "));
	cr_assert(held("va    inet 10.7.0.1/24 "));
	cr_assert(held("va    inet6 fd07::1/64 "));
}

Test(adopt, the_hosts_own_stays_that_is_behind_a_leftover)
{
	sh("echo 0 >/proc/sys/net/ipv4/conf/va/promote_secondaries");
	held_add("10.6.0.6", 24, "va");
	sh("ip address add 10.6.0.1/24 dev va");
	held_add("10.6.0.7", 24, "va");
	cr_assert_not(look().adopted[SIP]);
	cr_assert_eq(held_count(), 0);
	cr_assert(held("va    inet 10.6.0.1/24 "));
}

Test(adopt, leftovers_of_another_configuration_go_beside_what_is_kept)
{
	hold(SIP, GATE_ANSWER, LONG_MS);
	held_add("10.6.0.6", 32, "va");
	cr_assert(look().adopted[SIP]);
	cr_assert_eq(held_count(), 3);
	cr_assert_not(held(" 10.6.0.6/"));
}

Test(adopt, a_gate_of_other_times_is_laid_anew_and_what_stands_is_kept)
{
	uint32_t left_ms;

	hold(SIP, GATE_ANSWER, LONG_MS);
	keeper.config.port++;
	keeper.config.lease_ms = LONG_MS / 2;
	cr_assert(look().adopted[SIP]);
	cr_assert_eq(held_count(), 3);
	cr_assert(gate().installed);
	cr_assert_not(gate().other);
	cr_assert_eq(gate().levels[SIP + 1], GATE_ANSWER);
	cr_assert_eq(gate().levels[DB + 1], GATE_CLOSED);
	cr_assert_eq(gate_lease_left(last.nf, &left_ms), 0);
	cr_assert_leq(left_ms, LONG_MS / 2);
}

Test(adopt, groups_are_known_by_their_names_however_they_are_numbered)
{
	struct adoption found;

	hold(SIP, GATE_ANSWER, LONG_MS);
	sh("nft list set inet takeover open | grep -q 'comment \"sip\"'");
	change(NODES "[Group aaa]\nVirtualAddress=10.9.0.9 va\n" HELD_GROUPS);
	found = look();
	cr_assert(found.adopted[SIP + 1]);
	cr_assert_not(found.grown[SIP + 1]);
	cr_assert_not(found.adopted[0] || found.adopted[DB + 1]);
	cr_assert_eq(held_count(), 3);
	cr_assert_eq(gate().levels[SIP + 2], GATE_ANSWER);
	cr_assert_eq(gate().levels[1], GATE_CLOSED);
	cr_assert_eq(gate().levels[DB + 2], GATE_CLOSED);
	cr_assert(gate().lease_alive);
}

Test(adopt, a_group_of_another_name_is_another_group)
{
	hold(SIP, GATE_ANSWER, LONG_MS);
	change(NODES "[Group db]\nVirtualAddress=10.9.0.4 va\n[Group voip]\n"
		     "VirtualAddress=10.9.0.3/24 va\nVirtualAddress=fd09::3/64 va\n");
	cr_assert_not(look().adopted[SIP]);
	cr_assert_eq(held_count(), 0);
	cr_assert_not(gate().lease_alive);
}

/* Whoever knows it by its old name does not know that it is served here. */
Test(adopt, a_name_is_all_that_has_changed)
{
	hold(SIP, GATE_ANSWER, LONG_MS);
	hold_also(DB);
	change(NODES "[Group db]\nVirtualAddress=10.9.0.4 va\n[Group voip]\n"
		     "VirtualAddress=10.9.0.3/24 va\nVirtualAddress=fd09::3/64 va\n"
		     "VirtualAddress=10.8.0.3 vb\n");
	cr_assert(look().adopted[DB]);
	cr_assert_not(keeper.ordered.other);
	cr_assert_eq(held_count(), 1);
	cr_assert_eq(gate().levels[SIP + 1], GATE_CLOSED);
	cr_assert_eq(gate().levels[DB + 1], GATE_ANSWER);
}

Test(adopt, another_configuration_adds_addresses_and_takes_others_away)
{
	struct adoption found;

	hold(SIP, GATE_ANSWER, LONG_MS);
	hold_also(DB);
	change(NODES "[Group db]\nVirtualAddress=10.9.0.4 va\n[Group sip]\n"
		     "VirtualAddress=10.9.0.3/24 va\nVirtualAddress=10.9.0.5 vb\n"
		     "VirtualAddress=fd09::5/64 va\n");
	found = look();
	cr_assert(found.adopted[SIP] && found.adopted[DB]);
	cr_assert(found.grown[SIP] && !found.grown[DB]);
	cr_assert_eq(held_count(), 4);
	cr_assert(held("vb    inet 10.9.0.5/32 ") && held("va    inet6 fd09::5/64 "));
	cr_assert_eq(gate().levels[SIP + 1], GATE_ANSWER);
	cr_assert_eq(gate().levels[DB + 1], GATE_ANSWER);
}

Test(adopt, an_address_is_not_added_before_a_gate_stands_that_knows_it)
{
	struct adoption found;

	hold(SIP, GATE_ANSWER, LONG_MS);
	change(NODES "[Group db]\nVirtualAddress=10.9.0.4 va\n[Group sip]\n"
		     "VirtualAddress=10.9.0.3/24 va\nVirtualAddress=10.9.0.5 va\n");
	keeper.config.echo_ms = 1; /* such a gate cannot be laid */
	cr_assert_eq(adopt(conf, 0, &keeper, &found), -ERANGE);
	cr_assert_not(held(" 10.9.0.5/"));
}

Test(adopt, an_address_is_there_once_in_the_form_that_it_has_now)
{
	hold(SIP, GATE_ANSWER, LONG_MS);
	change(NODES "[Group db]\nVirtualAddress=10.9.0.4 va\n[Group sip]\n"
		     "VirtualAddress=10.9.0.3 va\nVirtualAddress=fd09::3 va\n"
		     "VirtualAddress=10.8.0.3 va\n");
	cr_assert(look().adopted[SIP]);
	cr_assert_eq(held_count(), 3);
	cr_assert(held("va    inet 10.9.0.3/32 ") && held("va    inet6 fd09::3/128 ") &&
		  held("va    inet 10.8.0.3/32 "));
}

Test(adopt, what_cannot_be_had_under_the_new_configuration_is_not_kept_by_halves)
{
	hold(SIP, GATE_ANSWER, LONG_MS);
	change(NODES "[Group sip]\nVirtualAddress=10.9.0.3/24 va\nVirtualAddress=10.9.0.5 vz\n");
	cr_assert_not(look().adopted[0]);
	cr_assert_eq(held_count(), 0);
	cr_assert_eq(gate().levels[1], GATE_CLOSED);
}

Test(adopt, an_interface_that_is_gone_takes_its_group_with_it)
{
	hold(SIP, GATE_ANSWER, LONG_MS);
	sh("ip link set vb name other0");
	cr_assert_not(look().adopted[SIP]);
	cr_assert_eq(held_count(), 0);
}

/* There is nothing to look at but the gate: it says who was primary. */
Test(adopt_role, a_role_is_kept_if_it_was_answered_for_under_a_living_lease)
{
	struct adoption found;

	hold(VOTE, GATE_ANSWER, LONG_MS);
	found = look();
	cr_assert(found.adopted[VOTE]);
	cr_assert_not(found.adopted[SIP] || found.adopted[DB]);
	cr_assert_eq(gate().levels[VOTE + 1], GATE_ANSWER);
}

Test(adopt_role, a_role_that_another_node_may_have_is_not_kept)
{
	uint32_t left_ms = 1;

	hold(VOTE, GATE_READY, LONG_MS);
	cr_assert_not(look().adopted[VOTE], "in the middle of a move");
	hold(SIP, GATE_ANSWER, LONG_MS);
	cr_assert_not(look().adopted[VOTE], "was not primary of it");
	hold(VOTE, GATE_ANSWER, SHORT_MS);
	while (left_ms) /* nobody is told when it runs out */
		cr_assert_eq(gate_lease_left(last.nf, &left_ms), 0);
	cr_assert_not(look().adopted[VOTE], "its lease is over");
}

/* The last life held the group sip on an interface of its own. */
static void hold_sub(void)
{
	const struct subs subs = { &conf->groups[SIP], &conf->nodes[0] };
	_cleanup_(nl_closep) struct nl *nl = NULL;
	const struct conf_vip *refused;

	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
	cr_assert_eq(subs_make(nl, &subs, &refused), 0);
	hold(SIP, GATE_ANSWER, LONG_MS);
	cr_assert_eq(subs_raise(nl, &subs, &refused), 0);
}

Test(adopt_sub, an_interface_of_its_own_is_adopted_with_its_addresses)
{
	int index;

	hold_sub();
	index = netns_index("vip0");
	cr_assert(look().adopted[SIP]);
	cr_assert_eq(netns_index("vip0"), index);
	sh("ip link show vip0 up | grep -q vip0");
	cr_assert_eq(held_count(), 2);
}

Test(adopt_sub, what_does_not_stand_is_made_anew_and_down)
{
	static const char *const spoils[] = {
		"ip link set vip0 address 02:00:00:00:00:99",
		"ip link set vip0 down",
		"nft flush set inet takeover lease",
	};

	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		hold_sub();
		sh(spoils[i]);
		cr_assert_not(look().adopted[SIP], "%s", spoils[i]);
		cr_assert_eq(held_count(), 0);
		cr_assert(netns_index("vip0"));
		sh("test -z \"$(ip link show vip0 up)\"");
	}
}

Test(adopt_sub, on_a_fresh_host_it_is_made_for_a_claim_to_come)
{
	sh("ip link add vip9 link va type macvlan && ip link set vip9 alias takeoverd");
	cr_assert_not(look().adopted[SIP]);
	sh("ip link show vip0 | grep -q DOWN");
	cr_assert_eq(if_nametoindex("vip9"), 0, "of a configuration that is no more");
}

Test(adopt_sub, the_gate_knows_which_interface_answers_for_what)
{
	const struct gate_config *c = &keeper.config;

	cr_assert_eq(c->n_devices, 1);
	cr_assert_str_eq(c->devices[0].name, "vip0");
	cr_assert_eq(c->devices[0].group, SIP + 1);
	cr_assert(c->devices[0].quiet, "it has a MAC that may be at both nodes");
	for (size_t i = 0; i < c->n_vips; i++)
		cr_assert_eq(c->vips[i].device, c->vips[i].group == SIP + 1 ? 1 : 0);
}

Test(adopt_sub, nothing_is_left_when_all_of_it_is_to_go)
{
	hold_sub();
	hold_also(DB);
	held_add_for("10.9.9.9", 32, "vb", 600); /* of another configuration */
	sh("ip address add 10.9.9.8/32 dev vb");
	sh("ip link add vip9 link va type macvlan && ip link set vip9 alias takeoverd");
	sh("ip link add vip8 link va type macvlan");
	sh("nft flush set inet takeover lease");
	cr_assert_eq(adopt_nothing(), 0);
	cr_assert_eq(held_count(), 0);
	cr_assert(held("10.9.9.8/32"), "not ours");
	cr_assert(if_nametoindex("vip8"), "not ours");
	cr_assert_not(if_nametoindex("vip0") || if_nametoindex("vip9"));
	cr_assert(gate().installed);
	cr_assert_eq(gate().levels[SIP + 1], GATE_CLOSED);
	cr_assert_eq(gate().levels[DB + 1], GATE_CLOSED);
	cr_assert_eq(adopt_nothing(), 0, "twice is as good");
}

Test(adopt, what_still_serves_goes_when_its_lease_is_over)
{
	uint32_t left_ms;

	hold(SIP, GATE_ANSWER, SHORT_MS);
	cr_assert_eq(adopt_nothing(), 0);
	cr_assert_eq(gate_lease_left(keeper.nf, &left_ms), 0);
	cr_assert_eq(left_ms, 0);
	cr_assert_eq(held_count(), 0);
}

/* As somebody adds it who wants to see the addresses answer without an agent. */
Test(adopt, a_lease_without_an_end_is_ended)
{
	static const char *const families[] = { "inet arp", "inet" };
	char command[256];

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		hold(SIP, GATE_ANSWER, LONG_MS);
		(void)snprintf(command, sizeof(command),
			       "for f in inet arp; do nft flush set $f takeover lease; done; "
			       "for f in %s; do nft add element $f takeover lease { %d }; done",
			       families[i], GATE_NODE);
		sh(command);
		cr_assert_eq(adopt_nothing(), 0, "%s", families[i]);
		cr_assert_eq(held_count(), 0);
		cr_assert_not(gate().lease_alive);
	}
}

Test(adopt, what_was_left_without_a_gate_goes_too)
{
	hold_addresses(SIP);
	cr_assert_eq(adopt_nothing(), 0);
	cr_assert_eq(held_count(), 0);
	cr_assert_not(gate().installed);
}

static void *lengthen_when_it_waits(void *data)
{
	char path[64], line[64] = "";

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", *(const pid_t *)data);
	while (strtol(line, NULL, 10) != SYS_clock_nanosleep) {
		FILE *f = fopen(path, "re");

		cr_assert(f && fgets(line, sizeof(line), f));
		fclose(f);
	}
	cr_assert_eq(gate_extend(last.nf, LONG_MS), 0);
	return NULL;
}

Test(adopt, nothing_goes_while_an_agent_renews_the_lease)
{
	pid_t waits = gettid();
	pthread_t agent;

	hold(SIP, GATE_ANSWER, 500);
	cr_assert_eq(pthread_create(&agent, NULL, lengthen_when_it_waits, &waits), 0);
	cr_assert_eq(adopt_nothing(), -EBUSY);
	cr_assert_eq(pthread_join(agent, NULL), 0);
	cr_assert_eq(held_count(), 3);
	cr_assert_eq(gate().levels[SIP + 1], GATE_ANSWER);
}

/* The moat has ended with the last life. Return: does it stand again, and let the group work? */
static bool look_at_moat(struct adoption *ret)
{
	last.nf = nl_close(last.nf);
	sh("! nft list tables | grep -q moat");
	*ret = look();
	sh("nft list tables | grep -q 'inet takeover_moat' && "
	   "nft list tables | grep -q 'arp takeover_moat'");
	return system("nft list set inet takeover_moat open | grep -q elements") == 0;
}

Test(adopt_staged, moat_is_laid_open_round_what_is_adopted)
{
	struct adoption found;

	hold_sub();
	cr_assert(look_at_moat(&found));
	cr_assert(found.adopted[SIP]);
	cr_assert_eq(gate().levels[SIP + 1], GATE_ANSWER);
}

Test(adopt_staged, moat_is_laid_closed_round_what_is_not_adopted)
{
	struct adoption found;

	hold_sub();
	hold_also(DB);
	sh("ip link set vip0 down");
	cr_assert_not(look_at_moat(&found));
	cr_assert(found.adopted[DB]);
	cr_assert_not(found.adopted[SIP]);
	cr_assert_eq(gate().levels[SIP + 1], GATE_CLOSED);
}

Test(adopt_staged, on_a_fresh_host_the_moat_is_closed)
{
	struct adoption found;

	cr_assert_not(look_at_moat(&found));
	cr_assert_not(found.adopted[SIP]);
}
