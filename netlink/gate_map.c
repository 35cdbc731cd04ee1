/* SPDX-License-Identifier: MIT */
#include "netlink/gate_map.h"

#include <errno.h>
#include <inttypes.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>

#include "netlink/gate_devices.h"
#include "netlink/gate_rule.h"

DEFINE_CLEANUP(struct nftnl_set *, nftnl_set_free)

/* Setters of libnftnl need no check: see gate_rule.c. */

static bool belongs(const struct gate_map *map, const struct gate_config *config,
		    const struct gate_vip *vip)
{
	if (vip->ip.family != map->ip_family)
		return false;
	return map->devices != GATE_MAP_STAGED ||
	       (vip->device && config->devices[vip->device - 1].staged);
}

/* The set for up to GATE_BATCH_ELEMENTS addresses from *pos on, which moves on; NULL: none left. */
static struct nftnl_set *next_elements(struct gate_batch *b, const struct gate_map *map,
				       const struct gate_config *config, size_t *pos)
{
	_cleanup_(nftnl_set_freep) struct nftnl_set *set = nftnl_set_alloc();
	size_t n = 0;

	if (!set) {
		gate_batch_fail(b, -ENOMEM);
		return NULL;
	}
	nftnl_set_set_str(set, NFTNL_SET_TABLE, b->table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, map->name);
	for (; *pos < config->n_vips && n < GATE_BATCH_ELEMENTS; (*pos)++) {
		const struct gate_vip *vip = &config->vips[*pos];
		char chain[GATE_CHAIN_NAME_MAX];
		struct nftnl_set_elem *elem;

		if (!belongs(map, config, vip))
			continue;
		elem = nftnl_set_elem_alloc();
		if (!elem) {
			gate_batch_fail(b, -ENOMEM);
			return NULL;
		}
		if (map->devices == GATE_MAP_CHAINS && vip->device)
			gate_devices_chain(vip->group, vip->device, chain);
		else
			(void)snprintf(chain, sizeof(chain), "%s_%" PRIu32, map->chain, vip->group);
		nftnl_set_elem_set(elem, NFTNL_SET_ELEM_KEY, vip->ip.bytes,
				   (uint32_t)ip_len(&vip->ip));
		nftnl_set_elem_set_u32(elem, NFTNL_SET_ELEM_VERDICT, (uint32_t)map->verdict);
		nftnl_set_elem_set_str(elem, NFTNL_SET_ELEM_CHAIN, chain);
		nftnl_set_elem_add(set, elem); /* takes it */
		n++;
	}
	return n > 0 ? TAKE(set) : NULL;
}

/**
 * gate_map_fill() - Put the addresses that belong in a map into it.
 * @b: the batch, of the map's table
 * @map: the map, which has been added
 * @config: the configuration
 */
void gate_map_fill(struct gate_batch *b, const struct gate_map *map,
		   const struct gate_config *config)
{
	size_t pos = 0;

	/* In messages that an attribute of 64 KiB can hold. */
	for (;;) {
		_cleanup_(nftnl_set_freep) struct nftnl_set *set =
			next_elements(b, map, config, &pos);

		if (!set)
			return;
		gate_batch_elements(b, NFT_MSG_NEWSETELEM, map->family, set);
	}
}

/**
 * gate_map_look() - A whole rule: the verdict for an address of the packet, if there is one.
 * @b: the batch
 * @family: NFPROTO_INET or NFPROTO_ARP
 * @chain: name of the chain
 * @nfproto: of the packets, NFPROTO_IPV4 or NFPROTO_IPV6; 0: the table has no others
 * @offset: of the address in the network header
 * @map: name of the map
 */
void gate_map_look(struct gate_batch *b, uint16_t family, const char *chain, uint8_t nfproto,
		   uint32_t offset, const char *map)
{
	struct gate_rule r = gate_rule_begin(b, family, chain);

	if (nfproto != 0) {
		gate_rule_meta(&r, NFT_META_NFPROTO);
		gate_rule_equals_u8(&r, nfproto);
	}
	gate_rule_payload(&r, NFT_PAYLOAD_NETWORK_HEADER, offset, nfproto == NFPROTO_IPV6 ? 16 : 4);
	gate_rule_vmap(&r, map);
	gate_rule_end(&r);
}
