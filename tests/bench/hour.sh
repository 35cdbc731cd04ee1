#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2119 # what lib.sh has takes the usual without arguments
#
# An hour beside load: pairs with heartbeats of 10 ms, each in network namespaces of its
# own, at the same time on the same machine. Nothing fails. What is counted is who takes
# over nevertheless, who falls silent, and who answers beside the other.
#
# The load, all the time: a busy loop for each processor; another program that adds and
# deletes 5,000 addresses and 5,000 routes on the interface of the service, one request at
# a time, as ip(8) and network managers do; and a blocklist of 20,000 elements that is
# loaded into nftables. Each does it again and again, in the namespace of one node after
# the other: the nodes stand for machines, and have to share the processors of this one.

set -eu -o pipefail
# shellcheck source=tests/bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SYSTEMS=(takeoverd-fast takeoverd-steady keepalived-fast keepalived-steady)
MINUTES=${MINUTES:-60}
ADDRESSES=${ADDRESSES:-5000}
ELEMENTS=${ELEMENTS:-20000}
JSON=
export QUICK_S=${QUICK_S:-0}
ESTIMATE=
ASK_US=5000   # a client asks as often as this
LATE_US=30000 # a gap between heartbeats that is told with its time
PREPARE_S=120 # within which a pair stands
STAND_S=10    # and usually does

usage()
{
	cat <<-END
		usage: hour.sh [--minutes N] [--systems NAME,...] [--addresses N] [--elements N]
		               [--quick] [--json FILE] [--estimate]

		  --minutes N     how long (default $MINUTES)
		  --systems NAME  each as a pair (default $(IFS=, && echo "${SYSTEMS[*]}"))
		  --addresses N   that another program adds and deletes, and as many routes
		  --elements N    of the nftables set
		  --quick         a second with little load, in which an agent of ours is frozen until the
		                  other one has taken over: does it work, and is that counted?
		  --estimate      say only how many seconds that takes
		  --json FILE     the rows, for programs as well

		KEEP=DIR in the environment keeps logs and answers, for an inquiry.
	END
}

# --- One pair, in a shell of its own --------------------------------------------

# Until it is ended: one of them at a time on the whole machine. What came of it is a line.
# shellcheck disable=SC2016 # for the shell that runs it
IN_TURN='lock=$1 && shift && while :; do flock "$lock" "$@" && echo done; done'

blocklist()
{
	awk -v n="$ELEMENTS" 'BEGIN {
		print "table inet blocklist {\n\tset hosts { type ipv4_addr; }\n}"
		print "flush set inet blocklist hosts\nadd element inet blocklist hosts {"
		for (i = 0; i < n; i++)
			printf "100.%d.%d.%d,\n", 64 + i / 65536, i / 256 % 256, i % 256
		print "}"
	}'
}

load_start()
{
	local node

	blocklist >"$DIR/blocklist.nft"
	for node in a b; do
		spawn "churn-$node" "$node" "$DIR/churn-$node.out" bash -c "$IN_TURN" churn \
			"$OUT/churn" "$PROBE" churn eth0 --addresses "$ADDRESSES" \
			--routes "$ADDRESSES" --rounds 1
		spawn "reload-$node" "$node" "$DIR/reload-$node.out" bash -c "$IN_TURN" reload \
			"$OUT/reload" nft -f "$DIR/blocklist.nft"
	done
}

load_stop()
{
	local node

	for node in a b; do
		finish "churn-$node" || true
		finish "reload-$node" || true
	done
}

# takeovers: how often the node that became primary was not the one that had been it before,
# a at first. One that has lost its lease and finds its way back has taken over nothing.
takeovers()
{
	{
		sys_became a | sed 's/$/ a/'
		sys_became b | sed 's/$/ b/'
	} | sort -n | awk 'BEGIN { last = "a" } $2 != last { n++; last = $2 } END { print n + 0 }'
}

lapses()
{
	local a b

	a=$(sys_lapses a)
	b=$(sys_lapses b)
	[[ $a == null ]] && echo null || echo $((a + b))
}

