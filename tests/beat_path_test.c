/* SPDX-License-Identifier: MIT */
#include "tests/beat_rig.h"

Test(beat_path, works_over_ipv6)
{
	static const char text[] =
		"[Node alpha]\nAddress=fd09::1\n[Node beta]\nAddress=fd09::2\n" GROUP;
	struct agent a, b;

	both_start(&a, &b, text);
	meet(&a, &b);
	cr_expect_eq(say_at(&a, BEAT_MARK_ECHOED, 1), 1);
	settle_for(&a, &b, &b.outcomes[BEAT_FRESH]);
	cr_expect_eq(b.outcomes[BEAT_FRESH], 1);
	agent_stop(&b);
	say(&a);
	settle_for(&a, NULL, &a.outcomes[BEAT_UNREACHABLE]);
	cr_expect_eq(a.outcomes[BEAT_UNREACHABLE], 1);
	agent_stop(&a);
}

Test(beat_path, what_comes_over_two_paths_is_delivered_once_and_counted_twice)
{
	struct agent a, b;

	both_start(&a, &b, TWO_PATHS);
	cr_assert_eq(beat_n_paths(a.beat, BETA), 2);
	cr_assert_eq(beat_n_paths(a.beat, ALPHA), 0);
	meet(&a, &b);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(say(&b), 2);
	settle(&a, &b);
	cr_expect_eq(a.outcomes[BEAT_FRESH], 5);
	cr_expect_eq(a.outcomes[BEAT_HANDLED], 5);
	cr_expect_eq(stats_of(&a).replayed, 0);
	for (size_t i = 0; i < 2; i++) {
		cr_expect_eq(path_of(&a, i).received, 5);
		cr_expect_eq(path_of(&a, i).lost, 0);
		cr_expect(instant_is_set(path_of(&a, i).heard));
	}
	both_stop(&a, &b);
}

Test(beat_path, loss_is_counted_on_the_path_that_loses)
{
	struct agent a, b;

	both_start(&a, &b, TWO_PATHS);
	meet(&a, &b);
	say(&b);
	sh("nft 'add table ip t; add chain ip t in { type filter hook input priority 0; };"
	   " add rule ip t in ip saddr 10.9.1.2 drop'");
	for (int i = 0; i < 3; i++)
		cr_expect_eq(say(&b), 2);
	sh("nft flush ruleset");
	say(&b);
	settle(&a, &b);
	cr_expect_eq(a.outcomes[BEAT_FRESH], 5);
	cr_expect_eq(path_of(&a, 0).lost, 0);
	cr_expect_eq(path_of(&a, 1).lost, 3);
	cr_expect_eq(path_of(&a, 1).received, 2);
	both_stop(&a, &b);
}

Test(beat_path, round_trip_time_leaves_out_what_the_peer_took)
{
	struct agent a, b;

	both_start(&a, &b, ONE_PATH);
	meet(&a, &b);
	cr_expect_eq(path_of(&a, 0).rtt_us, 0);
	say_at(&a, BEAT_UNMARKED, 2000000);
	settle_at(&b, NULL, 2000300); /* 300 µs there */
	say_at(&b, BEAT_UNMARKED, 2040300);
	settle_at(&a, NULL, 2040800); /* 500 µs back */
	cr_expect_eq(path_of(&a, 0).rtt_us, 800);
	cr_expect_eq(path_of(&a, 0).rtt_min_us, 800);

	/* An echo is timed once; the next one counts an eighth. */
	say_at(&b, BEAT_UNMARKED, 2050000);
	settle_at(&a, NULL, 2099999);
	cr_expect_eq(path_of(&a, 0).rtt_us, 800);
	say_at(&a, BEAT_UNMARKED, 3000000);
	settle_at(&b, NULL, 3000000);
	say_at(&b, BEAT_UNMARKED, 3000000);
	settle_at(&a, NULL, 3001600);
	cr_expect_eq(path_of(&a, 0).rtt_us, 900);
	cr_expect_eq(path_of(&a, 0).rtt_min_us, 800);
	both_stop(&a, &b);
}

