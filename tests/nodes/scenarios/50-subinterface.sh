# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # the words in R, a map of lib.sh
#
# Interfaces of a group's own, made by the service with what its unit leaves it.

# sub_link NODE: "UP MAC" of vip0, "DOWN MAC", or nothing
sub_link()
{
	in_node "$1" ip -brief link show dev vip0 2>/dev/null | awk '{ print $2, $3 }'
}

# assert_served_by NODE MAC: a client that knows nobody's MAC is served, by it and over that MAC
assert_served_by()
{
	local address

	for address in "$VIP4" "$VIP6"; do
		ip -n "$NET-c" neighbour flush to "$address" dev eth0
		send_some c "$address" 20
		[[ ${R[${NODE_NAME[$1]}]:-0} == 20 ]] || fail "node $1 serves no $address: ${R[*]}"
		[[ $(ip -n "$NET-c" neighbour show to "$address") == *" lladdr $2 "* ]] ||
			fail "$address is not at $2: $(ip -n "$NET-c" neighbour show)"
	done
}

# verified NODE: takeoverctl verify, as root there, finds nothing
verified()
{
	in_node "$1" takeoverctl verify >"$DIR/verify" || fail "node $1: $(<"$DIR/verify")"
}

# The unit leaves CAP_NET_ADMIN and a sandbox. With that a macvlan is made, comes up with the
# addresses on the primary, is put back when somebody deletes it, moves its MAC without a loss,
# outlives a crash, comes back with a boot, and goes with the service. A configuration that
# would take the host's own interface down does not, and verify does not tell anybody to.
scenario_subinterface_of_the_service()
{
	local mac address

	LEASE=${LEASE:-1s} DEAD_TIME=${DEAD_TIME:-1200ms} # a busy machine is another story
	net_up
	{
		config_agent
		config_nodes
		printf '%s\n' '[Group sip]' LastResort=500ms Mode=subinterface \
			'SubInterface=vip0 eth0 shared' "VirtualAddress=$VIP4 vip0" \
			"VirtualAddress=$VIP6 vip0"
	} >"$DIR/takeover.conf"
	nodes_up a b
	in_node a systemctl --quiet enable takeoverd
	pair_start
	read -r _ mac <<<"$(sub_link a)"
	[[ "$(sub_link a), $(sub_link b)" == "UP $mac, DOWN $mac" ]] ||
		fail "vip0: $(sub_link a), $(sub_link b)"
	assert_served_by a "$mac"
	verified a
	verified b

	in_node a ip link delete vip0
	for address in "$VIP4" "$VIP6"; do
		in_ns a "$PROBE" wait-address "$address" present "$PATIENCE" ||
			fail "$address is not back: $(journal a)"
	done
	send_start load c "$VIP4" 500
	call_ok a Switchover
	assert_none_lost load
	settle
	[[ $PRIMARY == b ]] || fail "node $PRIMARY is primary"
	kill -KILL "${AGENT[b]}" # systemd starts it again
	"$PROBE" wait-exit "${AGENT[b]}" "$PATIENCE"
	wait_role b primary
	find_agent b
	assert_served_by b "$mac"

	node_reboot a
	wait_role a backup
	[[ $(sub_link a) == "DOWN $mac" ]] || fail "after a boot: $(sub_link a)"
	verified a
	verified b
	find_agent a
	agent_end a TERM
	[[ -z $(sub_link a) ]] || fail "vip0 is left behind"

	# Mistaken: the host's own interface
	sed -i '/^SubInterface/d; s/ vip0$/ eth0/' "$DIR/takeover.conf"
	node_configure a
	agent_start a
	wait_role a backup
	! in_node a takeoverctl verify >"$DIR/verify" || fail "nothing found: $(<"$DIR/verify")"
	grep -q "10.77.0.11 of this node is on it" "$DIR/verify" || fail "verify: $(<"$DIR/verify")"
	! grep -q "ip link set" "$DIR/verify" || fail "bad advice: $(<"$DIR/verify")"
	in_node a ip -brief link show dev eth0 up | grep -q eth0 || fail "eth0 is down"
}
