/* SPDX-License-Identifier: MIT */

/*
 * The verb `monitor`: what the agent signals, a line each, until interrupted.
 * Whether the agent runs is part of it; when it has come, it is asked how
 * things stand, because only what changes from then on is signalled.
 */

#include <errno.h>
#include <signal.h>

#include "agent/cleanup.h"
#include "sdbus/ctl_line.h"
#include "sdbus/named.h"

enum daemon {
	DAEMON_UNKNOWN,
	DAEMON_ABSENT,
	DAEMON_RUNS,
	DAEMON_HANGS, /* runs, and has not answered for CTL_PATIENCE_US */
};

struct monitor {
	struct ctl *ctl;
	sd_event *loop;
	enum daemon daemon; /* as it was told */
	char *owner;	    /* who has the agent's name; NULL: nobody, or not known */
	sd_bus_slot *asked;
	sd_event_source *patience; /* ends while there is no answer */
};

/* The name that ends a path. */
static int name_of(sd_bus_message *m, const char *prefix, char **ret)
{
	return sd_bus_path_decode(sd_bus_message_get_path(m) ?: "/", prefix, ret);
}

/* Is it from the agent? Anybody may send a signal to us alone, and a match lets it through. */
static bool is_from_agent(const struct monitor *monitor, sd_bus_message *m)
{
	const char *sender = sd_bus_message_get_sender(m);

	return sender && monitor->owner && strcmp(sender, monitor->owner) == 0;
}

/* What a group or peer is, of its properties these. */
static uint32_t only(const struct ctl_field *fields, const char *const *members)
{
	uint32_t set = 0;

	for (unsigned i = 0; fields[i].property; i++)
		for (const char *const *m = members; *m; m++)
			if (strcmp(fields[i].member, *m) == 0)
				set |= 1U << i;
	return set;
}

static void tell_daemon(struct monitor *monitor, enum daemon daemon)
{
	monitor->daemon = daemon;
	ctl_line_daemon(monitor->ctl, daemon != DAEMON_ABSENT, daemon == DAEMON_HANGS);
}

/* The agent has answered how things stand. */
static int on_objects(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	static const char *const of_group[] = { "role", "state", "primary", "nodes", NULL };
	static const char *const of_peer[] = { "state", NULL };
	_cleanup_(ctl_model_done) struct ctl_model model = { 0 };
	struct monitor *monitor = userdata;

	(void)error;
	monitor->patience = sd_event_source_disable_unref(monitor->patience);
	if (sd_bus_message_is_method_error(m, NULL) || ctl_model_read(&model, m) < 0)
		return 0; /* it has gone again, which is said by itself */
	if (monitor->daemon == DAEMON_HANGS)
		tell_daemon(monitor, DAEMON_RUNS);
	for (size_t i = 0; i < model.n_groups; i++)
		ctl_line_changes(monitor->ctl, "group", model.groups[i].name, ctl_group_fields,
				 &model.groups[i], only(ctl_group_fields, of_group));
	for (size_t i = 0; i < model.n_peers; i++)
		ctl_line_changes(monitor->ctl, "peer", model.peers[i].name, ctl_peer_fields,
				 &model.peers[i], only(ctl_peer_fields, of_peer));
	return 0;
}

static int on_no_answer(sd_event_source *source, uint64_t now_us, void *userdata)
{
	(void)source, (void)now_us;
	tell_daemon(userdata, DAEMON_HANGS);
	return 0;
}

/*
 * Asks how things stand, once: an agent that hangs answers that when it goes on.
 * To ask again and again would only fill its queue.
 */
static int ask(struct monitor *monitor)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(monitor->ctl->bus, &m, API_NAME, API_PATH,
					   "org.freedesktop.DBus.ObjectManager",
					   "GetManagedObjects");
	if (r < 0)
		return r;
	r = sd_bus_call_async(monitor->ctl->bus, &monitor->asked, m, on_objects, monitor,
			      UINT64_MAX);
	if (r < 0)
		return r;
	return sd_event_add_time_relative(monitor->loop, &monitor->patience, CLOCK_MONOTONIC,
					  CTL_PATIENCE_US, 0, on_no_answer, monitor);
}

