#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A switchover to watch: two nodes and clients in network namespaces on this
# machine, everything removed afterwards. Run it by `make demo`.

# shellcheck disable=SC2119 # what lib.sh has takes the usual without arguments

set -eu -o pipefail
# shellcheck source=tests/net/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PACE_US=100

say()
{
	printf '%s\n' "$*"
}

# What goes wrong has its reasons in the agents' logs.
give_up()
{
	local status=$1 log

	if ((status != 0 && status != 130)) && [[ -n $DIR ]]; then
		for log in "$DIR"/agent-*.err; do
			[[ -s $log ]] && { echo "--- ${log##*/}"; tail -n 20 "$log"; } >&2
		done
	fi
	net_down
	((status != 130)) || echo "interrupted; everything has been removed"
	exit "$status"
}

ms() # µs as a number that people read
{
	awk -v us="$1" 'BEGIN { printf((us < 100000 ? "%.1f ms" : "%.0f ms"), us / 1000) }'
}

RULE=$(printf '%.0s-' {1..98})

head_line()
{
	say
	printf '%-38s %-8s %-24s %9s %6s %9s\n' 'what happened' 'primary' 'how long it took' \
		'packets' 'lost' 'both (*)'
	say "$RULE"
}

row() # WHAT PRIMARY TOOK SENT LOST BOTH
{
	printf '%-38s %-8s %-24s %9s %6s %9s\n' "$@"
}

# Run a step while a client sends a packet every PACE_US to the IPv4 address,
# and two more watch each node.
step_start()
{
	both_start
	send_start load c "$VIP4" "$PACE_US"
}

step_stop() # sets SENT LOST SILENCE BOTH
{
	send_some c "$VIP4" 300
	send_stop load
	SENT=${R[sent]} LOST=${R[lost]} SILENCE=${R[silence_us]}
	both_stop
	BOTH=${R[both_us]}
}

start()
{
	local before=$EPOCHREALTIME after

	net_up
	config_default >"$DIR/takeover.conf"
	node_up a
	node_up b
	say "Two nodes, alpha and beta, and a client on one network. The configuration of both:"
	say
	sed "s,$DIR,/etc/takeover,; s/^/    /" "$DIR/takeover.conf"
	before=$EPOCHREALTIME
	agent_start a
	agent_start b
	settle
	after=$EPOCHREALTIME
	say
	say "${NODE_NAME[$PRIMARY]} has the addresses, ${NODE_NAME[$BACKUP]} has none:"
	say
	ip -n "$NET-$PRIMARY" -brief address show eth0 | sed "s/^/    ${NODE_NAME[$PRIMARY]} /"
	ip -n "$NET-$BACKUP" -brief address show eth0 | sed "s/^/    ${NODE_NAME[$BACKUP]} /"
	head_line
	row 'start of both nodes' "${NODE_NAME[$PRIMARY]}" \
		"$(ms "$((${after/./} - ${before/./}))")" '' '' ''
}

switchover()
{
	local from=$PRIMARY answer

	step_start
	answer=$(in_ns "$from" busctl --address="$(bus_of "$from")" call org.takeover1 \
		/org/takeover1/group/sip org.takeover1.Group Switchover)
	settle
	step_stop
	row 'busctl call ... Group Switchover' "${NODE_NAME[$PRIMARY]}" \
		"$(ms "${answer##* }")" "$SENT" "$LOST" "$(ms "$BOTH")"
}

freeze()
{
	FROZEN=$PRIMARY
	step_start
	agent_signal "$FROZEN" STOP
	wait_role "$BACKUP" primary
	PRIMARY=$BACKUP
	BACKUP=$FROZEN
	step_stop
	row "agent of ${NODE_NAME[$FROZEN]} frozen" "${NODE_NAME[$PRIMARY]}" \
		"$(ms "$SILENCE") of silence" "$SENT" "$LOST" "$(ms "$BOTH")"
}

thaw()
{
	step_start
	agent_signal "$FROZEN" CONT
	settle
	step_stop
	row "agent of ${NODE_NAME[$FROZEN]} thawed" "${NODE_NAME[$PRIMARY]}" \
		'nothing moves' "$SENT" "$LOST" "$(ms "$BOTH")"
}

power_off()
{
	local victim=$PRIMARY

	step_start
	node_kill "$victim"
	wait_role "$BACKUP" primary
	PRIMARY=$BACKUP
	step_stop
	row "power off of ${NODE_NAME[$victim]}" "${NODE_NAME[$PRIMARY]}" \
		"$(ms "$SILENCE") of silence" "$SENT" "$LOST" "$(ms "$BOTH")"
}

need_tools
trap 'exit 130' INT TERM
trap 'status=$?; set +eu; give_up $status' EXIT
start
switchover
freeze
thaw
power_off
say "$RULE"
say "A client sends a packet every $PACE_US µs to $VIP4. Heartbeats every 50 ms, dead time 500 ms, lease 350 ms."
say "(*) for how long both nodes answered. A planned switchover serves on for 20 ms (Linger=), so that what"
say "    is in flight gets its answer; with Handover=strict, and after every failure, it is 0."
say "Frozen: the kernel of the frozen node serves on until the lease ends, so that the silence is only what"
say "is left of the dead time then, and the claim. Power off: it is the whole dead time, and the claim."
