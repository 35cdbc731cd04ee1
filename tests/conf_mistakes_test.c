/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "tests/conf_good.h"

#define NINE(line) line line line line line line line line line

/* The problems of @text, one a line: "LINE: sentence", the file left out. */
static char *problems_of(const char *text, size_t len)
{
	struct conf_problems problems = { 0 };
	_cleanup_(conf_freep) struct conf *conf = NULL;
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);
	int r;

	r = conf_from_bytes(text, len, &conf, &problems);
	for (size_t i = 0; i < problems.n; i++)
		fprintf(f, "%u: %s%s\n", problems.v[i].line,
			problems.v[i].warning ? "warning: " : "", problems.v[i].text);
	cr_expect_eq(r, conf_problems_fatal(&problems) ? -EINVAL : 0);
	cr_expect_eq(conf == NULL, r < 0);
	conf_problems_done(&problems);
	fclose(f);
	return out;
}

/* Behind "[Agent]\n" and before a good rest: the line of the mistake is 2. */
static const struct {
	const char *line, *problem;
} agent_mistakes[] = {
	{ "Interval=5 lightyears",
	  "2: Interval= takes a time from 1ms to 10s, not \"5 lightyears\".\n" },
	{ "Interval=1 year\nLease=20ms\nDeadTime=40ms", /* not held against the default */
	  "2: Interval= takes a time from 1ms to 10s, not \"1 year\".\n" },
	{ "Interval=", "2: Interval= takes a time from 1ms to 10s, not \"\".\n" },
	{ "Interval=-5ms", "2: Interval= takes a time from 1ms to 10s, not \"-5ms\".\n" },
	{ "Interval=50",
	  "2: Interval= takes a time from 1ms to 10s, not \"50\": without a unit it is "
	  "seconds.\n" },
	{ "Interval=500us", "2: Interval= takes a time from 1ms to 10s, not \"500us\".\n" },
	{ "Interval=11s", "2: Interval= takes a time from 1ms to 10s, not \"11s\".\n" },
	{ "Interval=99999999999999999999s",
	  "2: Interval= takes a time from 1ms to 10s, not \"99999999999999999999s\".\n" },
	{ "Port=0", "2: Port= takes a number from 1 to 65535, not \"0\".\n" },
	{ "Port=65536", "2: Port= takes a number from 1 to 65535, not \"65536\".\n" },
	{ "Port=http", "2: Port= takes a number from 1 to 65535, not \"http\".\n" },
	{ "Port=7373x", "2: Port= takes a number from 1 to 65535, not \"7373x\".\n" },
	{ "Mark=0xffffffff",
	  "2: Mark= takes a number from 0x1 to 0xfffffffe, not \"0xffffffff\".\n" },
	{ "Mark=0", "2: Mark= takes a number from 0x1 to 0xfffffffe, not \"0\".\n" },
	{ "Authentication=perhaps", "2: Authentication= takes yes or none, not \"perhaps\".\n" },
	{ "KeyFile=key",
	  "2: KeyFile= takes an absolute path such as /etc/takeover/key, not \"key\".\n" },
	{ "AddressLifetime=2500ms",
	  "2: AddressLifetime= takes a time in whole seconds from 2s to 24h, not \"2500ms\".\n" },
	{ "AddressLifetime=1s",
	  "2: AddressLifetime= takes a time in whole seconds from 2s to 24h, not \"1s\".\n" },
	{ "AddressLifetime=2s",
	  "2: warning: AddressLifetime= is not longer than RestartHold=: addresses may vanish "
	  "while the agent restarts.\n" },
	{ "Announce=1s 1s",
	  "2: Announce= takes times that grow, but 1s is not later than the one before it.\n" },
	{ "Announce=1s soon", "2: Announce= takes times from 1ms to 1min, not \"soon\".\n" },
	{ "Announce=1 2 3 4 5 6 7 8 9", "2: Announce= takes at most 8 times.\n" },
	{ "Probe=11s", "2: Probe= takes a time from 0 to 10s, not \"11s\".\n" },
	{ "AnnounceRefresh=500ms",
	  "2: AnnounceRefresh= takes a time in whole seconds from 0 to 1h, not \"500ms\".\n" },
	{ "AnnounceRefresh=2h",
	  "2: AnnounceRefresh= takes a time in whole seconds from 0 to 1h, not \"2h\".\n" },
	{ "Lease=104ms",
	  "2: Lease=104ms is too short, it takes 2 * Interval + 5ms = 105ms at least: otherwise "
	  "one lost heartbeat silences a healthy primary.\n" },
	{ "DeadTime=459ms",
	  "2: DeadTime=459ms is too short, it takes 2 * Interval + Lease + 10ms = 460ms at least: "
	  "otherwise a frozen primary still answers when the other node claims.\n" },
	{ "Lease=391ms",
	  "2: DeadTime=500ms is too short, it takes 2 * Interval + Lease + 10ms = 501ms at least: "
	  "otherwise a frozen primary still answers when the other node claims.\n" },
	{ "Zappa=1",
	  "2: [Agent] has no key Zappa=; it has KeyFile= Authentication= Port= Mark= Interval= "
	  "Lease= DeadTime= StartWait= RestartHold= TimeoutStep= Probe= AddressLifetime= "
	  "Announce= AnnounceRefresh=.\n" },
	{ "interval=50ms", "2: [Agent] has no key interval=; did you mean Interval=?\n" },
	{ "DaedTime=50ms", "2: [Agent] has no key DaedTime=; did you mean DeadTime=?\n" },
	{ "Priority=5", "2: Priority= belongs into [Node NAME], not [Agent].\n" },
	{ "Interval: 50ms", "2: A setting is KEY=VALUE, not \"Interval: 50ms\".\n" },
	{ "Interval", "2: A setting is KEY=VALUE, not \"Interval\".\n" },
	{ "=5", "2: A setting is KEY=VALUE, not \"=5\".\n" },
	{ "Interval=50ms ; a comment",
	  "2: A comment stands on a line of its own, not behind a value.\n" },
	{ "Port=7373\nPort=7374", "3: Port= has been set in line 2 already.\n" },
	{ "Port=7373\n[Agent]\nPort=7374",
	  "3: [Agent] stands in line 1 already; its keys belong there.\n" },
	{ "Port=7373 # the usual one",
	  "2: A comment stands on a line of its own, not behind a value.\n" },
	{ "[]",
	  "2: A section is [Agent], [Node NAME], [Group NAME] or [Reaction NAME], not \"[]\".\n" },
	{ "[Agent x]", "2: A section is [Agent], [Node NAME], [Group NAME] or [Reaction NAME], not "
		       "\"[Agent x]\".\n" },
	{ "[Node]", "2: A section is [Agent], [Node NAME], [Group NAME] or [Reaction NAME], not "
		    "\"[Node]\".\n" },
	{ "[Check x]\nFoo=bar", "2: A section is [Agent], [Node NAME], [Group NAME] or [Reaction "
				"NAME], not \"[Check x]\".\n" },
	{ "[Agent", "2: A section is [Agent], [Node NAME], [Group NAME] or [Reaction NAME], not "
		    "\"[Agent\".\n" },
	{ "[Agent] x", "2: A section is [Agent], [Node NAME], [Group NAME] or [Reaction NAME], not "
		       "\"[Agent] x\".\n" },
	{ "[Group a/b]",
	  "2: A name has 1 to 32 letters, digits, dots, dashes and underscores, unlike "
	  "\"a/b\".\n" },
	{ "[Group abcdefghijklmnopqrstuvwxyz0123456]",
	  "2: A name has 1 to 32 letters, digits, dots, dashes and underscores, unlike "
	  "\"abcdefghijklmnopqrstuvwxyz0123456\".\n" },
	{ "[Group idle]",
	  "2: [Group idle] has no VirtualAddress=; give it one such as 192.0.2.1/24 "
	  "eth0, or Mode=none.\n" },
	{ "[Group role]\nVirtualAddress=10.0.0.9 eth0\nVirtualAddress=10.0.0.8 eth0\nMode=none",
	  "3: [Group role] has Mode=none, which holds no addresses; remove VirtualAddress=, or "
	  "Mode=none.\n" },
	{ "[Group role]\nMode=none\nVirtualAddress=10.0.0.9 eth0\nVirtualAddress=", "" },
	{ "[Group role]\nMode=non", "3: Mode= takes alias, subinterface or none, not \"non\".\n" },
	{ "[Group idle]\nVirtualAdress=10.0.0.9 eth0",
	  "3: [Group] has no key VirtualAdress=; did you mean VirtualAddress=?\n" },
	{ "[Group idle]\nVirtualAddress: 10.0.0.9 eth0",
	  "3: A setting is KEY=VALUE, not \"VirtualAddress: 10.0.0.9 eth0\".\n" },
	{ "[Node alpha] # the first\n[Node omega\nPriority=0",
	  "2: A comment stands on a line of its own, not behind a section.\n"
	  "3: A section is [Agent], [Node NAME], [Group NAME] or [Reaction NAME], not \"[Node "
	  "omega\".\n"
	  "4: Priority= takes a number from 1 to 65535, not \"0\".\n"
	  "5: [Node alpha] stands in line 2 already: this is another one, or its keys belong "
	  "there.\n" },
	{ "[group web]\nLinger=soon", "2: A section is [Agent], [Node NAME], [Group NAME] or "
				      "[Reaction NAME], not \"[group web]\"; did you mean "
				      "[Group web]?\n"
				      "3: Linger= takes a time from 0 to 10s, not \"soon\".\n" },
	{ "[group aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xbc]",
	  "2: A section is [Agent], [Node NAME], [Group NAME] or [Reaction NAME], not \"[group "
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xbc]\"; did you mean [Group NAME]?\n" },
	{ "[group a/b]", "2: A section is [Agent], [Node NAME], [Group NAME] or [Reaction NAME], "
			 "not \"[group a/b]\"; did you mean "
			 "[Group NAME]?\n" },
	{ "Interval=1s", /* what each has to be, once the other is right */
	  "2: Lease=350ms is too short, it takes 2 * Interval + 5ms = 2s 5ms at least: otherwise "
	  "one lost heartbeat silences a healthy primary.\n"
	  "2: DeadTime=500ms is too short, it takes 2 * Interval + Lease + 10ms = 4s 15ms at "
	  "least: otherwise a frozen primary still answers when the other node claims.\n" },
	{ "[Node gamma]\nAddress=10.0.0.9",
	  "6: This version works with two nodes; [Node beta] is one too many.\n" },
	{ "KeyFile=/caf\xe9", "2: This line is not text in UTF-8: look at its byte 13.\n" },
	{ "KeyFile=/a\x01z", "2: This line is not text in UTF-8: look at its byte 11.\n" },
	{ "KeyFile=/a\xc2\x9bz", "2: This line is not text in UTF-8: look at its byte 11.\n" },
};

