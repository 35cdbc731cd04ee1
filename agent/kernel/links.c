/* SPDX-License-Identifier: MIT */

#include <errno.h>

#include "agent/kernel/links.h"

static struct link *find(struct links *links, int ifindex)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->v[i].index == ifindex)
			return &links->v[i];
	return NULL;
}

/**
 * links_note() - An interface is there, or has changed
 *
 * Return: 0; -ENOSPC if there are more interfaces than we can keep.
 */
int links_note(struct links *links, const struct link *link)
{
	struct link *known = find(links, link->index);

	if (!known && links->n == LINKS_MAX)
		return -ENOSPC;
	if (!known)
		known = &links->v[links->n++];
	*known = *link;
	return 0;
}

void links_forget(struct links *links, int ifindex)
{
	struct link *known = find(links, ifindex);

	if (known)
		*known = links->v[--links->n];
}

/**
 * links_name() - The name of an interface; "" if it is not known
 */
const char *links_name(const struct links *links, int ifindex)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->v[i].index == ifindex)
			return links->v[i].name;
	return "";
}

static bool runs(const struct links *links, const char *name)
{
	for (size_t i = 0; i < links->n; i++)
		if (!strcmp(links->v[i].name, name))
			return links->v[i].running;
	return false;
}

/**
 * links_run() - Do all interfaces run on which the group has addresses?
 */
bool links_run(const struct links *links, const struct conf_group *group)
{
	const char *last = "";

	for (size_t i = 0; i < group->n_vips; i++) {
		if (!strcmp(group->vips[i].ifname, last))
			continue; /* addresses mostly come in runs */
		last = group->vips[i].ifname;
		if (!runs(links, last))
			return false;
	}
	return true;
}
