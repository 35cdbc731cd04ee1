/* SPDX-License-Identifier: MIT */
#include "agent/beat/wire.h"

#include <criterion/criterion.h>
#include <sodium.h>

#include "tests/wire_difference.h"
#include "tests/with_conf.h"

enum { TAG_SIZE = 32, NAME_LEN = 5 };

static const uint8_t key[CONF_KEY_SIZE] = { 1, 2, 3 };
static const uint8_t other_key[CONF_KEY_SIZE] = { 1, 2, 4 };

/* Two nodes and @n groups g000, g001 ... */
static struct conf *with_groups(unsigned n)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs("[Node alpha]\nAddress=10.0.0.1\n[Node beta]\nAddress=10.0.0.2\n", f);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "[Group g%03u]\nVirtualAddress=10.1.0.%u eth0\n", i, i);
	fclose(f);
	return conf_from_text(text);
}

/* A heartbeat of alpha as it is most of the time. */
static struct wire_packet at_rest(const struct conf *conf)
{
	struct wire_packet packet = {
		.type = WIRE_BEAT,
		.name = "alpha",
		.session = 0x1122334455667788,
		.peer_session = 0x99aabbccddeeff00,
		.challenge = 3,
		.path_echo_seq = 5,
		.path_echo_age_us = 6,
		.beat = {
			.seq = 7,
			.echo_seq = 8,
			.interval_us = 50000,
			.lease_us = 350000,
			.digest = 0x0123456789abcdef,
			.priority = 100,
			.references_answer = true,
			.marked = true,
			.wants_answer = true,
		},
	};

	for (size_t i = 0; i < conf->n_groups; i++)
		packet.beat.groups[i] = (struct core_record){
			.present = true,
			.state = CORE_STATE_PRIMARY,
			.term = 130,
			.term_max = 130,
			.move_to = CORE_NODE_NONE,
		};
	return packet;
}

static void expect_round_trip(const struct wire_packet *packet, const struct conf *conf)
{
	struct wire_packet read = { 0 };
	uint8_t buf[WIRE_SIZE_MAX];
	size_t len;

	len = wire_build(packet, conf, key, buf, sizeof(buf));
	cr_assert_gt(len, 0);
	cr_assert_eq(wire_parse(buf, len, conf, key, &read), WIRE_ACCEPTED);
	cr_expect_null(wire_difference(packet, &read, conf->n_groups));
}

Test(wire, a_heartbeat_is_read_as_it_was_written)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(3);
	struct wire_packet packet = at_rest(conf);

	expect_round_trip(&packet, conf);
}

Test(wire, every_field_of_a_record_is_carried)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(5);
	struct wire_packet packet = at_rest(conf);

	packet.beat.reply = true;
	packet.beat.marked = false;
	packet.beat.wants_answer = false;
	packet.beat.references_answer = false;
	packet.beat.groups[0] = (struct core_record){
		.present = true,
		.state = CORE_STATE_MAINTENANCE,
		.term = CORE_TERM_MAX,
		.term_max = CORE_TERM_MAX - 1,
		.move = CORE_MOVE_DENIED,
		.why = CORE_RESULT_OUTCOME_UNKNOWN,
		.move_to = 1,
		.move_id = UINT32_MAX,
		.move_term = CORE_TERM_MAX,
		.unfit = _CORE_UNFIT_MASK,
		.strict = true,
		.evidence = true,
		.traffic = true,
		.silences = CORE_SILENCES_MAX,
	};
	packet.beat.groups[0].options = (struct core_options){
		.strict = true,
		.force = true,
		.to = 2,
		.within_us = UINT32_MAX,
	};
	packet.beat.groups[1].term = 0;
	packet.beat.groups[1].term_max = UINT64_C(1) << 62;
	packet.beat.groups[2].move = CORE_MOVE_OFFER;
	packet.beat.groups[2].move_to = CORE_NODE_NONE;
	packet.beat.groups[2].options.force = true;
	packet.beat.groups[3].why = CORE_RESULT_BUSY;
	packet.beat.groups[3].move_to = 0;
	packet.beat.groups[4].present = false;
	expect_round_trip(&packet, conf);
}

