#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The namespace tests: real agents, a real kernel, real frames.
#
#	tests/net/run.sh [--list] [--jobs N] [--repeat N] [NAME...]
#
# Each scenario is a process of its own with a network of its own, removed when
# it ends, however it ends: by itself, or by us, who know its name. BUILD says
# where the programs are, WRAPPER what to run the agent under (valgrind), RIG what
# to use instead of the lib.sh beside this. Logs of what failed stay in
# $BUILD/net-failed. The last line is the total; with TOTAL it goes to that file
# instead.
# Without names: all but freeze_random and kill_random, which are for --repeat.
#
# With --jobs, N scenarios run at a time: they wait more than they work. One that
# measures, or that takes all of a processor, says "# Alone: why" in the line above
# its function, and runs when the others have ended. Of those that take most of one
# and say "# Busy: why", one runs at a time, beside others.

set -eu -o pipefail
# shellcheck source=tests/net/lib.sh
. "${RIG:-$(dirname "${BASH_SOURCE[0]}")/lib.sh}"
# They and we share our functions: of two with one name the second would stand for both.
twice=$(sed -n 's/^\([a-z_0-9]*\)().*/\1/p' "${BASH_SOURCE[0]}" "$HERE"/scenarios/*.sh |
	sort | uniq -d)
[[ -z $twice ]] || die "defined twice in run.sh and scenarios/: ${twice//$'\n'/ }"
for file in "$HERE"/scenarios/*.sh; do
	# shellcheck disable=SC1090 # all of them
	. "$file"
done

SCENARIO_SECONDS=${SCENARIO_SECONDS:-180}
JOBS=1
REPEAT=1
FAILED=$BUILD/${HERE##*/}-failed
# Of each of the JOBS places that is taken: the process, the scenario, when it began
declare -A CHILD=() RUNS=() BEGAN=()

scenarios()
{
	sed -n 's/^scenario_\([a-z0-9_]*\)().*/\1/p' "$HERE"/scenarios/*.sh
}

# marked WORD: those that say so
marked()
{
	sed -n "/^# $1: /{n; s/^scenario_\([a-z0-9_]*\)().*/\1/p}" "$HERE"/scenarios/*.sh
}

# among LINES NAME
among()
{
	grep -qxF -e "$2" <<<"$1"
}

# The child: one scenario
one()
{
	trap 'exit 130' INT TERM HUP PIPE
	trap 'status=$?; set +eu; net_down; exit $status' EXIT
	"scenario_$1"
	pair_down
}

# fact lines as "a 1, b 2"
facts_of()
{
	sed -n 's/^@fact //p' "$1" | paste -sd, | sed 's/,/, /g'
}

show_failure() # PLACE NAME
{
	local log

	# bash reports each process that a scenario kills
	sed -E '/^@fact|: line [0-9]+: +[0-9]+ Killed /d; s/^/    /' "$OUT/$1"
	for log in "$FAILED/$2"/agent-*.err; do
		[[ -s $log ]] || continue
		echo "    --- ${log#"$ROOT"/} (last lines)"
		tail -n 25 "$log" | sed 's/^/    /'
	done
}

# In the background, so that a signal to us is not left waiting for its end. It
# has a process group of its own, all of which timeout ends. Long enough after
# that: whatever the scenario waits for is bounded by PATIENCE.
launch() # PLACE NAME
{
	KEEP=$OUT/logs-$1 TAKEOVER_NET=$NET-$1 \
		timeout --kill-after=$((PATIENCE + 15)) "$SCENARIO_SECONDS" \
		bash "${BASH_SOURCE[0]}" --one "$2" >"$OUT/$1" 2>&1 &
	CHILD[$1]=$!
	RUNS[$1]=$2
	BEGAN[$1]=$SECONDS
}

# keep_logs PLACE NAME STATUS: only we touch what stays, one scenario may run twice at a time
keep_logs()
{
	rm -rf "${FAILED:?}/$2"
	if (($3 != 0)) && [[ -d $OUT/logs-$1 ]]; then
		mkdir -p "$FAILED"
		mv "$OUT/logs-$1" "$FAILED/$2"
	fi
	rm -rf "$OUT/logs-$1"
}

# collect: wait for one of those that run, and say how it went
collect()
{
	local place name facts pid='' status=0

	{ wait -n -p pid "${CHILD[@]}"; } 2>/dev/null || status=$?
	for place in "${!CHILD[@]}"; do
		[[ ${CHILD[$place]} != "$pid" ]] || break
	done
	name=${RUNS[$place]}
	unset "CHILD[$place]"
	KEEP=$OUT/logs-$place net_clear "$NET-$place" || true
	keep_logs "$place" "$name" "$status"
	if ((status == 0)); then
		facts=$(facts_of "$OUT/$place")
		printf 'ok %s (%s%s s)\n' "$name" "${facts:+$facts, }" $((SECONDS - BEGAN[$place]))
		passed=$((passed + 1))
	else
		((status != 124 && status != 137)) ||
			echo "timed out after $SCENARIO_SECONDS s" >>"$OUT/$place"
		printf 'FAIL %s (%s s)\n' "$name" $((SECONDS - BEGAN[$place]))
		show_failure "$place" "$name" || true
		failed=$((failed + 1))
	fi
	sed -n 's/^@fact //p' "$OUT/$place" >>"$OUT/facts"
}

