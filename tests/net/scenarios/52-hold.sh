# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# What others do to our addresses while we hold them, and what is left when we do not.

# An ip(8) on node a that stays, so that its name can still be read when it has done something.
vandal_up()
{
	mkfifo "$DIR/vandal"
	exec {VANDAL}<>"$DIR/vandal"
	spawn vandal a /dev/null ip -batch "$DIR/vandal"
}

vandal() # COMMAND...
{
	printf '%s\n' "$*" >&"$VANDAL"
}

# once NODE PATTERN: its agent has said it, and no more than this once
once()
{
	local n

	wait_said "$1" "$2"
	n=$(grep -cE -e "$2" "$DIR/agent-$1.err")
	((n == 1)) || fail "the agent of node $1 said \"$2\" $n times"
}

# A stranger deletes and changes what we hold, again and again: it is put back at once each time,
# and the log says who it was. In the end the node is unfit, and a better one takes over.
scenario_drift_is_repaired_and_told()
{
	local by='by ip \(process [0-9]+\)' address

	pair_up
	vandal_up
	for address in "$VIP4" "$VIP6"; do
		spawn_ready "away-$address" a "$DIR/away-$address" "$PROBE" away "$address" @READY@
	done
	vandal address delete "$VIP4/16" dev eth0
	once a "$VIP4/16 on eth0 had been removed by ip \(process ${PIDS[vandal]}\): it is back"
	vandal address delete "$VIP6/64" dev eth0
	once a "$VIP6/64 on eth0 had been removed \(the kernel does not tell by whom\): it is back"
	[[ $(get a group/sip Fit) == true ]] || fail "one burst made the node unfit"

	sleep 1 # what comes within a second counts once
	vandal address replace "$VIP4/16" dev eth0
	once a "$VIP4/16 on eth0 had been changed $by: it is back"
	vandal address replace "$VIP6/64" dev eth0
	once a "$VIP6/64 on eth0 had been changed \(the kernel"
	assert_holder a

	for address in 1 2; do
		sleep 1
		said_anew a
		vandal address delete "$VIP4/16" dev eth0
		wait_said a "had been removed $by: it is back"
	done
	settle
	[[ $PRIMARY == a && $(get a group/sip Fit) == true ]] || fail "unfit after four losses"
	sleep 1
	vandal address delete "$VIP4/16" dev eth0
	wait_said a 'unfit: drift'
	wait_role b primary
	assert_holder b
	for address in "$VIP4" "$VIP6"; do
		finish "away-$address" || fail "away: $(cat "$DIR/away-$address.err")"
		figures "$(cat "$DIR/away-$address")"
		fact "longest_us_$([[ $address == *:* ]] && echo 6 || echo 4)" "${R[longest_us]}"
	done
}

# once_per COPY...: the agent of node a has said of each that it is not ours
told_once()
{
	local copy

	for copy; do
		once a "sip: $copy is not from us"
	done
}

# silent NODE: whatever a client believes, this node does not answer for the addresses
silent()
{
	local address

	for address in "$VIP4" "$VIP6"; do
		send_some "c$1" "$address" 50
		[[ ${R[answered]} == 0 ]] ||
			fail "${NODE_NAME[$1]} answered ${R[answered]} packets to $address"
		ip -n "$NET-c" neighbour flush to "$address" dev eth0
		send_some c "$address" 20
		[[ ${R[answered]} == 20 && -z ${R[${NODE_NAME[$1]}]:-} ]] ||
			fail "asked anew who has $address: $(declare -p R)"
	done
}

# The host's own addresses: of which ours is one, with other prefixes and elsewhere.
own()
{
	in_ns a "$PROBE" addresses | grep -v 'tag=116' | sed 's/ valid_s.*//' | sort
}