Test(beat_path, a_closed_port_is_told_and_no_heartbeat_is_lost_to_it)
{
	static struct recorder recorder;
	struct agent a;

	world_enter();
	agent_start(&a, ONE_PATH, ALPHA);
	recorder_start(&recorder);
	/* The news of the first meets the second on its way out. */
	for (int i = 0; i < 3; i++)
		cr_expect_eq(say(&a), 1);
	recorder_stop(&recorder);
	cr_expect_eq(recorder.n, 3);
	settle(&a, NULL);
	cr_expect_eq(a.outcomes[BEAT_UNREACHABLE], 1);
	cr_expect_eq(a.last.peer, BETA);
	cr_expect_eq(path_of(&a, 0).sent, 3);
	cr_expect_eq(path_of(&a, 0).send_errors, 0);
	agent_stop(&a);
}

/* An ICMP message that says so is easily forged, and takes one datagram to be provoked. */
Test(beat_path, a_peer_that_is_heard_is_not_unreachable_whatever_icmp_says)
{
	const uint64_t heard = 1000000, interval = 50000;
	struct agent a, b;

	both_start(&a, &b, TWO_PATHS);
	meet(&a, &b);
	say_at(&b, BEAT_UNMARKED, heard);
	settle_at(&a, NULL, heard);
	cr_assert_eq(a.outcomes[BEAT_FRESH], 1);
	agent_stop(&b);
	say_at(&a, BEAT_UNMARKED, heard);
	settle_at(&a, NULL, heard + 2 * interval);
	cr_expect_eq(a.outcomes[BEAT_UNREACHABLE], 0);
	forget(&a);
	say_at(&a, BEAT_UNMARKED, heard);
	settle_at(&a, NULL, heard + 2 * interval + 1);
	cr_expect_eq(a.outcomes[BEAT_UNREACHABLE], 2, "on both paths");
	cr_expect_eq(a.last.peer, BETA);
	agent_stop(&a);
}

/* One path is enough to be heard. */
Test(beat_path, a_port_that_is_closed_on_one_path_only_is_not_told)
{
	struct agent a, b;

	both_start(&a, &b, TWO_PATHS);
	meet(&a, &b);
	sh("nft 'add table ip t; add chain ip t in { type filter hook input priority 0; };"
	   " add rule ip t in ip daddr 10.9.1.2 reject; add rule ip t in ip saddr 10.9.1.2 udp "
	   "dport"
	   " 7373 drop'");
	for (int i = 0; i < 5; i++) {
		say(&a);
		say(&b);
		settle(&a, &b);
	}
	cr_expect_eq(a.outcomes[BEAT_FRESH], 5);
	cr_expect_eq(a.outcomes[BEAT_UNREACHABLE], 0);
	both_stop(&a, &b);
}

Test(beat_path, the_peer_comes_to_its_own_socket_and_strangers_to_the_lobby)
{
	static const char gamma[] =
		"[Node alpha]\nAddress=10.9.0.1\n[Node gamma]\nAddress=10.9.0.3\n" GROUP;
	struct agent a, b, c;
	size_t lobby = 0, connected = 0;
	struct beat_received received;

	both_start(&a, &b, ONE_PATH);
	agent_start(&c, gamma, 1);
	meet(&a, &b);
	say(&b);
	say(&c);
	for (size_t i = 0; i < beat_n_fds(a.beat); i++) {
		struct sockaddr_storage peer;
		socklen_t size = sizeof(peer);
		bool is_connected =
			getpeername(beat_fd(a.beat, i), (struct sockaddr *)&peer, &size) == 0;

		netns_await(beat_fd(a.beat, i));
		cr_assert_eq(beat_receive(a.beat, i, (instant){ 1 }, &received), 0);
		cr_expect_eq(received.outcome, is_connected ? BEAT_FRESH : BEAT_STRANGER);
		*(is_connected ? &connected : &lobby) += 1;
	}
	cr_expect_eq(connected, 1);
	cr_expect_eq(lobby, 1);
	both_stop(&a, &b);
	agent_stop(&c);
}

static void count_marks(void)
{
	sh("nft 'add table inet t; add counter inet t echoed; add counter inet t alone;"
	   " add counter inet t none; add chain inet t out { type filter hook output priority 0; };"
	   " add rule inet t out udp dport 7373 meta mark 0x7a6b0001 counter name echoed;"
	   " add rule inet t out udp dport 7373 meta mark 0x7a6b0002 counter name alone;"
	   " add rule inet t out udp dport 7373 meta mark 0 counter name none'");
}

static void expect_mark(const char *name, unsigned n)
{
	char command[128];

	(void)snprintf(command, sizeof(command),
		       "nft list counter inet t %s | grep -q 'packets %u '", name, n);
	sh(command);
}

