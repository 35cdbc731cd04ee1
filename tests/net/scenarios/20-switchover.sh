# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # the words in R, a map of lib.sh

# move GROUP-HOLDER: ask the present primary to hand over; turns PRIMARY and BACKUP
move()
{
	local from=$PRIMARY

	call_ok "$from" Switchover
	[[ ${R[primary]} == "${NODE_NAME[$BACKUP]}" ]] ||
		fail "the answer names ${R[primary]} as the primary"
	PRIMARY=$BACKUP
	BACKUP=$from
}

# median FILE, of one number a line
median()
{
	sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

switch_under_load() # ADDRESS MOVES
{
	local i

	: >"$DIR/moves"
	send_start load c "$1" 100
	for ((i = 0; i < $2; i++)); do
		move
		echo "${R[start_us]} ${R[call_us]} ${NODE_NAME[$PRIMARY]}" >>"$DIR/moves"
		# what is sent after the move must be answered, too
		send_some c "$1" 20
	done
	send_stop load
	[[ ${R[alpha]:-0} -gt 0 && ${R[beta]:-0} -gt 0 ]] || fail "not both nodes answered"
}

# first_answers KEY: µs from each call to the first answer of the new primary
first_answers()
{
	local start node

	while read -r start _ node; do
		"$PROBE" first "$DIR/load.log" "$node" "$start"
	done <"$DIR/moves"
}

seamless()
{
	local family=$1 address=$2

	switch_under_load "$address" 20
	fact "${family}_sent" "${R[sent]}"
	fact "${family}_lost" "${R[lost]}"
	[[ ${R[lost]} == 0 ]] || fail "$family: ${R[lost]} of ${R[sent]} packets lost in 20 moves"
	first_answers >"$DIR/first"
	[[ $(wc -l <"$DIR/first") == 20 ]] || fail "not every new primary answered"
	cut -d' ' -f2 "$DIR/moves" >"$DIR/call"
	fact "${family}_call_us" "$(median "$DIR/call")"
	fact "${family}_first_us" "$(median "$DIR/first")"
}

# 20 moves for each family under 10,000 packets/s: not one is lost.
# Busy: 10,000 requests a second.
scenario_switchover_seamless_loses_nothing()
{
	pair_up
	seamless ipv4 "$VIP4"
	seamless ipv6 "$VIP6"
	assert_holder "$PRIMARY"
}

# The old holder's kernel has let go before the new one takes the address, and
# no client ever gets answers from both.
# Busy: 10,000 requests a second.
scenario_switchover_strict_never_two_holders()
{
	pair_up Handover=strict
	both_start
	spawn_ready hold a "$DIR/hold.out" "$PROBE" hold "$VIP4" \
		"/run/netns/$NET-a" "/run/netns/$NET-b" @READY@
	switch_under_load "$VIP4" 20
	fact lost "${R[lost]}"
	fact longest_silence_us "${R[silence_us]}"
	finish hold || fail "hold: $(cat "$DIR/hold.err")"
	figures "$(cat "$DIR/hold.out")"
	[[ ${R[came]} == 20 && ${R[both]} == 0 ]] ||
		fail "the address came ${R[came]} times, ${R[both]} times while it was on the other node"
	assert_never_both
	assert_holder "$PRIMARY"
}

# The scenario above could not fail if its instruments saw nothing: a seamless
# move has two holders on purpose.
# Busy: 10,000 requests a second.
scenario_switchover_seamless_overlaps_visibly()
{
	pair_up
	both_start
	spawn_ready hold a "$DIR/hold.out" "$PROBE" hold "$VIP4" \
		"/run/netns/$NET-a" "/run/netns/$NET-b" @READY@
	switch_under_load "$VIP4" 5
	finish hold || fail "hold: $(cat "$DIR/hold.err")"
	figures "$(cat "$DIR/hold.out")"
	[[ ${R[both]} == 5 ]] || fail "seen on both nodes in ${R[both]} of 5 moves"
	both_stop
	fact both_us "${R[both_us]}"
	((R[both_us] > 0)) || fail "both answer during the linger, but this is not seen"
	((R[both_us] < 350000)) || fail "both answered for longer than a lease: ${R[both_us]} µs"
}

# The call that the documentation promises, as an operator types it.
scenario_switchover_by_busctl()
{
	local answer

	pair_up
	answer=$(in_ns a busctl --address="$(bus_of a)" call org.takeover1 \
		/org/takeover1/group/sip org.takeover1.Group Switchover)
	[[ $answer == 'st "beta" '* ]] || fail "busctl says: $answer"
	settle
	[[ $PRIMARY == b ]] || fail "the group did not move"
	assert_holder b
}

scenario_switchover_asked_on_backup()
{
	pair_up
	send_start load c "$VIP4"
	call_ok b Switchover
	[[ ${R[primary]} == beta ]] || fail "the answer names ${R[primary]}"
	settle
	[[ $PRIMARY == b ]] || fail "the group did not move"
	assert_none_lost load
	assert_holder b
}

# Refused by name, and nothing happens: no peer, dead peer, unfit peer.
scenario_switchover_refused_without_peer()
{
	net_up
	config_default >"$DIR/takeover.conf"
	node_up a
	node_up b
	agent_start a
	wait_role a primary
	send_start load c "$VIP4"
	refused a 'NotFit|PeerUnreachable'
	agent_start b
	settle
	call a CanSwitchover
	[[ ${R[answer]} == yes ]] || fail "CanSwitchover: ${R[answer]}, ${R[why]:-}"
	unplug b 0
	wait_property a group/sip Fit true
	wait_property b group/sip Fit false
	refused a NotFit
	plug b 0
	wait_property b group/sip Fit true
	node_kill b
	wait_property a peer/beta State '!up'
	refused a 'NotFit|PeerUnreachable'
	send_stop load
	fact lost "${R[lost]}"
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} of ${R[sent]} packets lost by refused requests"
	assert_holder a
}

