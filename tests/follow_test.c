/* SPDX-License-Identifier: MIT */
#include "agent/host/follow.h"
#include "agent/host/raise.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "agent/conf/self.h"
#include "agent/log.h"
#include "agent/publish.h"
#include "agent/tell.h"
#include "tests/with_conf.h"

enum { DB, SIP };

static struct agent agent; /* too large for a stack */
static char told[1024];	   /* what came of it, in its order */
static bool at_home;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	size_t len = strlen(told);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(told + len, sizeof(told) - len, format, ap);
	va_end(ap);
}

/* These stand in front of the library's. */

void agent_step(struct agent *a, struct core_event *event)
{
	struct core_group *g = &a->core.groups[event->group];

	if (event->type == CORE_EV_FITNESS) {
		note("%u %s; ", event->group, event->fitness.unfit ? "unfit" : "fit");
		g->unfit = event->fitness.unfit ? g->unfit | event->fitness.reason
						: g->unfit & ~event->fitness.reason;
	} else if (event->type == CORE_EV_LOST) {
		note("%u lost; ", event->group);
	} else if (event->type == CORE_EV_ANNOUNCE) {
		note("%u announce; ", event->group);
	} else {
		cr_assert_fail("event %d", event->type);
	}
}

void tell_link(struct agent *a, uint8_t group, const char *ifname, enum links_state state)
{
	static const char *const words[] = { "missing", "down", "no carrier", "runs", "foreign" };

	(void)a;
	note("%u %s %s; ", group, ifname, words[state]);
}

void tell_mac(struct agent *a, uint8_t group, const struct link *link)
{
	(void)a;
	note("%u %s mac %02x; ", group, link->name, link->mac[5]);
}

int worker_order(struct worker *w, const struct worker_order *order)
{
	(void)w;
	cr_assert_eq(order->type, WORKER_MAKE);
	note("%u make; ", order->group);
	return 0;
}

int announcer_link(struct announcer *a, const struct link *link)
{
	(void)a, (void)link;
	return 0;
}

void announcer_link_gone(struct announcer *a, int ifindex)
{
	(void)a, (void)ifindex;
}

int watcher_link(struct watcher *w, const struct link *link)
{
	(void)w, (void)link;
	return 0;
}

void watcher_link_gone(struct watcher *w, int ifindex)
{
	(void)w, (void)ifindex;
}

int self_is_here(const struct conf *conf, uint8_t self)
{
	(void)conf, (void)self;
	return at_home;
}

void publish_say(struct agent *a, uint8_t group, enum event_type type, const char *format, ...)
{
	(void)a, (void)type;
	cr_assert_eq(group, EVENT_NO_GROUP);
	note("says %.4s; ", format);
}

static struct link link_of(int index, const char *name, bool running)
{
	struct link link = { .index = index, .up = running, .running = running };

	(void)snprintf(link.name, sizeof(link.name), "%s", name);
	return link;
}

static void expect(const char *what)
{
	cr_expect_str_eq(told, what);
	*told = '\0';
}

static void change(int index, const char *name, bool running)
{
	struct link link = link_of(index, name, running);

	follow_link(&agent, &link);
}

static void enter(void)
{
	agent.conf =
		conf_from_text("[Node alpha]\nAddress=10.0.0.1\n[Node beta]\nAddress=10.0.0.2\n"
			       "[Group sip]\nVirtualAddress=10.0.0.3 eth0\n"
			       "VirtualAddress=10.0.0.4 eth1\nVirtualAddress=10.0.0.5 eth0\n"
			       "[Group db]\nVirtualAddress=10.0.0.6 eth1\n");
	at_home = true;
}

static void enter_running(void)
{
	struct link links[2] = { link_of(1, "eth0", true), link_of(2, "eth1", true) };

	enter();
	follow_links(&agent, links, ARRAY_SIZE(links));
	expect("");
}

static void leave(void)
{
	conf_free((struct conf *)agent.conf);
}

