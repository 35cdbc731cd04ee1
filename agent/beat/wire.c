/* SPDX-License-Identifier: MIT */
#include "agent/beat/wire.h"

#include <sodium.h>

/*
 * A datagram, version 1; numbers big-endian:
 *
 *   magic "tkov", version, type, 0, reply
 *   session, peer_session, challenge, response      8 each
 *   path_echo_seq 8, path_echo_age_us 4
 *   length of the name 1, name
 *   BEAT only: seq 8, echo_seq 8, interval_us 4, lease_us 4, digest 8,
 *              priority 2, flags 1, number of records 1, records
 *   tag 32: keyed BLAKE2b of everything before it
 *
 * A record: id of the group 8, state 1, bits 1, term; term_max, unfit, silences
 * and the move only if a bit says so, and the terms in as many bytes as they need
 * (LEB128), nine at most; and behind the move how it is wanted, which only a caller's
 * may be. So 100 groups at rest fit into one Ethernet frame: a datagram in
 * fragments is lost when one of them is.
 */
enum {
	TAG_SIZE = 32,
	TYPE_OFFSET = 5,
	VERSION_OFFSET = 4,
	LEN_MIN = 8 + 4 * 8 + 12 + 2 + TAG_SIZE,
	TERM_BITS = 63, /* of CORE_TERM_MAX; seven to a byte */
	TERM_MAX_LEN = 9,
	RECORD_LEN_MAX = 8 + 1 + 1 + 2 * TERM_MAX_LEN + 2 + 1 + 22 + 13,
};

static_assert(CORE_GROUPS_MAX <= UINT8_MAX, "the number of records is one byte");
static_assert(LEN_MIN + CONF_NAME_MAX + 36 + CORE_GROUPS_MAX * RECORD_LEN_MAX <= WIRE_SIZE_MAX,
	      "every heartbeat fits");

static_assert(offsetof(struct wire_packet, beat) + sizeof(struct core_beat) ==
		      sizeof(struct wire_packet),
	      "the heartbeat is what a packet ends with");

enum flag {
	FLAG_REFERENCES_ANSWER = 1 << 0,
	FLAG_MARKED = 1 << 1,
	FLAG_WANTS_ANSWER = 1 << 2,
	_FLAG_MASK = (1 << 3) - 1,
};

enum record_bit {
	RECORD_STRICT = 1 << 0,
	RECORD_EVIDENCE = 1 << 1,
	RECORD_AHEAD = 1 << 2, /* term_max follows: it is not term */
	RECORD_UNFIT = 1 << 3, /* unfit follows: it is not 0 */
	RECORD_MOVE = 1 << 4,  /* a move follows */
	RECORD_TRAFFIC = 1 << 5,
	RECORD_SILENCES = 1 << 6, /* silences follow: they are not 0 */
	RECORD_OPTIONS = 1 << 7,  /* the move is followed by how it is wanted */
	_RECORD_MASK = (1 << 8) - 1,
};

enum option_bit {
	OPTION_STRICT = 1 << 0,
	OPTION_FORCE = 1 << 1,
	OPTION_TO = 1 << 2,	/* the id of a node follows */
	OPTION_WITHIN = 1 << 3, /* a time follows */
	_OPTION_MASK = (1 << 4) - 1,
};

static const uint8_t magic[4] = { 't', 'k', 'o', 'v' };

/* What is left to write; after the end of the buffer nothing is, and failed stays. */
struct writer {
	uint8_t *p, *end;
	bool failed;
};