refused() # NODE ERROR
{
	call "$1" CanSwitchover
	[[ ${R[answer]} == no ]] || fail "CanSwitchover says ${R[answer]}"
	call "$1" Switchover
	[[ ${R[result]} =~ ^($2)$ ]] || fail "Switchover: ${R[result]}, not $2"
	[[ $(get "$1" group/sip Role) == primary ]] || fail "a refused request moved the group"
}

# The other node dies in the middle of a move: whatever is answered, one
# primary serves afterwards.
scenario_switchover_to_a_frozen_peer_rolls_back()
{
	pair_up
	send_start load c "$VIP4"
	agent_signal b STOP
	call a Switchover
	fact result "${R[result]}"
	[[ ${R[result]} != ok ]] || fail "a frozen node took over"
	agent_signal b CONT
	settle
	assert_holder "$PRIMARY"
	[[ $PRIMARY == a ]] || fail "the group moved after a refusal"
	assert_none_lost load
}

scenario_maintenance_moves_and_survives_restart()
{
	pair_up
	send_start load c "$VIP4"
	call_ok a SetMaintenance true
	settle_maintenance
	assert_none_lost load
	agent_end a TERM
	agent_start a
	settle_maintenance
	refused b NotFit
	call b SetMaintenance true
	[[ ${R[result]} == NotFit ]] ||
		fail "maintenance of the last node: ${R[result]}, not NotFit"
	# The last resort excepts a node in maintenance.
	node_kill b
	wait_property a peer/beta State '!up'
	send_some c "$VIP4" 1500
	[[ ${R[answered]} == 0 ]] || fail "a node in maintenance answered"
	call_ok a SetMaintenance false
	wait_role a primary
	assert_holder a
}

settle_maintenance()
{
	wait_role b primary
	wait_property a group/sip State maintenance
	wait_property a group/sip Primary beta
	assert_holder b
}

scenario_two_groups_move_apart()
{
	net_up
	{
		config_agent
		config_nodes
		config_group sip "$VIP4" "$VIP6"
		config_group web "$WEB4"
	} >"$DIR/takeover.conf"
	node_up a
	node_up b
	pair_start
	settle web
	[[ $PRIMARY == a ]] || fail "web is on $PRIMARY"
	send_start load c "$VIP4"
	call_ok a Switchover '' web
	settle web
	[[ $PRIMARY == b ]] || fail "web did not move"
	settle sip
	[[ $PRIMARY == a ]] || fail "sip moved with web"
	assert_tagged b "$WEB4/16 eth0"
	send_some c "$WEB4" 50
	[[ ${R[beta]:-0} == 50 ]] || fail "beta answered ${R[beta]:-0} of 50 packets to web"
	send_stop load
	[[ ${R[lost]} == 0 && ${R[alpha]} == "${R[sent]}" ]] ||
		fail "sip lost ${R[lost]} packets when web moved"
	node_kill a
	wait_role b primary
	send_some c "$WEB4" 50
	[[ ${R[beta]:-0} == 50 ]] || fail "web went away with the other node"
	send_some c "$VIP4" 50
	[[ ${R[beta]:-0} == 50 ]] || fail "sip does not answer on beta"
}

# 1,000 addresses in one group: all of them move.
# Alone: the kernel lets nobody else run while it adds many.
scenario_thousand_addresses()
{
	local addresses=() i

	for ((i = 0; i < 1000; i++)); do
		addresses+=("10.77.$((4 + i / 250)).$((1 + i % 250))")
	done
	net_up
	{
		config_agent
		config_nodes
		config_group sip "${addresses[@]}"
	} >"$DIR/takeover.conf"
	node_up a
	node_up b
	pair_start
	all_answer alpha "${addresses[@]}"
	spawn_ready announced c "$DIR/announced.out" "$PROBE" announced eth0 1000 "$PATIENCE" @READY@
	call_ok a Switchover
	local start=${R[start_us]}
	fact call_us "${R[call_us]}"
	reap announced || fail "announced: $(cat "$DIR/announced.out")"
	figures "$(cat "$DIR/announced.out")"
	fact last_announced_us "$((R[last_us] - start))"
	all_answer beta "${addresses[@]}"
	settle
	assert_tagged a ""
	[[ $(tagged b | wc -l) == 1000 ]] || fail "beta has $(tagged b | wc -l) addresses"
}

# In portions: the neighbour table of a client holds no thousand entries.
all_answer() # NAME ADDRESS...
{
	local name=$1 i

	shift
	for ((i = 1; i <= $#; i += 250)); do
		in_ns c "$PROBE" sweep "$name" "$PORT" "$PATIENCE" "${@:i:250}" >"$DIR/sweep.out" ||
			fail "$name on portion $i: $(cat "$DIR/sweep.out")"
		ip -n "$NET-c" neighbour flush dev eth0
	done
}
