/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf.h"

#include <criterion/criterion.h>

#include "agent/conf/conf_keys.h"
#include "tests/conf_good.h"

Test(conf, the_longest_line_that_is_taken_is_taken_whole)
{
	char text[1024] = "[Agent]\nKeyFile=/";
	_cleanup_(conf_freep) struct conf *conf = NULL;

	memset(text + strlen(text), 'x', 198 - strlen("KeyFile=/"));
	strcat(text, "\r\n\t # indented\n" GOOD);
	conf = conf_from_text(text);
	cr_expect_eq(strlen(conf->key_file), 198 - strlen("KeyFile="));
}

Test(conf, defaults_are_those_of_the_table)
{
	_cleanup_(conf_freep) struct conf *conf = conf_from_text(GOOD);
	static const uint32_t announce[] = { 10000, 100000, 1000000, 3000000 };

	cr_expect_str_eq(conf->key_file, "/etc/takeover/key");
	cr_expect(conf->authenticate);
	cr_expect_eq(conf->port, 7373);
	cr_expect_eq(conf->mark, 0x7a6b0001);
	cr_expect_eq(conf->interval_us, 50000);
	cr_expect_eq(conf->lease_us, 350000);
	cr_expect_eq(conf->dead_us, 500000);
	cr_expect_eq(conf->start_wait_us, 5000000);
	cr_expect_eq(conf->restart_hold_us, 3000000);
	cr_expect_eq(conf->step_us, 8000000);
	cr_expect_eq(conf->probe_us, 200000);
	cr_expect_eq(conf->address_lifetime_s, 60);
	cr_assert_eq(conf->n_announce, 4);
	cr_expect_arr_eq(conf->announce_us, announce, sizeof(announce));
	cr_expect_eq(conf->announce_refresh_s, 0);
	cr_expect_eq(conf->nodes[0].priority, 100);
	cr_expect_not(conf->groups[0].core.strict);
	cr_expect_not(conf->groups[0].core.hot);
	cr_expect_not(conf->groups[0].core.preempt);
	cr_expect(conf->groups[0].core.keep_alone);
	cr_expect_eq(conf->groups[0].core.last_resort_us, 3000000);
	cr_expect_eq(conf->groups[0].core.linger_us, 20000);
	cr_expect_eq(conf->groups[0].mode, CONF_MODE_ALIAS);
}

Test(conf, every_value_arrives)
{
	_cleanup_(conf_freep) struct conf *conf = conf_from_text(
		"[Agent]\nKeyFile=/run/key\nAuthentication=none\nPort=99\nMark=7\nInterval=5ms\n"
		"Lease=15ms\nDeadTime=35ms\nStartWait=1min\nRestartHold=1.5s\nTimeoutStep=1s "
		"500ms\n"
		"Probe=0\nAddressLifetime=10\nAnnounce=\nAnnounceRefresh=1min\n"
		"[Node z]\nAddress=10.0.0.1\nAddress=fd00::1\nPriority=7\n"
		"[Node b]\nAddress=10.0.0.2\nAddress=fd00::2\n"
		"[Group s]\nVirtualAddress=fd00::3 eth1\nVirtualAddress=10.0.0.4\tbr-lan.5\n"
		"Mode=alias\nHandover=strict\nRedundancy=hot\nPreempt=TRUE\nWhenAlone=release\n"
		"LastResort=1s\nLinger=500us\n");
	const struct conf_group *group = &conf->groups[0];

	cr_expect_str_eq(conf->key_file, "/run/key");
	cr_expect_not(conf->authenticate);
	cr_expect_eq(conf->port, 99);
	cr_expect_eq(conf->mark, 7);
	cr_expect_eq(conf->interval_us, 5000);
	cr_expect_eq(conf->lease_us, 15000);
	cr_expect_eq(conf->dead_us, 35000);
	cr_expect_eq(conf->start_wait_us, 60000000);
	cr_expect_eq(conf->restart_hold_us, 1500000);
	cr_expect_eq(conf->step_us, 1500000);
	cr_expect_eq(conf->probe_us, 0);
	cr_expect_eq(conf->address_lifetime_s, 10);
	cr_expect_eq(conf->n_announce, 0);
	cr_expect_eq(conf->announce_refresh_s, 60);
	cr_expect_str_eq(conf->nodes[1].name, "z");
	cr_expect_eq(conf->nodes[1].priority, 7);
	cr_assert_eq(conf->nodes[1].n_paths, 2);
	cr_expect_eq(conf->nodes[1].paths[1].family, 6);
	cr_assert_eq(group->n_vips, 2);
	cr_expect_eq(group->vips[0].ip.family, 4);
	cr_expect_eq(group->vips[0].prefix, 32);
	cr_expect_str_eq(group->vips[0].ifname, "br-lan.5");
	cr_expect_eq(group->vips[1].prefix, 128);
	cr_expect_str_eq(group->vips[1].ifname, "eth1");
	cr_expect(group->core.strict && group->core.hot && group->core.preempt);
	cr_expect_not(group->core.keep_alone);
	cr_expect_eq(group->core.last_resort_us, 1000000);
	cr_expect_eq(group->core.linger_us, 500);
}

