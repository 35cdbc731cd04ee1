# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Who else has an address: asked before a claim, noticed while it is held.

# frames_start KEY NS LINK / frames_stop KEY: what is asked and said on it, in KEY.out, a line
# for each frame: "US KIND ADDRESS MAC"
frames_start()
{
	spawn_ready "$1" "$2" "$DIR/$1.out" "$PROBE" frames "$3" @READY@
}

frames_stop()
{
	finish "$1" || fail "frames: $(cat "$DIR/$1.err")"
}

# logged NODE TEXT [TIMES]: it is in its log
logged()
{
	local n

	n=$(grep -cF -- "$2" "$DIR/agent-$1.err") || true
	((n > 0)) || fail "node $1 does not say \"$2\": $(tail -n 5 "$DIR/agent-$1.err")"
	[[ -z ${3:-} || $n == "$3" ]] || fail "node $1 says \"$2\" $n times, not $3"
}

# A client has the addresses of two groups. Neither is claimed, and it is said who has which;
# when he has given one up, that one is claimed, and then the other.
scenario_claim_waits_for_a_stranger()
{
	local answered

	answered="a stranger ($(mac c 0)) answers for"
	net_up
	{
		config_agent
		config_nodes
		config_group sip "$VIP4"
		config_group web "$VIP6"
	} >"$DIR/takeover.conf"
	ip -n "$NET-c" address add "$VIP4/16" dev eth0
	ip -n "$NET-c" address add "$VIP6/64" dev eth0 nodad
	node_up a
	spawn_ready event a "$DIR/event.out" \
		"$PROBE" wait-event "$(bus_of a)" group/sip 01-00305 "$PATIENCE" @READY@
	agent_start a
	reap event || fail "no event 01-00305"
	grep -qxF "01-00305 Warning $answered $VIP4 on eth0: it is not claimed; asked again every 2 s" \
		"$DIR/event.out" || fail "event: $(cat "$DIR/event.out")"
	wait_property a group/web State fault
	wait_property a group/sip State fault
	logged a "$answered $VIP6 on eth0"
	wait_property a group/sip Fit false
	assert_tagged a ""
	ip -n "$NET-c" address delete "$VIP4/16" dev eth0
	wait_role a primary sip
	[[ $(get a group/web Role) == backup ]] || fail "web is claimed, and $VIP6 is taken"
	ip -n "$NET-c" address delete "$VIP6/64" dev eth0
	wait_role a primary web
	assert_holder a
	logged a "$answered" 2
}

# defended ADDRESS: a stranger says a thousand times that it is at his MAC. Node a says once
# that it is not, and a client who believed the stranger comes back.
defended()
{
	local forms=1

	[[ $1 == *:* ]] || forms=2
	spawn_ready event a "$DIR/event.out" \
		"$PROBE" wait-event "$(bus_of a)" group/sip 01-00306 "$PATIENCE" @READY@
	spawn_ready defence c /dev/null \
		"$PROBE" wait-frame eth0 announce "$1" "$(mac a 0)" "$PATIENCE" @READY@
	frames_start wire c eth0
	in_ns ca "$PROBE" usurp eth0 "$1" "$(mac ca 0)" 1000
	reap event || fail "no event 01-00306 for $1"
	reap defence || fail "$1 is not defended"
	frames_stop wire
	grep -qxF "01-00306 Error a stranger ($(mac ca 0)) uses $1 on eth0 as well, which is held here" \
		"$DIR/event.out" || fail "event: $(cat "$DIR/event.out")"
	[[ $(grep -c "announce $1 $(mac ca 0)" "$DIR/wire.out") == 1000 ]] ||
		fail "the stranger was seen $(grep -c "announce $1" "$DIR/wire.out") times"
	[[ $(grep -c "announce $1 $(mac a 0)" "$DIR/wire.out") == "$forms" ]] ||
		fail "$1 was defended by other than $forms frames: $(grep "$(mac a 0)" "$DIR/wire.out")"
}

# A stranger uses what is held: it is said who he is, and the address is defended, once in ten
# seconds whatever he sends; the heartbeats go on, and nothing moves.
scenario_stranger_uses_what_is_held()
{
	local term

	net_up
	{
		config_agent Announce=
		config_nodes
		config_group sip "$VIP4" "$VIP6"
	} >"$DIR/takeover.conf"
	nodes_up a b
	pair_start
	term=$(get a group/sip Term)
	defended "$VIP4"
	defended "$VIP6"
	logged a 01-00306 2
	! grep -qF 01-00306 "$DIR/agent-b.err" || fail "the backup has nothing to defend"
	! grep -qE '01-00402|01-00120' "$DIR"/agent-?.err || fail "heartbeats were lost"
	settle
	[[ $PRIMARY == a && $(get a group/sip Term) == "$term" ]] || fail "the group moved"
	ip -n "$NET-c" neighbour flush dev eth0
	assert_holder a
}

