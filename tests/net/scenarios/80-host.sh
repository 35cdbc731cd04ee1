# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Bad days of the host: whatever it takes away, nothing crashes, nothing is ignored silently,
# and no address is left behind or lost.

# wait_said NODE PATTERN: its agent has logged it, or does so in time
wait_said()
{
	# shellcheck disable=SC2016 # for that shell
	timeout "$PATIENCE" bash -c 'exec 3< <(exec tail -n +1 -f "$1"); tail=$!
		grep -qm1 -E -e "$2" <&3; status=$?
		kill "$tail"; exit $status' bash "$DIR/agent-$1.err" "$2" ||
		fail "the agent of node $1 does not say \"$2\""
}

# said_anew NODE: forget what its agent has said so far
said_anew()
{
	: >"$DIR/agent-$1.err" # it is appended to
}

n_fds() # NODE
{
	find "/proc/${AGENT[$1]}/fd" -mindepth 1 | wc -l
}

# serves ADDRESS [COUNT]: a client gets all its answers
serves()
{
	send_some c "$1" "${2:-50}"
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} of ${R[sent]} packets to $1 were not answered"
}

# --- Interfaces ---------------------------------------------------------------

SVC4=10.79.0.100
SVC6=fd79::100

svc_tagged() # [INTERFACE]
{
	printf '%s/16 eth0\n%s/64 eth0' "$VIP4" "$VIP6"
	[[ $# == 0 ]] || printf '\n%s/24 %s\n%s/64 %s' "$SVC4" "$1" "$SVC6" "$1"
}

assert_svc() # [INTERFACE]
{
	assert_tagged a "$(svc_tagged "$@" | sort)"
}

# A third interface of node a, in the clients' network. Its own addresses come first, under
# another name: the second address of a network gets no route from the kernel.
svc_make()
{
	ip -n "$NET-br" link add asvc type veth peer name svc9 address 02:74:6b:00:79:01 netns "$NET-a"
	ip -n "$NET-br" link set asvc master br0 up
	svc_own svc9
}

svc_up()
{
	svc_make
	a_ip link set svc9 name svc0
}

svc_own() # INTERFACE
{
	a_ip address replace 10.79.0.11/24 dev "$1"
	a_ip link set "$1" up
	a_ip address replace fd79::11/64 dev "$1" nodad
}

# From the namespace that it was moved to
svc_home()
{
	ip -n "$NET-ca" link set svc0 netns "$NET-a" name svc9
	svc_own svc9
	a_ip link set svc9 name svc0
}

# svc_back COMMAND...: brings the interface back; the addresses are announced again
svc_back()
{
	rm -f "$DIR/svc.out"
	spawn_ready svc c "$DIR/svc.out" "$PROBE" announced eth0 4 "$PATIENCE" @READY@
	"$@"
	reap svc || fail "not announced: $(cat "$DIR/svc.out" "$DIR/svc.err")"
	wait_property a group/sip Fit true
	assert_svc svc0
	serves "$SVC4"
	serves "$SVC6"
}

svc_gone() # COMMAND...
{
	said_anew a
	"$@"
	wait_property a group/sip Fit false
	wait_said a 'svc0'
	[[ $(get a group/sip Role) == primary ]] || fail "gave up what still works"
}

a_ip()
{
	ip -n "$NET-a" "$@"
}

# A group on two interfaces, and nobody else to serve it (WhenAlone=keep): what is left goes on,
# for longer than the addresses live by themselves, and the rest comes back with its interface.
scenario_interface_comes_and_goes()
{
	net_up
	{
		config_agent AddressLifetime=2s
		config_nodes
		config_group sip "$VIP4" "$VIP6" -- "VirtualAddress=$SVC4/24 svc0" \
			"VirtualAddress=$SVC6/64 svc0"
	} >"$DIR/takeover.conf"
	ip -n "$NET-c" address add 10.79.0.50/24 dev eth0
	ip -n "$NET-c" address add fd79::50/64 dev eth0 nodad
	node_up a
	agent_start a
	wait_said a 'sip: .*svc0 is missing'
	wait_property a group/sip Unfit link
	svc_make
	a_ip link set svc9 down
	a_ip link set svc9 name svc0
	wait_said a 'svc0 is down'
	[[ $(get a group/sip Role) == backup ]] || fail "primary without an interface"
	svc_own svc0
	wait_role a primary
	assert_svc svc0
	serves "$SVC4"
	serves "$SVC6"

	svc_gone a_ip link delete svc0
	serves "$VIP4" 2700
	assert_svc
	svc_back svc_up

	svc_gone a_ip link set svc0 name svc9
	in_ns a "$PROBE" wait-address "$SVC4" absent "$PATIENCE" || fail "left behind on svc9"
	in_ns a "$PROBE" wait-address "$SVC6" absent "$PATIENCE" || fail "left behind on svc9"
	assert_svc
	svc_back a_ip link set svc9 name svc0

	svc_gone a_ip link set svc0 down
	svc_back svc_own svc0

	svc_gone a_ip link set svc0 netns "$NET-ca"
	svc_back svc_home

	svc_back a_ip link set svc0 address 02:74:6b:00:79:02
	[[ $(ip -n "$NET-c" neighbour show "$SVC4" dev eth0) == *00:79:02* ]] ||
		fail "the old MAC is still believed"
	serves "$VIP4" 2700
	assert_svc svc0
}

eth0_up() # NODE: made anew, as net_up makes it
{
	printf '%s\n' "link add ${1}0 type veth peer name eth0 address $(mac "$1" 0) netns $NET-$1" \
		"link set ${1}0 master br0 up" | ip -n "$NET-br" -batch -
	eth0_own "$1"
}

eth0_own() # NODE
{
	printf '%s\n' "address replace 10.77.0.${NUMBER[$1]}/16 dev eth0" "link set eth0 up" \
		"address replace fd77::${NUMBER[$1]}/64 dev eth0 nodad" | ip -n "$NET-$1" -batch -
}

# From the namespace that it was moved to
eth0_home()
{
	ip -n "$NET-ca" link set eth5 netns "$NET-a" name eth0
	eth0_own a
}

# hands_over NODE COMMAND...: what is done to its interface makes the primary yield; nothing of
# ours is left on it
hands_over()
{
	local node=$1

	shift
	"$@"
	wait_role "$(other "$node")" primary
	settle
	[[ $PRIMARY == "$(other "$node")" ]] || fail "$PRIMARY is primary after $*"
	assert_tagged "$node" ""
	serves "$VIP4"
	serves "$VIP6"
}

# fit_again NODE COMMAND...: mends it; the group can be moved back
fit_again()
{
	local node=$1

	shift
	"$@"
	wait_property "$node" group/sip Fit true
	settle
	call_ok "$(other "$node")" Switchover
	settle
	assert_holder "$node"
}

# The same with a peer that can: the group goes there, and the node is fit again by itself.
scenario_interface_changes_under_the_primary()
{
	pair_up
	hands_over a a_ip link set eth0 name eth9
	fit_again a a_ip link set eth9 name eth0

	hands_over a ip -n "$NET-a" link set eth0 down
	fit_again a eth0_own a

	hands_over a a_ip link delete eth0
	fit_again a eth0_up a

	hands_over a a_ip link set eth0 netns "$NET-ca" name eth5
	fit_again a eth0_home

	serves "$VIP4"
	a_ip link set eth0 address 02:74:6b:00:00:99
	settle
	[[ $PRIMARY == a ]] || fail "a new MAC moved the group"
	send_some c "$VIP4" 500
	((R[lost] < 50)) || fail "the new MAC is not known: ${R[lost]} of 500 lost"
	fact lost_with_new_mac "${R[lost]}"
}

# --- Addresses ------------------------------------------------------------------

disable_ipv6() # NODE 1-OR-0
{
	in_ns "$1" sh -c "echo $2 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6"
	[[ $2 == 1 ]] || ip -n "$NET-$1" address replace "fd77::${NUMBER[$1]}/64" dev eth0 nodad
}

# One of a group's addresses is refused by the kernel: it is named, none of the others is left
# there, and whoever has the group keeps it. It passes with its cause.
scenario_address_refused()
{
	local text='refuses fd77::100/64 on eth0: Permission denied; IPv6 is disabled'

	pair_up
	send_start load c "$VIP4"
	disable_ipv6 b 1
	call a Switchover
	[[ ${R[result]} != ok ]] || fail "switched over to where IPv6 is disabled"
	wait_said b "$text"
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
	send_stop load
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} of ${R[sent]} packets lost"
	in_ns b "$PROBE" wait-address "$VIP4" absent "$PATIENCE" || fail "left half-claimed"
	disable_ipv6 b 0
	wait_property b group/sip Fit true
	assert_holder a

	send_start load c "$VIP4"
	disable_ipv6 a 1 # under the primary, which has a better node beside it
	wait_role b primary
	settle
	wait_said a "$text"
	send_stop load
	fact lost_when_refused_under_primary "${R[lost]}"
	serves "$VIP6"
	assert_tagged a ""
	said_anew a
	agent_end b TERM # now it is this one or none
	wait_said a "$text"
	disable_ipv6 a 0
	wait_role a primary
	serves "$VIP4"
	serves "$VIP6"
}

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
	AGENT[a]=${PIDS[agent-a]}
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
	wait_said a 'they are back' # that takes none
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
	local before i

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
	[[ $(n_fds a) == "$before" ]] ||
		fail "$(n_fds a) descriptors, not $before: $(ls -l "/proc/${AGENT[a]}/fd")"
	spawn call-a a "$DIR/call.out" "$PROBE" call "$(bus_of a)" group/sip Switchover
	wait_role b primary # while alpha lingers, and the caller waits
	finish bus-a KILL || true
	reap call-a || true
	bus_start a
	settle
	[[ $PRIMARY == b ]] || fail "the switchover was not completed"
	send_stop load
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} of ${R[sent]} packets lost"
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

