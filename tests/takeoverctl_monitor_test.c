/* SPDX-License-Identifier: MIT */

/* `monitor` as people see it, line by line as it comes. */

#include <sys/un.h>

#include "agent/cleanup.h"
#include "tests/ctl_rig.h"

/* A takeoverctl that goes on, and the end of the pipe it writes to. */
struct watcher {
	pid_t pid;
	int out, err;
};

static void watcher_start(struct rig *rig, struct watcher *ret)
{
	char *argv[] = { (char *)"monitor", NULL };
	int out[2], err[2];

	cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(err, O_CLOEXEC), 0);
	ret->pid = fork();
	cr_assert_geq(ret->pid, 0);
	if (ret->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)dup2(err[1], STDERR_FILENO);
		(void)setenv("DBUS_SYSTEM_BUS_ADDRESS", rig->address, 1);
		_exit(run_ctl(rig, argv));
	}
	(void)close(out[1]);
	(void)close(err[1]);
	ret->out = out[0];
	ret->err = err[0];
}

/* How it ended; @complaint: all that it said on stderr. */
static int watcher_done(struct watcher *watcher, char *complaint, size_t size)
{
	ssize_t len;
	int status;

	cr_assert_eq(waitpid(watcher->pid, &status, 0), watcher->pid);
	len = read(watcher->err, complaint, size - 1);
	complaint[len > 0 ? len : 0] = '\0';
	(void)close(watcher->out);
	(void)close(watcher->err);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* It ends when it is told to, with nothing to complain of. */
static void watcher_end(struct watcher *watcher)
{
	char complaint[256];

	(void)kill(watcher->pid, SIGTERM);
	cr_expect_eq(watcher_done(watcher, complaint, sizeof(complaint)), 0);
	cr_expect_str_eq(complaint, "");
}

/* The next line is this, behind "Nov 23 05:37:01.501  ". */
static void expect_line(struct rig *rig, struct watcher *watcher, const char *expected)
{
	enum { TIME_LEN = 21 };
	char line[512] = "";
	size_t n = 0;
	int spaces;

	while (n == 0 || line[n - 1] != '\n') {
		struct pollfd p = { .fd = watcher->out, .events = POLLIN };

		while (poll(&p, 1, 0) == 0)
			rig_turn(rig, watcher->out);
		cr_assert_eq(read(watcher->out, line + n, 1), 1, "it ended after \"%s\"", line);
		cr_assert_lt(++n, sizeof(line));
	}
	line[n - 1] = '\0';
	cr_assert_gt(n, TIME_LEN);
	cr_expect_eq(sscanf(line, "%*3c %*2d %*2d:%*2d:%*2d.%*3d%n", &spaces), 0);
	cr_expect_eq(spaces, TIME_LEN - 2, "%s", line);
	cr_expect_str_eq(line + TIME_LEN, expected);
}

static void expect_beginning(struct rig *rig, struct watcher *watcher)
{
	expect_line(rig, watcher, "takeoverd   runs");
	expect_line(rig, watcher,
		    "sip         role primary; state primary; primary alpha; "
		    "nodes alpha=primary, beta=backup");
	expect_line(rig, watcher, "beta        state up");
}

/* An agent, and a monitor that has shown how things are. */
static void begin(struct rig *rig, struct watcher *watcher)
{
	start_bus(rig);
	watcher_start(rig, watcher);
	expect_beginning(rig, watcher);
}

Test(takeoverctl_monitor, everything_that_is_signalled_is_a_line, .timeout = 10)
{
	struct watcher watcher;
	char complaint[256];
	struct rig rig;

	begin(&rig, &watcher);
	rig.agent.nodes[1].state = "fault";
	rig.agent.unfit_there[0] = (char *)"link";
	rig.agent.unfit_there[1] = (char *)"check";
	MUST(api_group_changed(rig.api, 0));
	expect_line(&rig, &watcher,
		    "sip         nodes alpha=primary, beta=fault (unfit: link, check)");
	rig.agent.groups[0].state = "fault";
	rig.agent.groups[0].primary = "";
	rig.agent.groups[0].fit = false;
	rig.agent.groups[0].last_switchover_us = 21400;
	rig.agent.groups[0].role_since_us = 7;
	MUST(api_group_changed(rig.api, 0));
	expect_line(&rig, &watcher,
		    "sip         state fault; primary nobody; fit no; last switchover 21.4 ms");
	MUST(api_role_changed(rig.api, 0, "backup", "unfit"));
	expect_line(&rig, &watcher, "sip         this node is backup now (unfit)");
	MUST(api_event(rig.api, 0,
		       &(struct api_event){ .id = "01-00501",
					    .level = "Warning",
					    .text = "unfit: link",
					    .category = "fitness" }));
	expect_line(&rig, &watcher, "sip         01-00501 Warning: unfit: link");
	MUST(api_event(rig.api, API_NO_GROUP,
		       &(struct api_event){ .id = "01-00401",
					    .level = "Standard",
					    .text = "beta is heard",
					    .category = "peer" }));
	expect_line(&rig, &watcher, "takeoverd   01-00401 Standard: beta is heard");
	rig.agent.groups[0].role_since_us = 8; /* says nothing to people: no line at all */
	MUST(api_group_changed(rig.api, 0));
	rig.agent.peers[0].state = "silent";
	MUST(api_peer_changed(rig.api, 0));
	expect_line(&rig, &watcher, "beta        state silent");
	(void)kill(watcher.pid, SIGINT);
	cr_expect_eq(watcher_done(&watcher, complaint, sizeof(complaint)), 0);
	cr_expect_str_eq(complaint, "");
	rig_done(&rig);
}

Test(takeoverctl_monitor, restart_of_the_agent_is_outlived, .timeout = 10)
{
	struct watcher watcher;
	struct rig rig;

	begin(&rig, &watcher);
	rig.api = api_free(rig.api);
	expect_line(&rig, &watcher, "takeoverd   does not run");
	rig.agent.name_answered = false;
	rig_start(&rig);
	expect_beginning(&rig, &watcher);
	watcher_end(&watcher);
	rig_done(&rig);
}

Test(takeoverctl_monitor, agent_may_come_later, .timeout = 10)
{
	struct watcher watcher;
	struct rig rig;

	rig_init(&rig);
	rig_open_bus(&rig);
	watcher_start(&rig, &watcher);
	expect_line(&rig, &watcher, "takeoverd   does not run");
	rig_start(&rig);
	expect_beginning(&rig, &watcher);
	watcher_end(&watcher);
	rig_done(&rig);
}

/* A signal to everybody on the bus, each alone: no match of the daemon's keeps that away. */
static void forge(struct rig *rig, const char *path, const char *interface, const char *member,
		  const char *types, ...)
{
	enum { CONNECTIONS = 8 };
	char name[16];

	for (int i = 0; i < CONNECTIONS; i++) {
		sd_bus_message *m;
		va_list ap;

		MUST(sd_bus_message_new_signal(rig->client, &m, path, interface, member));
		va_start(ap, types);
		MUST(sd_bus_message_appendv(m, types, ap));
		va_end(ap);
		(void)snprintf(name, sizeof(name), ":1.%d", i);
		MUST(sd_bus_message_set_destination(m, name));
		MUST(sd_bus_send(rig->client, m, NULL));
		sd_bus_message_unref(m);
	}
}

Test(takeoverctl_monitor, nobody_but_the_agent_and_the_bus_is_believed, .timeout = 10)
{
	struct watcher watcher;
	char complaint[256];
	struct rig rig;

	begin(&rig, &watcher);
	forge(&rig, SIP, API_GROUP, "RoleChanged", "ss", "backup", "forged");
	forge(&rig, SIP, API_GROUP, "Event", "sssa{sv}", "01-00501", "Error", "forged", 0);
	forge(&rig, SIP, "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as",
	      API_GROUP, 1, "State", "s", "fault", 0);
	forge(&rig, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss",
	      API_NAME, ":1.0", "");
	settle(&rig);
	MUST(api_role_changed(rig.api, 0, "backup", "unfit"));
	expect_line(&rig, &watcher, "sip         this node is backup now (unfit)");
	(void)kill(watcher.pid, SIGTERM);
	cr_expect_eq(watcher_done(&watcher, complaint, sizeof(complaint)), 0);
	rig_done(&rig);
}

Test(takeoverctl_monitor, end_of_the_bus_is_a_failure, .timeout = 10)
{
	struct watcher watcher;
	char complaint[256];
	struct rig rig;

	begin(&rig, &watcher);
	(void)kill(rig.daemon, SIGKILL);
	cr_expect_eq(watcher_done(&watcher, complaint, sizeof(complaint)), 1);
	cr_expect_str_eq(complaint, "takeoverctl: the bus has gone; see whether D-Bus runs, "
				    "'systemctl status dbus'.\n");
	rig_done(&rig);
}

Test(takeoverctl_monitor, agent_that_hangs_is_told_of_and_heard_when_it_goes_on, .timeout = 60)
{
	struct watcher watcher;
	sd_bus *hangs;
	struct rig rig;

	start_bus(&rig);
	hangs = TAKE(rig.server); /* nobody turns it */
	watcher_start(&rig, &watcher);
	expect_line(&rig, &watcher, "takeoverd   runs");
	expect_line(&rig, &watcher, "takeoverd   runs but does not answer");
	rig.server = hangs;
	expect_beginning(&rig, &watcher);
	watcher_end(&watcher);
	rig_done(&rig);
}

/* A bus of ours: it says what a dbus-daemon says, in the order that we want. */
static void say_owner(sd_bus *bus, const char *before, const char *now)
{
	sd_bus_message *m;

	MUST(sd_bus_message_new_signal(bus, &m, "/org/freedesktop/DBus", "org.freedesktop.DBus",
				       "NameOwnerChanged"));
	MUST(sd_bus_message_set_sender(m, "org.freedesktop.DBus"));
	MUST(sd_bus_message_append(m, "sss", API_NAME, before, now));
	MUST(sd_bus_send(bus, m, NULL));
	sd_bus_message_unref(m);
}

/* The agent comes just before the bus is asked for it, and goes just after that. */
static int be_bus(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	sd_bus *bus = sd_bus_message_get_bus(m);

	(void)userdata, (void)error;
	if (sd_bus_message_is_method_call(m, NULL, "Hello"))
		MUST(sd_bus_reply_method_return(m, "s", ":1.1"));
	else if (sd_bus_message_is_method_call(m, NULL, "AddMatch"))
		MUST(sd_bus_reply_method_return(m, ""));
	else if (sd_bus_message_is_method_call(m, NULL, "GetNameOwner")) {
		say_owner(bus, "", ":1.2");
		MUST(sd_bus_reply_method_return(m, "s", ":1.2"));
		say_owner(bus, ":1.2", "");
	}
	return 1;
}

/* Waits for the watcher on a socket that has been opened for it. */
static void accept_watcher(struct rig *rig, int listening)
{
	const int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	cr_assert_geq(fd, 0);
	MUST(sd_bus_new(&rig->server));
	MUST(sd_bus_set_fd(rig->server, fd, fd));
	MUST(sd_bus_set_server(rig->server, 1, (sd_id128_t){ .bytes = { 1 } }));
	MUST(sd_bus_start(rig->server));
	MUST(sd_bus_add_filter(rig->server, NULL, be_bus, NULL));
}

Test(takeoverctl_monitor, agent_that_comes_just_now_is_told_of_once, .timeout = 10)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct watcher watcher;
	struct rig rig;
	int fd;

	rig_init(&rig);
	cr_assert(mkdtemp(temp_template(rig.dir, "bus")));
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/bus", rig.dir);
	(void)snprintf(rig.address, sizeof(rig.address), "unix:path=%s/bus", rig.dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	watcher_start(&rig, &watcher);
	accept_watcher(&rig, fd);
	expect_line(&rig, &watcher, "takeoverd   runs");
	expect_line(&rig, &watcher, "takeoverd   does not run");
	watcher_end(&watcher);
	(void)close(fd);
	(void)unlink(at.sun_path);
	(void)rmdir(rig.dir);
	rig_done(&rig);
}