# Heartbeats are lost both ways, the service network is whole: the backup asks, is answered by
# the primary, which it names, and leaves it alone. When that dies, it takes over.
scenario_heartbeats_cut_and_one_holder()
{
	pair_up
	both_start
	in_ns br nft 'add table bridge wall;
		add chain bridge wall forward { type filter hook forward priority 0; };
		add rule bridge wall forward ether type ip udp dport 7373 drop'
	spawn_ready event b "$DIR/event.out" \
		"$PROBE" wait-event "$(bus_of b)" group/sip 01-00305 "$PATIENCE" @READY@
	reap event || fail "no event 01-00305 from the backup"
	grep -qF "alpha ($(mac a 0)) answers for" "$DIR/event.out" ||
		fail "event: $(cat "$DIR/event.out")"
	wait_property b group/sip State fault
	send_some c "$VIP4" 2500
	[[ ${R[alpha]:-0} == 2500 ]] || fail "alpha answered ${R[alpha]:-0} of 2500 packets"
	[[ $(get a group/sip Role) == primary ]] || fail "the primary has given up"
	both_stop
	[[ ${R[answers_b]} == 0 ]] || fail "the backup answered ${R[answers_b]} packets"
	node_kill a
	wait_role b primary
	send_some c "$VIP4" 50
	[[ ${R[beta]:-0} == 50 ]] || fail "beta answered ${R[beta]:-0} of 50 packets"
}

# us_of KIND ADDRESS MAC [AFTER-US]: when this was on the wire first after that
us_of()
{
	local us

	us=$(awk -v after="${4:-0}" -v wanted="$1 $2 $3" \
		'$1 > after && $2 " " $3 " " $4 == wanted { print $1; exit }' "$DIR/wire.out")
	[[ -n $us ]] || fail "no frame: $1 $2 $3"
	printf '%s' "$us"
}

# A switchover asks nobody. A failover asks for each address, when the lease of the dead is over
# and before it claims.
scenario_failover_asks_first()
{
	local address died asked told

	pair_up
	frames_start moves br b0
	call_ok a Switchover
	settle
	call_ok b Switchover
	settle
	[[ $PRIMARY == a ]] || fail "the group is not back on a"
	frames_stop moves
	frames_start wire br b0
	in_ns br "$PROBE" wait-frame b0 beat 10.77.0.11 "$(mac a 0)" "$PATIENCE" ||
		fail "a sends no heartbeat"
	node_kill a
	wait_role b primary
	frames_stop wire
	! grep ' probe ' "$DIR/moves.out" || fail "a switchover has asked"
	died=$(awk -v a="$(mac a 0)" '$2 == "beat" && $4 == a { us = $1 } END { print us }' \
		"$DIR/wire.out")
	[[ -n $died ]] || fail "no heartbeat of a is on record"
	for address in "$VIP4" "$VIP6"; do
		asked=$(us_of probe "$address" "$(mac b 0)")
		told=$(us_of announce "$address" "$(mac b 0)" "$died")
		((asked >= died + 350000)) ||
			fail "asked for $address $((asked - died)) µs after the last heartbeat"
		((told > asked)) || fail "$address was announced before anybody was asked"
		fact "asked_after_us" $((asked - died))
		fact "announced_after_us" $((told - died))
	done
}

# How long it takes to ask for 5,000 addresses once
scenario_probe_of_5000_addresses()
{
	local i addresses=() first last

	for ((i = 0; i < 5000; i++)); do
		addresses+=("10.77.$((100 + i / 250)).$((i % 250 + 1))")
	done
	net_up
	{
		config_agent
		config_nodes
		config_group sip "${addresses[@]}"
	} >"$DIR/takeover.conf"
	node_up a
	frames_start wire br a0
	agent_start a
	wait_role a primary
	frames_stop wire
	grep ' probe ' "$DIR/wire.out" | sort -k3,3 -u | sort -n >"$DIR/probes"
	[[ $(wc -l <"$DIR/probes") == 5000 ]] || fail "$(wc -l <"$DIR/probes") of 5000 were asked for"
	read -r first _ <"$DIR/probes"
	read -r last _ < <(tail -n 1 "$DIR/probes")
	fact asked_for_all_us $((last - first))
	fact frames "$(grep -c ' probe ' "$DIR/wire.out")"
}
