# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # R is set by figures

# hostile_up: both nodes, and their heartbeats on record
hostile_up()
{
	pair_up
	in_ns br "$PROBE" record a0 7373 20 "$DIR/of-a" || fail "no heartbeats of a seen"
	in_ns br "$PROBE" record b0 7373 20 "$DIR/of-b" || fail "no heartbeats of b seen"
}

# flood_command NODE SOURCE KIND COUNT [PER-SECOND]: what the other node has said, in a wrong
# way, as if it came from the address of SOURCE
flood_command()
{
	printf '%s\n' "$PROBE" flood "10.77.0.${NUMBER[$2]}" "10.77.0.${NUMBER[$1]}" 7373 "$3" "$4" \
		"$DIR/of-$(other "$1")" "$DIR/key" "${@:5}"
}

# flood_start KEY CLIENT, and then as above: in the background, at full speed
flood_start()
{
	local command

	mapfile -t command < <(flood_command "${@:3}")
	spawn "$1" "$2" "$DIR/$1.out" "${command[@]}"
}

# flood_stop KEY: sets R[sent], R[us]
flood_stop()
{
	reap "$1" 120 || fail "flood: $(cat "$DIR/$1.err")"
	figures "$(cat "$DIR/$1.out")"
}

log_lines()
{
	wc -l <"$DIR/agent-$1.err"
}

# counted NODE SOURCE KIND [COUNTER]: half of a thousand are, at least; the others may have
# found the socket full
counted()
{
	local counter=${4:-RefusedPackets} before command

	before=$(get "$1" manager "$counter")
	mapfile -t command < <(flood_command "$1" "$2" "$3" 1000 20000)
	in_ns c "${command[@]}" >/dev/null || fail "cannot send $3 packets"
	wait_property "$1" manager "$counter" ">$((before + 500))"
}

# oversized NODE: up to 64 KiB in fragments; more than what the agent takes is cut off
oversized()
{
	local before command

	before=$(get "$1" manager RefusedPackets)
	mapfile -t command < <(flood_command "$1" "$(other "$1")" oversized 200 400)
	in_ns c "${command[@]}" >/dev/null || fail "cannot send oversized packets"
	wait_property "$1" manager RefusedPackets ">$((before + 50))"
}

# quiet NODE LINES PACKETS: the log has not grown by a line for each
quiet()
{
	local lines

	lines=$(($(log_lines "$1") - $2))
	((lines < 10)) || fail "$3 packets are $lines lines in the log of $1: $(tail "$DIR/agent-$1.err")"
}

# Every kind of wrong packet, in the name of the peer and of a client: counted by each
# node, told of in a few lines, without effect.
# Busy: 20,000 packets a second.
scenario_hostile_packets_are_counted()
{
	local node kind term lines

	hostile_up
	term=$(get a group/sip Term)
	send_start load c "$VIP4" 1000
	for node in a b; do
		lines=$(log_lines "$node")
		for kind in replay reorder truncated flip echo version other-key nonsense; do
			counted "$node" "$(other "$node")" "$kind"
			counted "$node" c "$kind"
		done
		counted "$node" "$(other "$node")" stranger Strangers
		counted "$node" c stranger Strangers
		oversized "$node"
		quiet "$node" "$lines" 18000
	done
	send_stop load
	[[ ${R[lost]} == 0 && ${R[alpha]} == "${R[sent]}" ]] || fail "${R[lost]} packets were lost"
	settle
	[[ $PRIMARY == a && $(get a group/sip Term) == "$term" ]] || fail "the group has moved"
	assert_holder a
}

# A million of them, at full speed, to both nodes, while clients measure: nothing moves,
# no node grows, and two never answer. The agents run at realtime priority, as a service does:
# the senders take all the time that they get.
# Alone: all of the processors.
scenario_flood_of_a_million_packets()
{
	local term node us count=500000
	local -A rss lines
	local WRAPPER="chrt --rr 5 $WRAPPER"

	hostile_up
	for node in a b; do # so that what is needed once is there
		counted "$node" "$(other "$node")" mixed
		rss[$node]=$(rss_kib "$node")
		lines[$node]=$(log_lines "$node")
	done
	term=$(get a group/sip Term)
	both_start
	send_start load c "$VIP4" 1000
	! is_sanitized a || count=50000 # it takes ten times as long
	flood_start flood-a ca a b mixed "$count"
	flood_start flood-b cb b a mixed "$count"
	for node in a b; do
		flood_stop "flood-$node"
		((R[sent] > count * 9 / 10)) || fail "only ${R[sent]} packets left for $node"
		us=${R[us]}
		fact "per_second_$node" $((R[sent] * 1000000 / us))
	done
	send_stop load
	fact lost "${R[lost]}"
	[[ ${R[answered]} != 0 ]] || fail "nobody has answered"
	[[ ${R[alpha]} == "${R[answered]}" ]] || fail "somebody else has answered"
	both_stop
	[[ ${R[both_us]} == 0 && ${R[answers_b]} == 0 ]] ||
		fail "the backup answered ${R[answers_b]} packets, both for ${R[both_us]} µs"
	for node in a b; do
		fact "refused_$node" "$(get "$node" manager RefusedPackets)"
		quiet "$node" "${lines[$node]}" "$count"
		assert_grown "$node" "${rss[$node]}" 512
	done
	settle
	[[ $PRIMARY == a && $(get a group/sip Term) == "$term" ]] || fail "the group has moved"
	assert_holder a
}

# A switchover does not wait for the end of a flood.
# Alone: all of the processors.
scenario_switchover_in_a_flood()
{
	local WRAPPER="chrt --rr 5 $WRAPPER"

	hostile_up
	flood_start flood-a ca a b mixed 200000
	flood_start flood-b cb b a mixed 200000
	wait_property a manager RefusedPackets '>1000'
	wait_property b manager RefusedPackets '>1000'
	call_ok a Switchover
	fact call_us "${R[call_us]}"
	settle
	[[ $PRIMARY == b ]] || fail "the group is where it was"
	flood_stop flood-a
	flood_stop flood-b
	settle
	[[ $PRIMARY == b ]] || fail "the group has moved back"
	assert_holder b
}
