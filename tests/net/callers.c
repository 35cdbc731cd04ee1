/* SPDX-License-Identifier: MIT */
/* Callers on the bus as one would not wish them: in crowds, deaf, gone too soon, with too much. */
#include "tests/net/probe.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#define NAME "org.takeover1"
#define PATH "/org/takeover1/group/sip"
#define GROUP "org.takeover1.Group"

enum {
	CALLERS_MAX = 250,    /* fewer than dbus-daemon lets one user have */
	OUTSTANDING = 16,     /* calls of one connection under way */
	DEAF_CALLS = 100,     /* the bus takes 128 calls without answer from a connection */
	CHANGE_NS = 50000000, /* so long a change is waited for before hanging up */
};

/* One connection of a crowd. */
struct caller {
	sd_bus *bus;
	const char *method;
	uint64_t calls, answers;
};

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error);

static int call_again(struct caller *caller)
{
	int r = sd_bus_call_method_async(caller->bus, NULL, NAME, PATH, GROUP, caller->method,
					 on_answer, caller, "");

	caller->calls += r >= 0;
	return r;
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct caller *caller = userdata;

	(void)m; /* whatever it says */
	(void)error;
	caller->answers++;
	(void)call_again(caller); /* the end of the connection shows elsewhere */
	return 0;
}

static int serve(struct caller *callers, size_t n, int signal_fd)
{
	static struct pollfd p[CALLERS_MAX + 1];
	int r;

	p[n] = (struct pollfd){ .fd = signal_fd, .events = POLLIN };
	while (!(p[n].revents & POLLIN)) {
		for (size_t i = 0; i < n; i++) {
			do
				r = sd_bus_process(callers[i].bus, NULL);
			while (r > 0);
			if (r < 0)
				return r;
			p[i] = (struct pollfd){ .fd = sd_bus_get_fd(callers[i].bus),
						.events =
							(short)sd_bus_get_events(callers[i].bus) };
		}
		if (poll(p, n + 1, -1) < 0)
			return -errno;
	}
	return 0;
}

static int gather(const char *address, const char *method, struct caller *callers, size_t n,
		  int n_calls)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		callers[i].method = method;
		r = probe_bus_open(address, &callers[i].bus);
		for (int c = 0; c < n_calls && r >= 0; c++)
			r = call_again(&callers[i]);
		if (r >= 0)
			r = sd_bus_flush(callers[i].bus);
	}
	return r;
}

/*
 * storm BUS METHOD CONNECTIONS FIFO [deaf]: call without end until SIGTERM; deaf: call some
 * times, subscribe to everything, and read nothing at all
 */
int storm_verb(int argc, char **argv)
{
	static struct caller callers[CALLERS_MAX];
	bool deaf = argc == 6 && strcmp(argv[5], "deaf") == 0;
	int signal_fd = probe_signal_fd(), r;
	uint64_t n, calls = 0, answers = 0;

	if (argc < 5 || probe_number(argv[3], &n) < 0 || n > CALLERS_MAX)
		return probe_usage("storm BUS METHOD CONNECTIONS FIFO [deaf]");
	r = gather(argv[1], argv[2], callers, n, deaf ? DEAF_CALLS : OUTSTANDING);
	for (size_t i = 0; deaf && r >= 0 && i < n; i++) {
		r = sd_bus_match_signal_async(callers[i].bus, NULL, NAME, NULL, NULL, NULL, NULL,
					      NULL, NULL);
		if (r >= 0)
			r = sd_bus_flush(callers[i].bus);
	}
	if (r >= 0)
		r = probe_ready(argv[4]);
	if (r >= 0)
		r = serve(callers, deaf ? 0 : n, signal_fd);
	if (r < 0)
		return probe_fail("storm", r);
	for (size_t i = 0; i < n; i++) {
		calls += callers[i].calls;
		answers += callers[i].answers;
	}
	printf("calls=%ju answers=%ju\n", (uintmax_t)calls, (uintmax_t)answers);
	return 0;
}

static int on_change(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)m;
	(void)error;
	*(bool *)userdata = true;
	return 0;
}

static int wait_change(sd_bus *bus, const bool *changed)
{
	uint64_t until_ns = probe_now_ns() + CHANGE_NS;
	int r = 0;

	while (r >= 0 && !*changed && probe_now_ns() < until_ns) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, CHANGE_NS / 1000);
	}
	return r;
}

/* Ask for a switchover and go, at once or when something happens. */
static int hang_up(const char *address, bool at_once)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	bool changed = false;
	int r = probe_bus_open(address, &bus);

	if (r >= 0)
		r = sd_bus_match_signal(bus, NULL, NULL, PATH, NULL, NULL, on_change, &changed);
	if (r >= 0)
		r = sd_bus_call_method_async(bus, NULL, NAME, PATH, GROUP, "Switchover", NULL, NULL,
					     "");
	if (r >= 0)
		r = sd_bus_flush(bus);
	return r < 0 || at_once ? r : wait_change(bus, &changed);
}

/* hang-up BUS TIMES */
int hang_up_verb(int argc, char **argv)
{
	uint64_t n;
	int r = 0;

	if (argc != 3 || probe_number(argv[2], &n) < 0)
		return probe_usage("hang-up BUS TIMES");
	for (uint64_t i = 0; i < n && r >= 0; i++)
		r = hang_up(argv[1], i % 2);
	return r < 0 ? probe_fail("hang-up", r) : 0;
}

/* huge BUS METHOD MIB: a call with that much too much; what is answered */
int huge_verb(int argc, char **argv)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	uint64_t mib;
	void *bytes;
	int r;

	if (argc != 4 || probe_number(argv[3], &mib) < 0)
		return probe_usage("huge BUS METHOD MIB");
	r = probe_bus_open(argv[1], &bus);
	if (r >= 0)
		r = sd_bus_message_new_method_call(bus, &m, NAME, PATH, GROUP, argv[2]);
	if (r >= 0)
		r = sd_bus_message_append_array_space(m, 'y', mib << 20, &bytes);
	if (r < 0)
		return probe_fail("huge", r);
	memset(bytes, 'x', mib << 20);
	r = sd_bus_call(bus, m, 0, &error, NULL);
	printf("%s\n", r < 0 ? error.name : "ok");
	return 0;
}
