# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables for the parts
#
# What every part of the benchmark is built on: the network of tests/net/lib.sh, one
# system under test in it, and records.
#
# A system is a file in systems/, sourced by bench_up, that defines
#
#	sys_title         one line for people
#	SYS_PATIENCE      seconds within which it reacts to whatever happens
#	SYS_DEAD_MS       its dead time, if it has budgets
#	SYS_SCENES        what it can do at all, if that is not everything
#	sys_config VIP... its configuration for these addresses on eth0, below $DIR
#	sys_start NODE    start it there, without waiting for it
#	sys_ready         wait until a holds the addresses and b stands by
#	sys_move          a planned switchover away from $PRIMARY; begins with mark
#	sys_stop NODE     the orderly stop; begins with mark
#	sys_pids NODE     its processes there, for CPU time and memory
#	sys_watch NODE    from now on, note there when it becomes primary
#	sys_became NODE   these moments, in µs, a line each
#
# and may define anew what stands here for all: sys_kill, sys_freeze, sys_thaw, sys_end,
# sys_lapses. A part of the benchmark, say pair, is a file of that name beside this: see run.sh.

BENCH=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/net/lib.sh
. "$BENCH/../net/lib.sh"

CLOCK_AHEAD_US=0 # of the time of day before CLOCK_MONOTONIC
MARK_US=0        # when what is measured began, in CLOCK_MONOTONIC

# As tables have them
SYSTEMS=(floor floor-strict takeoverd takeoverd-strict takeoverd-fast takeoverd-sub keepalived
	keepalived-fast ucarp script)

# --- Time -------------------------------------------------------------------

clock_set()
{
	local monotonic real

	read -r monotonic real < <("$PROBE" clock)
	CLOCK_AHEAD_US=$((real - monotonic))
}

# mark: what is measured begins now. No process is started for it.
mark()
{
	local now=$EPOCHREALTIME

	MARK_US=$((${now/[.,]/} - CLOCK_AHEAD_US))
}

# --- Records ----------------------------------------------------------------

# record KEY=VALUE...: one measurement, a line of JSON for run.sh
record()
{
	local word value line=

