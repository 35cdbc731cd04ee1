# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Who is told where the addresses are, and who believes it.

NO_HOST=02:74:6b:00:00:99 # a MAC that no host has

# believes CLIENT MAC: that both addresses are there, or does so in time
believes()
{
	local address

	for address in "$VIP4" "$VIP6"; do
		in_ns "$1" "$PROBE" wait-neighbour "$address" "$2" "$PATIENCE" ||
			fail "$1 does not believe $address at $2:" \
				"$(ip -n "$NET-$1" neighbour show "$address")"
	done
}

# misled CLIENT: it believes both addresses where nobody is
misled()
{
	local address

	for address in "$VIP4" "$VIP6"; do
		ip -n "$NET-$1" neighbour replace "$address" lladdr "$NO_HOST" dev eth0 nud reachable
	done
}

# patient CLIENT: it goes on believing what it believes for longer than a scenario takes
patient()
{
	in_ns "$1" sh -c 'echo 3600000 >/proc/sys/net/ipv4/neigh/eth0/base_reachable_time_ms &&
		echo 3600000 >/proc/sys/net/ipv6/neigh/eth0/base_reachable_time_ms'
}

# A client to which no ARP and no advertisement comes that is for everybody. It follows a
# switchover and a failover through what is sent to it alone, without a packet lost in the former:
# both nodes know it, as it has talked to their own addresses.
scenario_client_deaf_to_broadcasts()
{
	local address

	pair_up
	for address in 10.77.0.11 10.77.0.12 fd77::11 fd77::12; do
		send_some c "$address" 10
	done
	in_ns c nft "add table netdev deaf;
		add chain netdev deaf in { type filter hook ingress device eth0 priority 0; };
		add rule netdev deaf in ether daddr ff:ff:ff:ff:ff:ff ether type arp drop;
		add rule netdev deaf in ether daddr 33:33:00:00:00:01 icmpv6 type nd-neighbor-advert drop"
	patient c
	send_start load4 c "$VIP4" 500
	send_start load6 c "$VIP6" 500
	believes c "$(mac a 0)"
	call_ok a Switchover
	believes c "$(mac b 0)"
	assert_none_lost load4
	assert_none_lost load6
	settle
	[[ $PRIMARY == b ]] || fail "$PRIMARY is primary"
	assert_holder b

	node_kill b
	believes c "$(mac a 0)"
	for address in "$VIP4" "$VIP6"; do
		send_some c "$address" 50
		[[ ${R[alpha]:-0} == 50 ]] || fail "alpha answered ${R[alpha]:-0} of 50 to $address"
	done
}

# A gateway that takes nothing down which is not a question for itself. The new primary has never
# talked to it, and knows it from its routes only.
scenario_gateway_ignores_gratuitous_arp()
{
	pair_up
	ip -n "$NET-b" route add default via "10.77.0.${NUMBER[c]}"
	ip -n "$NET-b" -6 route add default via "fd77::${NUMBER[c]}" dev eth0
	in_ns c nft "add table arp proud;
		add chain arp proud in { type filter hook input priority 0; };
		add rule arp proud in arp daddr ip $VIP4 drop"
	in_ns c sh -c 'echo 1 >/proc/sys/net/ipv6/conf/eth0/drop_unsolicited_na'
	patient c
	send_some c "$VIP4" 10
	send_some c "$VIP6" 10
	believes c "$(mac a 0)"
	[[ -z $(ip -n "$NET-b" neighbour show "10.77.0.${NUMBER[c]}") &&
		-z $(ip -n "$NET-b" neighbour show "fd77::${NUMBER[c]}") ]] ||
		fail "the backup knows its gateway already"
	call_ok a Switchover
	believes c "$(mac b 0)"
}

# After a partition both have announced. Who keeps the group does so once more when the other one
# is heard to have given way: there are no later announcements that could stand in for that one.
scenario_winner_of_a_conflict_announces_again()
{
	net_up
	{
		config_agent Announce=
		config_nodes
		config_group sip "$VIP4" "$VIP6"
	} >"$DIR/takeover.conf"
	nodes_up a b
	pair_start
	drop a b
	drop b a
	wait_role b primary
	wait_role a primary
	patient c
	misled c
	heal
	settle
	believes c "$(mac "$PRIMARY" 0)"
	fact winner "${NODE_NAME[$PRIMARY]}"
}

# A client that has been misled is put right by the next refresh, time and again.
scenario_announcements_are_refreshed()
{
	local i

	net_up
	{
		config_agent Announce= AnnounceRefresh=1s
		config_nodes
		config_group sip "$VIP4" "$VIP6"
	} >"$DIR/takeover.conf"
	nodes_up a b
	pair_start
	patient c
	for ((i = 0; i < 2; i++)); do
		misled c
		believes c "$(mac a 0)"
	done
	agent_end a USR2 # the next life adopts, and claims nothing
	agent_start a
	wait_property a group/sip Reason adopted
	misled c
	believes c "$(mac a 0)"
}