Test(conf_mistakes, mistakes_of_the_agent_are_told_with_line_and_what_is_right)
{
	for (size_t i = 0; i < ARRAY_SIZE(agent_mistakes); i++) {
		_cleanup_(freep) char *text = NULL;
		_cleanup_(freep) char *found = NULL;

		cr_assert(asprintf(&text, "[Agent]\n%s\n" GOOD, agent_mistakes[i].line) > 0);
		found = problems_of(text, strlen(text));
		cr_expect_str_eq(found, agent_mistakes[i].problem, "%s", agent_mistakes[i].line);
	}
}

/* Whole files. */
static const struct {
	const char *text, *problems;
} mistakes[] = {
	{ "", "0: There is no [Node NAME] section: there has to be one for each host.\n"
	      "0: There is no [Group NAME] section: nothing to take over.\n" },
	{ NODES, "0: There is no [Group NAME] section: nothing to take over.\n" },
	{ "Port=1\n" GOOD,
	  "1: \"Port=1\" stands before the first section; it belongs into [Agent].\n" },
	{ "Foo=1\n" GOOD, "1: \"Foo=1\" stands before the first section.\n" },
	{ "[Node alpha]\nPriority=1\n[Node beta]\nAddress=10.0.0.2\n" GROUP,
	  "1: [Node alpha] has no Address=; give it those by which the other node reaches it.\n" },
	{ "[Node alpha]\nAddress=10.0.0.1\n" GROUP,
	  "0: warning: [Node alpha] is the only node: no other will take over from it.\n" },
	{ NODES "Priority=0\n" GROUP, "5: Priority= takes a number from 1 to 65535, not \"0\".\n" },
	{ "[Node alpha]\nAddress=10.0.0.1\nAddress=10.0.1.1\n[Node beta]\nAddress=10.0.0.2\n" GROUP,
	  "4: [Node beta] has 1 Address= and [Node alpha] has 2: the first of one talks to the "
	  "first of the other, and so on.\n" },
	{ "[Node alpha]\nAddress=10.0.0.1\n[Node beta]\nAddress=fd00::2\n" GROUP,
	  "4: Address= number 1 of [Node beta] is IPv6, of [Node alpha] IPv4: they talk to each "
	  "other.\n" },
	{ "[Node alpha]\nAddress=10.0.0.1\nAddress=10.0.1.1\n"
	  "[Node beta]\nAddress=ten\nAddress=10.0.1.2\n" GROUP,
	  "5: Address= takes an IPv4 or IPv6 address, not \"ten\".\n" },
	{ "[Node b]\nAddress=10.0.0.2\n[Node a]\nAddress=127.0.0.1\n" GROUP,
	  "4: Address= takes the address of a host, but 127.0.0.1 is a loopback address.\n" },
	{ "[Node b]\nAddress=10.0.0.2\n[Node a]\nAddress=::1\n" GROUP,
	  "4: Address= takes the address of a host, but ::1 is a loopback address.\n" },
	{ "[Node b]\nAddress=10.0.0.2\n[Node a]\nAddress=0.0.0.0\n" GROUP,
	  "4: Address= takes the address of a host, but 0.0.0.0 is an unspecified address.\n" },
	{ "[Node b]\nAddress=10.0.0.2\n[Node a]\nAddress=224.0.0.18\n" GROUP,
	  "4: Address= takes the address of a host, but 224.0.0.18 is a multicast address.\n" },
	{ "[Node b]\nAddress=10.0.0.2\n[Node a]\nAddress=ff02::1\n" GROUP,
	  "4: Address= takes the address of a host, but ff02::1 is a multicast address.\n" },
	{ "[Node b]\nAddress=10.0.0.2\n[Node a]\nAddress=::ffff:10.0.0.1\n" GROUP,
	  "4: Address= takes the address of a host, but ::ffff:10.0.0.1 is an IPv4 address written "
	  "as IPv6: leave out ::ffff:.\n" },
	{ "[Node b]\nAddress=10.0.0.2\n[Node a]\nAddress=fe80::1\n" GROUP,
	  "4: Address= takes an address that is valid beyond one link, but fe80::1 is "
	  "link-local.\n" },
	{ "[Node b]\nAddress=10.0.0.2\n[Node a]\nAddress=10.0.0.1/24\n" GROUP,
	  "4: Address= takes an address without prefix length, not \"10.0.0.1/24\".\n" },
	{ "[Node b]\nAddress=10.0.0.2\n[Node a]\nAddress=10.0.0\n" GROUP,
	  "4: Address= takes an IPv4 or IPv6 address, not \"10.0.0\".\n" },
	{ "[Node b]\nAddress=10.0.0.2\n[Node "
	  "a]\nAddress=10.0.0.1\nAddress=10.0.1.1\nAddress=10.0.2.1\nAddress=10.0.4.1\n"
	  "Address=10.0.5.1\n" GROUP,
	  "8: A node has at most 4 addresses; 10.0.5.1 is one too many.\n" },
	{ GOOD "VirtualAddress=10.0.0.4\n",
	  "7: VirtualAddress= takes the interface after the address, as in \"10.0.0.4 eth0\".\n" },
	{ GOOD "VirtualAddress=10.0.0.4/33 eth0\n",
	  "7: VirtualAddress= takes a prefix length from 1 to 32, not \"33\".\n" },
	{ GOOD "VirtualAddress=fd00::4/129 eth0\n",
	  "7: VirtualAddress= takes a prefix length from 1 to 128, not \"129\".\n" },
	{ GOOD "VirtualAddress=10.0.0.4/ eth0\n",
	  "7: VirtualAddress= takes a prefix length from 1 to 32, not \"\".\n" },
	{ GOOD "VirtualAddress=10.0.0.4/0 eth0\n",
	  "7: VirtualAddress= takes a prefix length from 1 to 32, not \"0\".\n" },
	{ GOOD "VirtualAddress=10.0.0.128/25 eth0\n",
	  "7: VirtualAddress= takes the address of a host, but 10.0.0.128/25 is that of the "
	  "network "
	  "itself.\n" },
	{ GOOD "VirtualAddress=10.0.3.255/22 eth0\n",
	  "7: VirtualAddress= takes the address of a host, but 10.0.3.255/22 is the broadcast "
	  "address "
	  "of its network.\n" },
	{ GOOD "VirtualAddress=10.0.1.255/22 eth0\nVirtualAddress=10.0.0.8/31 eth0\n"
	       "VirtualAddress=10.0.0.15/31 eth0\nVirtualAddress=10.0.0.0 eth0\n"
	       "VirtualAddress=fd00::/64 eth0\n",
	  "" },
	{ GOOD "VirtualAddress=10.0.0.4 eth/0\n",
	  "7: VirtualAddress= takes the name of an interface (1 to 15 characters without / and :), "
	  "not \"eth/0\".\n" },
	{ GOOD "VirtualAddress=eth0 10.0.0.4\n",
	  "7: VirtualAddress= takes an address and an interface such as 192.0.2.1/24 eth0, not "
	  "\"eth0 10.0.0.4\".\n" },
	{ GOOD "VirtualAddress=10.0.0.4 interface-name-16\n",
	  "7: VirtualAddress= takes the name of an interface (1 to 15 characters without / and :), "
	  "not \"interface-name-16\".\n" },
	{ GOOD "VirtualAddress=10.0.0.4 eth0 eth1\n",
	  "7: VirtualAddress= takes the name of an interface (1 to 15 characters without / and :), "
	  "not \"eth0 eth1\".\n" },
	{ GOOD "VirtualAddress=10.0.0.4 eth0:interface-1\n",
	  "7: VirtualAddress= takes a label of 1 to 15 characters such as eth0:1, not "
	  "\"eth0:interface-1\".\n" },
	{ GOOD "VirtualAddress=10.0.0.4 eth0:\nVirtualAddress=10.0.0.5 eth0:a b\n"
	       "VirtualAddress=10.0.0.6 eth0:a/b\n",
	  "7: VirtualAddress= takes a label of 1 to 15 characters such as eth0:1, not \"eth0:\".\n"
	  "8: VirtualAddress= takes a label of 1 to 15 characters such as eth0:1, not "
	  "\"eth0:a b\".\n"
	  "9: VirtualAddress= takes a label of 1 to 15 characters such as eth0:1, not "
	  "\"eth0:a/b\".\n" },
	{ GOOD "VirtualAddress=10.0.0.4 :1\n",
	  "7: VirtualAddress= takes the name of an interface (1 to 15 characters without / and :), "
	  "not \":1\".\n" },
	{ GOOD "VirtualAddress=fd00::4 eth0:1\n",
	  "7: VirtualAddress= takes a label such as eth0:1 for IPv4 only, the kernel has none for "
	  "IPv6; say eth0.\n" },
	{ GOOD "Mode=port\n",
	  "7: Mode=port is not done by this version yet; it takes alias, subinterface or none.\n" },
	{ GOOD "Mode=magic\n", "7: Mode= takes alias, subinterface or none, not \"magic\".\n" },
	{ GOOD "Handover=abrupt\n", "7: Handover= takes strict or seamless, not \"abrupt\".\n" },
	{ GOOD "Redundancy=cold\n", "7: Redundancy= takes hot or warm, not \"cold\".\n" },
	{ GOOD "Unit=\n",
	  "7: Unit= takes the name of a unit such as kamailio.service, not \"\".\n" },
	{ GOOD "Unit=kamailio\n", "7: Unit= takes the whole name of a unit: kamailio.service?\n" },
	{ GOOD "Unit=kamailio.conf\n",
	  "7: Unit= takes the name of a unit such as kamailio.service, not \"kamailio.conf\".\n" },
	{ GOOD "Unit=.service\n",
	  "7: Unit= takes the name of a unit such as kamailio.service, not \".service\".\n" },
	{ GOOD "Unit=@a.service\n",
	  "7: Unit= takes the name of a unit such as kamailio.service, not \"@a.service\".\n" },
	{ GOOD "Unit=a.service b.service\n",
	  "7: Unit= takes the name of a unit such as kamailio.service, not \"a.service "
	  "b.service\".\n" },
	{ GOOD "Unit=a@.service\n",
	  "7: Unit= takes a unit, and a@.service is a template; an instance of it has a name "
	  "between @ and the dot.\n" },
	{ GOOD "UnitGrace=11min\n",
	  "7: UnitGrace= takes a time from 0 to 10min, not \"11min\".\n" },
	{ GOOD "BeforeRelease=takeover-a.service\n",
	  "7: BeforeRelease= takes start or stop and a unit such as takeover-commit@sip.service, "
	  "not \"takeover-a.service\".\n" },
	{ GOOD "BeforeRelease=restart takeover-a.service\n",
	  "7: BeforeRelease= takes start or stop and a unit such as takeover-commit@sip.service, "
	  "not \"restart takeover-a.service\".\n" },
	{ GOOD "BeforeClaim=start takeover-a.service now\n",
	  "7: BeforeClaim= takes start or stop and a unit such as takeover-commit@sip.service, "
	  "not \"start takeover-a.service now\".\n" },
	{ GOOD "BeforeClaim=start kamailio.service\n",
	  "7: BeforeClaim= takes a unit whose name begins with takeover-, the only ones that the "
	  "agent may start and stop; make one that does what kamailio.service is wanted for.\n" },
	{ GOOD NINE("BeforeClaim=stop takeover-a.service\n"),
	  "15: BeforeClaim= may be given 8 times at most.\n" },
	{ GOOD "Preempt=maybe\n", "7: Preempt= takes yes or no, not \"maybe\".\n" },
	{ GOOD "WhenAlone=cry\n", "7: WhenAlone= takes keep or release, not \"cry\".\n" },
	{ GOOD "Linger=11s\n", "7: Linger= takes a time from 0 to 10s, not \"11s\".\n" },
};

