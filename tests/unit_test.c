/* SPDX-License-Identifier: MIT */

#include "tests/systemd_rig.h"

/* What a user of the client hears. */
struct heard {
	int here, err;
	int changes;
	size_t unit;
	struct unit_state state;
	char jobs[256]; /* "ID:ERRNO:WHY ..." */
	int answered;
	char own[32];
	int owns;
};

static void on_here(void *ctx, int err)
{
	struct heard *heard = ctx;

	heard->here++;
	heard->err = err;
}

static void on_changed(void *ctx, size_t unit, const struct unit_state *state)
{
	struct heard *heard = ctx;

	heard->changes++;
	heard->unit = unit;
	heard->state = *state;
}

static void on_answered(void *ctx, uint32_t id)
{
	(void)id;
	((struct heard *)ctx)->answered++;
}

static void on_done(void *ctx, uint32_t id, int err, const char *why)
{
	struct heard *heard = ctx;
	size_t used = strlen(heard->jobs);

	(void)snprintf(heard->jobs + used, sizeof(heard->jobs) - used, "%s%u:%d:%s",
		       used ? " " : "", id, err, why);
}

static void on_own_job(void *ctx, const char *type)
{
	struct heard *heard = ctx;

	heard->owns++;
	(void)snprintf(heard->own, sizeof(heard->own), "%s", type);
}

static const struct unit_ops ops = { on_here, on_changed, on_answered, on_done };

struct scene {
	struct rig rig;
	struct fake_systemd fake;
	struct heard heard;
	struct units *units;
};

static void scene_begin(struct scene *s)
{
	*s = (struct scene){ 0 };
	systemd_open(&s->rig, &s->fake);
}

static void scene_start(struct scene *s)
{
	scene_begin(s);
	MUST(units_new(s->rig.client, &ops, &s->heard, &s->units));
	settle(&s->rig);
	cr_assert_eq(s->heard.here, 1);
	cr_assert_eq(s->heard.err, 0);
}

static void scene_watch(struct scene *s)
{
	static const char *const names[] = { "kamailio.service" };

	MUST(units_watch(s->units, names, 1));
	settle(&s->rig);
	settle(&s->rig);
}

static void scene_end(struct scene *s)
{
	units_free(s->units);
	systemd_done(&s->rig, &s->fake);
}

static void properties(struct scene *s, const char *interface, const char *name, const char *type,
		       ...)
{
	sd_bus_message *m;
	va_list ap;

	MUST(sd_bus_message_new_signal(s->rig.server, &m, SYSTEMD_PATH "/unit/any_2eservice",
				       "org.freedesktop.DBus.Properties", "PropertiesChanged"));
	MUST(sd_bus_message_append(m, "s", interface));
	MUST(sd_bus_message_open_container(m, 'a', "{sv}"));
	MUST(sd_bus_message_open_container(m, 'e', "sv"));
	MUST(sd_bus_message_append(m, "s", name));
	MUST(sd_bus_message_open_container(m, 'v', type));
	va_start(ap, type);
	MUST(sd_bus_message_appendv(m, type, ap));
	va_end(ap);
	for (int i = 0; i < 3; i++)
		MUST(sd_bus_message_close_container(m));
	MUST(sd_bus_message_append(m, "as", 0));
	fake_send(s->rig.server, m, SYSTEMD);
	settle(&s->rig);
}

Test(unit, an_order_is_done_when_its_job_is, .timeout = 10)
{
	struct scene s;

	scene_start(&s);
	s.fake.calls[0] = '\0';
	MUST(units_order(s.units, UNIT_START, "takeover-primary@sip.target", 3));
	MUST(units_order(s.units, UNIT_STOP, "takeover-backup@sip.target", 4));
	settle(&s.rig);
	cr_expect_str_eq(s.fake.calls, "StartUnit(takeover-primary@sip.target) "
				       "StopUnit(takeover-backup@sip.target)");
	cr_expect_eq(s.heard.answered, 2);
	cr_expect_str_eq(s.heard.jobs, "");
	fake_job_removed(&s.rig, SYSTEMD, SYSTEMD_PATH "/job/8", "done");
	cr_expect_str_eq(s.heard.jobs, "4:0:done");
	fake_job_removed(&s.rig, SYSTEMD, SYSTEMD_PATH "/job/6", "failed");
	cr_expect_str_eq(s.heard.jobs, "4:0:done", "that was somebody else's");
	fake_job_removed(&s.rig, SYSTEMD, JOB_7, "done");
	cr_expect_str_eq(s.heard.jobs, "4:0:done 3:0:done");
	fake_job_removed(&s.rig, SYSTEMD, JOB_7, "done");
	cr_expect_str_eq(s.heard.jobs, "4:0:done 3:0:done");
	scene_end(&s);
}