# --- The wall clock ----------------------------------------------------------------

# step_clock SECONDS: the agents' wall clock; returns when both have seen it
step_clock()
{
	local node tries seen

	for node in a b; do
		printf '%-31s\n' "$1" 1<>"$DIR/clock-$node"
	done
	for node in a b; do
		for ((tries = 0; tries < 2000; tries++)); do
			seen=$(tail -c +33 "$DIR/clock-$node" | head -n 1)
			[[ $seen != "$1" ]] || continue 2
			get "$node" manager RefusedPackets >/dev/null # it looks at clocks for that
		done
		fail "the agent of node $node never looked at its wall clock: $seen, not $1"
	done
}

# An hour forward, two back, a year forward: nobody decides anything by the wall clock.
scenario_wall_clock_steps()
{
	local node shim=$BUILD/tests/net/clock.so now step term

	net_up
	config_default >"$DIR/takeover.conf"
	for node in a b; do
		printf '%-64s' 0 >"$DIR/clock-$node"
		node_up "$node"
	done
	printf '%-64s' 3600 >"$DIR/clock-c"
	now=$(CLOCK_FILE=$DIR/clock-c LD_PRELOAD=$shim date +%s)
	((now - $(date +%s) > 3590)) || fail "the shim does not step the clock"

	shimmed() { # NODE
		# bash hands it to what it executes, which is the agent in the end
		WRAPPER="env LD_PRELOAD=$shim CLOCK_FILE=$DIR/clock-$1
			ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 $WRAPPER" agent_start "$1"
	}
	shimmed a
	wait_role a primary
	shimmed b
	settle
	term=$(get a group/sip Term)
	both_start
	send_start load c "$VIP4"
	for step in 3600 -3600 31536000 0; do
		step_clock "$step"
		send_some c "$VIP4" 700 # longer than the lease and the dead time
	done
	send_stop load
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} of ${R[sent]} packets lost"
	both_stop
	[[ ${R[both_us]} == 0 ]] || fail "both nodes answered for ${R[both_us]} µs"
	settle
	[[ $PRIMARY == a && $(get a group/sip Term) == "$term" ]] || fail "the group moved"
	step_clock -86400
	call_ok a Switchover
	settle
	assert_holder b
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
	local term tries

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
	for tries in 1 2 3 4; do
		call_ok "$PRIMARY" Switchover
		settle
	done
	assert_holder a
	wait_said a 'cannot store the term of group sip in .*: No space left on device'
	[[ $(in_state a ls | wc -l) -le 4 ]] || fail "files pile up: $(in_state a ls)"
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

