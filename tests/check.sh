#!/bin/bash
# SPDX-License-Identifier: MIT
#
# All tests that are built in $BUILD, by kind: arch, man, install, unit, sim, fuzz,
# net, bench, nodes. The last line is the total; what cannot be run counts as failed. Whatever a
# test writes is in a directory of ours that goes with us, however the test ended.
#
#	tests/check.sh KIND... [--beside KIND...]
#
# Kinds behind --beside get what the others leave of the processors, and are told of at the
# end: they have work to do and no clock to keep to, the others wait more than they work.

set -eu -o pipefail
exec </dev/null # it may be closed
cd "$(dirname "${BASH_SOURCE[0]}")/.."
BUILD=${BUILD:-build}
export BUILD

UNIT_SECONDS=${UNIT_SECONDS:-300} # for each program
UNIT_JOBS=${UNIT_JOBS:-$(nproc)}  # programs that run at a time
SCENARIO_JOBS=${SCENARIO_JOBS:-$(($(nproc) + 1))}
passed=0
failed=0
took= # "net 120 s, ..."
BESIDE=
declare -A RUNNING=() # what else runs, by its process
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/takeover-check.XXXXXX")
export TMPDIR
chmod 755 "$TMPDIR" # an unprivileged caller must reach the buses
OUT=$TMPDIR/out

finish_up()
{
	local name running=("${!RUNNING[@]}")

	trap '' INT TERM HUP PIPE
	[[ -z $BESIDE ]] || running+=("$BESIDE")
	if ((${#running[@]})); then
		kill -TERM "${running[@]}"
		wait "${running[@]}"
	fi 2>/dev/null
	for name in "${RUNNING[@]}"; do
		remove_socket "$name"
	done
	rm -rf "$TMPDIR"
}

trap 'status=$?; set +eu; finish_up; exit $status' EXIT
trap 'exit 130' INT TERM HUP PIPE

# watched COMMAND...: in the background, so that a signal to us is not left
# waiting for its end
watched()
{
	local status=0 pid

	"$@" &
	pid=$!
	RUNNING[$pid]=$1
	{ wait "$pid"; } 2>/dev/null || status=$?
	unset "RUNNING[$pid]"
	return "$status"
}

# Criterion knows one place only for its socket, and leaves it there if it crashes.
remove_socket() # NAME
{
	[[ -s $TMPDIR/$1.pid ]] || return 0
	rm -f "/tmp/criterion_$(<"$TMPDIR/$1.pid").sock" "$TMPDIR/$1.pid"
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

unit_start() # PROGRAM
{
	local name=${1##*/}

	# shellcheck disable=SC2016 # for that shell
	timeout --kill-after=10 "$UNIT_SECONDS" unshare -n \
		sh -c 'echo $$ >"$1"; shift; exec "$@"' sh "$TMPDIR/$name.pid" "$1" -j1 \
		>"$TMPDIR/$name.out" 2>&1 &
	RUNNING[$!]=$name
}

# Criterion's own closing line is what counts; without it the program crashed.
unit_end()
{
	local pid='' status=0 name out line good bad

	{ wait -n -p pid "${!RUNNING[@]}"; } 2>/dev/null || status=$?
	name=${RUNNING[$pid]}
	unset "RUNNING[$pid]"
	remove_socket "$name"
	out=$TMPDIR/$name.out
	line=$(sed 's/\x1b\[[0-9;]*m//g' "$out" | grep 'Synthesis:' | tail -n 1 || true)
	good=$(sed -n 's/.*Passing: *\([0-9]*\).*/\1/p' <<<"$line")
	bad=$(sed -n 's/.*Tested: *\([0-9]*\).*/\1/p' <<<"$line")
	good=${good:-0}
	bad=$((${bad:-0} - good))
	# A leak does not make the worker of a test fail for Criterion.
	if ((bad == 0)) && grep -qE 'Sanitizer: |runtime error: ' "$out"; then
		bad=1 good=$((good - 1))
	fi
	if ((status == 0 && bad == 0 && good > 0)); then
		printf 'ok %s (%d tests)\n' "$name" "$good"
	else
		printf 'FAIL %s (%d of %d tests, status %d)\n' "$name" "$bad" $((good + bad)) "$status"
		sed 's/^/    /' "$out"
		((bad > 0)) || bad=1
	fi
	count "$good" "$bad"
}

# Some at a time: they, too, wait for kernels and buses.
units() # PROGRAM...
{
	local program

	for program; do
		((${#RUNNING[@]} < UNIT_JOBS)) || unit_end
		unit_start "$program"
	done
	while ((${#RUNNING[@]})); do
		unit_end
	done
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

# total NAME LINE: what others have counted
total()
{
	if [[ $2 =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	else
		printf 'FAIL %s\n' "$1"
		count 0 1
	fi
}

# scenarios DIRECTORY: by its own run.sh, which says how many
scenarios()
{
	: >"$TMPDIR/total"
	TOTAL=$TMPDIR/total watched "tests/$1/run.sh" --jobs "$SCENARIO_JOBS" || true
	total "$1" "$(<"$TMPDIR/total")"
}

run() # KIND
{
	local programs program

	case $1 in
	arch) one arch tests/arch.sh ;;
	man) one man tests/man.sh ;;
	install) one install tests/install.sh ;;
	unit)
		mapfile -t programs < <(programs tests/*_test.c)
		units "${programs[@]}"
		;;
	sim)
		one sim "$BUILD/tests/sim/sim" --jobs "$(nproc)"
		one explore "$BUILD/tests/sim/sim" --explore --jobs "$(nproc)" --faults 1 \
			--states "${EXPLORE_STATES:-250000}"
		one replay tests/sim/replay.sh
		;;
	fuzz) for program in $(programs tests/fuzz/*_fuzz.c); do fuzz "$program"; done ;;
	net | nodes) scenarios "$1" ;;
	bench)
		one bench tests/bench/smoke.sh
		one bench-hour tests/bench/smoke_hour.sh
		;;
	*) exit 2 ;;
	esac
}

# beside_start KIND...: by another one of us, for which the scheduler has a class of its own
beside_start()
{
	chrt --idle 0 tests/check.sh "$@" >"$TMPDIR/beside" 2>&1 &
	BESIDE=$!
}

beside_end()
{
	local pid=$BESIDE

	{ wait "$pid"; } 2>/dev/null || true # its total says the same
	BESIDE=
	sed -E '${/^[0-9]+ passed, [0-9]+ failed$/d}' "$TMPDIR/beside"
	total beside "$(tail -n 1 "$TMPDIR/beside")"
}

kinds=()
while (($#)) && [[ $1 != --beside ]]; do
	kinds+=("$1")
	shift
done
(($# < 2)) || beside_start "${@:2}"
for kind in "${kinds[@]}"; do
	began=$SECONDS
	run "$kind"
	took+="${took:+, }$kind $((SECONDS - began)) s"
done
[[ -z $BESIDE ]] || beside_end
printf 'took: %s; %d s\n' "$took" "$SECONDS"
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0 && passed > 0))
