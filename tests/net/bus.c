/* SPDX-License-Identifier: MIT */
/* The view from the bus: properties waited for, events, calls with their time. */
#include "tests/net/probe.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <systemd/sd-bus.h>

#define NAME "org.takeover1"

enum {
	CALL_TIMEOUT_US = 2000000, /* an agent that is frozen does not answer */
	SLOW_CALL_TIMEOUT_US = 60000000,
	REREAD_NS = 50000000, /* counters change without a signal */
	VALUE_SIZE = 1024,
};

struct object {
	char *path; /* owned */
	char interface[64];
};

static void object_done(struct object *object)
{
	free(object->path);
}

/* "manager", "group/NAME" or "peer/NAME" */
static int object_parse(const char *text, struct object *ret)
{
	const char *name = strchr(text, '/');
	char kind = strcmp(text, "manager") == 0 ? 'M' : name && *text == 'g' ? 'G' : 'P';
	const char *parent = kind == 'G' ? "/org/takeover1/group" : "/org/takeover1/peer";

	(void)snprintf(ret->interface, sizeof(ret->interface), "%s.%s", NAME,
		       kind == 'M'   ? "Manager"
		       : kind == 'G' ? "Group"
				     : "Peer"); /* fits */
	if (kind != 'M')
		return name ? sd_bus_path_encode(parent, name + 1, &ret->path) : -EINVAL;
	ret->path = strdup("/org/takeover1");
	return ret->path ? 0 : -ENOMEM;
}

int probe_bus_open(const char *address, sd_bus **ret)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, 1);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, CALL_TIMEOUT_US);
	if (r >= 0)
		*ret = TAKE(bus);
	return r;
}

static int value_read_list(sd_bus_message *m, char *buf)
{
	size_t len = 0;
	const char *s;
	int r = sd_bus_message_enter_container(m, 'a', "s");

	buf[0] = '\0';
	while (r >= 0 && (r = sd_bus_message_read_basic(m, 's', &s)) > 0)
		len += (size_t)snprintf(buf + len, len < VALUE_SIZE ? VALUE_SIZE - len : 0, "%s%s",
					len ? "," : "", s);
	return r;
}

static int value_read(sd_bus_message *m, char buf[static VALUE_SIZE])
{
	union {
		const char *s;
		int b;
		uint64_t t;
		uint32_t u;
	} v = { 0 };
	const char *contents;
	char type;
	int r = sd_bus_message_peek_type(m, &type, &contents);

	if (r < 0)
		return r;
	if (type == 'a')
		return value_read_list(m, buf);
	if (!strchr("sobtu", type))
		return -EPROTO;
	r = sd_bus_message_read_basic(m, type, &v);
	if (r < 0)
		return r;
	if (type == 'b')
		return snprintf(buf, VALUE_SIZE, "%s", v.b ? "true" : "false");
	if (type == 't' || type == 'u')
		return snprintf(buf, VALUE_SIZE, "%ju", (uintmax_t)(type == 't' ? v.t : v.u));
	return snprintf(buf, VALUE_SIZE, "%s", v.s);
}

static int property_get(sd_bus *bus, const struct object *object, const char *property,
			char buf[static VALUE_SIZE])
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *contents;
	char type;
	int r;

	r = sd_bus_call_method(bus, NAME, object->path, "org.freedesktop.DBus.Properties", "Get",
			       &error, &reply, "ss", object->interface, property);
	if (r >= 0)
		r = sd_bus_message_peek_type(reply, &type, &contents);
	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'v', contents);
	if (r >= 0)
		r = value_read(reply, buf);
	if (r < 0)
		(void)snprintf(buf, VALUE_SIZE, "(%s)", error.name ? error.name : strerror(-r));
	return r;
}

static int on_change(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	bool *changed = userdata;

	(void)m; /* whatever it says: everything is read again */
	(void)error;
	*changed = true;
	return 0;
}

/* Hear of every signal of the agent, and of its coming and going. */
static int subscribe(sd_bus *bus, bool *changed)
{
	int r = sd_bus_match_signal(bus, NULL, NULL, NULL, "org.freedesktop.DBus.Properties",
				    "PropertiesChanged", on_change, changed);

	if (r >= 0)
		r = sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus", NULL,
					"org.freedesktop.DBus", "NameOwnerChanged", on_change,
					changed);
	return r;
}

