/* SPDX-License-Identifier: MIT */
#pragma once

/* Whether somebody takes connections of TCP. */

#include "agent/base.h"

int tcp_open(const struct ip *ip, int *ret_fd);
int tcp_connect(int fd, const struct ip *ip, uint16_t port);
int tcp_result(int fd);
