# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # the words in R, a map of lib.sh

# Power off. The silence is the dead time, the rest of an interval, and the claim.
scenario_node_killed_other_takes_over()
{
	local reason

	pair_up
	send_start load c "$VIP4"
	send_start load6 c "$VIP6"
	node_kill a
	wait_role b primary
	reason=$(get b group/sip Reason)
	[[ $reason == peer-dead ]] || fail "beta is primary for \"$reason\", not for a dead peer"
	assert_holder b
	send_stop load
	fact silence_us "${R[silence_us]}"
	[[ ${R[beta]:-0} -gt 0 ]] || fail "beta did not answer"
	assert_dead_time
	send_stop load6
	fact silence6_us "${R[silence_us]}"
	[[ ${R[beta]:-0} -gt 0 ]] || fail "beta did not answer over IPv6"
	assert_dead_time
	wait_property b peer/alpha State '!up'
}

# What is silent is not dead for a dead time of 500 ms: an earlier answer would
# mean that the other node was told, and that this was no loss of power.
assert_dead_time()
{
	((R[silence_us] >= 200000)) || fail "silent for ${R[silence_us]} µs only: the node was not cut off"
}

# The host comes back as a backup.
scenario_node_stopped_comes_back_as_backup()
{
	pair_up
	agent_end a KILL
	wait_role b primary
	agent_start a
	settle
	[[ $PRIMARY == b ]] || fail "a node that came back took the group"
	assert_holder b
}

# The agent is killed and nobody starts it again: its kernel falls silent before
# the other node answers, and drops the address in the end.
scenario_agent_sigkill_silences_address()
{
	net_up
	{
		config_agent AddressLifetime=3s
		config_nodes
		config_group sip "$VIP4" "$VIP6"
	} >"$DIR/takeover.conf"
	node_up a
	node_up b
	pair_start
	both_start
	agent_end a KILL
	wait_role b primary
	in_ns a "$PROBE" wait-address "$VIP4" absent "$PATIENCE" || fail "$VIP4 stays on alpha"
	in_ns a "$PROBE" wait-address "$VIP6" absent "$PATIENCE" || fail "$VIP6 stays on alpha"
	assert_no_overlap
	assert_holder b
}

assert_no_overlap()
{
	assert_never_both
	((R[answers_a] > 0 && R[answers_b] > 0)) ||
		fail "not both nodes have answered in turn: alpha ${R[answers_a]}, beta ${R[answers_b]}"
}

# Without a peer at all the lease is the only thing that ends the answers.
scenario_agent_sigkill_alone_falls_silent()
{
	net_up
	config_default >"$DIR/takeover.conf"
	node_up a
	agent_start a
	wait_role a primary
	send_start load c "$VIP4" 500
	agent_end a KILL
	until [[ ${R[answered]:-1} == 0 ]]; do
		send_some c "$VIP4" 100
	done
	send_stop load
	fact answered_after_us "$((R[alpha_last_us] - R[start_us]))"
	agent_start a
	wait_role a primary
	assert_holder a
}

# freeze SECONDS [ADDRESS]: of the primary's agent; then one primary, and never two
freeze()
{
	local frozen=$PRIMARY

	both_start "${2:-$VIP4}"
	agent_signal "$frozen" STOP
	sleep "$1" # how long it is frozen is what this is about
	agent_signal "$frozen" CONT
	settle
	send_some c "${2:-$VIP4}" 1500 # long enough for a second thought of either
	settle
	both_stop
	[[ ${R[both_us]} == 0 ]] || fail "frozen for $1 s: both answered for ${R[both_us]} µs"
	fact "both_us" "${R[both_us]}"
	assert_holder "$PRIMARY"
}

scenario_agent_sigstop_100ms_silences_address()
{
	pair_up
	freeze 0.1
	freeze 0.1 "$VIP6"
}

scenario_agent_sigstop_450ms_silences_address()
{
	pair_up
	freeze 0.45
	freeze 0.45 "$VIP6"
}

scenario_agent_sigstop_3s_silences_address()
{
	pair_up
	freeze 3
	[[ $PRIMARY == b ]] || fail "beta did not take over"
	freeze 3 "$VIP6"
}

# random MIN MAX: seconds with µs, from ms
random()
{
	local us=$((($1 * 1000) + (RANDOM * 32768 + RANDOM) % (($2 - $1) * 1000 + 1)))

	printf '%d.%06d' $((us / 1000000)) $((us % 1000000))
}

# A random instant of the heartbeat's rhythm, a random length. For --repeat.
scenario_freeze_random()
{
	local seconds

	pair_up
	sleep "$(random 0 100)"
	seconds=$(random 20 1500)
	fact frozen_s "$seconds"
	freeze "$seconds"
}

scenario_kill_random()
{
	pair_up
	both_start
	sleep "$(random 0 100)"
	agent_end a KILL
	wait_role b primary
	send_some c "$VIP4" 500
	assert_no_overlap
	agent_start a # which clears away what the dead one left behind the gate
	wait_role a backup
	assert_holder b
}

# restart SIGNAL SECONDS: of the primary's agent; the address must not notice
restart()
{
	local term before=$PRIMARY

	term=$(get "$PRIMARY" group/sip Term)
	send_start load c "$VIP4"
	send_start load6 c "$VIP6"
	if [[ $1 == KILL ]]; then
		kill -KILL "${AGENT[$PRIMARY]}"
		sleep "$2" # what an init system takes; finding it dead is part of that
		reap "agent-$PRIMARY" || true
	else
		agent_end "$PRIMARY" "$1"
		[[ $2 == 0 ]] || sleep "$2"
	fi
	agent_start "$PRIMARY"
	wait_role "$PRIMARY" primary
	settle
	send_some c "$VIP4" 1500
	settle
	assert_none_lost load
	assert_none_lost load6
	[[ $PRIMARY == "$before" ]] || fail "the group moved"
	[[ $(get "$PRIMARY" group/sip Term) == "$term" ]] || fail "the term changed"
	assert_holder "$PRIMARY"
}

# Busy: clients all the time.
scenario_agent_sigkill_restart_loses_nothing()
{
	# A lease that outlasts the time that a busy machine takes to start a process
	LEASE=${LEASE:-2s} DEAD_TIME=${DEAD_TIME:-2500ms}
	pair_up
	restart KILL 0.1
}

# Busy: clients all the time.
scenario_planned_restart_loses_nothing()
{
	# shellcheck disable=SC2034 # for config_agent
	RESTART_HOLD=3s # longer than what this takes
	pair_up
	restart USR2 0
	restart USR2 1
}

# Too late: the lease has ended, the other node has it; no way back by adoption.
scenario_agent_sigkill_late_restart_is_backup()
{
	pair_up
	both_start
	agent_end a KILL
	wait_role b primary
	agent_start a
	settle
	[[ $PRIMARY == b ]] || fail "the late one took the group back"
	assert_no_overlap
	assert_holder b
}

scenario_stop_hands_over()
{
	pair_up
	send_start load c "$VIP4"
	agent_end a TERM
	wait_role b primary
	assert_none_lost load
	assert_holder b
	agent_end b INT # nobody to hand over to: release
	assert_tagged b ""
	send_some c "$VIP4" 50
	[[ ${R[answered]} == 0 ]] || fail "answered after everything was stopped"
}