# --- The firewall -------------------------------------------------------------------

# The host's firewall is loaded again and again beside the gate; rules of the gate that somebody
# flushes are put back.
scenario_firewall_reloads()
{
	local i

	pair_up
	cat >"$DIR/firewall" <<-END
		table inet filter
		flush table inet filter
		table inet filter {
			set blocked { type ipv4_addr; elements = { $(seq -s, -f '192.0.2.%.0f' 1 250) } }
			chain input { type filter hook input priority 0; ip saddr @blocked drop; }
		}
	END
	send_start load c "$VIP4"
	for ((i = 0; i < 30; i++)); do
		in_ns a nft -f "$DIR/firewall"
	done
	send_stop load
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} of ${R[sent]} packets lost"
	both_start
	in_ns a nft flush table inet takeover
	rules_are_back a
	in_ns b nft flush table inet takeover
	rules_are_back b
	in_ns a nft flush chain arp takeover out
	rules_are_back a
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
	agent_end a KILL # the lease must be behind it again
	wait_role b primary
	send_some c "$VIP4" 500
	both_stop
	[[ ${R[both_us]} == 0 ]] || fail "both nodes answered for ${R[both_us]} µs"
}

rules_are_back() # NODE
{
	local tries

	for ((tries = 0; tries < 500; tries++)); do # nft has no "wait until"
		[[ $(in_ns "$1" nft list chain inet takeover in) == *vmap* &&
			$(in_ns "$1" nft list chain arp takeover out) == *vmap* ]] && return 0
	done
	fail "the rules of node $1 are not back: $(in_ns "$1" nft list ruleset)"
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
	wait_said a 'SIGHUP: a running agent does not read its configuration again'
	wait_said a 'SIGUSR1 means nothing here'
	settle
	[[ $PRIMARY == a ]] || fail "a signal moved the group"
	agent_signal a TERM
	agent_signal a TERM
	agent_end a INT
	wait_role b primary
	send_stop load
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} of ${R[sent]} packets lost"
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