/* Group db on an interface that is there, group sip on one that we make. */
static void enter_raised(void)
{
	struct link links[3] = { link_of(1, "eth0", true), link_of(2, "svc0", false),
				 link_of(3, "vip0", false) };

	agent.conf =
		conf_from_text("[Node alpha]\nAddress=10.0.0.1\n[Node beta]\nAddress=10.0.0.2\n"
			       "[Group sip]\nMode=subinterface\nSubInterface=vip0 "
			       "eth0\nVirtualAddress=10.0.0.3 vip0\n"
			       "[Group db]\nMode=subinterface\nVirtualAddress=10.0.0.6 svc0\n");
	at_home = true;
	links[2].parent = 1;
	follow_links(&agent, links, ARRAY_SIZE(links));
	expect("");
}

TestSuite(follow_raised, .init = enter_raised, .fini = leave);
TestSuite(follow_start, .init = enter, .fini = leave);
TestSuite(follow, .init = enter_running, .fini = leave);

Test(follow_start, each_interface_that_does_not_run_is_told_once_a_group)
{
	struct link lo = link_of(1, "lo", true);

	follow_links(&agent, &lo, 1);
	expect("0 eth1 missing; 1 eth0 missing; 1 eth1 missing; 0 unfit; 1 unfit; ");
	change(2, "eth0", false);
	expect("1 eth0 down; ");
	change(2, "eth0", true);
	expect("1 eth0 runs; ");
	change(3, "eth1", true);
	expect("0 fit; 1 fit; 0 eth1 runs; 1 eth1 runs; ");
}

Test(follow_start, without_an_address_of_its_own_a_node_is_unfit)
{
	struct link links[2] = { link_of(1, "eth0", true), link_of(2, "eth1", true) };
	const struct ip *home = &agent.conf->nodes[0].paths[0];

	at_home = false;
	follow_links(&agent, links, ARRAY_SIZE(links));
	expect("says none; 0 unfit; 1 unfit; ");
	follow_home(&agent, home);
	expect("");
	at_home = true;
	follow_home(&agent, &agent.conf->nodes[1].paths[0]);
	expect("");
	follow_home(&agent, home);
	expect("says an a; 0 fit; 1 fit; ");
	at_home = false;
	follow_home(&agent, home);
	expect("");
}

Test(follow, the_core_hears_of_a_loss_before_people_do)
{
	struct link link = link_of(2, "eth1", false);

	link.up = true;
	follow_link(&agent, &link);
	expect("0 unfit; 1 unfit; 0 eth1 no carrier; 1 eth1 no carrier; ");
	follow_link(&agent, &link);
	expect("");
	follow_link_gone(&agent, 2);
	expect("0 eth1 missing; 1 eth1 missing; ");
	cr_expect_str_eq(agent.trouble[DB].name, "eth1");
	cr_expect(agent.trouble[DB].missing);
	change(7, "eth1", true);
	expect("0 fit; 1 fit; 0 eth1 runs; 1 eth1 runs; ");
	cr_expect_null(agent.trouble[DB].name);
	cr_expect_not(agent.trouble[DB].missing);
}

Test(follow, who_is_renamed_is_missing_until_the_name_is_back)
{
	agent.held[SIP] = true;
	change(1, "lan0", true);
	expect("1 unfit; 1 eth0 missing; ");
	change(1, "eth0", true);
	expect("1 fit; 1 lost; 1 eth0 runs; ");
	change(1, "eth0", true);
	expect("");
}

Test(follow, a_holder_puts_back_what_went_with_the_link_and_announces_the_rest)
{
	agent.held[SIP] = true;
	change(1, "eth0", false);
	expect("1 unfit; 1 eth0 down; ");
	change(1, "eth0", true);
	expect("1 fit; 1 announce; 1 eth0 runs; ");
	change(1, "eth0", false);
	agent.owed[SIP] = true;
	*told = '\0';
	change(1, "eth0", true);
	expect("1 fit; 1 lost; 1 eth0 runs; ");
}

Test(follow, another_mac_is_told_to_all_and_announced_by_holders)
{
	struct link link = link_of(2, "eth1", true);

	agent.held[DB] = true;
	link.mac[5] = 0x42;
	follow_link(&agent, &link);
	expect("0 announce; 0 eth1 mac 42; 1 eth1 mac 42; ");
	follow_link(&agent, &link);
	expect("");
	link = link_of(9, "wan0", true);
	follow_link(&agent, &link);
	link.mac[5] = 0x43;
	follow_link(&agent, &link);
	expect("");
}