# free_place PLACES: sets PLACE
free_place()
{
	((${#CHILD[@]} < $1)) || collect
	for ((PLACE = 1; PLACE < $1; PLACE++)); do
		[[ -n ${CHILD[$PLACE]:-} ]] || break
	done
}

# run_all PLACES NAME...: with so many at a time. The first place is for the busy ones.
run_all()
{
	local places=$1 all_busy name busy=() others=()

	shift
	all_busy=$(marked Busy)
	for name; do
		if ((places > 1)) && among "$all_busy" "$name"; then
			busy+=("$name")
		else
			others+=("$name")
		fi
	done
	while ((${#busy[@]} + ${#others[@]})); do
		free_place "$places"
		if ((PLACE == 1 && ${#busy[@]})); then
			launch 1 "${busy[0]}"
			busy=("${busy[@]:1}")
		elif ((${#others[@]})); then
			launch "$PLACE" "${others[0]}"
			others=("${others[@]:1}")
		else
			collect
		fi
	done
	while ((${#CHILD[@]})); do
		collect
	done
}

# run_repeated PLACES NAME...: each of them so often; then what it has measured
run_repeated()
{
	local places=$1 name again

	shift
	for name; do
		again=()
		while ((${#again[@]} < REPEAT)); do
			again+=("$name")
		done
		: >"$OUT/facts"
		run_all "$places" "${again[@]}"
		summary
	done
}

# However we end: with the scenarios that run, and with what they have made.
finish_up()
{
	local place

	trap '' INT TERM HUP PIPE
	((${#CHILD[@]} == 0)) || kill -TERM "${CHILD[@]}" 2>/dev/null
	for ((place = 1; place <= JOBS; place++)); do # they wait for nothing any more
		net_clear "$NET-$place" 2>/dev/null
	done
	((${#CHILD[@]} == 0)) || wait "${CHILD[@]}" 2>/dev/null
	for ((place = 1; place <= JOBS; place++)); do
		net_clear "$NET-$place"
	done
	rm -rf "$OUT"
}

# min/median/max of every figure over the repetitions
summary()
{
	local name

	cut -d' ' -f1 "$OUT/facts" | sort -u | while read -r name; do
		awk -v name="$name" '$1 == name { print $2 }' "$OUT/facts" | sort -n |
			awk -v name="$name" '{ v[NR] = $1 } END {
				printf "   %s: min %s, median %s, max %s (%d values)\n",
					name, v[1], v[int((NR + 1) / 2)], v[NR], NR }'
	done
}

usage()
{
	die "usage: run.sh [--list] [--jobs N] [--repeat N] [NAME...]"
}

main()
{
	local name alone company=() apart=()

	while [[ ${1:-} == --* ]]; do
		case $1 in
		--list)
			scenarios
			exit 0
			;;
		--one)
			one "$2"
			exit 0
			;;
		--jobs) JOBS=${2:-} ;;
		--repeat) REPEAT=${2:-} ;;
		*) usage ;;
		esac
		[[ ${2:-} =~ ^[1-9][0-9]*$ ]] || usage
		shift 2
	done
	need_tools
	# shellcheck disable=SC2046 # one word a scenario
	[[ $# -gt 0 ]] || set -- $(scenarios | grep -v '_random$')
	alone=$(marked Alone)
	for name; do
		declare -F "scenario_$name" >/dev/null || die "no scenario $name; see --list"
		if ((JOBS > 1)) && among "$alone" "$name"; then
			apart+=("$name")
		else
			company+=("$name")
		fi
	done
	passed=0
	failed=0
	OUT=$(mktemp -d "${TMPDIR:-/tmp}/takeover-out.XXXXXX")
	trap 'status=$?; set +eu; finish_up; exit $status' EXIT
	trap 'exit 130' INT TERM HUP PIPE
	if ((REPEAT > 1)); then
		run_repeated "$JOBS" "${company[@]}"
		run_repeated 1 "${apart[@]}"
	else
		run_all "$JOBS" "${company[@]}"
		run_all 1 "${apart[@]}"
	fi
	if [[ -n ${TOTAL:-} ]]; then
		exec >"$TOTAL"
	fi
	printf '%d passed, %d failed\n' "$passed" "$failed"
	((failed == 0))
}

main "$@"
