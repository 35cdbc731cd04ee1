#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What a node has lived through in the simulator is told to a core again, which has
# to do the same; and a trace in which it did something else is refused. So it is with
# the traces in tests/golden/traces: of real agents, and of histories in which the core
# once did the wrong thing.
#
# When the core is to do something else from now on, and not by mistake, make them anew,
# and read the difference:
#	sim --renew FILE >NEW
# If what they tell does not fit any more, such as the number of an order, they have to be
# recorded anew. The demo's: TRACE=demo KEEP=DIR make demo, then sim --renew DIR/demo-a.

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

# members STRUCT: the names of its fields, with those of structs that have no name
members()
{
	cat agent/core/beat.h agent/core/core.h | sed -n "/^struct $1 {/,/^};/p" | sed '1d; $d; s,/\*.*,,; s,^\s*\*.*,,' |
		tr -s '\n\t ' ' ' | sed 's/struct {\([^}]*\)}/\1 x/g' | tr ';' '\n' |
		sed 's/\[[^]]*\]//g; s/^ *\(struct \|enum \)\{0,1\}[a-z_0-9]* *//; s/[, ]\+/\n/g' |
		sed '/^$/d' | sort -u
}

# covered FILE TABLE STRUCT [FIELD...]: the table has all fields but these, which are told elsewhere
covered()
{
	local file=$1 table=$2 struct=$3 missing

	shift 3
	missing=$(comm -23 <(members "$struct") <({
		sed -nE "/ $table\[\] = \\{/,/^\\};/p" "$file" | grep -o '([a-z_0-9]*' | tr -d '('
		printf '%s\n' "$@"
	} | sort -u))
	[[ -z $missing ]] || die "$table in $file lacks: ${missing//$'\n'/ }"
	[[ $(members "$struct" | wc -l) -gt 2 ]] || die "struct $struct has another shape"
}

covered agent/trace/snapshot.c '(core|sent)_fields' core config sent groups peers
covered agent/trace/snapshot.c group_fields core_group
covered <(sed 's/options\.//g' agent/trace/snapshot.c) group_fields core_options
covered agent/trace/snapshot.c peer_fields core_peer beat
covered agent/trace/trace.c config_fields core_config groups
covered agent/trace/trace.c group_fields core_group_config
covered agent/trace/trace.c beat_fields core_beat groups
covered agent/trace/trace.c record_fields core_record present options
covered agent/trace/trace.c record_fields core_options

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

# cut_off WHAT ANSWER: $DIR/other is a trace of which the end, or the end of a life, is missing
cut_off()
{
	local said

	said=$("$SIM" --replay "$DIR/other") || die "$1 is not replayed"
	[[ $said == "${2:?}" ]] || die "$1: $said"
}

last=$(grep -n '^> gate' "$DIR/trace" | tail -n 1 | cut -d: -f1)
head -n $((last - 1)) "$DIR/trace" >"$DIR/other"
whole=$("$SIM" --replay "$DIR/other") || die "a trace without its last actions is not replayed"
cut_off "a trace without its last actions" "${whole%%;*}; the end is cut off"
printf 'end\n' >>"$DIR/other"
! "$SIM" --replay "$DIR/other" >"$DIR/out" 2>&1 || die "the end is not held to be one"
{
	head -n $((last - 1)) "$DIR/trace"
	sed -n "${last}p" "$DIR/trace" | head -c 8
} >"$DIR/other"
cut_off "a line without its end" "${whole%%;*}; the end is cut off"
{
	printf '\nagain\n'
	cat "$DIR/trace"
} >>"$DIR/other"
both=$((${whole%% *} + $("$SIM" --replay "$DIR/trace" | cut -d' ' -f1)))
cut_off "a second life behind it" "$both events, the same actions"
sed -i '/^again$/d' "$DIR/other"
! "$SIM" --replay "$DIR/other" >"$DIR/out" 2>&1 || die "half a line is taken for one"

"$SIM" --renew "$DIR/trace" | cmp - "$DIR/trace" || die "nothing has changed, but the trace does"
"$SIM" --renew "$DIR/trace" 300 400 >"$DIR/other" || die "a part of a trace is not cut out"
[[ $("$SIM" --replay "$DIR/other") == "101 events, the same actions" ]] ||
	die "a part of a trace goes another way"
sed 's/^> gate id=/&9/' "$DIR/trace" >"$DIR/other"
"$SIM" --renew "$DIR/other" | cmp - "$DIR/trace" || die "a trace is not renewed"

for trace in tests/golden/traces/*.trace; do
	line=$("$SIM" --replay "$trace") || die "the core does not do any more what it did"
	[[ $line == *' events, the same actions' ]] || die "$trace: $line"
	events=$((events + ${line%% *}))
done
echo "$events events replayed"
