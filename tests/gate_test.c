/* SPDX-License-Identifier: MIT */
#include "netlink/gate_batch.h"
#include "tests/gate_fixture.h"
#include "tests/temp.h"

/* The lease is left alone too: it would be LEASE_MS. */
static void check_refused(struct nl *nf)
{
	struct gate_state before = read_gate(nf), after;

	cr_assert_eq(gate_create(nf, &config, 2, GATE_ANSWER), -ENOENT);
	after = read_gate(nf);
	cr_assert_arr_eq(after.levels, before.levels, sizeof(after.levels));
	cr_assert(after.lease_alive);
	cr_assert_gt(lease_left_ms(nf, NFPROTO_INET), LEASE_MS);
	cr_assert_gt(lease_left_ms(nf, NFPROTO_ARP), LEASE_MS);
}

Test(gate, create_without_a_ticket_changes_nothing)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased(); /* which has used its ticket up */

	check_refused(nf);
}

Test(gate, create_with_a_ticket_that_ran_out_changes_nothing)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();

	cr_assert_eq(gate_ticket(nf, 2, SHORT_MS), 0);
	wait_run_out(nf, NFPROTO_INET, "ticket");
	check_refused(nf);
}

Test(gate, ticket_of_another_group_opens_nothing)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();

	cr_assert_eq(gate_ticket(nf, 3, LONG_MS), 0);
	check_refused(nf);
}

Test(gate, new_ticket_replaces_the_old_one)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();

	cr_assert_eq(gate_ticket(nf, 2, LONG_MS), 0);
	cr_assert_eq(gate_ticket(nf, 2, SHORT_MS), 0);
	wait_run_out(nf, NFPROTO_INET, "ticket");
	check_refused(nf);
}

Test(gate, create_replaces_the_lease_and_empties_other_groups)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();
	struct gate_state state;

	cr_assert_eq(gate_set(nf, &config, 3, GATE_SERVE), 0);
	create(nf, LEASE_MS, 2, GATE_SERVE);
	state = read_gate(nf);
	cr_assert(state.lease_alive);
	cr_assert_eq(state.levels[1], GATE_CLOSED);
	cr_assert_eq(state.levels[2], GATE_SERVE);
	cr_assert_eq(state.levels[3], GATE_CLOSED);
	cr_assert_leq(lease_left_ms(nf, NFPROTO_INET), LEASE_MS);
	cr_assert_leq(lease_left_ms(nf, NFPROTO_ARP), LEASE_MS);
}

/* Waits until some time of an element is used up. */
static uint64_t age(struct nl *nf, uint16_t family, const char *set)
{
	uint64_t left;

	do {
		(void)poll(NULL, 0, 1);
		left = left_ms(nf, family, set);
	} while (left > LEASE_MS - 300);
	return left;
}

/* The kernel takes an element that is there already, with the same time-out, for a no-op. */
Test(gate, same_time_again_starts_anew)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();
	uint64_t left, left_arp, left_ticket;

	create(nf, LEASE_MS, 1, GATE_ANSWER);
	cr_assert_eq(gate_ticket(nf, 1, LEASE_MS), 0);
	left = age(nf, NFPROTO_INET, "lease");
	left_arp = age(nf, NFPROTO_ARP, "lease");
	left_ticket = age(nf, NFPROTO_INET, "ticket");
	cr_assert_eq(gate_ticket(nf, 1, LEASE_MS), 0);
	cr_assert_gt(left_ms(nf, NFPROTO_INET, "ticket"), left_ticket);
	cr_assert_eq(gate_create(nf, &config, 1, GATE_ANSWER), 0);
	cr_assert_gt(lease_left_ms(nf, NFPROTO_INET), left);
	cr_assert_gt(lease_left_ms(nf, NFPROTO_ARP), left_arp);

	left_arp = age(nf, NFPROTO_ARP, "lease");
	cr_assert_eq(gate_refresh_arp(nf, LEASE_MS), 0);
	cr_assert_gt(lease_left_ms(nf, NFPROTO_ARP), left_arp);
}

