#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Many addresses: a planned move of 1, 100, 1,000 and 5,000 IPv4 addresses, and of 1,000
# IPv6 addresses, by each system in turn, again and again, so that what else the machine
# does meets all of them. It counts from the order on until
#
#	there      the kernel of the new node has the last address, on an interface that is up
#	           and has ARP. What filters before that, a gate say, it does not see.
#	announced  the last one has been announced for the first time, in the switch
#	gone       the last one has ceased to be there on the old node
#
# and what CPU time and memory that took the processes of the new node. In runs of its own a
# client asks the last address 10,000 times a second: when it has an answer of the new node,
# whatever is before the address there, and how many requests are lost meanwhile.
# The floor is a program that does nothing but send the requests, in one batch, and a
# frame for each address.

set -eu -o pipefail
# shellcheck source=tests/bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PATIENCE=60   # what takes 5,000 addresses needs some time to start
MOVED_S=30    # who has not moved all of them by then has failed
RUN_SECONDS=240
ATTEMPT_S=9
PACE_US=100   # of the requests
SCRIPT_MOST=1000 # an arping for each address, with a process and a socket of its own
WATCH=$BUILD/tests/bench/watch

WANTED_SYSTEMS=(floor-many takeoverd takeoverd-own takeoverd-sub keepalived keepalived-fast
	script-batch)
SIZES=(1 100 1000 5000 1000v6)
RUNS=5
LOSS_RUNS=1
JSON=
ESTIMATE=

usage()
{
	cat <<-END
		usage: scale.sh [--runs N] [--loss-runs N] [--systems NAME,...] [--sizes N[v6],...]
		                [--quick] [--json FILE] [--estimate]
	END
}

# --- One run, in a process of its own -------------------------------------------

# addresses SIZE: into ADDRESSES; they follow each other
addresses()
{
	local i form='10.77.%d.%d\n'

	[[ $1 != *v6 ]] || form='fd77::1:%x%02x\n'
	mapfile -t ADDRESSES < <(for ((i = 256; i < 256 + ${1%v6}; i++)); do
		# shellcheck disable=SC2059 # it is one of these two
		printf "$form" $((i / 256)) $((i % 256))
	done)
}

