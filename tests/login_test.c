/* SPDX-License-Identifier: MIT */

#include "tests/systemd_rig.h"

struct heard {
	int held, err, begins, ends;
};

static void on_held(void *ctx, int err, const char *why)
{
	struct heard *heard = ctx;

	heard->held++;
	heard->err = err;
	if (err)
		cr_expect_str_eq(why, "it will not do that");
}

static void on_shutdown(void *ctx, bool begins)
{
	struct heard *heard = ctx;

	begins ? heard->begins++ : heard->ends++;
}

static const struct login_ops ops = { on_held, on_shutdown };

static void prepare(struct rig *rig, const char *sender, int begins)
{
	fake_signal(rig, sender, "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
		    "PrepareForShutdown", "b", begins);
}

/* logind sees the end of the pipe when nobody holds the lock any more. */
static bool locked(const struct fake_systemd *fake)
{
	char c;

	return read(fake->lock[0], &c, 1) < 0;
}

Test(login, the_host_waits_until_it_is_let_go, .timeout = 10)
{
	struct heard heard = { 0 };
	struct fake_systemd fake;
	struct login *login;
	struct rig rig;

	systemd_open(&rig, &fake);
	MUST(login_new(rig.client, &ops, &heard, &login));
	settle(&rig);
	cr_expect_str_eq(fake.calls, "Inhibit(shutdown) Get(org.freedesktop.login1.Manager)");
	cr_expect_eq(heard.held, 1);
	cr_expect_eq(heard.err, 0);
	cr_expect(locked(&fake));
	prepare(&rig, STRANGER, 1);
	cr_expect_eq(heard.begins, 0);
	prepare(&rig, SYSTEMD, 1);
	cr_expect_eq(heard.begins, 1);
	cr_expect(locked(&fake));
	login_release(login);
	cr_expect_not(locked(&fake));
	/* called off: the next one finds us ready again */
	prepare(&rig, SYSTEMD, 0);
	settle(&rig);
	cr_expect_eq(heard.ends, 2, "the first was the answer to our question");
	cr_expect(locked(&fake));
	login_free(login);
	cr_expect_not(locked(&fake));
	systemd_done(&rig, &fake);
}

/* As an agent that is started anew: the signal has been, and there is no lock any more. */
Test(login, who_comes_late_hears_that_the_host_goes_down, .timeout = 10)
{
	struct heard heard = { 0 };
	struct fake_systemd fake;
	struct login *login;
	struct rig rig;

	systemd_open(&rig, &fake);
	fake.going_down = true;
	MUST(login_new(rig.client, &ops, &heard, &login));
	settle(&rig);
	cr_expect_eq(heard.begins, 1);
	prepare(&rig, SYSTEMD, 0);
	cr_expect_eq(heard.ends, 1);
	login_free(login);
	systemd_done(&rig, &fake);
}

Test(login, a_logind_that_comes_later_is_asked, .timeout = 10)
{
	struct heard heard = { 0 };
	struct fake_systemd fake;
	struct login *login;
	struct rig rig;

	systemd_open(&rig, &fake);
	fake.error = SD_BUS_ERROR_SERVICE_UNKNOWN;
	MUST(login_new(rig.client, &ops, &heard, &login));
	settle(&rig);
	cr_expect_eq(heard.held, 1);
	cr_expect_lt(heard.err, 0);
	prepare(&rig, STRANGER, 1);
	cr_expect_eq(heard.begins, 0);
	login_release(login);
	fake.error = NULL;
	fake_owner(&rig, "org.freedesktop.DBus", "org.freedesktop.login1", "", SYSTEMD);
	settle(&rig);
	cr_expect_eq(heard.held, 2);
	cr_expect_eq(heard.err, 0);
	cr_expect(locked(&fake));
	login_free(login);
	systemd_done(&rig, &fake);
}
