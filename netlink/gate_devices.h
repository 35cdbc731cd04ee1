/* SPDX-License-Identifier: MIT */
#pragma once

#include "netlink/gate.h"
#include "netlink/gate_batch.h"

void gate_devices_chain(uint32_t group, uint32_t device, char ret[static GATE_CHAIN_NAME_MAX]);
bool gate_devices_lay(struct gate_batch *b, const struct gate_config *config);
void gate_devices_quiet_chain(uint32_t group, char ret[static GATE_CHAIN_NAME_MAX]);
void gate_devices_quiet(struct gate_batch *b, const struct gate_device *device);
void gate_devices_in(struct gate_batch *b);
void gate_devices_out(struct gate_batch *b);
