/* SPDX-License-Identifier: MIT */
#pragma once

#include "agent/base.h"

/* Packet sockets that only send: announcements leave through them. */

enum { FRAME_MAX = 128 };

struct frame {
	uint16_t len;
	uint8_t bytes[FRAME_MAX]; /* whole Ethernet frame, without FCS */
};

int packet_open(int ifindex);
int packet_send(int fd, const struct frame *frames, size_t n, size_t *ret_sent);