Test(conf_mistakes, mistakes_of_nodes_and_groups_are_told_with_line_and_what_is_right)
{
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		_cleanup_(freep) char *found =
			problems_of(mistakes[i].text, strlen(mistakes[i].text));

		cr_expect_str_eq(found, mistakes[i].problems, "%s", mistakes[i].text);
	}
}

#define SUB NODES "[Group sip]\nMode=subinterface\n"

static const struct {
	const char *text, *problems;
} sub_mistakes[] = {
	{ SUB "SubInterface=vip0\nVirtualAddress=10.0.0.3 vip0\n",
	  "7: SubInterface= takes a new interface, the one below it and own, shared or a MAC "
	  "such as vip0 eth0 own, not \"vip0\".\n" },
	{ SUB "SubInterface=vip0 eth0 own twice\nVirtualAddress=10.0.0.3 vip0\n",
	  "7: SubInterface= takes a new interface, the one below it and own, shared or a MAC "
	  "such as vip0 eth0 own, not \"vip0 eth0 own twice\".\n" },
	{ SUB "SubInterface=a-name-of-16-letters eth0\nVirtualAddress=10.0.0.3 vip0\n",
	  "7: SubInterface= takes the name of an interface (1 to 15 characters without / and :), "
	  "not \"a-name-of-16-letters\".\n" },
	{ SUB "SubInterface=vip0 eth:0\nVirtualAddress=10.0.0.3 vip0\n",
	  "7: SubInterface= takes the name of an interface (1 to 15 characters without / and :), "
	  "not \"eth:0\".\n" },
	{ SUB "SubInterface=eth0 eth0\nVirtualAddress=10.0.0.3 vip0\n",
	  "7: SubInterface= takes a new name and then the interface below it; eth0 cannot be "
	  "both.\n" },
	{ SUB "SubInterface=vip0 eth0 mine\nVirtualAddress=10.0.0.3 vip0\n",
	  "7: SubInterface= takes own, shared or a MAC such as 02:00:5e:00:01:0a, not "
	  "\"mine\".\n" },
	{ SUB "SubInterface=vip0 eth0 02:00:5e:00:01:0\nVirtualAddress=10.0.0.3 vip0\n",
	  "7: SubInterface= takes own, shared or a MAC such as 02:00:5e:00:01:0a, not "
	  "\"02:00:5e:00:01:0\".\n" },
	{ SUB "SubInterface=vip0 eth0 02:00:5e:00:01-0a\nVirtualAddress=10.0.0.3 vip0\n",
	  "7: SubInterface= takes own, shared or a MAC such as 02:00:5e:00:01:0a, not "
	  "\"02:00:5e:00:01-0a\".\n" },
	{ SUB "SubInterface=vip0 eth0 02:00:5e:00:01:0x\nVirtualAddress=10.0.0.3 vip0\n",
	  "7: SubInterface= takes own, shared or a MAC such as 02:00:5e:00:01:0a, not "
	  "\"02:00:5e:00:01:0x\".\n" },
	{ SUB "SubInterface=vip0 eth0 01:00:5e:00:01:0a\nVirtualAddress=10.0.0.3 vip0\n",
	  "7: SubInterface= takes the MAC of one interface, but 01:00:5e:00:01:0a is that of "
	  "many; write own, and one is made up.\n" },
	{ SUB "SubInterface=vip0 eth0 00:00:00:00:00:00\nVirtualAddress=10.0.0.3 vip0\n",
	  "7: SubInterface= takes the MAC of one interface, but 00:00:00:00:00:00 is that of "
	  "none; write own, and one is made up.\n" },
	{ SUB "SubInterface=vip0 eth0\nSubInterface=vip0 eth1\nVirtualAddress=10.0.0.3 vip0\n",
	  "8: vip0 is a sub-interface of [Group sip] already; give this one another name.\n" },
	{ SUB "SubInterface=vip0 eth0\nVirtualAddress=10.0.0.3 vip0\n"
	      "[Group web]\nMode=subinterface\nSubInterface=vip0 eth0\n"
	      "VirtualAddress=10.0.0.4 vip0\n",
	  "11: vip0 is a sub-interface of [Group sip] already; give this one another name.\n"
	  "12: [Group sip] brings vip0 up and down; no other group can have addresses on it.\n" },
	{ SUB "SubInterface=vip0 eth0 02:00:5e:00:01:0a\nVirtualAddress=10.0.0.3 vip0\n"
	      "SubInterface=vip1 eth0 02:00:5E:00:01:0A\nVirtualAddress=10.0.0.4 vip1\n",
	  "9: vip1 has the MAC of vip0, which is on eth0 as well; give it another one.\n" },
	{ SUB "SubInterface=vip0 eth0 02:00:5e:00:01:0a\nVirtualAddress=10.0.0.3 vip0\n"
	      "SubInterface=vip1 eth1 02:00:5e:00:01:0a\nVirtualAddress=10.0.0.4 vip1\n",
	  "" },
	{ SUB "SubInterface=vip0 eth0\nVirtualAddress=10.0.0.3 vip0\n"
	      "SubInterface=vip1 vip0\nVirtualAddress=10.0.0.4 vip1\n",
	  "8: vip0 would be taken down with this address, but vip1 is on it; write vip1 here.\n" },
	{ SUB "SubInterface=vip1 eth5\nVirtualAddress=10.0.0.4 vip1\n"
	      "[Group web]\nMode=subinterface\nVirtualAddress=10.0.0.5 eth5\n",
	  "7: vip1 cannot be on eth5, which [Group web] brings up and down; name the interface "
	  "below that.\n" },
	{ SUB "SubInterface=vip0 lo\nVirtualAddress=10.0.0.3 vip0\n",
	  "7: vip0 cannot be on lo, which has no MAC and leads nowhere; name an interface of the "
	  "clients' network.\n" },
	{ SUB "SubInterface=vip0 eth0\nVirtualAddress=10.0.0.3 eth0\n",
	  "8: eth0 would be taken down with this address, but vip0 is on it; write vip0 here.\n" },
	{ SUB "SubInterface=vip0 eth0\nVirtualAddress=10.0.0.3 eth5\n",
	  "7: No VirtualAddress= of [Group sip] is on vip0; put one there, or remove this "
	  "line.\n" },
	{ SUB "VirtualAddress=10.0.0.3 eth5\n[Group web]\nVirtualAddress=10.0.0.4 eth5\n",
	  "9: [Group sip] brings eth5 up and down; no other group can have addresses on it.\n" },
	{ SUB "VirtualAddress=10.0.0.3 eth5\n"
	      "[Group web]\nMode=subinterface\nVirtualAddress=10.0.0.4 eth5\n",
	  "10: [Group sip] brings eth5 up and down; no other group can have addresses on it.\n" },
	{ SUB "VirtualAddress=10.0.0.3 eth5\n[Group web]\nVirtualAddress=10.0.0.4 eth6\n", "" },
	{ GOOD "SubInterface=vip0 eth0\n",
	  "7: SubInterface= takes Mode=subinterface, and [Group sip] has Mode=alias.\n" },
	{ GOOD "SubInterface=vip0 eth0\nSubInterface=\n", "" },
	{ SUB "SubInterface=vip0 eth0\nStage=yes\nVirtualAddress=10.0.0.3 vip0\n", "" },
	{ SUB "SubInterface=vip0 eth0\nStage=perhaps\nVirtualAddress=10.0.0.3 vip0\n",
	  "8: Stage= takes auto, yes or no, not \"perhaps\".\n" },
	{ SUB "SubInterface=vip0 eth0\nStage=yes\nVirtualAddress=10.0.0.3 vip0\n"
	      "VirtualAddress=10.0.0.4 eth5\n",
	  "8: Stage=yes takes addresses on interfaces that SubInterface= makes, and [Group sip] "
	  "has one on eth5.\n" },
	{ GOOD "Stage=yes\n",
	  "7: Stage=yes takes Mode=subinterface, and [Group sip] has Mode=alias.\n" },
	{ GOOD "Stage=no\n", "" },
};

