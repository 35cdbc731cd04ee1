/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The agent as a whole: one loop, one core. Data flows one way: sense turns
 * what happened into events, the core decides, act carries out.
 */

#include <systemd/sd-event.h>

#include "agent/beat/beat.h"
#include "agent/clock.h"
#include "agent/host/drift.h"
#include "agent/kernel/announce.h"
#include "agent/kernel/links.h"
#include "agent/kernel/watch.h"
#include "agent/kernel/worker.h"
#include "agent/recorder/recorder.h"
#include "agent/reload.h"
#include "agent/store/disk.h"
#include "agent/systemd/roles.h"
#include "agent/systemd/service.h"
#include "agent/systemd/steps.h"
#include "netlink/monitor.h"

#define AGENT_VERSION "0.1.0" /* as API_VERSION of sdbus/api.h */

struct bus;
struct checks;
struct drains;
struct react;
struct systemd;

enum { AGENT_DEFERRED_MAX = CORE_ACTIONS_MAX };

/* The first interface of a group's addresses that does not run. */
struct trouble {
	const char *name; /* the configuration's; NULL: all run */
	bool missing;
};

/* The interfaces of a group that is held, of those that we bring up and down. */
struct raise {
	bool done;    /* they have been set up, */
	bool settled; /* and all news of that have been taken in; */
	bool sunk;    /* one is down or gone since, and the core has been told */
	int unready;  /* errno of what was to be made ready on a backup; 0: it was */
	struct flaw {
		const char *name; /* of an interface that keeps the group from being held; NULL */
		enum links_state state;
	} flaw, told; /* as it is; and what people have heard of it */
};

struct agent {
	const struct conf *conf; /* borrowed */
	uint8_t self;
	const char *state_directory; /* borrowed */

	struct core core;
	struct core_actions actions;
	struct recorder *recorder;

	sd_event *loop;
	sd_event_source *timer;	  /* the core's deadline */
	instant timer_at;	  /* what it is set to; never: it has run out */
	sd_event_source *refresh; /* the addresses' lifetimes */
	unsigned round;		  /* how often they have been */
	struct beat *beat;
	struct worker *worker;
	struct disk *disk;
	struct disk **hung;	 /* borrowed: see struct agent_files */
	struct history *history; /* the disk's */
	struct announcer *announcer;
	struct watcher *watcher;
	struct monitor *rtnl, *nft;
	struct links links;
	struct bus *bus; /* NULL while there is none */
	struct checks *checks;
	struct drains *drains;
	struct reload *reload;
	struct systemd *systemd;
	struct react *react; /* NULL: nothing is to be started, whatever happens */

	sd_event_source *asking;    /* how long to wait for systemd's word on a SIGTERM; NULL */
	sd_event_source *terminate; /* SIGTERM */
	bool departs_next;	    /* a SIGTERM amid a reload is for the next agent */
	bool going_down;	    /* so is the host: logind has said so */
	unsigned last_words;	    /* orders to systemd that the end waits for */
	instant role_logged;	    /* see log_is_due() */
	enum role role[CORE_GROUPS_MAX];
	struct former former;
	struct steps steps[CORE_GROUPS_MAX];
	struct service service[CORE_GROUPS_MAX];
	bool sent_out[CORE_GROUPS_MAX]; /* the host goes down, and the core has been told so */

	struct core_event deferred[AGENT_DEFERRED_MAX]; /* came of acting; heard after it */
	size_t n_deferred;

	bool held[CORE_GROUPS_MAX]; /* the last order was to have the addresses in the kernel */
	uint32_t lease_epoch;	    /* counts creations, so that old looks at the lease are known */
	struct drift drift[CORE_GROUPS_MAX];
	struct foreign foreign;
	struct raise raise[CORE_GROUPS_MAX];
	bool owed[CORE_GROUPS_MAX];   /* lost some on an interface that does not run */
	bool unkept[CORE_GROUPS_MAX]; /* the disk has refused what is in kept[] */
	struct store_entry kept[CORE_GROUPS_MAX];
	struct trouble trouble[CORE_GROUPS_MAX];
	const struct conf_vip *refused[CORE_GROUPS_MAX]; /* what the last result was about */
	struct stranger strangers[CORE_GROUPS_MAX];	 /* who was met last, or has answered */
	struct {
		instant since;
		unsigned n;
	} met[CORE_GROUPS_MAX];		 /* how many strangers people have been told of lately */
	uint8_t rival[CORE_GROUPS_MAX];	 /* another primary, */
	bool met_rival[CORE_GROUPS_MAX]; /* which people wait to hear the end of */
	bool met_rivals;		 /* of any group */
	instant paths_looked;
	uint8_t lost_paths[CORE_NODES_MAX]; /* sets of those that are silent */
	instant arp_refreshed;
	bool gate_laying;  /* a stranger has changed the gate, and it is being laid anew */
	bool gate_changed; /* he has done so again meanwhile */
	bool at_home;	   /* an address of our own has been seen on this host */
	instant stranger_logged, misplaced_logged, namesake_logged; /* see log_is_due() */
	instant disowned_logged, refused_logged, deaf_logged, gate_logged;
};

/* Where the agent writes, and what it reads again when it is told to. */
struct agent_files {
	const char *state_directory; /* borrowed */
	int trace;		     /* of stream_open(): everything that the core is told; -1 */
	struct disk **hung; /* what of the agent before writes still, and then of this one; NULL */
	struct reload_reader reader;
};

int agent_new(const struct conf *conf, uint8_t self, const uint8_t *key,
	      const struct agent_files *files, struct agent **ret);
struct agent *agent_free(struct agent *agent);
DEFINE_CLEANUP(struct agent *, agent_free)
int agent_run(struct agent *agent);

void agent_step(struct agent *agent, struct core_event *event);
void agent_settle(struct agent *agent);
void agent_defer(struct agent *agent, const struct core_event *event);

/* An event that says no more than of which group it is. */
static inline void agent_step_group(struct agent *agent, enum core_event_type type, uint8_t group)
{
	struct core_event event = { .type = type, .group = group };

	agent_step(agent, &event);
}

/* The same of a peer; CORE_NODE_NONE: of nobody. */
static inline void agent_step_peer(struct agent *agent, enum core_event_type type, uint8_t peer)
{
	struct core_event event = { .type = type, .peer = peer };

	agent_step(agent, &event);
}
