/* SPDX-License-Identifier: MIT */

#include <errno.h>

#include "agent/kernel/links.h"

/* links->n if it is not known */
static size_t position(const struct links *links, int ifindex)
{
	size_t i = 0;

	while (i < links->n && links->v[i].index != ifindex)
		i++;
	return i;
}

/**
 * links_note() - An interface is there, or has changed
 *
 * Return: 0; -ENOSPC if there are more interfaces than we can keep.
 */
int links_note(struct links *links, const struct link *link)
{
	size_t i = position(links, link->index);

	if (i == LINKS_MAX)
		return -ENOSPC;
	if (i == links->n)
		links->n++;
	links->v[i] = *link;
	return 0;
}

void links_forget(struct links *links, int ifindex)
{
	size_t i = position(links, ifindex);

	if (i < links->n)
		links->v[i] = links->v[--links->n];
}

/**
 * links_find() - An interface as it was noted last
 *
 * Return: NULL if it is not known.
 */
const struct link *links_find(const struct links *links, int ifindex)
{
	size_t i = position(links, ifindex);

	return i < links->n ? &links->v[i] : NULL;
}

/**
 * links_name() - The name of an interface; "" if it is not known
 */
const char *links_name(const struct links *links, int ifindex)
{
	const struct link *link = links_find(links, ifindex);

	return link ? link->name : "";
}

/**
 * links_have_mac() - Is this the MAC of one of the interfaces?
 */
bool links_have_mac(const struct links *links, const uint8_t mac[static 6])
{
	for (size_t i = 0; i < links->n; i++)
		if (!memcmp(links->v[i].mac, mac, sizeof(links->v[i].mac)))
			return true;
	return false;
}

/**
 * links_state_of() - What can be said of a link
 * @link: may be NULL: there is none
 */
enum links_state links_state_of(const struct link *link)
{
	if (!link)
		return LINKS_MISSING;
	if (link->running)
		return LINKS_RUNNING;
	return link->up ? LINKS_NO_CARRIER : LINKS_DOWN;
}

/**
 * links_state() - What has become of the interface of this name?
 */
enum links_state links_state(const struct links *links, const char *name)
{
	return links_state_of(link_find(links->v, links->n, name));
}

/**
 * links_trouble() - The first interface of the group's addresses that does not run
 * @ret_missing: there is none of this name; untouched if all run
 *
 * Return: its name, the configuration's; NULL if all run.
 */
const char *links_trouble(const struct links *links, const struct conf_group *group,
			  bool *ret_missing)
{
	for (size_t i = 0; i < group->n_ifnames; i++) {
		const struct link *link = link_find(links->v, links->n, group->ifnames[i]);

		if (link && link->running)
			continue;
		*ret_missing = !link;
		return group->ifnames[i];
	}
	return NULL;
}
