/* SPDX-License-Identifier: MIT */

#include "agent/reload.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/agent.h"
#include "agent/aside.h"
#include "agent/bus/bus.h"
#include "agent/cleanup.h"
#include "agent/log.h"
#include "agent/publish.h"
#include "agent/vacant.h"

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
	struct vacant vacant;
	int result;
	char *why;
};

/* What is read well may say something, too: then that is of no interest any more. */
static void ask(struct reload *reload)
{
	char *why = NULL;
	int r;

	reload->vacant.next = reload->reader.next(reload->reader.data);
	r = vacant_ask(&reload->vacant, &why);
	if (r >= 0)
		return;
	free(reload->why);
	reload->why = why;
	reload->result = r;
}

static void *run(void *data)
{
	struct reload *reload = data;

	aside_be_ordinary("takeoverd-conf");
	reload->result = reload->reader.read(reload->reader.data, &reload->why);
	if (reload->result > 0)
		ask(reload);
	*reload->reader.busy = false;
	aside_ring(reload->fd);
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
	else if (reload->result == -EADDRINUSE)
		reason = "somebody has an address of it";
	publish_say(reload->agent, EVENT_NO_GROUP, EVENT_CONFIGURATION_FAULTY,
		    "the configuration is not taken: %s; all stays as it was", reason);
	if (reload->request)
		bus_refuse(reload->agent->bus, reload->request, "InvalidConfiguration",
			   rest && *rest ? rest : reason);
	while ((line = strsep(&rest, "\n")))
		if (*line)
			log_say(LOG_LEVEL_WARNING, "in the configuration: %s", line);
}

/* The addresses stay, the other nodes are told to wait. */
static void end_for_it(struct reload *reload)
{
	struct core_event event = { .type = CORE_EV_STOP, .restart = true };

	publish_say(reload->agent, EVENT_NO_GROUP, EVENT_RELOADED,
		    "the configuration is another one: going on with it");
	reload->due = true;
	reply(reload, true);
	agent_step(reload->agent, &event);
}

/* Why another configuration is not taken now; NULL: it would be. */
static const char *why_busy(const struct reload *reload)
{
	if (reload->running)
		return "The configuration is being read already.";
	if (reload->agent->core.stopping)
		return "takeoverd is being stopped.";
	/* The next agent could not let the host wait: logind takes no lock any more. */
	return reload->agent->going_down ? "The host goes down." : NULL;
}

/* Who has sent a SIGHUP has nothing but the log to learn it from. */
static void refuse_busy(struct reload *reload, api_request request, const char *why)
{
	if (request)
		bus_refuse(reload->agent->bus, request, "Busy", why);
	else
		log_say(LOG_LEVEL_WARNING, "SIGHUP has no effect: %s", why);
}

static int on_done(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct reload *reload = data;
	const char *busy;

	(void)source;
	(void)events;
	aside_hush(fd);
	(void)pthread_join(reload->thread, NULL);
	reload->running = false;
	busy = why_busy(reload);
	if (reload->result < 0) {
		refuse(reload);
	} else if (busy) {
		refuse_busy(reload, reload->request, busy);
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
	reload->fd = aside_bell();
	r = reload->fd < 0 ? reload->fd
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
	const struct core *core = &reload->agent->core;
	const char *busy = why_busy(reload);

	if (busy) {
		refuse_busy(reload, request, busy);
		return;
	}
	reload->request = request;
	reload->vacant.now = reload->agent->conf;
	reload->vacant.self = reload->agent->self;
	for (uint8_t g = 0; g < reload->agent->conf->n_groups; g++)
		reload->vacant.primary[g] = core->groups[g].state == CORE_STATE_PRIMARY;
	*reload->reader.busy = true;
	reload->result = aside_start(&reload->thread, run, reload);
	reload->running = reload->result == 0;
	if (reload->running)
		return;
	*reload->reader.busy = false;
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
	const struct conf *next;

	if (!reload->due)
		return false;
	next = reload->reader.next(reload->reader.data);
	for (size_t g = 0; g < next->n_groups; g++)
		if (!strcmp(next->groups[g].name, group))
			return false;
	return true;
}