Test(gate, time_below_a_tick_is_refused)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();
	struct gate_config c = config;

	cr_assert_eq(gate_ticket(nf, 1, 0), -ERANGE);
	cr_assert_eq(gate_refresh_arp(nf, 0), -ERANGE);
	cr_assert_eq(gate_extend(nf, 9), -ERANGE);
	c.echo_ms = 0;
	cr_assert_eq(gate_install(nf, &c, NULL), -ERANGE);
	c = config;
	c.lease_ms = 9;
	cr_assert_eq(gate_install(nf, &c, NULL), -ERANGE);
	cr_assert(read_gate(nf).lease_alive);
}

Test(gate, set_reaches_every_level_from_every_level)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();

	cr_assert_eq(gate_set(nf, &config, 2, GATE_READY), 0);
	cr_assert_eq(read_gate(nf).levels[2], GATE_READY);
	cr_assert_eq(gate_set(nf, &config, 2, GATE_SERVE), 0);
	for (enum gate_level from = GATE_CLOSED; from <= GATE_ANSWER; from++) {
		for (enum gate_level to = GATE_CLOSED; to <= GATE_ANSWER; to++) {
			cr_assert_eq(gate_set(nf, &config, 1, from), 0);
			cr_assert_eq(read_gate(nf).levels[1], from);
			cr_assert_eq(gate_set(nf, &config, 1, to), 0);
			cr_assert_eq(read_gate(nf).levels[1], to);
		}
	}
	cr_assert_eq(read_gate(nf).levels[2], GATE_SERVE);
}

Test(gate, set_leaves_the_lease_alone)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();

	cr_assert_eq(gate_set(nf, &config, 1, GATE_SERVE), 0);
	cr_assert_not(renewed(nf));
	cr_assert_eq(gate_shut(nf, &config), 0);
	cr_assert_eq(gate_set(nf, &config, 1, GATE_ANSWER), 0);
	cr_assert_not(read_gate(nf).lease_alive);
}

Test(gate, shut_twice_is_fine)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();

	for (int i = 0; i < 2; i++) {
		struct gate_state state;

		cr_assert_eq(gate_shut(nf, &config), 0);
		state = read_gate(nf);
		cr_assert(state.installed);
		cr_assert_not(state.lease_alive);
		cr_assert_eq(state.levels[1], GATE_CLOSED);
		cr_assert_eq(dump_set(nf, NFPROTO_ARP, "lease").n, 0);
		cr_assert_eq(dump_set(nf, NFPROTO_ARP, "announce").n, 0);
		cr_assert_eq(dump_set(nf, NFPROTO_INET, "announce").n, 0);
	}
}

Test(gate, refresh_renews_the_arp_lease_only)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();

	cr_assert_eq(gate_refresh_arp(nf, LEASE_MS), 0);
	cr_assert_leq(lease_left_ms(nf, NFPROTO_ARP), LEASE_MS);
	cr_assert_gt(lease_left_ms(nf, NFPROTO_INET), LEASE_MS);
}

Test(gate, refresh_revives_no_lease_that_ran_out)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();

	install(nf);
	create(nf, SHORT_MS, 1, GATE_ANSWER);
	wait_run_out(nf, NFPROTO_ARP, "lease");
	cr_assert_eq(gate_refresh_arp(nf, LEASE_MS), -ENOENT);
	cr_assert_eq(dump_set(nf, NFPROTO_ARP, "lease").n, 0);
}

Test(gate, reviving_begins_a_copy_that_ran_out_again)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();

	install(nf);
	create(nf, SHORT_MS, 1, GATE_ANSWER);
	wait_run_out(nf, NFPROTO_ARP, "lease");
	cr_assert_eq(gate_revive_arp(nf, LEASE_MS), 0);
	cr_assert_gt(lease_left_ms(nf, NFPROTO_ARP), 0);
	cr_assert_eq(dump_set(nf, NFPROTO_INET, "lease").n, 0);
}