/* Who is the agent now, "" for nobody; and if it runs, how do things stand? */
static int note_owner(struct monitor *monitor, const char *owner)
{
	monitor->asked = sd_bus_slot_unref(monitor->asked);
	monitor->patience = sd_event_source_disable_unref(monitor->patience);
	free(TAKE(monitor->owner));
	tell_daemon(monitor, *owner ? DAEMON_RUNS : DAEMON_ABSENT);
	if (!*owner)
		return 0;
	monitor->owner = strdup(owner);
	return monitor->owner ? ask(monitor) : -ENOMEM;
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *now = named_now(m);

	(void)error;
	return now ? note_owner(userdata, now) : 0;
}

static int on_role(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	_cleanup_(freep) char *group = NULL;
	struct monitor *monitor = userdata;
	const char *role, *reason;

	(void)error;
	if (!is_from_agent(monitor, m) || name_of(m, API_PATH "/group", &group) <= 0 ||
	    sd_bus_message_read(m, "ss", &role, &reason) < 0)
		return 0; /* of an agent that is not ours */
	ctl_line_role(monitor->ctl, group, role, reason);
	return 0;
}

static int on_event(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	_cleanup_(freep) char *group = NULL;
	struct monitor *monitor = userdata;
	const char *id, *level, *text;

	(void)error;
	if (!is_from_agent(monitor, m) || name_of(m, API_PATH "/group", &group) < 0 ||
	    sd_bus_message_read(m, "sss", &id, &level, &text) < 0)
		return 0; /* of an agent that is not ours */
	ctl_line_event(monitor->ctl, group, id, level, text);
	return 0;
}

static void tell_group(struct monitor *monitor, sd_bus_message *m)
{
	_cleanup_(freep) char *name = NULL;
	struct api_group group = { 0 };
	uint32_t changed = 0;

	if (name_of(m, API_PATH "/group", &name) > 0 &&
	    ctl_fields_read(m, ctl_group_fields, &group, &changed) >= 0)
		ctl_line_changes(monitor->ctl, "group", name, ctl_group_fields, &group, changed);
	ctl_fields_done(ctl_group_fields, &group);
}

static void tell_peer(struct monitor *monitor, sd_bus_message *m)
{
	_cleanup_(freep) char *name = NULL;
	struct api_peer peer = { 0 };
	uint32_t changed = 0;

	if (name_of(m, API_PATH "/peer", &name) > 0 &&
	    ctl_fields_read(m, ctl_peer_fields, &peer, &changed) >= 0)
		ctl_line_changes(monitor->ctl, "peer", name, ctl_peer_fields, &peer, changed);
	ctl_fields_done(ctl_peer_fields, &peer);
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *interface;

	(void)error;
	if (!is_from_agent(userdata, m) || sd_bus_message_read(m, "s", &interface) < 0)
		return 0; /* of an agent that is not ours */
	if (strcmp(interface, API_GROUP) == 0)
		tell_group(userdata, m);
	else if (strcmp(interface, API_PEER) == 0)
		tell_peer(userdata, m);
	return 0;
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct monitor *monitor = userdata;

	(void)m, (void)error;
	return sd_event_exit(monitor->loop, -ENOTCONN);
}

static int on_asked_for(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct monitor *monitor = userdata;

	(void)error;
	if (sd_bus_message_is_method_error(m, NULL))
		return sd_event_exit(monitor->loop, -sd_bus_message_get_errno(m));
	return 0;
}

