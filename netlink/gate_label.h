/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/gate.h"

struct nftnl_udata_buf;

struct nftnl_udata_buf *gate_label(const struct gate_config *config);
