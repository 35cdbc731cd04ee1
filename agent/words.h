/* SPDX-License-Identifier: MIT */
#pragma once

/* How addresses look to people. */

#include "agent/kernel/links.h"
#include "netlink/addr.h"

enum { WORDS_ADDR_MAX = 96, WORDS_IP_MAX = 64, WORDS_MAC_MAX = 18 };

const char *words_addr(const struct links *links, const struct addr *addr,
		       char buf[static WORDS_ADDR_MAX]);
const char *words_mac(const uint8_t mac[static 6], char buf[static WORDS_MAC_MAX]);
