/* SPDX-License-Identifier: MIT */

/* The comparison: pure, of two values. What is said of a group, and in which order. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>

#include "agent/cleanup.h"
#include "sdbus/ctl_verify.h"

/**
 * ctl_find() - note a finding
 * @findings: to be added to; knows if there was no memory
 * @kind: what it is
 * @group: name of the group, borrowed; "": it is about the host
 * @format: of the sentence, without its full stop
 */
void ctl_find(struct ctl_findings *findings, enum ctl_kind_of_finding kind, const char *group,
	      const char *format, ...)
{
	struct ctl_finding *more, finding = { .kind = kind, .group = group };
	va_list ap;
	int r;

	more = reallocarray(findings->v, findings->n + 1, sizeof(*more));
	if (!more) {
		findings->err = -ENOMEM;
		return;
	}
	findings->v = more;
	va_start(ap, format);
	r = vasprintf(&finding.text, format, ap);
	va_end(ap);
	if (r < 0)
		findings->err = -ENOMEM;
	else
		findings->v[findings->n++] = finding;
}

/**
 * ctl_findings_done() - free them
 * @findings: may be all zero
 */
void ctl_findings_done(struct ctl_findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		free(findings->v[i].text);
	free(findings->v);
	*findings = (struct ctl_findings){ 0 };
}

static int by_ip(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ip));
}

/**
 * ctl_range() - all of one address in what the witness has sorted
 * @v: array of records that begin with an address, sorted by it
 * @n: number of them
 * @size: of one, in bytes
 * @ip: the address
 *
 * Return: where they are; borrowed from @v.
 */
struct ctl_range ctl_range(const void *v, size_t n, size_t size, const struct ip *ip)
{
	const uint8_t *begin = v, *end = begin + n * size, *first, *last;

	first = n ? bsearch(ip, v, n, size, by_ip) : NULL;
	if (!first)
		return (struct ctl_range){ 0 };
	last = first;
	while (first > begin && by_ip(first - size, ip) == 0)
		first -= size;
	while (last < end && by_ip(last, ip) == 0)
		last += size;
	return (struct ctl_range){ first, (size_t)(last - first) / size };
}

/**
 * ctl_parse_ip() - an address as the daemon writes it
 * @text: the address alone
 * @ret: set as a whole
 *
 * Return: false if it is none.
 */
bool ctl_parse_ip(const char *text, struct ip *ret)
{
	struct ip ip = { .family = strchr(text, ':') ? 6 : 4 };

	if (inet_pton(ip.family == 4 ? AF_INET : AF_INET6, text, ip.bytes) != 1)
		return false;
	*ret = ip;
	return true;
}

/**
 * ctl_ip_text() - an address in words
 * @ip: the address
 * @ret: room for INET6_ADDRSTRLEN bytes, of @size
 */
const char *ctl_ip_text(const struct ip *ip, char *ret, size_t size)
{
	const int family = ip->family == 4 ? AF_INET : AF_INET6;

	return inet_ntop(family, ip->bytes, ret, (socklen_t)size) ?: "?";
}

/**
 * ctl_link_name() - the name of an interface
 * @witness: who knows them
 * @ifindex: its number
 *
 * Return: borrowed; "?" if it is not there any more.
 */
const char *ctl_link_name(const struct witness *witness, int ifindex)
{
	for (size_t i = 0; i < witness->n_links; i++)
		if (witness->links[i].index == ifindex)
			return witness->links[i].name;
	return "?";
}

/**
 * ctl_link_of() - an interface by its name
 * @witness: who knows them
 * @name: the name
 *
 * Return: borrowed; NULL if it is not there.
 */
const struct witness_link *ctl_link_of(const struct witness *witness, const char *name)
{
	for (size_t i = 0; i < witness->n_links; i++)
		if (strcmp(witness->links[i].name, name) == 0)
			return &witness->links[i];
	return NULL;
}

/**
 * ctl_holds() - does this node serve a group, by what the daemon says?
 * @group: the group, which does not move just now
 */
bool ctl_holds(const struct api_group *group)
{
	return strcmp(group->role, "primary") == 0;
}

static bool moves(const struct api_group *group)
{
	return strcmp(group->state, "claiming") == 0 || strcmp(group->state, "yielding") == 0;
}

