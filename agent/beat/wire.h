/* SPDX-License-Identifier: MIT */
#pragma once

/* Heartbeats as bytes: built, parsed and authenticated; no sockets. */

#include "agent/conf/conf.h"

enum {
	WIRE_VERSION = 1,
	WIRE_SIZE_MAX = 16384,
	WIRE_REPLY_OFFSET = 7, /* the byte that the gate's echo guard looks at */
};

enum wire_type {
	WIRE_BEAT,     /* a heartbeat: session established, carries the records */
	WIRE_HELLO,    /* a step of the handshake: no records */
	WIRE_STRANGER, /* "my configuration does not name you" */
	_WIRE_TYPE_MAX,
};

struct wire_packet {
	enum wire_type type;
	char name[CONF_NAME_MAX + 1]; /* of the sender */
	uint64_t session;	      /* the sender's, random per process start; not 0 */
	uint64_t peer_session;	      /* the receiver's, as the sender knows it; 0: not */
	uint64_t challenge;	      /* to be sent back as response; 0: none */
	uint64_t response;
	uint64_t path_echo_seq;	   /* highest beat heard on this path */
	uint32_t path_echo_age_us; /* how long ago */
	struct core_beat beat;	   /* BEAT only */
};

/* Why a datagram was refused; each has its counter. */
enum wire_refusal {
	WIRE_ACCEPTED,
	WIRE_TOO_SHORT,
	WIRE_BAD_MAGIC,
	WIRE_BAD_VERSION,
	WIRE_BAD_TAG,	/* authentication failed: another key, or tampered with */
	WIRE_MALFORMED, /* authentic, yet not what it should be */
	_WIRE_REFUSAL_MAX,
};

size_t wire_build(const struct wire_packet *packet, const struct conf *conf, const uint8_t *key,
		  uint8_t *buf, size_t size);
enum wire_refusal wire_parse(const uint8_t *buf, size_t len, const struct conf *conf,
			     const uint8_t *key, struct wire_packet *ret);
