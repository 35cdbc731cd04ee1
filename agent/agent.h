/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The agent as a whole: one loop, one core. Data flows one way: sense turns
 * what happened into events, the core decides, act carries out.
 */

#include <systemd/sd-event.h>

#include "agent/disk.h"
#include "agent/drift.h"
#include "agent/kernel/announce.h"
#include "agent/beat/beat.h"
#include "agent/kernel/links.h"
#include "agent/kernel/watch.h"
#include "agent/kernel/worker.h"
#include "agent/recorder/recorder.h"
#include "agent/reload.h"
#include "agent/roles.h"
#include "agent/service.h"
#include "agent/steps.h"
#include "netlink/monitor.h"

#define AGENT_VERSION "0.1.0" /* as API_VERSION of sdbus/api.h */

struct bus;
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
	struct announcer *announcer;
	struct watcher *watcher;
	struct monitor *rtnl, *nft;
	struct links links;
	struct bus *bus; /* NULL while there is none */
	struct reload *reload;
	struct systemd *systemd;

	sd_event_source *asking;    /* how long to wait for systemd's word on a SIGTERM; NULL */
	sd_event_source *terminate; /* SIGTERM */
	bool departs_next;	    /* a SIGTERM amid a reload is for the next agent */
	bool going_down;	    /* so is the host: logind has said so */
	unsigned last_words;	    /* orders to systemd that the end waits for */
	instant role_logged;	    /* see log_is_due() */
	enum role role[CORE_GROUPS_MAX];
	struct steps steps[CORE_GROUPS_MAX];
	struct service service[CORE_GROUPS_MAX];

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
	} met[CORE_GROUPS_MAX]; /* how many strangers people have been told of lately */
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
instant agent_now(void);
