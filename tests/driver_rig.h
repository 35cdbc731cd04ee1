/* SPDX-License-Identifier: MIT */
#pragma once

/* A bus driver played by the test, and polkit's authority behind it, for api_*_test.c. */

#include "tests/bus_rig.h"

/* What is said of callers, and what has been asked. */
struct driver {
	int asked;
	bool answers;
	const char *key; /* of the only entry; its value is uid */
	uint32_t uid;
	bool unwatchable;

	int checks; /* what polkit has been asked, */
	char subject[64], action[64], details[64];
	uint32_t flags;
	bool absent, undecided; /* and what it says: nobody is there, not yet, */
	bool authorized, challenge;
	sd_bus_message *undecided_call; /* the last one */
};

static inline int on_check(sd_bus_message *m, struct driver *driver)
{
	const char *kind, *name, *action, *property, *key = "", *value = "";

	driver->checks++;
	MUST(sd_bus_message_enter_container(m, 'r', "sa{sv}"));
	MUST(sd_bus_message_read(m, "s", &kind));
	MUST(sd_bus_message_read(m, "a{sv}", 1, &property, "s", &name));
	MUST(sd_bus_message_exit_container(m));
	MUST(sd_bus_message_read(m, "s", &action));
	MUST(sd_bus_message_enter_container(m, 'a', "{ss}"));
	(void)sd_bus_message_read(m, "{ss}", &key, &value); /* there may be none */
	MUST(sd_bus_message_exit_container(m));
	MUST(sd_bus_message_read(m, "u", &driver->flags));
	(void)snprintf(driver->subject, sizeof(driver->subject), "%s %s", kind, name);
	(void)snprintf(driver->action, sizeof(driver->action), "%s", action);
	(void)snprintf(driver->details, sizeof(driver->details), "%s=%s", key, value);
	if (driver->absent)
		return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_SERVICE_UNKNOWN, "No polkit.");
	sd_bus_message_unref(driver->undecided_call);
	driver->undecided_call = sd_bus_message_ref(m);
	if (driver->undecided)
		return 1;
	return sd_bus_reply_method_return(m, "(bba{ss})", driver->authorized, driver->challenge, 0);
}

static inline int on_driver_call(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct driver *driver = userdata;
	const char *member = sd_bus_message_get_member(m) ?: "";

	(void)error;
	if (strcmp(member, "Hello") == 0)
		return sd_bus_reply_method_return(m, "s", ":1.1");
	if (strcmp(member, "RequestName") == 0)
		return sd_bus_reply_method_return(m, "u", 1);
	if (strcmp(member, "AddMatch") == 0 && !driver->unwatchable)
		return sd_bus_reply_method_return(m, NULL);
	if (strcmp(member, "CheckAuthorization") == 0)
		return on_check(m, driver);
	if (strcmp(member, "GetConnectionCredentials") != 0)
		return 0;
	driver->asked++;
	if (driver->answers && driver->key)
		return sd_bus_reply_method_return(m, "a{sv}", 1, driver->key, "u", driver->uid);
	if (driver->answers)
		return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_NAME_HAS_NO_OWNER, "Gone.");
	return 1;
}

/* The server's end believes that a bus daemon is at the other one. */
static inline void start_driver(struct rig *rig, struct driver *driver)
{
	sd_id128_t id = { .bytes = { 1 } };
	int fds[2];

	rig_init(rig);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	MUST(sd_bus_new(&rig->server));
	MUST(sd_bus_set_fd(rig->server, fds[0], fds[0]));
	MUST(sd_bus_set_bus_client(rig->server, 1));
	MUST(sd_bus_negotiate_fds(rig->server, 1));
	MUST(sd_bus_start(rig->server));
	MUST(sd_bus_new(&rig->client));
	MUST(sd_bus_set_fd(rig->client, fds[1], fds[1]));
	MUST(sd_bus_set_server(rig->client, 1, id));
	MUST(sd_bus_negotiate_fds(rig->client, 1));
	MUST(sd_bus_add_filter(rig->client, NULL, on_driver_call, driver));
	MUST(sd_bus_start(rig->client));
	rig_start(rig);
	pump(rig, rig->agent.name_answered);
}

static inline void driver_done(struct driver *driver)
{
	driver->undecided_call = sd_bus_message_unref(driver->undecided_call);
}

/* A call of a connection that the bus would call @sender. */
static inline void call_from(struct rig *rig, struct answer *answer, const char *sender,
			     const char *path, const char *interface, const char *member,
			     const char *types, ...)
{
	sd_bus_message *m;
	va_list ap;

	MUST(sd_bus_message_new_method_call(rig->client, &m, ":1.1", path, interface, member));
	va_start(ap, types);
	MUST(sd_bus_message_appendv(m, types, ap));
	va_end(ap);
	MUST(sd_bus_message_set_sender(m, sender));
	MUST(sd_bus_call_async(rig->client, NULL, m, on_answer, answer, 0));
	sd_bus_message_unref(m);
}

static inline void switchover_from(struct rig *rig, struct answer *answer, const char *sender)
{
	call_from(rig, answer, sender, SIP, API_GROUP, "Switchover", "");
}
