#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The namespace tests: real agents, a real kernel, real frames.
#
#	tests/net/run.sh [--list] [--repeat N] [NAME...]
#
# Each scenario is a process of its own with a network of its own, removed when
# it ends, however it ends: by itself, or by us, who know its name. BUILD says
# where the programs are, WRAPPER what to run the agent under (valgrind), RIG what
# to use instead of the lib.sh beside this. Logs of what failed stay in
# $BUILD/net-failed. The last line is the total; with TOTAL it goes to that file
# instead.
# Without names: all but freeze_random and kill_random, which are for --repeat.

set -eu -o pipefail
# shellcheck source=tests/net/lib.sh
. "${RIG:-$(dirname "${BASH_SOURCE[0]}")/lib.sh}"
# They share their functions: of two with one name the second would stand for both.
twice=$(sed -n 's/^\([a-z_0-9]*\)().*/\1/p' "$HERE"/scenarios/*.sh | sort | uniq -d)
[[ -z $twice ]] || die "defined twice in scenarios/: ${twice//$'\n'/ }"
for file in "$HERE"/scenarios/*.sh; do
	# shellcheck disable=SC1090 # all of them
	. "$file"
done

SCENARIO_SECONDS=${SCENARIO_SECONDS:-180}
CHILD= # the scenario that runs

scenarios()
{
	sed -n 's/^scenario_\([a-z0-9_]*\)().*/\1/p' "$HERE"/scenarios/*.sh
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

show_failure() # NAME
{
	local log

	# bash reports each process that a scenario kills
	sed -E '/^@fact|: line [0-9]+: +[0-9]+ Killed /d; s/^/    /' "$OUT"
	for log in "$KEEP"/agent-*.err; do
		[[ -s $log ]] || continue
		echo "    --- ${log#"$ROOT"/} (last lines)"
		tail -n 25 "$log" | sed 's/^/    /'
	done
}

# In the background, so that a signal to us is not left waiting for its end. It
# has a process group of its own, all of which timeout ends. Long enough after
# that: whatever the scenario waits for is bounded by PATIENCE.
run_one() # NAME
{
	local facts start=$SECONDS status=0

	export KEEP=$BUILD/${HERE##*/}-failed/$1
	rm -rf "$KEEP"
	timeout --kill-after=$((PATIENCE + 15)) "$SCENARIO_SECONDS" \
		bash "${BASH_SOURCE[0]}" --one "$1" >"$OUT" 2>&1 &
	CHILD=$!
	{ wait "$CHILD"; } 2>/dev/null || status=$?
	CHILD=
	net_clear "$NET" || true
	if ((status == 0)); then
		facts=$(facts_of "$OUT")
		printf 'ok %s (%s%s s)\n' "$1" "${facts:+$facts, }" $((SECONDS - start))
		rm -rf "$KEEP"
		passed=$((passed + 1))
	else
		((status != 124 && status != 137)) || echo "timed out after $SCENARIO_SECONDS s" >>"$OUT"
		printf 'FAIL %s (%s s)\n' "$1" $((SECONDS - start))
		show_failure "$1" || true
		failed=$((failed + 1))
	fi
	sed -n 's/^@fact //p' "$OUT" >>"$OUT.facts"
}

# However we end: with the scenario that runs, and with what it has made.
finish_up()
{
	trap '' INT TERM HUP PIPE
	if [[ -n $CHILD ]]; then
		kill -TERM "$CHILD"
		net_clear "$NET" # it waits for nothing any more
		wait "$CHILD"
	fi 2>/dev/null
	net_clear "$NET"
	rm -f "$OUT" "$OUT.facts"
}

# min/median/max of every figure over the repetitions
summary()
{
	local name

	cut -d' ' -f1 "$OUT.facts" | sort -u | while read -r name; do
		awk -v name="$name" '$1 == name { print $2 }' "$OUT.facts" | sort -n |
			awk -v name="$name" '{ v[NR] = $1 } END {
				printf "   %s: min %s, median %s, max %s (%d values)\n",
					name, v[1], v[int((NR + 1) / 2)], v[NR], NR }'
	done
}

main()
{
	local repeat=1 name i

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
		--repeat)
			repeat=$2
			shift
			;;
		*) die "usage: run.sh [--list] [--repeat N] [NAME...]" ;;
		esac
		shift
	done
	need_tools
	# shellcheck disable=SC2046 # one word a scenario
	[[ $# -gt 0 ]] || set -- $(scenarios | grep -v '_random$')
	for name; do
		declare -F "scenario_$name" >/dev/null || die "no scenario $name; see --list"
	done
	passed=0
	failed=0
	OUT=$(mktemp "${TMPDIR:-/tmp}/takeover-out.XXXXXX")
	export TAKEOVER_NET=$NET
	trap 'status=$?; set +eu; finish_up; exit $status' EXIT
	trap 'exit 130' INT TERM HUP PIPE
	for name; do
		: >"$OUT.facts"
		for ((i = 0; i < repeat; i++)); do
			run_one "$name"
		done
		((repeat == 1)) || summary
	done
	if [[ -n ${TOTAL:-} ]]; then
		exec >"$TOTAL"
	fi
	printf '%d passed, %d failed\n' "$passed" "$failed"
	((failed == 0))
}

main "$@"
