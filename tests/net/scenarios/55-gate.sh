# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # the words in R, a map of lib.sh

# What others do to the gate. The lease is longer than a busy machine takes to do it.

# gate_text NODE: the gate's tables without what changes by itself; nothing if there is none
gate_text()
{
	{
		in_ns "$1" nft -s list table inet takeover
		in_ns "$1" nft -s list table arp takeover
	} 2>/dev/null | sed -E 's/ (timeout|expires) [0-9a-z]+//g; /set (echo|ticket) \{/,/\}/ { /elements/d }'
}

# gate_is NODE TEXT: the gate is as it was
gate_is()
{
	local now tries

	for ((tries = 0; tries < 200; tries++)); do # nft has no "wait until"
		now=$(gate_text "$1")
		[[ $now != "$2" ]] || return 0
	done
	fail "the gate of node $1 is not as it was: $(diff <(printf '%s' "$2") <(printf '%s' "$now"))"
}

# tampered NODE TEXT COMMANDS...: it is noticed, and undone
tampered()
{
	local node=$1 text=$2 command

	shift 2
	for command; do
		in_ns "$node" nft "$command" || fail "cannot: $command"
		gate_is "$node" "$text"
	done
}

# Whatever a stranger deletes, changes or adds in the gate of a primary or a backup is undone, and
# clients notice nothing.
# Busy: clients all the time.
scenario_gate_changed_by_a_stranger_is_repaired()
{
	local a b

	LEASE=1s DEAD_TIME=1300ms pair_up
	settle
	a=$(gate_text a)
	b=$(gate_text b)
	[[ $a == *'elements = { 0x7fffffff'* && $b != *'elements = { 0x7fffffff'* ]] ||
		fail "not as expected: $a; $b"
	send_start load c "$VIP4"
	both_start
	tampered a "$a" \
		'delete table arp takeover' \
		'delete table inet takeover' \
		'flush chain inet takeover serve_1' \
		'insert rule inet takeover in accept' \
		'add rule inet takeover serve_1 drop' \
		'add chain inet takeover mine { type filter hook input priority 0; }' \
		"delete element inet takeover vip4 { $VIP4 }" \
		'delete element inet takeover lease { 0x7fffffff }' \
		'delete element inet takeover open { 1 }' \
		'flush set arp takeover announce' \
		'add element inet takeover open { 7 }'
	tampered b "$b" \
		'flush ruleset' \
		'insert rule inet takeover in accept' \
		'add element inet takeover lease { 0x7fffffff timeout 1h }; add element inet takeover open { 1 }'
	send_stop load
	fact lost "${R[lost]}"
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
	assert_holder a
	grep -qE '^[a-z:]*warning: nft \(process [0-9]+\) has changed the gate' "$DIR/agent-b.err" ||
		fail "the agent of node b does not say who it was: $(<"$DIR/agent-b.err")"
	agent_end a KILL # the lease must be behind it again
	wait_role b primary
	send_some c "$VIP4" 300
	assert_never_both
}

# flush_always NODE: until told to stop
flush_always()
{
	nsenter --net="/run/netns/$NET-$1" -- sh -c 'while nft flush ruleset; do :; done' &
	# shellcheck disable=SC2034 # for finish
	PIDS["flush-$1"]=$!
}

# cpu_ms NODE: what its agent has used
cpu_ms()
{
	awk '{ sub(/.*\) /, ""); print ($12 + $13) * 10 }' "/proc/${AGENT[$1]}/stat"
}

# The ruleset is flushed as fast as that can be done, on both nodes, beside heartbeats: no lease
# runs out, nothing is lost, and the log stays short. A move may fail then, and is undone; if that
# fails as well, nobody serves until the claim is tried again.
# Alone: it takes all of a processor.
scenario_gate_flushed_again_and_again()
{
	local i done=0 before=0 node

	LEASE=1s DEAD_TIME=1300ms pair_up
	send_start load c "$VIP4"
	before=$(cpu_ms a)
	flush_always a
	flush_always b
	send_some c "$VIP6" 2000 # longer than the dead time
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} packets lost over IPv6"
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
	assert_none_lost load
	for ((i = 0; i < 6; i++)); do
		call "$PRIMARY" Switchover
		[[ ${R[result]} != ok ]] || done=$((done + 1))
		settle
	done
	finish flush-a KILL || true
	finish flush-b KILL || true
	fact agent_ms "$(($(cpu_ms a) - before))"
	fact moves_of_6 "$done"
	settle
	for node in a b; do
		! grep -q 01-00120 "$DIR/agent-$node.err" || fail "a lease ran out"
		[[ $(grep -c 'has changed the gate' "$DIR/agent-$node.err") == 1 ]] ||
			fail "the log of node $node: $(<"$DIR/agent-$node.err")"
	done
	assert_holder "$PRIMARY"
}

# Flushed while nobody is there to repair it: the gate is open, and both answer, until the agent
# goes on or the lifetime of the addresses ends.
scenario_gate_flushed_under_a_frozen_agent()
{
	local address

	net_up
	{
		LEASE=1s DEAD_TIME=1300ms config_agent AddressLifetime=4s
		config_nodes
		config_group sip "$VIP4" "$VIP6"
	} >"$DIR/takeover.conf"
	nodes_up a b
	pair_start
	agent_signal a STOP
	in_ns a nft flush ruleset
	wait_role b primary
	send_some ca "$VIP4" 50
	fact answered_by_the_frozen_one "${R[alpha]:-0}"
	for address in "$VIP4" "$VIP6"; do
		in_ns a "$PROBE" wait-address "$address" absent "$PATIENCE" || fail "$address stays"
		send_some ca "$address" 50
		[[ ${R[answered]} == 0 ]] || fail "alpha answers after the lifetime of $address"
	done
	agent_signal a CONT
	settle
	[[ $PRIMARY == b ]] || fail "the frozen one has it"
	assert_holder b

	call_ok b Switchover
	settle
	agent_signal a STOP
	in_ns a nft flush ruleset
	wait_role b primary
	agent_signal a CONT # before the lifetime ends
	settle
	[[ $PRIMARY == b ]] || fail "the frozen one has it"
	assert_holder b
}