Test(wire, a_greeting_carries_no_records)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(3);
	struct wire_packet packet = {
		.type = WIRE_HELLO,
		.name = "beta",
		.session = 1,
		.challenge = UINT64_MAX,
		.response = 9,
	};

	expect_round_trip(&packet, conf);
	packet.type = WIRE_STRANGER;
	expect_round_trip(&packet, conf);
}

Test(wire, any_flipped_bit_is_refused_and_writes_nothing)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(2);
	struct wire_packet packet = at_rest(conf), read = { .session = 77 };
	uint8_t buf[WIRE_SIZE_MAX];
	size_t len;

	len = wire_build(&packet, conf, key, buf, sizeof(buf));
	for (size_t i = 0; i < len * 8; i++) {
		buf[i / 8] ^= (uint8_t)(1 << i % 8);
		cr_expect_neq(wire_parse(buf, len, conf, key, &read), WIRE_ACCEPTED, "bit %zu", i);
		cr_expect_eq(read.session, 77);
		buf[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	cr_expect_eq(wire_parse(buf, len, conf, key, &read), WIRE_ACCEPTED);
}

Test(wire, any_flipped_bit_is_refused_without_authentication_as_well)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(2);
	struct wire_packet packet = at_rest(conf), read;
	uint8_t buf[WIRE_SIZE_MAX];
	size_t len;

	len = wire_build(&packet, conf, NULL, buf, sizeof(buf));
	cr_expect_eq(wire_parse(buf, len, conf, NULL, &read), WIRE_ACCEPTED);
	for (size_t i = 0; i < len * 8; i++) {
		buf[i / 8] ^= (uint8_t)(1 << i % 8);
		cr_expect_neq(wire_parse(buf, len, conf, NULL, &read), WIRE_ACCEPTED, "bit %zu", i);
		buf[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

Test(wire, the_first_bytes_tell_what_is_wrong)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(1);
	struct wire_packet packet = at_rest(conf), read;
	uint8_t buf[WIRE_SIZE_MAX];
	size_t len;

	len = wire_build(&packet, conf, key, buf, sizeof(buf));
	cr_expect_eq(memcmp(buf, "tkov\1", 5), 0);
	buf[0] = 'T';
	cr_expect_eq(wire_parse(buf, len, conf, key, &read), WIRE_BAD_MAGIC);
	buf[0] = 't';
	buf[4] = WIRE_VERSION + 1;
	cr_expect_eq(wire_parse(buf, len, conf, key, &read), WIRE_BAD_VERSION);
	buf[4] = WIRE_VERSION;
	buf[len - 1] ^= 1;
	cr_expect_eq(wire_parse(buf, len, conf, key, &read), WIRE_BAD_TAG);
}

Test(wire, another_key_is_refused)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(1);
	struct wire_packet packet = at_rest(conf), read;
	uint8_t buf[WIRE_SIZE_MAX];
	size_t len;

	len = wire_build(&packet, conf, key, buf, sizeof(buf));
	cr_expect_eq(wire_parse(buf, len, conf, other_key, &read), WIRE_BAD_TAG);
	cr_expect_eq(wire_parse(buf, len, conf, NULL, &read), WIRE_BAD_TAG);
	len = wire_build(&packet, conf, NULL, buf, sizeof(buf));
	cr_expect_eq(wire_parse(buf, len, conf, key, &read), WIRE_BAD_TAG);
}

/* Put a right tag on @len bytes; *@len grows by it. */
static void seal(uint8_t *buf, size_t *len)
{
	(void)crypto_generichash(buf + *len, TAG_SIZE, buf, *len, key, sizeof(key));
	*len += TAG_SIZE;
}

Test(wire, cut_short_at_any_length_is_refused)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(2);
	struct wire_packet packet = at_rest(conf), read;
	uint8_t whole[WIRE_SIZE_MAX], buf[WIRE_SIZE_MAX];
	size_t whole_len;

	packet.beat.groups[1].move = CORE_MOVE_OFFER;
	packet.beat.groups[1].unfit = CORE_UNFIT_LINK;
	packet.beat.groups[1].term_max = 9999;
	whole_len = wire_build(&packet, conf, key, whole, sizeof(whole));
	for (size_t len = 0; len < whole_len; len++)
		cr_expect_neq(wire_parse(whole, len, conf, key, &read), WIRE_ACCEPTED, "%zu", len);
	/* Authentic, by one who builds it wrong. */
	for (size_t len = 0; len < whole_len - TAG_SIZE; len++) {
		size_t sealed = len;

		memcpy(buf, whole, len);
		seal(buf, &sealed);
		cr_expect_neq(wire_parse(buf, sealed, conf, key, &read), WIRE_ACCEPTED, "%zu", len);
	}
}

