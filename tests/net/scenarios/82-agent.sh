# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Bad days of the agent itself: what it finds when it starts, what it is refused, who goes away,
# and what it is told. Nothing crashes, and whatever is wrong is said.

# --- Starting --------------------------------------------------------------------

# try_start COMMAND...: with what stands before takeoverd runs it to its end, into OUT and STATUS
try_start()
{
	STATUS=0
	# shellcheck disable=SC2086 # WRAPPER is a command with arguments
	in_ns a env -u NOTIFY_SOCKET -u WATCHDOG_USEC STATE_DIRECTORY="$DIR/a/state" \
		RUNTIME_DIRECTORY="$DIR/a/run" DBUS_SYSTEM_BUS_ADDRESS="$(bus_of a)" \
		timeout --kill-after=1 "$PATIENCE" "$@" $WRAPPER "$TAKEOVERD" \
		--config "${CONFIG:-$DIR/takeover.conf}" --node alpha >"$DIR/try.out" 2>&1 || STATUS=$?
	OUT=$(<"$DIR/try.out")
}

# start_refused PATTERN [COMMAND...]: it ends with status 78 and one line, and leaves nothing behind
start_refused()
{
	local pattern=$1

	shift
	try_start "$@"
	[[ $STATUS == 78 && $OUT != *$'\n'* ]] || fail "status $STATUS, not 78 and one line: $OUT"
	grep -qE -e "$pattern" <<<"$OUT" || fail "not \"$pattern\" but: $OUT"
	assert_tagged a ""
}

# nameless_start: on a host that is none of the nodes but by its addresses
nameless_start()
{
	spawn agent-a a "$DIR/a/log.out" env -u NOTIFY_SOCKET -u WATCHDOG_USEC \
		STATE_DIRECTORY="$DIR/a/state" RUNTIME_DIRECTORY="$DIR/a/run" \
		DBUS_SYSTEM_BUS_ADDRESS="$(bus_of a)" "$TAKEOVERD" --config "$DIR/takeover.conf"
	AGENT+=([a]=${PIDS[agent-a]})
}

# Its own addresses come after the agent: it waits for one, of whatever node, and can be stopped.
scenario_addresses_come_after_the_start()
{
	local waits='waiting for one of these addresses to come: 10.77.0.11, 10.78.0.11, ' status

	net_up
	config_default >"$DIR/takeover.conf"
	node_up a
	ip -n "$NET-a" address flush dev eth0
	ip -n "$NET-a" address flush dev eth1
	nameless_start
	wait_said a 'This host has no Address= of any node'
	wait_said a "$waits"
	agent_signal a HUP # does nothing, now as later
	agent_end a TERM
	said_anew a
	nameless_start
	wait_said a "$waits"
	ip -n "$NET-a" address add 10.77.0.9/16 dev eth0 # does not tell
	ip -n "$NET-a" address add fd77::11/64 dev eth0 nodad
	ip -n "$NET-a" address add 10.77.0.11/16 dev eth0
	wait_said a 'an address of node alpha has come'
	wait_role a primary
	assert_holder a
	agent_end a TERM
	ip -n "$NET-a" address add 10.77.0.12/16 dev eth0
	nameless_start
	status=0
	reap agent-a || status=$?
	[[ $status == 78 ]] || fail "status $status with addresses of two nodes"
	wait_said a 'This host has addresses of more than one node'
	unset 'AGENT[a]'
}

