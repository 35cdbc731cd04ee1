# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # variables of lib.sh
#
# Two nodes that forward the connections of others, and conntrackd, with its own script as a
# step before the claim: by what takeover(7) says of it.

INNER=10.78.0.100 # the virtual address on the other side
SERVER=10.78.0.60

# conntrack_install NODE: conntrackd, and a firewall that lets nothing in but what is known
conntrack_install()
{
	local peer command

	peer=$(other "$1")
	in_node "$1" tee /etc/conntrackd/conntrackd.conf >/dev/null <<-END
		Sync {
			Mode FTFW {
			}
			UDP {
				IPv4_address 10.78.0.${NUMBER[$1]}
				IPv4_Destination_Address 10.78.0.${NUMBER[$peer]}
				Port 3780
				Interface eth1
			}
		}
		General {
			HashSize 1024
			HashLimit 8192
			LogFile off
			Syslog on
			LockFile /var/lock/conntrack.lock
			UNIX {
				Path /var/run/conntrackd.ctl
			}
			Filter From Userspace {
				Protocol Accept {
					TCP
				}
				Address Ignore {
					IPv4_address 127.0.0.1
					IPv4_address 10.77.0.${NUMBER[$1]}
					IPv4_address 10.78.0.${NUMBER[$1]}
				}
			}
		}
	END
	manual_literal 'unit for conntrackd' |
		in_node "$1" tee /etc/systemd/system/takeover-conntrack@.service >/dev/null
	while read -r command; do
		in_node "$1" sh -c "${command#\# }" >"$DIR/conntrack.out" 2>&1 ||
			fail "the manual says \"$command\", node $1: $(<"$DIR/conntrack.out")"
	done < <(manual_literal 'commands for conntrackd')
	in_node "$1" systemctl start conntrackd || fail "conntrackd: $(journal_find "$1" -u conntrackd)"
	in_node "$1" sysctl -qw net.ipv4.ip_forward=1 net.netfilter.nf_conntrack_tcp_loose=0
	in_node "$1" nft 'table ip fw { chain forward {
		type filter hook forward priority 0; policy drop;
		ct state established accept;
		ct state new tcp flags & (syn | ack) == syn accept; }; }'
}

is_told() # NODE
{
	in_node "$1" conntrackd -e | grep -q 'ESTABLISHED.*dport=7000'
}

# await_synced NODE: it has been told of the client's connection
await_synced()
{
	await is_told "$1" || fail "node $1 is not told: $(in_node "$1" conntrackd -s)"
}

# last_run NODE: what the script has been called with last
last_run()
{
	journal_find "$1" SYSLOG_IDENTIFIER=systemd |
		sed -n 's/^Finished takeover-conntrack@\([a-z]*\).service.*/\1/p' | tail -n 1
}

has_run() # NODE WORD
{
	[[ $(last_run "$1") == "$2" ]]
}

await_run() # NODE WORD
{
	await has_run "$@" || fail "node $1 has run \"$(last_run "$1")\" last, not \"$2\""
}

scenario_connections_survive_a_move_with_conntrackd()
{
	local node

	LEASE=${LEASE:-1s} DEAD_TIME=${DEAD_TIME:-1500ms} # a busy machine is another story
	net_up
	# A bridge has the lowest of its ports' addresses, and another one when that port goes.
	ip -n "$NET-br" link set br1 address 02:74:6b:00:01:3c
	ip -n "$NET-br" address add "$SERVER/24" dev br1
	ip -n "$NET-br" route add 10.77.0.0/16 via "$INNER"
	ip -n "$NET-c" route add "$SERVER" via "$VIP4"
	serve_start br
	config_default "VirtualAddress=$INNER eth1" Redundancy=hot Unit=conntrackd.service \
		"BeforeClaim=start takeover-conntrack@primary.service" >"$DIR/takeover.conf"
	nodes_up a b
	for node in a b; do
		conntrack_install "$node"
	done
	pair_start

	client_enter "$SERVER"
	client_talk one
	for node in a b; do
		await_run "$(other "$node")" backup
		await_synced "$(other "$node")"
		call_ok "$node" Switchover
		settle
		client_talk "two-$node"
		await_run "$(other "$node")" primary
		await_run "$node" backup
	done

	# The power of the primary goes.
	await_synced b
	node_kill a
	wait_role b primary
	client_talk three
	await_run b primary

	# It is the table that did it.
	in_node b conntrackd -F
	echo four >&"$CLIENT_IN"
	! read -r -t 1 _ <&"$CLIENT_BACK" || fail "this firewall lets anybody through"
}