/* systemd has one job for two who want the same of a unit. */
Test(unit, a_job_of_two_orders_ends_both, .timeout = 10)
{
	struct scene s;

	scene_start(&s);
	MUST(units_order(s.units, UNIT_START, "takeover-primary@sip.target", 3));
	settle(&s.rig);
	s.fake.job = 7;
	MUST(units_order(s.units, UNIT_START, "takeover-primary@sip.target", 4));
	settle(&s.rig);
	fake_job_removed(&s.rig, SYSTEMD, JOB_7, "done");
	cr_expect_str_eq(s.heard.jobs, "4:0:done 3:0:done");
	scene_end(&s);
}

Test(unit, a_job_that_fails_says_how, .timeout = 10)
{
	static const struct {
		const char *result, *heard;
	} cases[] = {
		{ "skipped", "3:0:skipped" },	     { "failed", "3:-5:failed" },
		{ "dependency", "3:-5:dependency" }, { "timeout", "3:-110:timeout" },
		{ "canceled", "3:-125:canceled" },
	};
	struct scene s;

	scene_start(&s);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		s.fake.job = 7;
		s.heard.jobs[0] = '\0';
		MUST(units_order(s.units, UNIT_START, "takeover-commit@sip.service", 3));
		settle(&s.rig);
		fake_job_removed(&s.rig, SYSTEMD, JOB_7, cases[i].result);
		cr_expect_str_eq(s.heard.jobs, cases[i].heard);
	}
	scene_end(&s);
}

Test(unit, an_order_that_is_refused_is_over, .timeout = 10)
{
	struct scene s;

	scene_start(&s);
	s.fake.error = SD_BUS_ERROR_ACCESS_DENIED;
	MUST(units_order(s.units, UNIT_START, "takeover-primary@sip.target", 3));
	settle(&s.rig);
	cr_expect_str_eq(s.heard.jobs, "3:-13:it will not do that");
	cr_expect_eq(s.heard.answered, 1);
	scene_end(&s);
}

Test(unit, what_is_not_loaded_is_stopped_already, .timeout = 10)
{
	struct scene s;

	scene_start(&s);
	s.fake.error = "org.freedesktop.systemd1.NoSuchUnit";
	MUST(units_order(s.units, UNIT_STOP, "takeover-primary@sip.target", 3));
	settle(&s.rig);
	cr_expect_str_eq(s.heard.jobs, "3:0:done");
	s.heard.jobs[0] = '\0';
	MUST(units_order(s.units, UNIT_START, "takeover-primary@sip.target", 4));
	settle(&s.rig);
	cr_expect(strstr(s.heard.jobs, "4:-") == s.heard.jobs, "%s", s.heard.jobs);
	scene_end(&s);
}

Test(unit, an_order_that_is_forgotten_is_not_heard_of, .timeout = 10)
{
	struct scene s;

	scene_start(&s);
	MUST(units_order(s.units, UNIT_STOP, "takeover-primary@sip.target", 3));
	MUST(units_order(s.units, UNIT_STOP, "takeover-primary@web.target", 4));
	settle(&s.rig);
	units_forget(s.units, 3);
	units_forget(s.units, 3);
	fake_job_removed(&s.rig, SYSTEMD, JOB_7, "done");
	cr_expect_str_eq(s.heard.jobs, "");
	fake_job_removed(&s.rig, SYSTEMD, SYSTEMD_PATH "/job/8", "done");
	cr_expect_str_eq(s.heard.jobs, "4:0:done");
	/* and while nobody has answered yet */
	s.fake.hold = "StopUnit";
	MUST(units_order(s.units, UNIT_STOP, "takeover-primary@sip.target", 5));
	settle(&s.rig);
	units_forget(s.units, 5);
	fake_answer(&s.fake, s.fake.held[0], "");
	settle(&s.rig);
	cr_expect_str_eq(s.heard.jobs, "4:0:done");
	scene_end(&s);
}