static int process(sd_bus *bus)
{
	int r;

	do
		r = sd_bus_process(bus, NULL);
	while (r > 0);
	return r;
}

/* Sleep until one of the buses has a signal, or it is time to look again. */
static int wait_change(sd_bus **buses, size_t n, const bool *changed, uint64_t deadline_ns)
{
	uint64_t until_ns = probe_now_ns() + REREAD_NS;
	struct pollfd p[2];
	int r;

	if (until_ns > deadline_ns)
		until_ns = deadline_ns;
	while (!*changed && probe_now_ns() < until_ns) {
		for (size_t i = 0; i < n; i++) {
			r = process(buses[i]);
			if (r < 0)
				return r;
			p[i] = (struct pollfd){ .fd = sd_bus_get_fd(buses[i]), .events = POLLIN };
		}
		if (*changed)
			break;
		r = poll(p, n, (int)((until_ns - probe_now_ns()) / 1000000) + 1);
		if (r < 0)
			return -errno;
	}
	return 0;
}

/* "X": is X; "!X": is not X; ">N": is a greater number. */
static bool value_holds(const char *value, const char *condition)
{
	uint64_t a, b;

	if (*condition == '!')
		return strcmp(value, condition + 1) != 0;
	if (*condition != '>')
		return strcmp(value, condition) == 0;
	return probe_number(value, &a) == 0 && probe_number(condition + 1, &b) == 0 && a > b;
}

int get_verb(int argc, char **argv)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	_cleanup_(object_done) struct object object = { 0 };
	char value[VALUE_SIZE];
	int r;

	if (argc != 4)
		return probe_usage("get BUS manager|group/NAME|peer/NAME PROPERTY");
	r = object_parse(argv[2], &object);
	if (r >= 0)
		r = probe_bus_open(argv[1], &bus);
	if (r < 0)
		return probe_fail(argv[1], r);
	r = property_get(bus, &object, argv[3], value);
	printf("%s\n", value);
	return r < 0 ? 1 : 0;
}

static int wait_property(sd_bus *bus, const struct object *object, const char *property,
			 const char *condition, uint64_t deadline_ns, char value[static VALUE_SIZE])
{
	bool changed = false;
	int r = subscribe(bus, &changed);

	while (r >= 0) {
		changed = false;
		if (property_get(bus, object, property, value) >= 0 &&
		    value_holds(value, condition))
			return 0;
		if (probe_now_ns() >= deadline_ns)
			return 1;
		r = wait_change(&bus, 1, &changed, deadline_ns);
	}
	return r;
}

int wait_property_verb(int argc, char **argv)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	_cleanup_(object_done) struct object object = { 0 };
	char value[VALUE_SIZE] = "";
	uint64_t deadline_ns;
	int r;

	if (argc != 6 || probe_timeout_ns(argv[5], &deadline_ns) < 0)
		return probe_usage("wait-property BUS OBJECT PROPERTY CONDITION SECONDS");
	r = object_parse(argv[2], &object);
	if (r >= 0)
		r = probe_bus_open(argv[1], &bus);
	if (r >= 0)
		r = wait_property(bus, &object, argv[3], argv[4], deadline_ns, value);
	if (r < 0)
		return probe_fail(argv[1], r);
	if (r > 0)
		fprintf(stderr, "probe: %s of %s is %s, not %s\n", argv[3], argv[2], value,
			argv[4]);
	return r;
}

/* What both nodes say about a group, and about each other. */
struct view {
	char role[VALUE_SIZE], state[VALUE_SIZE], primary[VALUE_SIZE], node[VALUE_SIZE];
	bool echoed;  /* the other node answers our heartbeats */
	bool passing; /* a node is unfit only because it starts or ends */
};

static bool has_passing(char **unfit)
{
	for (; unfit && *unfit; unfit++)
		if (strcmp(*unfit, "starting") == 0 || strcmp(*unfit, "stopping") == 0)
			return true;
	return false;
}

static int read_passing(sd_bus_message *reply, bool *ret)
{
	int r = sd_bus_message_enter_container(reply, 'a', "(ssas)");

	*ret = false;
	while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'r', "ssas")) > 0) {
		char **unfit = NULL;

		r = sd_bus_message_read(reply, "ss", NULL, NULL);
		if (r >= 0)
			r = sd_bus_message_read_strv(reply, &unfit);
		if (r >= 0)
			r = sd_bus_message_exit_container(reply);
		*ret |= has_passing(unfit);
		for (char **p = unfit; p && *p; p++)
			free(*p);
		free(unfit);
	}
	return r;
}

