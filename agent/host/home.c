/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "agent/cleanup.h"
#include "agent/conf/self.h"
#include "agent/host/home.h"
#include "agent/log.h"
#include "netlink/monitor.h"

struct home {
	const struct conf *conf;
	sd_event *loop;
	struct monitor *rtnl;
	struct conf_problems problems; /* why waiting does not tell */
	uint8_t self;
};

/* Ends the loop once it is known who we are, or that waiting does not tell. */
static int look(struct home *home)
{
	int r;

	conf_problems_done(&home->problems);
	r = self_find(home->conf, NULL, &home->self, &home->problems);
	return r == -EADDRNOTAVAIL ? 0 : sd_event_exit(home->loop, r);
}

static int on_rtnl(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct home *home = data;
	struct monitor_event event;

	(void)source;
	(void)fd;
	(void)events; /* whatever it is, reading tells */
	while (monitor_next(home->rtnl, &event) >= 0 && event.kind != MONITOR_NOTHING)
		; /* what has happened does not matter, but what there is now */
	return look(home);
}

static void say_what_for(const struct conf *conf)
{
	char text[CORE_NODES_MAX * CONF_PATHS_MAX * 48] = "", ip[48];

	for (size_t i = 0; i < conf->n_nodes; i++)
		for (size_t p = 0; p < conf->nodes[i].n_paths; p++) {
			if (*text)
				strcat(text, ", ");
			strcat(text, conf_format_ip(&conf->nodes[i].paths[p], ip, sizeof(ip)));
		}
	log_say(LOG_LEVEL_WARNING, "waiting for one of these addresses to come: %s", text);
	(void)sd_notify(false, "READY=1\nSTATUS=waiting for an address of one of the nodes");
}

static int wait_in(struct home *home)
{
	int r;

	r = monitor_open_rtnl(&home->rtnl);
	if (r < 0)
		return r;
	r = sd_event_add_io(home->loop, NULL, monitor_fd(home->rtnl), EPOLLIN, on_rtnl, home);
	if (r < 0)
		return r;
	/* The others wait as well, for the agent. */
	r = sd_event_add_signal(home->loop, NULL, SIGTERM, NULL, NULL);
	if (r < 0)
		return r;
	r = sd_event_add_signal(home->loop, NULL, SIGINT, NULL, NULL);
	if (r < 0)
		return r;
	(void)sd_event_set_watchdog(home->loop, true); /* without systemd there is none */
	say_what_for(home->conf);
	r = look(home); /* what came before we listened */
	return r < 0 ? r : sd_event_loop(home->loop);
}

/**
 * home_wait() - Wait for an address that says which node this host is
 * @conf: configuration
 * @ret_self: number of our node
 *
 * A service that ended instead would soon be given up by systemd. It is told that we are ready:
 * like an agent without a peer, this one runs, and who waits for it would only delay the boot.
 * Signals must be blocked. What fails is logged here.
 *
 * Return: 1 if it is known; 0 if told to stop; else negative errno.
 */
int home_wait(const struct conf *conf, uint8_t *ret_self)
{
	_cleanup_(sd_event_unrefp) sd_event *loop = NULL;
	struct home home = { .conf = conf, .self = CORE_NODE_NONE };
	int r;

	r = sd_event_new(&loop);
	home.loop = loop;
	if (r >= 0)
		r = wait_in(&home);
	if (r < 0)
		log_say(LOG_LEVEL_ERROR, "cannot tell which node this is: %s",
			home.problems.n ? home.problems.v[0].text : strerror(-r));
	else if (home.self != CORE_NODE_NONE)
		log_say(LOG_LEVEL_NOTICE, "an address of node %s has come",
			conf->nodes[home.self].name);
	conf_problems_done(&home.problems);
	monitor_close(home.rtnl);
	*ret_self = home.self;
	return r < 0 ? r : home.self != CORE_NODE_NONE;
}
