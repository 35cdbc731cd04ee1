/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/gate.h"
#include "netlink/gate_batch.h"

void gate_moat_remove(struct gate_batch *b);
void gate_moat_lay(struct gate_batch *b, const struct gate_config *config);
void gate_moat_set(struct gate_batch *b, const struct gate_config *config, uint32_t group,
		   bool open);
void gate_moat_flush(struct gate_batch *b, const struct gate_config *config);
