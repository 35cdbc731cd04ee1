/* SPDX-License-Identifier: MIT */

#include <inttypes.h>

#include "sdbus/ctl.h"

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

enum { ADDRESSES_SHOWN = 8 }; /* of a group; there may be thousands */

struct page {
	FILE *out;
	bool colour;
	instant now;
};

struct span {
	char text[32];
};

/* A duration as people say it, with the digits that count. */
static struct span span(uint64_t us)
{
	/* half a ms more, so that the 999.6 ms that are too long for the first case are 1 s */
	const uint64_t s = (us + USEC_PER_MSEC / 2) / USEC_PER_SEC, min = s / 60, h = min / 60;
	const double ms = (double)us / (double)USEC_PER_MSEC;
	struct span span;

	if (ms < 999.5)
		(void)snprintf(span.text, sizeof(span.text), "%.3g ms", ms);
	else if (min < 1)
		(void)snprintf(span.text, sizeof(span.text), "%" PRIu64 " s", s);
	else if (h < 1)
		(void)snprintf(span.text, sizeof(span.text), "%" PRIu64 " min %" PRIu64 " s", min,
			       s % 60);
	else if (h < 24)
		(void)snprintf(span.text, sizeof(span.text), "%" PRIu64 " h %" PRIu64 " min", h,
			       min % 60);
	else
		(void)snprintf(span.text, sizeof(span.text), "%" PRIu64 " d %" PRIu64 " h", h / 24,
			       h % 24);
	return span;
}

static struct span age(instant now, uint64_t then_us)
{
	struct span ago;

	if (then_us == 0)
		return (struct span){ "never" };
	(void)snprintf(ago.text, sizeof(ago.text), "%.24s ago",
		       span(instant_since(now, (instant){ then_us })).text);
	return ago;
}

static int wider(int width, const char *text)
{
	const int len = (int)strlen(text);

	return len > width ? len : width;
}

/* One cell of a line with another after it. */
static void cell(const struct page *page, int width, const char *text, const char *colour)
{
	if (page->colour && colour)
		fprintf(page->out, "%s%-*s%s  ", colour, width, text, PLAIN);
	else
		fprintf(page->out, "%-*s  ", width, text);
}

static const char *colour_of_state(const char *state)
{
	if (strcmp(state, "primary") == 0)
		return GREEN;
	if (strcmp(state, "backup") == 0)
		return NULL;
	return strcmp(state, "fault") == 0 ? RED : YELLOW;
}

static const char *sentence_of_peer(const char *state)
{
	if (strcmp(state, "silent") == 0)
		return "silent: no heartbeat arrives";
	if (strcmp(state, "no-agent") == 0)
		return "its host answers, its takeoverd does not run";
	if (strcmp(state, "unknown") == 0)
		return "not heard yet";
	return state;
}

static void print_nodes(const struct page *page, const struct ctl_model *model)
{
	const struct api_manager *manager = &model->manager;
	int width = wider(4, manager->node);

	for (size_t i = 0; i < model->n_peers; i++)
		width = wider(width, model->peers[i].name);

	fprintf(page->out, "%-*s  STATE\n", width, "NODE");
	fprintf(page->out, "%-*s  this node, takeoverd %s, heartbeat %s, dead time %s, lease %s",
		width, manager->node, manager->version, span(manager->interval_us).text,
		span(manager->dead_us).text, span(manager->lease_us).text);
	if (manager->lease_remaining_us)
		fprintf(page->out, " (%s left)", span(manager->lease_remaining_us).text);
	fputc('\n', page->out);
	for (size_t i = 0; i < model->n_peers; i++) {
		const struct api_peer *peer = &model->peers[i];
		const bool up = strcmp(peer->state, "up") == 0;

		cell(page, width, peer->name, up ? NULL : RED);
		fprintf(page->out, "%s%s\n", sentence_of_peer(peer->state),
			peer->same_configuration || !up ? "" : ", its configuration differs");
	}
}

static void print_list(FILE *out, int indent, const char *title, char *const *list)
{
	fprintf(out, "%*s%s", indent, "", title);
	for (size_t i = 0; list[i]; i++)
		fprintf(out, "%s%s", i ? ", " : "", list[i]);
	fputc('\n', out);
}