Test(conf, times_are_those_of_systemd)
{
	static const struct {
		const char *text;
		uint64_t us;
	} good[] = {
		{ "5", 5000000 },	 { "0", 0 },
		{ "50ms", 50000 },	 { "1min", 60000000 },
		{ "500us", 500 },	 { "1s 500ms", 1500000 },
		{ "1.5s", 1500000 },	 { "2 h", 7200000000 },
		{ "1min30s", 90000000 }, { "0.25ms", 250 },
		{ "10 sec", 10000000 },
	};
	static const char *const bad[] = {
		"", "s", "5 5x", "1..5s", "1.s", "-1", "50 ms x", "5e3"
	};
	uint64_t us;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		us = 1;
		cr_expect_eq(conf_parse_time(good[i].text, &us), 0, "%s", good[i].text);
		cr_expect_eq(us, good[i].us, "%s", good[i].text);
	}
	us = 77;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_lt(conf_parse_time(bad[i], &us), 0, "%s", bad[i]);
	cr_expect_eq(us, 77);
}

Test(conf, what_is_printed_is_read_back_the_same)
{
	static const char *const texts[] = {
		GOOD,
		"[Agent]\nAnnounce=\nInterval=1.5ms\nLease=61ms 1us\nDeadTime=1min 1s 1ms 1us\n"
		"StartWait=0\nKeyFile=/a b/c\nAuthentication=none\nMark=1\n"
		"[Node b]\nAddress=fd00::1\nPriority=65535\n[Node a]\nAddress=fd00::2\n"
		"[Group z]\nVirtualAddress=fe80::5/64 eth0\n"
		"[Group a]\nVirtualAddress=10.0.0.3/31 eth0\nVirtualAddress=fd00::7 eth0\n"
		"Handover=strict\nRedundancy=hot\nPreempt=1\nWhenAlone=release\nLinger=0\n",
		"[Agent]\nAnnounce=1ms 1500us 1s 1001ms 60\nAnnounceRefresh=90\n" GOOD,
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(conf_freep) struct conf *first = conf_from_text(texts[i]);
		_cleanup_(freep) char *printed = conf_as_text(first);
		_cleanup_(conf_freep) struct conf *second = conf_from_text(printed);
		_cleanup_(freep) char *again = conf_as_text(second);

		cr_expect_str_eq(again, printed);
		cr_expect_eq(first->digest, second->digest);
		cr_expect_eq(first->interval_us, second->interval_us);
		cr_expect_eq(first->dead_us, second->dead_us);
		cr_expect_eq(first->announce_refresh_s, second->announce_refresh_s);
		cr_expect_arr_eq(first->nodes, second->nodes, sizeof(first->nodes));
		for (size_t g = 0; g < first->n_groups; g++)
			cr_expect_arr_eq(first->groups[g].vips, second->groups[g].vips,
					 first->groups[g].n_vips * sizeof(struct conf_vip));
	}
}