Test(beat_path, the_kernel_sees_which_heartbeats_may_renew_the_lease)
{
	struct agent a, b;

	world_enter();
	count_marks();
	agent_start(&a, ONE_PATH, ALPHA);
	say_at(&a, BEAT_MARK_ALONE, 1); /* a greeting renews as well */
	expect_mark("alone", 1);
	agent_start(&b, ONE_PATH, BETA);
	settle(&a, &b);
	meet(&a, &b);
	sh("nft reset counters >/dev/null");
	say_at(&a, BEAT_UNMARKED, 1);
	expect_mark("none", 1);
	say_at(&a, BEAT_MARK_ECHOED, 1);
	expect_mark("echoed", 1);
	say_at(&a, BEAT_MARK_ALONE, 1);
	expect_mark("alone", 1);
	expect_mark("echoed", 1);
	expect_mark("none", 1);
	settle(&a, &b);
	cr_expect_eq(b.outcomes[BEAT_FRESH], 3);
	both_stop(&a, &b);
}

Test(beat_path, without_any_way_out_a_lone_primary_still_renews_its_lease)
{
	static const char unreachable[] = "[Node alpha]\nAddress=10.9.0.1\n"
					  "[Node beta]\nAddress=10.8.0.2\n" GROUP;
	struct agent a;

	world_enter();
	count_marks();
	agent_start(&a, unreachable, ALPHA);
	cr_expect_eq(say_at(&a, BEAT_UNMARKED, 1), 0);
	cr_expect_eq(say_at(&a, BEAT_MARK_ECHOED, 1), 0);
	expect_mark("alone", 0);
	for (int i = 0; i < 100; i++)
		cr_expect_eq(say_at(&a, BEAT_MARK_ALONE, 1), 1);
	expect_mark("alone", 100);
	settle(&a, NULL);
	cr_expect_eq(a.outcomes[BEAT_NOTHING], 0, "it does not hear itself");
	/* Nor does it pile up: rx_queue of 127.73.0.1:7373 */
	sh("grep -q ': 0100497F:1CCD 0100497F:1CCD .. [0-9A-F]*:00000000 ' /proc/net/udp");
	cr_expect_eq(path_of(&a, 0).send_errors, 102);
	agent_stop(&a);
}

Test(beat_path, addresses_and_routes_may_come_later)
{
	static const char later[] =
		"[Node alpha]\nAddress=10.7.0.1\n[Node beta]\nAddress=10.7.0.2\n" GROUP;
	struct agent a, b;

	both_start(&a, &b, later);
	cr_expect_eq(say(&a), 0);
	sh("ip address add 10.7.0.1/32 dev lo && ip address add 10.7.0.2/32 dev lo");
	meet(&a, &b);
	cr_expect_eq(say(&a), 1);
	settle(&a, &b);
	cr_expect_eq(b.outcomes[BEAT_FRESH], 1);
	/* And go for a while. */
	sh("ip address del 10.7.0.1/32 dev lo");
	cr_expect_eq(say(&a), 0);
	sh("ip address add 10.7.0.1/32 dev lo");
	cr_expect_eq(say(&a), 1);
	settle(&a, &b);
	cr_expect_eq(b.outcomes[BEAT_FRESH], 2);
	both_stop(&a, &b);
}

Test(beat_path, garbage_of_any_size_is_refused_and_counted)
{
	_cleanup_(close_fdp) int fd = -1;
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(7373),
				  .sin_addr.s_addr = inet_addr("10.9.0.1") };
	static const size_t sizes[] = { 0, 1, 85, 86, 1472, 16384, 16385, 60000 };
	static uint8_t garbage[60000];
	struct agent a;

	world_enter();
	agent_start(&a, ONE_PATH, ALPHA);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memcpy(garbage, "tkov\1", 5);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		cr_assert_geq(sendto(fd, garbage, sizes[i], 0, (struct sockaddr *)&to, sizeof(to)),
			      0);
		settle(&a, NULL);
	}
	cr_expect_eq(a.outcomes[BEAT_REFUSED], ARRAY_SIZE(sizes));
	cr_expect_eq(stats_of(&a).refused[WIRE_TOO_SHORT], 3);
	cr_expect_eq(stats_of(&a).refused[WIRE_BAD_TAG], 3);
	cr_expect_eq(stats_of(&a).refused[WIRE_MALFORMED], 2);
	agent_stop(&a);
}
