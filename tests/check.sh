#!/bin/bash
# SPDX-License-Identifier: MIT
#
# All tests that are built in $BUILD, by kind: arch, man, install, unit, sim, fuzz,
# net, bench, nodes. The last line is the total; what cannot be run counts as failed. Whatever a
# test writes is in a directory of ours that goes with us, however the test ended.

set -eu -o pipefail
exec </dev/null # it may be closed
cd "$(dirname "${BASH_SOURCE[0]}")/.."
BUILD=${BUILD:-build}
export BUILD

UNIT_SECONDS=${UNIT_SECONDS:-300}       # for each program
SCENARIO_JOBS=${SCENARIO_JOBS:-$(nproc)} # scenarios that run at a time
passed=0
failed=0
CHILD= # what runs
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/takeover-check.XXXXXX")
export TMPDIR
chmod 755 "$TMPDIR" # an unprivileged caller must reach the buses
OUT=$TMPDIR/out

finish_up()
{
	trap '' INT TERM HUP PIPE
	if [[ -n $CHILD ]]; then
		kill -TERM "$CHILD"
		wait "$CHILD"
	fi 2>/dev/null
	remove_socket
	rm -rf "$TMPDIR"
}

trap 'status=$?; set +eu; finish_up; exit $status' EXIT
trap 'exit 130' INT TERM HUP PIPE

# watched COMMAND...: in the background, so that a signal to us is not left
# waiting for its end
watched()
{
	local status=0

	"$@" &
	CHILD=$!
	{ wait "$CHILD"; } 2>/dev/null || status=$?
	CHILD=
	return "$status"
}

# Criterion knows one place only for its socket, and leaves it there if it crashes.
remove_socket()
{
	[[ -s $TMPDIR/pid ]] || return 0
	rm -f "/tmp/criterion_$(<"$TMPDIR/pid").sock" "$TMPDIR/pid"
}

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
	if watched "$@" >"$OUT" 2>&1; then
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
	# shellcheck disable=SC2016 # for that shell
	watched timeout --kill-after=10 "$UNIT_SECONDS" unshare -n \
		sh -c 'echo $$ >"$TMPDIR/pid"; exec "$@"' sh "$1" -j1 >"$OUT" 2>&1 || status=$?
	remove_socket
	line=$(sed 's/\x1b\[[0-9;]*m//g' "$OUT" | grep 'Synthesis:' | tail -n 1 || true)
	good=$(sed -n 's/.*Passing: *\([0-9]*\).*/\1/p' <<<"$line")
	bad=$(sed -n 's/.*Tested: *\([0-9]*\).*/\1/p' <<<"$line")
	good=${good:-0}
	bad=$((${bad:-0} - good))
	# A leak does not make the worker of a test fail for Criterion.
	if ((bad == 0)) && grep -qE 'Sanitizer: |runtime error: ' "$OUT"; then
		bad=1 good=$((good - 1))
	fi
	if ((status == 0 && bad == 0 && good > 0)); then
		printf 'ok %s (%d tests)\n' "$name" "$good"
	else
		printf 'FAIL %s (%d of %d tests, status %d)\n' "$name" "$bad" $((good + bad)) "$status"
		sed 's/^/    /' "$OUT"
		((bad > 0)) || bad=1
	fi
	count "$good" "$bad"
}

# A fuzzer over its kept corpus
fuzz() # PROGRAM
{
	local name

	name=$(basename "$1")
	one "$name" timeout --kill-after=10 "$UNIT_SECONDS" "$1" "tests/fuzz/corpus/${name%_fuzz}"
}

# A program for each test that has a source, whether it was built or not.
programs() # SOURCES...
{
	local source

	for source; do
		[[ -e $source ]] && echo "$BUILD/${source%.c}"
	done
}

# scenarios DIRECTORY: by its own run.sh, which says how many
scenarios()
{
	local line=

	rm -f "$TMPDIR/total"
	TOTAL=$TMPDIR/total watched "tests/$1/run.sh" --jobs "$SCENARIO_JOBS" || true
	[[ ! -s $TMPDIR/total ]] || line=$(<"$TMPDIR/total")
	if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	else
		printf 'FAIL %s\n' "$1"
		count 0 1
	fi
}

for kind; do
	case $kind in
	arch) one arch tests/arch.sh ;;
	man) one man tests/man.sh ;;
	install) one install tests/install.sh ;;
	unit) for program in $(programs tests/*_test.c); do unit "$program"; done ;;
	sim)
		one sim "$BUILD/tests/sim/sim" --jobs "$(nproc)"
		one explore "$BUILD/tests/sim/sim" --explore --jobs "$(nproc)" --faults 1 \
			--states "${EXPLORE_STATES:-250000}"
		one replay tests/sim/replay.sh
		;;
	fuzz) for program in $(programs tests/fuzz/*_fuzz.c); do fuzz "$program"; done ;;
	net | nodes) scenarios "$kind" ;;
	bench)
		one bench tests/bench/smoke.sh
		one bench-hour tests/bench/smoke_hour.sh
		;;
	*) exit 2 ;;
	esac
done
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0 && passed > 0))