Test(conf, units_are_read_in_order_and_printed)
{
	_cleanup_(conf_freep) struct conf *conf =
		conf_from_text(NODES GROUP "Unit=kam@a\\x2db.service\nUnitGrace=0\n"
					   "BeforeRelease=stop takeover-primary@sip.target\n"
					   "BeforeRelease=start\ttakeover-save@sip.service\n"
					   "BeforeClaim=start takeover-x.service\nBeforeClaim=\n"
					   "BeforeClaim=start takeover-commit@sip.service\n");
	_cleanup_(conf_freep) struct conf *none = conf_from_text(NODES GROUP);
	_cleanup_(freep) char *printed = conf_as_text(conf);
	_cleanup_(conf_freep) struct conf *again = conf_from_text(printed);
	const struct conf_group *group = &conf->groups[0];

	cr_expect_str_eq(group->unit, "kam@a\\x2db.service");
	cr_expect_eq(group->unit_grace_us, 0);
	cr_assert_eq(group->before_release.n, 2);
	cr_expect(group->before_release.v[0].stop);
	cr_expect_str_eq(group->before_release.v[0].unit, "takeover-primary@sip.target");
	cr_expect_not(group->before_release.v[1].stop);
	cr_expect_str_eq(group->before_release.v[1].unit, "takeover-save@sip.service");
	cr_assert_eq(group->before_claim.n, 1, "an empty line forgets those before it");
	cr_expect_str_eq(group->before_claim.v[0].unit, "takeover-commit@sip.service");
	cr_expect_not_null(strstr(printed, "\nUnitGrace=0\n"));
	cr_expect_not_null(strstr(printed, "\nBeforeRelease=stop takeover-primary@sip.target\n"
					   "BeforeRelease=start takeover-save@sip.service\n"));
	cr_expect_eq(again->digest, conf->digest);
	cr_expect_neq(none->digest, conf->digest);
	cr_expect_null(none->groups[0].unit);
	cr_expect_eq(none->groups[0].unit_grace_us, 5000000);
	cr_expect_eq(none->groups[0].before_release.n, 0);
}

Test(conf, a_role_has_no_addresses)
{
	_cleanup_(conf_freep) struct conf *alias = conf_from_text(NODES GROUP);
	_cleanup_(conf_freep) struct conf *role = conf_from_text(NODES "[Group sip]\nMode=none\n");
	_cleanup_(freep) char *printed = conf_as_text(role);
	_cleanup_(conf_freep) struct conf *again = conf_from_text(printed);

	cr_expect_eq(role->groups[0].mode, CONF_MODE_NONE);
	cr_expect_eq(role->groups[0].n_vips, 0);
	cr_expect_not_null(strstr(printed, "\nMode=none\n"));
	cr_expect_null(strstr(printed, "VirtualAddress="));
	cr_expect_eq(again->groups[0].mode, CONF_MODE_NONE);
	cr_expect_eq(again->digest, role->digest);
	cr_expect_neq(alias->digest, role->digest);
}

Test(conf, a_label_begins_with_its_interface)
{
	_cleanup_(conf_freep) struct conf *conf = conf_from_text(
		NODES "[Group sip]\nVirtualAddress=10.0.0.3/24 eth0\n"
		      "VirtualAddress=10.0.0.4 eth0:1\nVirtualAddress=10.0.0.5 a:sip:456789012\n");
	_cleanup_(conf_freep) struct conf *other = conf_from_text(
		NODES "[Group sip]\nVirtualAddress=10.0.0.3/24 eth0\n"
		      "VirtualAddress=10.0.0.4 eth0\nVirtualAddress=10.0.0.5 a:sip:456789012\n");
	_cleanup_(freep) char *printed = conf_as_text(conf);
	const struct conf_vip *vips = conf->groups[0].vips;

	cr_expect_str_eq(vips[0].ifname, "eth0");
	cr_expect_str_eq(vips[0].label, "");
	cr_expect_str_eq(vips[1].ifname, "eth0");
	cr_expect_str_eq(vips[1].label, "eth0:1");
	cr_expect_str_eq(vips[2].ifname, "a");
	cr_expect_str_eq(vips[2].label, "a:sip:456789012");
	cr_expect_not_null(strstr(printed, "\nVirtualAddress=10.0.0.3/24 eth0\n"));
	cr_expect_not_null(strstr(printed, "\nVirtualAddress=10.0.0.4/32 eth0:1\n"));
	cr_expect_not_null(strstr(printed, "\nVirtualAddress=10.0.0.5/32 a:sip:456789012\n"));
	cr_expect_neq(conf->digest, other->digest);
}

