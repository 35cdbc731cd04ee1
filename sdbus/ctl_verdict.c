/* SPDX-License-Identifier: MIT */

/* Who holds a group, and would it survive the end of that node? */

#include "sdbus/ctl.h"

/* Not being synchronised keeps a node from a switchover, but not from a claim after a death. */
static bool may_claim(const struct api_node *node)
{
	for (char *const *why = node->unfit; why && *why; why++)
		if (strcmp(*why, "not-synchronized") != 0)
			return false;
	return strcmp(node->state, "backup") == 0;
}

/**
 * ctl_successor() - who takes over if the primary fails now
 * @group: the group
 *
 * Return: name of the first node that can; borrowed. NULL if none can, or nobody is primary.
 */
const char *ctl_successor(const struct api_group *group)
{
	for (size_t i = 0; *group->primary && i < group->nodes.n; i++)
		if (strcmp(group->nodes.v[i].name, group->primary) != 0 &&
		    may_claim(&group->nodes.v[i]))
			return group->nodes.v[i].name;
	return NULL;
}

/**
 * ctl_node_troubled() - is a node other for a group than it should be?
 * @node: the node
 */
bool ctl_node_troubled(const struct api_node *node)
{
	return (node->unfit && *node->unfit) ||
	       (strcmp(node->state, "primary") != 0 && strcmp(node->state, "backup") != 0);
}

static void print_unfit(FILE *out, char *const *unfit)
{
	fputs("is unfit: ", out);
	for (size_t i = 0; unfit[i]; i++)
		fprintf(out, "%s%s", i ? ", " : "", unfit[i]);
}

/* "beta is silent" */
static void print_node(FILE *out, const struct api_node *node)
{
	if (strcmp(node->state, "no-agent") == 0) {
		fprintf(out, "takeoverd does not run on %s", node->name);
		return;
	}
	fprintf(out, "%s ", node->name);
	if (strcmp(node->state, "unknown") == 0)
		fputs("has not been heard yet", out);
	else if (strcmp(node->state, "deaf") == 0)
		fputs("does not hear this node", out);
	else if (strcmp(node->state, "absent") == 0)
		fputs("does not have this group", out);
	else if (strcmp(node->state, "maintenance") == 0)
		fputs("is in maintenance", out);
	else if (node->unfit && *node->unfit)
		print_unfit(out, node->unfit);
	else
		fprintf(out, "is %s", node->state);
}

static void print_others(FILE *out, const struct api_group *group)
{
	const char *between = ": ";

	for (size_t i = 0; i < group->nodes.n; i++) {
		if (strcmp(group->nodes.v[i].name, group->primary) == 0)
			continue;
		fputs(between, out);
		print_node(out, &group->nodes.v[i]);
		between = "; ";
	}
	if (group->nodes.n == 1 && *group->primary)
		fputs(": there is no other node", out);
}

/**
 * ctl_print_verdict() - who is primary, and who could be, in one line without its end
 * @out: where to
 * @group: the group
 */
void ctl_print_verdict(FILE *out, const struct api_group *group)
{
	const char *successor = ctl_successor(group);

	if (*group->primary)
		fprintf(out, "%s is primary", group->primary);
	else
		fputs("nobody is primary", out);
	if (successor)
		fprintf(out, "; %s can take over", successor);
	else if (*group->primary && group->nodes.n)
		fputs("; nobody can take over", out);
	if (!successor)
		print_others(out, group);
}