Test(gate, extend_lengthens_both_leases)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();

	install(nf);
	create(nf, LEASE_MS, 1, GATE_ANSWER);
	cr_assert_eq(gate_extend(nf, LONG_MS), 0);
	cr_assert_gt(lease_left_ms(nf, NFPROTO_INET), LEASE_MS);
	cr_assert_gt(lease_left_ms(nf, NFPROTO_ARP), LEASE_MS);
	cr_assert_eq(read_gate(nf).levels[1], GATE_ANSWER);
}

Test(gate, extend_revives_no_lease_that_ran_out)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();

	install(nf);
	create(nf, SHORT_MS, 1, GATE_ANSWER);
	cr_assert_eq(gate_refresh_arp(nf, LONG_MS), 0);
	wait_run_out(nf, NFPROTO_INET, "lease");
	cr_assert_eq(gate_extend(nf, LONG_MS), -ENOENT);
	cr_assert_not(read_gate(nf).lease_alive);
}

Test(gate, nothing_works_without_the_tables)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();
	struct gate_state state = read_gate(nf);

	cr_assert_not(state.installed);
	cr_assert_not(state.lease_alive);
	cr_assert_eq(gate_ticket(nf, 1, LONG_MS), -ENOENT);
	cr_assert_eq(gate_create(nf, &config, 1, GATE_ANSWER), -ENOENT);
	cr_assert_eq(gate_set(nf, &config, 1, GATE_ANSWER), -ENOENT);
	cr_assert_eq(gate_shut(nf, &config), -ENOENT);
	cr_assert_eq(gate_refresh_arp(nf, LEASE_MS), -ENOENT);
	cr_assert_eq(gate_extend(nf, LEASE_MS), -ENOENT);
}

Test(gate, install_again_keeps_nothing)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();
	struct gate_state state;

	install(nf);
	state = read_gate(nf);
	cr_assert(state.installed);
	cr_assert_not(state.lease_alive);
	cr_assert_eq(state.levels[1], GATE_CLOSED);
	cr_assert_eq(gate_create(nf, &config, 1, GATE_ANSWER), -ENOENT);
}

Test(gate, install_restores_what_it_is_to_keep)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();
	struct gate_state keep, state;

	cr_assert_eq(gate_set(nf, &config, 3, GATE_SERVE), 0);
	keep = read_gate(nf);
	cr_assert_eq(run("nft flush ruleset"), 0);
	cr_assert_not(read_gate(nf).installed);
	cr_assert_eq(gate_install(nf, &config, &keep), 0);
	state = read_gate(nf);
	cr_assert(state.installed);
	cr_assert(state.lease_alive);
	cr_assert_arr_eq(state.levels, keep.levels, sizeof(state.levels));
	cr_assert_eq(state.levels[1], GATE_ANSWER);
	cr_assert_eq(state.levels[3], GATE_SERVE);
	cr_assert_leq(lease_left_ms(nf, NFPROTO_INET), LEASE_MS);
	cr_assert_leq(lease_left_ms(nf, NFPROTO_ARP), LEASE_MS);
}

Test(gate, install_restores_nothing_without_a_living_lease)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();
	struct gate_state keep = { .installed = true, .levels = { [1] = GATE_ANSWER } }, state;

	cr_assert_eq(gate_install(nf, &config, &keep), 0);
	state = read_gate(nf);
	cr_assert_not(state.lease_alive);
	cr_assert_eq(state.levels[1], GATE_CLOSED);
}

Test(gate, remove_twice_is_fine)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();

	cr_assert_eq(gate_remove(nf), 0);
	cr_assert_neq(run("nft list tables | grep -q takeover"), 0);
	cr_assert_eq(gate_remove(nf), 0);
}

static bool stands_for(struct nl *nf, const struct gate_config *c)
{
	struct gate_state state;

	cr_assert_eq(gate_read(nf, c, &state), 0);
	return state.installed;
}