# The key as found on disk: one sentence says what is wrong with the file, and which it is.
scenario_key_refused()
{
	local key

	net_up
	config_default >"$DIR/takeover.conf"
	node_up a
	key=$DIR/key
	chmod 644 "$key"
	start_refused "^$key: .* read by others \(mode 0644\); say: chmod 0600"
	chown 65534 "$key"
	start_refused "^$key: .* belongs to uid 65534"
	chown 0 "$key"
	: >"$key"
	chmod 600 "$key"
	start_refused "^$key: .* not one line with 32 bytes in base64"
	head -c 4096 /dev/urandom | base64 >"$key"
	start_refused "^$key: .* not one line with 32 bytes in base64"
	rm "$key"
	start_refused "^$key: There is no key: make one with: takeoverctl genkey"
	mkdir "$key"
	start_refused "^$key: .* not a regular file"
	rmdir "$key"
	mkfifo -m 600 "$key"
	start_refused "^$key: .* not a regular file"
	rm "$key"
	ln -s key "$key"
	start_refused "^$key: .* symbolic links"
	rm "$key"
	head -c 32 /dev/zero | base64 >"$key"
	chmod 600 "$key"
	start_refused "^$key: .* zeros"
	CONFIG=/nonexistent start_refused '^/nonexistent: The file cannot be opened: No such file'
}

# A second agent on the host, whatever it shares with the first one, does not touch what that has.
scenario_second_agent_refused()
{
	local before

	pair_up
	before=$(in_ns a nft list ruleset | sed 's/expires [0-9]*ms//')
	send_start load c "$VIP4"
	STATUS=0
	second() { # STATE
		STATUS=0
		mkdir -p "$1"
		in_ns a env STATE_DIRECTORY="$1" DBUS_SYSTEM_BUS_ADDRESS="$(bus_of a)" \
			"$TAKEOVERD" --config "${CONFIG:-$DIR/takeover.conf}" --node alpha \
			>"$DIR/try.out" 2>&1 || STATUS=$?
		OUT=$(<"$DIR/try.out")
		[[ $STATUS == 1 && $OUT != *$'\n'* ]] || fail "status $STATUS: $OUT"
	}
	second "$DIR/a/state"
	[[ $OUT == *"already runs here"*"$DIR/a/state"* ]] || fail "same state: $OUT"
	second "$DIR/a/other"
	[[ $OUT == *"port 7373"*"another agent or program"* ]] || fail "same port: $OUT"
	{
		config_agent
		config_nodes
		config_group other 10.77.0.120
	} >"$DIR/other.conf"
	CONFIG=$DIR/other.conf second "$DIR/a/other"
	[[ $OUT == *"port 7373"*"another agent or program"* ]] || fail "another configuration: $OUT"
	send_stop load
	[[ ${R[lost]} == 0 ]] || fail "the second agent lost ${R[lost]} packets of the first"
	[[ $(in_ns a nft list ruleset | sed 's/expires [0-9]*ms//') == "$before" ]] ||
		fail "the second agent changed the gate"
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
	assert_holder a
}

