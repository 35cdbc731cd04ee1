/* SPDX-License-Identifier: MIT */
#pragma once

/* Dictionaries in messages, such as a{sv}. */

#include <systemd/sd-bus.h>

int dict_each(sd_bus_message *m, const char *contents, int (*read)(sd_bus_message *m, void *ctx),
	      void *ctx);
