/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A bus with the API at one end, for api_test.c and takeoverctl_test.c: over a
 * socket pair, without a bus daemon; or with a dbus-daemon of its own that has
 * the rules of a system bus and our policy file. Nothing sleeps: both ends are
 * worked off until what is waited for has come.
 */

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "tests/bus_fake.h"
#include "tests/temp.h"

#define SIP API_PATH "/group/sip"

struct witness;

struct rig {
	struct fake agent;
	struct api_ops ops;
	sd_bus *server, *client;
	struct api *api;
	pid_t daemon; /* 0: no bus between */
	char dir[TEMP_MAX], address[TEMP_MAX + 16];
	const char *sbindir;		  /* where takeoverctl looks for takeoverd; NULL: nowhere */
	bool terminal;			  /* whether it believes to be on one */
	int (*look)(struct witness *ret); /* how it asks the kernel; NULL: not at all */
};

/* An answer to a call, when it comes. */
struct answer {
	int times;
	sd_bus_message *message;
};

/* A turn of both ends; waits if there is nothing to do, @fd (or -1) included. */
static inline void rig_turn(struct rig *rig, int fd)
{
	struct pollfd fds[3] = { { .fd = -1 }, { .fd = -1 }, { .fd = fd, .events = POLLIN } };
	sd_bus *ends[] = { rig->server, rig->client };
	bool busy = false;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		int r = ends[i] && sd_bus_is_open(ends[i]) > 0 ? sd_bus_process(ends[i], NULL) : 0;

		cr_assert(r >= 0 || r == -ECONNRESET || r == -ENOTCONN, "sd_bus_process: %s",
			  strerror(-r));
		busy = busy || r > 0;
		if (ends[i] && sd_bus_is_open(ends[i]) > 0) {
			fds[i].fd = sd_bus_get_fd(ends[i]);
			fds[i].events = (short)sd_bus_get_events(ends[i]);
		}
	}
	if (!busy)
		(void)poll(fds, ARRAY_SIZE(fds), -1); /* the test's own time-out guards it */
}

#define pump(rig, condition)                                                                       \
	do {                                                                                       \
		while (!(condition))                                                               \
			rig_turn(rig, -1);                                                         \
	} while (0)

static inline int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct answer *answer = userdata;

	(void)error;
	answer->times++;
	sd_bus_message_unref(answer->message);
	answer->message = sd_bus_message_ref(m);
	return 0;
}

static inline void answer_done(struct answer *answer)
{
	answer->message = sd_bus_message_unref(answer->message);
}

/* Sends a call; @answer gets what comes back. @types and what follows: its arguments. */
static inline void call(struct rig *rig, struct answer *answer, const char *path,
			const char *interface, const char *member, const char *types, ...)
{
	sd_bus_message *m;
	va_list ap;

	MUST(sd_bus_message_new_method_call(rig->client, &m, rig->daemon ? API_NAME : NULL, path,
					    interface, member));
	va_start(ap, types);
	MUST(sd_bus_message_appendv(m, types, ap));
	va_end(ap);
	MUST(sd_bus_call_async(rig->client, NULL, m, on_answer, answer, 0));
	sd_bus_message_unref(m);
}

static inline void switchover(struct rig *rig, struct answer *answer)
{
	call(rig, answer, SIP, API_GROUP, "Switchover", "");
}

/*
 * Everything has arrived that either end has sent, and what was sent in answer
 * to it: messages do not overtake each other, and pings have gone round behind
 * them. Three, because a call makes the server ask the bus who calls, and polkit
 * whether he may.
 */
static inline void settle(struct rig *rig)
{
	for (int i = 0; i < 3; i++) {
		struct answer ping = { 0 };

		call(rig, &ping, "/", "org.freedesktop.DBus.Peer", "Ping", "");
		pump(rig, ping.times);
		answer_done(&ping);
	}
}

