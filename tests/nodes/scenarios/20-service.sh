# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # the words in R, a map of lib.sh

# alone: alpha only, with the default configuration
alone()
{
	net_up
	config_default >"$DIR/takeover.conf"
	nodes_up a
}

# status_of NODE FIELD: of the agent's process
status_of()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/${AGENT[$1]}/status"
}

# As its own user, with two capabilities and nothing else, and able to do its
# work with them: addresses, gate, frames, bus.
scenario_service_has_two_capabilities()
{
	local uid ids field

	alone
	agent_start a
	wait_role a primary
	assert_holder a
	uid=$(in_node a id -u takeover)
	read -r -a ids <<<"$(status_of a Uid)"
	[[ $uid != 0 && ${ids[*]} == "$uid $uid $uid $uid" ]] ||
		fail "takeoverd runs as ${ids[*]}, not as $uid"
	for field in CapPrm CapEff CapBnd CapAmb; do # CAP_NET_ADMIN is 12, CAP_NET_RAW 13
		[[ $(status_of a $field) == 0000000000003000 ]] ||
			fail "$field is $(status_of a $field)"
	done
	[[ $(status_of a NoNewPrivs) == 1 && $(status_of a Seccomp) == 2 ]] || fail "no sandbox"
	[[ $(in_node a stat -c '%U %a' /var/lib/takeover) == "takeover 700" ]] ||
		fail "/var/lib/takeover: $(in_node a stat -c '%U %a' /var/lib/takeover)"
	[[ $(in_node a stat -c '%U %a' /etc/takeover/key) == "root 600" ]] ||
		fail "the key has changed hands"
	[[ -n $(in_node a find /var/lib/takeover -type f -size +0) ]] || fail "no term is stored"
	unit_is a StatusText "alpha: sip primary"
	! journal a | grep -iE 'denied|not permitted|refused' || fail "something was refused"
}

# A machine that is busy with other things still renews the lease in time. So does a single
# processor that adds thousands of addresses: what has that done is one step below. However
# long they take, and whatever limit is usual on the host, they do not end the agent.
scenario_service_runs_at_realtime_priority()
{
	local task policy name wanted i worker=

	net_up
	{
		config_default
		printf '[Group many]\n'
		for ((i = 0; i < 3000; i++)); do
			printf 'VirtualAddress=10.77.%d.%d/32 eth0\n' $((100 + i / 250)) $((i % 250 + 1))
		done
	} >"$DIR/takeover.conf"
	nodes_up a
	in_node a mkdir -p /etc/systemd/system.conf.d
	in_node a tee /etc/systemd/system.conf.d/test.conf >/dev/null \
		<<<$'[Manager]\nDefaultLimitRTTIME=20ms'
	in_node a systemctl daemon-reload
	[[ $(in_node a systemctl show --property=DefaultLimitRTTIME --value) == 20000 ]] ||
		fail "systemd has not taken the limit"
	agent_start a
	wait_role a primary many
	wait_role a primary
	for task in "/proc/${AGENT[a]}/task"/*; do
		# behind the name in brackets the policy is the 39th word; 2 is SCHED_RR
		policy=$(sed 's/.*) //' "$task/stat" | cut -d' ' -f39)
		name=$(<"$task/comm")
		wanted=2
		[[ $name != takeoverd-log ]] || wanted=0 # who reads the log does not hurry either
		[[ $policy == "$wanted" ]] || fail "the thread $name has policy $policy, not $wanted"
		[[ $name != takeoverd-kern ]] || worker=${task##*/}
	done
	chrt -p "${AGENT[a]}" | grep -qx '.*priority: 5' || fail "$(chrt -p "${AGENT[a]}")"
	chrt -p "$worker" | grep -qx '.*priority: 4' || fail "the worker: $(chrt -p "$worker")"
	agent_end a TERM
	assert_tagged a ""
	unit_is a NRestarts 0
}