# cost PID...: sets CPU_US, what all of their threads have run, and PEAK_KIB; null if one
# of them is no more
cost()
{
	local pid

	CPU_US=null PEAK_KIB=null
	for pid; do
		[[ -r /proc/$pid/schedstat ]] || return 0
	done
	CPU_US=$(for pid; do cat "/proc/$pid/task"/*/schedstat; done |
		awk '{ ns += $1 } END { printf "%.0f", ns / 1000 }')
	PEAK_KIB=$(for pid; do cat "/proc/$pid/status"; done |
		awk '/^VmHWM/ { kib += $2 } END { print kib + 0 }')
}

# What the processes have run that this shell has waited for, from one output of times to another.
# It has to be this shell that writes them: a subshell has waited for none yet.
waited_us() # BEFORE AFTER
{
	awk 'FNR == 2 {
		gsub(/[ms]/, " ")
		us = ($1 * 60 + $2 + $3 * 60 + $4) * 1000000 - us
	}
	END { printf "%.0f", us }' "$1" "$2"
}

# watch_start NEW OLD ANNOUNCED
watch_start()
{
	local netns=/run/netns/$NET

	spawn_ready watch c "$DIR/watch.out" "$WATCH" "${ADDRESSES[0]}" "${#ADDRESSES[@]}" \
		"$MOVED_S" "$netns-$1" "$netns-$2" "$netns-br" "${1}0" \
		--announced "$3" --ready @READY@
}

# watch_stop: true if all have moved
watch_stop()
{
	local status=0

	reap watch $((MOVED_S + 10)) || status=$?
	((status < 2)) || fail "watch: $(cat "$DIR/watch.err")"
	figures "$(<"$DIR/watch.out")"
	return "$status"
}

# stand: a has all, whatever the system says when it has begun to add them, and b none that
# works; but has them all if it keeps them ready
stand()
{
	watch_start a b 0
	watch_stop || return
	[[ $(get b group/sip Staged 2>/dev/null) != true ]] ||
		in_ns b "$PROBE" wait-address "${ADDRESSES[-1]}" present "$PATIENCE"
}

# since_mark KEY: of R, in µs
since_mark()
{
	echo $((R[$1] - MARK_US))
}

measure_time()
{
	local pids before moved=true

	mapfile -t pids < <(sys_pids b)
	if ((${#pids[@]})); then
		cost "${pids[@]}"
		before=$CPU_US
		sys_move
		watch_stop || moved=false
		cost "${pids[@]}"
		[[ $CPU_US == null ]] || CPU_US=$((CPU_US - before))
	else # what moves them is over when they have moved
		times >"$DIR/before"
		sys_move
		times >"$DIR/after"
		CPU_US=${MOVE_CPU_US:-$(waited_us "$DIR/before" "$DIR/after")} PEAK_KIB=${MOVE_PEAK_KIB:-null}
		watch_stop || moved=false
	fi
	RECORD+=("moved=$moved" "frames=${R[frames]}" "cpu_us=$CPU_US" "peak_kib=$PEAK_KIB")
	[[ $moved == false ]] || RECORD+=("there_us=$(since_mark new_last_us)"
		"announced_us=$(since_mark announced_last_us)"
		"first_frame_us=$(since_mark announced_first_us)"
		"gone_us=$(since_mark old_last_us)")
}

measure_loss()
{
	local moved=true answered=null

	# A client that asks for a neighbour before it can answer asks again after a second;
	# that is what a start costs, not the move.
	send_start first c "${ADDRESSES[-1]}" "$PACE_US"
	send_stop first
	send_start load c "${ADDRESSES[-1]}" "$PACE_US"
	sys_move
	watch_stop || moved=false
	send_stop load
	[[ -z ${R[beta_first_us]:-} ]] || answered=$(since_mark beta_first_us)
	RECORD+=("moved=$moved" "lost=${R[lost]}" "sent=${R[sent]}" "silence_us=${R[silence_us]}"
		"answered_us=$answered")
}

# common time|loss SYSTEM SIZE RUN: what each record has
common()
{
	local family=4

	[[ $3 != *v6 ]] || family=6
	RECORD=(part=scale "kind=$1" "system=$2" "addresses=${3%v6}" "family=$family" "run=$4"
		"within_s=$MOVED_S")
}

# child time|loss SYSTEM SIZE RUN
child()
{
	local announced

	trap 'exit 130' INT TERM HUP PIPE
	trap 'status=$?; set +eu; bench_down; exit $status' EXIT
	common "$@"
	addresses "$3"
	bench_up "$2" "${ADDRESSES[@]}"
	if stand; then
		# One frame tells the switch where a shared MAC is now, and clients need none.
		[[ $2 == takeoverd-sub ]] && announced=1 || announced=${#ADDRESSES[@]}
		watch_start b a "$announced"
		"measure_$1"
	else
		RECORD+=(moved=false)
	fi
	record "${RECORD[@]}"
}

# --- All of them ----------------------------------------------------------------

# arping knows IPv4 only.
can() # SYSTEM SIZE
{
	[[ $1 != script* ]] || { [[ $2 != *v6 ]] && (($2 <= SCRIPT_MOST)); }
}

plan() # time|loss RUNS
{
	local run size system

	for ((run = 1; run <= $2; run++)); do
		for size in "${SIZES[@]}"; do
			for system in "${WANTED_SYSTEMS[@]}"; do
				! can "$system" "$size" ||
					planned "$RUN_SECONDS" "$1" "$system" "$size" "$run"
			done
		done
	done
}

attempt_failed() # time|loss SYSTEM SIZE RUN
{
	common "$@"
	record "${RECORD[@]}" failed=true
}

report()
{
	tables scale "$RECORDS" \
		--argjson titles "$(titles "${WANTED_SYSTEMS[@]}" | jq 'map({(.name): .title}) | add')"
}

main()
{
	if [[ ${1:-} == --child ]]; then
		shift
		child "$@"
		exit 0
	fi
	while (($#)); do
		case $1 in
		--help) usage && exit 0 ;;
		--quick)
			RUNS=1 LOSS_RUNS=1 SIZES=(100) WANTED_SYSTEMS=(takeoverd)
			shift
			continue
			;;
		--estimate) ESTIMATE=yes && shift && continue ;;
		--runs) RUNS=${2:-} ;;
		--loss-runs) LOSS_RUNS=${2:-} ;;
		--systems) IFS=, read -r -a WANTED_SYSTEMS <<<"${2:-}" ;;
		--sizes) IFS=, read -r -a SIZES <<<"${2:-}" ;;
		--json) JSON=${2:-} ;;
		*) usage >&2 && exit 2 ;;
		esac
		(($# > 1)) || { usage >&2 && exit 2; }
		shift 2
	done
	[[ $RUNS$LOSS_RUNS =~ ^[0-9]+$ ]] || die "--runs and --loss-runs take a number"
	for size in "${SIZES[@]}"; do
		[[ $size =~ ^[1-9][0-9]{0,3}(v6)?$ ]] || die "--sizes takes numbers below 10,000"
	done
	plan time "$RUNS"
	plan loss "$LOSS_RUNS"
	[[ -z $ESTIMATE ]] || { attempts_left 0 0 && exit 0; }
	need_tools
	attempts_begin
	attempts_run
	report
	attempts_keep "$JSON"
}

main "$@"
