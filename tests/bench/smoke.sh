#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Does the benchmark work? One planned move by takeoverd and by the floor, one of 100
# addresses, and a row of each in full. What it took is nobody's business here.

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
grep -qE '^\| takeoverd +\|( [0-9.]+/[0-9.]+/[0-9.]+ +\|){3}( [0-9.]+ +\|){3}$' "$DIR/out" ||
	wrong "no row of many addresses"
is_narrow
is_cleared
echo "3 rows"
