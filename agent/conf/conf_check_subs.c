/* SPDX-License-Identifier: MIT */

/* What no single line can tell of sub-interfaces: who has which, and on what they are. */

#include "agent/conf/conf_load.h"

/* Does the group bring this interface up and down? */
static bool moves(const struct conf_group *group, const char *ifname)
{
	return group->mode == CONF_MODE_SUBINTERFACE &&
	       (conf_uses(group, ifname) || conf_find_sub(group, ifname));
}

/* The group that brings the interface up and down; NULL: none. */
static const struct conf_group *mover(const struct conf *conf, const char *ifname)
{
	for (size_t g = 0; g < conf->n_groups; g++)
		if (moves(&conf->groups[g], ifname))
			return &conf->groups[g];
	return NULL;
}

/* A name belongs to one line. */
static int check_name(struct conf_load *load, size_t g, size_t i)
{
	const struct conf *conf = load->conf;
	const struct conf_sub *sub = &conf->groups[g].subs[i];

	for (size_t h = 0; h <= g; h++) {
		const struct conf_group *other = &conf->groups[h];

		for (size_t k = 0; k < (h == g ? i : other->n_subs); k++)
			if (!strcmp(other->subs[k].name, sub->name))
				return conf_load_complain(
					load, load->groups[g].subs[i],
					"%s is a sub-interface of [Group %s] already; give this "
					"one another name.",
					sub->name, other->name);
	}
	return 0;
}

/* The kernel takes no MAC twice on one link, and the second claim would fail. */
static int check_mac(struct conf_load *load, size_t g, size_t i)
{
	const struct conf *conf = load->conf;
	const struct conf_sub *sub = &conf->groups[g].subs[i];

	if (sub->mac != CONF_MAC_GIVEN)
		return 0;
	for (size_t h = 0; h <= g; h++) {
		const struct conf_group *group = &conf->groups[h];

		for (size_t k = 0; k < (h == g ? i : group->n_subs); k++) {
			const struct conf_sub *other = &group->subs[k];

			if (other->mac == CONF_MAC_GIVEN && !strcmp(other->parent, sub->parent) &&
			    !memcmp(other->given, sub->given, sizeof(sub->given)))
				return conf_load_complain(
					load, load->groups[g].subs[i],
					"%s has the MAC of %s, which is on %s as well; give it "
					"another one.",
					sub->name, other->name, sub->parent);
		}
	}
	return 0;
}

static int check_sub(struct conf_load *load, size_t g, size_t i)
{
	const struct conf *conf = load->conf;
	const struct conf_object *object = &load->groups[g];
	const struct conf_group *group = &conf->groups[g], *other;
	const struct conf_sub *sub = &group->subs[i];

	if (!strcmp(sub->parent, "lo"))
		return conf_load_complain(load, object->subs[i],
					  "%s cannot be on lo, which has no MAC and leads nowhere; "
					  "name an interface of the clients' network.",
					  sub->name);
	other = mover(conf, sub->parent);
	if (other && conf_uses(group, sub->parent))
		return 0; /* that is said where the address is */
	if (other)
		return conf_load_complain(load, object->subs[i],
					  "%s cannot be on %s, which [Group %s] brings up and "
					  "down; name the interface below that.",
					  sub->name, sub->parent, other->name);
	if (!conf_uses(group, sub->name) && !conf_load_key_bad(object, "VirtualAddress"))
		return conf_load_complain(load, object->subs[i],
					  "No VirtualAddress= of [Group %s] is on %s; put one "
					  "there, or remove this line.",
					  group->name, sub->name);
	return 0;
}

