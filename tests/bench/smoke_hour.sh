#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Does the hour beside load work? A second of it with little load, a row in full, and the
# picture of what the other parts have measured. What came of it is nobody's business here,
# but that a takeover and a lease that ended are counted is.

set -eu -o pipefail
# shellcheck source=tests/bench/smoke_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/smoke_lib.sh"

"$BENCH/hour.sh" --quick --systems takeoverd-steady --json "$DIR/json" >"$DIR/out" 2>&1 ||
	wrong "it failed"
jq -e '(map(.system) == ["floor", "takeoverd-steady"]) and
	all(.[]; .heartbeats > 1 and .gap_us >= .gap_p999_us and .gap_p999_us > 9000) and
	(.[1] | .sent > 0 and .changed > 0 and .loads > 0 and .takeovers > 0 and .lapses > 0 and
	(["both", "lost", "silence_us"] - keys == []))' \
	"$DIR/json" >/dev/null || wrong "not what was to be measured: $(jq -c . "$DIR/json")"
grep -qE '^\| takeoverd-steady (\| +[0-9.]+ +){7}\|$' "$DIR/out" || wrong "no row in full"
is_narrow
is_cleared

# Who answered to the end of the run goes on to the edge.
echo '[{"part":"pair","system":"ucarp","scene":"move","silence_us":1000,"both_us":0,
	"both_to_the_end":true,"seen_us":1500000,"answers_a":"-90000:1500000",
	"answers_b":"1000:2000,9000:1490000"}]' >"$DIR/json"
jq -L "$BENCH" -r -f "$BENCH/draw.jq" "$DIR/json" >"$DIR/out" || wrong "nothing drawn"
grep -q 'class="a" d="M150 [0-9]*H745"' "$DIR/out" || wrong "the line of the old node"
grep -qE 'class="b" d="M253\.5 [0-9]+H279M354\.6 [0-9]+H745"' "$DIR/out" ||
	wrong "the line of the new node"
grep -q '>both for ever<' "$DIR/out" || wrong "not that both answer"
echo "2 rows, a picture"