Test(conf_mistakes, what_cannot_be_brought_up_and_down_is_told)
{
	for (size_t i = 0; i < ARRAY_SIZE(sub_mistakes); i++) {
		_cleanup_(freep) char *found =
			problems_of(sub_mistakes[i].text, strlen(sub_mistakes[i].text));

		cr_expect_str_eq(found, sub_mistakes[i].problems, "%s", sub_mistakes[i].text);
	}
}

Test(conf_mistakes, all_mistakes_are_told_at_once_in_the_order_of_the_file)
{
	static const char text[] = "[Agent]\n"
				   "Interval=soon\n"
				   "# nothing wrong here\n"
				   "  Frequency: 5\n"
				   "Lease=1h\n"
				   "[Node alpha]\n"
				   "Address=10.0.0.3\n"
				   "[Node beta]\n"
				   "[Gruppe x]\n"
				   "Mode=port\n"
				   "[Group sip]\n"
				   "VirtualAddress=10.0.0.3 eth0\n"
				   "Mode=port\n";
	static const char problems[] =
		"2: Interval= takes a time from 1ms to 10s, not \"soon\".\n"
		"4: A setting is KEY=VALUE, not \"Frequency: 5\".\n"
		"5: Lease= takes a time from 10ms to 1min, not \"1h\".\n"
		"8: [Node beta] has no Address=; give it those by which the other node reaches "
		"it.\n"
		"9: A section is [Agent], [Node NAME], [Group NAME] or [Reaction NAME], not "
		"\"[Gruppe x]\".\n"
		"13: Mode=port is not done by this version yet; it takes alias, subinterface or "
		"none.\n";
	_cleanup_(freep) char *found = problems_of(text, sizeof(text) - 1);
	_cleanup_(freep) char *rest = NULL;
	char *duplicate;

	duplicate = strstr(found, "12: 10.0.0.3 has been given in ");
	cr_assert_not_null(duplicate);
	cr_expect_not_null(strstr(duplicate, ":7 already; an address belongs to one node or to one "
					     "group.\n13:"));
	rest = strdup(strchr(duplicate, '\n') + 1);
	strcpy(duplicate, rest);
	cr_expect_str_eq(found, problems);
}

