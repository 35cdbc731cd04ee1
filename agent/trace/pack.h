/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a core has been told, packed: a run of entries that begins with the value
 * of the core, so that another core can live through the same. Of a heartbeat only
 * the records are kept that differ from those of the last one from that peer,
 * which the core has: most differ in none. No text, no sockets, no clock.
 */

#include "agent/core/core.h"

enum pack_what {
	PACK_EVENT,
	PACK_CORE, /* the value at this point; of no interest to who has come here from before */
	PACK_LOST, /* so many events are missing here; a PACK_CORE follows */
	_PACK_WHAT_MAX,
};

enum { PACK_LOST_SIZE = 16 };

size_t pack_core_size(const struct core_config *config);
size_t pack_event_max(const struct core_config *config);

size_t pack_core(uint8_t *to, const struct core *core);
size_t pack_event(uint8_t *to, const struct core *core, const struct core_event *event);
void pack_digest(uint8_t *entry, uint32_t digest);
size_t pack_lost(uint8_t *to, uint32_t n);

/* One entry; of the rest what goes with it. */
struct unpacked {
	enum pack_what what;
	uint32_t n;		 /* LOST */
	uint32_t digest;	 /* EVENT: of the actions */
	struct core_event event; /* EVENT; its heartbeat is below */
	struct core_beat beat;
};

size_t unpack(const uint8_t *from, struct core *core, struct unpacked *ret);
