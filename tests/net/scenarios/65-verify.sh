# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# takeoverctl verify against two agents: nothing to say of a healthy pair, and every
# difference that somebody makes by hand said by its name, and no other.

# found_of WEIGHT: the names of what verify --json has found, each once
found_of()
{
	sed 's/},{/}\n{/g' "$DIR/ctl.out" |
		sed -n "s/.*\"name\":\"\([a-z0-9-]*\)\",\"weight\":\"$1\".*/\1/p" | sort -u | paste -sd' '
}

# verify_is NODE STATUS DIFFERENCES [HINTS]: exactly these; nothing is left unchecked
verify_is()
{
	ctl "$1" verify --json
	grep -q '^{"ok":' "$DIR/ctl.out" || fail "verify on $1: $(cat "$DIR/ctl.out" "$DIR/ctl.err")"
	[[ $(found_of difference) == "$3" ]] || fail "verify on $1 does not find \"$3\": $(<"$DIR/ctl.out")"
	[[ $(found_of hint) == "${4:-}" ]] || fail "verify on $1 does not hint at \"${4:-}\": $(<"$DIR/ctl.out")"
	[[ -z $(found_of unchecked) ]] || fail "verify on $1 does not check: $(<"$DIR/ctl.out")"
	[[ $CTL == "$2" ]] || fail "verify on $1 ends with $CTL: $(cat "$DIR/ctl.out" "$DIR/ctl.err")"
}

# Addresses are not refreshed meanwhile, which would repair some of them; and the agents do not
# hear of what is done to the gate, nor to addresses that stay, which would repair that.
verify_pair_up()
{
	# shellcheck disable=SC2034 # for agent_start
	WRAPPER="env LD_PRELOAD=$BUILD/tests/net/nftables.so NFTABLES_WITHOUT=news
		ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 $WRAPPER"
	net_up
	{
		LEASE=1500ms DEAD_TIME=2s config_agent AddressLifetime=24h
		config_nodes
		config_group sip "$VIP4" "$VIP6"
	} >"$DIR/takeover.conf"
	nodes_up a b
	pair_start
}

verify_is_clean() # NODE...
{
	local node

	for node; do
		verify_is "$node" 0 ''
	done
}

scenario_verify_has_nothing_to_say_of_a_healthy_pair()
{
	ctl_pair_up
	verify_is_clean a b
	ctl_says 0 'sip: this node is primary, 2 addresses' a verify
	ctl_says 0 'sip: this node is backup, 2 addresses' b verify sip
	ctl_says 1 'did you mean '\''sip'\''?' a verify spi
	call_ok a Switchover
	settle
	[[ $PRIMARY == b ]] || fail "beta is not primary"
	verify_is_clean a b
	call_ok b Switchover
	settle
	verify_is_clean b a
	call_ok b SetMaintenance true
	verify_is_clean a b
	agent_end b KILL
	verify_is_clean a
	ctl_says 1 'takeoverd does not run on this host' b verify
}

# It must not see halves, however often the group goes to and fro: with so many
# addresses that a look takes as long as a move. It may say that the group does not
# stand still.
# Busy: it moves all the time.
scenario_verify_sees_no_difference_in_a_move()
{
	local i looks=0

	ctl_pair_up
	for i in a b; do
		seq 0 3999 | awk '{ print "address add 10.99." int($1 / 250) "." $1 % 250 "/32 dev lo" }' |
			ip -n "$NET-$i" -batch -
	done
	for ((i = 0; i < 30; i++)); do
		DBUS_SYSTEM_BUS_ADDRESS=$(bus_of a) in_ns a "$BUILD/takeoverctl" switchover sip
	done >"$DIR/moves.out" 2>&1 &
	PIDS["moves"]=$!
	while kill -0 "${PIDS["moves"]}" 2>/dev/null; do
		for i in a b; do
			ctl "$i" verify --json
			[[ -z $(found_of difference) ]] ||
				fail "a move is taken for a difference: $(<"$DIR/ctl.out")"
		done
		looks=$((looks + 1))
	done
	reap moves || fail "the group does not move: $(<"$DIR/moves.out")"
	fact moves "$(grep -c 'is primary (took' "$DIR/moves.out")"
	fact looks "$looks"
	((looks > 0)) || fail "there was no time to look"
	settle
	verify_is_clean a b
}

