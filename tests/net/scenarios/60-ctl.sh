# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# takeoverctl itself against two agents. None of this is about speed: times are
# long, so that a machine that is busy otherwise moves nothing.

ctl_pair_up()
{
	LEASE=1500ms DEAD_TIME=2s pair_up
}

# ctl NODE ARGUMENT...: what it prints goes to $DIR/ctl.out and .err; sets CTL
ctl()
{
	local node=$1

	shift
	CTL=0
	DBUS_SYSTEM_BUS_ADDRESS=$(bus_of "$node") in_ns "$node" "$BUILD/takeoverctl" "$@" \
		>"$DIR/ctl.out" 2>"$DIR/ctl.err" || CTL=$?
}

# ctl_says STATUS TEXT NODE ARGUMENT...: TEXT is in what it prints, on either side
ctl_says()
{
	local status=$1 text=$2

	shift 2
	ctl "$@"
	grep -qF -e "$text" "$DIR/ctl.out" "$DIR/ctl.err" ||
		fail "takeoverctl $* does not say \"$text\": $(cat "$DIR/ctl.out" "$DIR/ctl.err")"
	[[ $CTL == "$status" ]] || fail "takeoverctl $* ended with $CTL, not $status"
}

# What node A is told of the other one arrives with its heartbeats: ask until it has.
ctl_comes_to_say() # STATUS TEXT NODE ARGUMENT...
{
	local status=$1 text=$2 until=$((SECONDS + PATIENCE))

	shift 2
	while ((SECONDS < until)); do
		ctl "$@"
		! grep -qF -e "$text" "$DIR/ctl.out" || break
	done
	ctl_says "$status" "$text" "$@"
}

scenario_ctl_status_tells_of_both_nodes()
{
	ctl_pair_up
	ctl_says 0 'sip: alpha is primary; beta can take over' a status
	ctl_says 0 'sip: alpha is primary; beta can take over' b status
	[[ $(get b group/sip Term) == "$(get a group/sip Term)" ]] || fail "the backup tells another term"
	# to greet each other is nothing to be alarmed about
	ctl_says 0 '"refused_packets":0,"strangers":0' a status --json
	ctl_says 0 '"refused_packets":0,"strangers":0' b status --json
	ip -n "$NET-b" link set eth0 down
	ctl_comes_to_say 0 'nobody can take over: beta is unfit: link' a status
	grep -qE '^! +beta +fault +unfit: link$' "$DIR/ctl.out" ||
		fail "the node is not marked: $(cat "$DIR/ctl.out")"
	ctl_says 0 '{"name":"beta","state":"fault","unfit":["link"]}' a status --json
	ctl_says 1 'beta is unfit: link' a switchover
	agent_end b KILL
	ctl_comes_to_say 0 'nobody can take over: takeoverd does not run on beta' a status
	ctl_says 0 '"successor":null' a status --json
}

scenario_ctl_moves_and_keeps_out()
{
	ctl_pair_up
	ctl_says 0 'sip: beta is primary (took ' a switchover
	settle
	[[ $PRIMARY == b ]] || fail "beta is not primary"
	ctl_says 0 '{"group":"sip","primary":"alpha","took_us":' a switchover --json sip
	settle
	assert_holder a
	ctl_says 0 'sip: its addresses are being announced' a announce
	ctl_says 1 'This node is not primary' b announce
	ctl_says 1 'did you mean '\''sip'\''?' a switchover spi
	ctl_says 0 'sip: this node is in maintenance' a maintenance on
	settle
	[[ $PRIMARY == b ]] || fail "a node in maintenance is primary"
	ctl_comes_to_say 0 'nobody can take over: alpha is in maintenance' b status
	ctl_says 1 'alpha is unfit: maintenance' b maintenance on
	ctl_says 0 '{"group":"sip","maintenance":false}' a maintenance off -j
	ctl_comes_to_say 0 'beta is primary; alpha can take over' b status
}

# explained TEXT...: all of that is in what ctl has printed
explained()
{
	local text

	for text; do
		grep -qF -e "$text" "$DIR/ctl.out" || fail "no \"$text\" in: $(cat "$DIR/ctl.out")"
	done
}