/* What does not fit into the line of a group. */
static void print_group_rest(const struct page *page, const struct api_group *group, int indent)
{
	char *const *address = group->virtual_addresses;
	size_t n = 0;

	for (; address && address[n]; n++)
		if (n < ADDRESSES_SHOWN)
			fprintf(page->out, "%*s%s\n", indent, "", address[n]);
	if (n > ADDRESSES_SHOWN)
		fprintf(page->out, "%*sand %zu more\n", indent, "", n - ADDRESSES_SHOWN);
	if (!group->fit && group->unfit && *group->unfit)
		print_list(page->out, indent, "unfit here: ", group->unfit);
	fprintf(page->out, "%*s%s, %s, %s", indent, "", group->mode, group->redundancy,
		group->handover);
	if (group->last_switchover_us)
		fprintf(page->out, "; the last switchover took %s",
			span(group->last_switchover_us).text);
	fputc('\n', page->out);
}

static void print_groups(const struct page *page, const struct ctl_model *model)
{
	int name = 5, primary = 7, here = 4;

	for (size_t i = 0; i < model->n_groups; i++) {
		name = wider(name, model->groups[i].name);
		primary = wider(primary, model->groups[i].primary);
		here = wider(here, model->groups[i].state);
	}
	primary = wider(primary, "nobody");

	fprintf(page->out, "\n%-*s  %-*s  %-*s  TERM    SINCE         REASON\n", name, "GROUP",
		primary, "PRIMARY", here, "HERE");
	for (size_t i = 0; i < model->n_groups; i++) {
		const struct api_group *group = &model->groups[i];
		const bool held = *group->primary;
		const instant since = { group->role_since_us };

		cell(page, name, group->name, NULL);
		cell(page, primary, held ? group->primary : "nobody", held ? NULL : RED);
		cell(page, here, group->state, colour_of_state(group->state));
		fprintf(page->out, "%-6" PRIu64 "  %-12s  %s\n", group->term,
			instant_is_set(since) ? span(instant_since(page->now, since)).text : "-",
			group->reason);
		print_group_rest(page, group, name + 2);
	}
}

static void print_path(const struct page *page, const char *peer, int name, int address,
		       const struct api_path *path)
{
	const uint64_t expected = path->received + path->lost;
	const double loss = expected ? 100.0 * (double)path->lost / (double)expected : 0;

	fprintf(page->out, "%-*s  %-*s  %-*s  %-9s  %-9s  %6.2f %%  %s\n", name, peer, address,
		path->local, address, path->remote, path->rtt_us ? span(path->rtt_us).text : "-",
		path->rtt_min_us ? span(path->rtt_min_us).text : "-", loss,
		age(page->now, path->heard_us).text);
}

static void print_peers(const struct page *page, const struct ctl_model *model)
{
	int name = 4, address = 5;

	for (size_t i = 0; i < model->n_peers; i++) {
		const struct api_peer *peer = &model->peers[i];

		name = wider(name, peer->name);
		for (size_t k = 0; k < peer->n_paths; k++)
			address =
				wider(wider(address, peer->paths[k].local), peer->paths[k].remote);
	}

	fprintf(page->out, "\n%-*s  %-*s  %-*s  RTT        BEST         LOSS    HEARD\n", name,
		"PATH", address, "HERE", address, "THERE");
	for (size_t i = 0; i < model->n_peers; i++)
		for (size_t k = 0; k < model->peers[i].n_paths; k++)
			print_path(page, model->peers[i].name, name, address,
				   &model->peers[i].paths[k]);
}

/**
 * ctl_print_model() - show everything, to be read at 3 a.m.
 * @out: where to
 * @model: what to show
 * @now: CLOCK_BOOTTIME; ages are counted back from it
 * @colour: whether @out takes colours
 */
void ctl_print_model(FILE *out, const struct ctl_model *model, instant now, bool colour)
{
	const struct page page = { .out = out, .colour = colour, .now = now };

	print_nodes(&page, model);
	if (model->n_groups)
		print_groups(&page, model);
	if (model->n_peers)
		print_peers(&page, model);
	if (model->manager.refused || model->manager.strangers)
		fprintf(out, "\nrefused packets: %" PRIu64 "; packets of strangers: %" PRIu64 "\n",
			model->manager.refused, model->manager.strangers);
}
