#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Two nodes, one address, and something happens to the node that holds it, while a client
# asks 10,000 times a second. A client c like any other counts what is lost and how long
# it was silent; ca and cb, who know the MAC of one node each, see for how long both nodes
# answered. Each run has a network and processes of its own.

set -eu -o pipefail
# shellcheck source=tests/bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PACE_US=100
WATCH_PACE_US=500
PAUSE_US=1500 # without an answer, and the picture shows it
AFTER_S=${AFTER_S:-1}         # that a run goes on after the new primary has answered
CHANCE_MS=${CHANCE_MS:-1000} # within which the moment lies that something happens
RUN_SECONDS=90               # within which a run is over
ATTEMPT_S=5                  # and usually is
RESTART_S=0.1                # after a crash
EVER_US=50000                # both answer to the end if they do so this long before it

declare -A SCENES=(
	[move]="Planned switchover"
	[stop]="Orderly stop"
	[crash]="Crash: SIGKILL to all of its processes, nobody restarts it"
	[restart]="Crash: SIGKILL, started again after 100 ms"
	[freeze]="Freeze: SIGSTOP to all of its processes"
	[power]="Power-off of the node"
	[cable]="Cable of the service's NIC pulled, the peer link lives"
)
ORDER=(move stop crash restart freeze power cable)

RUNS=10
WANTED_SYSTEMS=("${SYSTEMS[@]}")
WANTED_SCENES=("${ORDER[@]}")
JSON=
ESTIMATE=

usage()
{
	cat <<-END
		usage: pair.sh [--runs N] [--systems NAME,...] [--scenes NAME,...] [--quick]
		               [--json FILE] [--list] [--estimate]
	END
}

# --- What happens to node a -------------------------------------------------

scene_move()
{
	sys_move
}

scene_stop()
{
	sys_stop a
}

scene_crash()
{
	sys_kill a
}

scene_restart()
{
	sys_kill a
	sleep "$RESTART_S"
	sys_start a
}

scene_freeze()
{
	sys_freeze a
}

scene_power()
{
	power_off a
}

scene_cable()
{
	mark
	unplug a 0
}

# --- One run, in a process of its own ---------------------------------------

# The clients. That of b gets its first answer when b has taken over, and says so then.
clients_start()
{
	spawn_ready send-both-a ca "$DIR/both-a.out" "$PROBE" send "$VIP4" "$PORT" \
		--interval-us "$WATCH_PACE_US" --log "$DIR/both-a.log" --ready @READY@
	mkfifo "$DIR/b-answers"
	exec {B_ANSWERS}<>"$DIR/b-answers"
	spawn send-both-b cb "$DIR/both-b.out" "$PROBE" send "$VIP4" "$PORT" \
		--interval-us "$WATCH_PACE_US" --log "$DIR/both-b.log" --ready "$DIR/b-answers"
	send_start load c "$VIP4" "$PACE_US"
}

# until_over SCENE: b has answered for a while, or has had the time to. After a restart
# any of them may: what has to be seen is that nothing more comes.
until_over()
{
	local line

	if [[ $1 == restart ]]; then
		sleep "$SYS_PATIENCE"
	elif read -r -t "$SYS_PATIENCE" line <&"$B_ANSWERS"; then
		sleep "$AFTER_S"
	fi
}

# first_answer NODE: µs after the mark, or null
first_answer()
{
	"$PROBE" first "$DIR/load.log" "${NODE_NAME[$1]}" "$MARK_US" || echo null
}

# ended CLIENT NODE: stop it; SEEN_TO_THE_END if the node answered as long as it asked
ended()
{
	send_stop "$1"
	SEEN_TO_THE_END=
	((${R[${NODE_NAME[$2]}_last_us]:-0} + EVER_US < R[stop_us])) || SEEN_TO_THE_END=1
}

# answers NODE: when it answered its client, for the picture
answers()
{
	"$PROBE" stretches "$DIR/both-$1.log" "$MARK_US" "$PAUSE_US"
}

