#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What a node has lived through in the simulator is told to a core again, which has
# to do the same; and a trace in which it did something else is refused.

set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
SIM=${BUILD:-build}/tests/sim/sim
DIR=$(mktemp -d "${TMPDIR:-/tmp}/takeover-replay.XXXXXX")
trap 'rm -rf "$DIR"' EXIT

die()
{
	echo "$*"
	exit 1
}

refused() # WHAT SED-EXPRESSION
{
	sed "$2" "$DIR/trace" >"$DIR/other"
	! cmp -s "$DIR/trace" "$DIR/other" || die "the trace has no place for: $1"
	! "$SIM" --replay "$DIR/other" >"$DIR/out" 2>&1 || die "$1 was not noticed"
	grep -q "^$DIR/other:[0-9]*: " "$DIR/out" || die "$1: no line is named: $(cat "$DIR/out")"
}

events=0
for seed in {1..40}; do
	for node in 0 1; do
		"$SIM" --trace "$node" "$seed" >"$DIR/new"
		line=$("$SIM" --replay "$DIR/new") || die "seed $seed, node $node went another way"
		events=$((events + ${line%% *}))
		! grep -q '^> gate' "$DIR/new" || mv "$DIR/new" "$DIR/trace"
	done
done
refused "an action that was not taken" '0,/^> prepare/s//> prepare id=1\n&/'
refused "an action that is missing" '0,/^> prepare/{/^> prepare/d}'
refused "an action with another number" '0,/^> gate id=/s//&9/'
refused "a line that is none" '20s/^/x/'
refused "a trace without a beginning" '1d'
echo "$events events replayed"