Test(wire, bytes_behind_the_end_are_refused)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(1);
	struct wire_packet packet = at_rest(conf), read;
	uint8_t buf[WIRE_SIZE_MAX];
	size_t len;

	len = wire_build(&packet, conf, key, buf, sizeof(buf)) - TAG_SIZE;
	buf[len++] = 0;
	seal(buf, &len);
	cr_expect_eq(wire_parse(buf, len, conf, key, &read), WIRE_MALFORMED);
}

Test(wire, a_buffer_that_is_too_small_is_not_overrun)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(2);
	struct wire_packet packet = at_rest(conf);
	uint8_t buf[WIRE_SIZE_MAX];
	size_t whole_len = wire_build(&packet, conf, key, buf, sizeof(buf));

	for (size_t size = 0; size < whole_len; size++) {
		memset(buf, 0xee, sizeof(buf));
		cr_expect_eq(wire_build(&packet, conf, key, buf, size), 0);
		cr_expect_eq(buf[size], 0xee, "%zu", size);
	}
	cr_expect_eq(wire_build(&packet, conf, key, buf, whole_len), whole_len);
}

/* Where things are in a heartbeat of alpha with one record and no extras. */
enum {
	AT_TYPE = 5,
	AT_ZERO = 6,
	AT_REPLY = WIRE_REPLY_OFFSET,
	AT_SESSION = 8,
	AT_NAME_LEN = 8 + 4 * 8 + 12,
	AT_NAME = AT_NAME_LEN + 1,
	AT_SEQ = AT_NAME + NAME_LEN,
	AT_FLAGS = AT_SEQ + 8 + 8 + 4 + 4 + 8 + 2,
	AT_N = AT_FLAGS + 1,
	AT_RECORD = AT_N + 1,
	AT_STATE = AT_RECORD + 8,
	AT_BITS = AT_STATE + 1,
	AT_TERM = AT_BITS + 1,
	AT_MOVE = AT_TERM + 2, /* 130 takes two bytes */
	AT_OPTIONS = AT_MOVE + 22,
};

/* What comes of a heartbeat with one byte changed by one who knows the key. */
static enum wire_refusal with_byte(const struct wire_packet *packet, const struct conf *conf,
				   size_t at, uint8_t value, struct wire_packet *ret)
{
	uint8_t buf[WIRE_SIZE_MAX];
	size_t len;

	len = wire_build(packet, conf, key, buf, sizeof(buf)) - TAG_SIZE;
	cr_assert_lt(at, len);
	buf[at] = value;
	seal(buf, &len);
	return wire_parse(buf, len, conf, key, ret);
}

