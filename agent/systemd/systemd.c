/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdlib.h>

#include "agent/agent.h"
#include "agent/cleanup.h"
#include "agent/log.h"
#include "agent/reaction/react.h"
#include "agent/systemd/depart.h"
#include "agent/systemd/roles.h"
#include "agent/systemd/service.h"
#include "agent/systemd/steps.h"
#include "agent/systemd/systemd.h"

/* What the units of a group go by. */
struct seen {
	enum core_state state;
	uint32_t units;
	bool primary, leaving;
};

struct systemd {
	struct agent *agent;
	struct units *units; /* NULL: there is no bus */
	struct login *login; /* the same */
	bool here;
	bool complained, unlocked; /* the log says so already */
	sd_event_source *timer;
	instant timer_at;
	struct seen seen[CORE_GROUPS_MAX];
	uint8_t watched[CORE_GROUPS_MAX]; /* the groups of the units that are */
};

static struct seen look(const struct core *core, uint8_t group)
{
	const struct core_group *g = &core->groups[group];

	return (struct seen){ g->state, g->units, g->primary, core->stopping };
}

static bool is_same(const struct seen *a, const struct seen *b)
{
	return a->state == b->state && a->units == b->units && a->primary == b->primary &&
	       a->leaving == b->leaving;
}

