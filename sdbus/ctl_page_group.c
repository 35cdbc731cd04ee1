/* SPDX-License-Identifier: MIT */

#include <inttypes.h>
#include <stdio.h>

#include "sdbus/ctl_page.h"

enum {
	ADDRESSES_SHOWN = 8, /* of a group; there may be thousands */
	INDENT = 4,	     /* of what is said about a group, behind the margin */
};

static const char *colour_of_state(const struct api_node *node)
{
	static const char *const wrong[] = { "fault", "silent", "deaf", "no-agent", "absent" };

	if (strcmp(node->state, "primary") == 0)
		return GREEN;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (strcmp(node->state, wrong[i]) == 0)
			return RED;
	return ctl_node_troubled(node) ? YELLOW : NULL;
}

static void print_unfit(const struct page *page, char *const *unfit)
{
	fputs("  unfit: ", page->out);
	for (size_t i = 0; unfit[i]; i++)
		fprintf(page->out, "%s%s", i ? ", " : "", unfit[i]);
}

/* What is known of this node only. */
static void print_here(const struct page *page, const struct api_group *group)
{
	fputs("  this node", page->out);
	if (group->role_since_us)
		fprintf(page->out, ", for %s",
			page_span(instant_since(page->now, (instant){ group->role_since_us }))
				.text);
	if (*group->reason)
		fprintf(page->out, " (%s)", group->reason);
}

static void print_node(const struct page *page, const struct api_group *group,
		       const struct api_node *node, bool here)
{
	const struct api_nodes *nodes = &group->nodes;
	int name = 0, state = 0;

	for (size_t i = 0; i < nodes->n; i++) {
		name = page_wider(name, nodes->v[i].name);
		state = page_wider(state, nodes->v[i].state);
	}
	if (!here && !(node->unfit && *node->unfit))
		state = 0; /* nothing follows */
	page_margin(page, ctl_node_troubled(node));
	fprintf(page->out, "%*s", INDENT, "");
	page_cell(page, name, node->name, NULL);
	fprintf(page->out, "%s%-*s%s", page_colour(page, colour_of_state(node)), state, node->state,
		page_colour(page, PLAIN));
	if (node->unfit && *node->unfit)
		print_unfit(page, node->unfit);
	if (here)
		print_here(page, group);
	fputc('\n', page->out);
}

static void print_inhibitors(const struct page *page, const struct api_inhibitors *inhibitors)
{
	for (size_t i = 0; i < inhibitors->n; i++) {
		page_margin(page, true);
		fprintf(page->out, "%*sinhibited here by %s: %s (user %" PRIu32 ")\n", INDENT, "",
			inhibitors->v[i].who, inhibitors->v[i].why, inhibitors->v[i].uid);
	}
}

static void print_checks(const struct page *page, const struct api_checks *checks)
{
	for (size_t i = 0; i < checks->n; i++) {
		const struct api_check *one = &checks->v[i];

		page_margin(page, strcmp(one->state, "failed") == 0);
		fprintf(page->out, "%*scheck %s here: %s", INDENT, "", one->name, one->state);
		if (*one->result)
			fprintf(page->out, "; %s, %" PRIu32 " in a row, the last %s", one->result,
				one->streak, page_age(page, one->ended_us).text);
		fputc('\n', page->out);
	}
}

static void print_drain(const struct page *page, const struct api_group *group)
{
	if (!group->draining)
		return;
	page_margin(page, true);
	fprintf(page->out, "%*sdraining here: %" PRIu64 " TCP connection%s left", INDENT, "",
		group->connections, group->connections == 1 ? " is" : "s are");
	if (group->drain_until_us)
		fprintf(page->out, ", %s to go",
			page_span(instant_since((instant){ group->drain_until_us }, page->now))
				.text);
	fputc('\n', page->out);
}

static void print_addresses(const struct page *page, char *const *address)
{
	size_t n = 0;

	for (; address && address[n]; n++)
		if (n < ADDRESSES_SHOWN)
			fprintf(page->out, "  %*s%s\n", INDENT, "", address[n]);
	if (n > ADDRESSES_SHOWN)
		fprintf(page->out, "  %*sand %zu more\n", INDENT, "", n - ADDRESSES_SHOWN);
}

/* "vip0 eth0 02:00:5e:00:01:0a" for people: the MAC is that of the first */
static void print_subs(const struct page *page, char *const *subs)
{
	for (; subs && *subs; subs++) {
		char name[16], parent[16], mac[18];

		if (sscanf(*subs, "%15s %15s %17s", name, parent, mac) == 3)
			fprintf(page->out, "  %*s%s has MAC %s, on %s\n", INDENT, "", name, mac,
				parent);
	}
}

/**
 * page_group() - print a group: who holds it, who could, and what it is
 * @page: the page
 * @model: what it is of
 * @group: the group
 */
void page_group(const struct page *page, const struct ctl_model *model,
		const struct api_group *group)
{
	const bool held = *group->primary, safe = ctl_successor(group);

	page_margin(page, !held || !safe);
	fprintf(page->out, "%s%s%s: %s", page_colour(page, BOLD), group->name,
		page_colour(page, PLAIN),
		page_colour(page, !held	 ? RED
				  : safe ? GREEN
					 : YELLOW));
	ctl_print_verdict(page->out, group);
	fprintf(page->out, "%s\n", page_colour(page, PLAIN));
	for (size_t i = 0; i < group->nodes.n; i++)
		print_node(page, group, &group->nodes.v[i],
			   strcmp(group->nodes.v[i].name, model->manager.node) == 0);
	print_inhibitors(page, &group->inhibitors);
	print_checks(page, &group->checks);
	print_drain(page, group);
	print_addresses(page, group->virtual_addresses);
	print_subs(page, group->sub_interfaces);
	fprintf(page->out, "  %*s%s, %s, %s; term %" PRIu64, INDENT, "", group->mode,
		group->redundancy, group->handover, group->term);
	if (group->last_switchover_us)
		fprintf(page->out, "; the last switchover took %s",
			page_span(group->last_switchover_us).text);
	fputc('\n', page->out);
}
