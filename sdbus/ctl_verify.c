/* SPDX-License-Identifier: MIT */

/* The verb: when to look, and how to say what was found. */

#include <errno.h>
#include <poll.h>

#include "agent/cleanup.h"
#include "sdbus/ctl_json.h"
#include "sdbus/ctl_page.h"
#include "sdbus/ctl_verify.h"

enum {
	LOOKS_MAX = 20,	   /* in all; */
	LOOKS_TO_SAY = 3,  /* with differences, while takeoverd says the same: it repairs in ms, */
	PAUSE_MS = 100,	   /* and every look is later than the last one by this */
	SHOWN_OF_KIND = 8, /* of a group, to people; there may be thousands */
};

static const struct {
	const char *name;
	enum ctl_weight weight;
} kinds[_CTL_FINDING_MAX] = {
	[CTL_FINDING_ADDRESS_MISSING] = { "address-missing", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_ADDRESS_PREFIX] = { "address-prefix", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_ADDRESS_LABEL] = { "address-label", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_ADDRESS_UNTAGGED] = { "address-untagged", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_ADDRESS_LIFETIME] = { "address-lifetime", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_ADDRESS_PREFERRED] = { "address-preferred", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_ADDRESS_DAD] = { "address-dad", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_ADDRESS_TWICE] = { "address-twice", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_ADDRESS_KEPT] = { "address-kept", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_ADDRESS_STRANGER] = { "address-stranger", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_ADDRESS_ORPHAN] = { "address-orphan", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_ROUTE_MISSING] = { "route-missing", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_ROUTE_LOCAL] = { "route-local", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_PROXY] = { "proxy", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_LINK_DOWN] = { "link-down", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_LINK_RUNS] = { "link-runs", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_LINK_NOARP] = { "link-noarp", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_LINK_KEPT] = { "link-kept", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_LINK_FOREIGN] = { "link-foreign", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_PATH_MISSING] = { "path-missing", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_GATE_MISSING] = { "gate-missing", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_GATE_UNKNOWN] = { "gate-unknown", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_GATE_CLOSED] = { "gate-closed", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_GATE_SILENT] = { "gate-silent", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_GATE_OPEN] = { "gate-open", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_GATE_DRAIN] = { "gate-drain", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_ARP_IGNORE] = { "arp-ignore", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_DISABLE_IPV6] = { "disable-ipv6", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_PROMOTE_SECONDARIES] = { "promote-secondaries", CTL_WEIGHT_DIFFERENCE },
	[CTL_FINDING_NEIGHBOUR_ELSEWHERE] = { "neighbour-elsewhere", CTL_WEIGHT_HINT },
	[CTL_FINDING_NEIGHBOUR_PERMANENT] = { "neighbour-permanent", CTL_WEIGHT_HINT },
	[CTL_FINDING_GATE_UNREAD] = { "gate-unread", CTL_WEIGHT_UNCHECKED },
	[CTL_FINDING_SYSCTL_UNREAD] = { "sysctl-unread", CTL_WEIGHT_UNCHECKED },
	[CTL_FINDING_MODE_UNKNOWN] = { "mode-unknown", CTL_WEIGHT_UNCHECKED },
	[CTL_FINDING_IN_MOTION] = { "in-motion", CTL_WEIGHT_UNCHECKED },
};

/**
 * ctl_finding_name() - what a program calls it
 * @kind: the kind
 */
const char *ctl_finding_name(enum ctl_kind_of_finding kind)
{
	return kinds[kind].name;
}

/**
 * ctl_finding_weight() - how much it matters
 * @kind: the kind
 */
enum ctl_weight ctl_finding_weight(enum ctl_kind_of_finding kind)
{
	return kinds[kind].weight;
}

static size_t count(const struct ctl_findings *findings, enum ctl_weight weight)
{
	size_t n = 0;

	for (size_t i = 0; i < findings->n; i++)
		n += kinds[findings->v[i].kind].weight == weight;
	return n;
}

static bool has(const struct ctl_findings *findings, enum ctl_kind_of_finding kind)
{
	for (size_t i = 0; i < findings->n; i++)
		if (findings->v[i].kind == kind)
			return true;
	return false;
}

