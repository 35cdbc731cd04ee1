#!/bin/bash
# SPDX-License-Identifier: MIT
#
#	tests/fuzz/run.sh fuzz|fuzz-merge [NAME...]
#
# fuzz: run each fuzzer of $BUILD (or these) for FUZZ_SECONDS, from its kept corpus
# and from what earlier runs have found; both what it finds and what breaks it go to
# $BUILD/corpus/NAME and $BUILD/broken. fuzz-merge: keep of the former what reaches new
# code, not what reaches it more often: the corpora are to stay small.

set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
BUILD=${BUILD:-build-fuzz}
FUZZ_SECONDS=${FUZZ_SECONDS:-60}
verb=${1:-fuzz}
shift || true
broken=0

export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=1:detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

if (($# == 0)); then
	for source in tests/fuzz/*_fuzz.c; do
		set -- "$@" "$(basename "$source" _fuzz.c)"
	done
fi
mkdir -p "$BUILD/broken"
for name; do
	program=$BUILD/tests/fuzz/${name}_fuzz
	kept=tests/fuzz/corpus/$name
	found=$BUILD/corpus/$name
	dictionary=tests/fuzz/$name.dict
	options=()
	[[ ! -e $dictionary ]] || options+=("-dict=$dictionary")
	mkdir -p "$kept" "$found"
	printf '%s\n' "--- $name"
	case $verb in
	fuzz)
		"$program" -max_total_time="$FUZZ_SECONDS" -timeout=10 -print_final_stats=1 \
			-verbosity=1 -artifact_prefix="$BUILD/broken/$name-" "${options[@]}" \
			"$found" "$kept" >"$BUILD/$name.log" 2>&1 || broken=$((broken + 1))
		grep -aE 'DONE|stat::number_of_exec|ERROR|Assertion|runtime error|Test unit' \
			"$BUILD/$name.log" || true
		;;
	fuzz-merge)
		"$program" -merge=1 -use_counters=0 "$kept" "$found" >"$BUILD/$name.log" 2>&1
		grep -a 'MERGE-OUTER.*new' "$BUILD/$name.log" || true
		;;
	*) exit 2 ;;
	esac
done
((broken == 0))