# Heartbeats are rare, so that there is time to freeze the successor and to ask for the move
# before that is noticed.
scenario_ctl_explains_before_during_and_after()
{
	local from to

	net_up
	LEASE=1500ms DEAD_TIME=3s config_default Handover=strict |
		sed 's/^Interval=.*/Interval=500ms/' >"$DIR/takeover.conf"
	nodes_up a b
	pair_start
	ctl_says 0 'sip: alpha has been primary for ' a explain
	explained '(no-primary).' 'beta could take over, and would if alpha became unfit.' \
		'is renewed with each heartbeat: beta answers its heartbeats.'
	ctl_says 0 'sip: beta has been backup for ' b explain sip
	explained ': its state is primary.' 'If alpha is not heard from now on, beta claims it in ' \
		'(peer-dead).'

	agent_signal b STOP
	DBUS_SYSTEM_BUS_ADDRESS=$(bus_of a) spawn move a "$DIR/move.out" \
		"$BUILD/takeoverctl" switchover
	ctl_comes_to_say 0 'waits for beta to be primary (step released).' a explain
	explained 'sip: alpha has been yielding for ' 'because a switchover was asked for' \
		'It is a strict handover between alpha and beta.' \
		'A caller on the bus has been waiting for ' \
		'alpha takes it back in ' '(rolled-back).'
	agent_signal b CONT
	reap move || true # either outcome is right
	settle

	from=${NODE_NAME[$PRIMARY]} to=${NODE_NAME[$BACKUP]}
	agent_end "$PRIMARY" KILL
	wait_role "$BACKUP" primary
	ctl_says 0 "sip: $to has been primary for " "$BACKUP" explain
	explained '(peer-dead).' "No other node could take over now (PeerUnreachable: $from" \
		"$from does not run takeoverd, though its host answers; start it there (no-agent)." \
		"is renewed with each heartbeat: $from is not heard at all."
}

# on_terminal [VARIABLE=VALUE]: status as a terminal gets it
on_terminal()
{
	in_ns a env -u NO_COLOR TERM=xterm DBUS_SYSTEM_BUS_ADDRESS="$(bus_of a)" "$@" \
		script -qec "$BUILD/takeoverctl status" /dev/null
}

scenario_ctl_colours_are_for_terminals()
{
	local escape=$'\e['

	ctl_pair_up
	[[ $(on_terminal) == *"$escape"* ]] || fail "no colours on a terminal"
	[[ $(on_terminal NO_COLOR=) == *"$escape"* ]] || fail "an empty NO_COLOR says nothing"
	[[ $(on_terminal NO_COLOR=1) != *"$escape"* ]] || fail "colours in spite of NO_COLOR"
	ctl_says 0 'beta can take over' a status
	! grep -qF "$escape" "$DIR/ctl.out" || fail "colours in a file"
}

# monitor_shows PATTERN: a line of the monitor matches, now or later; those before it are read
monitor_shows()
{
	local until=$((SECONDS + PATIENCE)) line

	while ((SECONDS < until)) && read -r -t "$PATIENCE" line <&"$MONITOR"; do
		printf '%s\n' "$line" >>"$DIR/monitor.out"
		[[ $line =~ $1 ]] && return 0
	done
	fail "no $1 in: $(cat "$DIR/monitor.out")"
}

scenario_ctl_monitor_outlives_the_agent()
{
	ctl_pair_up
	mkfifo "$DIR/monitor"
	exec {MONITOR}<>"$DIR/monitor"
	DBUS_SYSTEM_BUS_ADDRESS=$(bus_of a) spawn monitor a "$DIR/monitor" \
		"$BUILD/takeoverctl" monitor
	monitor_shows 'takeoverd +runs$'
	monitor_shows 'sip +role primary; state primary; primary alpha'
	ip -n "$NET-b" link set eth0 down
	monitor_shows 'sip +nodes alpha=primary, beta=fault \(unfit: link\)$'
	ip -n "$NET-b" link set eth0 up
	monitor_shows 'sip +nodes alpha=primary, beta=backup$'
	ctl_says 0 'beta is primary' a switchover
	monitor_shows 'sip .*primary beta'
	monitor_shows 'sip +this node is backup now \(switchover\)$'
	agent_end b TERM
	monitor_shows 'sip +this node is primary now'
	monitor_shows 'beta +state no-agent$'
	agent_end a TERM
	monitor_shows 'takeoverd +does not run$'
	agent_start a
	monitor_shows 'takeoverd +runs$'
	finish monitor INT || fail "an interrupted monitor has failed: $?"
	exec {MONITOR}>&-
}

scenario_ctl_check_and_genkey_fit_the_agent()
{
	net_up
	ctl_says 0 'copy it to the same place on the other node' a genkey "$DIR/key"
	ctl_says 1 'has not been touched' a genkey "$DIR/key"
	LEASE=1500ms DEAD_TIME=2s config_default >"$DIR/takeover.conf"
	ctl_says 0 'node alpha, 1 group: no mistakes found' \
		a check -c "$DIR/takeover.conf" --node alpha
	ctl_says 0 '{"ok":true,"problems":[' a check -j -c "$DIR/takeover.conf" --node alpha
	config_default Colour=blue >"$DIR/bad.conf"
	ctl_says 1 "$DIR/bad.conf:" a check -c "$DIR/bad.conf" --node alpha
	ctl_says 1 "\"file\":\"$DIR/bad.conf\",\"line\":" \
		a check -j -c "$DIR/bad.conf" --node alpha
	CTL=0 # the complaints are read, and are not on the screen that is not there
	in_ns a "$BUILD/takeoverctl" check -j -c "$DIR/bad.conf" --node alpha \
		>"$DIR/ctl.out" <&- 2>&- || CTL=$?
	[[ $CTL == 1 && $(<"$DIR/ctl.out") == *'"line":'* ]] ||
		fail "check without stdin and stderr: $CTL $(cat "$DIR/ctl.out")"
	in_ns a "$BUILD/takeoverctl" genkey "$DIR/other-key" >&- 2>"$DIR/ctl.err" || true
	[[ $(wc -c <"$DIR/other-key") == 45 ]] || fail "more than a key: $(cat "$DIR/ctl.err")"
	node_up a # it leaves the key that is there
	node_up b
	pair_start
	assert_holder a
}

