# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2119,SC2120 # arguments that may be left out
#
# Two nodes and clients in network namespaces of their own, for run.sh and
# demo.sh. Whoever sources this calls net_up, nodes_up, agent_start, ..., and net_down in
# a trap. Everything is named after the process that made it (tk$$-a, ...), or
# as TAKEOVER_NET says: then who said so can remove it, too (net_clear).
#
#	 a, b      the nodes: eth0 (10.77.0.0/16, fd77::/64) and eth1 (10.78.0.0/24)
#	 c         a client like any other
#	 ca, cb    clients that know one MAC only, that of a or of b, whoever has
#	           the address: they see both nodes answer if both do
#	 br        the bridges br0 and br1 with one port each (a0, a1, b0, ...)
#
# All waiting is for an event, with a bound (probe wait-*); sleep appears only
# where passing time is what a scenario is about.

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
BUILD=${BUILD:-build}
[[ $BUILD == /* ]] || BUILD=$ROOT/$BUILD
PROBE=$BUILD/tests/net/probe
TAKEOVERD=${TAKEOVERD:-$BUILD/takeoverd}
# As the service: else it waits for whatever makes this machine busy. Or "valgrind ...", say.
WRAPPER=${WRAPPER-chrt --rr 5}

NET=${TAKEOVER_NET:-tk$$}
TAG=116 # IFA_PROTO of our addresses
VIP4=10.77.0.100
VIP6=fd77::100
WEB4=10.77.0.110
PORT=5060    # UDP
SERVICE=7000 # TCP
PATIENCE=${PATIENCE:-20} # seconds within which what has to happen has happened

declare -A NODE_NAME=([a]=alpha [b]=beta)
declare -A NUMBER=([a]=11 [b]=12 [c]=50 [ca]=51 [cb]=52)
declare -A AGENT=() PIDS=() R=()
DIR=
PRIMARY=
BACKUP=

die()
{
	printf '%s\n' "$*" >&2
	exit 1
}

# A fact that does not hold: the scenario is over.
fail()
{
	printf 'FAIL: %s\n' "$*" >&2
	exit 1
}

need_tools()
{
	local tool

	[[ $(id -u) == 0 ]] || die "root is needed: network namespaces, packet sockets, nftables"
	for tool in ip nft nsenter unshare dbus-daemon busctl setpriv timeout chrt; do
		command -v "$tool" >/dev/null || die "$tool is missing: make deps"
	done
	unshare --net true 2>/dev/null || die "network namespaces cannot be made here"
	[[ -x $PROBE ]] || die "$PROBE is missing: make tests"
	[[ -x $TAKEOVERD ]] || die "$TAKEOVERD is missing: make"
}

# shellcheck source=tests/net/network.sh
. "$HERE/network.sh"
# shellcheck source=tests/net/clients.sh
. "$HERE/clients.sh"

# --- Processes --------------------------------------------------------------

# spawn KEY NS OUTPUT COMMAND...: in the background; its messages go to KEY.err
spawn()
{
	local key=$1 ns=$2 output=$3

	shift 3
	nsenter --net="/run/netns/$NET-$ns" -- "$@" >"$output" 2>>"$DIR/$key.err" &
	PIDS[$key]=$!
}

# spawn_ready KEY NS OUTPUT COMMAND...: returns when it has written to the
# FIFO that stands for @READY@ among its arguments
spawn_ready()
{
	local fifo=$DIR/$1.ready line fd

	rm -f "$fifo"
	mkfifo "$fifo"
	exec {fd}<>"$fifo"
	spawn "${@//@READY@/$fifo}"
	read -r -t "$PATIENCE" line <&"$fd" || fail "$1 did not get ready: $(cat "$DIR/$1.err")"
	exec {fd}>&-
}

# reap KEY [SECONDS]: wait for its end; the result is its exit status
reap()
{
	local pid=${PIDS[$1]} status=0

	"$PROBE" wait-exit "$pid" "${2:-$PATIENCE}" || fail "$1 (process $pid) does not end"
	wait "$pid" 2>/dev/null || status=$?
	unset "PIDS[$1]"
	return "$status"
}

# finish KEY [SIGNAL]: ask for its end and wait; the result is its exit status
finish()
{
	kill "-${2:-TERM}" "${PIDS[$1]}" 2>/dev/null || true
	reap "$1"
}

# --- Nodes ------------------------------------------------------------------

# The configuration in parts. config_agent [KEY=VALUE...]
config_agent()
{
	printf '%s\n' '[Agent]' "KeyFile=${KEY_FILE:-$DIR/key}" "Interval=${INTERVAL:-50ms}" "Lease=${LEASE:-350ms}" \
		"DeadTime=${DEAD_TIME:-500ms}" StartWait=1s "RestartHold=${RESTART_HOLD:-1s}" \
		TimeoutStep=2s "$@"
}

config_nodes()
{
	printf '\n[Node alpha]\nAddress=10.77.0.11\n'
	[[ ${PATHS:-2} == 1 ]] || printf 'Address=10.78.0.11\n'
	printf '\n[Node beta]\nAddress=10.77.0.12\n'
	[[ ${PATHS:-2} == 1 ]] || printf 'Address=10.78.0.12\n'
}

# config_group NAME ADDRESS... [-- KEY=VALUE...]
config_group()
{
	local word what=VirtualAddress

	printf '\n[Group %s]\nLastResort=500ms\n' "$1"
	shift
	for word; do
		if [[ $word == -- ]]; then
			what=
		elif [[ -n $what ]]; then
			[[ $word == *:* ]] && word=$word/64 || word=$word/16
			printf 'VirtualAddress=%s eth0\n' "$word"
		else
			printf '%s\n' "$word"
		fi
	done
}

# The configuration of most scenarios; arguments are further keys of the group.
config_default()
{
	config_agent
	config_nodes
	config_group sip "$VIP4" "$VIP6" -- "$@"
}

bus_of()
{
	printf 'unix:path=%s/%s/bus' "$DIR" "$1"
}

# bus_start NODE: with the configuration of node_up
bus_start()
{
	local dir=$DIR/$1

	rm -f "$dir/bus" "$dir/address"
	mkfifo "$dir/address"
	spawn "bus-$1" "$1" "$dir/address" dbus-daemon --config-file="$dir/bus.conf" \
		--nofork --nopidfile --print-address
	read -r -t "$PATIENCE" _ <"$dir/address" || fail "the bus of node $1 did not start"
}

# node_up NODE: its bus and its service; the agent is started by agent_start
node_up()
{
	local dir=$DIR/$1

	mkdir -p "$dir/state" "$dir/run"
	[[ -e $DIR/key ]] || head -c 32 /dev/urandom | base64 >"$DIR/key"
	chmod 600 "$DIR/key"
	cat >"$dir/bus.conf" <<-END
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
		 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig>
		<type>system</type>
		<listen>$(bus_of "$1")</listen>
		<auth>EXTERNAL</auth>
		<policy context="default">
		<allow user="*"/>
		<allow send_type="signal"/>
		<allow send_requested_reply="true" send_type="method_return"/>
		<allow send_requested_reply="true" send_type="error"/>
		<allow receive_type="method_call"/>
		<allow receive_type="method_return"/>
		<allow receive_type="error"/>
		<allow receive_type="signal"/>
		<allow send_destination="org.freedesktop.DBus"/>
		</policy>
		<include>$ROOT/units/org.takeover1.conf</include>
		</busconfig>
	END
	bus_start "$1"
	spawn_ready "echo-$1" "$1" /dev/null "$PROBE" echo "${NODE_NAME[$1]}" "$PORT" \
		--ready @READY@
}

nodes_up() # NODE...
{
	local node

	for node; do
		node_up "$node"
	done
}

# agent_start NODE [FILE]: does not wait for anything
agent_start()
{
	local dir=$DIR/$1

	# shellcheck disable=SC2086 # WRAPPER is a command with arguments
	spawn "agent-$1" "$1" "$dir/log.out" env -u NOTIFY_SOCKET -u WATCHDOG_USEC \
		STATE_DIRECTORY="$dir/state" RUNTIME_DIRECTORY="$dir/run" \
		DBUS_SYSTEM_BUS_ADDRESS="$(bus_of "$1")" \
		$WRAPPER "$TAKEOVERD" --config "${2:-$DIR/takeover.conf}" --node "${NODE_NAME[$1]}" \
		${TRACE:+--trace "$DIR/$TRACE-$1"}
	AGENT[$1]=${PIDS[agent-$1]}
}

# agent_signal NODE SIGNAL: and see a stop through: no thread runs any more
agent_signal()
{
	local tries

	kill "-$2" "${AGENT[$1]}" || fail "the agent of node $1 is not there for SIG$2"
	[[ $2 == STOP ]] || return 0
	for ((tries = 0; tries < 1000; tries++)); do
		awk '{ sub(/.*\) /, ""); if ($1 != "T") exit 1 }' \
			"/proc/${AGENT[$1]}/task"/*/stat && return 0
	done
	fail "the agent of node $1 does not stop"
}

# agent_end NODE SIGNAL [STATUS]: and hold its exit status against what it should be
agent_end()
{
	local status=0

	kill "-$2" "${AGENT[$1]}" || fail "the agent of node $1 is not there for SIG$2"
	reap "agent-$1" || status=$?
	unset "AGENT[$1]"
	[[ $2 == KILL || $status == "${3:-0}" ]] ||
		fail "the agent of node $1 ended with status $status after SIG$2"
}

# Power off: nothing of the node is left, not even its kernel. The frames stop
# first, in the bridge: the other node must not be told that a port has closed,
# and an agent that saw its links go would hand over.
node_kill()
{
	local key pids

	in_ns br nft "add table bridge power;
		add chain bridge power from { type filter hook prerouting priority -400; };
		add chain bridge power to { type filter hook postrouting priority -400; };
		add rule bridge power from iifname { ${1}0, ${1}1 } drop;
		add rule bridge power to oifname { ${1}0, ${1}1 } drop"
	mapfile -t pids < <(ip netns pids "$NET-$1")
	kill -KILL "${pids[@]}"
	for key in "agent-$1" "echo-$1" "bus-$1" "node-$1"; do
		[[ -z ${PIDS[$key]:-} ]] || wait "${PIDS[$key]}" 2>/dev/null || true
		unset "PIDS[$key]"
	done
	unset "AGENT[$1]"
	printf 'link delete %s0\nlink delete %s1\n' "$1" "$1" | ip -n "$NET-br" -batch -
	end_all "$NET-$1"
	ip netns delete "$NET-$1"
}

# node_wire NODE: again, after node_kill
node_wire()
{
	in_ns br nft delete table bridge power
	ns_make "$1"
	ns_cables "$1" | ip -n "$NET-br" -batch -
	ns_addresses "$1"
}

# rss_kib NODE: what its agent has in memory
rss_kib()
{
	awk '/^VmRSS/ { print $2 }' "/proc/${AGENT[$1]}/status"
}

is_sanitized()
{
	grep -q libasan "/proc/${AGENT[$1]}/maps"
}

# assert_grown NODE BEFORE-KIB MOST-KIB: its agent has grown by less. What has been freed
# is kept by the sanitizer: there, leaks are found at the end.
assert_grown()
{
	local grown

	grown=$(($(rss_kib "$1") - $2))
	fact "rss_grew_kib_$1" "$grown"
	is_sanitized "$1" || ((grown < $3)) || fail "the agent of $1 has grown by $grown KiB"
}

other()
{
	[[ $1 == a ]] && echo b || echo a
}

# await COMMAND...: until it says yes; for what nobody tells of when it happens
await()
{
	local last=$((SECONDS + PATIENCE))

	until "$@"; do
		((SECONDS < last)) || return 1
	done
}

# --- What the bus says ------------------------------------------------------

get() # NODE OBJECT PROPERTY
{
	"$PROBE" get "$(bus_of "$1")" "$2" "$3"
}

wait_property() # NODE OBJECT PROPERTY CONDITION [SECONDS]
{
	"$PROBE" wait-property "$(bus_of "$1")" "$2" "$3" "$4" "${5:-$PATIENCE}" ||
		fail "node $1: $3 of $2 is $(get "$1" "$2" "$3"), not $4"
}

wait_role() # NODE ROLE [GROUP]
{
	wait_property "$1" "group/${3:-sip}" Role "$2"
}

# settle [GROUP]: exactly one is primary and both agree; sets PRIMARY and BACKUP
settle()
{
	local name

	name=$("$PROBE" settle "$(bus_of a)" "$(bus_of b)" "group/${1:-sip}" "$PATIENCE") ||
		fail "the nodes do not agree on one primary of ${1:-sip}"
	# shellcheck disable=SC2034 # for scenarios
	case $name in
	alpha) PRIMARY=a BACKUP=b ;;
	beta) PRIMARY=b BACKUP=a ;;
	*) fail "the nodes agree on \"$name\" as the primary" ;;
	esac
}