/* Any local user may send us a signal that looks like systemd's. */
Test(unit, a_stranger_is_not_believed, .timeout = 10)
{
	struct scene s;

	scene_start(&s);
	scene_watch(&s);
	MUST(units_order(s.units, UNIT_STOP, "takeover-primary@sip.target", 3));
	settle(&s.rig);
	s.heard.changes = 0;
	s.fake.calls[0] = '\0';
	fake_job_removed(&s.rig, STRANGER, JOB_7, "done");
	cr_expect_str_eq(s.heard.jobs, "");
	fake_is(&s.rig, STRANGER, "failed");
	cr_expect_eq(s.heard.changes, 0);
	fake_owner(&s.rig, STRANGER, "org.freedesktop.systemd1", SYSTEMD, STRANGER);
	fake_signal(&s.rig, STRANGER, SYSTEMD_PATH, "org.freedesktop.systemd1.Manager", "Reloading",
		    "b", 0);
	cr_expect_str_eq(s.fake.calls, "", "a flood of these would make one of calls");
	scene_end(&s);
}

Test(unit, a_watched_unit_is_known_and_followed, .timeout = 10)
{
	struct scene s;

	scene_start(&s);
	s.fake.restarts = 5;
	scene_watch(&s);
	cr_expect_eq(s.heard.changes, 1);
	cr_expect_eq(s.heard.unit, 0);
	cr_expect_eq(s.heard.state.active, UNIT_ACTIVE);
	cr_expect_not(s.heard.state.absent);
	cr_expect_eq(s.heard.state.restarts, 5);
	fake_is(&s.rig, SYSTEMD, "deactivating");
	cr_expect_eq(s.heard.changes, 2);
	cr_expect_eq(s.heard.state.active, UNIT_DEACTIVATING);
	cr_expect_eq(s.heard.state.restarts, 5);
	fake_is(&s.rig, SYSTEMD, "deactivating");
	cr_expect_eq(s.heard.changes, 2, "nothing has changed");
	properties(&s, "org.freedesktop.systemd1.Service", "NRestarts", "u", 6);
	cr_expect_eq(s.heard.changes, 3);
	cr_expect_eq(s.heard.state.restarts, 6);
	scene_end(&s);
}

Test(unit, each_state_has_its_word, .timeout = 10)
{
	static const struct {
		const char *word;
		enum unit_active active;
	} cases[] = {
		{ "inactive", UNIT_INACTIVE },	   { "failed", UNIT_FAILED },
		{ "activating", UNIT_ACTIVATING }, { "deactivating", UNIT_DEACTIVATING },
		{ "reloading", UNIT_RELOADING },   { "active", UNIT_ACTIVE },
		{ "something-new", UNIT_ACTIVE },
	};
	struct scene s;

	scene_start(&s);
	scene_watch(&s);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fake_is(&s.rig, SYSTEMD, cases[i].word);
		cr_expect_eq(s.heard.state.active, cases[i].active, "%s", cases[i].word);
	}
	scene_end(&s);
}

Test(unit, a_unit_that_is_masked_or_missing_is_absent, .timeout = 10)
{
	static const char *const words[] = { "masked", "not-found", "error", "bad-setting" };
	struct scene s;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		scene_start(&s);
		s.fake.load = words[i];
		s.fake.active = "inactive";
		scene_watch(&s);
		cr_expect(s.heard.state.absent, "%s", words[i]);
		/* until it is there */
		s.fake.load = "loaded";
		s.fake.active = "active";
		fake_signal(&s.rig, SYSTEMD, SYSTEMD_PATH, "org.freedesktop.systemd1.Manager",
			    "Reloading", "b", 1);
		cr_expect(s.heard.state.absent);
		fake_signal(&s.rig, SYSTEMD, SYSTEMD_PATH, "org.freedesktop.systemd1.Manager",
			    "Reloading", "b", 0);
		settle(&s.rig);
		cr_expect_not(s.heard.state.absent);
		cr_expect_eq(s.heard.state.active, UNIT_ACTIVE);
		scene_end(&s);
	}
}

