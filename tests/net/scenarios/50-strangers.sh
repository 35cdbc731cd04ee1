# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Somebody deletes our addresses: they are put back, nothing moves.
scenario_stranger_deletes_address_repaired()
{
	pair_up
	ip -n "$NET-a" address delete "$VIP4/16" dev eth0
	in_ns a "$PROBE" wait-address "$VIP4" present "$PATIENCE" || fail "$VIP4 was not put back"
	ip -n "$NET-a" address delete "$VIP6/64" dev eth0
	in_ns a "$PROBE" wait-address "$VIP6" present "$PATIENCE" || fail "$VIP6 was not put back"
	settle
	[[ $PRIMARY == a ]] || fail "one deletion moved the group"
	assert_holder a
}

# The host's own addresses stay when ours go, in a network with promotion off.
scenario_release_leaves_other_addresses()
{
	pair_up
	ip -n "$NET-a" address add 10.77.0.200/16 dev eth0
	in_ns a "$PROBE" addresses | grep -v 'tag=116' | sed 's/ valid_s.*//' | sort >"$DIR/before"
	call_ok a Switchover
	settle
	in_ns a "$PROBE" addresses | grep -v 'tag=116' | sed 's/ valid_s.*//' | sort >"$DIR/after"
	cmp -s "$DIR/before" "$DIR/after" ||
		fail "own addresses changed: $(diff "$DIR/before" "$DIR/after")"
	assert_holder b
}

gate_is_back() # NODE
{
	local tries

	for ((tries = 0; tries < 500; tries++)); do # nft has no "wait until"
		in_ns "$1" nft list table inet takeover >/dev/null 2>&1 &&
			in_ns "$1" nft list table arp takeover >/dev/null 2>&1 && return 0
	done
	fail "the gate of node $1 is not laid again"
}

# A flush opens everything; on a primary nobody must notice, and afterwards the
# lease must hold again.
scenario_gate_flushed_on_primary_is_repaired()
{
	pair_up
	send_start load c "$VIP4"
	in_ns a nft flush ruleset
	gate_is_back a
	settle
	send_some c "$VIP4" 1000
	send_stop load
	fact lost "${R[lost]}"
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
	assert_holder a
	both_start
	agent_end a KILL
	wait_role b primary
	send_some c "$VIP4" 500
	assert_no_overlap
}

scenario_gate_flushed_on_backup_is_repaired()
{
	pair_up
	both_start
	in_ns b nft flush ruleset
	gate_is_back b
	settle
	send_some c "$VIP4" 500
	both_stop
	[[ ${R[answers_b]} == 0 ]] || fail "the backup answered ${R[answers_b]} packets"
	call_ok a Switchover
	settle
	assert_holder b
}

# Anyone may look, only root may switch.
scenario_unprivileged_may_not_switch()
{
	local nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups) answer method

	pair_up
	answer=$(in_ns a "${nobody[@]}" busctl --address="$(bus_of a)" get-property org.takeover1 \
		/org/takeover1/group/sip org.takeover1.Group Role) || fail "reading is refused"
	[[ $answer == 's "primary"' ]] || fail "nobody reads $answer"
	for method in Switchover Announce 'SetMaintenance b true'; do
		# shellcheck disable=SC2086 # method and its arguments
		if answer=$(in_ns a "${nobody[@]}" busctl --address="$(bus_of a)" call org.takeover1 \
			/org/takeover1/group/sip org.takeover1.Group $method 2>&1); then
			fail "nobody may $method"
		fi
		[[ $answer == *enied* ]] || fail "$method by nobody: $answer"
	done
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
}