Test(follow, what_was_made_anew_while_news_were_lost_has_not_been_missing)
{
	struct link links[2] = { link_of(1, "eth0", true), link_of(8, "eth1", true) };

	agent.held[SIP] = true;
	follow_links(&agent, links, ARRAY_SIZE(links));
	expect("1 lost; ");
	follow_links(&agent, links, 1);
	expect("0 unfit; 1 unfit; 0 eth1 missing; 1 eth1 missing; ");
}

/* A claim is through, and the news of it come after that. */
static void hold(uint8_t group)
{
	struct worker_result result = { .type = WORKER_PREPARE, .group = group };

	agent.held[group] = true;
	raise_result(&agent, &result);
}

static void change_sub(bool up)
{
	struct link link = link_of(3, "vip0", up);

	link.parent = 1;
	link.carrier = up;
	follow_link(&agent, &link);
}

Test(follow_raised, what_we_do_to_an_interface_is_no_news)
{
	struct link svc0 = link_of(2, "svc0", false);

	hold(SIP);
	change_sub(true);
	expect("1 announce; ");
	hold(DB);
	svc0.up = true;
	follow_link(&agent, &svc0); /* its carrier comes next */
	svc0.running = svc0.carrier = true;
	follow_link(&agent, &svc0);
	raise_look(&agent);
	expect("0 announce; ");
	raise_over(&agent, SIP);
	agent.held[SIP] = false;
	change_sub(false);
	raise_look(&agent);
	expect("");
}

Test(follow_raised, what_keeps_addresses_ready_is_made_so_again)
{
	struct link link = link_of(3, "vip0", true);

	((struct conf *)agent.conf)->groups[SIP].staged = true;
	link.parent = 1;
	link.noarp = true;
	follow_link(&agent, &link);
	expect("");
	link.noarp = false;
	follow_link(&agent, &link);
	expect("1 make; ");
	link.noarp = true;
	follow_link(&agent, &link);
	expect("");
	follow_link_gone(&agent, 3);
	expect("1 make; ");
	follow_link(&agent, &link);
	*told = '\0';
	agent.held[SIP] = true;
	link.noarp = false;
	follow_link(&agent, &link); /* it has been claimed */
	expect("");
}

Test(follow_raised, what_others_do_to_it_is_put_back_once)
{
	hold(SIP);
	change_sub(true);
	raise_look(&agent);
	expect("1 announce; ");
	change_sub(false);
	raise_look(&agent);
	expect("1 lost; ");
	raise_look(&agent);
	expect("");
	hold(SIP); /* put back, */
	raise_look(&agent);
	expect("1 lost; "); /* and set down again at once */
	follow_link_gone(&agent, 3);
	raise_look(&agent);
	expect("");
}

Test(follow_raised, carrier_counts_while_it_is_held)
{
	struct link svc0 = link_of(2, "svc0", true);

	svc0.carrier = true;
	follow_link(&agent, &svc0);
	expect("");
	hold(DB);
	raise_look(&agent);
	svc0.carrier = svc0.running = false;
	follow_link(&agent, &svc0);
	expect("0 unfit; 0 svc0 no carrier; ");
	svc0.carrier = svc0.running = true;
	follow_link(&agent, &svc0);
	expect("0 fit; 0 svc0 runs; 0 announce; ");
	follow_link_gone(&agent, 2);
	expect("0 unfit; 0 svc0 missing; ");
}

Test(follow_raised, the_parent_counts_and_brings_it_back)
{
	change(1, "eth0", false);
	expect("1 unfit; 1 eth0 down; ");
	follow_link_gone(&agent, 3);
	follow_link_gone(&agent, 1);
	expect("1 eth0 missing; ");
	change(5, "eth0", true);
	expect("1 fit; 1 eth0 runs; 1 make; ");
	change(6, "vip0", true); /* a stranger's */
	expect("1 unfit; 1 vip0 foreign; ");
	follow_link_gone(&agent, 6);
	expect("1 fit; ");
	hold(SIP);
	follow_link_gone(&agent, 5);
	raise_look(&agent);
	expect("1 unfit; 1 eth0 missing; ");
	change(7, "eth0", true);
	raise_look(&agent);
	expect("1 fit; 1 eth0 runs; 1 lost; ");
}
