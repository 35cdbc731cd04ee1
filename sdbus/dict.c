/* SPDX-License-Identifier: MIT */

#include <stdio.h>

#include "sdbus/dict.h"

/**
 * dict_each() - read an array of dictionary entries
 * @m: the message, at the array
 * @contents: the types in each entry, such as "sv"
 * @read: reads all of one entry; negative errno ends it
 * @ctx: handed to @read
 *
 * Return: 0 or more, behind the array; or negative errno.
 */
int dict_each(sd_bus_message *m, const char *contents, int (*read)(sd_bus_message *m, void *ctx),
	      void *ctx)
{
	char entry[32];
	int r;

	(void)snprintf(entry, sizeof(entry), "{%s}", contents);
	r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, entry);
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, contents)) > 0) {
		r = read(m, ctx);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}