	for word; do
		value=${word#*=}
		if [[ ! $value =~ ^(-?(0|[1-9][0-9]*)(\.[0-9]+)?|true|false|null)$ ]]; then
			value=${value//\\/\\\\}
			value=\"${value//\"/\\\"}\"
		fi
		line+="${line:+, }\"${word%%=*}\": $value"
	done
	printf '@record {%s}\n' "$line"
}

# --- A system on two nodes --------------------------------------------------

# bench_load SYSTEM: what is told of it, without starting anything
bench_load()
{
	SYS_PATIENCE=5
	SYS_DEAD_MS=
	SYS_SCENES=
	[[ $1 =~ ^[a-z0-9-]+$ && -r $BENCH/systems/$1.sh ]] ||
		die "no system $1; there are: ${SYSTEMS[*]}"
	# shellcheck disable=SC1090 # any of them
	. "$BENCH/systems/$1.sh"
}

# bench_up SYSTEM VIP...: it runs on both nodes, a holds the addresses
bench_up()
{
	bench_load "$1"
	shift
	net_up
	clock_set
	nodes_up a b
	PRIMARY=a BACKUP=b
	sys_config "$@"
	sys_start a
	sys_start b
	sys_ready
}

bench_down()
{
	sys_end
	net_down
}

# family PID: a process and all that it has started, itself first
family()
{
	local child

	[[ -r /proc/$1/task/$1/children ]] || return 0
	echo "$1"
	for child in $(<"/proc/$1/task/$1/children"); do
		family "$child"
	done
}

# signal_all NODE SIGNAL...: to all of the system's processes there, in one go each
signal_all()
{
	local pids signal

	mapfile -t pids < <(sys_pids "$1")
	((${#pids[@]})) || fail "nothing of the system runs on node $1"
	mark
	for signal in "${@:2}"; do
		kill "-$signal" "${pids[@]}"
	done
}

# Of a system whose process on a node is PIDS[sys-NODE]
sys_pids()
{
	[[ -z ${PIDS[sys-$1]:-} ]] || family "${PIDS[sys-$1]}"
}

# Stopped first: of several processes one that sees another die could do things in order yet.
sys_kill()
{
	signal_all "$1" STOP KILL
	{ wait "${PIDS[sys-$1]}"; } 2>/dev/null || true
	unset "PIDS[sys-$1]"
}

sys_freeze()
{
	signal_all "$1" STOP
}

sys_thaw()
{
	signal_all "$1" CONT
}

# What is still there ends with its network.
sys_end() { :; }

# How often a lease of the node has ended, since sys_watch; of one that has none, null
sys_lapses()
{
	echo null
}

# power_off NODE: nothing of it is left
power_off()
{
	mark
	node_kill "$1" 2>/dev/null
	[[ -z ${PIDS[sys-$1]:-} ]] || { wait "${PIDS[sys-$1]}"; } 2>/dev/null || true
	unset "PIDS[sys-$1]"
}

# wait_line FILE PATTERN [SECONDS]: until a line of the log matches
wait_line()
{
	local fd pid line status=1

	exec {fd}< <(exec tail -n +1 -F "$1" 2>/dev/null)
	pid=$!
	while read -r -t "${3:-$PATIENCE}" line <&"$fd"; do
		[[ ! $line =~ $2 ]] || { status=0 && break; }
	done
	kill "$pid"
	exec {fd}<&-
	((status == 0)) || fail "no \"$2\" in ${1##*/}: $(tail -n 5 "$1")"
}

# wait_holds NODE ADDRESS: it has the address and answers
wait_holds()
{
	in_ns "$1" "$PROBE" wait-address "$2" present "$PATIENCE" ||
		fail "node $1 has no $2: $(tail -n 5 "$DIR/sys-$1.err")"
	send_start ready "c$1" "$2" 1000
	send_stop ready
}

# some_time MOST-MS: chance where in its interval a system is
some_time()
{
	sleep "$(printf '0.%03d' $((RANDOM % $1)))"
}

# --- Attempts: each in a process and a network of its own -------------------
#
# A part says what it wants to measure, each with "planned SECONDS ARGUMENT..."; then
# attempts_run makes them. It defines attempt_failed ARGUMENT..., a record of one of which
# nothing came, and ATTEMPT_S, what one usually takes.

PLAN=()
RECORDS= # a file: a line of JSON each
FAILED=0
WATCHED= # the process of the present one

# planned SECONDS ARGUMENT...: to be made, and to be over by then
planned()
{
	PLAN+=("$*")
}

attempts_begin()
{
	OUT=$(mktemp -d "${TMPDIR:-/tmp}/takeover-bench.XXXXXX")
	RECORDS=$OUT/records
	: >"$RECORDS"
	trap 'status=$?; set +eu; attempts_end; exit $status' EXIT
	trap 'exit 130' INT TERM HUP PIPE
}

attempts_end()
{
	trap '' INT TERM HUP PIPE
	if [[ -n $WATCHED ]]; then
		kill -TERM "$WATCHED"
		wait "$WATCHED"
	fi 2>/dev/null
	net_clear "$NET-1"
	rm -rf "$OUT"
}

# span SECONDS: for people
span()
{
	if (($1 < 100)); then
		echo "$1 s"
	else
		echo "$((($1 + 30) / 60)) min"
	fi
}

# attempts_left DONE SECONDS: what the others take, by what these have taken
attempts_left()
{
	local left=$((${#PLAN[@]} - $1))

	echo $(($1 ? $2 * left / $1 : ATTEMPT_S * left))
}

attempts_run()
{
	local i began=$SECONDS

	for i in "${!PLAN[@]}"; do
		printf '%d of %d, %s left: %s\n' $((i + 1)) ${#PLAN[@]} \
			"$(span "$(attempts_left "$i" $((SECONDS - began)))")" "${PLAN[$i]#* }" >&2
		# shellcheck disable=SC2086 # words
		attempt ${PLAN[$i]}
	done
}

# attempt SECONDS ARGUMENT...: this program again, with --child; keeps what it records.
# In the background, so that a signal to us is not left waiting for its end.
attempt()
{
	local seconds=$1 status=0

	shift
	KEEP=$OUT/logs TAKEOVER_NET=$NET-1 timeout --kill-after=30 "$seconds" \
		bash "$0" --child "$@" >"$OUT/child" 2>"$OUT/child.err" </dev/null &
	WATCHED=$!
	{ wait "$WATCHED"; } 2>/dev/null || status=$?
	WATCHED=
	net_clear "$NET-1"
	if ((status != 0)); then
		FAILED=$((FAILED + 1))
		attempt_failed "$@" >"$OUT/child"
		attempt_keep "$@"
	fi
	sed -n 's/^@record //p' "$OUT/child" >>"$RECORDS"
	rm -rf "$OUT/logs"
}

# attempt_keep ARGUMENT...: what there is to look into
attempt_keep()
{
	local kept

	kept=$BUILD/bench-failed/$(tr ' /' '--' <<<"$*")
	rm -rf "$kept"
	mkdir -p "${kept%/*}"
	mv "$OUT/logs" "$kept" 2>/dev/null || mkdir -p "$kept"
	cp "$OUT/child.err" "$kept/"
	sed 's/^/    /' "$OUT/child.err" >&2
}

# attempts_keep FILE: what was recorded, as one array, if a FILE is wanted; fails if a run did
attempts_keep()
{
	[[ -z $1 ]] || jq -s . "$RECORDS" >"$1"
	((FAILED == 0)) || die "$FAILED runs could not be measured; see $BUILD/bench-failed"
}

# --- For tables ---------------------------------------------------------------

# tables PART OPTION...: of records, by the part's .jq
tables()
{
	jq -L "$BENCH" -s -r -f "$BENCH/$1.jq" "${@:2}"
}

# named KEY VALUE KEY VALUE...: as [{name: KEY, title: VALUE}, ...]
named()
{
	jq -n '[$ARGS.positional | _nwise(2) | {name: .[0], title: .[1]}]' --args "$@"
}

# titles SYSTEM...: the same of systems
titles()
{
	local name named=()

	for name; do
		named+=("$name" "$(bench_load "$name" && sys_title)")
	done
	named "${named[@]}"
}
