/* SPDX-License-Identifier: MIT */
#include "netlink/gate_label.h"

#include <inttypes.h>
#include <libnftnl/udata.h>
#include <stdio.h>
#include <string.h>

enum { GATE_LAYOUT = 5 }; /* version of what gate_rules_lay() lays, part of the digest */

static uint64_t fnv1a(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3); /* the 64-bit FNV prime */
	return hash;
}

/**
 * gate_label() - The user data of tables laid for a configuration.
 * @config: the configuration
 *
 * Return: a comment, as `nft` lists it, of "takeoverd" and a digest of the
 * configuration and of the layout of the rules; the caller's; NULL without memory.
 */
struct nftnl_udata_buf *gate_label(const struct gate_config *config)
{
	const uint32_t head[] = { GATE_LAYOUT,	    config->port,    config->mark,
				  config->lease_ms, config->echo_ms, config->n_groups };
	struct nftnl_udata_buf *label = nftnl_udata_buf_alloc(NFTNL_UDATA_COMMENT_MAXLEN);
	uint64_t hash = fnv1a(UINT64_C(0xcbf29ce484222325), head, sizeof(head));
	char comment[sizeof("takeoverd 0123456789abcdef")];

	if (!label)
		return NULL;
	for (size_t i = 0; i < config->n_groups; i++)
		hash = fnv1a(hash, config->names[i], strlen(config->names[i]) + 1);
	for (size_t i = 0; i < config->n_vips; i++) {
		const struct gate_vip *vip = &config->vips[i];

		hash = fnv1a(hash, &vip->group, sizeof(vip->group));
		hash = fnv1a(hash, &vip->ip.family, sizeof(vip->ip.family));
		hash = fnv1a(hash, vip->ip.bytes, ip_len(&vip->ip));
		hash = fnv1a(hash, &vip->device, sizeof(vip->device));
	}
	for (size_t i = 0; i < config->n_devices; i++) {
		const struct gate_device *device = &config->devices[i];

		hash = fnv1a(hash, &device->group, sizeof(device->group));
		hash = fnv1a(hash, device->name, strlen(device->name) + 1);
		hash = fnv1a(hash, &device->quiet, sizeof(device->quiet));
		hash = fnv1a(hash, &device->staged, sizeof(device->staged));
	}
	(void)snprintf(comment, sizeof(comment), "takeoverd %016" PRIx64, hash);
	(void)nftnl_udata_put_strz(label, NFTNL_UDATA_TABLE_COMMENT, comment); /* it fits */
	return label;
}