/* What is to come has come when all is settled: a broken law does not hang. */
#define arrive(rig, condition)                                                                     \
	do {                                                                                       \
		settle(rig);                                                                       \
		cr_assert(condition, "this has not come: %s", #condition);                         \
	} while (0)

static inline const char *error_of(const struct answer *answer)
{
	const sd_bus_error *e = sd_bus_message_get_error(answer->message);

	return e ? e->name : "";
}

static inline const char *text_of(const struct answer *answer)
{
	const sd_bus_error *e = sd_bus_message_get_error(answer->message);

	return e ? e->message : "";
}

/* What the object there says of itself; heap. */
static inline char *introspect(struct rig *rig, const char *path)
{
	struct answer answer = { 0 };
	const char *xml;
	char *copy;

	call(rig, &answer, path, "org.freedesktop.DBus.Introspectable", "Introspect", "");
	arrive(rig, answer.times);
	cr_assert_str_eq(error_of(&answer), "");
	MUST(sd_bus_message_read(answer.message, "s", &xml));
	copy = strdup(xml);
	answer_done(&answer);
	return copy;
}

/* Both ends of a socket pair. */
static inline void rig_open_pair(struct rig *rig)
{
	sd_id128_t id = { 0 };
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	id.bytes[0] = 1;
	MUST(sd_bus_new(&rig->server));
	MUST(sd_bus_set_fd(rig->server, fds[0], fds[0]));
	MUST(sd_bus_set_server(rig->server, 1, id));
	MUST(sd_bus_start(rig->server));
	MUST(sd_bus_new(&rig->client));
	MUST(sd_bus_set_fd(rig->client, fds[1], fds[1]));
	MUST(sd_bus_start(rig->client));
}

/* The rules of a system bus, without its users and directories. */
static inline void write_bus_config(const struct rig *rig, const char *file)
{
	char *policy = realpath("units/org.takeover1.conf", NULL);
	FILE *f = fopen(file, "we");

	cr_assert(policy, "tests run in the top directory of the project");
	cr_assert(f);
	fprintf(f,
		"<busconfig><type>system</type><auth>EXTERNAL</auth><listen>%s</listen>"
		"<policy context='default'><allow user='*'/><deny own='*'/>"
		"<deny send_type='method_call'/><allow send_type='signal'/>"
		"<allow send_requested_reply='true' send_type='method_return'/>"
		"<allow send_requested_reply='true' send_type='error'/>"
		"<allow receive_type='method_call'/><allow receive_type='method_return'/>"
		"<allow receive_type='error'/><allow receive_type='signal'/>"
		"<allow send_destination='org.freedesktop.DBus'/></policy>"
		"<include>%s</include></busconfig>",
		rig->address, policy);
	cr_assert_eq(fclose(f), 0);
	free(policy);
}

static inline sd_bus *rig_connect(const struct rig *rig)
{
	sd_bus *bus;

	MUST(sd_bus_new(&bus));
	MUST(sd_bus_set_address(bus, rig->address));
	MUST(sd_bus_set_bus_client(bus, 1));
	MUST(sd_bus_start(bus));
	return bus;
}

/* A dbus-daemon of our own; it dies with the test. Needs root. */
static inline void rig_open_bus(struct rig *rig)
{
	char config[TEMP_MAX + 8], ready[16], c;
	int fds[2];

	cr_assert(mkdtemp(temp_template(rig->dir, "bus")));
	cr_assert_eq(chmod(rig->dir, 0755), 0); /* for the unprivileged caller */
	(void)snprintf(rig->address, sizeof(rig->address), "unix:path=%s/bus", rig->dir);
	(void)snprintf(config, sizeof(config), "%s/conf", rig->dir);
	write_bus_config(rig, config);

	cr_assert_eq(pipe(fds), 0);
	(void)snprintf(ready, sizeof(ready), "%d", fds[1]);
	rig->daemon = fork();
	cr_assert_geq(rig->daemon, 0);
	if (rig->daemon == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO); /* chatter */
		(void)execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile",
			     "--config-file", config, "--print-address", ready, NULL);
		_exit(127);
	}
	(void)close(fds[1]);
	cr_assert_eq(read(fds[0], &c, 1), 1, "dbus-daemon does not start");
	(void)close(fds[0]);
	rig->server = rig_connect(rig);
	rig->client = rig_connect(rig);
}

/* Puts the API on the bus that has been opened; rig->agent is what it tells of. */
static inline void rig_start(struct rig *rig)
{
	MUST(api_new(rig->server, &rig->ops, &rig->agent, &rig->api));
	rig->agent.api = rig->api;
	if (rig->daemon) {
		pump(rig, rig->agent.name_answered);
		MUST(rig->agent.name_err);
	}
}

static inline void rig_init(struct rig *rig)
{
	*rig = (struct rig){ .ops = fake_ops() };
	fake_init(&rig->agent);
}

static inline void rig_start_pair(struct rig *rig)
{
	rig_init(rig);
	rig_open_pair(rig);
	rig_start(rig);
}

static inline void rig_start_bus(struct rig *rig)
{
	rig_init(rig);
	rig_open_bus(rig);
	rig_start(rig);
}

static inline void rig_done(struct rig *rig)
{
	char file[TEMP_MAX + 8];

	rig->api = api_free(rig->api);
	rig->client = sd_bus_close_unref(rig->client);
	rig->server = sd_bus_close_unref(rig->server);
	if (!rig->daemon)
		return;
	(void)kill(rig->daemon, SIGKILL);
	(void)waitpid(rig->daemon, NULL, 0);
	(void)snprintf(file, sizeof(file), "%s/conf", rig->dir);
	(void)unlink(file);
	(void)snprintf(file, sizeof(file), "%s/bus", rig->dir);
	(void)unlink(file);
	(void)rmdir(rig->dir);
}
