/* SPDX-License-Identifier: MIT */
#include "tests/gate_fixture.h"

/* Which datagrams renew the lease. */

Test(gate_heartbeat, marked_heartbeat_renews_after_an_echo)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();

	hear_echo();
	cr_assert_not(renewed(nf));
	beat(MARK);
	cr_assert(renewed(nf));
}

Test(gate_heartbeat, heartbeat_over_ipv6_renews_as_well)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();

	beat_to("::1", PORT, 0, 1);
	beat_to("::1", PORT, MARK, 0);
	cr_assert(renewed(nf));
}

Test(gate_heartbeat, marked_heartbeat_without_an_echo_renews_nothing)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();

	beat(MARK);
	beat(MARK);
	cr_assert_not(renewed(nf));
}

Test(gate_heartbeat, only_a_heartbeat_that_answers_counts_as_echo)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();

	beat_to("127.0.0.1", PORT, 0, 0);
	beat_to("127.0.0.1", PORT, 0, 2);
	beat_to("127.0.0.1", PORT + 1, 0, 1);
	beat(MARK);
	cr_assert_not(renewed(nf));
}

Test(gate_heartbeat, old_echo_renews_nothing)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();
	struct gate_config c = config;

	c.echo_ms = SHORT_MS;
	cr_assert_eq(gate_install(nf, &c, NULL), 0);
	create(nf, LONG_MS, 1, GATE_ANSWER);
	hear_echo();
	wait_run_out(nf, NFPROTO_INET, "echo");
	beat(MARK);
	cr_assert_not(renewed(nf));
}

Test(gate_heartbeat, heartbeat_to_a_silent_peer_renews_without_an_echo)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();

	beat(MARK_SILENT);
	cr_assert(renewed(nf));
}

Test(gate_heartbeat, other_datagrams_renew_nothing)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();

	hear_echo();
	beat(0);
	beat(MARK - 1);
	beat(MARK_SILENT + 1);
	beat_to("127.0.0.1", PORT + 1, MARK, 0);
	beat_to("127.0.0.1", PORT + 1, MARK_SILENT, 0);
	cr_assert_not(renewed(nf));
}

Test(gate_heartbeat, heartbeat_never_creates_a_lease)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();

	install(nf);
	hear_echo();
	beat(MARK);
	beat(MARK_SILENT);
	cr_assert_not(read_gate(nf).lease_alive);

	create(nf, SHORT_MS, 1, GATE_ANSWER);
	wait_run_out(nf, NFPROTO_INET, "lease");
	hear_echo();
	beat(MARK);
	beat(MARK_SILENT);
	cr_assert_not(read_gate(nf).lease_alive);
}

Test(gate_heartbeat, heartbeats_keep_a_short_lease_alive)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();
	struct gate_config c = config;
	uint64_t start = now_ms();

	c.lease_ms = 1000;
	cr_assert_eq(gate_install(nf, &c, NULL), 0);
	create(nf, c.lease_ms, 1, GATE_ANSWER);
	while (now_ms() < start + 1500) {
		beat(MARK_SILENT);
		(void)poll(NULL, 0, 10);
	}
	cr_assert(read_gate(nf).lease_alive);
}