static void put(struct writer *w, uint64_t value, size_t size)
{
	if ((size_t)(w->end - w->p) < size) {
		w->failed = true;
		return;
	}
	for (size_t i = 0; i < size; i++)
		w->p[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
	w->p += size;
}

static void put_bytes(struct writer *w, const void *data, size_t size)
{
	if ((size_t)(w->end - w->p) < size) {
		w->failed = true;
		return;
	}
	memcpy(w->p, data, size);
	w->p += size;
}

static void put_term(struct writer *w, uint64_t term)
{
	for (; term > 0x7f; term >>= 7)
		put(w, (term & 0x7f) | 0x80, 1);
	put(w, term, 1);
}

/* What is left to read; after a failure everything reads as 0. */
struct reader {
	const uint8_t *p, *end;
	bool failed;
};

static uint64_t get(struct reader *r, size_t size)
{
	uint64_t value = 0;

	if (r->failed || (size_t)(r->end - r->p) < size) {
		r->failed = true;
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		value = value << 8 | *r->p++;
	return value;
}

/* One of the values 0 to @end - 1; anything else is a failure. */
static unsigned get_enum(struct reader *r, unsigned end)
{
	uint64_t value = get(r, 1);

	if (value < end)
		return (unsigned)value;
	r->failed = true;
	return 0;
}

/* A set of the bits of @mask; anything else is a failure. */
static unsigned get_bits(struct reader *r, size_t size, unsigned mask)
{
	uint64_t value = get(r, size);

	if ((value & ~(uint64_t)mask) == 0)
		return (unsigned)value;
	r->failed = true;
	return 0;
}

static uint64_t get_term(struct reader *r)
{
	uint64_t term = 0, byte;

	for (unsigned shift = 0; shift < TERM_BITS; shift += 7) {
		byte = get(r, 1);
		term |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return term;
	}
	r->failed = true;
	return 0;
}

static uint64_t node_id(const struct conf *conf, uint8_t node)
{
	return node < conf->n_nodes ? conf->nodes[node].id : 0;
}

static uint8_t node_by_id(const struct conf *conf, uint64_t id)
{
	for (size_t i = 0; i < conf->n_nodes; i++)
		if (conf->nodes[i].id == id)
			return (uint8_t)i;
	return CORE_NODE_NONE;
}

static bool has_options(const struct core_record *record)
{
	const struct core_options *o = &record->options;

	return o->strict || o->force || o->to || o->within_us;
}

static void put_options(struct writer *w, const struct core_options *options,
			const struct conf *conf)
{
	put(w,
	    (options->strict ? OPTION_STRICT : 0u) | (options->force ? OPTION_FORCE : 0u) |
		    (options->to ? OPTION_TO : 0u) | (options->within_us ? OPTION_WITHIN : 0u),
	    1);
	if (options->to)
		put(w, node_id(conf, (uint8_t)(options->to - 1)), 8);
	if (options->within_us)
		put(w, options->within_us, 4);
}

/* A node that we do not have is one that nothing can be handed to. */
static void get_options(struct reader *r, const struct conf *conf, struct core_options *ret)
{
	unsigned bits = get_bits(r, 1, _OPTION_MASK);

	ret->strict = bits & OPTION_STRICT;
	ret->force = bits & OPTION_FORCE;
	if (bits & OPTION_TO) {
		uint8_t node = node_by_id(conf, get(r, 8));

		ret->to = node == CORE_NODE_NONE ? CORE_NODE_NONE : (uint8_t)(node + 1);
	}
	if (bits & OPTION_WITHIN)
		ret->within_us = (uint32_t)get(r, 4);
}

static void put_record(struct writer *w, const struct core_record *record, const struct conf *conf,
		       uint64_t id)
{
	bool ahead = record->term_max != record->term;
	bool move = record->move != CORE_MOVE_NONE || record->why != CORE_RESULT_OK;
	bool options = move && has_options(record);

	put(w, id, 8);
	put(w, record->state, 1);
	put(w,
	    (record->strict ? RECORD_STRICT : 0u) | (record->evidence ? RECORD_EVIDENCE : 0u) |
		    (ahead ? RECORD_AHEAD : 0u) | (record->unfit ? RECORD_UNFIT : 0u) |
		    (move ? RECORD_MOVE : 0u) | (record->traffic ? RECORD_TRAFFIC : 0u) |
		    (record->silences ? RECORD_SILENCES : 0u) | (options ? RECORD_OPTIONS : 0u),
	    1);
	put_term(w, record->term);
	if (ahead)
		put_term(w, record->term_max);
	if (record->unfit)
		put(w, record->unfit, 2);
	if (record->silences)
		put(w, record->silences, 1);
	if (!move)
		return;
	put(w, record->move, 1);
	put(w, record->why, 1);
	put(w, node_id(conf, record->move_to), 8);
	put(w, record->move_id, 4);
	put(w, record->move_term, 8);
	if (options)
		put_options(w, &record->options, conf);
}

static void get_record(struct reader *r, const struct conf *conf, struct core_record *ret)
{
	unsigned bits;

	*ret = (struct core_record){ .present = true, .move_to = CORE_NODE_NONE };
	ret->state = get_enum(r, _CORE_STATE_MAX);
	bits = get_bits(r, 1, _RECORD_MASK);
	ret->strict = bits & RECORD_STRICT;
	ret->evidence = bits & RECORD_EVIDENCE;
	ret->traffic = bits & RECORD_TRAFFIC;
	ret->term = get_term(r);
	ret->term_max = bits & RECORD_AHEAD ? get_term(r) : ret->term;
	if (bits & RECORD_UNFIT)
		ret->unfit = (uint16_t)get_bits(r, 2, _CORE_UNFIT_MASK);
	if (bits & RECORD_SILENCES)
		ret->silences = (uint8_t)get_enum(r, CORE_SILENCES_MAX + 1);
	if (!(bits & RECORD_MOVE)) {
		if (bits & RECORD_OPTIONS)
			r->failed = true;
		return;
	}
	ret->move = get_enum(r, _CORE_MOVE_MAX);
	ret->why = get_enum(r, _CORE_RESULT_MAX);
	ret->move_to = node_by_id(conf, get(r, 8));
	ret->move_id = (uint32_t)get(r, 4);
	ret->move_term = get(r, 8);
	if (ret->move_term > CORE_TERM_MAX)
		r->failed = true;
	if (bits & RECORD_OPTIONS)
		get_options(r, conf, &ret->options);
}

static void put_beat(struct writer *w, const struct core_beat *beat, const struct conf *conf)
{
	size_t n = 0;

	put(w, beat->seq, 8);
	put(w, beat->echo_seq, 8);
	put(w, beat->interval_us, 4);
	put(w, beat->lease_us, 4);
	put(w, beat->digest, 8);
	put(w, beat->priority, 2);
	put(w,
	    (beat->references_answer ? FLAG_REFERENCES_ANSWER : 0u) |
		    (beat->marked ? FLAG_MARKED : 0u) |
		    (beat->wants_answer ? FLAG_WANTS_ANSWER : 0u),
	    1);
	for (size_t i = 0; i < conf->n_groups; i++)
		n += beat->groups[i].present;
	put(w, n, 1);
	for (size_t i = 0; i < conf->n_groups; i++)
		if (beat->groups[i].present)
			put_record(w, &beat->groups[i], conf, conf->groups[i].id);
}

/* Our number of the group with @id; n_groups if it has none. Groups come in our order. */
static size_t group_by_id(const struct conf *conf, uint64_t id, size_t hint)
{
	if (hint < conf->n_groups && conf->groups[hint].id == id)
		return hint;
	for (size_t i = 0; i < conf->n_groups; i++)
		if (conf->groups[i].id == id)
			return i;
	return conf->n_groups;
}

static void get_records(struct reader *r, const struct conf *conf, struct core_beat *ret)
{
	size_t n = get_enum(r, CORE_GROUPS_MAX + 1);
	struct core_record record;

	for (size_t i = 0; i < n && !r->failed; i++) {
		size_t group = group_by_id(conf, get(r, 8), i);

		get_record(r, conf, &record);
		if (group == conf->n_groups)
			continue; /* a group that only the sender has (R12) */
		if (ret->groups[group].present)
			r->failed = true;
		ret->groups[group] = record;
	}
}

static void get_beat(struct reader *r, const struct conf *conf, bool reply, struct core_beat *ret)
{
	unsigned flags;

	ret->seq = get(r, 8);
	if (ret->seq == 0)
		r->failed = true;
	ret->echo_seq = get(r, 8);
	ret->interval_us = (uint32_t)get(r, 4);
	ret->lease_us = (uint32_t)get(r, 4);
	ret->digest = get(r, 8);
	ret->priority = (uint16_t)get(r, 2);
	ret->reply = reply;
	flags = get_bits(r, 1, _FLAG_MASK);
	ret->references_answer = flags & FLAG_REFERENCES_ANSWER;
	ret->marked = flags & FLAG_MARKED;
	ret->wants_answer = flags & FLAG_WANTS_ANSWER;
	get_records(r, conf, ret);
}

static void get_name(struct reader *r, char ret[static CONF_NAME_MAX + 1])
{
	size_t len = get_enum(r, CONF_NAME_MAX + 1);

	if (r->failed || len > (size_t)(r->end - r->p)) {
		r->failed = true;
		return;
	}
	memcpy(ret, r->p, len);
	r->p += len;
	if (strlen(ret) != len || !conf_name_valid(ret))
		r->failed = true;
}

static void make_tag(const uint8_t *buf, size_t len, const uint8_t *key,
		     uint8_t ret[static TAG_SIZE])
{
	/* Can only fail if the sizes are out of range. */
	(void)crypto_generichash(ret, TAG_SIZE, buf, len, key, key ? CONF_KEY_SIZE : 0);
}

/**
 * wire_build() - Write a packet as authenticated bytes.
 * @packet: packet; of beat.groups the first conf->n_groups that are present are sent, and of
 * a move without move and why nothing
 * @conf: whose groups and nodes the numbers in @packet mean
 * @key: CONF_KEY_SIZE bytes; NULL: Authentication=none, the tag is a mere checksum
 * @buf: receives the datagram; WIRE_SIZE_MAX bytes are always enough
 * @size: of @buf in bytes
 *
 * Return: length of the datagram in bytes; 0 if it does not fit.
 */
size_t wire_build(const struct wire_packet *packet, const struct conf *conf, const uint8_t *key,
		  uint8_t *buf, size_t size)
{
	struct writer w = { .p = buf, .end = buf + size };
	bool is_beat = packet->type == WIRE_BEAT;
	size_t name_len = strlen(packet->name);
	uint8_t tag[TAG_SIZE];

	put_bytes(&w, magic, sizeof(magic));
	put(&w, WIRE_VERSION, 1);
	put(&w, packet->type, 1);
	put(&w, 0, 1);
	put(&w, is_beat && packet->beat.reply, 1);
	put(&w, packet->session, 8);
	put(&w, packet->peer_session, 8);
	put(&w, packet->challenge, 8);
	put(&w, packet->response, 8);
	put(&w, packet->path_echo_seq, 8);
	put(&w, packet->path_echo_age_us, 4);
	put(&w, name_len, 1);
	put_bytes(&w, packet->name, name_len);
	if (is_beat)
		put_beat(&w, &packet->beat, conf);
	if (w.failed)
		return 0;
	make_tag(buf, (size_t)(w.p - buf), key, tag);
	put_bytes(&w, tag, sizeof(tag));
	return w.failed ? 0 : (size_t)(w.p - buf);
}

/* The authentic bytes behind magic and version. false: malformed. */
static bool get_packet(struct reader *r, const struct conf *conf, struct wire_packet *ret)
{
	bool reply;

	ret->type = get_enum(r, _WIRE_TYPE_MAX);
	(void)get_bits(r, 1, 0);
	reply = get_enum(r, ret->type == WIRE_BEAT ? 2 : 1);
	ret->session = get(r, 8);
	if (ret->session == 0)
		r->failed = true;
	ret->peer_session = get(r, 8);
	ret->challenge = get(r, 8);
	ret->response = get(r, 8);
	ret->path_echo_seq = get(r, 8);
	ret->path_echo_age_us = (uint32_t)get(r, 4);
	get_name(r, ret->name);
	if (ret->type == WIRE_BEAT)
		get_beat(r, conf, reply, &ret->beat);
	return !r->failed && r->p == r->end;
}

/**
 * wire_parse() - Authenticate and read a datagram.
 * @buf: datagram
 * @len: its length in bytes
 * @conf: whose groups and nodes are looked up; unknown groups are passed over, an unknown
 * node becomes CORE_NODE_NONE
 * @key: CONF_KEY_SIZE bytes; NULL: Authentication=none
 * @ret: packet; records of groups that the configuration does not have are left as they are
 *
 * Return: WIRE_ACCEPTED, or why it was refused.
 */
enum wire_refusal wire_parse(const uint8_t *buf, size_t len, const struct conf *conf,
			     const uint8_t *key, struct wire_packet *ret)
{
	const size_t size = offsetof(struct wire_packet, beat) + core_beat_size(conf->n_groups);
	struct wire_packet packet; /* as far as it is in use */
	uint8_t tag[TAG_SIZE];
	struct reader r;

	if (len < LEN_MIN)
		return WIRE_TOO_SHORT;
	if (memcmp(buf, magic, sizeof(magic)) != 0)
		return WIRE_BAD_MAGIC;
	if (buf[VERSION_OFFSET] != WIRE_VERSION)
		return WIRE_BAD_VERSION;
	make_tag(buf, len - TAG_SIZE, key, tag);
	if (sodium_memcmp(tag, buf + len - TAG_SIZE, TAG_SIZE) != 0)
		return WIRE_BAD_TAG;
	memset(&packet, 0, size);
	r = (struct reader){ .p = buf + TYPE_OFFSET, .end = buf + len - TAG_SIZE };
	if (!get_packet(&r, conf, &packet))
		return WIRE_MALFORMED;
	memcpy(ret, &packet, size);
	return WIRE_ACCEPTED;
}
