#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The namespace tests: real agents, a real kernel, real frames.
#
#	tests/net/run.sh [--list] [--repeat N] [NAME...]
#
# Each scenario is a process of its own with a network of its own, removed when
# it ends, however it ends. BUILD says where the programs are, WRAPPER what to
# run the agent under (valgrind). Logs of what failed stay in $BUILD/net-failed.
# Without names: all but freeze_random and kill_random, which are for --repeat.

set -eu -o pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for file in "$HERE"/scenarios/*.sh; do
	# shellcheck disable=SC1090 # all of them
	. "$file"
done

SCENARIO_SECONDS=${SCENARIO_SECONDS:-180}

scenarios()
{
	sed -n 's/^scenario_\([a-z0-9_]*\)().*/\1/p' "$HERE"/scenarios/*.sh
}

# The child: one scenario
one()
{
	trap 'exit 130' INT TERM
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
	grep -vE '^@fact|: line [0-9]+: +[0-9]+ Killed ' "$OUT" | sed 's/^/    /'
	for log in "$KEEP"/agent-*.err; do
		[[ -s $log ]] || continue
		echo "    --- ${log#"$ROOT"/} (last lines)"
		tail -n 25 "$log" | sed 's/^/    /'
	done
}

run_one() # NAME
{
	local facts start=$SECONDS

	export KEEP=$BUILD/net-failed/$1
	rm -rf "$KEEP"
	if timeout --foreground --kill-after=20 "$SCENARIO_SECONDS" \
		bash "${BASH_SOURCE[0]}" --one "$1" >"$OUT" 2>&1; then
		facts=$(facts_of "$OUT")
		printf 'ok %s (%s%s s)\n' "$1" "${facts:+$facts, }" $((SECONDS - start))
		rm -rf "$KEEP"
		passed=$((passed + 1))
	else
		printf 'FAIL %s (%s s)\n' "$1" $((SECONDS - start))
		show_failure "$1"
		failed=$((failed + 1))
	fi
	sed -n 's/^@fact //p' "$OUT" >>"$OUT.facts"
}

# min/median/max of every figure over the repetitions
summary()
{
	local name

	for name in $(cut -d' ' -f1 "$OUT.facts" | sort -u); do
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
	trap 'rm -f "$OUT" "$OUT.facts"' EXIT
	trap 'exit 130' INT TERM
	for name; do
		: >"$OUT.facts"
		for ((i = 0; i < repeat; i++)); do
			run_one "$name"
		done
		((repeat == 1)) || summary
	done
	printf '%d passed, %d failed\n' "$passed" "$failed"
	((failed == 0))
}

main "$@"