Test(wire, authentic_nonsense_is_malformed_and_writes_nothing)
{
	static const struct {
		size_t at;
		uint8_t good, bad;
	} bytes[] = {
		{ AT_TYPE, WIRE_BEAT, _WIRE_TYPE_MAX },
		{ AT_TYPE, WIRE_BEAT, WIRE_HELLO }, /* with records behind it */
		{ AT_ZERO, 0, 1 },
		{ AT_REPLY, 1, 2 },
		{ AT_NAME_LEN, NAME_LEN, 0 },
		{ AT_NAME_LEN, NAME_LEN, CONF_NAME_MAX + 1 },
		{ AT_NAME_LEN, NAME_LEN, 0xff },
		{ AT_NAME, 'b', '/' },
		{ AT_NAME + 2, 'b', 0 },
		{ AT_FLAGS, 7, 8 },
		{ AT_N, 1, 2 },
		{ AT_N, 1, 0 },
		{ AT_N, 1, 0xff },
		{ AT_STATE, _CORE_STATE_MAX - 1, _CORE_STATE_MAX },
		{ AT_BITS, 16, 128 }, /* how the move is wanted, and no move */
		{ AT_BITS, 16, 16 | 128 },
		{ AT_BITS, 16, 16 | 4 }, /* says that more follows than does */
		{ AT_MOVE, _CORE_MOVE_MAX - 1, _CORE_MOVE_MAX },
		{ AT_MOVE + 1, _CORE_RESULT_MAX - 1, _CORE_RESULT_MAX },
	};
	_cleanup_(conf_freep) struct conf *conf = with_groups(1);
	struct wire_packet packet = at_rest(conf);

	packet.beat.groups[0].move = CORE_MOVE_OFFER;
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
		struct wire_packet read = { .session = 77 };

		cr_expect_eq(with_byte(&packet, conf, bytes[i].at, bytes[i].bad, &read),
			     WIRE_MALFORMED, "row %zu", i);
		cr_expect_eq(read.session, 77);
		cr_expect_eq(with_byte(&packet, conf, bytes[i].at, bytes[i].good, &read),
			     WIRE_ACCEPTED, "row %zu", i);
	}
}

Test(wire, a_set_of_unfit_reasons_with_unknown_ones_is_malformed)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(1);
	struct wire_packet packet = at_rest(conf), read;

	packet.beat.groups[0].unfit = 1;
	cr_expect_eq(with_byte(&packet, conf, AT_MOVE, _CORE_UNFIT_MASK >> 8, &read),
		     WIRE_ACCEPTED);
	cr_expect_eq(with_byte(&packet, conf, AT_MOVE, (_CORE_UNFIT_MASK >> 8) + 1, &read),
		     WIRE_MALFORMED);
}

Test(wire, a_wish_that_nobody_can_have_is_malformed)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(1);
	struct wire_packet packet = at_rest(conf), read;

	packet.beat.groups[0].move = CORE_MOVE_ASK;
	packet.beat.groups[0].options.strict = true;
	cr_expect_eq(with_byte(&packet, conf, AT_OPTIONS, 3, &read), WIRE_ACCEPTED);
	cr_expect(read.beat.groups[0].options.force);
	cr_expect_eq(with_byte(&packet, conf, AT_OPTIONS, 1 << 4, &read), WIRE_MALFORMED);
}

Test(wire, a_count_of_silences_that_nobody_reaches_is_malformed)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(1);
	struct wire_packet packet = at_rest(conf), read;

	packet.beat.groups[0].silences = 1;
	cr_expect_eq(with_byte(&packet, conf, AT_MOVE, CORE_SILENCES_MAX, &read), WIRE_ACCEPTED);
	cr_expect_eq(read.beat.groups[0].silences, CORE_SILENCES_MAX);
	cr_expect_eq(with_byte(&packet, conf, AT_MOVE, CORE_SILENCES_MAX + 1, &read),
		     WIRE_MALFORMED);
}

Test(wire, no_session_no_number_or_a_greeting_as_reply_is_malformed)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(1);
	struct wire_packet packet = at_rest(conf), read;
	uint8_t buf[WIRE_SIZE_MAX];
	size_t len;

	packet.session = 0;
	len = wire_build(&packet, conf, key, buf, sizeof(buf));
	cr_expect_eq(wire_parse(buf, len, conf, key, &read), WIRE_MALFORMED);
	packet = at_rest(conf);
	packet.beat.seq = 0;
	len = wire_build(&packet, conf, key, buf, sizeof(buf));
	cr_expect_eq(wire_parse(buf, len, conf, key, &read), WIRE_MALFORMED);
	packet = at_rest(conf);
	packet.type = WIRE_HELLO;
	cr_expect_eq(with_byte(&packet, conf, AT_REPLY, 1, &read), WIRE_MALFORMED);
}

