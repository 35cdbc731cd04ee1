/* SPDX-License-Identifier: MIT */

#include "agent/kernel/vips.h"
#include "netlink/local.h"

/**
 * vips_contain() - Is this address one of the group's, as configured?
 * @ifname: name of the interface that it is on
 */
bool vips_contain(const struct conf_group *group, const char *ifname, const struct addr *addr)
{
	const struct conf_vip *vip = conf_find_vip(group, &addr->ip);

	return vip && vip->prefix == addr->prefix && !strcmp(vip->ifname, ifname);
}

/**
 * vips_precede() - Has this address come behind one of the group's, in the same network?
 * @ifname: name of the interface that it is on; NULL: any may be
 */
bool vips_precede(const struct conf_group *group, const char *ifname, const struct addr *addr)
{
	for (size_t i = 0; addr->secondary && i < group->n_vips; i++) {
		const struct conf_vip *vip = &group->vips[i];
		const struct local network = { .ip = vip->ip, .prefix = vip->prefix };

		if (vip->prefix == addr->prefix && local_covers(&network, &addr->ip) &&
		    (!ifname || !strcmp(vip->ifname, ifname)))
			return true;
	}
	return false;
}

/**
 * vips_concern() - Of thousands of addresses on this host, is this one that anybody has to look at?
 *
 * It is one of a group's, or behind one of them, whatever the interface.
 */
bool vips_concern(const struct conf *conf, const struct addr *addr)
{
	for (size_t g = 0; g < conf->n_groups; g++)
		if (conf_find_vip(&conf->groups[g], &addr->ip) ||
		    vips_precede(&conf->groups[g], NULL, addr))
			return true;
	return false;
}
