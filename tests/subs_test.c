/* SPDX-License-Identifier: MIT */

#include "agent/kernel/subs.h"

#include <errno.h>

#include "tests/held.h"
#include "tests/link_look.h"

#define SUBS                                                                                       \
	"[Group sip]\nMode=subinterface\nSubInterface=vip0 va\nSubInterface=vip1 va shared\n"      \
	"VirtualAddress=10.9.0.3 vip0\nVirtualAddress=10.9.0.4 vip1\n"
#define THERE "[Group sip]\nMode=subinterface\nVirtualAddress=10.9.0.3 vb\n"

static struct conf *conf;
static struct nl *nl;
static struct subs subs;
static const struct conf_vip *refused;

static void start(const char *text)
{
	netns_enter();
	conf = conf_from_text(text);
	subs = (struct subs){ .group = &conf->groups[0], .node = &conf->nodes[0] };
	cr_assert_eq(nl_open(NETLINK_ROUTE, &nl), 0);
}

static void enter(void)
{
	start(HELD_NODES SUBS);
}

static void leave(void)
{
	nl_close(nl);
	conf_free(conf);
}

TestSuite(subs, .init = enter, .fini = leave);
TestSuite(subs_there, .fini = leave);

static struct link look(const char *name)
{
	return link_look(nl, name);
}

static bool stand(void)
{
	_cleanup_(freep) struct link *links = NULL;
	size_t n;

	cr_assert_eq(link_list(nl, &links, &n), 0);
	return subs_stand(&subs, links, n);
}

static bool sunk(void)
{
	_cleanup_(freep) struct link *links = NULL;
	size_t n;

	cr_assert_eq(link_list(nl, &links, &n), 0);
	return subs_sunk(&conf->groups[0], links, n);
}

static enum subs_flaw flaw(size_t vip, bool held)
{
	_cleanup_(freep) struct link *links = NULL;
	size_t n;

	cr_assert_eq(link_list(nl, &links, &n), 0);
	return subs_flaw(&conf->groups[0], &conf->groups[0].vips[vip], links, n, held);
}

Test(subs, are_made_down_then_raised_and_sunk)
{
	uint8_t mac[6];
	int index;

	cr_assert_eq(subs_make(nl, &subs, &refused), 0);
	conf_sub_mac(&conf->nodes[0], &conf->groups[0], &conf->groups[0].subs[1], mac);
	cr_assert_arr_eq(look("vip1").mac, mac, sizeof(mac));
	index = look("vip0").index;
	cr_assert(index && !look("vip0").up && !look("vip1").up);
	cr_assert_not(stand());
	cr_assert_eq(subs_raise(nl, &subs, &refused), 0);
	cr_assert(look("vip0").up && look("vip1").up);
	cr_assert(stand());
	cr_assert_not(sunk());
	cr_assert_eq(subs_make(nl, &subs, &refused), 0);
	cr_assert_eq(look("vip0").index, index, "what is right stays");
	cr_assert(look("vip0").up);
	cr_assert_eq(subs_sink(nl, &subs, &refused), 0);
	cr_assert_not(look("vip0").up || look("vip1").up);
	cr_assert(sunk());
	cr_assert(look("va").up, "the parent is the host's");
	cr_assert_eq(subs_delete(nl, &subs), 0);
	cr_assert_not(look("vip0").index || look("vip1").index);
	cr_assert_eq(subs_delete(nl, &subs), 0);
}

Test(subs, of_another_configuration_are_made_anew)
{
	int index;

	cr_assert_eq(subs_make(nl, &subs, &refused), 0);
	index = look("vip0").index;
	sh("ip link set vip0 address 02:00:00:00:00:99");
	cr_assert_eq(subs_raise(nl, &subs, &refused), 0);
	cr_assert_not(stand(), "not its MAC");
	cr_assert_eq(subs_make(nl, &subs, &refused), 0);
	cr_assert_neq(look("vip0").index, index);
	index = look("vip1").index;
	sh("ip link set va name old && ip link set vb name va");
	cr_assert_eq(subs_make(nl, &subs, &refused), 0);
	cr_assert_neq(look("vip1").index, index);
	cr_assert_eq(look("vip1").parent, look("va").index);
}

Test(subs, that_somebody_has_renamed_make_room)
{
	cr_assert_eq(subs_make(nl, &subs, &refused), 0);
	cr_assert_eq(subs_raise(nl, &subs, &refused), 0);
	sh("ip link set vip0 name renamed0");
	cr_assert(sunk());
	cr_assert_eq(subs_make(nl, &subs, &refused), 0);
	cr_assert_eq(subs_raise(nl, &subs, &refused), 0);
	cr_assert(stand());
	cr_assert_not(look("renamed0").index);
}