# made NODE FOUND MAKE UNDO: what MAKE does to the node is found, and gone after UNDO
made()
{
	in_ns "$1" sh -c "$3" || fail "cannot be made: $3"
	verify_is "$1" 1 "$2"
	in_ns "$1" sh -c "$4" || fail "cannot be undone: $4"
	verify_is_clean "$1"
	DIFFERENCES=$((${DIFFERENCES:-0} + 1))
}

scenario_verify_names_each_difference_on_the_primary()
{
	verify_pair_up
	made a address-twice "ip address add $VIP4/32 dev eth1" "ip address delete $VIP4/32 dev eth1"
	made a route-missing "ip route delete local $VIP4 dev eth0 table local" \
		"ip address delete $VIP4/16 dev eth0"
	made a gate-closed 'nft delete element inet takeover open "{ 1 }"' \
		'nft add element inet takeover open "{ 1 }"'
	made a gate-silent 'nft delete element arp takeover announce "{ 1 }"' \
		'nft add element arp takeover announce "{ 1 }"'
	made a gate-unknown "nft delete element inet takeover vip4 '{ $VIP4 }'" \
		"nft add element inet takeover vip4 '{ $VIP4 : goto serve_1 }'"
	made a link-noarp 'ip link set eth0 arp off' 'ip link set eth0 arp on'
	made a arp-ignore 'sysctl -qw net.ipv4.conf.all.arp_ignore=8' \
		'sysctl -qw net.ipv4.conf.all.arp_ignore=0'
	made a path-missing 'ip address delete 10.78.0.11/24 dev eth1' \
		'ip address add 10.78.0.11/24 dev eth1'
	made a 'address-lifetime address-untagged' \
		"ip address change $VIP4/16 dev eth0 valid_lft forever preferred_lft forever" \
		"ip address delete $VIP4/16 dev eth0"
	made a 'address-preferred address-untagged' \
		"ip address change $VIP6/64 dev eth0 valid_lft 900 preferred_lft 900 nodad" \
		"ip address delete $VIP6/64 dev eth0"
	made a proxy "ip neighbour add proxy $VIP4 dev eth1" \
		"ip neighbour delete proxy $VIP4 dev eth1"
	settle
	assert_holder a
	fact differences "$DIFFERENCES"
}

scenario_verify_names_each_difference_on_the_backup()
{
	verify_pair_up
	made b address-stranger "ip address add $VIP4/16 dev eth0" \
		"ip address delete $VIP4/16 dev eth0"
	made b address-stranger "ip address add $VIP6/128 dev lo" \
		"ip address delete $VIP6/128 dev lo"
	made b route-local "ip route add local $VIP4 dev lo table local" \
		"ip route delete local $VIP4 dev lo table local"
	made b proxy "ip neighbour add proxy $VIP4 dev eth0" \
		"ip neighbour delete proxy $VIP4 dev eth0"
	made b address-kept "$PROBE add-tagged $VIP4 16 eth0 $TAG" \
		"ip address delete $VIP4/16 dev eth0"
	made b address-orphan "$PROBE add-tagged 10.77.0.99 32 eth1 $TAG" \
		"ip address delete 10.77.0.99/32 dev eth1"
	made b gate-open 'nft add element inet takeover lease "{ 0x7fffffff timeout 60s }" &&
		nft add element inet takeover open "{ 1 }"' \
		'nft delete element inet takeover open "{ 1 }" &&
		nft delete element inet takeover lease "{ 0x7fffffff }"'
	made b arp-ignore 'sysctl -qw net.ipv4.conf.eth0.arp_ignore=8' \
		'sysctl -qw net.ipv4.conf.eth0.arp_ignore=0'
	made b disable-ipv6 'sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1' \
		'sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0'
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
	fact differences "$DIFFERENCES"
}

