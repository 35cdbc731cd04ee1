/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/gate.h"
#include "netlink/gate_batch.h"

struct nftnl_udata_buf;

struct nftnl_udata_buf *gate_rules_label(const struct gate_config *config);
void gate_rules_remove(struct gate_batch *b);
void gate_rules_lay(struct gate_batch *b, const struct gate_config *config);