# Addresses of ours that are not from us stand on a node when it starts, and more come. They are
# told once each and answer for nothing. What stands where ours belongs becomes ours with the
# claim; all others stay, whatever happens to the group.
scenario_copies_are_silent_and_left_alone()
{
	local copies=("$VIP4/32 on eth1" "$VIP4/32 on lo" "$VIP6/128 on lo")

	net_up
	config_default >"$DIR/takeover.conf"
	nodes_up a b
	agent_start b
	wait_role b primary
	printf 'address add %s\n' "$VIP4/16 dev eth0" "$VIP6/64 dev eth0 nodad" \
		"$VIP4/32 dev eth1" "10.77.0.200/16 dev eth0" | ip -n "$NET-a" -batch -
	agent_start a
	settle
	[[ $PRIMARY == b ]] || fail "took over at its start"
	told_once "$VIP4/16 on eth0" "$VIP6/64 on eth0" "$VIP4/32 on eth1"
	printf 'address add %s\n' "$VIP4/32 dev lo" "$VIP6/128 dev lo" | ip -n "$NET-a" -batch -
	told_once "${copies[@]}"
	own >"$DIR/before"
	silent a

	call_ok b Switchover
	settle
	assert_tagged a "$(printf '%s/16 eth0\n%s/64 eth0' "$VIP4" "$VIP6")"
	send_some c "$VIP4" 50
	[[ ${R[alpha]:-0} == 50 ]] || fail "alpha answered ${R[alpha]:-0} of 50"
	told_once "${copies[@]}"

	call_ok a Switchover
	settle
	wait_said a "sip: $VIP4 and 1 more are released, but this host still has them on"
	assert_tagged a ""
	own >"$DIR/after"
	grep -vE "^($VIP4/16|$VIP6/64) eth0" "$DIR/before" | cmp -s - "$DIR/after" ||
		fail "others' addresses: $(diff "$DIR/before" "$DIR/after")"
	silent a
}

# Ours comes before the host's own address of the same network, as after `networkctl reconfigure`:
# the kernel would remove the one behind with ours.
scenario_own_address_behind_ours_stays()
{
	pair_up
	[[ $(in_ns a cat /proc/sys/net/ipv4/conf/{all,eth0}/promote_secondaries) == $'0\n0' ]] ||
		fail "promote_secondaries is set: this would test nothing"
	printf 'address delete 10.77.0.11/16 dev eth0\n' | ip -n "$NET-a" -batch -
	in_ns a "$PROBE" wait-address "$VIP4" present "$PATIENCE" || fail "$VIP4 was not put back"
	printf 'address add 10.77.0.11/16 dev eth0\n' | ip -n "$NET-a" -batch -
	ip -n "$NET-a" address add 10.77.0.200/16 dev eth0
	own >"$DIR/before"
	ip -n "$NET-a" route get 10.77.0.50 >/dev/null || fail "no route to the network while held"
	call_ok a Switchover
	settle
	own >"$DIR/after"
	cmp -s "$DIR/before" "$DIR/after" ||
		fail "own addresses changed: $(diff "$DIR/before" "$DIR/after")"
	ip -n "$NET-a" route get 10.77.0.50 >/dev/null || fail "the network's route went"
	[[ $(in_ns a cat /proc/sys/net/ipv4/conf/eth0/promote_secondaries) == 0 ]] ||
		fail "promote_secondaries stays set"
	assert_holder b
}

# local_to NODE HOLDER: what runs on it reaches the holder
local_to()
{
	local address name=${NODE_NAME[$2]}

	for address in "$VIP4" "$VIP6"; do
		send_some "$1" "$address" 50
		[[ ${R[$name]:-0} == 50 ]] ||
			fail "from ${NODE_NAME[$1]} $name answered ${R[$name]:-0} of 50 packets to $address:" \
				"$(ip -n "$NET-$1" neighbour show to "$address")"
	done
}

# unbelieving NODE: its kernel believes no announcement
unbelieving()
{
	in_ns "$1" sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/drop_gratuitous_arp &&
		echo 1 >/proc/sys/net/ipv6/conf/eth0/drop_unsolicited_na'
}

# misguided NODE: its kernel has learned that the addresses are where nobody is
misguided()
{
	local address

	for address in "$VIP4" "$VIP6"; do
		ip -n "$NET-$1" neighbour replace "$address" lladdr 02:74:6b:00:00:99 dev eth0 nud reachable
	done
}

