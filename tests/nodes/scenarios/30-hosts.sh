# SPDX-License-Identifier: MIT
# shellcheck shell=bash

scenario_node_power_off_other_takes_over()
{
	pair_up
	send_start load c "$VIP4"
	node_kill a
	wait_role b primary
	assert_holder b
	send_stop load
	fact silence_us "${R[silence_us]}"
	[[ ${R[beta]:-0} -gt 0 ]] || fail "beta did not answer"
}

# The power button: what was primary hands over while it still can.
scenario_node_halt_hands_over()
{
	pair_up
	in_node a systemctl --quiet enable takeoverd
	send_start load c "$VIP4"
	node_halt a
	wait_role b primary
	send_stop load
	fact lost "${R[lost]}"
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} of ${R[sent]} packets lost"
	assert_holder b
}

# It is started at boot, and does not take back what it gave away.
scenario_node_reboot_comes_back_as_backup()
{
	pair_up
	in_node a systemctl --quiet enable takeoverd
	send_start load c "$VIP4"
	node_reboot a
	find_agent a
	settle
	[[ $PRIMARY == b ]] || fail "a node that came back took the group"
	send_stop load
	fact lost "${R[lost]}"
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} of ${R[sent]} packets lost"
	assert_holder b
}

# A host that stands still, and goes on as if nothing had been.
scenario_node_frozen_is_silent()
{
	pair_up
	both_start
	node_freeze a
	wait_role b primary
	node_thaw a
	wait_role a backup
	settle
	both_stop
	fact both_us "${R[both_us]}"
	[[ ${R[both_us]} == 0 ]] || fail "both nodes answered for ${R[both_us]} µs"
	[[ $PRIMARY == b ]] || fail "the group went back"
	assert_holder b
}

# Nobody hears the backup any more; when it is back there is one primary.
scenario_node_cut_off_comes_back()
{
	pair_up
	node_cut b
	wait_property a peer/beta State '!up'
	wait_role b primary
	node_join b
	settle
	assert_holder "$PRIMARY"
}
