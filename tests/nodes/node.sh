#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Two booted nodes to play with, as the tests have them: usage() says what for. What has
# been started goes on when we end; what has to be known of it is in the file "state".

set -eu -o pipefail
export TAKEOVER_NET=${TAKEOVER_NET:-nodes}
# shellcheck source=tests/nodes/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage()
{
	cat <<-END
		Usage: node.sh COMMAND

		  up [FILE]             install takeoverd on two nodes, a (alpha) and b (beta), boot and
		                        start them; FILE is their takeover.conf, instead of one group
		  status                what takeoverctl says on both
		  enter NODE [COMMAND]  a root shell on the node, or a command there
		  client COMMAND        a command on a host beside them: ping, ...
		  cut NODE              none of its frames gets anywhere; its links stay up
		  heal NODE             the end of that
		  off NODE              take its power away
		  boot NODE             give it power again
		  reboot NODE           in order, as systemctl reboot there
		  down                  remove everything

		NODE is a or b. To be run as root; make all tests first. Nothing of this machine is
		changed, nor is its network: both are namespaces of it, with its disk below their own.
		The nodes have 10.77.0.11 and .12 on eth0, 10.78.0.11 and .12 on eth1, and the group has
		$VIP4 and $VIP6. With another word in TAKEOVER_NET (now "$NET")
		there can be another pair.
	END
}

# keep: what the next command has to know
keep()
{
	declare -p DIR LEADER PIDS >"$DIR/state"
}

node_is() # NODE up|off
{
	local now=off

	[[ $1 == [ab] ]] || die "there are two nodes, a and b, and no \"$1\""
	[[ -z ${LEADER[$1]:-} || ! -d /proc/${LEADER[$1]}/root/etc ]] || now=up
	[[ $now == "$2" ]] || die "node $1 is $now"
}

status()
{
	local node

	for node in a b; do
		[[ -n ${LEADER[$node]:-} ]] || continue
		echo "--- $node"
		in_node "$node" takeoverctl status || true # not all is well: it has said so
	done
}

up()
{
	local node

	need_tools
	[[ -z ${1:-} || -r $1 ]] || die "$1 cannot be read"
	trap 'exit 130' INT TERM HUP PIPE
	trap 'status=$?; set +eu; net_down; exit $status' EXIT
	net_up
	if [[ -n ${1:-} ]]; then
		cp "$1" "$DIR/takeover.conf"
	else
		config_default >"$DIR/takeover.conf"
	fi
	nodes_up a b
	for node in a b; do
		in_node "$node" systemctl --quiet enable takeoverd
		agent_start "$node"
		[[ -n ${1:-} || $node == b ]] || wait_role a primary
	done
	keep
	trap - EXIT INT TERM HUP PIPE
}

boot()
{
	node_is "$1" off
	node_wire "$1"
	node_boot "$1"
	node_serve "$1"
	keep
}

off()
{
	node_is "$1" up
	node_kill "$1"
	unset "LEADER[$1]"
	keep
}

reboot()
{
	node_is "$1" up
	node_reboot "$1"
	keep
}

enter()
{
	node_is "$1" up
	if (($# > 1)); then
		in_node "$@"
	else
		in_node "$1" env HOME=/root TERM="${TERM:-dumb}" bash
	fi
}

main()
{
	local command=${1:-}

	case $command in
	-h | --help | help)
		usage
		exit 0
		;;
	up)
		[[ -z $DIR ]] || die "the nodes are up; first say: node.sh down"
		up "${2:-}"
		exit 0
		;;
	status | enter | client | cut | heal | off | boot | reboot | down) ;;
	*)
		usage >&2
		exit 2
		;;
	esac
	[[ -n $DIR ]] || die "there are no nodes; first say: node.sh up"
	shift
	case $command in
	status) status ;;
	client) in_ns c "$@" ;;
	cut | heal)
		node_is "${1:-}" up
		"node_${command/heal/join}" "$1"
		;;
	enter | off | boot | reboot) "$command" "${@:-}" ;;
	down) set +eu && net_down ;;
	esac
}

for file in "${TMPDIR:-/tmp}/takeover-$NET".??????/state; do
	# shellcheck disable=SC1090 # written by keep()
	[[ ! -r $file ]] || . "$file"
done
main "$@"