Test(gate, read_knows_a_gate_laid_for_another_configuration)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();
	struct gate_vip swapped[] = { vips[1], vips[0], vips[2] };
	struct gate_vip other_ip[] = { vips[0], vips[1], vips[2] };
	struct gate_vip other_group[] = { vips[0], vips[1], vips[2] };
	const char *const other_names[] = { "sip", "voip", "web" };
	struct gate_config c[] = { config, config, config, config, config,
				   config, config, config, config, config };

	other_ip[2].ip.bytes[3]++;
	other_group[2].group++;
	c[0].port++;
	c[1].mark++;
	c[2].lease_ms++;
	c[3].echo_ms++;
	c[4].n_groups++;
	c[5].n_vips--;
	c[6].vips = swapped;
	c[7].vips = other_ip;
	c[8].vips = other_group;
	c[9].names = other_names;
	cr_assert(stands_for(nf, &config));
	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		cr_assert_not(stands_for(nf, &c[i]), "configuration %zu", i);

	struct gate_state state;

	cr_assert_eq(gate_read(nf, &c[0], &state), 0);
	cr_assert(state.lease_alive);
	cr_assert_eq(state.levels[1], GATE_ANSWER);
}

/* An element of our set, with user data as somebody has made it up. */
static void add_forged(struct nl *nf, const char *name, uint32_t key, const char *data,
		       uint32_t len)
{
	_cleanup_(gate_batch_done) struct gate_batch b = { .table = GATE_TABLE };
	struct nftnl_set *set = nftnl_set_alloc();
	struct nftnl_set_elem *elem = nftnl_set_elem_alloc();

	nftnl_set_set_str(set, NFTNL_SET_TABLE, GATE_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_elem_set_u32(elem, NFTNL_SET_ELEM_KEY, key);
	cr_assert_eq(nftnl_set_elem_set(elem, NFTNL_SET_ELEM_USERDATA, data, len), 0);
	nftnl_set_elem_add(set, elem);
	gate_batch_elements(&b, NFT_MSG_NEWSETELEM, NFPROTO_INET, set);
	cr_assert_eq(gate_batch_send(&b, nf), 0);
	nftnl_set_free(set);
}

/* Some say that they are longer than they are, others do not end as text does. */
Test(gate, read_does_not_go_by_the_lengths_in_forged_comments)
{
	static const struct {
		const char *data;
		uint32_t len;
	} forged[] = {
		{ "", 1 },
		{ "\0\3", 2 },
		{ "\0\0", 2 },
		{ "\0\3db", 4 },
		{ "\0\377db", 5 },
		{ "\1\377db", 5 },
		{ "\1\1x\0\3db", 7 },
		{ "\0\2db", 4 },
		{ "\1\1x\0\377db", 8 },
		{ "\1\1x\0", 4 },
	};
	_cleanup_(nl_closep) struct nl *nf = enter_leased();
	struct gate_config other = config;
	struct gate_state state;

	other.port++;
	for (uint32_t i = 0; i < ARRAY_SIZE(forged); i++)
		add_forged(nf, "open", 100 + i, forged[i].data, forged[i].len);
	cr_assert_eq(gate_read(nf, &other, &state), 0);
	cr_assert(state.other);
	cr_assert_eq(state.levels[1], GATE_ANSWER);
	cr_assert_eq(state.levels[2], GATE_CLOSED);
	add_forged(nf, "open", 200, "\1\1x\0\3db", 8);
	cr_assert_eq(gate_read(nf, &other, &state), 0);
	cr_assert_eq(state.levels[2], GATE_SERVE, "behind something else");
}

Test(gate, lease_left_is_what_the_inet_lease_has)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();
	uint32_t left = 1;

	cr_assert_eq(gate_lease_left(nf, &left), -ENOENT);
	install(nf);
	cr_assert_eq(gate_lease_left(nf, &left), 0);
	cr_assert_eq(left, 0);
	create(nf, LONG_MS, 1, GATE_ANSWER);
	cr_assert_eq(gate_refresh_arp(nf, LEASE_MS), 0);
	cr_assert_eq(gate_lease_left(nf, &left), 0);
	cr_assert_gt(left, LEASE_MS);
	cr_assert_leq(left, LONG_MS);
	create(nf, SHORT_MS, 1, GATE_ANSWER);
	wait_run_out(nf, NFPROTO_INET, "lease");
	cr_assert_eq(gate_lease_left(nf, &left), 0);
	cr_assert_eq(left, 0);
}