# The primary has no address of its own in the network of the virtual one when that
# comes: a mistake that the manual warns of.
scenario_verify_warns_of_addresses_that_would_go_along()
{
	verify_pair_up
	in_ns a sysctl -qw net.ipv4.conf.all.promote_secondaries=0 \
		net.ipv4.conf.eth0.promote_secondaries=0
	ip -n "$NET-a" address delete 10.77.0.11/16 dev eth0
	in_ns a "$PROBE" wait-address "$VIP4" present "$PATIENCE" || fail "$VIP4 was not put back"
	ip -n "$NET-a" address add 10.77.0.11/16 dev eth0
	verify_is a 1 promote-secondaries
	ctl_says 1 '10.77.0.11/16 on eth0 is secondary to 10.77.0.100' a verify
	in_ns a sysctl -qw net.ipv4.conf.eth0.promote_secondaries=1
	verify_is_clean a
}

# What other hosts are believed to be is no difference.
scenario_verify_hints_at_neighbours()
{
	local wrong=02:00:00:00:00:99

	verify_pair_up
	ip -n "$NET-b" neighbour replace "$VIP4" lladdr "$(mac a 0)" dev eth0 nud permanent
	verify_is b 0 '' neighbour-permanent
	ip -n "$NET-b" neighbour replace "$VIP4" lladdr "$wrong" dev eth0 nud permanent
	verify_is b 0 '' 'neighbour-elsewhere neighbour-permanent'
	ctl_says 0 "$VIP4 to be at $wrong on eth0, but alpha, which is primary, is at $(mac a 0)" \
		b verify
	ip -n "$NET-b" neighbour delete "$VIP4" dev eth0
	verify_is_clean b
	ip -n "$NET-a" neighbour replace "$VIP4" lladdr "$wrong" dev eth0 nud permanent
	verify_is a 0 '' neighbour-permanent
}

# An address that the agent cannot put back, and nobody there to take over.
scenario_verify_tells_what_cannot_be_repaired()
{
	verify_pair_up
	agent_end b KILL
	wait_property a peer/beta State no-agent
	in_ns a sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
	wait_role a primary
	verify_is a 1 'address-missing disable-ipv6'
	ctl_says 1 "$VIP6 is not on eth0, although this node is primary" a verify
}

scenario_verify_says_what_nobody_may_see()
{
	local nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

	verify_pair_up
	install -m 755 "$BUILD/takeoverctl" "$DIR/takeoverctl" # where nobody may go
	DBUS_SYSTEM_BUS_ADDRESS=$(bus_of a) in_ns a "${nobody[@]}" "$DIR/takeoverctl" verify \
		>"$DIR/ctl.out" 2>&1 || fail "nobody may not look: $(<"$DIR/ctl.out")"
	grep -qF 'sip: gate not checked: Operation not permitted; it needs root' "$DIR/ctl.out" ||
		fail "the gate is passed over: $(<"$DIR/ctl.out")"
	ip -n "$NET-a" address add "$VIP4/32" dev eth1
	if DBUS_SYSTEM_BUS_ADDRESS=$(bus_of a) in_ns a "${nobody[@]}" "$DIR/takeoverctl" verify \
		>"$DIR/ctl.out" 2>&1; then
		fail "a difference is passed over: $(<"$DIR/ctl.out")"
	fi
	grep -qF "$VIP4 is there a second time, as /32 on eth1" "$DIR/ctl.out" ||
		fail "the second address is passed over: $(<"$DIR/ctl.out")"
}
