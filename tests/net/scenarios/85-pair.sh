# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Bad days of the pair: requests that meet, hosts that are not what they say.

# said NODE TEXT [TIMES]: in its log; exactly so often, where that is given
said()
{
	local n

	n=$(grep -cF -- "$2" "$DIR/agent-$1.err") || true
	((n > 0)) || fail "node $1 does not say \"$2\""
	[[ -z ${3:-} || $n == "$3" ]] || fail "node $1 says \"$2\" $n times, not $3"
}

# ask KEY NODE METHOD [ARGUMENT]: a caller in the background; answer KEY: its answer
ask()
{
	spawn "ask-$1" "$2" "$DIR/ask-$1.out" "$PROBE" call "$(bus_of "$2")" group/sip \
		"${@:3}"
}

answer() # KEY: into R
{
	reap "ask-$1" || true
	figures "$(cat "$DIR/ask-$1.out")"
	[[ -n ${R[result]:-} ]] || fail "caller $1 got no answer: $(cat "$DIR/ask-$1.err")"
}

# both_ask METHOD [ARGUMENT]: on both nodes at once; sets ANSWER[a], ANSWER[b], NAMED[a], ...
declare -A ANSWER=() NAMED=()
both_ask()
{
	local node

	ask a a "$@"
	ask b b "$@"
	for node in a b; do
		answer "$node"
		ANSWER[$node]=${R[result]}
		NAMED[$node]=${R[primary]:-}
	done
	printf '%s %s\n' "${ANSWER[a]}" "${ANSWER[b]}" >>"$DIR/answers"
}

# What two callers at once were told: ok by a move of their own, or both by the
# same one, the last one to where the group is now; or that they came too late.
judge_answers() # TERM-BEFORE
{
	local node oks=0 moved

	settle
	for node in a b; do
		case ${ANSWER[$node]} in
		ok) oks=$((oks + 1)) ;;
		Busy | NotFit) ;;
		*) fail "Switchover on node $node: ${ANSWER[$node]}" ;;
		esac
	done
	moved=$(($(get "$PRIMARY" group/sip Term) - $1))
	case "$oks $moved ${NAMED[a]} ${NAMED[b]}" in
	"1 1 ${NODE_NAME[$PRIMARY]} " | "1 1  ${NODE_NAME[$PRIMARY]}") ;;
	"2 1 ${NODE_NAME[$PRIMARY]} ${NODE_NAME[$PRIMARY]}") ;;
	'2 2 alpha beta' | '2 2 beta alpha') ;;
	*) fail "$moved moves to ${NODE_NAME[$PRIMARY]}; told to a: ${ANSWER[a]} ${NAMED[a]}," \
		"to b: ${ANSWER[b]} ${NAMED[b]}" ;;
	esac
}

# 20 times two callers at the same instant, one on each node
ask_on_both()
{
	local i term

	: >"$DIR/answers"
	settle
	for ((i = 0; i < 20; i++)); do
		term=$(get "$PRIMARY" group/sip Term)
		both_ask Switchover
		judge_answers "$term"
	done
	sort "$DIR/answers" | uniq -c | sort -rn | awk '{ print $2 "_" $3, $1 }' |
		while read -r what n; do fact "$what" "$n"; done
}

# The second of two callers on one node is Busy; on both at the same instant each
# is answered once, and what it is told is so.
# Busy: it moves all the time.
scenario_switchovers_that_meet_seamless()
{
	local key

	pair_up
	send_start load c "$VIP4" 500
	for key in 1 2 3; do ask "$key" a Switchover; done
	for key in 1 2 3; do
		answer "$key"
		[[ ${R[result]} =~ ^(ok|Busy)$ ]] || fail "caller $key: ${R[result]}"
		[[ ${R[result]} != Busy ]] || grep -qF 'Another request is under way' \
			"$DIR/ask-$key.err" || fail "caller $key: $(cat "$DIR/ask-$key.err")"
	done
	ask_on_both
	storm
	send_stop load
	fact sent "${R[sent]}"
	fact lost "${R[lost]}"
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} of ${R[sent]} packets lost"
	assert_holder "$PRIMARY"
}

