/* SPDX-License-Identifier: MIT */

/*
 * The verb `monitor`: what the agent signals, a line each, until interrupted.
 * Whether the agent runs is part of it; when it has come, it is asked how
 * things stand, because only what changes from then on is signalled.
 */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <time.h>

#include "agent/cleanup.h"
#include "sdbus/ctl_json.h"
#include "sdbus/ctl_page.h"

struct monitor {
	struct ctl *ctl;
	sd_event *loop;
	sd_bus_slot *asked;
};

/* The name that ends a path. */
static int name_of(sd_bus_message *m, const char *prefix, char **ret)
{
	return sd_bus_path_decode(sd_bus_message_get_path(m) ?: "/", prefix, ret);
}

/* The clock on the wall, as journalctl shows it. */
static void local_time(char *buf, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t len;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail: the clock exists */
	(void)localtime_r(&now.tv_sec, &tm);
	len = strftime(buf, size, "%b %d %H:%M:%S", &tm);
	(void)snprintf(buf + len, size - len, ".%03ld", now.tv_nsec / 1000000); /* fits */
}

/* The same for programs: RFC 3339, UTC. */
static void universal_time(char *buf, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t len;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail: the clock exists */
	(void)gmtime_r(&now.tv_sec, &tm);
	len = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf + len, size - len, ".%03ldZ", now.tv_nsec / 1000000); /* fits */
}

/* Nobody reads any more, or the disk is full: ctl_run() says so. */
static void stop_if_lost(struct monitor *monitor)
{
	if (ferror(monitor->ctl->out))
		(void)sd_event_exit(monitor->loop, 0); /* fails if it is ending already */
}

/* @json: takes it; what kind of line it is, and when, goes in front */
static void print_json(struct monitor *monitor, const char *type, json_t *json)
{
	json_t *line;
	char when[64];

	universal_time(when, sizeof(when));
	line = json_pack("{s:s, s:I, s:s}", "time", when, "now_us", (json_int_t)ctl_now().us,
			 "type", type);
	(void)json_object_update(line, json);
	json_decref(json);
	(void)ctl_json_print(monitor->ctl, line); /* it has complained itself */
	stop_if_lost(monitor);
}

/* The beginning of a line for people: when, and about what. */
static FILE *begin_line(struct monitor *monitor, const char *about)
{
	char when[64];

	local_time(when, sizeof(when));
	fprintf(monitor->ctl->out, "%s  %-10s  ", when, about);
	return monitor->ctl->out;
}

static void end_line(struct monitor *monitor)
{
	fputc('\n', monitor->ctl->out);
	(void)fflush(monitor->ctl->out); /* the stream remembers a failure */
	stop_if_lost(monitor);
}

static void print_list(FILE *out, char *const *list)
{
	fputs(list && *list ? "" : "none", out);
	for (const char *between = ""; list && *list; list++, between = ", ")
		fprintf(out, "%s%s", between, *list);
}

static void print_nodes(FILE *out, const struct api_nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++) {
		fprintf(out, "%s%s=%s", i ? ", " : "", nodes->v[i].name, nodes->v[i].state);
		if (nodes->v[i].unfit && *nodes->v[i].unfit) {
			fputs(" (unfit: ", out);
			print_list(out, nodes->v[i].unfit);
			fputc(')', out);
		}
	}
}

static void print_value(FILE *out, const struct ctl_field *field, const void *object)
{
	const void *at = (const uint8_t *)object + field->offset;

	switch (field->kind) {
	case CTL_KIND_TEXT:
		fputs(**(const char *const *)at ? *(const char *const *)at : "nobody", out);
		break;
	case CTL_KIND_COUNT:
		fprintf(out, "%" PRIu64, *(const uint64_t *)at);
		break;
	case CTL_KIND_SPAN:
		fputs(page_span(*(const uint64_t *)at).text, out);
		break;
	case CTL_KIND_BOOL:
		fputs(*(const bool *)at ? "yes" : "no", out);
		break;
	case CTL_KIND_LIST:
		print_list(out, *(char *const *const *)at);
		break;
	case CTL_KIND_NODES:
		print_nodes(out, at);
		break;
	case CTL_KIND_TIME:
	case CTL_KIND_PATHS:
	case _CTL_KIND_MAX:
		break; /* not for people */
	}
}