# But what makes the text of a trace does not, also with what the unit forbids.
scenario_service_traces_out_of_real_time()
{
	local task policy

	alone
	drop_in a trace ExecStart= "ExecStart=$(in_node a sed -n 's/^ExecStart=//p' \
		/usr/lib/systemd/system/takeoverd.service) --trace /var/lib/takeover/all"
	agent_start a
	wait_role a primary
	for task in "/proc/${AGENT[a]}/task"/*; do
		[[ $(<"$task/comm") == takeoverd-trace ]] || continue
		policy=$(sed 's/.*) //' "$task/stat" | cut -d' ' -f39)
	done
	[[ ${policy:-none} == 0 ]] || fail "the policy of what writes the trace is ${policy:-none}"
	in_node a takeoverctl trace >"$DIR/trace" || fail "takeoverctl trace failed"
	"$BUILD/tests/sim/sim" --replay "$DIR/trace" >"$DIR/replay" || fail "it went another way"
}

# refused_to_nobody WHY BUSCTL-WORD...: on node a
refused_to_nobody()
{
	! as_nobody a busctl "${@:2}" >"$DIR/refusal" 2>&1 || fail "anybody may: ${*:2}"
	grep -q "$1" "$DIR/refusal" || fail "${*:2}: $(cat "$DIR/refusal")"
}

# Anybody may look and listen; polkit says who may act, and without it there is only root.
scenario_strangers_may_look_only()
{
	local object=/org/takeover1/group/sip group=org.takeover1.Group node request
	local requests=("Switchover" "SwitchoverWithOptions a{sv} 0" "SetMaintenance b true"
		"InhibitTakeover ss who why" "Announce" "Drain t 5000000")

	pair_up
	as_nobody a takeoverctl status >"$DIR/status.out" || fail "takeoverctl: $(cat "$DIR/status.out")"
	for node in alpha beta; do
		grep -q "$node" "$DIR/status.out" || fail "takeoverctl says: $(cat "$DIR/status.out")"
	done
	as_nobody a takeoverctl wait primary --timeout "$PATIENCE" || fail "nobody may not wait"
	for request in "${requests[@]}"; do
		# shellcheck disable=SC2086 # a method with its arguments
		refused_to_nobody 'Authentication is required' \
			call org.takeover1 $object $group $request
	done
	refused_to_nobody 'Authentication is required' \
		call org.takeover1 /org/takeover1 org.takeover1.Manager GetTrace
	refused_to_nobody 'Access denied' set-property org.takeover1 $object $group Role s backup
	! in_node a busctl call org.takeover1 $object $group Wander t 1 2>"$DIR/refusal" ||
		fail "there is a method Wander"
	grep -q 'Unknown method' "$DIR/refusal" || fail "root is told $(<"$DIR/refusal")"

	polkit_lets_nobody_inhibit a
	as_nobody a takeoverctl inhibit sip takeoverctl status >"$DIR/status.out" ||
		fail "polkit lets nobody inhibit, and takeoverd does not"
	grep -q "inhibited here by takeoverctl: .* (user $NOBODY)" "$DIR/status.out" ||
		fail "takeoverctl says: $(cat "$DIR/status.out")"
	refused_to_nobody 'Authentication is required' call org.takeover1 $object $group Announce

	in_node a systemctl mask --quiet --now polkit
	for request in "${requests[@]}"; do
		# shellcheck disable=SC2086 # a method with its arguments
		refused_to_nobody 'Access denied' call org.takeover1 $object $group $request
	done
	settle
	[[ $PRIMARY == b ]] || fail "a refused call moved the group"
	listen_as_nobody a
	call_ok a Switchover
	call_ok a Switchover
	reap listener || fail "nobody heard of the switchover: $(cat "$DIR/listener.out")"
	assert_holder b
}

# polkit_lets_nobody_inhibit NODE: by a rule as an operator would write it, for one group
polkit_lets_nobody_inhibit()
{
	in_node "$1" tee /etc/polkit-1/rules.d/40-test.rules >/dev/null <<-END
		polkit.addRule(function (action, subject) {
			if (action.id == "org.takeover1.maintenance" &&
			    action.lookup("group") == "sip" && subject.user == "nobody")
				return polkit.Result.YES;
		});
	END
	in_node "$1" systemctl restart polkit # which would see it by itself, a moment later
}

# listen_as_nobody NODE: for the event of becoming backup; reap listener has the result
listen_as_nobody()
{
	local tmp=/proc/${LEADER[$1]}/root/tmp fd

	install -m 755 "$PROBE" "$tmp/probe"
	mkfifo -m 666 "$tmp/ready"
	exec {fd}<>"$tmp/ready"
	spawn listener "$1" "$DIR/listener.out" nsenter --target "${LEADER[$1]}" --all -- \
		setpriv --reuid="$NOBODY" --regid="$NOBODY" --clear-groups -- /tmp/probe wait-event \
		unix:path=/run/dbus/system_bus_socket group/sip 00-04560 "$PATIENCE" /tmp/ready
	read -r -t "$PATIENCE" _ <&"$fd" || fail "nobody cannot listen"
	exec {fd}>&-
}

scenario_service_stop_hands_over()
{
	pair_up
	send_start load c "$VIP4"
	agent_end a TERM
	wait_role b primary
	assert_none_lost load
	assert_holder b
	unit_is a ActiveState inactive
	unit_is a NRestarts 0
	agent_end b TERM # nobody to hand over to: release
	assert_tagged b ""
	send_some c "$VIP4" 50
	[[ ${R[answered]} == 0 ]] || fail "answered after everything was stopped"
}

# after_restart NODE: systemd has started it again, once
after_restart()
{
	wait_property "$1" manager NodeName "${NODE_NAME[$1]}"
	find_agent "$1"
	unit_is "$1" NRestarts 1
	unit_is "$1" ActiveState active
}

# Whether it finds its lease alive or not: one primary, and never two.
scenario_service_sigkill_is_restarted()
{
	pair_up
	both_start
	agent_signal a KILL
	"$PROBE" wait-exit "${AGENT[a]}" "$PATIENCE" || fail "it does not die"
	after_restart a
	settle
	send_some c "$VIP4" 1500
	settle
	both_stop
	fact primary "${NODE_NAME[$PRIMARY]}"
	fact both_us "${R[both_us]}"
	[[ ${R[both_us]} == 0 ]] || fail "both nodes answered for ${R[both_us]} µs"
	assert_holder "$PRIMARY"
}

# A lease that outlasts the restart on a busy machine: nothing moves at all, when it crashes,
# and when it is stuck and the watchdog finds out in time.
scenario_service_crash_is_adopted()
{
	local signal

	LEASE=${LEASE:-2s} DEAD_TIME=${DEAD_TIME:-2500ms}
	pair_up
	drop_in a watchdog WatchdogSec=700ms # taken with the start that follows
	send_start load c "$VIP4"
	for signal in KILL STOP; do
		agent_signal a "$signal"
		"$PROBE" wait-exit "${AGENT[a]}" "$PATIENCE" || fail "SIG$signal: it does not end"
		wait_property a manager NodeName "${NODE_NAME[a]}"
		find_agent a
	done
	unit_is a NRestarts 2
	unit_is a ActiveState active
	wait_role a primary
	settle
	send_some c "$VIP4" 1500
	assert_none_lost load
	[[ $PRIMARY == a ]] || fail "the group moved"
	assert_holder a
}

# drop_in NODE NAME [LINE...]: for the service; without a line it is taken away again
drop_in()
{
	local file=/etc/systemd/system/takeoverd.service.d/$2.conf node=$1

	shift 2
	in_node "$node" mkdir -p "${file%/*}"
	if (($#)); then
		printf '%s\n' '[Service]' "$@" | in_node "$node" tee "$file" >/dev/null
	else
		in_node "$node" rm "$file"
	fi
	in_node "$node" systemctl daemon-reload
}

# It crashes, and what is started in its place does so as well: silent by its lease, taken
# over, and when systemd gives up, and not before, nothing is left. Then it comes back.
scenario_service_that_gives_up_is_cleaned_up()
{
	local address

	pair_up
	drop_in a broken ExecStart= ExecStart=/bin/false
	in_node a systemctl start takeover-primary@sip.target # as a service would be bound to it
	both_start
	agent_signal a KILL
	wait_role b primary
	for address in "$VIP4" "$VIP6"; do
		in_ns a "$PROBE" wait-address "$address" absent "$PATIENCE" ||
			fail "$address is left on node a: $(journal a)"
	done
	assert_never_both
	unit_is a ActiveState failed
	unit_is a NRestarts 11 # by the last of them the limit was reached
	in_node a systemctl start takeover-cleanup # waits for the one that runs
	target_is a primary inactive
	[[ $(journal_find a --unit=takeover-cleanup | grep -c '^released') == 2 ]] ||
		fail "cleaned up at another time: $(journal_find a --unit=takeover-cleanup)"
	[[ $(in_node a nft list set inet takeover lease) != *elements* ]] || fail "the gate is open"
	assert_holder b

	drop_in a broken
	in_node a systemctl reset-failed takeoverd
	agent_start a
	wait_role a backup
	! in_node a systemctl start takeover-cleanup 2>/dev/null || fail "cleaned up beside an agent"
	settle
	[[ $PRIMARY == b ]] || fail "the group moved"

	# Restarted with a mistake: it is waited for, in vain.
	both_start
	echo Mistake=yes >>"/proc/${LEADER[b]}/root/etc/takeover/takeover.conf"
	! in_node b systemctl restart takeoverd 2>/dev/null || fail "it starts with a mistake"
	wait_role a primary
	in_node b systemctl start takeover-cleanup # waits for the one that runs
	assert_tagged b ""
	assert_never_both
	unset "AGENT[b]"
	assert_holder a
}

# The lease has silenced it long before, the watchdog makes it useful again.
scenario_service_frozen_meets_the_watchdog()
{
	pair_up
	both_start
	agent_signal a STOP
	wait_role b primary
	"$PROBE" wait-exit "${AGENT[a]}" "$PATIENCE" || fail "the watchdog does not bite"
	after_restart a
	wait_role a backup
	settle
	both_stop
	fact both_us "${R[both_us]}"
	((R[answers_a] > 0 && R[answers_b] > 0)) || fail "not both nodes have answered in turn"
	[[ ${R[both_us]} == 0 ]] || fail "both nodes answered for ${R[both_us]} µs"
	journal a | says watchdog || fail "no word about the watchdog: $(journal a | tail -n 5)"
	assert_holder b
}

# Heartbeats and addresses have nothing to do with the bus. What a busy machine
# does to them is not what this is about.
scenario_bus_restart_is_survived()
{
	local before

	LEASE=${LEASE:-2s} DEAD_TIME=${DEAD_TIME:-2500ms}
	pair_up
	send_start load c "$VIP4"
	before=${AGENT[a]}
	in_node a systemctl restart dbus.service || fail "the bus does not restart"
	wait_role a primary # and it is back on the bus
	find_agent a
	[[ ${AGENT[a]} == "$before" ]] || fail "takeoverd was restarted"
	unit_is a NRestarts 0
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
	wait_property b peer/alpha State up
	! journal b | says '01-00402|01-00403|has not been heard' || fail "beta missed heartbeats"
	call_ok a Switchover
	assert_none_lost load
	assert_holder b
}

# upgrade NODE VERSION: the same source says that it is another version, and is put where
# the package has it
upgrade()
{
	local program=/proc/${LEADER[$1]}/root/usr/sbin/takeoverd

	LC_ALL=C sed "s/0\.1\.0/$2/" "$TAKEOVERD" >"$program.new"
	chmod 755 "$program.new"
	mv "$program.new" "$program"
}

# From one version to the next on both nodes, backup first, and a restart without another
# version: the addresses stay where they are, and answer all the time.
scenario_service_is_upgraded_and_restarted()
{
	local node

	# shellcheck disable=SC2034 # for config_agent; as it is by default
	RESTART_HOLD=3s
	pair_up
	send_start load c "$VIP4"
	both_start
	for node in b a; do
		[[ $(get "$node" manager Version) == 0.1.0 ]] || fail "upgraded before"
		upgrade "$node" 0.1.1
		in_node "$node" systemctl restart takeoverd || fail "takeoverd does not restart"
		wait_property "$node" manager Version 0.1.1
		find_agent "$node"
		settle
		[[ $PRIMARY == a ]] || fail "the group has moved: $(journal a)"
	done
	in_node a systemctl restart takeoverd
	find_agent a
	settle
	send_some c "$VIP4" 500 # and stays there when all holding has ended
	both_stop
	assert_none_lost load
	[[ ${R[beta]:-0} == 0 && $PRIMARY == a ]] || fail "the group has moved: $(journal a)"
	unit_is a NRestarts 0
	assert_holder a
}

# reload NODE: with the configuration of now
reload()
{
	node_configure "$1"
	in_node "$1" systemctl reload takeoverd || fail "node $1 does not reload: $(journal "$1")"
}

# A group comes and goes; the other one does not notice, under 10,000 packets a second. What
# has a mistake changes nothing, and systemctl says so.
scenario_service_reload_applies_the_difference()
{
	local before term

	pair_up
	before=${AGENT[a]}
	term=$(get a group/sip Term)
	send_start load c "$VIP4"
	echo Mistake=yes >>"$DIR/takeover.conf"
	node_configure a
	! in_node a systemctl reload takeoverd 2>/dev/null || fail "a mistake is taken"
	journal a | says 'takeover.conf:[0-9]*:.*Mistake' || fail "nobody says which: $(journal a)"

	config_default >"$DIR/takeover.conf"
	config_group web "$WEB4" >>"$DIR/takeover.conf"
	reload b
	reload a
	settle web
	settle
	send_some c "$WEB4" 50
	[[ ${R[answered]} == 50 ]] || fail "the new group answers ${R[answered]} of 50"
	config_default >"$DIR/takeover.conf"
	reload a
	reload b
	settle
	send_some c "$WEB4" 50
	[[ ${R[answered]} == 0 ]] || fail "the group that is no more answers"

	assert_none_lost load
	[[ $PRIMARY == a && $(get a group/sip Term) == "$term" ]] || fail "the group has moved"
	find_agent a
	[[ ${AGENT[a]} == "$before" ]] || fail "another process runs"
	unit_is a ActiveState active
	unit_is a NRestarts 0
	assert_holder a
}