static bool same_list(char *const *a, char *const *b)
{
	size_t i = 0;

	if (!a || !b)
		return !(a && *a) && !(b && *b);
	while (a[i] && b[i] && strcmp(a[i], b[i]) == 0)
		i++;
	return !a[i] && !b[i];
}

static bool same_group(const struct api_group *a, const struct api_group *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->state, b->state) == 0 &&
	       strcmp(a->primary, b->primary) == 0 && a->term == b->term &&
	       a->role_since_us == b->role_since_us && same_list(a->unfit, b->unfit) &&
	       same_list(a->virtual_addresses, b->virtual_addresses);
}

/* Nothing has moved between two answers: what was seen between is what they speak of. */
static bool same_model(const struct ctl_model *a, const struct ctl_model *b)
{
	if (a->n_groups != b->n_groups)
		return false;
	for (size_t i = 0; i < a->n_groups; i++)
		if (!same_group(&a->groups[i], &b->groups[i]))
			return false;
	return true;
}

/* What came of looking. */
struct verdict {
	struct ctl_model model; /* the daemon's word; findings borrow from it */
	struct ctl_findings findings;
	bool stood_still; /* nothing moved while the kernel was looked at */
};

static void verdict_done(struct verdict *verdict)
{
	ctl_findings_done(&verdict->findings);
	ctl_model_done(&verdict->model);
	verdict->stood_still = false;
}

static const struct api_group *group_of(const struct ctl_model *model, const char *name)
{
	for (size_t i = 0; i < model->n_groups; i++)
		if (strcmp(model->groups[i].name, name) == 0)
			return &model->groups[i];
	return NULL;
}

/* @error is untouched by what is not of the bus. */
static int look_once(struct ctl *ctl, const char *only, struct verdict *ret, sd_bus_error *error)
{
	_cleanup_(ctl_model_done) struct ctl_model after = { 0 };
	_cleanup_(witness_done) struct witness witness = { 0 };
	int r;

	r = ctl_model_load(ctl->bus, &ret->model, error);
	if (r < 0)
		return r;
	if (only && !group_of(&ret->model, only))
		return sd_bus_error_setf(error, API_ERROR "NoSuchGroup", "there is no group \"%s\"",
					 only);
	r = ctl->look(&witness);
	if (r < 0)
		return sd_bus_error_setf(error, API_ERROR "Failed", "the kernel cannot be read: %s",
					 strerror(-r));
	r = ctl_model_load(ctl->bus, &after, error);
	if (r < 0)
		return r;
	ret->stood_still = same_model(&ret->model, &after);
	return ctl_compare(&ret->model, only, &witness, &ret->findings);
}

/*
 * The daemon repairs what it hears of, and a group that moves is on neither side
 * for a moment: a difference is what stays.
 */
static int look(struct ctl *ctl, const char *only, struct verdict *ret, sd_bus_error *error)
{
	int r, same = 0;

	for (int i = 0; i < LOOKS_MAX; i++) {
		if (i)
			(void)poll(NULL, 0, PAUSE_MS);
		verdict_done(ret);
		r = look_once(ctl, only, ret, error);
		if (r < 0)
			return r;
		if (!ret->stood_still || has(&ret->findings, CTL_FINDING_IN_MOTION)) {
			same = 0;
			continue;
		}
		if (count(&ret->findings, CTL_WEIGHT_DIFFERENCE) == 0 || ++same == LOOKS_TO_SAY)
			break;
	}
	if (ret->stood_still)
		return 0;
	return sd_bus_error_set(error, API_ERROR "Busy", "the groups do not stand still");
}

static json_t *finding_as_json(const struct ctl_finding *finding)
{
	static const char *const weights[_CTL_WEIGHT_MAX] = {
		[CTL_WEIGHT_DIFFERENCE] = "difference",
		[CTL_WEIGHT_HINT] = "hint",
		[CTL_WEIGHT_UNCHECKED] = "unchecked",
	};

	return json_pack("{s:s, s:s, s:o, s:o}", "name", kinds[finding->kind].name, "weight",
			 weights[kinds[finding->kind].weight], "group",
			 *finding->group ? ctl_json_text(finding->group) : json_null(), "text",
			 ctl_json_text(finding->text));
}

