#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2119 # what lib.sh has takes the usual without arguments
#
# What it costs to do nothing: CPU time and memory of both nodes while all is well,
# at heartbeats of 50 ms. All systems run side by side, each in network namespaces of
# its own, and are measured in the same seconds: whatever else the machine does, the
# figures of one run can be compared.
#
#	floor        a program that sends a datagram on each path each interval, and
#	             one that answers (probe pulse): what the network alone costs
#	takeoverd    as it comes; "1 path": as keepalived has it
#	keepalived   VRRP version 3 with advert_int 0.05, one instance a group
#
# CPU time is what the scheduler has given to all threads, to the nanosecond. Where
# the two nodes are namespaces of one machine, that of a sender has the kernel's
# delivery to the receiver in it.

set -eu -o pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../net/lib.sh"

# NAME GROUPS PATHS
SYSTEMS=(
	"floor 1 1"
	"floor 1 2"
	"takeoverd 1 1"
	"takeoverd 1 2"
	"takeoverd 100 2"
	"keepalived 1 1"
	"keepalived 100 1"
)
INTERVAL_MS=50
SECONDS_LONG=60
SETTLE_S=3 # what starting leaves behind has been done: announcements, buses
JSON=

usage()
{
	cat <<-END
		usage: idle.sh [--seconds N] [--only NAME[,NAME...]] [--json FILE]

		  --seconds N   how long to measure (default $SECONDS_LONG)
		  --only NAMES  of floor, takeoverd, keepalived
		  --json FILE   the rows, for programs as well
	END
}

# --- One system, in a shell of its own ----------------------------------------

vip()
{
	printf '10.77.1.%d' "$1"
}

floor_start()
{
	local to_b="10.77.0.11 10.77.0.12" to_a="10.77.0.12 10.77.0.11"

	if ((PATHS == 2)); then
		to_b+=" 10.78.0.11 10.78.0.12"
		to_a+=" 10.78.0.12 10.78.0.11"
	fi
	# shellcheck disable=SC2086 # addresses are words
	spawn floor-b b /dev/null "$PROBE" pulse 7374 0 $to_a
	# shellcheck disable=SC2086
	spawn floor-a a /dev/null "$PROBE" pulse 7374 $((INTERVAL_MS * 1000)) $to_b
	PRIMARY_PIDS=${PIDS[floor-a]} BACKUP_PIDS=${PIDS[floor-b]}
}

takeoverd_start()
{
	local g

	{
		printf '%s\n' '[Agent]' "KeyFile=$DIR/key" "Interval=${INTERVAL_MS}ms"
		config_nodes
		for ((g = 1; g <= GROUPS_WANTED; g++)); do
			printf '\n[Group g%d]\nVirtualAddress=%s/16 eth0\n' "$g" "$(vip "$g")"
		done
	} >"$DIR/takeover.conf"
	nodes_up a b
	agent_start a
	for ((g = 1; g <= GROUPS_WANTED; g++)); do
		wait_role a primary "g$g"
	done
	agent_start b
	settle g1
	PRIMARY_PIDS=${AGENT[a]} BACKUP_PIDS=${AGENT[b]}
}

keepalived_config() # PRIORITY
{
	local g

	printf 'global_defs {\n vrrp_version 3\n}\n'
	for ((g = 1; g <= GROUPS_WANTED; g++)); do
		printf 'vrrp_instance g%d {\n state BACKUP\n interface eth0\n virtual_router_id %d\n' \
			"$g" "$g"
		printf ' priority %d\n advert_int 0.0%d\n virtual_ipaddress {\n  %s/16\n }\n}\n' \
			"$1" "$INTERVAL_MS" "$(vip "$g")"
	done
}

# The process that was started and the one that it has started for VRRP
keepalived_pids() # NODE
{
	printf '%s %s' "${PIDS[keepalived-$1]}" "$(cat "$DIR/vrrp-$1.pid")"
}

keepalived_start()
{
	local node g

	for node in a b; do
		keepalived_config "$([[ $node == a ]] && echo 150 || echo 100)" >"$DIR/keepalived-$node.conf"
		spawn "keepalived-$node" "$node" "$DIR/log-$node" keepalived --vrrp --dont-fork \
			--log-console --use-file "$DIR/keepalived-$node.conf" \
			--pid "$DIR/$node.pid" --vrrp_pid "$DIR/vrrp-$node.pid"
	done
	for ((g = 1; g <= GROUPS_WANTED; g++)); do
		in_ns a "$PROBE" wait-address "$(vip "$g")" present "$PATIENCE" ||
			fail "keepalived does not take $(vip "$g")"
	done
	PRIMARY_PIDS=$(keepalived_pids a) BACKUP_PIDS=$(keepalived_pids b)
}

# Until the parent has measured: it closes the pipe that we read from.
run_system() # NUMBER NAME GROUPS PATHS
{
	local name=$2

	GROUPS_WANTED=$3 PATHS=$4 NET=${NET}n$1
	trap 'net_down || true' EXIT
	trap 'exit 130' INT TERM
	net_up
	"${name}_start"
	printf 'primary %s\nbackup %s\n' "$PRIMARY_PIDS" "$BACKUP_PIDS" >"$WORK/$1.pids"
	echo ready >"$WORK/ready"
	read -r _ <"$WORK/$1.end" || true
}

# --- Measuring ----------------------------------------------------------------

# cpu_of PID...: nanoseconds that all of its threads have run
cpu_of()
{
	local pid

	for pid; do
		cat "/proc/$pid/task"/*/schedstat
	done | awk '{ ns += $1 } END { printf "%.0f", ns }'
}

wakes_of()
{
	local pid

	for pid; do
		cat "/proc/$pid/task"/*/status
	done | awk '/^voluntary_ctxt/ { n += $2 } END { print n + 0 }'
}

