/* SPDX-License-Identifier: MIT */

#include "agent/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "agent/agent.h"
#include "agent/aside.h"
#include "agent/bus.h"
#include "agent/cleanup.h"
#include "agent/log.h"

/* At the end: files of a disk that hangs are left to themselves. */
enum { RELOAD_END_S = 2 };

struct reload {
	struct agent *agent;
	struct reload_reader reader;
	sd_event_source *source;
	int fd; /* readable when the thread is done */
	pthread_t thread;
	bool running;
	api_request request; /* who waits; 0: nobody */
	bool due;	     /* the agent ends for it */

	/* the thread's */
	int result;
	char *why;
};

static void *run(void *data)
{
	struct reload *reload = data;
	uint64_t one = 1;
	ssize_t written;

	aside_be_ordinary("takeoverd-conf");
	reload->result = reload->reader.read(reload->reader.data, &reload->why);
	written = write(reload->fd, &one, sizeof(one));
	(void)written; /* a counter of 1 is taken */
	return NULL;
}

static void reply(struct reload *reload, bool changes)
{
	if (reload->request)
		bus_reload_done(reload->agent->bus, reload->request, changes);
}

static void refuse(struct reload *reload)
{
	const char *reason = strerror(-reload->result);
	char *rest = reload->why, *line;
	size_t len = rest ? strlen(rest) : 0;

	if (len && rest[len - 1] == '\n')
		rest[len - 1] = '\0'; /* it separates lines, on the bus */
	if (reload->result == -EINVAL)
		reason = "it has mistakes";
	log_say(LOG_LEVEL_WARNING, "the configuration is not taken: %s; all stays as it was",
		reason);
	if (reload->request)
		bus_reload_refused(reload->agent->bus, reload->request, "InvalidConfiguration",
				   rest && *rest ? rest : reason);
	while ((line = strsep(&rest, "\n")))
		if (*line)
			log_say(LOG_LEVEL_WARNING, "in the configuration: %s", line);
}

/* The addresses stay, the other nodes are told to wait. */
static void end_for_it(struct reload *reload)
{
	struct core_event event = { .type = CORE_EV_STOP, .restart = true };

	log_say(LOG_LEVEL_NOTICE, "the configuration is another one: going on with it");
	reload->due = true;
	reply(reload, true);
	agent_step(reload->agent, &event);
}

static void refuse_busy(struct reload *reload, api_request request)
{
	if (request)
		bus_reload_refused(reload->agent->bus, request, "Busy",
				   reload->running ? "The configuration is being read already."
						   : "takeoverd is being stopped.");
}

static int on_done(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct reload *reload = data;
	uint64_t count;
	ssize_t got = read(fd, &count, sizeof(count));

	(void)source;
	(void)events;
	(void)got; /* it is read only to be unreadable */
	(void)pthread_join(reload->thread, NULL);
	reload->running = false;
	if (reload->result < 0) {
		refuse(reload);
	} else if (reload->agent->core.stopping) {
		refuse_busy(reload, reload->request);
	} else if (reload->result == 0) {
		log_say(LOG_LEVEL_INFO, "the configuration is the same: nothing changes");
		reply(reload, false);
	} else {
		end_for_it(reload);
	}
	free(reload->why);
	reload->why = NULL;
	return 0;
}

/**
 * reload_new() - Be ready to read the configuration again
 * @reader: copied; what it points to is borrowed
 *
 * Return: 0; -ENOMEM; errors of descriptors and sd-event.
 */
int reload_new(struct agent *agent, const struct reload_reader *reader, struct reload **ret)
{
	struct reload *reload = calloc(1, sizeof(*reload));
	int r;

	if (!reload)
		return -ENOMEM;
	reload->agent = agent;
	reload->reader = *reader;
	reload->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = reload->fd < 0 ? -errno
			   : sd_event_add_io(agent->loop, &reload->source, reload->fd, EPOLLIN,
					     on_done, reload);
	if (r < 0) {
		reload_free(reload);
		return r;
	}
	*ret = reload;
	return 0;
}

/**
 * reload_free() - A reading that is under way is waited for, but not for ever
 */
struct reload *reload_free(struct reload *reload)
{
	if (!reload)
		return NULL;
	sd_event_source_disable_unref(reload->source);
	if (reload->running && !aside_join(reload->thread, RELOAD_END_S))
		return NULL; /* it is the thread's now */
	close_fdp(&reload->fd);
	free(reload->why);
	free(reload);
	return NULL;
}

/**
 * reload_begin() - Read the configuration, and go on with it if it is good and another one
 * @request: who is to be answered; 0: nobody
 */
void reload_begin(struct reload *reload, api_request request)
{
	if (reload->running || reload->agent->core.stopping) {
		refuse_busy(reload, request);
		return;
	}
	reload->request = request;
	reload->result = aside_start(&reload->thread, run, reload);
	reload->running = reload->result == 0;
	if (!reload->running)
		refuse(reload);
}

/* The agent ends for another reason: whoever runs it does not start the next. */
void reload_forget(struct reload *reload)
{
	reload->due = false;
}

bool reload_is_due(const struct reload *reload)
{
	return reload->due;
}

/**
 * reload_drops() - Is the agent followed by one that does not know this group?
 */
bool reload_drops(const struct reload *reload, const char *group)
{
	return reload->due && !reload->reader.keeps(reload->reader.data, group);
}