scenario_ctl_says_what_is_wrong()
{
	local nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups) verb

	ctl_pair_up
	install -m 755 "$BUILD/takeoverctl" "$DIR/takeoverctl" # where nobody may go
	for verb in status 'status --json'; do
		# shellcheck disable=SC2086 # verb and option
		DBUS_SYSTEM_BUS_ADDRESS=$(bus_of a) in_ns a "${nobody[@]}" "$DIR/takeoverctl" $verb \
			>"$DIR/ctl.out" 2>&1 || fail "nobody may not look: $(cat "$DIR/ctl.out")"
	done
	for verb in switchover announce 'maintenance on'; do
		# shellcheck disable=SC2086 # verb and argument
		if DBUS_SYSTEM_BUS_ADDRESS=$(bus_of a) in_ns a "${nobody[@]}" \
			"$DIR/takeoverctl" $verb >"$DIR/ctl.out" 2>&1; then
			fail "nobody may $verb"
		fi
		grep -q 'try it as root, with sudo' "$DIR/ctl.out" ||
			fail "$verb by nobody: $(cat "$DIR/ctl.out")"
	done
	agent_signal b STOP
	for verb in status switchover; do
		ctl_says 1 'takeoverd runs but does not answer' b "$verb"
	done
	agent_signal b CONT
	agent_end b TERM
	for verb in status switchover announce; do
		ctl_says 1 "does not run on this host; start it with 'systemctl start takeoverd'" \
			b "$verb"
	done
	finish bus-b || true
	ctl_says 1 "see whether D-Bus runs, 'systemctl status dbus'" b status
}

# spawn_ctl NAME NODE ARGUMENT...: takeoverctl in the background
spawn_ctl()
{
	local name=$1 node=$2

	shift 2
	spawn "$name" "$node" "$DIR/$name.out" env DBUS_SYSTEM_BUS_ADDRESS="$(bus_of "$node")" \
		"$BUILD/takeoverctl" "$@"
}

# The move that begins is signalled on both nodes, and who waits for a role hears of it.
# A node is out of the group for as long as a command runs, however that ends.
scenario_ctl_inhibit_and_wait()
{
	local node

	ctl_pair_up
	for node in a b; do
		spawn "monitor-$node" "$node" "$DIR/monitor-$node.out" busctl \
			--address="$(bus_of $node)" \
			--match="type='signal',member='RoleChanging'" monitor
		until grep -q Monitoring "$DIR/monitor-$node.err"; do :; done
	done
	spawn_ctl waiter b wait sip primary
	ctl_says 0 "inhibited here by $BUILD/takeoverctl: a test (user 0)" a \
		inhibit sip --why "a test" "$BUILD/takeoverctl" status
	grep -q 'alpha *maintenance *unfit: inhibited' "$DIR/ctl.out" || fail "$(cat "$DIR/ctl.out")"
	reap waiter || fail "wait: $(cat "$DIR/waiter.err")"
	grep -qx 'sip: this node is primary' "$DIR/waiter.out" || fail "$(cat "$DIR/waiter.out")"
	wait_property a group/sip Fit true
	settle
	[[ $PRIMARY == b ]] || fail "the group came back by itself"
	for node in a b; do
		finish "monitor-$node" || true
		[[ $(grep -c 'STRING' "$DIR/monitor-$node.out") == 2 ]] ||
			fail "not one signal on node $node: $(cat "$DIR/monitor-$node.out")"
	done
	grep -A1 'STRING "backup"' "$DIR/monitor-a.out" | grep -q '"inhibited"' ||
		fail "node a: $(cat "$DIR/monitor-a.out")"
	grep -q 'STRING "primary"' "$DIR/monitor-b.out" || fail "node b: $(cat "$DIR/monitor-b.out")"

	mkfifo "$DIR/end"
	spawn_ctl holder a inhibit sip cat "$DIR/end"
	wait_property a group/sip Fit false
	finish holder KILL || true
	wait_property a group/sip Fit true
	: <>"$DIR/end" # what it ran has not heard of that, unless it was killed before it ran it
}

# The options of a switchover, on either node.
scenario_ctl_switchover_with_options()
{
	ctl_pair_up
	ctl_says 0 'sip: alpha is primary already' a switchover --to alpha
	ctl_says 0 'sip: beta is primary (took' a switchover --to beta --strict -t 20
	ctl_says 0 'sip: alpha is primary (took' a switchover --to alpha
	ctl_says 1 'no such node here' b switchover --to gamma
	ctl a maintenance off
	ctl b maintenance on
	ctl_says 1 'beta is unfit: maintenance' a switchover
	ctl b maintenance off
	ctl_says 0 'sip: this node is primary' a wait primary
	ctl_says 1 'is not backup after 0.05 s' a -t 50ms wait sip backup
}
