/* SPDX-License-Identifier: MIT */
#pragma once

/* A configuration without mistake, in parts, for tests to say more in any of them. */

#include "tests/with_conf.h"

#define NODES                                                                                      \
	"[Node alpha]\nAddress=10.0.0.1\n"                                                         \
	"[Node beta]\nAddress=10.0.0.2\n"
#define GROUP "[Group sip]\nVirtualAddress=10.0.0.3/24 eth0\n"
#define GOOD NODES GROUP
