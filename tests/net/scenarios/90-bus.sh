# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Bad days of the bus: callers who send the wrong things, too many, or go away.

NOBODY=(setpriv --reuid=65534 --regid=65534 --clear-groups)

# wrong ERROR busctl-arguments: it is refused by that name, or that message
wrong()
{
	local answer

	if answer=$(in_ns a busctl --address="$(bus_of a)" "${@:2}" 2>&1); then
		fail "${*:2}: $answer"
	fi
	[[ $answer == *$1* ]] || fail "${*:2}: \"$answer\", not $1"
}

wrong_calls()
{
	local object=/org/takeover1/group/sip group=org.takeover1.Group
	local to=(call org.takeover1) properties=org.freedesktop.DBus.Properties long

	printf -v long '%*s' 100000 x
	wrong 'Invalid arguments' "${to[@]}" $object $group Switchover s x
	wrong 'Invalid arguments' "${to[@]}" $object $group Switchover s "$long"
	wrong 'Invalid arguments' "${to[@]}" $object $group Switchover as 3 a b c
	wrong 'Invalid arguments' "${to[@]}" $object $group SetMaintenance
	wrong 'Invalid arguments' "${to[@]}" $object $group SetMaintenance s yes
	wrong 'Invalid arguments' "${to[@]}" $object $group SetMaintenance bb true true
	wrong 'Invalid arguments' "${to[@]}" $object $group Announce 'a{sv}' 0
	wrong 'Invalid arguments' "${to[@]}" $object $group CanSwitchover u 1
	wrong 'Invalid arguments' "${to[@]}" $object $group SwitchoverWithOptions 'a{ss}' 0
	wrong 'There is no option "fast"' "${to[@]}" $object $group \
		SwitchoverWithOptions 'a{sv}' 1 fast b true
	wrong 'is of type t, not i' "${to[@]}" $object $group \
		SwitchoverWithOptions 'a{sv}' 1 deadline_usec i 5
	wrong 'no such node' "${to[@]}" $object $group SwitchoverWithOptions 'a{sv}' 1 to s nope
	wrong 'a line each' "${to[@]}" $object $group InhibitTakeover ss who "$long"
	wrong 'Invalid arguments' "${to[@]}" $object $group InhibitTakeover s who
	wrong 'A role is' "${to[@]}" $object $group WaitForRole s boss
	wrong 'Invalid arguments' "${to[@]}" $object $group WaitForRole b true
	wrong 'There is no group "nope" here' "${to[@]}" /org/takeover1/group/nope $group Switchover
	wrong 'There is no group of this name here' "${to[@]}" /org/takeover1/group/_ff $group Switchover
	wrong 'Unknown' "${to[@]}" /org/takeover1/group $group Switchover
	wrong 'Unknown' "${to[@]}" /org/takeover1 $group Switchover
	wrong 'Unknown' "${to[@]}" /elsewhere $group Switchover
	wrong 'Unknown' "${to[@]}" $object $group Explode
	wrong 'Unknown' "${to[@]}" $object org.takeover1.Grope Switchover
	wrong 'is not writable' set-property org.takeover1 $object $group Role s primary
	wrong 'Unknown' get-property org.takeover1 $object $group Colour
	wrong 'Unknown' get-property org.takeover1 $object org.takeover1.Grope Role
	wrong 'Unknown' "${to[@]}" $object $properties GetAll s org.takeover1.Grope
	wrong 'Expected interface parameter' "${to[@]}" $object $properties GetAll u 1
	wrong 'Unknown' "${to[@]}" $object $properties Get ss $group "$long"
	wrong 'Expected interface and member parameters' "${to[@]}" $object $properties Get s $group
}

# Every wrong call is answered with its reason and does nothing; a caller who
# hangs up in the middle leaves the switchover to its end, and nothing behind.
scenario_bus_wrong_calls_and_callers_who_hang_up()
{
	local term rss

	pair_up
	term=$(get a group/sip Term)
	wrong_calls
	[[ $(in_ns a "$PROBE" huge "$(bus_of a)" Switchover 4) == *.InvalidArgs ]] ||
		fail "4 MiB too much are not refused"
	settle
	[[ $PRIMARY == a && $(get a group/sip Term) == "$term" ]] || fail "a wrong call moved the group"
	send_start load c "$VIP4" 500
	in_ns a "$PROBE" hang-up "$(bus_of a)" 20
	rss=$(rss_kib a)
	in_ns a "$PROBE" hang-up "$(bus_of a)" 200
	assert_grown a "$rss" 1024
	settle
	fact moves "$(($(get "$PRIMARY" group/sip Term) - term))"
	# those who ask while another switchover is under way are refused: one of each round at least
	(($(get "$PRIMARY" group/sip Term) - term >= 2)) || fail "switchovers were not seen through"
	call_ok "$PRIMARY" Switchover
	settle
	assert_none_lost load
	assert_holder "$PRIMARY"
}

