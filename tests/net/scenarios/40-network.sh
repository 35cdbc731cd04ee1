# SPDX-License-Identifier: MIT
# shellcheck shell=bash

scenario_link_down_moves()
{
	pair_up
	unplug a 0
	wait_role b primary
	settle
	assert_tagged a ""
	send_some c "$VIP4" 50
	[[ ${R[beta]:-0} == 50 ]] || fail "beta answered ${R[beta]:-0} of 50"
	plug a 0
	wait_property a group/sip Fit true
	settle
	[[ $PRIMARY == b ]] || fail "the group went back by itself"
	assert_holder b
}

# Both lose the service network: nobody is better, and it works again at once
# when the network does.
scenario_link_down_on_both_keeps()
{
	pair_up
	unplug b 0
	wait_property b group/sip Fit false
	unplug a 0
	wait_property a group/sip Fit false
	wait_role a primary
	plug a 0
	plug b 0
	wait_property a group/sip Fit true
	wait_property b group/sip Fit true
	settle
	assert_holder "$PRIMARY"
	fact primary "${NODE_NAME[$PRIMARY]}"
}

# One of two paths is cut: nothing moves, nothing is lost.
scenario_path_loss_keeps()
{
	local term

	pair_up
	term=$(get a group/sip Term)
	send_start load c "$VIP4"
	for path in 0 1; do
		drop a b "$path"
		drop b a "$path"
		send_some c "$VIP4" 1500
		[[ $(get a peer/beta State) == up ]] || fail "path $path lost: the peer counts as lost"
		heal
		send_some c "$VIP4" 200
	done
	assert_none_lost load
	settle
	[[ $PRIMARY == a && $(get a group/sip Term) == "$term" ]] || fail "the group moved"
	assert_holder a
}

# one_way FROM TO: heartbeats vanish in one direction; two never answer
one_way()
{
	both_start
	drop "$1" "$2"
	send_some c "$VIP4" 2500
	fact "lost_${1}_to_$2" "${R[lost]}"
	wait_one_answers
	heal
	settle
	send_some c "$VIP4" 500
	settle
	assert_never_both
	assert_holder "$PRIMARY"
}

# Somebody serves while the loss lasts.
wait_one_answers()
{
	send_some c "$VIP4" 100
	[[ ${R[answered]} == 100 ]] || fail "${R[answered]} of 100 packets answered"
}

# The backup does not hear the primary: it takes over, after the primary, whose
# heartbeats are not echoed, has fallen silent.
scenario_one_way_loss_from_primary()
{
	pair_up
	one_way a b
}

# The primary does not hear the backup: nothing moves.
scenario_one_way_loss_to_primary()
{
	pair_up
	one_way b a
	[[ $PRIMARY == a ]] || fail "the group moved"
}

# events_are NODE PATTERN: of the events of a split, these are the last, in this order
events_are()
{
	local said

	said=$(DBUS_SYSTEM_BUS_ADDRESS=$(bus_of "$1") "$BUILD/takeoverctl" events |
		grep -oE '01-00(402|401|110|111|112)' | paste -sd ' ') || true
	[[ $said =~ (^| )$2$ ]] || fail "node $1 tells of \"$said\", not of \"$2\""
}

# Fully apart, but both reach clients: both serve (the documented exposure);
# afterwards one does, for both families.
scenario_partition_heals_to_one()
{
	pair_up
	drop a b
	drop b a
	wait_role b primary
	wait_role a primary
	heal
	settle
	assert_holder "$PRIMARY"
	fact primary "${NODE_NAME[$PRIMARY]}"
	# The loser may have given way before the winner could hear that it was primary as well.
	events_are "$PRIMARY" '01-00402 01-00401( 01-00110 01-00111)?'
	events_are "$BACKUP" '01-00402 01-00401 01-00110 01-00112'
}

# A cut node (all its cables) comes back: one primary, never both after the cut.
scenario_cut_node_comes_back()
{
	pair_up
	send_start load c "$VIP4"
	unplug a 0
	unplug a 1
	wait_role b primary
	send_stop load
	fact silence_us "${R[silence_us]}"
	plug a 0
	plug a 1
	settle
	# The winner announces when it hears the loser, which may have given way before.
	in_ns c "$PROBE" wait-neighbour "$VIP4" "$(mac "$PRIMARY" 0)" "$PATIENCE" ||
		fail "c was not told that $PRIMARY has $VIP4"
	assert_holder "$PRIMARY"
}

# Garbage, tampered and repeated heartbeats: counted, without effect.
# Busy: packets of 64 KiB.
scenario_forged_packets_are_counted()
{
	local before i

	pair_up
	send_start load c "$VIP4"
	before=$(get a manager RefusedPackets)
	for ((i = 0; i < 8; i++)); do # not a flood: each of them is to be counted
		in_ns c "$PROBE" forge 10.77.0.11 7373 100 >/dev/null
		in_ns c "$PROBE" forge 10.77.0.12 7373 100 >/dev/null
	done
	wait_property a manager RefusedPackets ">$((before + 750))"
	before=$(get a manager RefusedPackets)
	in_ns br "$PROBE" replay b0 a0 7373 100 flip >/dev/null ||
		fail "no heartbeats seen to tamper with"
	wait_property a manager RefusedPackets ">$((before + 50))"
	in_ns br "$PROBE" replay b0 a0 7373 50 >/dev/null || fail "no heartbeats seen to repeat"
	in_ns br "$PROBE" replay a0 b0 7373 50 >/dev/null || fail "no heartbeats seen to repeat"
	send_stop load
	[[ ${R[lost]} == 0 && ${R[alpha]} == "${R[sent]}" ]] || fail "forgeries lost ${R[lost]} packets"
	settle
	[[ $PRIMARY == a ]] || fail "forgeries moved the group"
	assert_holder a
}

# A peer with another key is not a peer.
scenario_wrong_key()
{
	pair_up
	agent_end b TERM
	head -c 32 /dev/urandom | base64 >"$DIR/other.key"
	chmod 600 "$DIR/other.key"
	sed "s,^KeyFile=.*,KeyFile=$DIR/other.key," "$DIR/takeover.conf" >"$DIR/other.conf"
	agent_start b "$DIR/other.conf"
	wait_property b manager RefusedPackets '>5'
	wait_property a manager RefusedPackets '>5'
	wait_property a peer/beta State '!up'
	grep -q 'refused what comes from the address of beta, .*: not made with our key' \
		"$DIR/agent-a.err" || fail "alpha does not say that the keys differ"
	[[ $(get b peer/alpha State) != up ]] || fail "beta believes a heartbeat with another key"
	[[ $(get a group/sip Role) == primary ]] || fail "alpha gave up the group"
	agent_end b TERM
	assert_holder a
}