Test(unit, a_unit_that_cannot_be_loaded_is_absent, .timeout = 10)
{
	struct scene s;

	scene_start(&s);
	s.fake.error = SD_BUS_ERROR_INVALID_ARGS;
	scene_watch(&s);
	cr_expect_eq(s.heard.changes, 1);
	cr_expect(s.heard.state.absent);
	scene_end(&s);
}

/* Its fate is systemd's to tell; the bus has only the word that nobody has answered. */
Test(unit, a_unit_that_nobody_tells_of_is_not_absent, .timeout = 10)
{
	static const char *const errors[] = { SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
					      SD_BUS_ERROR_SERVICE_UNKNOWN };
	struct scene s;

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		scene_start(&s);
		s.fake.hold = "LoadUnit";
		scene_watch(&s);
		s.fake.hold = NULL;
		fake_fail_from(s.fake.held[0], "org.freedesktop.DBus", errors[i], "it has gone");
		settle(&s.rig);
		cr_expect_not(s.heard.state.absent, "%s", errors[i]);
		fake_owner(&s.rig, "org.freedesktop.DBus", "org.freedesktop.systemd1", SYSTEMD, "");
		fake_owner(&s.rig, "org.freedesktop.DBus", "org.freedesktop.systemd1", "", ":1.9");
		settle(&s.rig);
		settle(&s.rig);
		cr_expect_eq(s.heard.state.active, UNIT_ACTIVE, "%s", errors[i]);
		scene_end(&s);
	}
}

/* A systemd too busy to answer in time never goes, so nothing tells that it is back. */
Test(unit, a_systemd_that_has_not_answered_is_asked_again, .timeout = 10)
{
	static const char *const members[] = { "LoadUnit", "GetAll" };
	struct scene s;

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		scene_start(&s);
		s.fake.hold = members[i];
		scene_watch(&s);
		s.fake.hold = NULL;
		fake_fail_from(s.fake.held[0], "org.freedesktop.DBus", SD_BUS_ERROR_NO_REPLY,
			       "Method call timed out");
		for (int turn = 0; turn < 3; turn++)
			settle(&s.rig);
		cr_expect_eq(s.heard.changes, 1, "%s", members[i]);
		cr_expect_eq(s.heard.state.active, UNIT_ACTIVE, "%s", members[i]);
		scene_end(&s);
	}
}

/* daemon-reexec, or a bus that was restarted below it */
Test(unit, a_systemd_that_comes_back_is_asked_anew, .timeout = 10)
{
	struct scene s;

	scene_start(&s);
	scene_watch(&s);
	s.fake.active = "failed";
	s.fake.calls[0] = '\0';
	fake_owner(&s.rig, "org.freedesktop.DBus", "org.freedesktop.systemd1", SYSTEMD, "");
	cr_expect_str_eq(s.fake.calls, "");
	fake_owner(&s.rig, "org.freedesktop.DBus", "org.freedesktop.systemd1", "", ":1.9");
	settle(&s.rig);
	settle(&s.rig);
	cr_expect_eq(s.heard.here, 2);
	cr_expect_str_eq(s.fake.calls, "Subscribe() GetUnitByPID() LoadUnit(kamailio.service) "
				       "Get(org.freedesktop.systemd1.Service) "
				       "GetAll(org.freedesktop.systemd1.Unit)");
	cr_expect_eq(s.heard.state.active, UNIT_FAILED);
	scene_end(&s);
}