# A crowd without rights, part of which reads no answer: the heartbeats do not
# notice, the operator is answered, and memory stays within bounds.
# Alone: sixty callers who do not pause.
scenario_bus_flood_by_nobody()
{
	local term rss i

	pair_up
	term=$(get a group/sip Term)
	rss=$(rss_kib a)
	umask 0 # nobody, too, writes that it is ready
	spawn_ready deaf a "$DIR/deaf.out" "${NOBODY[@]}" "$PROBE" storm "$(bus_of a)" \
		Switchover 20 @READY@ deaf
	spawn_ready flood a "$DIR/flood.out" "${NOBODY[@]}" "$PROBE" storm "$(bus_of a)" \
		Switchover 40 @READY@
	umask 022
	send_some c "$VIP4" 1500
	fact lost "${R[lost]}"
	settle
	[[ $PRIMARY == a && $(get a group/sip Term) == "$term" ]] || fail "the flood moved the group"
	: >"$DIR/call_us"
	for ((i = 0; i < 5; i++)); do
		call_ok "$PRIMARY" Switchover
		echo "${R[call_us]}" >>"$DIR/call_us"
		settle
	done
	fact operator_median_us "$(median "$DIR/call_us")"
	fact operator_longest_us "$(sort -n "$DIR/call_us" | tail -n1)"
	assert_grown a "$rss" 16384
	finish flood || fail "flood: $(cat "$DIR/flood.err")"
	finish deaf || fail "deaf: $(cat "$DIR/deaf.err")"
	figures "$(cat "$DIR/flood.out")"
	fact answered "${R[answers]}"
	((R[answers] > 40)) || fail "not even an answer for each caller: ${R[answers]}"
	assert_holder "$PRIMARY"
}

# crowd KEY METHOD CONNECTIONS [deaf]: callers without rights who do not pause
crowd()
{
	umask 0 # nobody, too, writes that it is ready
	spawn_ready "$1" a "$DIR/$1.out" "${NOBODY[@]}" "$PROBE" storm "$(bus_of a)" "$2" "$3" \
		@READY@ "${@:4}"
	umask 022
}

# gaps_while KEY COMMAND...: how punctual the heartbeats of node a are meanwhile
gaps_while()
{
	spawn_ready gaps br "$DIR/gaps.out" "$PROBE" gaps a0 7373 --ready @READY@
	"${@:2}"
	fact "$1_lost" "${R[lost]}"
	finish gaps || fail "gaps: $(cat "$DIR/gaps.err")"
	figures "$(cat "$DIR/gaps.out")"
	fact "$1_gap_p999_us" "${R[p999_us]}"
	fact "$1_gap_longest_us" "${R[max_us]}"
}

# Thousands of calls a second at heartbeats of 10 ms: of those who look, of those who may
# not, with wrong arguments, from many connections, of which some read nothing. Nothing moves
# and no lease lapses. How late a heartbeat was is a figure, not a condition.
# Busy: callers that do not pause.
scenario_bus_flood_beside_fast_heartbeats()
{
	local term key calls=0 begun

	INTERVAL=10ms LEASE=${LEASE:-700ms} DEAD_TIME=${DEAD_TIME:-1s} pair_up
	term=$(get a group/sip Term)
	gaps_while quiet send_some c "$VIP4" 2000
	begun=$(date +%s%N)
	crowd deaf CanSwitchover 10 deaf
	crowd look CanSwitchover 30
	crowd ask Switchover 30
	crowd wrong WaitForRole 20
	crowd explain Explain 10
	gaps_while flood send_some c "$VIP4" 4000
	for key in look ask wrong explain deaf; do
		finish $key || fail "$key: $(cat "$DIR/$key.err")"
		figures "$(cat "$DIR/$key.out")"
		calls=$((calls + R[answers]))
	done
	fact answers_per_s "$((calls * 1000 / (($(date +%s%N) - begun) / 1000000)))"
	settle
	[[ $PRIMARY == a && $(get a group/sip Term) == "$term" ]] || fail "the flood moved the group"
	! grep -h '01-00120\|01-00402' "$DIR"/agent-*.err || fail "a lease lapsed, or a node was silent"
	call_ok a Switchover
	assert_holder b
}