Test(gate, read_misses_each_of_the_tables)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();

	install(nf);
	cr_assert_eq(run("nft delete table inet takeover"), 0);
	cr_assert_not(stands_for(nf, &config));
	install(nf);
	cr_assert_eq(run("nft delete table arp takeover"), 0);
	cr_assert_not(stands_for(nf, &config));
	cr_assert_eq(run("nft add table arp takeover"), 0);
	cr_assert_not(stands_for(nf, &config));
}

Test(gate, listing_can_be_loaded_again)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();
	char command[256], path[TEMP_MAX];
	_cleanup_(close_fdp) int fd = mkstemp(temp_template(path, "gate"));

	cr_assert_geq(fd, 0);
	(void)snprintf(command, sizeof(command),
		       "nft list ruleset >%s && nft flush ruleset && nft -f %s", path, path);
	int r = run(command);

	(void)unlink(path);
	cr_assert_eq(r, 0);
	cr_assert(stands_for(nf, &config));
	hear_echo();
	beat(MARK);
	cr_assert(renewed(nf));
}

static struct gate_vip *many_vips(size_t n, uint32_t n_groups)
{
	struct gate_vip *many = calloc(n, sizeof(*many));

	cr_assert(many);
	for (size_t i = 0; i < n; i++) {
		struct ip v4 = { .family = 4, .bytes = { 10, 78, i >> 8, i & 255 } };
		struct ip v6 = { .family = 6,
				 .bytes = { 0xfd, 0x78, [14] = i >> 8, [15] = i & 255 } };

		many[i].group = (uint32_t)i % n_groups + 1;
		many[i].ip = i % 2 ? v6 : v4;
	}
	return many;
}

static void check_many(size_t n, uint32_t n_groups)
{
	_cleanup_(nl_closep) struct nl *nf = enter_node();
	_cleanup_(freep) struct gate_vip *many = many_vips(n, n_groups);
	struct gate_config c = config;
	struct gate_state keep = { .lease_alive = true }, state;

	c.vips = many;
	c.n_vips = n;
	c.n_groups = n_groups;
	for (uint32_t i = 1; i <= n_groups; i++)
		keep.levels[i] = GATE_ANSWER;
	cr_assert_eq(gate_install(nf, &c, &keep), 0);
	cr_assert_eq(gate_read(nf, &c, &state), 0);
	cr_assert(state.installed);
	cr_assert_arr_eq(state.levels, keep.levels, sizeof(state.levels));
	cr_assert_eq(dump_set(nf, NFPROTO_INET, "vip4").n, n / 2);
	cr_assert_eq(dump_set(nf, NFPROTO_INET, "vip6").n, n / 2);
	cr_assert_eq(dump_set(nf, NFPROTO_INET, "nd6").n, n / 2);
	cr_assert_eq(dump_set(nf, NFPROTO_ARP, "vip4").n, n / 2);
	cr_assert_eq(run("nft list ruleset >/dev/null"), 0);
}

Test(gate, five_thousand_addresses_fit)
{
	check_many(5000, 1);
}

Test(gate, as_many_groups_and_addresses_as_there_may_be_fit)
{
	check_many(8192, 128);
}

Test(gate, same_address_in_two_groups_is_refused)
{
	_cleanup_(nl_closep) struct nl *nf = enter_leased();
	struct gate_vip twice[] = { vips[0], vips[0] };
	struct gate_config c = config;

	twice[1].group = 2;
	c.vips = twice;
	c.n_vips = ARRAY_SIZE(twice);
	cr_assert_lt(gate_install(nf, &c, NULL), 0);
	cr_assert(read_gate(nf).lease_alive);
}
