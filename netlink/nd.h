/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/packet.h"

void nd_build_advertisement(struct frame *ret, const uint8_t mac[static 6], const struct ip *ip,
			    bool router);