heartbeats_of() # SYSTEM
{
	case $1 in
	takeoverd*) echo 7373 ;;
	*) echo vrrp ;;
	esac
}

watch_start() # SYSTEM
{
	local node

	for node in a b; do
		spawn_ready "gaps-$node" br "$DIR/gaps-$node.out" "$PROBE" gaps "${node}0" \
			"$(heartbeats_of "$1")" --over-us "$LATE_US" --ready @READY@
	done
	send_start client c "$VIP4" "$ASK_US"
	send_start_blind both-a ca "$VIP4" "$ASK_US"
	send_start_blind both-b cb "$VIP4" "$ASK_US"
	sys_watch a
	sys_watch b
}

# watch_stop: what has been seen, as a row
watch_stop()
{
	row+=(takeovers="$(takeovers)" lapses="$(lapses)")
	send_stop client
	row+=(sent="${R[sent]}" lost="${R[lost]}" silence_us="${R[silence_us]}")
	both_stop $((ASK_US * 5))
	row+=(both="${R[both_times]}" both_us="${R[both_total_us]}")
	finish gaps-a
	finish gaps-b
	figures "$(<"$DIR/gaps-a.out")"
	row+=(heartbeats="${R[gaps]}" gap_p999_us="${R[p999_us]}" gap_us="${R[max_us]}")
}

churned() # what the load has come to, both nodes
{
	awk '
		/^changed=/ { sub(/changed=/, ""); changed += $1 }
		/^done/ && FILENAME ~ /reload/ { loads++ }
		END { printf "changed=%d loads=%d", changed, loads }' \
		"$DIR"/churn-?.out "$DIR"/reload-?.out
}

# What an hour should not see, so that it is known to be seen
taken_over()
{
	sys_freeze a
	wait_role b primary
	sys_thaw a
	settle
}

# child SYSTEM FIFO: says that it stands, begins and ends as it is told; OUT is the parent's
child()
{
	local row=(part=hour system="$1" minutes="$MINUTES"
		addresses="$ADDRESSES" elements="$ELEMENTS")

	# shellcheck disable=SC2064 # now: $1 is another one where it ends
	trap "status=\$?; set +eu; KEEP=\${KEEP:+\$KEEP/$1}; bench_down; exit \$status" EXIT
	trap 'exit 130' INT TERM HUP PIPE
	exec {TOLD}<>"$2"
	bench_up "$1" "$VIP4"
	row+=(title="$(sys_title)")
	echo stands
	read -r _ <&"$TOLD"
	watch_start "$1"
	load_start
	[[ $QUICK_S == 0 || $1 != takeoverd* ]] || taken_over
	read -r _ <&"$TOLD"
	watch_stop
	load_stop
	# shellcheck disable=SC2046 # words
	record "${row[@]}" $(churned)
}

# --- All of them, and what came of it -------------------------------------------