Test(unit, who_has_subscribed_already_hears_all_the_same, .timeout = 10)
{
	struct scene s;

	scene_begin(&s);
	s.fake.hold = "Subscribe";
	MUST(units_new(s.rig.client, &ops, &s.heard, &s.units));
	settle(&s.rig);
	cr_expect_eq(s.heard.here, 0);
	cr_expect_eq(units_order(s.units, UNIT_START, "takeover-primary@sip.target", 3), -ENOTCONN);
	fake_fail(s.fake.held[0], "org.freedesktop.systemd1.AlreadySubscribed", "");
	settle(&s.rig);
	cr_expect_eq(s.heard.here, 1);
	cr_expect_eq(s.heard.err, 0);
	scene_end(&s);
}

Test(unit, without_a_systemd_nothing_is_ordered, .timeout = 10)
{
	struct scene s;

	scene_begin(&s);
	s.fake.error = SD_BUS_ERROR_SERVICE_UNKNOWN;
	MUST(units_new(s.rig.client, &ops, &s.heard, &s.units));
	scene_watch(&s);
	cr_expect_eq(s.heard.here, 1);
	cr_expect_lt(s.heard.err, 0);
	cr_expect_str_eq(s.fake.calls, "Subscribe()");
	cr_expect_eq(units_order(s.units, UNIT_START, "takeover-primary@sip.target", 3), -ENOTCONN);
	cr_expect_eq(units_own_job(s.units, on_own_job, &s.heard), -ENOTCONN);
	/* it may come later */
	s.fake.error = NULL;
	fake_owner(&s.rig, "org.freedesktop.DBus", "org.freedesktop.systemd1", "", SYSTEMD);
	settle(&s.rig);
	cr_expect_eq(s.heard.here, 2);
	cr_expect_eq(s.heard.err, 0);
	scene_end(&s);
}

Test(unit, our_own_job_is_told_once, .timeout = 10)
{
	struct scene s;

	scene_start(&s);
	s.fake.own_job = "restart";
	MUST(units_own_job(s.units, on_own_job, &s.heard));
	cr_expect_eq(units_own_job(s.units, on_own_job, &s.heard), -EBUSY);
	settle(&s.rig);
	cr_expect_eq(s.heard.owns, 1);
	cr_expect_str_eq(s.heard.own, "restart");
	s.fake.own_job = NULL;
	MUST(units_own_job(s.units, on_own_job, &s.heard));
	settle(&s.rig);
	cr_expect_eq(s.heard.owns, 2);
	cr_expect_str_eq(s.heard.own, "");
	s.fake.error = SD_BUS_ERROR_NO_REPLY;
	MUST(units_own_job(s.units, on_own_job, &s.heard));
	settle(&s.rig);
	cr_expect_eq(s.heard.owns, 3);
	cr_expect_str_eq(s.heard.own, "");
	scene_end(&s);
}

Test(unit, calls_under_way_end_with_the_client, .timeout = 10)
{
	struct scene s;

	scene_start(&s);
	s.fake.hold = "StopUnit";
	MUST(units_order(s.units, UNIT_STOP, "takeover-primary@sip.target", 3));
	settle(&s.rig);
	s.units = units_free(s.units);
	fake_answer(&s.fake, s.fake.held[0], "");
	settle(&s.rig);
	cr_expect_str_eq(s.heard.jobs, "");
	scene_end(&s);
}

/* As systemd-escape --template=takeover-primary@.target does it */
Test(unit, instances_are_escaped)
{
	static const struct {
		const char *instance, *name;
	} cases[] = {
		{ "sip", "takeover-primary@sip.target" },
		{ "sip-1.core_A", "takeover-primary@sip\\x2d1.core_A.target" },
		{ ".hidden", "takeover-primary@\\x2ehidden.target" },
		{ "\xc3\xa4", "takeover-primary@\\xc3\\xa4.target" },
	};
	char name[UNIT_NAME_SIZE], longest[UNIT_NAME_SIZE + 1];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		MUST(unit_instance("takeover-primary", cases[i].instance, ".target", name));
		cr_expect_str_eq(name, cases[i].name);
	}
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	cr_expect_eq(unit_instance("takeover-primary", longest, ".target", name), -ENAMETOOLONG);
	cr_expect_str_eq(name, cases[ARRAY_SIZE(cases) - 1].name, "it is left alone");
}
