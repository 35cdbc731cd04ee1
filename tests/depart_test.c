/* SPDX-License-Identifier: MIT */

#include "agent/bus/bus.h"
#include "agent/systemd/depart.h"
#include "tests/roles_rig.h"

#define CONF                                                                                       \
	NODES "[Group sip]\nVirtualAddress=10.0.0.3 eth0\n"                                        \
	      "[Group web]\nVirtualAddress=10.0.0.4 eth0\n"

static unit_job_handler asked; /* systemd has not answered yet; NULL: nobody asks */
static int no_systemd;	       /* why nobody can be asked; 0 */
static unsigned n_stops, n_settled, n_let_go;
static int inhibited; /* somebody else keeps this node out of this group; -1: of none */
static bool restart, forgotten, reloads;

int systemd_own_job(struct systemd *systemd, unit_job_handler handler, void *ctx)
{
	(void)systemd;
	cr_assert_eq(ctx, &agent);
	if (!no_systemd)
		asked = handler;
	return no_systemd;
}

void reload_forget(struct reload *reload)
{
	(void)reload;
	forgotten = true;
	reloads = false;
}

bool reload_is_due(const struct reload *reload)
{
	(void)reload;
	return reloads;
}

bool bus_inhibited(const struct bus *bus, uint8_t group)
{
	(void)bus;
	return group == inhibited;
}

void systemd_let_go_down(struct systemd *systemd)
{
	(void)systemd;
	n_let_go++;
}

void agent_step(struct agent *a, struct core_event *event)
{
	cr_assert_eq(a, &agent);
	cr_assert_eq(event->type, CORE_EV_STOP);
	n_stops++;
	restart = event->restart;
	a->core.stopping = true;
}

void agent_settle(struct agent *a)
{
	cr_assert_eq(a, &agent);
	n_settled++;
	depart_look(a);
}

static void begin(void)
{
	rig_start(CONF);
	asked = NULL;
	no_systemd = 0;
	inhibited = -1;
	n_stops = n_settled = n_let_go = 0;
	cr_assert_geq(sd_event_new(&agent.loop), 0);
}

static void end(void)
{
	cr_expect_null(agent.asking, "nobody waits for an answer any more");
	agent.loop = sd_event_unref(agent.loop);
}