static enum wire_refusal with_record(const struct core_record *record, const struct conf *conf)
{
	struct wire_packet packet = at_rest(conf), read;
	uint8_t buf[WIRE_SIZE_MAX];

	packet.beat.groups[0] = *record;
	return wire_parse(buf, wire_build(&packet, conf, key, buf, sizeof(buf)), conf, key, &read);
}

/* The next term is one more than the highest that was seen: there must be one. */
Test(wire, a_term_behind_which_they_would_wrap_is_malformed)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(1);
	const struct core_record highest = {
		.present = true,
		.term = CORE_TERM_MAX,
		.term_max = CORE_TERM_MAX,
		.move = CORE_MOVE_OFFER,
		.move_term = CORE_TERM_MAX,
	};
	const uint64_t beyond[] = { CORE_TERM_MAX + 1, UINT64_MAX };
	struct core_record record;

	cr_expect_eq(with_record(&highest, conf), WIRE_ACCEPTED);
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++) {
		record = highest;
		record.term = beyond[i];
		cr_expect_eq(with_record(&record, conf), WIRE_MALFORMED);
		record = highest;
		record.term_max = beyond[i];
		cr_expect_eq(with_record(&record, conf), WIRE_MALFORMED);
		record = highest;
		record.move_term = beyond[i];
		cr_expect_eq(with_record(&record, conf), WIRE_MALFORMED);
	}
}

Test(wire, a_term_that_does_not_end_is_malformed)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(1);
	struct wire_packet packet = at_rest(conf), read;

	packet.beat.groups[0].term = packet.beat.groups[0].term_max = CORE_TERM_MAX;
	cr_expect_eq(with_byte(&packet, conf, AT_TERM + 8, 0x7f, &read), WIRE_ACCEPTED);
	cr_expect_eq(with_byte(&packet, conf, AT_TERM + 8, 0xff, &read), WIRE_MALFORMED);
}

Test(wire, byte_7_tells_the_kernel_which_heartbeat_is_a_reply)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(1);
	struct wire_packet packet = at_rest(conf);
	uint8_t buf[WIRE_SIZE_MAX];

	cr_assert_gt(wire_build(&packet, conf, key, buf, sizeof(buf)), 0);
	cr_expect_eq(buf[7], 0);
	packet.beat.reply = true;
	cr_assert_gt(wire_build(&packet, conf, key, buf, sizeof(buf)), 0);
	cr_expect_eq(buf[7], 1);
	packet.type = WIRE_HELLO;
	cr_assert_gt(wire_build(&packet, conf, key, buf, sizeof(buf)), 0);
	cr_expect_eq(buf[7], 0);
}

Test(wire, a_group_that_only_one_side_has_is_passed_over)
{
	_cleanup_(conf_freep) struct conf *three = with_groups(3);
	_cleanup_(conf_freep) struct conf *other =
		conf_from_text("[Node alpha]\nAddress=10.0.0.1\n[Node beta]\nAddress=10.0.0.2\n"
			       "[Group g002]\nVirtualAddress=10.1.0.2 eth0\n"
			       "[Group a]\nVirtualAddress=10.1.0.9 eth0\n");
	struct wire_packet packet = at_rest(three), read;
	uint8_t buf[WIRE_SIZE_MAX];
	size_t len;

	packet.beat.groups[2].term = packet.beat.groups[2].term_max = 1234;
	len = wire_build(&packet, three, key, buf, sizeof(buf));
	cr_assert_eq(wire_parse(buf, len, other, key, &read), WIRE_ACCEPTED);
	cr_expect_not(read.beat.groups[0].present);
	cr_expect(read.beat.groups[1].present);
	cr_expect_eq(read.beat.groups[1].term, 1234);
}