static void look_at_time(struct systemd *systemd)
{
	struct agent *agent = systemd->agent;
	instant now = clock_now(), due = INSTANT_NEVER;

	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		due = instant_earlier(due, steps_look(agent, g, now));
		due = instant_earlier(due, service_look(agent, g, now));
		due = instant_earlier(due, react_look(agent->react, g, now));
	}
	if (due.us == systemd->timer_at.us)
		return;
	systemd->timer_at = due;
	(void)sd_event_source_set_time(systemd->timer, due.us);
	(void)sd_event_source_set_enabled(systemd->timer,
					  instant_is_set(due) ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/**
 * systemd_look() - Something has been begun, or is over: when is the next of them late?
 */
void systemd_look(struct systemd *systemd)
{
	if (systemd)
		look_at_time(systemd);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct systemd *systemd = data;

	(void)source;
	(void)usec;
	systemd->timer_at = INSTANT_NEVER;
	look_at_time(systemd);
	agent_settle(systemd->agent);
	return 0;
}

/**
 * systemd_follow() - The core has decided: do the units know?
 * @systemd: may be NULL
 *
 * Asked after each step, and hardly ever is there anything to do.
 */
void systemd_follow(struct systemd *systemd)
{
	struct agent *agent;
	bool changed = false;

	if (!systemd)
		return;
	agent = systemd->agent;
	for (uint8_t g = 0; g < agent->conf->n_groups; g++) {
		struct seen now = look(&agent->core, g);

		if (is_same(&now, &systemd->seen[g]))
			continue;
		systemd->seen[g] = now;
		changed = true;
		if (systemd->here)
			roles_follow(agent, g);
	}
	if (changed)
		look_at_time(systemd);
	depart_look(agent);
}

/* Somebody counts on what he has configured. */
static void warn_of(const struct conf_group *group)
{
	const char *keys = "BeforeRelease= and BeforeClaim=";

	if (group->unit)
		log_say(LOG_LEVEL_WARNING,
			"group %s: without systemd nobody watches whether %s runs (Unit=)",
			group->name, group->unit);
	if (!group->before_release.n && !group->before_claim.n)
		return;
	if (!group->before_claim.n)
		keys = "BeforeRelease=";
	else if (!group->before_release.n)
		keys = "BeforeClaim=";
	log_say(LOG_LEVEL_WARNING,
		"group %s: without systemd no unit of %s is started or stopped, and a "
		"switchover fails",
		group->name, keys);
}

/**
 * systemd_missing() - systemd is not on the bus, or there is no bus: say what that means
 *
 * Once, until it comes. That targets of roles are not started is worth no warning: nobody has
 * asked for them here.
 */
void systemd_missing(struct systemd *systemd)
{
	const struct conf *conf = systemd->agent->conf;

	if (systemd->complained)
		return;
	systemd->complained = true;
	log_say(LOG_LEVEL_INFO,
		"no systemd on the bus: no targets of roles, no Unit=, no steps, no reactions");
	for (size_t g = 0; g < conf->n_groups; g++)
		warn_of(&conf->groups[g]);
}

static void on_here(void *ctx, int err)
{
	struct systemd *systemd = ctx;

	systemd->here = !err;
	if (err) {
		systemd_missing(systemd);
		return;
	}
	if (systemd->complained)
		log_say(LOG_LEVEL_INFO, "systemd is on the bus now");
	systemd->complained = false;
	roles_renew(systemd->agent);
	react_here(systemd->agent->react);
}

static void on_changed(void *ctx, size_t unit, const struct unit_state *state)
{
	struct systemd *systemd = ctx;

	service_changed(systemd->agent, systemd->watched[unit], state);
	look_at_time(systemd);
	agent_settle(systemd->agent);
}

static void on_answered(void *ctx, uint32_t id)
{
	if (systemd_id_kind(id) == SYSTEMD_LEAVE)
		depart_answered(((struct systemd *)ctx)->agent);
}

static void on_done(void *ctx, uint32_t id, int err, const char *why)
{
	struct systemd *systemd = ctx;

	switch (systemd_id_kind(id)) {
	case SYSTEMD_ROLE:
		roles_done(systemd->agent, id, err, why);
		break;
	case SYSTEMD_STEP:
		steps_done(systemd->agent, id, err, why);
		look_at_time(systemd);
		agent_settle(systemd->agent);
		break;
	case SYSTEMD_LEAVE:
	case SYSTEMD_FORMER:
		break;
	case SYSTEMD_REACTION:
		react_done(systemd->agent->react, id, err, why);
		break;
	}
}

static void on_held(void *ctx, int err, const char *why)
{
	struct systemd *systemd = ctx;

	if (err && !systemd->unlocked)
		log_say(LOG_LEVEL_INFO,
			"no inhibitor of logind: %s; a host that goes down hands over when the "
			"agent is stopped, not before",
			why);
	systemd->unlocked = err != 0;
}

static void on_shutdown(void *ctx, bool begins)
{
	depart_host(((struct systemd *)ctx)->agent, begins);
}

static int watch(struct systemd *systemd)
{
	const struct conf *conf = systemd->agent->conf;
	const char *names[CORE_GROUPS_MAX];
	size_t n = 0;

	for (uint8_t g = 0; g < conf->n_groups; g++)
		if (conf->groups[g].unit) {
			systemd->watched[n] = g;
			names[n++] = conf->groups[g].unit;
		}
	return units_watch(systemd->units, names, n);
}

/**
 * systemd_attach() - There is a bus: systemd may be on it
 * @bus: connection, perhaps not finished yet
 */
void systemd_attach(struct systemd *systemd, sd_bus *bus)
{
	static const struct unit_ops unit_ops = { on_here, on_changed, on_answered, on_done };
	static const struct login_ops login_ops = { on_held, on_shutdown };
	int r;

	r = units_new(bus, &unit_ops, systemd, &systemd->units);
	if (r >= 0)
		r = watch(systemd);
	if (r >= 0)
		r = login_new(bus, &login_ops, systemd, &systemd->login);
	if (r >= 0)
		return;
	systemd_detach(systemd);
	on_here(systemd, r);
}

/**
 * systemd_detach() - The bus has gone: so have all answers
 *
 * What was known of units is taken to be so still.
 */
void systemd_detach(struct systemd *systemd)
{
	systemd->here = false;
	systemd->units = units_free(systemd->units);
	systemd->login = login_free(systemd->login);
}

/**
 * systemd_order() - Have a unit started or stopped
 *
 * Return: 0; -ENOTCONN; -ENOMEM; errors of the bus.
 */
int systemd_order(struct systemd *systemd, enum unit_verb verb, const char *name, uint32_t id)
{
	return systemd && systemd->units ? units_order(systemd->units, verb, name, id) : -ENOTCONN;
}

void systemd_forget(struct systemd *systemd, uint32_t id)
{
	if (systemd && systemd->units)
		units_forget(systemd->units, id);
}

/**
 * systemd_own_job() - Ask which job is under way for the unit that we run in
 *
 * Return: as units_own_job()
 */
int systemd_own_job(struct systemd *systemd, unit_job_handler handler, void *ctx)
{
	return systemd && systemd->units ? units_own_job(systemd->units, handler, ctx) : -ENOTCONN;
}

/**
 * systemd_let_go_down() - The host need not wait for us any more
 */
void systemd_let_go_down(struct systemd *systemd)
{
	if (systemd->login)
		login_release(systemd->login);
}

/**
 * systemd_new() - Ready for a systemd that may be found on a bus
 *
 * Return: 0; -ENOMEM; errors of sd-event.
 */
int systemd_new(struct agent *agent, struct systemd **ret)
{
	_cleanup_(systemd_freep) struct systemd *systemd = calloc(1, sizeof(*systemd));
	int r;

	if (!systemd)
		return -ENOMEM;
	systemd->agent = agent;
	r = sd_event_add_time(agent->loop, &systemd->timer, CLOCK_BOOTTIME, 0, USEC_PER_MSEC,
			      on_timer, systemd);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(systemd->timer, SD_EVENT_OFF);
	if (r < 0)
		return r;
	*ret = TAKE(systemd);
	return 0;
}

struct systemd *systemd_free(struct systemd *systemd)
{
	if (!systemd)
		return NULL;
	systemd_detach(systemd);
	sd_event_source_disable_unref(systemd->timer);
	free(systemd);
	return NULL;
}