/* A point in time since boot says nothing to people; the line has its own. */
static uint32_t for_people(const struct ctl_field *fields, uint32_t changed)
{
	for (unsigned i = 0; fields[i].property; i++)
		if (fields[i].kind == CTL_KIND_TIME || fields[i].kind == CTL_KIND_PATHS)
			changed &= ~(1U << i);
	return changed;
}

/* "last_switchover_us" is "last switchover" to people. */
static void print_label(FILE *out, const struct ctl_field *field)
{
	const char *end = field->member + strlen(field->member);

	if (field->kind == CTL_KIND_SPAN)
		end -= strlen("_us");
	for (const char *c = field->member; c < end; c++)
		fputc(*c == '_' ? ' ' : *c, out);
	fputc(' ', out);
}

static void print_changes(struct monitor *monitor, const char *name, const struct ctl_field *fields,
			  const void *object, uint32_t changed)
{
	const char *between = "";
	FILE *out;

	changed = for_people(fields, changed);
	if (!changed)
		return;
	out = begin_line(monitor, name);
	for (unsigned i = 0; fields[i].property; i++) {
		if (!(changed & 1U << i))
			continue;
		fputs(between, out);
		print_label(out, &fields[i]);
		print_value(out, &fields[i], object);
		between = "; ";
	}
	end_line(monitor);
}

static void tell_changes(struct monitor *monitor, const char *type, const char *name,
			 const struct ctl_field *fields, const void *object, uint32_t changed)
{
	if (!changed)
		return;
	if (monitor->ctl->json)
		print_json(monitor, type,
			   json_pack("{s:o, s:o}", type, ctl_json_text(name), "changed",
				     ctl_json_fields(fields, object, changed)));
	else
		print_changes(monitor, name, fields, object, changed);
}

