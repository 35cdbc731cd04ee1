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
	agent_signal b CONT
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
	wait_said b 'addresses of ours had been removed: they are back'
	[[ $(labelled b eth0:1) == "eth0 $VIP4/16" ]] || fail "b got $(labelled b eth0:1) back"
	verify_is_clean b
	assert_holder b
}