#define SUBS                                                                                       \
	NODES "[Group sip]\nMode=subinterface\nVirtualAddress=10.0.0.3 vip0\n"                     \
	      "VirtualAddress=10.0.0.4 vip1\nVirtualAddress=10.0.0.5 vip2\n"                       \
	      "VirtualAddress=10.0.0.6 eth7\nSubInterface=vip2 eth0 02:00:5E:00:01:0a\n"           \
	      "SubInterface=vip1 eth0\tshared\n"

Test(conf, sub_interfaces_are_read_sorted_and_printed)
{
	static const uint8_t given[6] = { 0x02, 0x00, 0x5e, 0x00, 0x01, 0x0a };
	_cleanup_(conf_freep) struct conf *conf = conf_from_text(SUBS "SubInterface=vip0 eth1\n");
	_cleanup_(conf_freep) struct conf *other = conf_from_text(SUBS "SubInterface=vip0 eth0\n");
	_cleanup_(freep) char *printed = conf_as_text(conf);
	_cleanup_(conf_freep) struct conf *again = conf_from_text(printed);
	const struct conf_group *group = &conf->groups[0];

	cr_assert_eq(group->n_subs, 3);
	cr_expect_str_eq(group->subs[0].name, "vip0");
	cr_expect_str_eq(group->subs[0].parent, "eth1");
	cr_expect_eq(group->subs[0].mac, CONF_MAC_OWN);
	cr_expect_eq(group->subs[1].mac, CONF_MAC_SHARED);
	cr_expect_eq(group->subs[2].mac, CONF_MAC_GIVEN);
	cr_expect_arr_eq(group->subs[2].given, given, sizeof(given));
	cr_expect_eq(conf_find_sub(group, "vip1"), &group->subs[1]);
	cr_expect_null(conf_find_sub(group, "eth7"));
	cr_assert_eq(again->groups[0].n_subs, 3);
	cr_expect_arr_eq(again->groups[0].subs, group->subs, 3 * sizeof(*group->subs));
	cr_expect_eq(again->digest, conf->digest);
	cr_expect_neq(other->digest, conf->digest);
}

/* A group of n addresses, the last one on that interface. */
static struct conf *load_staged(const char *stage, unsigned n, const char *last)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	fprintf(to, NODES "[Group sip]\nMode=subinterface\nSubInterface=vip0 eth0\n%s", stage);
	for (unsigned i = 1; i <= n; i++)
		fprintf(to, "VirtualAddress=10.9.0.%u %s\n", i, i == n ? last : "vip0");
	(void)fclose(to);
	return conf_from_text(text);
}