static void view_get(sd_bus *bus, const struct object *object, struct view *ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct object manager = { (char[]){ "/org/takeover1" }, NAME ".Manager" };

	/* a value that cannot be read says so, and agrees with nothing */
	(void)property_get(bus, object, "Role", ret->role);
	(void)property_get(bus, object, "State", ret->state);
	(void)property_get(bus, object, "Primary", ret->primary);
	(void)property_get(bus, &manager, "NodeName", ret->node);
	ret->passing = sd_bus_get_property(bus, NAME, object->path, object->interface, "Nodes",
					   NULL, &reply, "a(ssas)") < 0 ||
		       read_passing(reply, &ret->passing) < 0 || ret->passing;
}

/* A path of a peer has a round trip once one of our heartbeats has come back. */
static int read_echoed(sd_bus_message *reply, bool *ret)
{
	uint64_t rtt_us;
	int r = sd_bus_message_enter_container(reply, 'a', "(sstttttt)");

	*ret = false;
	while (r >= 0 && (r = sd_bus_message_read(reply, "(sstttttt)", NULL, NULL, NULL, NULL, NULL,
						  &rtt_us, NULL, NULL)) > 0)
		*ret |= rtt_us > 0;
	return r;
}

/* @name: of the other node, if it is known */
static void view_get_peer(sd_bus *bus, const char *name, struct view *ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(object_done) struct object peer = { NULL, NAME ".Peer" };

	ret->echoed = false;
	if (sd_bus_path_encode("/org/takeover1/peer", name, &peer.path) >= 0 &&
	    sd_bus_get_property(bus, NAME, peer.path, peer.interface, "Paths", NULL, &reply,
				"a(sstttttt)") >= 0)
		(void)read_echoed(reply, &ret->echoed);
}

/*
 * The state beside a role that is not on the way to another one; the other node hears us, and
 * neither is known as one that starts or ends: it is what a switchover needs, and who has just
 * started agrees with the other one before.
 */
static bool view_rests(const struct view *v)
{
	return strcmp(v->state, "claiming") != 0 && strcmp(v->state, "yielding") != 0 &&
	       v->echoed && !v->passing;
}

static bool view_agree(const struct view *a, const struct view *b)
{
	bool a_primary = strcmp(a->role, "primary") == 0,
	     b_primary = strcmp(b->role, "primary") == 0;
	const struct view *other = a_primary ? b : a;

	return a_primary != b_primary && strcmp(other->role, "backup") == 0 && view_rests(a) &&
	       view_rests(b) && strcmp(a->primary, b->primary) == 0;
}

static int settle(sd_bus *buses[static 2], const struct object *object, uint64_t deadline_ns,
		  struct view views[static 2])
{
	bool changed = false;
	int r = subscribe(buses[0], &changed);

	if (r >= 0)
		r = subscribe(buses[1], &changed);
	while (r >= 0) {
		changed = false;
		view_get(buses[0], object, &views[0]);
		view_get(buses[1], object, &views[1]);
		view_get_peer(buses[0], views[1].node, &views[0]);
		view_get_peer(buses[1], views[0].node, &views[1]);
		if (view_agree(&views[0], &views[1]))
			return 0;
		if (probe_now_ns() >= deadline_ns)
			return 1;
		r = wait_change(buses, 2, &changed, deadline_ns);
	}
	return r;
}

/* Wait until both nodes hear each other, exactly one is primary, and they agree on who it is. */
int settle_verb(int argc, char **argv)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *a = NULL;
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *b = NULL;
	_cleanup_(object_done) struct object object = { 0 };
	struct view views[2];
	uint64_t deadline_ns;
	int r;

	if (argc != 5 || probe_timeout_ns(argv[4], &deadline_ns) < 0)
		return probe_usage("settle BUS-A BUS-B OBJECT SECONDS");
	r = object_parse(argv[3], &object);
	if (r >= 0)
		r = probe_bus_open(argv[1], &a);
	if (r >= 0)
		r = probe_bus_open(argv[2], &b);
	if (r >= 0)
		r = settle((sd_bus *[]){ a, b }, &object, deadline_ns, views);
	if (r < 0)
		return probe_fail("settle", r);
	if (r == 0)
		printf("%s\n", views[0].primary);
	for (size_t i = 0; r > 0 && i < 2; i++)
		fprintf(stderr, "probe: node %zu: role %s, state %s, primary %s, %s\n", i + 1,
			views[i].role, views[i].state, views[i].primary,
			views[i].echoed ? "heard" : "not heard");
	return r;
}

