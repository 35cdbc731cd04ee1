# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # the words in R, a map of lib.sh

# How addresses are held: not at all, with a label, on several interfaces at once.

# held_by NODE GROUP: both nodes say so, and with which term; sets HELD_TERM
held_by()
{
	settle "$2"
	[[ $PRIMARY == "$1" ]] || fail "$2 is with $PRIMARY, not with $1"
	HELD_TERM=$(get "$1" "group/$2" Term)
}

# A role without addresses beside a group with some: each moves by itself, nothing is lost of the
# other, and the role goes through whatever a group goes through.
scenario_role_without_addresses()
{
	local term node

	net_up
	{
		LEASE=800ms DEAD_TIME=1s config_agent
		config_nodes
		config_group sip "$VIP4" "$VIP6"
		config_group vote -- Mode=none
	} >"$DIR/takeover.conf"
	nodes_up a b
	pair_start
	held_by a vote
	[[ $(get a group/vote Mode) == none ]] || fail "its mode is $(get a group/vote Mode)"
	[[ -z $(get a group/vote VirtualAddresses) ]] || fail "a role with addresses"
	ctl_says 0 'none, warm, seamless; term' a status

	send_start load c "$VIP4" 500
	call_ok a Switchover "" vote
	held_by b vote
	call_ok b Announce "" vote
	agent_end b USR2 # a planned restart: kept
	agent_start b
	wait_property b group/vote Reason adopted
	term=$HELD_TERM
	held_by b vote
	[[ $HELD_TERM == "$term" ]] || fail "the term went from $term to $HELD_TERM in a restart"
	agent_end b KILL # a crash: kept as well
	agent_start b
	wait_property b group/vote Reason adopted
	held_by b vote
	[[ $HELD_TERM == "$term" ]] || fail "the term went from $term to $HELD_TERM in a crash"
	for node in a b; do
		verify_is_clean "$node"
	done
	agent_signal b STOP
	wait_role a primary vote
	[[ $(get a group/vote Reason) == peer-dead ]] || fail "not a failover"
	spawn asked b "$DIR/asked.out" "$PROBE" get "$(bus_of b)" group/vote Role
	agent_signal b CONT
	reap asked || fail "asked while frozen: $(<"$DIR/asked.err")"
	[[ $(<"$DIR/asked.out") == backup ]] || fail "after the freeze it is still $(<"$DIR/asked.out")"
	held_by a vote
	call_ok b SetMaintenance true vote
	held_by a sip
	send_stop load
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} of ${R[sent]} packets to the other group lost"
	assert_holder a
}

labelled() # NODE LABEL
{
	ip -n "$NET-$1" -4 -oneline address show label "$2" | awk '{ print $2, $4 }'
}

# With a label, ifconfig shows the address as an interface, and takes it away as one.
scenario_label_goes_with_its_address()
{
	net_up
	{
		LEASE=1500ms DEAD_TIME=2s config_agent
		config_nodes
		config_group sip "$VIP6" -- "VirtualAddress=$VIP4/16 eth0:1"
	} >"$DIR/takeover.conf"
	nodes_up a b
	pair_start
	[[ $(labelled a eth0:1) == "eth0 $VIP4/16" ]] || fail "a has $(labelled a eth0:1) as eth0:1"
	[[ $(get a group/sip VirtualAddresses) == *"$VIP4/16 eth0:1"* ]] ||
		fail "on the bus: $(get a group/sip VirtualAddresses)"
	call_ok a Switchover
	settle
	[[ $(labelled b eth0:1) == "eth0 $VIP4/16" ]] || fail "b has $(labelled b eth0:1) as eth0:1"
	[[ -z $(labelled a eth0:1) ]] || fail "a kept $(labelled a eth0:1)"
	verify_is_clean a b
	agent_end b KILL
	agent_start b
	wait_property b group/sip Reason adopted
	said_anew b
	in_ns b "$PROBE" alias-down eth0:1
	wait_said b "$VIP4/16 on eth0 had been removed \(the kernel does not tell by whom\): it is back"
	[[ $(labelled b eth0:1) == "eth0 $VIP4/16" ]] || fail "b got $(labelled b eth0:1) back"
	verify_is_clean b
	assert_holder b
}

LAN4=10.78.0.100
LAN6=fd78::100

# A client that is in both networks; the nodes have addresses of both families on both.
second_network()
{
	local ns

	printf '%s\n' "link add c1 type veth peer name eth1 netns $NET-c" "link set c1 master br1 up" |
		ip -n "$NET-br" -batch -
	printf '%s\n' "link set eth1 up" "address add 10.78.0.50/24 dev eth1" \
		"address add fd78::50/64 dev eth1 nodad" | ip -n "$NET-c" -batch -
	for ns in a b; do
		ip -n "$NET-$ns" address add "fd78::${NUMBER[$ns]}/64" dev eth1 nodad
	done
}

# all_start / all_stop: a client for each address; all_stop sets LOST, of all
all_start()
{
	send_start lan4 c "$LAN4" 500
	send_start lan6 c "$LAN6" 500
	send_start vip4 c "$VIP4" 500
	send_start vip6 c "$VIP6" 500
}

all_stop()
{
	local key

	LOST=0
	for key in lan4 lan6 vip4 vip6; do
		send_stop "$key"
		LOST=$((LOST + R[lost]))
	done
}

# answers_all NAME: the node of this name, and nobody else, for all four
answers_all()
{
	local address

	for address in "$VIP4" "$VIP6" "$LAN4" "$LAN6"; do
		send_some c "$address" 50
		[[ ${R[$1]:-0} == 50 ]] || fail "$1 answered ${R[$1]:-0} of 50 packets to $address"
	done
}

assert_all_four_on() # NODE
{
	assert_tagged "$1" "$(printf '%s\n' "$VIP4/16 eth0" "$LAN4/24 eth1" "$VIP6/64 eth0" \
		"$LAN6/64 eth1" | sort)"
	assert_tagged "$(other "$1")" ""
	assert_verified a
	assert_verified b
}

# Both families on two interfaces are one group: they move together, by a switchover without loss,
# when one of the two interfaces loses its carrier, and when the node is gone.
scenario_interfaces_and_families_move_together()
{
	net_up
	second_network
	{
		config_agent
		config_nodes
		config_group sip "$VIP4" "$VIP6" -- "VirtualAddress=$LAN4/24 eth1" \
			"VirtualAddress=$LAN6/64 eth1"
	} >"$DIR/takeover.conf"
	nodes_up a b
	pair_start
	assert_all_four_on a
	all_start
	call_ok a Switchover
	settle
	all_stop
	[[ $PRIMARY == b && $LOST == 0 ]] || fail "$PRIMARY is primary, $LOST packets lost"
	assert_all_four_on b
	answers_all beta

	all_start
	unplug b 1
	wait_role a primary
	settle
	wait_said b 'interface eth1 has no carrier: waiting for it  01-00510'
	all_stop
	fact lost_with_the_carrier "$LOST"
	assert_all_four_on a
	answers_all alpha
	plug b 1
	wait_property b group/sip Fit true
	settle
	node_kill a
	wait_role b primary
	answers_all beta
}
