# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # variables of lib.sh, which sources this
#
# What clients see: who answers, how many packets are lost, who has the addresses.

# figures "key=value ...": into R
figures()
{
	local word

	R=()
	for word in $1; do
		R[${word%%=*}]=${word#*=}
	done
}

# send_start KEY CLIENT ADDRESS [INTERVAL_US]: until send_stop KEY; returns
# with the first answer
send_start()
{
	spawn_ready "send-$1" "$2" "$DIR/$1.out" "$PROBE" send "$3" "$PORT" \
		--interval-us "${4:-250}" --log "$DIR/$1.log" --ready @READY@
}

# The same for a client that may go without any answer
send_start_blind()
{
	spawn "send-$1" "$2" "$DIR/$1.out" "$PROBE" send "$3" "$PORT" \
		--interval-us "${4:-250}" --log "$DIR/$1.log"
}

# send_stop KEY: sets R[sent], R[lost], R[silence_us], R[alpha], R[beta], ...
send_stop()
{
	finish "send-$1" || fail "send: $(cat "$DIR/send-$1.err")"
	figures "$(cat "$DIR/$1.out")"
}

# assert_none_lost KEY: ends it, and every packet has been answered
assert_none_lost()
{
	send_stop "$1"
	fact "${1/load/lost}" "${R[lost]}"
	[[ ${R[lost]} == 0 ]] || fail "$1: ${R[lost]} of ${R[sent]} packets lost"
}

# send_some CLIENT ADDRESS COUNT [INTERVAL_US]: sets R as send_stop does
send_some()
{
	figures "$(in_ns "$1" "$PROBE" send "$2" "$PORT" --count "$3" --interval-us "${4:-1000}")"
}

# serve_start NS: TCP for clients
serve_start()
{
	spawn_ready "serve-$1" "$1" /dev/null "$PROBE" serve "$SERVICE" --ready @READY@
}

# client_enter ADDRESS: the one TCP connection of a client. Who reads it ends with CLIENT_IN.
client_enter()
{
	rm -f "$DIR/client.in" "$DIR/client.back"
	mkfifo "$DIR/client.in" "$DIR/client.back"
	exec {CLIENT_IN}<>"$DIR/client.in" {CLIENT_BACK}<>"$DIR/client.back"
	# shellcheck disable=SC2016 # for that shell
	spawn client c "$DIR/client.back" bash -c 'exec 5<>"/dev/tcp/$0/$1" <"$2" && echo in &&
		while read -r word && [[ $word != bye ]]; do
			echo "$word" >&5 && read -r word <&5 && echo "$word" || exit 1
		done' "$1" "$SERVICE" "$DIR/client.in"
	client_says in
}

client_says() # WORD
{
	local word

	read -r -t "$PATIENCE" word <&"$CLIENT_BACK" || fail "the client is silent: $(cat "$DIR/client.err")"
	[[ $word == "$1" ]] || fail "the client says \"$word\", not \"$1\""
}

# client_talk WORD: through the connection, there and back
client_talk()
{
	echo "$1" >&"$CLIENT_IN"
	client_says "$1"
}

client_leave()
{
	echo bye >&"$CLIENT_IN"
	reap client || fail "the client's connection broke: $(cat "$DIR/client.err")"
	exec {CLIENT_IN}>&- {CLIENT_BACK}>&-
}

# both_start / both_stop: do both nodes answer at the same time? R[both_us]. Where the group may
# move there and back within milliseconds, a shorter pause has to end a stretch of answers.
both_start() # [ADDRESS]
{
	send_start_blind both-a ca "${1:-$VIP4}" 500
	send_start_blind both-b cb "${1:-$VIP4}" 500
}

both_stop() # [PAUSE-US]
{
	send_stop both-a
	send_stop both-b
	figures "$("$PROBE" overlap "$DIR/both-a.log" "$DIR/both-b.log" "${1:-5000}")"
}

assert_never_both() # [PAUSE-US]
{
	both_stop "$@"
	fact both_us "${R[both_us]}"
	[[ ${R[both_us]} == 0 ]] || fail "both nodes answered for ${R[both_us]} µs"
}

# assert_verified NODE: the witness, which reads the kernel with other code, finds no
# difference to what the agent says of the group sip; if that runs and answers
assert_verified()
{
	local said

	[[ -n ${AGENT[$1]:-} ]] || return 0
	said=$(DBUS_SYSTEM_BUS_ADDRESS=$(bus_of "$1") in_ns "$1" \
		"$BUILD/takeoverctl" verify --json sip 2>&1) || true
	[[ $said != *'"weight":"difference"'* ]] || fail "the witness on node $1: $said"
}

# Exactly this node answers, for both families, whatever the client believes;
# and only this node has the addresses, with prefixes of these lengths: by
# what probe reads, and by the witness.
assert_holder() # NODE [LENGTH4 LENGTH6]
{
	local holder=$1 idle address name=${NODE_NAME[$1]}

	idle=$(other "$1")
	for address in "$VIP4" "$VIP6"; do
		send_some c "$address" 50
		[[ ${R[$name]:-0} == 50 ]] ||
			fail "$name answered ${R[$name]:-0} of 50 packets to $address"
		send_some "c$holder" "$address" 50
		[[ ${R[$name]:-0} == 50 ]] ||
			fail "$name answered ${R[$name]:-0} of 50 packets to its MAC, $address"
		send_some "c$idle" "$address" 50
		[[ ${R[answered]} == 0 ]] ||
			fail "${NODE_NAME[$idle]} answered ${R[answered]} packets to $address"
	done
	assert_tagged "$holder" "$(printf '%s/%s eth0\n%s/%s eth0' "$VIP4" "${2:-16}" \
		"$VIP6" "${3:-64}")"
	[[ ! -e /run/netns/$NET-$idle ]] || assert_tagged "$idle" ""
	assert_verified "$holder"
	assert_verified "$idle"
}

tagged()
{
	in_ns "$1" "$PROBE" addresses "$TAG" | sort
}

assert_tagged() # NODE EXPECTED-LINES
{
	local now

	now=$(tagged "$1")
	[[ $now == "$2" ]] || fail "node $1 has the tagged addresses \"$now\", not \"$2\""
}

# fact NAME VALUE: a figure for the report, by run.sh
fact()
{
	printf '@fact %s %s\n' "$1" "$2"
}
