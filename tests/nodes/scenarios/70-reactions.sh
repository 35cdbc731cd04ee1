# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # the words in R, a map of lib.sh
#
# What events start: the agent's events, systemd's generator, units and commands.

# reaction NAME EVENTS LINE...: a section
reaction()
{
	printf '\n[Reaction %s]\nEvent=%s\n' "$1" "$2"
	shift 2
	printf '%s\n' "$@"
}

# The rows of the system whose job this is, for servers configured as primary (alpha) and
# backup (beta), whatever they are now.
default_rows()
{
	local vip=/var/tmp/vip

	reaction primary-backup "00-04561 00-04560" From=alpha Node=alpha "Run=$vip alpha down"
	reaction primary-hot-1 00-04563 From=alpha Node=beta "Run=$vip beta down"
	reaction primary-hot-2 00-04563 From=alpha Node=alpha "Run=$vip alpha up"
	reaction primary-warm-1 00-04562 From=alpha Node=alpha "Run=$vip alpha up"
	reaction primary-warm-2 00-04562 From=alpha Node=beta "Run=$vip beta down"
	reaction backup-backup "00-04561 00-04560" From=beta Node=beta "Run=$vip beta down"
	reaction backup-1 "00-04563 00-04562" From=beta Node=beta "Run=$vip beta up"
	reaction backup-2 "00-04563 00-04562" From=beta Node=alpha "Run=$vip alpha down"
}

# For events that do not come by themselves here.
bad_reactions()
{
	reaction hang 01-00120 "Run=/bin/sleep infinity" Timeout=500ms
	reaction flood 01-00201 "Run=/usr/bin/seq 20000"
	reaction away 01-00202 "Run=/bin/sh -c 'setsid sleep 4711 &'"
	reaction fail 01-00303 Run=/bin/false
	reaction tell 01-00303 "Run=/bin/sh -c 'id -un; pwd; echo \$WHAT \$TAKEOVER_EVENT'" \
		User=nobody WorkingDirectory=/var/tmp Environment=WHAT=this
}

# script_install NODE: writes down how it was called, as a script for keepalived would be
script_install()
{
	in_node "$1" tee /var/tmp/vip >/dev/null <<-'END'
		#!/bin/sh
		echo "$* $TAKEOVER_EVENT of $TAKEOVER_FROM" >>/var/tmp/vip.log
	END
	in_node "$1" tee /var/tmp/notify >/dev/null <<-'END'
		#!/bin/sh
		echo "$*" >>/var/tmp/notify.log
	END
	in_node "$1" chmod 755 /var/tmp/vip /var/tmp/notify
}

has_lines() # FILE SORTED-LINES
{
	[[ $(sort "$1" 2>/dev/null) == "$2" ]]
}

# await_log NODE FILE LINE...: it has these lines, in any order, and no others
await_log()
{
	local node=$1 file=/proc/${LEADER[$1]}/root/var/tmp/$2 wanted

	shift 2
	wanted=$(printf '%s\n' "$@" | sort)
	await has_lines "$file" "$wanted" ||
		fail "node $node: $file has $(<"$file"), not $wanted: $(journal "$node")"
}

# tested NODE EVENT RESULT...: what came of an event that was fired by hand
tested()
{
	local node=$1 event=$2

	shift 2
	in_node "$node" takeoverctl test-event "$event" >"$DIR/tested" 2>&1 || true # compared
	[[ $(<"$DIR/tested") == "$(printf 'sip: %s\n' "$@")" ]] ||
		fail "test-event $event on $node: $(<"$DIR/tested")"
}

log_of() # NODE REACTION
{
	journal_find "$1" -t "takeover-reaction-$2"
}

scenario_events_start_what_is_configured()
{
	local term node

	# What a busy machine does to heartbeats is not what this is about.
	LEASE=${LEASE:-1s} DEAD_TIME=${DEAD_TIME:-1500ms}
	net_up
	{
		config_default Redundancy=hot
		default_rows
		reaction notify "00-04560 00-04561 00-04562 00-04563" \
			"Run=/var/tmp/notify INSTANCE \${TAKEOVER_GROUP} \${TAKEOVER_STATE} \${TAKEOVER_PRIORITY}"
		bad_reactions
	} >"$DIR/takeover.conf"
	nodes_up a b
	script_install a
	script_install b
	in_node a sh -c 'systemd-analyze verify --man=no /run/systemd/generator/takeover-*.service' \
		>"$DIR/verify" 2>&1 || fail "systemd-analyze verify: $(<"$DIR/verify")"
	pair_start

	! journal a | grep 'does not know' || fail "systemd knows all of them"

	# The table, there and back.
	await_log a vip.log "alpha up 00-04563 of alpha"
	call_ok a Switchover
	await_log a vip.log "alpha up 00-04563 of alpha" "alpha down 00-04561 of alpha" \
		"alpha down 00-04563 of beta"
	await_log b vip.log "beta up 00-04563 of beta"
	call_ok a Switchover
	await_log b vip.log "beta up 00-04563 of beta" "beta down 00-04561 of beta" \
		"beta down 00-04563 of alpha"
	await_log a notify.log "INSTANCE sip MASTER 100" "INSTANCE sip BACKUP 100" \
		"INSTANCE sip MASTER 100"
	settle
	journal b | says 'reaction backup-1 to 00-04563 of beta: done' || fail "b tells of nothing"

	# What hangs, floods, goes away or fails harms nothing but itself.
	term=$(get a group/sip Term)
	tested a 01-00120 "hang: timed-out"
	tested a 01-00201 "flood: done"
	tested a 01-00202 "away: done"
	! in_node a pgrep -f 'sleep 4711' || fail "a reaction has left something running"
	tested a 01-00303 "fail: failed: failed" "tell: done"
	[[ $(log_of a tell) == $'nobody\n/var/tmp\nthis 01-00303' ]] || fail "tell: $(log_of a tell)"
	(($(log_of a flood | grep -c '^[0-9]') < 20000)) || fail "nothing keeps the journal from floods"
	settle
	[[ $PRIMARY == a && $(get a group/sip Term) == "$term" ]] || fail "the group moved"
	[[ -z $(in_node a systemctl --failed --no-legend) ]] ||
		fail "units are left: $(in_node a systemctl --failed)"

	# The agent can say nothing but which event it was.
	! in_node a systemctl start 'takeover-reaction-tell@LD_PRELOAD=x.service' 2>/dev/null ||
		fail "rubbish is run"
	log_of a tell | grep -q 'is no event of the agent' || fail "nobody says why: $(log_of a tell)"

	# Another configuration takes both.
	reaction late 01-00202 Run=/bin/true Node=alpha >>"$DIR/takeover.conf"
	for node in a b; do
		node_configure "$node"
	done
	in_node a systemctl reload takeoverd || fail "no reload: $(journal a)"
	journal a | says 'systemd does not know \[Reaction late\] as it is' ||
		fail "nobody says that systemd does not know it"
	in_node a systemctl daemon-reload
	tested a 01-00202 "away: done" "late: done"
	in_node b systemctl reload takeoverd || fail "no reload: $(journal b)"
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
}