Test(depart, systemd_says_whether_it_is_a_restart)
{
	static const struct {
		const char *type;
		bool restart;
	} cases[] = {
		{ "restart", true }, { "try-restart", true }, { "stop", false },
		{ "start", false },  { "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin();
		depart_or_restart(&agent);
		cr_assert(asked);
		cr_expect_eq(n_stops, 0);
		asked(&agent, cases[i].type);
		cr_expect_eq(n_stops, 1);
		cr_expect_eq(restart, cases[i].restart, "%s", cases[i].type);
		asked(&agent, "restart");
		cr_expect_eq(n_stops, 1, "it has been decided");
		end();
	}
}

Test(depart, without_systemd_it_is_a_stop)
{
	begin();
	no_systemd = -ENOTCONN;
	depart_or_restart(&agent);
	cr_expect_eq(n_stops, 1);
	cr_expect_not(restart);
	end();
}

/* The addresses are being left for the next agent: it is the one that can hand them over. */
Test(depart, a_stop_amid_a_reload_is_for_the_next_agent)
{
	begin();
	reloads = agent.core.stopping = true;
	forgotten = false;
	depart_or_restart(&agent);
	cr_assert(asked);
	cr_expect_not(agent.departs_next);
	asked(&agent, "stop");
	cr_expect(agent.departs_next);
	cr_expect_not(forgotten);
	cr_expect_eq(n_stops, 0);
	end();
}

Test(depart, a_restart_amid_a_reload_is_one)
{
	begin();
	reloads = agent.core.stopping = true;
	depart_or_restart(&agent);
	asked(&agent, "restart");
	cr_expect_not(agent.departs_next);
	cr_expect(forgotten);
	cr_expect(restart);
	end();
}

Test(depart, who_is_told_twice_does_not_wait_for_an_answer)
{
	begin();
	depart_or_restart(&agent);
	depart_or_restart(&agent);
	cr_expect_eq(n_stops, 1);
	cr_expect_not(restart);
	asked(&agent, "restart");
	cr_expect_eq(n_stops, 1);
	end();
}

Test(depart, a_systemd_that_does_not_answer_is_not_waited_for, .timeout = 10)
{
	begin();
	depart_or_restart(&agent);
	while (!n_stops) /* the loop sleeps, and the timer wakes it */
		cr_assert_geq(sd_event_run(agent.loop, UINT64_MAX), 0);
	cr_expect_not(restart);
	end();
}

static void expect_inhibit(bool on)
{
	cr_assert_eq(n_deferred, 2);
	for (uint8_t g = 0; g < 2; g++) {
		cr_expect_eq(deferred[g].type, CORE_EV_INHIBIT);
		cr_expect_eq(deferred[g].group, g);
		cr_expect_eq(deferred[g].request.on, on);
		cr_expect_eq(deferred[g].request.request, 0);
	}
	n_deferred = 0;
}

Test(depart, a_host_that_goes_down_waits_until_all_is_handed_over)
{
	begin();
	depart_look(&agent);
	cr_expect_eq(n_let_go, 0, "it does not go down");
	depart_host(&agent, true);
	expect_inhibit(true);
	cr_expect_eq(n_settled, 1);
	agent.core.groups[0].state = CORE_STATE_PRIMARY; /* nobody can take it */
	agent.core.groups[1].state = CORE_STATE_PRIMARY;
	agent.core.groups[1].units = 7; /* but this one is about to go */
	depart_look(&agent);
	agent.core.groups[1].units = 0;
	agent.core.groups[1].state = CORE_STATE_YIELDING;
	depart_look(&agent);
	cr_expect_eq(n_let_go, 0);
	agent.core.groups[1].state = CORE_STATE_MAINTENANCE;
	depart_look(&agent);
	cr_expect_eq(n_let_go, 1);
	depart_host(&agent, true);
	cr_expect_eq(n_deferred, 0, "it has been told already");
	depart_host(&agent, false);
	expect_inhibit(false);
	end();
}

/* The core could only answer that it is busy; and nobody would ask it again. */
Test(depart, what_is_on_its_way_is_sent_out_when_it_has_arrived)
{
	struct core_group *sip = &agent.core.groups[0], *web = &agent.core.groups[1];

	begin();
	sip->state = CORE_STATE_YIELDING;
	web->state = CORE_STATE_CLAIMING;
	depart_host(&agent, true);
	cr_expect_eq(n_deferred, 0);
	sip->state = CORE_STATE_BACKUP;
	depart_look(&agent);
	cr_assert_eq(n_deferred, 1);
	cr_expect_eq(deferred[0].group, 0);
	web->state = CORE_STATE_PRIMARY;
	web->provisional = now; /* who handed it over has not acknowledged that yet */
	depart_look(&agent);
	cr_expect_eq(n_deferred, 1);
	web->provisional = INSTANT_NEVER;
	depart_look(&agent);
	cr_expect_eq(n_let_go, 0, "it has only just been sent out");
	expect_inhibit(true);
	web->state = CORE_STATE_YIELDING;
	depart_look(&agent);
	cr_expect_eq(n_let_go, 0);
	web->state = CORE_STATE_MAINTENANCE;
	depart_look(&agent);
	cr_expect_eq(n_let_go, 1);
	cr_expect_eq(n_deferred, 0, "once");
	end();
}

Test(depart, a_host_that_stays_up_leaves_those_in_peace_whom_others_inhibit)
{
	begin();
	depart_host(&agent, true);
	expect_inhibit(true);
	inhibited = 0;
	depart_host(&agent, false);
	cr_assert_eq(n_deferred, 1);
	cr_expect_eq(deferred[0].group, 1);
	end();
}

Test(depart, the_end_waits_for_the_last_orders)
{
	int code;

	begin();
	cr_expect(depart_roles(&agent));
	expect_orders("stop takeover-primary@sip.target, stop takeover-backup@sip.target, "
		      "stop takeover-primary@web.target, stop takeover-backup@web.target");
	for (int i = 0; i < 3; i++)
		depart_answered(&agent);
	cr_expect_eq(sd_event_get_exit_code(agent.loop, &code), -ENODATA);
	depart_answered(&agent);
	cr_expect_geq(sd_event_get_exit_code(agent.loop, &code), 0);
	end();
}

Test(depart, there_may_be_nothing_to_wait_for)
{
	begin();
	refusal = -ENOTCONN;
	cr_expect_not(depart_roles(&agent));
	refusal = 0;
	ordered[0] = '\0';
	agent.core.restarting = true;
	cr_expect_not(depart_roles(&agent));
	expect_orders("");
	end();
}
