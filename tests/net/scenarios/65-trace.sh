# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# The flight recorder of real agents: what it tells is told to a core again, which has
# to do the same.

SIM=$BUILD/tests/sim/sim

# replays FILE [WORD]: sets EVENTS; WORD: what the answer ends with
replays()
{
	local said

	said=$("$SIM" --replay "$1" 2>&1) || fail "${1##*/} went another way: $said"
	[[ $said == *", the same actions${2:-}" ]] || fail "${1##*/}: $said"
	EVENTS=${said%% *}
}

# trace_of NODE FILE
trace_of()
{
	DBUS_SYSTEM_BUS_ADDRESS=$(bus_of "$1") in_ns "$1" "$BUILD/takeoverctl" trace >"$2" ||
		fail "takeoverctl trace failed on $1"
	! grep -q 'something else' "$2" || fail "the agent of $1 is not what it should be"
}

# kept NODE WORDS: an agent has kept the trace of a failure, or does so soon, and it replays;
# sets KEPT
kept()
{
	local until=$((SECONDS + PATIENCE)) file

	while ((SECONDS < until)); do
		for file in "$DIR/$1/state"/trace-[0-9]; do
			[[ -e $file && $(head -n 1 "$file") == "# $2" ]] || continue
			KEPT=$file
			replays "$file"
			return 0
		done
		get "$1" group/sip Role >"$DIR/role" # it is no matter, but lets the agent work
	done
	fail "no trace that begins with \"$2\": $(tail -n 5 "$DIR/agent-$1.err")"
}

scenario_trace_of_a_switchover_replays()
{
	local node

	pair_up
	call_ok a Switchover
	settle
	for node in a b; do
		trace_of "$node" "$DIR/trace-$node"
		replays "$DIR/trace-$node"
		grep -q '^> gate .*level=3' "$DIR/trace-$node" || fail "no gate was opened on $node"
		fact "events_$node" "$EVENTS"
		fact "bytes_$node" "$(wc -c <"$DIR/trace-$node")"
	done
	! cmp -s "$DIR/trace-a" "$DIR/trace-b" || fail "two nodes have one life"
}

scenario_trace_into_a_file_outlives_the_agent()
{
	TRACE=all pair_up
	call_ok a Switchover
	settle
	[[ $PRIMARY == b ]] || fail "beta is not primary"
	agent_end b KILL
	replays "$DIR/all-b" '; the end is cut off'
	wait_role a primary
	TRACE=all agent_start b
	settle
	agent_end b TERM
	replays "$DIR/all-b"
	[[ $(grep -c '^config' "$DIR/all-b") == 2 && $(grep -c '^again$' "$DIR/all-b") == 1 ]] ||
		fail "two lives are not in the trace"
	[[ $(stat -c %a "$DIR/all-b") == 600 ]] || fail "others can read the trace"
	! in_ns b env -u NOTIFY_SOCKET STATE_DIRECTORY="$DIR/b/state" "$TAKEOVERD" \
		--config "$DIR/takeover.conf" --node beta --trace "$DIR/missing/trace" \
		2>"$DIR/refused" || fail "a trace that cannot be written is no matter"
	grep -q "cannot write a trace to $DIR/missing/trace: No such file" "$DIR/refused" ||
		fail "it does not say why: $(cat "$DIR/refused")"
}

scenario_trace_of_a_failure_is_kept()
{
	pair_up
	agent_signal a STOP
	wait_role b primary
	agent_signal a CONT
	settle
	kept b "taken over from a node that fell silent"
	kept a "the lease ran out"
	grep -q '^@[0-9]* ' "$KEPT" || fail "there is nothing in it"
	[[ $(stat -c %a "$KEPT") == 600 ]] || fail "others can read the trace"
	grep -q "what led to this (the lease ran out) is in $KEPT" "$DIR/agent-a.err" ||
		fail "the log does not say where: $(cat "$DIR/agent-a.err")"
}

# policies: the scheduling policies of the threads of agent A, "NAME NUMBER" each (sched(7))
policies()
{
	local task

	for task in "/proc/${AGENT[a]}/task"/*; do
		printf '%s %s\n' "$(<"$task/comm")" "$(sed 's/.*) //' "$task/stat" | cut -d' ' -f39)"
	done
}

scenario_trace_is_not_written_in_real_time()
{
	# shellcheck disable=SC2209 # a command with arguments
	WRAPPER='chrt --rr 5' TRACE=all pair_up
	grep -qx 'takeoverd 2' <(policies) || fail "the agent does not run in real time: $(policies)"
	grep -qx 'takeoverd-trace 0' <(policies) || fail "the trace does: $(policies)"
}