Test(subs, of_a_stranger_are_left_alone)
{
	static const char *const strangers[] = {
		"ip link add vip0 link va type macvlan mode private",
		"ip link add vip0 type bridge && ip link set vip0 alias takeoverd",
	};

	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		int index;

		sh(strangers[i]);
		sh("ip link set vip0 up");
		index = look("vip0").index;
		refused = NULL;
		cr_assert_eq(subs_make(nl, &subs, &refused), -EEXIST);
		cr_assert_str_eq(refused->ifname, "vip0");
		cr_assert_eq(subs_sink(nl, &subs, &refused), 0);
		cr_assert(look("vip0").up);
		sh("ip link set vip0 down");
		cr_assert_eq(subs_raise(nl, &subs, &refused), 0);
		cr_assert_not(look("vip0").up);
		cr_assert_eq(subs_delete(nl, &subs), 0);
		cr_assert_eq(subs_tidy(nl, conf), 0);
		cr_assert_eq(look("vip0").index, index);
		sh("ip link delete vip0");
	}
}

Test(subs, flaws_are_those_of_the_parent)
{
	cr_assert_eq(flaw(0, false), SUBS_FINE, "it will be made");
	cr_assert_eq(subs_make(nl, &subs, &refused), 0);
	cr_assert_eq(flaw(0, false), SUBS_FINE, "it will be set up");
	sh("ip link set va down");
	cr_assert_eq(flaw(0, false), SUBS_SILENT);
	sh("ip link delete vip0 && ip link add vip0 type bridge");
	cr_assert_eq(flaw(0, false), SUBS_FOREIGN);
	sh("ip link delete va");
	cr_assert_eq(flaw(1, true), SUBS_MISSING);
	cr_assert_not(sunk(), "there is nothing to put it on");
	cr_assert_eq(subs_make(nl, &subs, &refused), -EEXIST);
	sh("ip link delete vip0");
	cr_assert_eq(subs_make(nl, &subs, &refused), 0, "left out");
	cr_assert_not(look("vip0").index);
}

Test(subs, deleted_by_somebody_are_sunk)
{
	cr_assert_eq(subs_make(nl, &subs, &refused), 0);
	cr_assert_eq(subs_raise(nl, &subs, &refused), 0);
	sh("ip link delete vip1");
	cr_assert(sunk());
	cr_assert_eq(subs_make(nl, &subs, &refused), 0);
	cr_assert_eq(subs_raise(nl, &subs, &refused), 0);
	cr_assert_not(sunk());
}

Test(subs, that_nobody_configures_any_more_are_deleted)
{
	cr_assert_eq(subs_make(nl, &subs, &refused), 0);
	sh("ip link set vip0 name vip9");
	cr_assert_eq(subs_tidy(nl, conf), 0);
	cr_assert_not(look("vip9").index);
	cr_assert(look("vip1").index);
}

Test(subs_there, are_raised_and_have_carrier_before_a_claim_goes_on)
{
	start(HELD_NODES THERE);
	cr_assert_eq(subs_sink(nl, &subs, &refused), 0);
	cr_assert_not(look("vb").up);
	cr_assert_eq(flaw(0, true), SUBS_FINE, "nothing tells what will be");
	sh("ip link set va down");
	cr_assert_eq(subs_raise(nl, &subs, &refused), 1);
	cr_assert_str_eq(refused->ifname, "vb");
	cr_assert(look("vb").up);
	cr_assert_eq(flaw(0, true), SUBS_SILENT);
	cr_assert_eq(flaw(0, false), SUBS_FINE, "it is not to be up yet");
	sh("ip link set va up");
	cr_assert_eq(subs_raise(nl, &subs, &refused), 0);
	cr_assert(stand());
	cr_assert_eq(subs_make(nl, &subs, &refused), 0);
	cr_assert_eq(subs_delete(nl, &subs), 0);
	cr_assert(look("vb").index, "it was not ours to make");
	sh("ip link delete vb");
	cr_assert_eq(flaw(0, false), SUBS_MISSING);
	cr_assert_eq(subs_raise(nl, &subs, &refused), 0, "left out");
}

Test(subs_there, with_a_unique_address_of_the_node_stay_up)
{
	start(HELD_NODES THERE);
	sh("ip address add 10.0.0.2/24 dev vb");
	cr_assert_eq(subs_sink(nl, &subs, &refused), 0, "the other node's");
	sh("ip link set vb up && ip address add 10.0.0.1/24 dev vb");
	refused = NULL;
	cr_assert_eq(subs_sink(nl, &subs, &refused), -EBUSY);
	cr_assert_str_eq(refused->ifname, "vb");
	cr_assert(look("vb").up);
}

Test(subs_there, groups_of_another_mode_move_nothing)
{
	start(HELD_NODES "[Group sip]\nVirtualAddress=10.9.0.3 vb\n");
	cr_assert_eq(subs_make(nl, &subs, &refused), 0);
	cr_assert_eq(subs_sink(nl, &subs, &refused), 0);
	cr_assert(look("vb").up);
	sh("ip link set vb down");
	cr_assert_eq(subs_raise(nl, &subs, &refused), 0);
	cr_assert_not(look("vb").up);
	cr_assert(stand());
	cr_assert_not(sunk());
}
