/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A systemd and a logind that do as the test says, at the other end of a socket
 * pair, for unit_test.c and login_test.c.
 */

#include "sdbus/login.h"
#include "sdbus/unit.h"
#include "tests/bus_rig.h"

#define SYSTEMD ":1.1" /* its unique name on this bus */
#define STRANGER ":1.66"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define JOB_7 SYSTEMD_PATH "/job/7"

enum { FAKE_HELD_MAX = 4 };

struct fake_systemd {
	char calls[1024];  /* "Member(first argument) ..." */
	const char *error; /* answered to whatever is asked; NULL: none */
	const char *hold;  /* a member that is not answered but kept; NULL */
	sd_bus_message *held[FAKE_HELD_MAX];
	size_t n_held;
	uint32_t job; /* number of the next one */

	const char *active, *load; /* of each unit */
	uint32_t restarts;
	const char *own_job; /* type; NULL: none */
	int going_down;
	int lock[2]; /* logind's: [0] is at its end once nobody has [1] */
};

static inline void fake_send(sd_bus *bus, sd_bus_message *m, const char *sender)
{
	MUST(sd_bus_message_set_sender(m, sender));
	MUST(sd_bus_send(bus, m, NULL));
	sd_bus_message_unref(m);
}

static inline void fake_fail_from(sd_bus_message *call, const char *sender, const char *name,
				  const char *text)
{
	const sd_bus_error e = SD_BUS_ERROR_MAKE_CONST(name, text);
	sd_bus_message *m;

	MUST(sd_bus_message_new_method_error(call, &m, &e));
	fake_send(sd_bus_message_get_bus(call), m, sender);
}

static inline void fake_fail(sd_bus_message *call, const char *name, const char *text)
{
	fake_fail_from(call, SYSTEMD, name, text);
}

static inline void fake_append_properties(struct fake_systemd *fake, sd_bus_message *m)
{
	MUST(sd_bus_message_append(m, "a{sv}", 4, "Id", "s", "any.service", "LoadState", "s",
				   fake->load, "ActiveState", "s", fake->active, "Requires", "as",
				   1, "sysinit.target"));
}

static inline void fake_get(struct fake_systemd *fake, sd_bus_message *m, const char *property)
{
	if (!strcmp(property, "NRestarts"))
		MUST(sd_bus_message_append(m, "v", "u", fake->restarts));
	else if (!strcmp(property, "Job"))
		MUST(sd_bus_message_append(m, "v", "(uo)", fake->own_job ? 7 : 0,
					   fake->own_job ? JOB_7 : "/"));
	else if (!strcmp(property, "PreparingForShutdown"))
		MUST(sd_bus_message_append(m, "v", "b", fake->going_down));
	else if (!strcmp(property, "JobType"))
		MUST(sd_bus_message_append(m, "v", "s", fake->own_job));
	else
		cr_assert_fail("nobody should ask for %s", property);
}

/* What either daemon answers. */
static inline void fake_answer(struct fake_systemd *fake, sd_bus_message *call, const char *first)
{
	const char *member = sd_bus_message_get_member(call), *property;
	char path[64];
	sd_bus_message *m;

	MUST(sd_bus_message_new_method_return(call, &m));
	if (!strcmp(member, "LoadUnit") || !strcmp(member, "GetUnitByPID")) {
		MUST(sd_bus_message_append(m, "o", SYSTEMD_PATH "/unit/any_2eservice"));
	} else if (!strcmp(member, "StartUnit") || !strcmp(member, "StopUnit")) {
		(void)snprintf(path, sizeof(path), SYSTEMD_PATH "/job/%u", fake->job++);
		MUST(sd_bus_message_append(m, "o", path));
	} else if (!strcmp(member, "GetAll")) {
		cr_expect_str_eq(first, "org.freedesktop.systemd1.Unit");
		fake_append_properties(fake, m);
	} else if (!strcmp(member, "Get")) {
		MUST(sd_bus_message_read(call, "s", &property));
		fake_get(fake, m, property);
	} else if (!strcmp(member, "Inhibit")) {
		(void)close(fake->lock[0]);
		cr_assert_eq(pipe2(fake->lock, O_CLOEXEC | O_NONBLOCK), 0);
		MUST(sd_bus_message_append(m, "h", fake->lock[1]));
		(void)close(fake->lock[1]);
	}
	fake_send(sd_bus_message_get_bus(call), m, SYSTEMD);
}

static inline int fake_on_call(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct fake_systemd *fake = userdata;
	const char *member = sd_bus_message_get_member(call), *first = "";
	size_t used = strlen(fake->calls);
	uint8_t type;

	(void)error;
	MUST(sd_bus_message_get_type(call, &type));
	if (type != SD_BUS_MESSAGE_METHOD_CALL || !strcmp(member, "Ping"))
		return 0;
	if (sd_bus_message_has_signature(call, "u") <= 0 && !sd_bus_message_is_empty(call))
		MUST(sd_bus_message_read(call, "s", &first));
	(void)snprintf(fake->calls + used, sizeof(fake->calls) - used, "%s%s(%s)", used ? " " : "",
		       member, first);
	if (fake->hold && !strcmp(member, fake->hold)) {
		cr_assert_lt(fake->n_held, FAKE_HELD_MAX);
		fake->held[fake->n_held++] = sd_bus_message_ref(call);
	} else if (fake->error) {
		fake_fail(call, fake->error, "it will not do that");
	} else {
		fake_answer(fake, call, first);
	}
	return 1;
}

static inline void fake_signal(struct rig *rig, const char *sender, const char *path,
			       const char *interface, const char *member, const char *types, ...)
{
	sd_bus_message *m;
	va_list ap;

	MUST(sd_bus_message_new_signal(rig->server, &m, path, interface, member));
	va_start(ap, types);
	MUST(sd_bus_message_appendv(m, types, ap));
	va_end(ap);
	fake_send(rig->server, m, sender);
	settle(rig);
}

static inline void fake_job_removed(struct rig *rig, const char *sender, const char *path,
				    const char *result)
{
	fake_signal(rig, sender, SYSTEMD_PATH, "org.freedesktop.systemd1.Manager", "JobRemoved",
		    "uoss", 7, path, "takeover-primary@sip.target", result);
}

static inline void fake_is(struct rig *rig, const char *sender, const char *active)
{
	fake_signal(rig, sender, SYSTEMD_PATH "/unit/any_2eservice",
		    "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as",
		    "org.freedesktop.systemd1.Unit", 2, "ActiveState", "s", active, "SubState", "s",
		    "whatever", 0);
}

static inline void fake_owner(struct rig *rig, const char *sender, const char *name,
			      const char *before, const char *now)
{
	fake_signal(rig, sender, "/org/freedesktop/DBus", "org.freedesktop.DBus",
		    "NameOwnerChanged", "sss", name, before, now);
}

static inline void systemd_open(struct rig *rig, struct fake_systemd *fake)
{
	*rig = (struct rig){ 0 };
	*fake = (struct fake_systemd){ .active = "active", .load = "loaded", .job = 7 };
	fake->lock[0] = fake->lock[1] = -1;
	rig_open_pair(rig);
	MUST(sd_bus_add_filter(rig->server, NULL, fake_on_call, fake));
}

static inline void systemd_done(struct rig *rig, struct fake_systemd *fake)
{
	for (size_t i = 0; i < fake->n_held; i++)
		sd_bus_message_unref(fake->held[i]);
	(void)close(fake->lock[0]);
	rig_done(rig);
}