Test(conf, many_addresses_on_sub_interfaces_are_staged_unless_it_is_said_otherwise)
{
	static const struct {
		const char *stage, *last;
		unsigned n;
		bool staged;
	} rows[] = {
		{ "", "vip0", 100, false },	      { "", "vip0", 101, true },
		{ "", "eth5", 101, false },	      { "Stage=auto\n", "vip0", 101, true },
		{ "Stage=no\n", "vip0", 101, false }, { "Stage=yes\n", "vip0", 1, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(conf_freep) struct conf *conf =
			load_staged(rows[i].stage, rows[i].n, rows[i].last);

		cr_assert_not_null(conf, "row %zu", i);
		cr_expect_eq(conf->groups[0].staged, rows[i].staged, "row %zu", i);
	}
}

/* MACs are part of what other hosts remember: they must never change. */
Test(conf, macs_of_sub_interfaces_are_stable_and_as_unlike_as_they_should_be)
{
	static const uint8_t alphas[6] = { 0xde, 0x30, 0xcc, 0x02, 0xea, 0xa6 };
	static const uint8_t shared[6] = { 0x56, 0x4c, 0xf0, 0xe2, 0x9b, 0xd7 };
	_cleanup_(conf_freep) struct conf *conf = conf_from_text(SUBS "SubInterface=vip0 eth1\n");
	const struct conf_group *group = &conf->groups[0];
	uint8_t mac[3][2][6];

	for (size_t i = 0; i < 3; i++)
		for (size_t node = 0; node < 2; node++)
			conf_sub_mac(&conf->nodes[node], group, &group->subs[i], mac[i][node]);
	cr_expect_arr_eq(mac[0][0], alphas, 6);
	cr_expect_arr_neq(mac[0][0], mac[0][1], 6, "each node has its own");
	cr_expect_arr_eq(mac[1][0], shared, 6);
	cr_expect_arr_eq(mac[1][0], mac[1][1], 6, "it moves");
	cr_expect_arr_eq(mac[2][0], group->subs[2].given, 6);
	for (size_t i = 0; i < 2; i++)
		cr_expect_eq(mac[i][0][0] & 3, 2, "unicast, administered locally");
	cr_expect_arr_neq(mac[0][0], mac[1][0], 6);
}

Test(conf, every_mode_has_a_name_of_its_own)
{
	for (int i = 0; i < _CONF_MODE_MAX; i++) {
		cr_expect_str_not_empty(conf_mode_name((enum conf_mode)i));
		for (int j = 0; j < i; j++)
			cr_expect_str_neq(conf_mode_name((enum conf_mode)i),
					  conf_mode_name((enum conf_mode)j));
	}
}

Test(conf, every_key_of_the_table_is_printed)
{
	_cleanup_(conf_freep) struct conf *conf =
		conf_from_text(GOOD "Unit=a.service\nBeforeRelease=stop takeover-a.service\n"
				    "Check=tcp:self:5060\nBeforeClaim=start takeover-a.service\n"
				    "[Reaction a]\nEvent=00-04563\nUnit=takeover-a.service\n"
				    "Group=sip\nNode=beta\n"
				    "[Reaction b]\nEvent=00-04563\nRun=/bin/true\nUser=nobody\n"
				    "WorkingDirectory=/\nEnvironment=A=1\n");
	_cleanup_(freep) char *printed = conf_as_text(conf);
	const struct conf_key *keys;
	size_t n;

	keys = conf_keys(&n);
	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *line = NULL;

		cr_assert(asprintf(&line, "\n%s=%s\n", keys[i].name,
				   keys[i].fallback ? keys[i].fallback : "") > 0);
		if (!strcmp(keys[i].name, "AddressLifetime"))
			cr_expect_not_null(strstr(printed, "\nAddressLifetime=1min\n"));
		else if (!strcmp(keys[i].name, "SubInterface"))
			cr_expect_null(strstr(printed, keys[i].name), "it is for another mode");
		else if (keys[i].fallback)
			cr_expect_not_null(strstr(printed, line), "%s", line);
		else
			cr_expect_not_null(strstr(printed, keys[i].name), "%s", keys[i].name);
	}
}

Test(conf, digest_is_the_same_whatever_the_order_of_the_file)
{
	_cleanup_(conf_freep) struct conf *a = conf_from_text(
		"[Agent]\nPort=8\nInterval=40ms\n" GOOD "VirtualAddress=10.0.0.9 eth0\n"
		"[Group web]\nVirtualAddress=10.0.0.8 eth0\n");
	_cleanup_(conf_freep) struct conf *b = conf_from_text(
		"# the same, the other way round\n"
		"[Group web]\nVirtualAddress=10.0.0.8/32 eth0\nPreempt=no\n"
		"[Group sip]\nVirtualAddress=10.0.0.9 eth0\nVirtualAddress=10.0.0.3/24 eth0\n"
		"[Node beta]\nAddress=10.0.0.2\n"
		"[Agent]\nInterval=40ms\nKeyFile=/elsewhere\nPort=8\n"
		"[Node alpha]\nAddress=10.0.0.1\n");

	cr_expect_eq(a->digest, b->digest);
	cr_expect_str_eq(a->nodes[0].name, b->nodes[0].name);
	cr_expect_str_eq(a->groups[0].name, "sip");
	cr_expect_str_eq(b->groups[0].name, "sip");
	cr_expect_eq(a->groups[1].id, b->groups[1].id);
	cr_expect_neq(a->groups[0].id, a->groups[1].id);
}

