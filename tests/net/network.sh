# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # variables of lib.sh, which sources this
#
# The network of two nodes and their clients: namespaces, cables, bridges; made,
# cut, and removed with all that runs in it.

mac()
{
	printf '02:74:6b:00:%02x:%02x' "$2" "${NUMBER[$1]}"
}

# in_ns NAME COMMAND...: replaces nothing, keeps the PID (nsenter executes)
in_ns()
{
	local ns=$1

	shift
	nsenter --net="/run/netns/$NET-$ns" -- "$@"
}

# ns_make NS: a host that is plugged in nowhere
ns_make()
{
	ip netns add "$NET-$1"
	in_ns "$1" sh -c 'cd /proc/sys/net/ipv6/conf &&
		echo 0 >default/accept_dad && echo 0 >all/accept_dad &&
		echo 0 >default/dad_transmits && echo 0 >default/accept_ra &&
		echo 0 >default/router_solicitations'
}

# ns_cables NS: what plugs it in, for ip -batch among the bridges
ns_cables()
{
	local i

	for i in 0 1; do
		[[ $i == 0 || $1 == [ab] ]] || continue
		echo "link add $1$i type veth peer name eth$i address $(mac "$1" $i) netns $NET-$1"
		echo "link set $1$i master br$i up"
	done
}

# ns_addresses NS: of its own
ns_addresses()
{
	{
		echo "link set lo up"
		echo "link set eth0 up"
		echo "address add 10.77.0.${NUMBER[$1]}/16 dev eth0"
		echo "address add fd77::${NUMBER[$1]}/64 dev eth0 nodad"
		if [[ $1 == [ab] ]]; then
			echo "link set eth1 up"
			echo "address add 10.78.0.${NUMBER[$1]}/24 dev eth1"
		fi
	} | ip -n "$NET-$1" -batch -
}

net_up()
{
	local ns i

	DIR=$(mktemp -d "${TMPDIR:-/tmp}/takeover-$NET.XXXXXX")
	chmod 755 "$DIR" # an unprivileged caller must reach the buses
	for ns in br a b c ca cb; do
		ns_make "$ns"
	done
	{
		echo "link set lo up"
		for i in 0 1; do
			echo "link add br$i type bridge forward_delay 0 mcast_snooping 0"
			echo "link set br$i up"
		done
		for ns in a b c ca cb; do
			ns_cables "$ns"
		done
	} | ip -n "$NET-br" -batch -
	for ns in a b c ca cb; do
		ns_addresses "$ns"
	done
	tie ca a
	tie cb b
}

# tie CLIENT NODE: the client uses the node's MAC for the virtual addresses
tie()
{
	local address

	for address in "$VIP4" "$VIP6" "$WEB4"; do
		ip -n "$NET-$1" neighbour replace "$address" lladdr "$(mac "$2" 0)" \
			dev eth0 nud permanent
	done
}

# end_all NAMESPACE: nothing runs in it any more
end_all()
{
	local tries pids

	for ((tries = 0; tries < 100; tries++)); do # what forks may do so once more
		mapfile -t pids < <(ip netns pids "$1" 2>/dev/null)
		((${#pids[@]})) || return 0
		kill -KILL "${pids[@]}" 2>/dev/null || true
	done
}

# A rig that is built on this one says here how its nodes end, and what they leave
# if they could not (tests/nodes).
nodes_down() { :; }
nodes_clear() { :; }

# net_clear NAME: remove what a process has made under this name, and end what
# runs there (and only there), whatever has become of that process
net_clear()
{
	local ns dir

	nodes_clear "$1"
	for ns in a b c ca cb br; do
		[[ -e /run/netns/$1-$ns ]] || continue
		end_all "$1-$ns"
		ip netns delete "$1-$ns"
	done
	for dir in "${TMPDIR:-/tmp}/takeover-$1".??????; do
		[[ -d $dir && ! -L $dir ]] || continue
		[[ -z ${KEEP:-} ]] || { mkdir -p "$KEEP" && cp -r "$dir"/. "$KEEP"/ 2>/dev/null; }
		rm -rf "$dir"
	done
}

# End everything that was started, by its id, then remove what was made.
net_down()
{
	local key

	trap '' INT TERM HUP PIPE
	nodes_down
	for key in "${!PIDS[@]}"; do
		kill -CONT "${PIDS[$key]}" 2>/dev/null
		kill -KILL "${PIDS[$key]}" 2>/dev/null
		wait "${PIDS[$key]}" 2>/dev/null
	done
	PIDS=()
	net_clear "$NET"
	DIR=
}

# unplug NODE PATH / plug NODE PATH: carrier of its eth0 or eth1
unplug()
{
	ip -n "$NET-br" link set "$1$2" down
}

plug()
{
	ip -n "$NET-br" link set "$1$2" up
}

# drop FROM TO [PATH]: frames from one node to the other vanish, on both or one path
drop()
{
	local path

	in_ns br nft "add table bridge loss;
		add chain bridge loss forward { type filter hook forward priority 0; }"
	for path in ${3:-0 1}; do
		in_ns br nft "add rule bridge loss forward iifname $1$path oifname $2$path drop"
	done
}

heal()
{
	in_ns br nft "delete table bridge loss"
}
