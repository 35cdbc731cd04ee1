/* SPDX-License-Identifier: MIT */

/*
 * Datagrams. The first byte says how the rest is used: as it came from the network,
 * or behind magic and version and sealed by one who knows the key, so that the
 * parser behind the authentication is reached; with a key or without one.
 *
 * Law: what was read can be written, and is then read as the same.
 */

#include <sodium.h>

#include "tests/fuzz/fuzz.h"
#include "tests/wire_difference.h"
#include "tests/with_conf.h"

enum {
	TAG_SIZE = 32,
	SEALED = 1 << 0,
	WITHOUT_KEY = 1 << 1,
};

static const uint8_t some_key[CONF_KEY_SIZE] = { 1, 2, 3 };
static const uint8_t head[] = { 't', 'k', 'o', 'v', WIRE_VERSION };

static const struct conf *the_conf(void)
{
	static struct conf *conf;

	if (!conf)
		conf = conf_from_text("[Node alpha]\nAddress=10.0.0.1\n"
				      "[Node beta]\nAddress=10.0.0.2\n"
				      "[Group g0]\nVirtualAddress=10.1.0.0 eth0\n"
				      "[Group g1]\nVirtualAddress=10.1.0.1 eth0\n"
				      "[Group g2]\nVirtualAddress=10.1.0.2 eth0\n");
	return conf;
}

static size_t seal(const uint8_t *data, size_t size, const uint8_t *key,
		   uint8_t ret[static WIRE_SIZE_MAX])
{
	size_t len = sizeof(head) + size;

	if (len + TAG_SIZE > WIRE_SIZE_MAX)
		return 0;
	memcpy(ret, head, sizeof(head));
	if (size > 0)
		memcpy(ret + sizeof(head), data, size);
	(void)crypto_generichash(ret + len, TAG_SIZE, ret, len, key, key ? CONF_KEY_SIZE : 0);
	return len + TAG_SIZE;
}

/* wire_parse() of a copy that ends where the datagram ends. */
static enum wire_refusal parse(const uint8_t *data, size_t len, const uint8_t *key,
			       struct wire_packet *ret)
{
	_cleanup_(freep) uint8_t *copy = malloc(len);

	assert(copy || len == 0);
	if (len > 0)
		memcpy(copy, data, len);
	return wire_parse(copy, len, the_conf(), key, ret);
}

static void check_round_trip(const struct wire_packet *packet, const uint8_t *key)
{
	struct wire_packet again;
	uint8_t buf[WIRE_SIZE_MAX];
	size_t len = wire_build(packet, the_conf(), key, buf, sizeof(buf));

	assert(len > 0);
	assert(parse(buf, len, key, &again) == WIRE_ACCEPTED);
	assert(!wire_difference(packet, &again, the_conf()->n_groups));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_packet packet = { .session = 77 };
	uint8_t buf[WIRE_SIZE_MAX];
	enum wire_refusal refusal;
	const uint8_t *key;

	if (size == 0)
		return 0;
	key = data[0] & WITHOUT_KEY ? NULL : some_key;
	if (data[0] & SEALED) {
		size_t len = seal(data + 1, size - 1, key, buf);

		refusal = parse(buf, len, key, &packet);
		assert(refusal == WIRE_ACCEPTED || refusal == WIRE_MALFORMED ||
		       refusal == WIRE_TOO_SHORT);
	} else {
		refusal = parse(data + 1, size - 1, key, &packet);
	}
	assert(refusal < _WIRE_REFUSAL_MAX);
	if (refusal == WIRE_ACCEPTED)
		check_round_trip(&packet, key);
	else
		assert(packet.session == 77);
	return 0;
}
