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
#	takeoverd    as it comes, in real time as its service runs it; with two paths, and
#	             with one, as keepalived has it
#	keepalived   VRRP version 3 with advert_int 0.05, one instance a group
#
# CPU time is what the scheduler has given to all threads, to the nanosecond. Where
# the two nodes are namespaces of one machine, that of a sender has the kernel's
# delivery to the receiver in it.

set -eu -o pipefail
# shellcheck source=tests/bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# SYSTEM GROUPS PATHS
ROWS=(
	"floor 1 1"
	"floor 1 2"
	"takeoverd 1 1"
	"takeoverd 1 2"
	"takeoverd 100 2"
	"keepalived 1 1"
	"keepalived 100 1"
)
INTERVAL_MS=50
LONG_S=60
RUNS=1
SETTLE_S=8 # what a start leaves behind has been done by then: announcements, which keepalived
	   # repeats after 5 s, the bus
START_S=60
BEGIN_S=5 # what a system usually takes to start, by the seven
JSON=
ESTIMATE=
RUNNING=()

usage()
{
	cat <<-END
		usage: idle.sh [--runs N] [--seconds N] [--quick] [--json FILE] [--estimate]

		  --runs N      so often; tables have the medians (default $RUNS)
		  --seconds N   how long to measure each time (default $LONG_S)
		  --quick       takeoverd with one group, for a second: does it work?
		  --json FILE   the rows of each run as an array
		  --estimate    say only how many seconds that takes
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

# It runs until this process is told to end, whose networks go with it.
run_system() # NUMBER NAME GROUPS PATHS
{
	local name=$2

	GROUPS_WANTED=$3 PATHS=$4 NET=${NET}n$1
	trap 'status=$?; set +eu; net_down; exit $status' EXIT
	trap 'exit 130' INT TERM HUP PIPE
	net_up
	"${name}_start"
	printf 'primary %s\nbackup %s\n' "$PRIMARY_PIDS" "$BACKUP_PIDS" >"$WORK/$1.pids"
	echo ready >"$WORK/ready"
	read -r _ <>"$WORK/$1.end" # never comes
}

# --- Measuring ----------------------------------------------------------------

# spent PID...: ns that all of their threads have run, how often one was woken, RSS and PSS in KiB
spent()
{
	local pid

	for pid; do
		cat "/proc/$pid/task"/*/{schedstat,status} "/proc/$pid/smaps_rollup"
	done | awk '
		/^[0-9]+ [0-9]+ [0-9]+$/ { ns += $1 }
		/^voluntary_ctxt_switches:/ { wakes += $2 }
		/^Rss:/ { rss += $2 }
		/^Pss:/ { pss += $2 }
		END { printf "%.0f %d %d %d\n", ns, wakes, rss, pss }'
}

# A line for each node of each system: NUMBER NODE and what it has spent
snapshot()
{
	local i node pids

	for i in "${!ROWS[@]}"; do
		while read -r node pids; do
			# shellcheck disable=SC2086 # process ids are words
			echo "$i $node $(spent $pids)"
		done <"$WORK/$i.pids"
	done
}

# measure RUN: a record for each node of each system
measure()
{
	local i begin end

	begin=$(date +%s%N)
	snapshot >"$WORK/before"
	sleep "$LONG_S" # what passes here is what is being measured
	end=$(date +%s%N)
	snapshot >"$WORK/after"
	for i in "${!ROWS[@]}"; do
		echo "row $i ${ROWS[$i]}"
	done | cat - "$WORK/before" "$WORK/after" | awk -v ns=$((end - begin)) -v run="$1" \
		-v seconds="$LONG_S" -v interval="$INTERVAL_MS" '
		$1 == "row" { system_of[$2] = $3; groups[$2] = $4; paths[$2] = $5; next }
		!(($1, $2) in cpu) { cpu[$1, $2] = $3; wakes[$1, $2] = $4; next }
		{
			printf "{\"part\": \"idle\", \"run\": %d, \"seconds\": %d, \"interval_ms\": %d, ",
				run, seconds, interval
			printf "\"system\": \"%s\", \"groups\": %d, \"paths\": %d, \"node\": \"%s\", ",
				system_of[$1], groups[$1], paths[$1], $2
			printf "\"cpu_ms_per_minute\": %.1f, \"wakes_per_s\": %.1f, ",
				($3 - cpu[$1, $2]) / ns * 60e3, ($4 - wakes[$1, $2]) / ns * 1e9
			printf "\"rss_kib\": %d, \"pss_kib\": %d}\n", $5, $6
		}'
}

# --- All of them --------------------------------------------------------------

start_all()
{
	local i ready line

	echo "starting ${#ROWS[@]} systems" >&2
	mkfifo "$WORK/ready"
	exec {ready}<>"$WORK/ready"
	for i in "${!ROWS[@]}"; do
		mkfifo "$WORK/$i.end"
		# shellcheck disable=SC2086 # a row is words
		(run_system "$i" ${ROWS[$i]}) 2>"$WORK/$i.err" &
		RUNNING+=($!)
		read -r -t "$START_S" line <&"$ready" || die "${ROWS[$i]}: $(tail -n 5 "$WORK/$i.err")"
	done
}

finish_up()
{
	trap '' INT TERM HUP PIPE
	((${#RUNNING[@]} == 0)) || kill -TERM "${RUNNING[@]}"
	wait
	rm -rf "$WORK"
} 2>/dev/null

main()
{
	local only='' run

	while (($#)); do
		case $1 in
		--help) usage && exit 0 ;;
		--quick) LONG_S=1 SETTLE_S=0 only=quick && shift && continue ;;
		--estimate) ESTIMATE=yes && shift && continue ;;
		--runs) RUNS=${2:-} ;;
		--seconds) LONG_S=${2:-} ;;
		--json) JSON=${2:-} ;;
		*) usage >&2 && exit 2 ;;
		esac
		(($# > 1)) || { usage >&2 && exit 2; }
		shift 2
	done
	[[ $RUNS =~ ^[1-9][0-9]*$ && $LONG_S =~ ^[1-9][0-9]*$ ]] ||
		die "--runs and --seconds take a number"
	[[ -z $ESTIMATE ]] ||
		{ echo $((${#ROWS[@]} * BEGIN_S + SETTLE_S + RUNS * LONG_S)) && exit 0; }
	need_tools
	if [[ $only == quick ]]; then
		ROWS=("floor 1 2" "takeoverd 1 2")
	elif ! command -v keepalived >/dev/null; then
		die "keepalived is missing: make deps-bench"
	fi
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/takeover-idle.XXXXXX")
	trap 'status=$?; set +eu; finish_up; exit $status' EXIT
	trap 'exit 130' INT TERM HUP PIPE
	start_all
	sleep "$SETTLE_S"
	for ((run = 1; run <= RUNS; run++)); do
		echo "$run of $RUNS: measuring for $LONG_S s" >&2
		measure "$run" >>"$WORK/records"
	done
	printf '\n**While nothing happens**, heartbeats each %d ms, %d s; runs: %d\n\n' \
		"$INTERVAL_MS" "$LONG_S" "$RUNS"
	tables idle "$WORK/records"
	[[ -z $JSON ]] || jq -s . "$WORK/records" >"$JSON"
}

main "$@"
