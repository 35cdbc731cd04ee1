/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/gate.h"
#include "netlink/gate_batch.h"

void gate_rules_remove(struct gate_batch *b);
void gate_rules_lay(struct gate_batch *b, const struct gate_config *config);
