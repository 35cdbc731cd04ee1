/* SPDX-License-Identifier: MIT */

#include <inttypes.h>

#include "sdbus/ctl_page.h"

/* Cells of a line about a path. */
struct row {
	const char *cells[7]; /* the first is the name of the peer */
	struct span rtt, best, loss, heard;
};

static const char *sentence_of_peer(const char *state)
{
	if (strcmp(state, "silent") == 0)
		return "silent: no heartbeat arrives";
	if (strcmp(state, "deaf") == 0)
		return "sends to this node but does not hear it: a firewall?";
	if (strcmp(state, "no-agent") == 0)
		return "its host answers, its takeoverd does not run";
	if (strcmp(state, "unknown") == 0)
		return "not heard yet";
	return state;
}

static void print_self(const struct page *page, const struct api_manager *manager, int width)
{
	page_margin(page, false);
	page_cell(page, width, manager->node, NULL);
	fprintf(page->out, "this node, takeoverd %s, ", manager->version);
	if (manager->lease_remaining_us)
		fprintf(page->out, "%s of %s lease left\n",
			page_span(manager->lease_remaining_us).text,
			page_span(manager->lease_us).text);
	else
		fputs("no lease\n", page->out);
}

/* When the peer was heard last, on any path. */
static uint64_t heard_us(const struct api_peer *peer)
{
	uint64_t last = 0;

	for (size_t i = 0; i < peer->n_paths; i++)
		if (peer->paths[i].heard_us > last)
			last = peer->paths[i].heard_us;
	return last;
}

static void print_peer(const struct page *page, const struct api_peer *peer, int width)
{
	const bool up = strcmp(peer->state, "up") == 0;

	page_margin(page, !up || !peer->same_configuration);
	page_cell(page, width, peer->name, NULL);
	fprintf(page->out, "%s%s%s", page_colour(page, up ? NULL : RED),
		sentence_of_peer(peer->state), page_colour(page, up ? NULL : PLAIN));
	if (!up && heard_us(peer))
		fprintf(page->out, "; last heard %s", page_age(page, heard_us(peer)).text);
	if (up && !peer->same_configuration)
		fputs(", its configuration differs", page->out);
	fputc('\n', page->out);
}

static void print_nodes(const struct page *page, const struct ctl_model *model)
{
	int width = page_wider(4, model->manager.node);

	for (size_t i = 0; i < model->n_peers; i++)
		width = page_wider(width, model->peers[i].name);
	fprintf(page->out, "  %s%-*s  STATE%s\n", page_colour(page, BOLD), width, "NODE",
		page_colour(page, PLAIN));
	print_self(page, &model->manager, width);
	for (size_t i = 0; i < model->n_peers; i++)
		print_peer(page, &model->peers[i], width);
}

static struct span loss_of(const struct api_path *path)
{
	const uint64_t expected = path->received + path->lost;
	struct span loss = { "-" };

	if (expected)
		(void)snprintf(loss.text, sizeof(loss.text), "%.2f %%",
			       100.0 * (double)path->lost / (double)expected);
	return loss;
}

static struct span time_or_none(uint64_t us)
{
	return us ? page_span(us) : (struct span){ "-" };
}

/* @ret: its cells point into itself */
static void make_row(const struct page *page, const char *peer, const struct api_path *path,
		     struct row *ret)
{
	ret->rtt = time_or_none(path->rtt_us);
	ret->best = time_or_none(path->rtt_min_us);
	ret->loss = loss_of(path);
	ret->heard = page_age(page, path->heard_us);
	ret->cells[0] = peer;
	ret->cells[1] = path->local;
	ret->cells[2] = path->remote;
	ret->cells[3] = ret->rtt.text;
	ret->cells[4] = ret->best.text;
	ret->cells[5] = ret->loss.text;
	ret->cells[6] = ret->heard.text;
}

static void print_row(const struct page *page, const struct row *row, const int *widths)
{
	/* numbers to the right */
	for (size_t i = 0; i + 1 < ARRAY_SIZE(row->cells); i++)
		page_cell(page, i < 3 ? widths[i] : -widths[i], row->cells[i], NULL);
	fputs(row->cells[ARRAY_SIZE(row->cells) - 1], page->out);
}

static void widen(const struct row *row, int *widths)
{
	for (size_t i = 0; i < ARRAY_SIZE(row->cells); i++)
		widths[i] = page_wider(widths[i], row->cells[i]);
}

/* A path that has carried nothing for the dead time. */
static bool is_dead(const struct page *page, const struct ctl_model *model,
		    const struct api_path *path)
{
	return instant_since(page->now, (instant){ path->heard_us }) > model->manager.dead_us;
}

static void print_paths(const struct page *page, const struct ctl_model *model)
{
	const struct row title = { .cells = { "PATH", "HERE", "THERE", "RTT", "BEST", "LOSS",
					      "HEARD" } };
	int widths[ARRAY_SIZE(title.cells)] = { 0 };
	struct row row;

	widen(&title, widths);
	for (size_t i = 0; i < model->n_peers; i++)
		for (size_t k = 0; k < model->peers[i].n_paths; k++) {
			make_row(page, model->peers[i].name, &model->peers[i].paths[k], &row);
			widen(&row, widths);
		}
	fprintf(page->out, "\n  %s", page_colour(page, BOLD));
	print_row(page, &title, widths);
	fprintf(page->out, "%s\n", page_colour(page, PLAIN));
	for (size_t i = 0; i < model->n_peers; i++)
		for (size_t k = 0; k < model->peers[i].n_paths; k++) {
			make_row(page, model->peers[i].name, &model->peers[i].paths[k], &row);
			page_margin(page, is_dead(page, model, &model->peers[i].paths[k]));
			print_row(page, &row, widths);
			fputc('\n', page->out);
		}
}

static void print_heartbeats(const struct page *page, const struct api_manager *manager)
{
	fprintf(page->out, "  heartbeat %s, dead time %s", page_span(manager->interval_us).text,
		page_span(manager->dead_us).text);
	if (manager->refused || manager->strangers)
		fprintf(page->out, "; refused packets: %" PRIu64 ", packets of strangers: %" PRIu64,
			manager->refused, manager->strangers);
	fputc('\n', page->out);
}

/* Of many groups the first have left the screen. */
static void print_summary(const struct page *page, const struct ctl_model *model)
{
	size_t unheld = 0, alone = 0;

	for (size_t i = 0; i < model->n_groups; i++) {
		if (!*model->groups[i].primary)
			unheld++;
		else if (!ctl_successor(&model->groups[i]))
			alone++;
	}
	fputc('\n', page->out);
	page_margin(page, unheld || alone);
	fprintf(page->out, "%zu groups: ", model->n_groups);
	if (unheld)
		fprintf(page->out, "%zu without a primary, ", unheld);
	if (alone)
		fprintf(page->out, "%zu that nobody could take over, ", alone);
	fprintf(page->out, "%zu safe\n", model->n_groups - unheld - alone);
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

	for (size_t i = 0; i < model->n_groups; i++) {
		page_group(&page, model, &model->groups[i]);
		fputc('\n', out);
	}
	print_nodes(&page, model);
	if (model->n_peers)
		print_paths(&page, model);
	print_heartbeats(&page, &model->manager);
	if (model->n_groups > 1)
		print_summary(&page, model);
}