clients_stop() # SYSTEM SCENE RUN
{
	local record to_the_end=true seen_us

	kill -TERM "${PIDS[send-load]}" "${PIDS[send-both-a]}" "${PIDS[send-both-b]}"
	ended both-a a
	[[ -n $SEEN_TO_THE_END ]] || to_the_end=false
	ended both-b b
	[[ -n $SEEN_TO_THE_END ]] || to_the_end=false
	send_stop load
	seen_us=$((R[stop_us] - MARK_US))
	record=("lost=${R[lost]}" "silence_us=${R[silence_us]}" "first_us=$(first_answer b)"
		"sent=${R[sent]}" "sent_per_s=$((R[sent] * 1000000 / (R[stop_us] - R[start_us])))"
		"late_us=${R[late_us]}" "answered_a=${R[alpha]:-0}" "answered_b=${R[beta]:-0}")
	figures "$("$PROBE" overlap "$DIR/both-a.log" "$DIR/both-b.log")"
	record "part=pair" "system=$1" "scene=$2" "run=$3" "${record[@]}" \
		"both_us=${R[both_total_us]}" "both_to_the_end=$to_the_end" "seen_us=$seen_us" \
		"call_us=${CALL_US:-null}" "dead_ms=${SYS_DEAD_MS:-null}" \
		"answers_a=$(answers a)" "answers_b=$(answers b)"
}

# child SYSTEM SCENE RUN
child()
{
	trap 'exit 130' INT TERM HUP PIPE
	trap 'status=$?; set +eu; bench_down; exit $status' EXIT
	bench_up "$1" "$VIP4"
	clients_start
	some_time "$CHANCE_MS"
	R=()
	"scene_$2"
	CALL_US=${R[call_us]:-}
	until_over "$2"
	clients_stop "$@"
}

# --- All of them ------------------------------------------------------------

can() # SYSTEM SCENE
(
	bench_load "$1"
	[[ -z $SYS_SCENES || " $SYS_SCENES " == *" $2 "* ]]
)

# Run by run, and in each of them system by system: what else the machine does in the
# meantime is the same for all.
plan()
{
	local run scene system

	for ((run = 1; run <= RUNS; run++)); do
		for scene in "${WANTED_SCENES[@]}"; do
			for system in "${WANTED_SYSTEMS[@]}"; do
				! can "$system" "$scene" ||
					planned "$RUN_SECONDS" "$system" "$scene" "$run"
			done
		done
	done
}

attempt_failed() # SYSTEM SCENE RUN
{
	record part=pair failed=true "system=$1" "scene=$2" "run=$3"
}

list()
{
	local name

	for name in "${ORDER[@]}"; do
		printf 'scene %-10s %s\n' "$name" "${SCENES[$name]}"
	done
	for name in "${SYSTEMS[@]}"; do
		printf 'system %-17s %s\n' "$name" "$(bench_load "$name" && sys_title)"
	done
}

report()
{
	local name scenes=()

	for name in "${ORDER[@]}"; do
		scenes+=("$name" "${SCENES[$name]}")
	done
	tables pair --argjson titles "$(named "${scenes[@]}" | jq 'map({(.name): .title}) | add')" \
		--argjson systems "$(titles "${WANTED_SYSTEMS[@]}")" "$RECORDS"
}

# Once, and nothing that waits for long; what is said behind it counts
quick()
{
	RUNS=1
	WANTED_SYSTEMS=(floor takeoverd)
	WANTED_SCENES=(move)
	export AFTER_S=0.2 CHANCE_MS=100 # for the children
}

main()
{
	local name

	if [[ ${1:-} == --child ]]; then
		shift
		child "$@"
		exit 0
	fi
	while (($#)); do
		case $1 in
		--list) list && exit 0 ;;
		--help) usage && exit 0 ;;
		--quick) quick && shift && continue ;;
		--estimate) ESTIMATE=yes && shift && continue ;;
		--runs) RUNS=${2:-} ;;
		--systems) IFS=, read -r -a WANTED_SYSTEMS <<<"${2:-}" ;;
		--scenes) IFS=, read -r -a WANTED_SCENES <<<"${2:-}" ;;
		--json) JSON=${2:-} ;;
		*) usage >&2 && exit 2 ;;
		esac
		(($# > 1)) || { usage >&2 && exit 2; }
		shift 2
	done
	[[ $RUNS =~ ^[1-9][0-9]*$ ]] || die "--runs takes a number"
	for name in "${WANTED_SCENES[@]}"; do
		[[ -n ${SCENES[$name]:-} ]] || die "no scene $name; there are: ${ORDER[*]}"
	done
	for name in "${WANTED_SYSTEMS[@]}"; do
		bench_load "$name"
	done
	plan
	[[ -z $ESTIMATE ]] || { attempts_left 0 0 && exit 0; }
	need_tools
	attempts_begin
	attempts_run
	report
	attempts_keep "$JSON"
}

main "$@"