static json_t *verdict_as_json(const struct verdict *verdict)
{
	json_t *list = json_array();

	for (size_t i = 0; i < verdict->findings.n; i++)
		(void)json_array_append_new(list, finding_as_json(&verdict->findings.v[i]));
	return json_pack("{s:b, s:o, s:o}", "ok",
			 count(&verdict->findings, CTL_WEIGHT_DIFFERENCE) == 0, "node",
			 ctl_json_text(verdict->model.manager.node), "findings", list);
}

static bool alike(const struct ctl_finding *a, const struct ctl_finding *b)
{
	return a->kind == b->kind && strcmp(a->group, b->group) == 0;
}

static void print_finding(const struct page *page, const struct ctl_finding *finding,
			  const char *node)
{
	page_margin(page, kinds[finding->kind].weight == CTL_WEIGHT_DIFFERENCE);
	fprintf(page->out, "%s: %s%s.\n", *finding->group ? finding->group : node,
		kinds[finding->kind].weight == CTL_WEIGHT_HINT ? "a hint: " : "", finding->text);
}

/* Of many of one kind the first are enough to see what has happened. */
static void print_findings(const struct page *page, const struct ctl_findings *findings,
			   const char *node)
{
	size_t run = 0;

	for (size_t i = 0; i < findings->n; i++) {
		const struct ctl_finding *f = &findings->v[i];

		run = i && alike(f, f - 1) ? run + 1 : 0;
		if (run < SHOWN_OF_KIND)
			print_finding(page, f, node);
		else if (i + 1 == findings->n || !alike(f, f + 1))
			fprintf(page->out, "  and %zu more of this kind (%s)\n",
				run + 1 - SHOWN_OF_KIND, kinds[f->kind].name);
	}
}

/* What was held against the kernel, so that silence is not taken for it. */
static void print_groups(const struct page *page, const struct verdict *verdict, const char *only)
{
	for (size_t i = 0; i < verdict->model.n_groups; i++) {
		const struct api_group *group = &verdict->model.groups[i];
		const size_t n = ctl_length(group->virtual_addresses);

		if (only && strcmp(only, group->name) != 0)
			continue;
		page_margin(page, false);
		fprintf(page->out, "%s: this node is %s%s%s, %zu address%s\n", group->name,
			group->role, strcmp(group->role, group->state) == 0 ? "" : ", ",
			strcmp(group->role, group->state) == 0 ? "" : group->state, n,
			n == 1 ? "" : "es");
	}
}

static void print_verdict(struct ctl *ctl, const struct verdict *verdict, const char *only)
{
	const struct page page = { .out = ctl->out, .colour = ctl->colour };
	const size_t n = count(&verdict->findings, CTL_WEIGHT_DIFFERENCE);
	const size_t unchecked = count(&verdict->findings, CTL_WEIGHT_UNCHECKED);

	print_groups(&page, verdict, only);
	print_findings(&page, &verdict->findings, verdict->model.manager.node);
	page_margin(&page, n);
	if (n == 0)
		fputs("the kernel has what takeoverd says", ctl->out);
	else
		fprintf(ctl->out, "%zu difference%s between the kernel and what takeoverd says", n,
			n == 1 ? "" : "s");
	fputs(unchecked ? ", as far as it was checked\n" : "\n", ctl->out);
}

/**
 * ctl_verify() - the verb `verify`
 * @ctl: the program
 * @argc: 0 or 1
 * @argv: the group; without, all of them and what is of no group
 *
 * Changes nothing. Takes no time if nothing differs, else some tenths of a
 * second; for a group that moves, until it stands, at most some seconds.
 *
 * Return: the exit code; CTL_FAILED if something differs.
 */
int ctl_verify(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(verdict_done) struct verdict verdict = { 0 };
	const char *only = argc ? argv[0] : NULL;
	int r;

	if (only && !ctl_may_be_name(only))
		return ctl_refuse_name(ctl, only, "group");
	if (ctl_connect(ctl) < 0)
		return CTL_FAILED;
	r = look(ctl, only, &verdict, &error);
	if (r < 0)
		return only ? ctl_complain_of_group(ctl, only, &error, r)
			    : ctl_complain(ctl, &error, r);
	if (ctl->json) {
		r = ctl_json_print(ctl, verdict_as_json(&verdict));
		if (r != CTL_OK)
			return r;
	} else {
		print_verdict(ctl, &verdict, only);
	}
	return count(&verdict.findings, CTL_WEIGHT_DIFFERENCE) ? CTL_FAILED : CTL_OK;
}