Test(conf_mistakes, lines_that_libinih_would_cut_are_refused)
{
	char text[1024] = "[Agent]\nKeyFile=/";
	_cleanup_(freep) char *found = NULL;
	_cleanup_(freep) char *nul = NULL;

	memset(text + strlen(text), 'x', 300);
	strcat(text, "\n" GOOD "# ");
	memset(text + strlen(text), 'c', 300); /* a comment may be long */
	found = problems_of(text, strlen(text));
	cr_expect_str_eq(found, "2: This line is longer than 198 bytes.\n");

	nul = problems_of("[Agent]\nPort=1\0[Agent]\n" GOOD,
			  sizeof("[Agent]\nPort=1\0[Agent]\n" GOOD) - 1);
	cr_expect_str_eq(nul, "2: This line is not text in UTF-8: look at its byte 7.\n");
}

Test(conf_mistakes, files_that_are_not_files_are_refused)
{
	static const struct {
		const char *path, *problem;
	} bad[] = {
		{ "/proc/self/nowhere.conf",
		  "The file cannot be opened: No such file or directory." },
		{ "/tmp", "This is not a regular file." },
		{ "/dev/zero", "This is not a regular file." },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct conf_problems problems = { 0 };
		struct conf *conf = NULL;

		cr_expect_eq(conf_load(bad[i].path, &conf, &problems), -EINVAL);
		cr_expect_null(conf);
		cr_assert_eq(problems.n, 1, "nothing is missing in what could not be read");
		cr_expect_str_eq(problems.v[0].text, bad[i].problem);
		cr_expect_str_eq(problems.v[0].file, bad[i].path);
		conf_problems_done(&problems);
	}
}

Test(conf_mistakes, a_file_that_is_too_large_is_refused)
{
	size_t len = CONF_FILE_MAX + 1;
	_cleanup_(freep) char *text = malloc(len);
	_cleanup_(freep) char *found = NULL;

	memset(text, '\n', len);
	found = problems_of(text, len);
	cr_expect_not_null(strstr(found, "0: The file is larger than 1048576 bytes.\n"));
}

Test(conf_mistakes, as_many_groups_as_the_core_has_and_no_more)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(freep) char *found = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs(NODES, f);
	for (unsigned i = 0; i <= CORE_GROUPS_MAX; i++)
		fprintf(f, "[Group g%u]\nVirtualAddress=10.1.0.%u eth0\n", i, i);
	fclose(f);
	found = problems_of(text, size);
	cr_expect_str_eq(found, "261: [Group g128] is one too many.\n");
}
