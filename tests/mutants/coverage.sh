#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Which branches of agent/core/ do neither its tests nor the simulator take? The file
# uncovered has to name each of them, with the reason, and no others. Two kinds of branches
# are none: the failure of an assert(), which is not compiled, and the way past all cases of
# a switch over an enum, which gcov counts as the last branch of the switch.

set -eu -o pipefail
exec </dev/null
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
BUILD=${BUILD:-build}
CC=${CC:-gcc}
SEEDS=${SEEDS:-2000}
read -ra SIM_SOURCES <<<"${SIM:?the sources of the simulator}"
DIR=$BUILD/coverage
FLAGS=(-std=gnu17 -D_GNU_SOURCE -w -I.)

# Programs of the core, counted, and of what runs it, which is not.
build()
{
	local source objects=()

	for source in agent/core/*.c; do
		objects+=("$DIR/$(basename "$source" .c).o")
		"$CC" "${FLAGS[@]}" -O0 -DNDEBUG --coverage -c -o "${objects[-1]}" "$source"
	done
	"$CC" "${FLAGS[@]}" -O1 -Itests/mutants -o "$DIR/units" "${objects[@]}" \
		tests/core_*test.c tests/mutants/criterion/units.c -lgcov
	"$CC" "${FLAGS[@]}" -O1 -o "$DIR/sim" "${objects[@]}" "${SIM_SOURCES[@]}" -lgcov
}

# Of the listings: each branch, whether it was taken, and FILE FUNCTION: LINE: branch NUMBER.
branches()
{
	awk '
	function flush(i) {
		if (text ~ /^switch \(/)
			n--
		for (i = 0; i < n; i++)
			if (file ~ /^agent\/core\//)
				print (taken[i] ? "taken" : "never") "\t" file " " name ": " text ": branch " i
		n = 0
	}
	/^ +-: +0:Source:/ { flush(); text = name = ""; file = $0; sub(/.*Source:/, "", file) }
	/^function / { flush(); text = ""; name = $2; next }
	/^branch / { taken[n++] = $3 == "taken" && $4 > 0; next }
	/^ *[-#=0-9*]+: *[0-9]+:/ {
		flush()
		text = $0
		sub(/^ *[^:]*: *[0-9]+:[ \t]*/, "", text)
	}
	END { flush() }' "$@"
}

report()
{
	awk -F '[\t ]' '
		{ n[$2]++; taken[$2] += $1 == "taken"; n["all"]++; taken["all"] += $1 == "taken" }
		END {
			for (file in n)
				printf "%-20s %4d of %4d branches, %.1f %%\n", file, taken[file], n[file],
					100 * taken[file] / n[file]
		}' "$DIR/branches" | LC_ALL=C sort -k 1.4
}

compare()
{
	local status=0

	sed -n 's/^never\t//p' "$DIR/branches" | LC_ALL=C sort >"$DIR/never"
	grep '^agent/' tests/mutants/uncovered | LC_ALL=C sort >"$DIR/explained" || true
	if LC_ALL=C comm -23 "$DIR/never" "$DIR/explained" | grep .; then
		echo "Nothing takes these branches, and tests/mutants/uncovered does not say why."
		status=1
	fi
	if LC_ALL=C comm -13 "$DIR/never" "$DIR/explained" | grep .; then
		echo "These in tests/mutants/uncovered are taken, or there are none such any more."
		status=1
	fi
	return "$status"
}

rm -rf "$DIR"
mkdir -p "$DIR"
build
"$DIR/units"
"$DIR/sim" --jobs 1 --seeds "$SEEDS"
gcov --stdout --branch-probabilities --branch-counts "$DIR"/*.gcda >"$DIR/listing"
branches "$DIR/listing" >"$DIR/branches"
report
compare
