/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What has been packed as a trace in text: another core lives through it, so that
 * what it decides can be written, and be compared with what was decided.
 */

#include <stdio.h>

#include "agent/core/core.h"

struct player;

int player_new(struct player **ret);
struct player *player_free(struct player *player);
DEFINE_CLEANUP(struct player *, player_free)

bool player_play(struct player *player, const uint8_t *data, size_t size, FILE *to);
void player_end(FILE *to);