memory_of() # PID...: RSS and PSS in KiB
{
	local pid

	for pid; do
		cat "/proc/$pid/smaps_rollup"
	done | awk '/^Rss:/ { rss += $2 } /^Pss:/ { pss += $2 } END { print rss, pss }'
}

# snapshot FILE: NUMBER ROLE CPU-NS WAKES
snapshot()
{
	local i role pids

	for i in "${!ROWS[@]}"; do
		while read -r role pids; do
			# shellcheck disable=SC2086 # process ids are words
			echo "$i $role $(cpu_of $pids) $(wakes_of $pids) $(memory_of $pids)"
		done <"$WORK/$i.pids"
	done >"$1"
}

# One line for each node of each system: what it cost in a minute
rows() # ELAPSED-NS
{
	local i

	for i in "${!ROWS[@]}"; do
		echo "name $i ${ROWS[$i]}"
	done | cat - "$WORK/before" "$WORK/after" | awk -v ns="$1" '
		$1 == "name" { name[$2] = $3 " " $4 " " $5; next }
		!(($1, $2) in cpu) { cpu[$1, $2] = $3; wakes[$1, $2] = $4; next }
		{
			printf "%s %s %.1f %.1f %d %d\n", name[$1], $2,
				($3 - cpu[$1, $2]) / ns * 60000, ($4 - wakes[$1, $2]) / ns * 1e9, $5, $6
		}'
}

table()
{
	printf '%-12s %7s %6s %-8s %11s %9s %8s %8s\n' \
		system groups paths node 'CPU ms/min' wakes/s RSS/KiB PSS/KiB
	while read -r name groups paths node cpu wakes rss pss; do
		printf '%-12s %7s %6s %-8s %11s %9s %8s %8s\n' \
			"$name" "$groups" "$paths" "$node" "$cpu" "$wakes" "$rss" "$pss"
	done
}

json()
{
	awk -v seconds="$SECONDS_LONG" -v interval="$INTERVAL_MS" '
		BEGIN { printf "{\"part\":\"idle\",\"seconds\":%d,\"interval_ms\":%d,\"rows\":[", seconds, interval }
		{
			printf "%s\n{\"system\":\"%s\",\"groups\":%d,\"paths\":%d,\"node\":\"%s\",", (NR > 1 ? "," : ""), $1, $2, $3, $4
			printf "\"cpu_ms_per_minute\":%s,\"wakes_per_s\":%s,\"rss_kib\":%d,\"pss_kib\":%d}", $5, $6, $7, $8
		}
		END { print "\n]}" }'
}

# What DESIGN asks for, as ratios of one run
budgets()
{
	awk '
		{ key = $1 " " $2 " " $3 " " $4; cpu[key] = $5; rss[key] = $7 }
		function say(what, value, most) {
			printf "%-58s %8.2f  (at most %s) %s\n", what, value, most, value <= most ? "met" : "NOT MET"
		}
		END {
			p = "takeoverd 1 2 primary"; k = "keepalived 1 1 primary"
			both = cpu[p] + cpu["takeoverd 1 2 backup"]
			if (cpu[k]) {
				say("CPU, one group: takeoverd/keepalived, primary", cpu[p] / cpu[k], 1)
				say("CPU, one group, one path: takeoverd/keepalived, primary", cpu["takeoverd 1 1 primary"] / cpu[k], 1)
			}
			if (both)
				say("CPU, takeoverd: 100 groups/one, both nodes", (cpu["takeoverd 100 2 primary"] + cpu["takeoverd 100 2 backup"]) / both, 2)
			if (rss[p])
				say("takeoverd, one group: resident MiB", rss[p] / 1024, 4)
		}'
}

cleanup()
{
	local i

	trap - EXIT INT TERM
	for i in "${!ROWS[@]}"; do
		[[ ! -p $WORK/$i.end ]] || { : <>"$WORK/$i.end"; }
	done
	[[ ${#RUNNING[@]} == 0 ]] || kill -TERM "${RUNNING[@]}" 2>/dev/null || true
	wait
	rm -rf "$WORK"
}

ROWS=() RUNNING=()
only=floor,takeoverd,keepalived
while (($#)); do
	case $1 in
	--seconds) SECONDS_LONG=$2 && shift 2 ;;
	--only) only=$2 && shift 2 ;;
	--json) JSON=$2 && shift 2 ;;
	--help) usage && exit ;;
	*) usage >&2 && exit 2 ;;
	esac
done
for system in "${SYSTEMS[@]}"; do
	[[ ,$only, != *,${system%% *},* ]] || ROWS+=("$system")
done
WORK=$(mktemp -d)
trap cleanup EXIT
trap 'exit 130' INT TERM
mkfifo "$WORK/ready"
exec {ready}<>"$WORK/ready"
for i in "${!ROWS[@]}"; do
	mkfifo "$WORK/$i.end"
	# shellcheck disable=SC2086 # a row is words
	(run_system "$i" ${ROWS[$i]}) 2>"$WORK/$i.err" &
	RUNNING+=($!)
	read -r -t 60 _ <&"$ready" || { cat "$WORK/$i.err" >&2; exit 1; }
done
sleep "$SETTLE_S"
start=$(date +%s%N)
snapshot "$WORK/before"
sleep "$SECONDS_LONG"
end=$(date +%s%N)
snapshot "$WORK/after"
rows $((end - start)) >"$WORK/rows"
table <"$WORK/rows"
echo
budgets <"$WORK/rows"
[[ -z $JSON ]] || json <"$WORK/rows" >"$JSON"
