/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Announcements: ARP and ND frames for a group's addresses, to everybody and
 * to those who are known, paced, through packet sockets that were opened
 * beforehand.
 */

#include <systemd/sd-event.h>

#include "agent/conf/conf.h"
#include "netlink/link.h"
#include "netlink/neigh.h"

struct announcer;

int announcer_new(const struct conf *conf, sd_event *loop, struct announcer **ret);
struct announcer *announcer_free(struct announcer *a);
DEFINE_CLEANUP(struct announcer *, announcer_free)

int announcer_link(struct announcer *a, const struct link *link);
void announcer_link_gone(struct announcer *a, int ifindex);
void announcer_look(struct announcer *a, uint8_t group);
void announcer_start(struct announcer *a, uint8_t group);
void announcer_cancel(struct announcer *a, uint8_t group);
int announcer_unread(struct announcer *a);
void announcer_neighbours(struct announcer *a, int ifindex, struct neigh *v, size_t n);
bool announcer_busy(const struct announcer *a);