/* One word: whoever reads the line cuts it at its spaces. */
static void print_why(const char *answer, const char *why)
{
	printf(" answer=%s why=", answer);
	for (; *why; why++)
		putchar(*why == ' ' ? '_' : *why);
}

static int print_reply(sd_bus_message *reply)
{
	const char *signature = sd_bus_message_get_signature(reply, 1), *first, *second;
	uint64_t took_us;
	int r = 0;

	if (strcmp(signature, "st") == 0) {
		r = sd_bus_message_read(reply, "st", &first, &took_us);
		if (r >= 0)
			printf(" primary=%s took_us=%ju", first, (uintmax_t)took_us);
	} else if (strcmp(signature, "ss") == 0) {
		r = sd_bus_message_read(reply, "ss", &first, &second);
		if (r >= 0)
			print_why(first, second);
	}
	printf("\n");
	return r;
}

static int call(sd_bus *bus, const struct object *object, const char *method, const char *argument)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	uint64_t start_ns, end_ns;
	int r;

	r = sd_bus_message_new_method_call(bus, &m, NAME, object->path, object->interface, method);
	if (r >= 0 && argument)
		r = sd_bus_message_append(m, "b", strcmp(argument, "true") == 0);
	if (r >= 0)
		r = sd_bus_call_method(bus, NAME, "/", "org.freedesktop.DBus.Peer", "Ping", &error,
				       NULL, "");
	if (r < 0)
		return r;
	start_ns = probe_now_ns();
	r = sd_bus_call(bus, m, SLOW_CALL_TIMEOUT_US, &error, &reply);
	end_ns = probe_now_ns();
	printf("start_us=%ju call_us=%ju", (uintmax_t)(start_ns / 1000),
	       (uintmax_t)((end_ns - start_ns) / 1000));
	if (r >= 0) {
		printf(" result=ok");
		return print_reply(reply);
	}
	printf(" result=%s\n", error.name ? strrchr(error.name, '.') + 1 : strerror(-r));
	fprintf(stderr, "probe: %s: %s: %s\n", method, error.name, error.message);
	return 1;
}

int call_verb(int argc, char **argv)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	_cleanup_(object_done) struct object object = { 0 };
	int r;

	if (argc < 4 || argc > 5)
		return probe_usage("call BUS OBJECT METHOD [true|false]");
	r = object_parse(argv[2], &object);
	if (r >= 0)
		r = probe_bus_open(argv[1], &bus);
	if (r >= 0)
		r = call(bus, &object, argv[3], argc == 5 ? argv[4] : NULL);
	return r < 0 ? probe_fail(argv[3], r) : r;
}

struct wanted_event {
	const char *id;
	bool seen;
};

static int on_event(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct wanted_event *wanted = userdata;
	const char *id, *level, *text;

	(void)error;
	if (sd_bus_message_read(m, "sss", &id, &level, &text) < 0 || strcmp(id, wanted->id) != 0)
		return 0;
	wanted->seen = true;
	printf("%s %s %s\n", id, level, text);
	return 0;
}

/* Wait for an Event signal: wait-event BUS OBJECT ID SECONDS [FIFO] */
int wait_event_verb(int argc, char **argv)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	_cleanup_(object_done) struct object object = { 0 };
	struct wanted_event wanted = { 0 };
	uint64_t deadline_ns;
	int r;

	if (argc < 5 || argc > 6 || probe_timeout_ns(argv[4], &deadline_ns) < 0)
		return probe_usage("wait-event BUS OBJECT ID SECONDS [FIFO]");
	wanted.id = argv[3];
	r = object_parse(argv[2], &object);
	if (r >= 0)
		r = probe_bus_open(argv[1], &bus);
	if (r >= 0)
		r = sd_bus_match_signal(bus, NULL, NULL, object.path, object.interface, "Event",
					on_event, &wanted);
	if (r >= 0)
		r = probe_ready(argc == 6 ? argv[5] : NULL);
	while (r >= 0 && !wanted.seen && probe_now_ns() < deadline_ns)
		r = wait_change(&bus, 1, &wanted.seen, deadline_ns);
	if (r < 0)
		return probe_fail("wait-event", r);
	return wanted.seen ? 0 : 1;
}