# As fast as they can: 50 requests in a row on each node.
storm()
{
	local node ok

	for node in a b; do
		# shellcheck disable=SC2016 # for that shell
		spawn "storm-$node" "$node" "$DIR/storm-$node.out" bash -c \
			'for ((i = 0; i < 50; i++)); do "$@"; done; true' storm \
			"$PROBE" call "$(bus_of "$node")" group/sip Switchover
	done
	for node in a b; do reap "storm-$node" 60 || fail "the storm on node $node"; done
	cat "$DIR"/storm-?.out | sed 's/.* result=\([A-Za-z]*\).*/\1/' | sort | uniq -c |
		awk '{ print $2, $1 }' >"$DIR/storm"
	while read -r node ok; do fact "storm_$node" "$ok"; done <"$DIR/storm"
	grep -qvE '^(ok|Busy|NotFit|NotHeld) ' "$DIR/storm" && fail "storm: $(cat "$DIR/storm")"
	[[ $(cat "$DIR"/storm-?.out | wc -l) == 100 ]] || fail "not every request was answered"
	settle
}

# Busy: it moves all the time.
scenario_switchovers_that_meet_strict()
{
	pair_up Handover=strict
	both_start
	ask_on_both
	assert_never_both 1500 # there and back takes 3 ms
	assert_holder "$PRIMARY"
}

# Maintenance on both nodes at once: one of them has to serve. Then maintenance of
# the primary while its backup is asked to take over.
scenario_maintenance_that_meets()
{
	local i node

	pair_up
	for ((i = 0; i < 10; i++)); do
		both_ask SetMaintenance true
		[[ ${ANSWER[a]} != ok || ${ANSWER[b]} != ok ]] || fail "both nodes went into maintenance"
		settle_serving
		for node in a b; do call_ok "$node" SetMaintenance false; done
		settle_fit
		ask "$PRIMARY" "$PRIMARY" SetMaintenance true
		ask "$BACKUP" "$BACKUP" Switchover
		answer "$PRIMARY"
		printf 'maintenance_%s\n' "${R[result]}" >>"$DIR/outcomes"
		answer "$BACKUP"
		printf 'switchover_%s\n' "${R[result]}" >>"$DIR/outcomes"
		settle_serving
		for node in a b; do call_ok "$node" SetMaintenance false; done
		settle_fit
	done
	sed 's/ /_/' "$DIR/answers" | sed 's/^/both_/' >>"$DIR/outcomes"
	sort "$DIR/outcomes" | uniq -c | while read -r i node; do fact "$node" "$i"; done
	assert_holder "$PRIMARY"
}

settle_serving()
{
	settle
	send_some c "$VIP4" 20
	[[ ${R[${NODE_NAME[$PRIMARY]}]:-0} == 20 ]] || fail "${NODE_NAME[$PRIMARY]} does not serve"
}

settle_fit()
{
	settle
	wait_property a group/sip Fit true
	wait_property b group/sip Fit true
}

# A switchover that cannot be is refused with what the other node lacks; while the
# other node restarts, too, until it can be.
scenario_refusals_name_the_reason()
{
	local until

	pair_up
	unplug b 0
	wait_property b group/sip Fit false
	refused_because a 'beta is unfit: link'
	refused_because b 'beta is unfit: link'
	plug b 0
	wait_property b group/sip Fit true
	call_ok b SetMaintenance true
	call a SetMaintenance true
	[[ ${R[result]} == NotFit ]] || fail "maintenance of the last node: ${R[result]}"
	tail -n1 "$DIR/call.err" | grep -qF 'beta is unfit: maintenance' ||
		fail "maintenance of the last node: $(tail -n1 "$DIR/call.err")"
	call_ok b SetMaintenance false
	agent_end b KILL
	wait_property a peer/beta State '!up'
	refused_because a 'beta does not answer'
	agent_start b
	until=$((SECONDS + PATIENCE))
	while ((SECONDS < until)); do
		call a Switchover
		[[ ${R[result]} != ok ]] || break
		tail -n1 "$DIR/call.err" >>"$DIR/refusals"
	done
	[[ ${R[result]} == ok ]] || fail "beta has been back for long: $(tail -n1 "$DIR/call.err")"
	grep -vE 'beta (is unfit: starting|does not answer|is in state)|The other node does not answer|No other node is fit' "$DIR/refusals" >&2 &&
		fail "a refusal without its reason"
	settle
	assert_holder b
}

