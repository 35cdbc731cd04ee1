/* SPDX-License-Identifier: MIT */

/* What makes this node unfit, and what may be done about it. */

#include "agent/check/check.h"
#include "agent/explain/talk.h"

static void say_link(struct talk *t)
{
	const char *ifname = t->agent->trouble[t->group].name;

	if (!ifname)
		say(t,
		    "%s is unfit (link): none of its own addresses is on this host; it is fit "
		    "when one comes.",
		    t->self);
	else if (t->agent->trouble[t->group].missing)
		say(t,
		    "%s is unfit (link): there is no interface %s; it is fit when it is there "
		    "and runs.",
		    t->self, ifname);
	else
		say(t,
		    "%s is unfit (link): interface %s is down or without carrier; see to its "
		    "cable and switch, or try 'ip link set %s up'.",
		    t->self, ifname, ifname);
}

static void say_check(struct talk *t)
{
	const struct check *check = checks_find_failed(t->agent->checks, t->group);
	char name[CONF_CHECK_NAME_MAX];

	if (check && check->streak.well)
		say(t,
		    "%s is unfit (check): %s has failed, and has not been well often enough since "
		    "(Rise=).",
		    t->self, conf_check_name(check->conf, name));
	else if (check)
		say(t, "%s is unfit (check): %s fails: %s; see to the service.", t->self,
		    conf_check_name(check->conf, name), check->text);
	else
		say(t, "%s is unfit (check): a check of the service fails; see to the service.",
		    t->self);
}

/* What it means, and what to do about it; those with a sentence of their own have none here. */
static const char *unfit_phrase(enum core_unfit bit)
{
	switch (bit) {
	case CORE_UNFIT_LINK:
	case CORE_UNFIT_CHECK:
	case _CORE_UNFIT_MASK:
		break;
	case CORE_UNFIT_UNIT:
		return "its unit does not run; 'systemctl status' of what Unit= names says why";
	case CORE_UNFIT_ISOLATED:
		return "none of its references answers it, so it may be cut off; see to its "
		       "network";
	case CORE_UNFIT_CLAIM:
		return "its last claim failed; 01-00304 in 'journalctl -u takeoverd' says why";
	case CORE_UNFIT_DRIFT:
		return "somebody deletes its addresses again and again; 'ip -timestamp monitor "
		       "address' shows when";
	case CORE_UNFIT_DISOWNED:
		return "the configuration of another node does not name it; compare the files";
	case CORE_UNFIT_STARTING:
		return "it listens first whether another node is primary";
	case CORE_UNFIT_MAINTENANCE:
		return "it is kept out; 'takeoverctl maintenance off' lets it take part again";
	case CORE_UNFIT_SYNC:
		return "its state is not synchronized; it would claim after a failure, but nothing "
		       "is moved to it";
	case CORE_UNFIT_STOPPING:
		return "takeoverd is about to end";
	case CORE_UNFIT_OCCUPIED:
		return "somebody else answers for an address of the group, a stranger or another "
		       "node that is not heard; the network is asked again every 2 s, and it is "
		       "fit when nobody answers";
	case CORE_UNFIT_INHIBITED:
		return "it is kept out for as long as who asked for that is there";
	case CORE_UNFIT_SILENT:
		return "no service traffic has come in; see to the service and to its network";
	}
	return "";
}

/* When time alone ends it; from which of the two looks ahead says so. */
static instant fit_at(const struct talk *t, unsigned i)
{
	return instant_is_set(t->steady.fit_at[i]) ? t->steady.fit_at[i] : t->silent.fit_at[i];
}

void say_unfit(struct talk *t)
{
	char in[SPAN_MAX];

	for (unsigned i = 0; 1U << i < _CORE_UNFIT_MASK; i++) {
		enum core_unfit bit = (enum core_unfit)(1U << i);

		if (!(t->g->unfit & bit))
			continue;
		if (bit == CORE_UNFIT_LINK)
			say_link(t);
		else if (bit == CORE_UNFIT_CHECK)
			say_check(t);
		else if (instant_is_set(fit_at(t, i)))
			say(t, "%s is unfit (%s): %s. If nothing else happens, that is over in %s.",
			    t->self, core_unfit_name(bit), unfit_phrase(bit),
			    left(t, fit_at(t, i), in));
		else
			say(t, "%s is unfit (%s): %s.", t->self, core_unfit_name(bit),
			    unfit_phrase(bit));
	}
}
