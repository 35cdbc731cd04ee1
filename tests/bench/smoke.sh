#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Does the benchmark work? One planned move by takeoverd and by the floor, one of 100
# addresses, a second in which nothing happens, and a row of each in full. What it took is
# nobody's business here; that a run which failed is told is.

set -eu -o pipefail
# shellcheck source=tests/bench/smoke_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/smoke_lib.sh"

"$BENCH/run.sh" --quick --part pair --json "$DIR/json" >"$DIR/out" 2>&1 || wrong "it failed"
jq -e '(.on.kernel | type == "string") and (.measurements | length == 2) and
	all(.measurements[];
		.part == "pair" and .scene == "move" and .run == 1 and
		.sent > 0 and .answered_a > 0 and .answered_b > 0 and .first_us > 0 and
		.both_to_the_end == false and
		(["lost", "silence_us", "both_us", "late_us", "seen_us"] - keys == []))' \
	"$DIR/json" >/dev/null || wrong "not what was to be measured: $(jq -c . "$DIR/json")"
for system in floor takeoverd; do
	grep -qE "^\| $system +(\|( [0-9.]+ / [0-9.]+ / [0-9.]+ +)){4}\|$" "$DIR/out" ||
		wrong "no row of $system"
done
is_narrow

"$BENCH/run.sh" --quick --part scale --json "$DIR/json" >"$DIR/out" 2>&1 || wrong "scale failed"
jq -e '[.measurements[] | select(.part == "scale" and .addresses == 100 and .moved)] |
	sort_by(.kind) | map(.kind) == ["loss", "time"] and
	(.[0] | .sent > 0 and .answered_us > 0 and .lost >= 0) and
	(.[1] | .there_us > 0 and .announced_us > 0 and .gone_us > 0 and .frames >= 100 and
		.cpu_us > 0 and .peak_kib > 0)' \
	"$DIR/json" >/dev/null || wrong "not what was to be measured: $(jq -c . "$DIR/json")"
grep -qE '^\| takeoverd +\|( [0-9.]+/[0-9.]+/[0-9.]+ +\|){3}( [0-9.]+ +\|){4}$' "$DIR/out" ||
	wrong "no row of many addresses"
is_narrow

"$BENCH/run.sh" --quick --part idle --json "$DIR/json" >"$DIR/out" 2>&1 || wrong "idle failed"
jq -e '[.measurements[] | select(.part == "idle" and .run == 1)] |
	map("\(.system) \(.node)") == ["floor primary", "floor backup", "takeoverd primary",
	"takeoverd backup"] and all(.[]; .cpu_ms_per_minute > 0 and .wakes_per_s > 10 and
	.rss_kib >= .pss_kib and .pss_kib > 0)' \
	"$DIR/json" >/dev/null || wrong "not what was to be measured: $(jq -c . "$DIR/json")"
grep -qE '^\| takeoverd +\| 1 +\| 2 +\| primary \|( [0-9.]+ +\|){4}$' "$DIR/out" ||
	wrong "no row of an idle node"
grep -qE '^\| one group, primary: resident +\| 4096 KiB' "$DIR/out" || wrong "no budget"
is_narrow
is_cleared

# Of two runs one has failed, or both: they have a row, and no budget is met.
jq -n -c '{part: "pair", scene: "crash", system: ("takeoverd", "takeoverd-fast"), run: 1, failed: true},
	{part: "pair", scene: "crash", system: "takeoverd-fast", run: 2, failed: true},
	{part: "pair", scene: "crash", system: "takeoverd", run: 2, lost: 0, silence_us: 9, both_us: 0,
	both_to_the_end: false, sent_per_s: 9999, late_us: 0}' >"$DIR/records"
tables pair --argjson titles '{"crash": "Crash"}' --argjson systems \
	'[{"name": "takeoverd", "title": ""}, {"name": "takeoverd-fast", "title": ""}]' \
	"$DIR/records" >"$DIR/out" || wrong "no tables"
grep -qE '^\| takeoverd \(1 of 2 runs\) +\| 0 / 0 / 0' "$DIR/out" || wrong "one of two"
grep -qE '^\| takeoverd-fast \(0 of 2 runs\) +\| - ' "$DIR/out" || wrong "none of two"
[[ $(grep -cE 'crash, both answer \([01] of 2 runs\).* not met +\|$' "$DIR/out") == 2 ]] ||
	wrong "a budget that is met by runs that failed"
jq -n -c '{part: "scale", kind: "time", addresses: 5000, family: 4, system: "takeoverd-own", within_s: 30} +
	({run: 1, failed: true}, {run: 2, moved: true, there_us: 1000, announced_us: 2000, gone_us: 500},
	{run: 3, moved: false})' >"$DIR/records"
tables scale --argjson titles '{}' "$DIR/records" >"$DIR/out" || wrong "no tables"
grep -qE '^\| takeoverd-own \(2 of 3 runs\) +\| 1/1/1 +\| 2/2/2 +\| 0.5/0.5/0.5 ' "$DIR/out" ||
	wrong "two of three"
[[ $(grep -cE '^\| 5,000, subinterface: .* \(1 of 3 runs\).* not met +\|$' "$DIR/out") == 2 ]] ||
	wrong "a budget that is met by runs that failed"

# What was asked for is done, or refused at once.
"$BENCH/run.sh" --estimate --hour --part pair --runs 2 >"$DIR/out" 2>&1 || wrong "no estimate"
grep -qE '^About [0-9]+ min: pair [0-9]+ min, hour 6[0-9] min\.' "$DIR/out" || wrong "no estimate"
for wish in "--svg $DIR/svg --part idle" "--json $DIR/none/json --estimate" "--part pairs --estimate"; do
	# shellcheck disable=SC2086 # words
	! "$BENCH/run.sh" $wish >"$DIR/out" 2>&1 || wrong "taken: $wish"
done
echo "4 rows"
