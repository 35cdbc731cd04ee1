# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # the words in R, a map of lib.sh
#
# What else manages a host: its network, its firewall.

NETWORK_FILE=/etc/systemd/network/10-eth0.network

# networkd_up: eth0 of alpha and its own address are systemd-networkd's. The virtual addresses
# have no prefix length, as in the manual: one that comes before the host's own address in its
# network takes the route from it.
networkd_up()
{
	local unit

	net_up
	config_default | sed '/^VirtualAddress/s,/[0-9]*,,' >"$DIR/takeover.conf"
	nodes_up a b
	ip -n "$NET-a" address flush dev eth0 scope global
	in_node a mkdir -p "$NETWORK_FILE.d"
	in_node a tee "$NETWORK_FILE" >/dev/null <<-END
		[Match]
		Name=eth0
		[Network]
		IPv6AcceptRA=no
		Address=10.77.0.${NUMBER[a]}/16
		Address=fd77::${NUMBER[a]}/64
	END
	for unit in service socket; do
		in_node a rm "/etc/systemd/system/systemd-networkd.$unit"
	done
	in_node a systemctl daemon-reload
	in_node a systemctl start systemd-networkd
	networkd_is_done
}

networkd_is_done()
{
	in_node a /lib/systemd/systemd-networkd-wait-online --interface=eth0 \
		--timeout="$PATIENCE" || fail "networkd: $(in_node a networkctl status eth0)"
}

# repairs NODE: how often it has found that somebody had deleted addresses
repairs()
{
	journal_find "$1" --unit=takeoverd TAKEOVER_EVENT=01-00302 | wc -l
}

has_repaired() # NODE BEFORE
{
	(($(repairs "$1") > $2))
}

# repaired NODE BEFORE: it has found that once more, and they are back
repaired()
{
	local address

	await has_repaired "$@" || fail "node $1 did not notice: $(journal "$1")"
	for address in "$VIP4" "$VIP6"; do
		in_ns "$1" "$PROBE" wait-address "$address" present "$PATIENCE" ||
			fail "$address is not back on node $1"
	done
}

# assert_stayed TERM: with alpha, which has not even claimed again
assert_stayed()
{
	settle
	[[ $PRIMARY == a && $(get a group/sip Term) == "$1" ]] ||
		fail "the group has moved: $(journal a)"
	assert_holder a 32 128
}

# networkd deletes what it did not add, and the host's own address for a moment: ours are back
# before that is, and nothing moves. With the example that is installed it leaves them alone.
scenario_networkd_configures_anew()
{
	local term before

	LEASE=${LEASE:-2s} DEAD_TIME=${DEAD_TIME:-2500ms} # a busy machine is another story
	networkd_up
	pair_start
	term=$(get a group/sip Term)
	send_start load c "$VIP4" 1000
	before=$(repairs a)
	in_node a networkctl reload # nothing has changed
	(($(repairs a) == before)) || fail "deleted by a reload without a change"
	in_node a networkctl reconfigure eth0
	repaired a "$before"
	networkd_is_done
	send_stop load
	fact lost "${R[lost]}"
	assert_stayed "$term"

	send_start load c "$VIP4" 1000
	before=$(repairs a)
	in_node a cp /usr/share/doc/takeover/examples/networkd.conf "$NETWORK_FILE.d/takeover.conf"
	in_node a networkctl reload
	networkd_is_done
	in_node a networkctl reconfigure eth0
	networkd_is_done
	send_stop load
	fact lost_kept "${R[lost]}"
	send_start load c "$VIP4" 1000
	in_node a systemctl restart systemd-networkd
	in_node a systemctl stop systemd-networkd.socket systemd-networkd
	in_node a systemctl start systemd-networkd
	networkd_is_done
	send_stop load
	fact lost_restarted "${R[lost]}"
	(($(repairs a) == before)) || fail "deleted all the same: $(journal a)"
	assert_stayed "$term"
}

has_gate() # NODE
{
	in_node "$1" sh -c 'nft list chain inet takeover in && nft list chain arp takeover out' \
		2>/dev/null | grep -c vmap | grep -qx 3
}

# gate_is_laid NODE: again, after somebody has flushed everything
gate_is_laid()
{
	await has_gate "$1" || fail "no gate on node $1: $(in_node "$1" nft list ruleset)"
}

# Debian's firewall service begins with "flush ruleset", and stops with that: on neither node
# does a client notice, and afterwards the lease holds again.
scenario_nftables_service_flushes_everything()
{
	local node verb

	LEASE=${LEASE:-1s} DEAD_TIME=${DEAD_TIME:-1200ms} # a busy machine is another story
	pair_up
	both_start
	send_start load c "$VIP4"
	for node in a b; do
		in_node "$node" tee /etc/nftables.conf >/dev/null <<-END
			flush ruleset
			table inet filter {
				chain input {
					type filter hook input priority filter; policy drop;
					iif lo accept
					ct state established,related accept
					meta l4proto { icmp, ipv6-icmp } accept
					udp dport { 7373, $PORT } accept
				}
			}
		END
		for verb in start reload restart stop start; do
			in_node "$node" systemctl "$verb" nftables || fail "nftables does not $verb"
			gate_is_laid "$node"
		done
	done
	settle
	[[ $PRIMARY == a ]] || fail "the group has moved"
	send_stop load
	both_stop
	[[ ${R[answers_b]} == 0 ]] || fail "the backup answered ${R[answers_b]} packets"
	assert_holder a
	both_start
	agent_signal a STOP
	wait_role b primary
	send_some c "$VIP4" 500
	assert_never_both
	((R[answers_a] > 0 && R[answers_b] > 0)) || fail "not both nodes have answered in turn"
}