# However we end: with the pairs and the busy loops.
finish_up()
{
	local i

	trap '' INT TERM HUP PIPE
	((${#CHILDREN[@]} == 0)) || kill -TERM "${CHILDREN[@]}" 2>/dev/null
	wait
	for i in "${!SYSTEMS[@]}"; do
		net_clear "$NET-$i"
	done
	rm -rf "$OUT"
}

busy_start()
{
	local i

	for ((i = 0; i < $(nproc); i++)); do
		setpriv --pdeathsig KILL sh -c 'while :; do :; done' &
		BUSY+=($!)
		CHILDREN+=($!)
	done
}

# pair_start PLACE: returns when it stands
pair_start()
{
	local fd line

	mkfifo "$OUT/$1.told"
	exec {fd}< <(TAKEOVER_NET=$NET-$1 exec bash "$0" --child "${SYSTEMS[$1]}" \
		"$OUT/$1.told" 2>"$OUT/$1.err")
	CHILDREN+=($!)
	SAYS[$1]=$fd
	read -r -t "$PREPARE_S" line <&"$fd" || line=
	[[ $line == stands ]] || die "${SYSTEMS[$1]} does not stand: $(<"$OUT/$1.err")"
}

# What the machine lets a program do at all, at the same time: a record like the others
floor_record()
{
	figures "$(<"$OUT/tick.out")"
	record part=hour system=floor minutes="$MINUTES" heartbeats="${R[gaps]}" \
		gap_p999_us="${R[p999_us]}" gap_us="${R[max_us]}"
}

floor_start()
{
	"$PROBE" tick 10000 >"$OUT/tick.out" 2>"$OUT/tick.err" &
	PIDS[tick]=$!
	CHILDREN+=($!)
}

tell_all()
{
	local i

	for i in "${!SYSTEMS[@]}"; do
		echo "$1" 1<>"$OUT/$i.told" # not left waiting for one that has died
	done
}

hour()
{
	local i

	for i in "${!SYSTEMS[@]}"; do
		echo "starting ${SYSTEMS[$i]}" >&2
		pair_start "$i"
	done
	echo "beside load until $(date --date="$((MINUTES * 60 + QUICK_S)) seconds" +%T)" >&2
	busy_start
	floor_start
	tell_all begin
	sleep $((MINUTES * 60 + QUICK_S)) & # passing time is what it is about
	CHILDREN+=($!)
	wait $!
	finish tick || die "tick: $(<"$OUT/tick.err")"
	floor_record | sed 's/^@record //' >"$OUT/records"
	tell_all end
	kill "${BUSY[@]}"
	for i in "${!SYSTEMS[@]}"; do
		sed -n 's/^@record //p' <&"${SAYS[$i]}" >"$OUT/record"
		if [[ ! -s $OUT/record ]]; then
			FAILED+=("${SYSTEMS[$i]}: $(<"$OUT/$i.err")")
			record part=hour failed=true system="${SYSTEMS[$i]}" minutes="$MINUTES" |
				sed 's/^@record //' >"$OUT/record"
		fi
		cat "$OUT/record" >>"$OUT/records"
	done
	{ wait; } 2>/dev/null
	CHILDREN=() # their numbers may be those of others by now
}

main()
{
	if [[ ${1:-} == --child ]]; then
		shift
		child "$@"
		exit 0
	fi
	while (($#)); do
		case $1 in
		--help) usage && exit 0 ;;
		--minutes) MINUTES=${2:-} ;;
		--systems) IFS=, read -r -a SYSTEMS <<<"${2:-}" ;;
		--addresses) ADDRESSES=${2:-} ;;
		--elements) ELEMENTS=${2:-} ;;
		--json) JSON=${2:-} ;;
		--estimate) ESTIMATE=yes && shift && continue ;;
		--quick) MINUTES=0 QUICK_S=1 ADDRESSES=500 ELEMENTS=1000 && shift && continue ;;
		*) usage >&2 && exit 2 ;;
		esac
		(($# > 1)) || { usage >&2 && exit 2; }
		shift 2
	done
	[[ $MINUTES$ADDRESSES$ELEMENTS =~ ^[0-9]+$ ]] ||
		die "--minutes, --addresses and --elements take a number"
	[[ -z $ESTIMATE ]] ||
		{ echo $((MINUTES * 60 + QUICK_S + ${#SYSTEMS[@]} * STAND_S)) && exit 0; }
	need_tools
	OUT=$(mktemp -d "${TMPDIR:-/tmp}/takeover-bench.XXXXXX")
	export OUT MINUTES ADDRESSES ELEMENTS # for the children
	trap 'status=$?; set +eu; finish_up; exit $status' EXIT
	trap 'exit 130' INT TERM HUP PIPE
	hour
	echo
	echo "**$MINUTES minutes beside load**"
	echo
	tables hour "$OUT/records"
	[[ -z $JSON ]] || jq -s . "$OUT/records" >"$JSON"
	# The others have had their hour; this one's is told as what it is.
	((${#FAILED[@]} == 0)) || die "could not be measured: ${FAILED[*]}"
}

CHILDREN=() BUSY=() FAILED=()
declare -A SAYS=()
main "$@"