# start_limited COMMAND...: takeoverd behind a limit runs until it is primary, is told to stop
# then, and must end in order; or it ends by itself with a sentence, and then STARTED stays empty
start_limited()
{
	local line fd pid status=0

	OUT='' STATUS=0 STARTED=''
	exec {fd}< <(exec nsenter --net="/run/netns/$NET-a" -- env -u NOTIFY_SOCKET \
		STATE_DIRECTORY="$DIR/a/state" DBUS_SYSTEM_BUS_ADDRESS="$(bus_of a)" \
		ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" "$@" "$TAKEOVERD" \
		--config "$DIR/takeover.conf" --node alpha 2>&1)
	pid=$!
	while read -r -t "$PATIENCE" -u "$fd" line || status=$?; ((status == 0)); do
		OUT+=$line$'\n'
		[[ $line != *'(Primary) mode activated'* ]] || { STARTED=yes && kill -TERM "$pid"; }
	done
	((status == 1)) || fail "$*: goes no further: $OUT"
	wait "$pid" || STATUS=$?
	exec {fd}<&-
	assert_tagged a ""
	if [[ -n $STARTED ]]; then
		[[ $STATUS == 0 ]] || fail "$*: status $STATUS after SIGTERM: $OUT"
	else
		((STATUS == 1 || STATUS == 127)) || fail "$*: status $STATUS: $OUT"
		grep -qE '^(error|takeoverd): cannot .*: |error while loading' <<<"$OUT" ||
			fail "$*: ends without saying why: $OUT"
	fi
}

# Too few descriptors, too little memory, and nowhere to write: whatever the number, it works or
# says what it cannot do.
scenario_limits()
{
	local n enough=0

	net_up
	sed 's/^RestartHold=.*/RestartHold=100ms/; s/^StartWait=.*/StartWait=10ms/' \
		<(config_default) >"$DIR/takeover.conf"
	node_up a
	for ((n = 3; enough < 3; n++)); do
		start_limited prlimit --nofile="$n"
		[[ -z $STARTED || $OUT == *'Too many open files'* ]] || enough=$((enough + 1))
		((n < 64)) || fail "64 descriptors are too few"
	done
	fact descriptors $((n - 3))
	if [[ $(nm -D "$TAKEOVERD") != *__asan* ]]; then # that reserves terabytes
		enough=0
		for ((n = 8; enough < 2; n += 8)); do
			start_limited prlimit --as=$((n << 20))
			[[ -z $STARTED ]] || enough=$((enough + 1))
			((n < 256)) || fail "256 MiB are too little"
		done
		fact address_space_mib $((n - 16))
	fi
	agent_start a
	wait_role a primary
	for ((n = 0; ; n++)); do
		[[ -L /proc/${AGENT[a]}/fd/$n ]] || break
	done
	prlimit --pid "${AGENT[a]}" --nofile="$n:1024" # from now on there are no more
	ip -n "$NET-a" address delete "$VIP6/64" dev eth0
	wait_said a '(it is|they are) back' # that takes none
	serves "$VIP6"
	call_ok a SetMaintenance false
	agent_end a TERM
	closed_fds
}

# Without stdin, stdout and stderr nothing is written where it does not belong.
closed_fds()
{
	local fd

	nsenter --net="/run/netns/$NET-a" -- env STATE_DIRECTORY="$DIR/a/state" \
		DBUS_SYSTEM_BUS_ADDRESS="$(bus_of a)" "$TAKEOVERD" \
		--config "$DIR/takeover.conf" --node alpha <&- >&- 2>&- &
	PIDS+=([agent-a]=$!)
	AGENT+=([a]=$!)
	wait_role a primary
	for fd in 0 1 2; do
		[[ $(readlink "/proc/${AGENT[a]}/fd/$fd") == /dev/null ]] ||
			fail "descriptor $fd is $(readlink "/proc/${AGENT[a]}/fd/$fd")"
	done
}

# --- The bus -----------------------------------------------------------------------

# The system bus goes and comes: roles, heartbeats and traffic do not notice, a switchover that
# was asked for is completed, nothing leaks, and the agent is found on the bus again.
scenario_bus_goes_and_comes()
{
	local before until i

	pair_up Linger=1s
	send_start load c "$VIP4" 500
	before=$(n_fds a)
	for ((i = 0; i < 20; i++)); do
		finish bus-a KILL || true
		bus_start a
		wait_role a primary
	done
	wait_said a 'the bus has gone; going on without'
	wait_said a 'on the bus again, as org.takeover1'
	for ((i = 0; i < 20; i++)); do
		spawn "flood-$i" a /dev/null "$PROBE" get "$(bus_of a)" manager NodeName
	done
	for ((i = 0; i < 20; i++)); do
		reap "flood-$i" || fail "a call among many was not answered"
	done
	until=$((SECONDS + PATIENCE)) # what has just been closed on the bus goes a moment later
	while [[ $(n_fds a) != "$before" ]]; do
		((SECONDS < until)) ||
			fail "$(n_fds a) descriptors, not $before: $(ls -l "/proc/${AGENT[a]}/fd")"
	done
	spawn call-a a "$DIR/call.out" "$PROBE" call "$(bus_of a)" group/sip Switchover
	wait_role b primary # while alpha lingers, and the caller waits
	finish bus-a KILL || true
	reap call-a || true
	bus_start a
	settle
	[[ $PRIMARY == b ]] || fail "the switchover was not completed"
	assert_none_lost load
	assert_holder b

	other_has_the_name
}

# Beta on alpha's bus: it says that the name is taken, and gets it when it is free.
other_has_the_name()
{
	local dir=$DIR/b

	agent_end a TERM
	agent_start a
	wait_role a backup
	said_anew b
	agent_end b TERM
	spawn agent-b b "$dir/log.out" env STATE_DIRECTORY="$dir/state" \
		DBUS_SYSTEM_BUS_ADDRESS="$(bus_of a)" "$TAKEOVERD" \
		--config "$DIR/takeover.conf" --node beta
	AGENT+=([b]=${PIDS[agent-b]})
	wait_said b 'another agent has the name org.takeover1 on this bus'
	[[ $(get a manager NodeName) == alpha ]] || fail "the name was taken away"
	agent_end a TERM
	wait_property a manager NodeName beta
	wait_role a primary # it is beta who says so
}

# --- The disk ----------------------------------------------------------------------

# on_tmpfs NODE OPTIONS: a WRAPPER that gives the agent a state directory of its own, which only
# it has: in_state NODE COMMAND... sees it as well
on_tmpfs()
{
	cat >"$DIR/on_tmpfs" <<-END
		#!/bin/sh
		mount -t tmpfs -o "\$1" tmpfs "\$STATE_DIRECTORY" || exit 1
		shift
		exec "\$@"
	END
	chmod 755 "$DIR/on_tmpfs"
	WRAPPER="unshare --mount $DIR/on_tmpfs $2 $WRAPPER" agent_start "$1"
}

in_state()
{
	local node=$1

	shift
	# shellcheck disable=SC2016 # for that shell
	nsenter --mount="/proc/${AGENT[$node]}/ns/mnt" -- \
		sh -c 'cd "$0" && exec "$@"' "$DIR/$node/state" "$@"
}

stored_term() # NODE
{
	in_state "$1" sed -n 's/^term=//p' sip.group
}

# The disk is full, then it is not: groups move all the same, and what could not be stored is
# stored then.
scenario_disk_full()
{
	local term

	net_up
	sed 's/^Announce/&/; s/^KeyFile/AddressLifetime=3s\n&/' <(config_default) >"$DIR/takeover.conf"
	node_up a
	node_up b
	on_tmpfs a size=64k
	wait_role a primary
	agent_start b
	settle
	[[ $(stored_term a) == "$(get a group/sip Term)" ]] || fail "the term is not stored"
	in_state a sh -c 'cat /dev/zero >ballast 2>/dev/null; true'
	for _ in 1 2 3 4; do
		call_ok "$PRIMARY" Switchover
		settle
	done
	assert_holder a
	wait_said a 'cannot store the term of group sip in .*: No space left on device'
	[[ $(in_state a ls | wc -l) -le 5 ]] || fail "files pile up: $(in_state a ls)"
	term=$(get a group/sip Term)
	[[ $(stored_term a) != "$term" ]] || fail "the disk was not full"
	in_state a rm ballast
	wait_said a 'the term of group sip is stored'
	(($(stored_term a) >= term)) || fail "stored is $(stored_term a), not $term"

	# It is gone altogether, or cannot be written.
	said_anew a
	in_state a mount -t tmpfs -o ro tmpfs "$DIR/a/state"
	call_ok a Switchover
	wait_said a 'cannot store the term of group sip in .*: Read-only file system'
	settle
	assert_holder b
	agent_end b TERM
	rm -r "$DIR/b/state"
	agent_start b
	wait_role a primary
	wait_property b group/sip Fit true # it has listened long enough
	settle
	said_anew b
	rm -r "$DIR/b/state"
	call_ok a Switchover
	wait_said b 'cannot store the term of group sip in .*: No such file or directory'
	mkdir "$DIR/b/state"
	wait_said b 'the term of group sip is stored'
	assert_holder b

	# It does not come back: who opens this to write waits until somebody reads.
	mkfifo "$DIR/b/state/sip.group.new"
	for _ in 1 2 3 4; do
		call_ok "$PRIMARY" Switchover
		settle
	done
	assert_holder b
	term=$(get b group/sip Term)
	[[ $(stored_term b) != "$term" ]] || fail "the disk did not hang"
	cat "$DIR/b/state/sip.group.new" >/dev/null
	agent_end b TERM
	(($(sed -n 's/^term=//p' "$DIR/b/state/sip.group") >= term)) ||
		fail "the last term is not stored"
}

# What is found at the start instead of a state directory, or in it: said, and started all the
# same, as the peer knows the terms.
scenario_state_unusable()
{
	local dir

	net_up
	sed 's/^RestartHold=.*/RestartHold=100ms/; s/^StartWait=.*/StartWait=10ms/' \
		<(config_default) >"$DIR/takeover.conf"
	node_up a
	dir=$DIR/a/state

	says() { # PATTERN [COMMAND...]
		local pattern=$1

		shift
		start_limited "$@"
		[[ -n $STARTED ]] || fail "does not start: $OUT"
		grep -qE -e "$pattern" <<<"$OUT" || fail "not \"$pattern\" but: $OUT"
	}
	for text in 'term=' $'term=5\nmaintenance' "$(head -c 100000 /dev/zero | tr '\0' 9)" \
		$'term=99999999999999999999999\nmaintenance=0\n'; do
		printf '%s' "$text" >"$dir/sip.group"
		says "cannot read what was stored of group sip in $dir: .*; its term will be learned"
	done
	rm -f "$dir"/*
	mkdir "$dir/sip.group"
	says "cannot read what was stored of group sip in $dir: Is a directory"
	rmdir "$dir/sip.group"
	chown 65534 "$dir"
	chmod 500 "$dir"
	chmod 644 "$DIR/key"
	chown 65533 "$DIR/key"
	chmod 600 "$DIR/key"
	says "cannot lock the state directory $dir: Permission denied" setpriv --reuid=65533 \
		--regid=65533 --clear-groups --inh-caps=-all,+net_admin,+net_raw \
		--ambient-caps=-all,+net_admin,+net_raw --bounding-set=-all,+net_admin,+net_raw
	chown 0 "$DIR/key"
	rm -rf "$dir"
	: >"$dir"
	says "state directory $dir: Not a directory"
	rm "$dir"
	says 'node alpha runs'
	[[ -s $dir/sip.group ]] || fail "a missing state directory is not made"
}

# --- Signals -------------------------------------------------------------------------

# Signals that ask for nothing are named and change nothing; those that ask for an end get one in
# order, also twice, early, and after another.
scenario_signals()
{
	local i

	pair_up
	send_start load c "$VIP4"
	agent_signal a HUP
	agent_signal a USR1
	agent_signal a PIPE
	wait_said a 'the configuration is the same: nothing changes'
	wait_said a 'SIGUSR1 means nothing here'
	settle
	[[ $PRIMARY == a ]] || fail "a signal moved the group"
	agent_signal a TERM
	agent_signal a TERM
	agent_end a INT
	wait_role b primary
	assert_none_lost load
	assert_tagged a ""
	agent_start a
	settle
	assert_holder b

	agent_signal b USR2
	agent_end b TERM
	agent_start b # whichever came first: there is one of them afterwards
	settle
	assert_holder "$PRIMARY"
	agent_end "$BACKUP" TERM
	agent_end "$PRIMARY" INT # alone
	assert_tagged "$PRIMARY" ""

	for ((i = 0; i < 10; i++)); do # in the middle of the start, wherever that is
		agent_start a
		kill -TERM "${AGENT[a]}"
		reap agent-a || (($? == 143)) || fail "SIGTERM at the start: status $?"
		assert_tagged a ""
	done
	unset 'AGENT[a]'
}