/* What is brought down must not be in use by others, nor carry what is to stay up. */
static int check_vip(struct conf_load *load, size_t g, size_t i)
{
	const struct conf *conf = load->conf;
	const struct conf_group *group = &conf->groups[g];
	const char *ifname = group->vips[i].ifname;

	for (size_t h = 0; h < conf->n_groups; h++) {
		const struct conf_group *other = &conf->groups[h];

		if (h != g && moves(other, ifname) && (h < g || !moves(group, ifname)))
			return conf_load_complain(load, load->groups[g].items[i],
						  "[Group %s] brings %s up and down; no other "
						  "group can have addresses on it.",
						  other->name, ifname);
	}
	for (size_t k = 0; group->mode == CONF_MODE_SUBINTERFACE && k < group->n_subs; k++)
		if (!strcmp(group->subs[k].parent, ifname))
			return conf_load_complain(load, load->groups[g].items[i],
						  "%s would be taken down with this address, but "
						  "%s is on it; write %s here.",
						  ifname, group->subs[k].name, group->subs[k].name);
	return 0;
}

/* What Stage= comes to; an interface of the host is not ours to keep up on a backup. */
static int check_stage(struct conf_load *load, size_t g)
{
	struct conf_group *group = &load->conf->groups[g];
	const struct conf_object *object = &load->groups[g];
	const struct conf_vip *other = NULL;

	for (size_t i = 0; !other && i < group->n_vips; i++)
		if (!conf_find_sub(group, group->vips[i].ifname))
			other = &group->vips[i];
	group->staged = group->n_vips > 0 && !other &&
			(group->stage == CONF_STAGE_YES ||
			 (group->stage == CONF_STAGE_AUTO && group->n_vips > CONF_STAGE_MANY));
	if (group->stage != CONF_STAGE_YES)
		return 0;
	if (group->mode != CONF_MODE_SUBINTERFACE)
		return conf_load_key_bad(object, "Mode")
			       ? 0
			       : conf_load_complain(load, conf_load_key_origin(object, "Stage"),
						    "Stage=yes takes Mode=subinterface, and [Group "
						    "%s] has Mode=%s.",
						    group->name, conf_mode_name(group->mode));
	if (!other || conf_load_key_bad(object, "SubInterface"))
		return 0;
	return conf_load_complain(load, conf_load_key_origin(object, "Stage"),
				  "Stage=yes takes addresses on interfaces that SubInterface= "
				  "makes, and [Group %s] has one on %s.",
				  group->name, other->ifname);
}

static int check_group(struct conf_load *load, size_t g)
{
	const struct conf_group *group = &load->conf->groups[g];
	const struct conf_object *object = &load->groups[g];
	int r = 0;

	r = check_stage(load, g);
	if (r < 0)
		return r;
	if (group->n_subs > 0 && group->mode != CONF_MODE_SUBINTERFACE)
		return conf_load_key_bad(object, "Mode")
			       ? 0
			       : conf_load_complain(load, object->subs[0],
						    "SubInterface= takes Mode=subinterface, and "
						    "[Group %s] has Mode=%s.",
						    group->name, conf_mode_name(group->mode));
	for (size_t i = 0; r == 0 && i < group->n_subs; i++) {
		const size_t before = load->problems->n;

		r = check_name(load, g, i);
		if (r == 0 && load->problems->n == before)
			r = check_mac(load, g, i);
		if (r == 0 && load->problems->n == before)
			r = check_sub(load, g, i);
	}
	/* One complaint for each interface is enough. */
	for (size_t i = 0; r == 0 && i < group->n_vips; i++)
		if (i == 0 || strcmp(group->vips[i].ifname, group->vips[i - 1].ifname) != 0)
			r = check_vip(load, g, i);
	return r;
}

/**
 * conf_check_subs() - Check what groups of Mode=subinterface bring up and down.
 * @load: load that has read all its files and is not sorted yet
 *
 * Return: 0, mistakes or not; -ENOMEM.
 */
int conf_check_subs(struct conf_load *load)
{
	int r = 0;

	for (size_t g = 0; r == 0 && g < load->conf->n_groups; g++)
		r = check_group(load, g);
	return r;
}
