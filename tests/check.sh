#!/bin/bash
# SPDX-License-Identifier: MIT
#
# All tests that are built in $BUILD, by kind: arch, unit, sim, net. The last
# line is the total; what cannot be run counts as failed.

set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
BUILD=${BUILD:-build}
export BUILD

passed=0
failed=0
OUT=$(mktemp "${TMPDIR:-/tmp}/takeover-check.XXXXXX")
trap 'rm -f "$OUT"' EXIT
trap 'exit 130' INT TERM

count() # PASSED FAILED
{
	passed=$((passed + $1))
	failed=$((failed + $2))
}

# one NAME COMMAND...: a program that is one test
one()
{
	local name=$1

	shift
	if "$@" >"$OUT" 2>&1; then
		printf 'ok %s%s\n' "$name" "$(tail -n 1 "$OUT" | sed 's/\(.*\)/ (\1)/')"
		count 1 0
	else
		printf 'FAIL %s\n' "$name"
		sed 's/^/    /' "$OUT"
		count 0 1
	fi
}

# Criterion's own closing line is what counts; without it the program crashed.
unit() # PROGRAM
{
	local name status=0 line good bad

	name=$(basename "$1")
	unshare -n "$1" -j1 >"$OUT" 2>&1 || status=$?
	line=$(sed 's/\x1b\[[0-9;]*m//g' "$OUT" | grep 'Synthesis:' | tail -n 1 || true)
	good=$(sed -n 's/.*Passing: *\([0-9]*\).*/\1/p' <<<"$line")
	bad=$(sed -n 's/.*Tested: *\([0-9]*\).*/\1/p' <<<"$line")
	good=${good:-0}
	bad=$((${bad:-0} - good))
	if ((status == 0 && bad == 0 && good > 0)); then
		printf 'ok %s (%d tests)\n' "$name" "$good"
	else
		printf 'FAIL %s (%d of %d tests, status %d)\n' "$name" "$bad" $((good + bad)) "$status"
		sed 's/^/    /' "$OUT"
		((bad > 0)) || bad=1
	fi
	count "$good" "$bad"
}

# A program for each test that has a source, whether it was built or not.
programs() # SOURCES...
{
	local source

	for source; do
		[[ -e $source ]] && echo "$BUILD/${source%.c}"
	done
}

net()
{
	local line

	tests/net/run.sh | tee "$OUT" | sed -u '/^[0-9]* passed, [0-9]* failed$/d' || true
	line=$(tail -n 1 "$OUT")
	if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	else
		printf 'FAIL namespace tests\n'
		count 0 1
	fi
}

for kind; do
	case $kind in
	arch) one arch tests/arch.sh ;;
	unit) for program in $(programs tests/*_test.c); do unit "$program"; done ;;
	sim) for program in $(programs tests/sim/*.c); do one "$(basename "$program")" "$program"; done ;;
	net) net ;;
	*) exit 2 ;;
	esac
done
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0 && passed > 0))
