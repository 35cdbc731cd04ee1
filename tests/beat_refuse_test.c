/* SPDX-License-Identifier: MIT */

/* What comes from the peer's address and port, and is not its heartbeat. */

#include "tests/beat_rig.h"

enum { VERSION_OFFSET = 4 };

/* Alpha's heartbeat, as beta would send it, changed by @change, arrives at alpha. */
static void receive_changed(void (*change)(uint8_t *payload, size_t *len),
			    struct beat_received *ret, struct beat_stats *ret_stats)
{
	const struct sockaddr_in from = { .sin_family = AF_INET,
					  .sin_port = htons(7373),
					  .sin_addr.s_addr = inet_addr("10.9.0.2") },
				 to = { .sin_family = AF_INET,
					.sin_port = htons(7373),
					.sin_addr.s_addr = inet_addr("10.9.0.1") };
	_cleanup_(close_fdp) int fd = -1;
	struct wire_packet packet = { .name = "beta", .session = 7, .challenge = 8 };
	uint8_t buf[WIRE_SIZE_MAX];
	struct agent a;
	size_t len;

	world_enter();
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	agent_start(&a, ONE_PATH, ALPHA);
	say(&a); /* which connects its socket to beta's address */
	packet.type = WIRE_HELLO;
	len = wire_build(&packet, a.conf, key, buf, sizeof(buf));
	cr_assert_gt(len, 0);
	change(buf, &len);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
	cr_assert_eq(sendto(fd, buf, len, 0, (const struct sockaddr *)&to, sizeof(to)),
		     (ssize_t)len);
	settle_for(&a, NULL, &a.outcomes[BEAT_REFUSED]);
	*ret = a.last;
	*ret_stats = stats_of(&a);
	agent_stop(&a);
}

static void expect_refusal(void (*change)(uint8_t *payload, size_t *len), enum wire_refusal refusal)
{
	struct beat_received received;
	struct beat_stats stats;

	receive_changed(change, &received, &stats);
	cr_expect_eq(received.outcome, BEAT_REFUSED);
	cr_expect_eq(received.refusal, refusal);
	cr_expect_eq(received.peer, BETA);
	cr_expect_eq(memcmp(received.from.bytes, "\x0a\x09\x00\x02", 4), 0);
	for (size_t i = 0; i < _WIRE_REFUSAL_MAX; i++)
		cr_expect_eq(stats.refused[i], i == refusal, "%zu", i);
}

static void next_version(uint8_t *payload, size_t *len)
{
	(void)len;
	payload[VERSION_OFFSET]++;
}

static void tamper(uint8_t *payload, size_t *len)
{
	payload[*len - 1] ^= 1;
}

static void cut(uint8_t *payload, size_t *len)
{
	(void)payload;
	*len = 3;
}

Test(beat_refuse, the_next_version_of_the_protocol_is_counted_as_such)
{
	expect_refusal(next_version, WIRE_BAD_VERSION);
}

Test(beat_refuse, what_was_tampered_with_is_counted_as_such)
{
	expect_refusal(tamper, WIRE_BAD_TAG);
}

Test(beat_refuse, what_is_too_short_is_counted_as_such)
{
	expect_refusal(cut, WIRE_TOO_SHORT);
}
