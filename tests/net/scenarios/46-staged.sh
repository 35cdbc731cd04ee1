# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # the words in R, a map of lib.sh

# A backup that has the addresses already, on an interface without ARP (Stage=). What it is built
# on is in 45-subinterface.sh.

# wait_silent NODE: vip0 is up there and without ARP, with the addresses on it
wait_silent()
{
	local address tries

	for ((tries = 0; tries < 1000; tries++)); do
		[[ $(ip -n "$NET-$1" link show vip0 2>&1) != *'<'*NOARP*,UP* ]] || break
	done
	((tries < 1000)) || fail "vip0 on node $1 is not silent: $(ip -n "$NET-$1" link show vip0 2>&1)"
	for address in "$VIP4" "$VIP6"; do
		in_ns "$1" "$PROBE" wait-address "$address" present "$PATIENCE" ||
			fail "$address is not kept ready on node $1"
	done
}

# A staged group moves by one message: the backup has its addresses on an interface without ARP.
# Nothing of it answers or is heard for all that, and what a stranger does to them is put right.
scenario_subinterface_staged()
{
	local mac address

	sub_up shared Stage=yes
	mac=$(sub_mac a)
	count_frames_from "$mac"
	wait_silent b
	assert_tagged b "$(printf '%s/16 vip0\n%s/64 vip0' "$VIP4" "$VIP6")"
	assert_silent b "$(mac b 0)" "$(mac b 1)" "$mac"
	in_ns b ping -c1 -W1 -q ff02::1%vip0 >/dev/null 2>&1 || true # it would leave by vip0
	[[ $(frames_from b0) == 0 ]] || fail "the backup has sent $(frames_from b0) frames"
	verify_sub b

	ip -n "$NET-b" address delete "$VIP4/16" dev vip0
	wait_silent b
	ip -n "$NET-b" link set vip0 down # takes the IPv6 address along
	wait_silent b
	ip -n "$NET-b" link set vip0 arp on
	wait_silent b
	ip -n "$NET-b" link delete vip0
	wait_silent b
	assert_silent b "$(mac b 0)" "$(mac b 1)" "$mac"
	[[ $(frames_from b0) == 0 ]] || fail "the backup has sent $(frames_from b0) frames"

	for address in "$VIP4" "$VIP6"; do
		ip -n "$NET-c" neighbour replace "$address" lladdr "$mac" dev eth0 nud permanent
	done
	send_start load4 c "$VIP4" 500
	send_start load6 c "$VIP6" 500
	call_ok a Switchover
	settle
	wait_silent a
	call_ok a Switchover
	settle
	[[ $PRIMARY == a ]] || fail "$PRIMARY is primary"
	call_ok b Switchover
	settle
	assert_none_lost load4
	assert_none_lost load6
	assert_silent a "$(mac a 0)" "$(mac a 1)" "$mac"
	verify_sub a
	verify_sub b

	# A frozen primary, a dead one: never do both answer. A stop leaves nothing behind.
	both_start
	agent_signal b STOP
	wait_role a primary
	agent_signal b CONT
	settle
	agent_end a KILL
	wait_role b primary
	send_some c "$VIP4" 100
	[[ ${R[beta]:-0} == 100 ]] || fail "beta answered ${R[beta]:-0} of 100"
	agent_start a
	wait_role a backup
	wait_silent a
	assert_never_both
	agent_end a TERM
	! ip -n "$NET-a" link show vip0 2>/dev/null || fail "vip0 is left behind"
}

# A flush opens the gate, and on a staged backup the addresses are there. As long as its agent
# lives, be it frozen and so unable to repair that, a second lock keeps them silent.
scenario_subinterface_staged_flushed()
{
	local mac tables

	sub_up shared Stage=yes
	mac=$(sub_mac a)
	wait_silent b
	count_frames_from "$mac"
	agent_signal b STOP
	in_ns b nft flush ruleset
	tables=$(in_ns b nft list tables)$'\n'
	[[ $tables == *' inet takeover_moat'* && $tables != *' inet takeover'$'\n'* ]] ||
		fail "tables: $tables"
	ip -n "$NET-b" link set vip0 arp on # what the agent would put right
	assert_silent b "$(mac b 0)" "$(mac b 1)" "$mac"
	in_ns b ping -c1 -W1 -q ff02::1%vip0 >/dev/null 2>&1 || true
	[[ $(frames_from b0) == 0 ]] || fail "the backup has sent $(frames_from b0) frames"
	both_start
	agent_signal b CONT
	wait_silent b
	in_ns b nft flush ruleset
	gate_is_back b
	settle
	[[ $PRIMARY == a ]] || fail "$PRIMARY is primary"
	both_stop
	[[ ${R[answers_b]} == 0 ]] || fail "the backup answered ${R[answers_b]} packets"
	call_ok a Switchover
	settle
	[[ $PRIMARY == b ]] || fail "$PRIMARY is primary"
}