Test(conf, digest_differs_when_anything_differs)
{
	static const char *const others[] = {
		"[Agent]\nInterval=51ms\n" GOOD,
		"[Agent]\nAnnounce=10ms\n" GOOD,
		"[Agent]\nAnnounceRefresh=1s\n" GOOD,
		GOOD "Preempt=yes\n",
		GOOD "Unit=kamailio.service\n",
		GOOD "UnitGrace=1s\n",
		GOOD "Check=tcp:self:5060\n",
		GOOD "Fall=2\n",
		GOOD "BeforeRelease=stop takeover-a.service\n",
		GOOD "BeforeClaim=stop takeover-a.service\n",
		GOOD "VirtualAddress=10.0.0.4 eth0\n",
		NODES "Priority=101\n" GROUP,
		NODES "[Group sip]\nVirtualAddress=10.0.0.3/25 eth0\n",
		NODES "[Group sip]\nVirtualAddress=10.0.0.3/24 eth1\n",
		NODES "[Group sup]\nVirtualAddress=10.0.0.3/24 eth0\n",
	};
	_cleanup_(conf_freep) struct conf *conf = conf_from_text(GOOD);

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_(conf_freep) struct conf *other = conf_from_text(others[i]);

		cr_expect_neq(conf->digest, other->digest, "%s", others[i]);
	}
}

Test(conf, thousands_of_addresses_are_taken)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(conf_freep) struct conf *conf = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs(GOOD, f);
	for (unsigned i = 0; i < CONF_VIPS_MAX - 1; i++)
		fprintf(f, "VirtualAddress=10.1.%u.%u/12 eth0\n", i / 256, i % 256);
	fclose(f);
	conf = conf_from_text(text);
	cr_expect_eq(conf->groups[0].n_vips, CONF_VIPS_MAX);
}

Test(conf, core_gets_what_it_needs)
{
	_cleanup_(conf_freep) struct conf *conf =
		conf_from_text("[Agent]\nInterval=20ms\nProbe=30ms\nAnnounceRefresh=1h\n" NODES
			       "Priority=9\n" GROUP "Handover=strict\n");
	struct core_config config;

	conf_core(conf, 1, &config);
	cr_expect_eq(config.self, 1);
	cr_expect_eq(config.n_nodes, 2);
	cr_expect_eq(config.n_groups, 1);
	cr_expect_eq(config.interval_us, 20000);
	cr_expect_eq(config.digest, conf->digest);
	cr_expect_eq(config.n_announce, 4);
	cr_expect_eq(config.announce_us[3], 3000000);
	cr_expect_eq(config.refresh_us, 3600 * USEC_PER_SEC);
	cr_expect_eq(config.probe_us, 30000);
	cr_expect_eq(config.priority[0], 100);
	cr_expect_eq(config.priority[1], 9);
	cr_expect(config.groups[0].strict);
}

/* Lost otherwise: what clients send to the old primary before the new one has told them. */
Test(conf, the_old_primary_serves_until_the_last_address_can_have_been_announced)
{
	_cleanup_(conf_freep) struct conf *alias =
		conf_from_text(GOOD "VirtualAddress=10.0.0.4/24 eth0\nLinger=1ms\n");
	_cleanup_(conf_freep) struct conf *subs = conf_from_text(SUBS "SubInterface=vip0 eth1\n");
	struct core_config config;

	conf_core(alias, 0, &config);
	cr_expect_eq(config.groups[0].linger_us, 1000 + 2 * 40);
	cr_expect_eq(alias->groups[0].core.linger_us, 1000, "what was written is printed");

	conf_core(subs, 0, &config);
	cr_expect_eq(config.groups[0].linger_us, 20000 + 2 * 40, "two keep their MAC");
}