refused_because() # NODE REASON
{
	call "$1" CanSwitchover
	[[ ${R[answer]} == no ]] || fail "CanSwitchover says ${R[answer]}"
	call "$1" Switchover
	tail -n1 "$DIR/call.err" | grep -qF -- "$2" ||
		fail "Switchover on $1: not \"$2\", but $(tail -n1 "$DIR/call.err")"
}

# config_mirrored OWN OTHER: as who takes the nodes for "this one" and "the other one"
config_mirrored()
{
	config_agent
	printf '\n[Node alpha]\nAddress=10.77.0.%s\nAddress=10.78.0.%s\n' "$1" "$1"
	printf '\n[Node beta]\nAddress=10.77.0.%s\nAddress=10.78.0.%s\n' "$2" "$2"
	config_group sip "$VIP4" "$VIP6"
}

# Two hosts that both run as alpha: said on both, and only one serves; also when
# both had it while they were apart.
scenario_two_nodes_of_one_name()
{
	local name='in the name of node alpha'

	net_up
	NODE_NAME['b']=alpha
	config_mirrored 11 12 >"$DIR/takeover.conf"
	config_mirrored 12 11 >"$DIR/mirrored.conf"
	node_up a
	node_up b
	agent_start a
	wait_role a primary
	both_start
	agent_start b "$DIR/mirrored.conf"
	wait_property b group/sip Unfit '!starting'
	wait_property b manager RefusedPackets '>50'
	send_some c "$VIP4" 500
	wait_property b group/sip Unfit disowned
	both_stop
	[[ ${R[answers_b]} == 0 ]] || fail "the second alpha answered ${R[answers_b]} packets"
	said a "10.77.0.12 sends us heartbeats $name" 1
	said b '10.77.0.11 is node alpha as well, and has the group' 1
	said b 01-00405 1
	# apart, both have it
	drop a b
	drop b a
	wait_role b primary
	wait_role a primary
	heal
	wait_role b backup
	[[ $(get a group/sip Role) == primary ]] || fail "both gave the group up"
	assert_tagged b ""
	# without the first one the second serves, and the first one waits then
	agent_end a TERM
	wait_role b primary
	agent_start a
	wait_property a group/sip Unfit disowned
	[[ $(get b group/sip Role) == primary ]] || fail "the one that was there lost the group"
	agent_end b TERM
	# the same file on both, and the wrong name on one
	config_default >"$DIR/takeover.conf"
	agent_start b
	reap agent-b && fail "beta runs as alpha"
	unset "AGENT[b]"
	said b 'This host is not alpha, as --node says: it has an Address= of [Node beta]'
}

# A third host: a file with three nodes is refused; one that puts itself in beta's
# place is told that nobody knows it; one that says it were beta has not beta's
# address. The pair does not notice any of them.
scenario_third_host_stays_out()
{
	local term

	pair_up
	NODE_NAME['c']=gamma
	node_up c
	term=$(get a group/sip Term)
	{
		cat "$DIR/takeover.conf"
		printf '[Node gamma]\nAddress=10.77.0.50\nAddress=10.78.0.50\n'
	} >"$DIR/three.conf"
	agent_start c "$DIR/three.conf"
	reap agent-c && fail "a third node runs"
	unset "AGENT[c]"
	said c 'This version works with two nodes; [Node gamma] is one too many.'
	send_start load ca "$VIP4" 1000
	{
		config_agent
		printf '[Node alpha]\nAddress=10.77.0.11\n[Node gamma]\nAddress=10.77.0.50\n'
		config_group sip "$VIP4" "$VIP6"
	} >"$DIR/two.conf"
	agent_start c "$DIR/two.conf"
	wait_property a manager Strangers '>50'
	wait_property c group/sip Unfit disowned
	stays_out
	said a 'node gamma (10.77.0.50) sends us heartbeats but is not in our configuration' 1
	said c 01-00405 1
	agent_end c TERM
	NODE_NAME['c']=beta
	agent_start c
	wait_property c group/sip Unfit link
	said c 'none of the addresses of node beta is on this host' 1
	stays_out
	settle
	[[ $PRIMARY == a && $(get a group/sip Term) == "$term" ]] || fail "the pair noticed it"
	assert_none_lost load
	call_ok a Switchover
	settle
	[[ $PRIMARY == b ]] || fail "beta is not primary"
	agent_end c TERM
	assert_holder b
}

