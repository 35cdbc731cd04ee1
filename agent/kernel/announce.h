/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Announcements: ARP and ND frames for a group's addresses, paced, through
 * packet sockets that were opened beforehand.
 */

#include <systemd/sd-event.h>

#include "agent/conf/conf.h"
#include "netlink/link.h"

struct announcer;

int announcer_new(const struct conf *conf, sd_event *loop, struct announcer **ret);
struct announcer *announcer_free(struct announcer *a);
DEFINE_CLEANUP(struct announcer *, announcer_free)

int announcer_link(struct announcer *a, const struct link *link);
void announcer_link_gone(struct announcer *a, int ifindex);
void announcer_start(struct announcer *a, uint8_t group);
void announcer_cancel(struct announcer *a, uint8_t group);