/* Of 7 KiB most is not in use, and each datagram would cost as much as if it were. */
Test(wire, records_of_groups_that_are_not_configured_are_left_alone)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(3);
	struct wire_packet packet = at_rest(conf), read;
	uint8_t buf[WIRE_SIZE_MAX];
	size_t len;

	packet.beat.groups[1].present = false;
	for (size_t g = 0; g < CORE_GROUPS_MAX; g++)
		read.beat.groups[g] = (struct core_record){ .present = true, .term = 99 };
	len = wire_build(&packet, conf, key, buf, sizeof(buf));
	cr_assert_eq(wire_parse(buf, len, conf, key, &read), WIRE_ACCEPTED);
	cr_expect(read.beat.groups[0].present);
	cr_expect_not(read.beat.groups[1].present);
	cr_expect_eq(read.beat.groups[1].term, 0);
	for (size_t g = 3; g < CORE_GROUPS_MAX; g++)
		cr_expect_eq(read.beat.groups[g].term, 99);
}

Test(wire, a_group_that_comes_twice_is_malformed)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(2);
	struct wire_packet packet = at_rest(conf), read;
	uint8_t buf[WIRE_SIZE_MAX];
	size_t len;

	len = wire_build(&packet, conf, key, buf, sizeof(buf)) - TAG_SIZE;
	memcpy(buf + AT_RECORD + 12, buf + AT_RECORD, 8);
	seal(buf, &len);
	cr_expect_eq(wire_parse(buf, len, conf, key, &read), WIRE_MALFORMED);
}

Test(wire, a_node_that_we_do_not_have_is_nobody)
{
	_cleanup_(conf_freep) struct conf *conf = with_groups(1);
	_cleanup_(conf_freep) struct conf *other =
		conf_from_text("[Node alpha]\nAddress=10.0.0.1\n[Node gamma]\nAddress=10.0.0.2\n"
			       "[Group g000]\nVirtualAddress=10.1.0.0 eth0\n");
	struct wire_packet packet = at_rest(conf), read;
	uint8_t buf[WIRE_SIZE_MAX];
	size_t len;

	packet.beat.groups[0].move = CORE_MOVE_OFFER;
	packet.beat.groups[0].move_to = 1;
	packet.beat.groups[0].options.to = 2;
	len = wire_build(&packet, conf, key, buf, sizeof(buf));
	cr_assert_eq(wire_parse(buf, len, other, key, &read), WIRE_ACCEPTED);
	cr_expect_eq(read.beat.groups[0].move_to, CORE_NODE_NONE);
	cr_expect_gt(read.beat.groups[0].options.to, CORE_NODES_MAX);
}

Test(wire, a_hundred_groups_at_rest_fit_into_one_frame)
{
	_cleanup_(conf_freep) struct conf *one = with_groups(1);
	_cleanup_(conf_freep) struct conf *hundred = with_groups(100);
	_cleanup_(conf_freep) struct conf *most = with_groups(CORE_GROUPS_MAX);
	struct wire_packet packet = at_rest(one);
	uint8_t buf[WIRE_SIZE_MAX];
	size_t len;

	len = wire_build(&packet, one, key, buf, sizeof(buf));
	fprintf(stderr, "1 group: %zu bytes\n", len);
	cr_expect_lt(len, 200);
	packet = at_rest(hundred);
	len = wire_build(&packet, hundred, key, buf, sizeof(buf));
	fprintf(stderr, "100 groups: %zu bytes\n", len);
	cr_expect_leq(len, 1500 - 40 - 8); /* MTU, IPv6 and UDP header */

	packet = at_rest(most);
	for (size_t i = 0; i < most->n_groups; i++)
		packet.beat.groups[i] = (struct core_record){
			.present = true,
			.term = CORE_TERM_MAX,
			.term_max = CORE_TERM_MAX - 1,
			.unfit = 1,
			.move = CORE_MOVE_ASK,
			.options = { .to = 1, .within_us = 1 },
		};
	expect_round_trip(&packet, most);
}
