/* SPDX-License-Identifier: MIT */

#include "agent/kernel/foreign.h"

/* The place of an address; the number of them if it has none. */
static size_t place_of(const struct foreign *foreign, const struct addr *addr)
{
	size_t i = 0;

	while (i < foreign->n &&
	       !(foreign->v[i].ifindex == addr->ifindex && foreign->v[i].prefix == addr->prefix &&
		 ip_equal(&foreign->v[i].ip, &addr->ip)))
		i++;
	return i;
}

/**
 * foreign_is_known() - Does it stand here already, as far as is known?
 */
bool foreign_is_known(const struct foreign *foreign, const struct addr *addr)
{
	return place_of(foreign, addr) < foreign->n;
}

/**
 * foreign_note() - A virtual address that is not from us stands here
 *
 * Return: true if that is new, and something to tell people.
 */
bool foreign_note(struct foreign *foreign, const struct addr *addr)
{
	size_t i = place_of(foreign, addr);

	if (i < foreign->n || i == FOREIGN_MAX)
		return false;
	foreign->v[foreign->n++] = *addr;
	return true;
}

/**
 * foreign_forget() - It has gone, or has become ours
 */
void foreign_forget(struct foreign *foreign, const struct addr *addr)
{
	size_t i = place_of(foreign, addr);

	if (i < foreign->n)
		foreign->v[i] = foreign->v[--foreign->n];
}
