/* SPDX-License-Identifier: MIT */

#include <stdio.h>

#include "agent/conf/conf.h"
#include "agent/words.h"

/**
 * words_addr() - An address as it is in the kernel, "10.77.0.100/16 on eth0"
 */
const char *words_addr(const struct links *links, const struct addr *addr,
		       char buf[static WORDS_ADDR_MAX])
{
	char ip[WORDS_IP_MAX];

	(void)snprintf(buf, WORDS_ADDR_MAX, "%s/%u on %s",
		       conf_format_ip(&addr->ip, ip, sizeof(ip)), addr->prefix,
		       links_name(links, addr->ifindex)); /* fits */
	return buf;
}

/**
 * words_mac() - "02:00:5e:10:20:30"
 */
const char *words_mac(const uint8_t mac[static 6], char buf[static WORDS_MAC_MAX])
{
	(void)snprintf(buf, WORDS_MAC_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		       mac[3], mac[4], mac[5]); /* fits */
	return buf;
}