# call NODE METHOD [ARGUMENT] [GROUP]: sets R[result], R[call_us], R[start_us], ...
call()
{
	local line status=0

	line=$("$PROBE" call "$(bus_of "$1")" "group/${4:-sip}" "$2" ${3:+"$3"} \
		2>>"$DIR/call.err") || status=$?
	figures "$line"
	((status < 2)) || fail "calling $2 on node $1 failed: $(tail -n1 "$DIR/call.err")"
}

# call_ok NODE METHOD [ARGUMENT] [GROUP]
call_ok()
{
	call "$@"
	[[ ${R[result]} == ok ]] ||
		fail "$2 on node $1: ${R[result]}: $(tail -n1 "$DIR/call.err")"
}

# --- Both nodes, as most scenarios want them --------------------------------

# pair_up [KEY=VALUE...]: both nodes with the default configuration, alpha primary
pair_up()
{
	net_up
	config_default "$@" >"$DIR/takeover.conf"
	nodes_up a b
	pair_start
}

pair_start()
{
	agent_start a
	wait_role a primary
	agent_start b
	settle
	[[ $PRIMARY == a ]] || fail "the node that was there first lost the group"
}

# No agent has met a sanitizer or an assertion, each ends in order and leaves
# nothing behind.
pair_down()
{
	local node

	for node in "${!AGENT[@]}"; do
		agent_end "$node" TERM
		assert_tagged "$node" ""
	done
	if grep -shE 'Sanitizer|runtime error:|Assertion|ERROR SUMMARY: [1-9]' "$DIR"/agent-*.err; then
		fail "an agent reports a programming error"
	fi
}