/* "10.10.11.103/24 eth0", or with a label "10.10.11.103/24 eth0:1" */
static bool parse_vip(const char *text, struct ctl_vip *ret)
{
	unsigned prefix;

	if (sscanf(text, "%63[0-9a-fA-F.:]/%u %15s", ret->text, &prefix, ret->ifname) != 3)
		return false;
	if (strchr(ret->ifname, ':')) {
		memcpy(ret->label, ret->ifname, sizeof(ret->label));
		*strchr(ret->ifname, ':') = '\0';
	}
	ret->prefix = (uint8_t)prefix;
	return ctl_parse_ip(ret->text, &ret->ip) && prefix <= 8 * ip_len(&ret->ip);
}

/**
 * ctl_length() - how many strings there are
 * @strv: they, and NULL; or NULL
 */
size_t ctl_length(char *const *strv)
{
	size_t n = 0;

	while (strv && strv[n])
		n++;
	return n;
}

static int collect_vips(struct ctl_compared *c)
{
	size_t n = 0;

	for (size_t g = 0; g < c->model->n_groups; g++)
		n += ctl_length(c->model->groups[g].virtual_addresses);
	c->vips = calloc(n + 1, sizeof(*c->vips));
	if (!c->vips)
		return -ENOMEM;
	for (size_t g = 0; g < c->model->n_groups; g++) {
		const struct api_group *group = &c->model->groups[g];

		for (char *const *text = group->virtual_addresses; text && *text; text++) {
			struct ctl_vip vip = { .group = group };

			if (!parse_vip(*text, &vip))
				return -EBADMSG;
			vip.link = ctl_link_of(c->witness, vip.ifname);
			c->vips[c->n_vips++] = vip;
		}
	}
	if (c->n_vips)
		qsort(c->vips, c->n_vips, sizeof(*c->vips), by_ip);
	return 0;
}

static void compare_group(const struct ctl_compared *c, const struct api_group *group)
{
	const bool subs = strcmp(group->mode, "subinterface") == 0;

	if (strcmp(group->mode, "none") == 0)
		return; /* a role is nowhere in the kernel */
	/* The rules below are about addresses that are there, or not there. */
	if (strcmp(group->mode, "alias") != 0 && !subs) {
		ctl_find(c->findings, CTL_FINDING_MODE_UNKNOWN, group->name,
			 "not checked: this takeoverctl does not know the mode %s", group->mode);
		return;
	}
	if (!subs)
		ctl_compare_links(c, group);
	if (moves(group)) {
		ctl_find(c->findings, CTL_FINDING_IN_MOTION, group->name,
			 "addresses and gate not checked: the group is %s; try again when "
			 "'takeoverctl status' shows who has it",
			 group->state);
		return;
	}
	if (subs)
		ctl_compare_subs(c, group);
	for (size_t i = 0; i < c->n_vips; i++)
		if (c->vips[i].group == group)
			ctl_compare_vip(c, &c->vips[i]);
	ctl_compare_gate(c, group);
}

static int by_group_and_kind(const void *a, const void *b)
{
	const struct ctl_finding *x = a, *y = b;
	const int order = strcmp(x->group, y->group);

	if (order != 0)
		return order;
	return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->text, y->text);
}

static void vips_done(struct ctl_compared *c)
{
	free(c->vips);
}

/**
 * ctl_compare() - hold what the daemon says against what the kernel has
 * @model: what the daemon says; borrowed by @ret as well
 * @only: name of the group that is meant; NULL: all, and the host as a whole
 * @witness: what the kernel has
 * @ret: what differs, by group and kind; for ctl_findings_done(), also upon failure
 *
 * Return: 0; -ENOMEM; -EBADMSG when what the daemon calls an address is none.
 */
int ctl_compare(const struct ctl_model *model, const char *only, const struct witness *witness,
		struct ctl_findings *ret)
{
	_cleanup_(vips_done) struct ctl_compared c = {
		.model = model, .witness = witness, .only = only, .findings = ret
	};
	int r;

	r = collect_vips(&c);
	if (r < 0)
		return r;
	for (size_t g = 0; g < model->n_groups; g++)
		if (!only || strcmp(only, model->groups[g].name) == 0)
			compare_group(&c, &model->groups[g]);
	ctl_compare_host(&c);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_group_and_kind);
	return ret->err;
}