static void tell_daemon(struct monitor *monitor, bool runs)
{
	FILE *out;

	if (monitor->ctl->json) {
		print_json(monitor, "daemon", json_pack("{s:b}", "runs", runs));
		return;
	}
	out = begin_line(monitor, "takeoverd");
	fputs(runs ? "runs" : "does not run", out);
	end_line(monitor);
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

/* The agent has answered how things stand. */
static int on_objects(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	static const char *const of_group[] = { "role", "state", "primary", "nodes", NULL };
	static const char *const of_peer[] = { "state", NULL };
	_cleanup_(ctl_model_done) struct ctl_model model = { 0 };
	struct monitor *monitor = userdata;

	(void)error;
	if (sd_bus_message_is_method_error(m, NULL) || ctl_model_read(&model, m) < 0)
		return 0; /* it has gone again, which is said by itself */
	for (size_t i = 0; i < model.n_groups; i++)
		tell_changes(monitor, "group", model.groups[i].name, ctl_group_fields,
			     &model.groups[i], only(ctl_group_fields, of_group));
	for (size_t i = 0; i < model.n_peers; i++)
		tell_changes(monitor, "peer", model.peers[i].name, ctl_peer_fields, &model.peers[i],
			     only(ctl_peer_fields, of_peer));
	return 0;
}

static int ask(struct monitor *monitor)
{
	monitor->asked = sd_bus_slot_unref(monitor->asked);
	return sd_bus_call_method_async(monitor->ctl->bus, &monitor->asked, API_NAME, API_PATH,
					"org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
					on_objects, monitor, NULL);
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct monitor *monitor = userdata;
	const char *name, *before, *now;
	int r;

	(void)error;
	r = sd_bus_message_read(m, "sss", &name, &before, &now);
	if (r < 0)
		return 0; /* not what the bus says */
	tell_daemon(monitor, *now);
	return *now ? ask(monitor) : 0;
}

static int on_role(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	_cleanup_(freep) char *group = NULL;
	struct monitor *monitor = userdata;
	const char *role, *reason;
	FILE *out;

	(void)error;
	if (name_of(m, API_PATH "/group", &group) <= 0 ||
	    sd_bus_message_read(m, "ss", &role, &reason) < 0)
		return 0; /* of an agent that is not ours */
	if (monitor->ctl->json) {
		print_json(monitor, "role",
			   json_pack("{s:o, s:o, s:o}", "group", ctl_json_text(group), "role",
				     ctl_json_text(role), "reason", ctl_json_text(reason)));
		return 0;
	}
	out = begin_line(monitor, group);
	fprintf(out, "this node is %s now (%s)", role, reason);
	end_line(monitor);
	return 0;
}

static int on_event(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	_cleanup_(freep) char *group = NULL;
	struct monitor *monitor = userdata;
	const char *id, *level, *text;
	FILE *out;

	(void)error;
	if (name_of(m, API_PATH "/group", &group) <= 0 ||
	    sd_bus_message_read(m, "sss", &id, &level, &text) < 0)
		return 0; /* of an agent that is not ours */
	if (monitor->ctl->json) {
		print_json(monitor, "event",
			   json_pack("{s:o, s:o, s:o, s:o}", "group", ctl_json_text(group), "id",
				     ctl_json_text(id), "level", ctl_json_text(level), "text",
				     ctl_json_text(text)));
		return 0;
	}
	out = begin_line(monitor, group);
	fprintf(out, "%s %s: %s", id, level, text);
	end_line(monitor);
	return 0;
}

static void tell_group(struct monitor *monitor, sd_bus_message *m)
{
	_cleanup_(freep) char *name = NULL;
	struct api_group group = { 0 };
	uint32_t changed = 0;

	if (name_of(m, API_PATH "/group", &name) > 0 &&
	    ctl_fields_read(m, ctl_group_fields, &group, &changed) >= 0)
		tell_changes(monitor, "group", name, ctl_group_fields, &group, changed);
	ctl_fields_done(ctl_group_fields, &group);
}

static void tell_peer(struct monitor *monitor, sd_bus_message *m)
{
	_cleanup_(freep) char *name = NULL;
	struct api_peer peer = { 0 };
	uint32_t changed = 0;

	if (name_of(m, API_PATH "/peer", &name) > 0 &&
	    ctl_fields_read(m, ctl_peer_fields, &peer, &changed) >= 0)
		tell_changes(monitor, "peer", name, ctl_peer_fields, &peer, changed);
	ctl_fields_done(ctl_peer_fields, &peer);
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *interface;

	(void)error;
	if (sd_bus_message_read(m, "s", &interface) < 0)
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
		{ "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
		  "arg0='" API_NAME "'",
		  on_owner },
		{ "type='signal',sender='" API_NAME "',interface='" API_GROUP
		  "',member='RoleChanged'",
		  on_role },
		{ "type='signal',sender='" API_NAME "',interface='" API_GROUP "',member='Event'",
		  on_event },
		{ "type='signal',sender='" API_NAME "',interface='org.freedesktop.DBus.Properties',"
		  "member='PropertiesChanged',path_namespace='" API_PATH "'",
		  on_properties },
	};
	sd_bus *bus = monitor->ctl->bus;
	int r;

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

/* The bus tells who has the name when we ask; from then on on_owner() hears of it. */
static int on_first_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const bool runs = !sd_bus_message_is_method_error(m, NULL);

	(void)error;
	tell_daemon(userdata, runs);
	return runs ? ask(userdata) : 0;
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
		r = sd_event_loop(loop);
	sd_bus_slot_unref(monitor.asked);
	(void)sd_bus_detach_event(ctl->bus); /* attached or not */
	if (r == -ENOTCONN || r == -ECONNRESET)
		return ctl_complain(ctl, &SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_DISCONNECTED, NULL),
				    r);
	return r < 0 ? ctl_complain(ctl, &SD_BUS_ERROR_NULL, r) : CTL_OK;
}