# The nodes are clients, too: what runs on either of them reaches the primary, right after a
# switchover and a failover, whatever its kernel believed before.
scenario_own_traffic_follows()
{
	pair_up
	local_to a a
	local_to b a
	unbelieving a
	unbelieving b
	misguided a
	misguided b
	ip -n "$NET-b" neighbour replace 10.77.0.99 lladdr 02:74:6b:00:00:99 dev eth0 nud permanent
	call_ok a Switchover
	settle
	local_to a b
	local_to b b
	misguided b # stale when it lets go
	call_ok b Switchover
	settle
	local_to b a
	local_to a a
	agent_end a KILL
	wait_role b primary
	local_to b b
	[[ $(ip -n "$NET-b" neighbour show 10.77.0.99 dev eth0) == *PERMANENT* ]] ||
		fail "an entry was removed that is not about ours"
}

# Ten new lives of the agent in a row and more, half of them after a sudden end: none lives as long as the
# addresses do, or waits until it would be time to refresh them.
scenario_restarts_in_a_row_lose_nothing()
{
	local end i signal

	# The lease is long, so that a busy machine has the time to start the agent anew.
	# shellcheck disable=SC2034 # for config_agent
	local LEASE=2500ms DEAD_TIME=3s

	net_up
	{
		config_agent AddressLifetime=3s
		config_nodes
		config_group sip "$VIP4" "$VIP6"
	} >"$DIR/takeover.conf"
	nodes_up a b
	pair_start
	send_start load4 c "$VIP4" 1000
	send_start load6 c "$VIP6" 1000
	end=$((SECONDS + 4)) # longer than the addresses live by themselves
	for ((i = 0; i < 5 || SECONDS < end; i++)); do
		for signal in KILL USR2; do
			agent_end a "$signal"
			agent_start a
			wait_role a primary
			wait_property a peer/beta State up # which renews the lease
		done
	done
	fact restarts $((2 * i))
	for i in load4 load6; do
		assert_none_lost "$i"
	done
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
	assert_holder a
}

# A stranger adds and deletes thousands of addresses on the interface where we hold some hundred,
# in our network and in another one, while heartbeats leave every 10 ms. Nothing of it is taken
# for a loss, and the one loss in the middle of it is seen.
# Alone: the kernel lets nobody else run while it adds many.
scenario_thousands_of_others_are_nobodys_business()
{
	local addresses=("$VIP4" "$VIP6") i term

	for ((i = 0; i < 400; i++)); do
		addresses+=("10.77.$((4 + i / 250)).$((1 + i % 250))")
	done
	net_up
	{
		LEASE=2s DEAD_TIME=3s config_agent | sed 's/^Interval=.*/Interval=10ms/'
		config_nodes
		config_group sip "${addresses[@]}"
	} >"$DIR/takeover.conf"
	nodes_up a b
	pair_start
	term=$(get a group/sip Term)
	for ((i = 0; i < 2000; i++)); do
		echo "address add 10.89.$((i / 250)).$((1 + i % 250))/32 dev eth0"
		((i % 10)) || echo "address add 10.77.128.$((1 + i / 10))/16 dev eth0"
	done >"$DIR/add"
	{
		sed 's/ add / delete /' "$DIR/add"
		echo "address delete $VIP4/16 dev eth0"
	} >"$DIR/delete"
	said_anew a
	ip -n "$NET-a" -batch "$DIR/add"
	ip -n "$NET-a" -batch "$DIR/delete"
	wait_said a "$VIP4/16 on eth0 had been removed by .*: it is back"
	! grep -vE 'removed by .*: (putting it|it is) back' "$DIR/agent-a.err" || fail "there was more to say"
	[[ $(get a group/sip Term) == "$term" && $(get a group/sip Fit) == true ]] ||
		fail "term $(get a group/sip Term) after $term"
	[[ $(tagged a | wc -l) == 402 ]] || fail "a has $(tagged a | wc -l) of 402 addresses"
	assert_verified a
}