# For longer than it takes to claim
stays_out()
{
	send_some ca "$VIP4" 2000
	[[ $(get c group/sip Role) == backup ]] || fail "a third host is primary"
	assert_tagged c ""
}

# Each host with a file of its own: times, handover, an address and a group that
# only one of them has. Said on both, and nothing is lost or left behind by it.
scenario_configurations_that_differ_in_everything()
{
	local node

	net_up
	config_default >"$DIR/takeover.conf"
	{
		config_agent | sed '/^Interval=/d; /^Lease=/d; /^DeadTime=/d'
		printf 'Interval=80ms\nLease=500ms\nDeadTime=900ms\n'
		config_nodes
		config_group sip "$VIP4" 10.77.0.111 -- Handover=strict
		config_group web "$WEB4"
	} >"$DIR/other.conf"
	node_up a
	node_up b
	agent_start a
	wait_role a primary
	agent_start b "$DIR/other.conf"
	settle
	wait_property a peer/beta SameConfiguration false
	wait_property b peer/alpha SameConfiguration false
	said a 'the configuration of beta differs from ours: compare the files' 1
	said b 'the configuration of alpha differs from ours: compare the files' 1
	wait_role b primary web
	call b Switchover '' web
	tail -n1 "$DIR/call.err" | grep -qF 'alpha does not have this group' ||
		fail "web: $(tail -n1 "$DIR/call.err")"
	send_start load c "$VIP4" 500
	call_ok a Switchover
	settle
	assert_tagged a ""
	assert_tagged b "$(printf '%s/16 eth0\n' "$VIP4" "$WEB4" 10.77.0.111 | sort)"
	call_ok b Switchover
	settle
	send_stop load
	fact lost "${R[lost]}"
	fact silence_us "${R[silence_us]}"
	assert_tagged a "$(printf '%s/16 eth0\n%s/64 eth0' "$VIP4" "$VIP6")"
	assert_tagged b "$WEB4/16 eth0"
	for node in a b; do
		[[ $PRIMARY == "$node" ]] || { call_ok "$PRIMARY" Switchover && settle; }
		both_start
		agent_end "$node" KILL
		wait_role "$(other "$node")" primary
		send_some c "$VIP4" 300
		both_stop
		fact "both_us_after_$node" "${R[both_us]}"
		[[ ${R[both_us]} == 0 ]] || fail "both answered for ${R[both_us]} µs after the kill of $node"
		if [[ $node == a ]]; then agent_start a; else agent_start b "$DIR/other.conf"; fi
		settle
		wait_property "$node" group/sip Fit true
	done
}

# A firewall that lets nothing in on one node, from the very start: no handshake, so both
# serve; the other one hears, and says what is wrong, once. When it goes, one serves.
scenario_firewall_in_one_direction_from_the_start()
{
	# on either path
	local name=') sends to us but does not hear us: does a firewall let UDP port 7373'

	net_up
	config_default >"$DIR/takeover.conf"
	nodes_up a b
	in_ns b nft 'add table inet wall;
		add chain inet wall in { type filter hook input priority 0; };
		add rule inet wall in udp dport 7373 drop'
	agent_start a
	wait_role a primary
	agent_start b
	wait_property a peer/beta State deaf
	wait_property b group/sip State fault # alpha answers for the addresses
	assert_holder a
	said a "$name" 1
	[[ $(get b peer/alpha State) == unknown ]] || fail "alpha is $(get b peer/alpha State) to beta"
	! grep -qF 'does not hear us' "$DIR/agent-b.err" || fail "beta has heard something"
	in_ns b nft delete table inet wall
	settle
	wait_property a peer/beta State up
	said a "$name" 1
	assert_holder "$PRIMARY"
}
