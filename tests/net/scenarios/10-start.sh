# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Both start at once: exactly one answers, for both families.
scenario_start_one_primary()
{
	net_up
	config_default >"$DIR/takeover.conf"
	node_up a
	node_up b
	agent_start a
	agent_start b
	settle
	assert_holder "$PRIMARY"
	fact primary "${NODE_NAME[$PRIMARY]}"
}

# A node whose peer does not exist serves when that peer cannot be holding any
# more: after RestartHold= and DeadTime=.
scenario_start_alone()
{
	net_up
	config_default >"$DIR/takeover.conf"
	node_up a
	agent_start a
	wait_role a primary
	wait_property a peer/beta State '!up'
	assert_holder a
}

# The later start of a node with a higher priority moves nothing (Preempt=no).
scenario_start_does_not_preempt()
{
	net_up
	{
		config_agent
		config_nodes
		echo Priority=200 # of beta
		config_group sip "$VIP4" "$VIP6"
	} >"$DIR/takeover.conf"
	node_up a
	node_up b
	pair_start
	assert_holder a
}

scenario_bad_config_refused()
{
	local file status=0

	net_up
	node_up a
	file=$DIR/bad.conf
	{
		config_agent
		config_nodes
		printf '[Group sip]\nVirtualAdress=10.77.0.100/24 eth0\n'
		printf 'VirtualAddress=10.77.0.300/24 eth0\nHandover=perhaps\n'
	} >"$file"
	in_ns a "$TAKEOVERD" --config "$file" --node alpha --check >"$DIR/check.out" 2>&1 ||
		status=$?
	((status > 0 && status < 100)) || fail "--check of a bad file ends with status $status"
	for line in VirtualAdress 10.77.0.300 Handover; do
		grep -q "$(basename "$file"):$(grep -n "$line" "$file" | cut -d: -f1)" \
			"$DIR/check.out" || fail "no word about $line: $(cat "$DIR/check.out")"
	done
	agent_start a "$file"
	status=0
	reap agent-a || status=$?
	unset 'AGENT[a]'
	((status > 0 && status < 100)) || fail "with a bad file the agent ends with status $status"
	assert_tagged a ""
	config_default >"$DIR/takeover.conf"
	in_ns a "$TAKEOVERD" --config "$DIR/takeover.conf" --node alpha --check \
		>"$DIR/check.out" 2>&1 || fail "a good file: $(cat "$DIR/check.out")"
}

# Different files on the two hosts: both say so, nothing moves (R12).
scenario_config_differs_warns()
{
	net_up
	config_default >"$DIR/takeover.conf"
	config_default Linger=30ms >"$DIR/other.conf"
	node_up a
	node_up b
	agent_start a
	wait_role a primary
	agent_start b "$DIR/other.conf"
	settle
	wait_property a peer/beta SameConfiguration false
	wait_property b peer/alpha SameConfiguration false
	[[ $PRIMARY == a ]] || fail "a different configuration moved the group"
	assert_holder a
}

scenario_events_on_the_bus()
{
	net_up
	config_default Redundancy=hot >"$DIR/takeover.conf"
	node_up a
	node_up b
	spawn_ready event-a a "$DIR/event-a.out" \
		"$PROBE" wait-event "$(bus_of a)" group/sip 00-04563 "$PATIENCE" @READY@
	pair_start
	reap event-a || fail "no event 00-04563 from alpha"
	spawn_ready event-a a "$DIR/event-a.out2" \
		"$PROBE" wait-event "$(bus_of a)" group/sip 00-04561 "$PATIENCE" @READY@
	spawn_ready event-b b "$DIR/event-b.out" \
		"$PROBE" wait-event "$(bus_of b)" group/sip 00-04563 "$PATIENCE" @READY@
	call_ok a Switchover
	reap event-a || fail "no event 00-04561 from alpha"
	reap event-b || fail "no event 00-04563 from beta"
	grep -qx '00-04563 Standard Hot Standby (Primary) mode activated' "$DIR/event-a.out" ||
		fail "event: $(cat "$DIR/event-a.out")"
	grep -qx '00-04561 Standard Hot Standby (backup) mode activated' "$DIR/event-a.out2" ||
		fail "event: $(cat "$DIR/event-a.out2")"
	grep -qx '00-04563 Standard Hot Standby (Primary) mode activated' "$DIR/event-b.out" ||
		fail "event: $(cat "$DIR/event-b.out")"
}

scenario_events_of_a_warm_pair()
{
	net_up
	config_default Redundancy=warm >"$DIR/takeover.conf"
	node_up a
	node_up b
	pair_start
	spawn_ready event-a a "$DIR/event-a.out" \
		"$PROBE" wait-event "$(bus_of a)" group/sip 00-04560 "$PATIENCE" @READY@
	spawn_ready event-b b "$DIR/event-b.out" \
		"$PROBE" wait-event "$(bus_of b)" group/sip 00-04562 "$PATIENCE" @READY@
	call_ok a Switchover
	reap event-a || fail "no event 00-04560 from alpha"
	reap event-b || fail "no event 00-04562 from beta"
	grep -qx '00-04560 Standard Warm Standby (backup) mode activated' "$DIR/event-a.out" ||
		fail "event: $(cat "$DIR/event-a.out")"
	grep -qx '00-04562 Standard Warm Standby (Primary) mode activated' "$DIR/event-b.out" ||
		fail "event: $(cat "$DIR/event-b.out")"
}

# What an agent costs that has nothing to do. Figures only.
# Alone: it measures processor time.
scenario_idle_costs()
{
	local node before=() after=() seconds=${IDLE_SECONDS:-5}

	pair_up
	for node in a b; do
		before+=("$(cpu_us "${AGENT[$node]}")")
	done
	sleep "$seconds" # what passes here is what is being measured
	for node in a b; do
		after+=("$(cpu_us "${AGENT[$node]}")")
	done
	fact primary_cpu_ms_per_minute $(((after[0] - before[0]) * 60 / 1000 / seconds))
	fact backup_cpu_ms_per_minute $(((after[1] - before[1]) * 60 / 1000 / seconds))
	fact primary_rss_kib "$(rss_kib a)"
	fact backup_rss_kib "$(rss_kib b)"
}

cpu_us() # PID: time on the CPU, of all threads; ticks would miss what a timer starts
{
	awk '{ ns += $1 } END { printf "%d\n", ns / 1000 }' "/proc/$1/task"/*/schedstat
}