static int watch(struct monitor *monitor)
{
	static const struct {
		const char *rule;
		sd_bus_message_handler_t handler;
	} watched[] = {
		{ "type='signal',sender='" API_NAME "',interface='" API_GROUP
		  "',member='RoleChanged'",
		  on_role },
		{ "type='signal',sender='" API_NAME "',member='Event',path_namespace='" API_PATH
		  "'",
		  on_event },
		{ "type='signal',sender='" API_NAME "',interface='org.freedesktop.DBus.Properties',"
		  "member='PropertiesChanged',path_namespace='" API_PATH "'",
		  on_properties },
	};
	sd_bus *bus = monitor->ctl->bus;
	int r;

	r = named_watch(bus, NULL, API_NAME, on_owner, on_asked_for, monitor);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++) {
		r = sd_bus_add_match_async(bus, NULL, watched[i].rule, watched[i].handler,
					   on_asked_for, monitor);
		if (r < 0)
			return r;
	}
	return sd_bus_match_signal_async(bus, NULL, "org.freedesktop.DBus.Local", NULL,
					 "org.freedesktop.DBus.Local", "Disconnected",
					 on_disconnected, NULL, monitor);
}

/* The bus tells who has the name when we ask; on_owner() may have heard of it before. */
static int on_first_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct monitor *monitor = userdata;
	const char *owner;

	(void)error;
	if (monitor->daemon != DAEMON_UNKNOWN)
		return 0;
	if (sd_bus_message_is_method_error(m, NULL) || sd_bus_message_read(m, "s", &owner) < 0)
		owner = "";
	return note_owner(monitor, owner);
}

static int begin(struct monitor *monitor)
{
	static const int signals[] = { SIGINT, SIGTERM };
	sd_bus *bus = monitor->ctl->bus;
	sigset_t set;
	int r;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		r = sd_event_add_signal(monitor->loop, NULL, signals[i], NULL, NULL);
		if (r < 0)
			return r;
	}
	r = sd_bus_attach_event(bus, monitor->loop, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		return r;
	r = watch(monitor);
	if (r < 0)
		return r;
	return sd_bus_call_method_async(bus, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus",
					"org.freedesktop.DBus", "GetNameOwner", on_first_owner,
					monitor, "s", API_NAME);
}

/* Until it is interrupted, or nobody can read any more what it prints. */
static int loop_while_read(struct monitor *monitor)
{
	int r;

	while (sd_event_get_state(monitor->loop) != SD_EVENT_FINISHED) {
		if (ferror(monitor->ctl->out))
			return 0; /* ctl_run() says so */
		r = sd_event_run(monitor->loop, UINT64_MAX);
		if (r < 0)
			return r;
	}
	(void)sd_event_get_exit_code(monitor->loop, &r); /* it has one, as it is finished */
	return r;
}

/**
 * ctl_monitor() - the verb `monitor`
 * @ctl: the program
 * @argc: 0
 * @argv: none
 *
 * Goes on until SIGINT or SIGTERM, which is how it ends well, or until the bus goes.
 *
 * Return: the exit code.
 */
int ctl_monitor(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_event_unrefp) sd_event *loop = NULL;
	struct monitor monitor = { .ctl = ctl };
	int r;

	(void)argc, (void)argv;
	if (ctl_connect(ctl) < 0)
		return CTL_FAILED;
	r = sd_event_new(&loop);
	if (r < 0)
		return ctl_complain(ctl, &SD_BUS_ERROR_NULL, r);
	monitor.loop = loop;
	r = begin(&monitor);
	if (r >= 0)
		r = loop_while_read(&monitor);
	free(monitor.owner);
	sd_bus_slot_unref(monitor.asked);
	sd_event_source_disable_unref(monitor.patience);
	(void)sd_bus_detach_event(ctl->bus); /* attached or not */
	if (r == -ENOTCONN || r == -ECONNRESET)
		return ctl_complain(ctl, &SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_DISCONNECTED, NULL),
				    r);
	return r < 0 ? ctl_complain(ctl, &SD_BUS_ERROR_NULL, r) : CTL_OK;
}
