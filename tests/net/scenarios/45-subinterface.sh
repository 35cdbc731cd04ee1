# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # the words in R, a map of lib.sh

# Addresses on an interface that is up on the primary and down on the backup.

# sub_config MAC [KEY=VALUE...]: the group sip on vip0, of that kind of MAC
sub_config()
{
	local mac=$1 key

	shift
	config_agent
	config_nodes
	printf '%s\n' '' '[Group sip]' LastResort=500ms Mode=subinterface \
		"SubInterface=vip0 eth0 $mac" "VirtualAddress=$VIP4/16 vip0" \
		"VirtualAddress=$VIP6/64 vip0"
	for key; do
		printf '%s\n' "$key"
	done
}

# sub_up MAC [KEY=VALUE...]: both nodes, alpha primary
sub_up()
{
	net_up
	sub_config "$@" >"$DIR/takeover.conf"
	nodes_up a b
	pair_start
}

# sub_mac NODE [IFNAME]
sub_mac()
{
	in_ns "$1" cat "/sys/class/net/${2:-vip0}/address" 2>/dev/null ||
		ip -n "$NET-$1" -br link show "${2:-vip0}" | awk '{ print $3 }'
}

# assert_sub NODE up|down [IFNAME]
assert_sub()
{
	local said

	said=$(ip -n "$NET-$1" -br link show "${3:-vip0}" | grep -o '[<,]UP[,>]' || true)
	[[ ${said:+up} == "$([[ $2 == up ]] && echo up)" ]] ||
		fail "${3:-vip0} on node $1 is not $2: $(ip -n "$NET-$1" link show "${3:-vip0}")"
}

# who NS IFNAME OWN ADDRESS SYNC MAC...: "arp MAC" and so on, once each
who()
{
	in_ns "$1" "$PROBE" who "${@:2}" >"$DIR/who" || fail "who ${*:2} in $1: no answer of $5"
	sort -u "$DIR/who"
}

# assert_silent NODE MAC...: whatever the clients on either network ask, and to whichever of
# these MACs, no answer for the addresses comes from the node
assert_silent()
{
	local node=$1 n=${NUMBER[$1]} m0 m1 said

	shift
	m0=$(mac "$node" 0) m1=$(mac "$node" 1)
	ip -n "$NET-br" address replace 10.78.0.200/24 dev br1
	ip -n "$NET-br" address replace fd78::200/64 dev br1 nodad
	ip -n "$NET-$node" address replace "fd78::$n/64" dev eth1 nodad
	said=$(
		who c eth0 "10.77.0.${NUMBER[c]}" "$VIP4" "10.77.0.$n" "$m0" "$@"
		who c eth0 "fd77::${NUMBER[c]}" "$VIP6" "fd77::$n" "$m0" "$@"
		who br br1 10.78.0.200 "$VIP4" "10.78.0.$n" "$m1" "$@"
		who br br1 fd78::200 "$VIP6" "fd78::$n" "$m1" "$@"
	)
	node=$(other "$node") # whose answers are right
	said=$(grep -vF -e "$(sub_mac "$node")" -e "$(mac "$node" 0)" <<<"$said" || true)
	[[ -z $said ]] || fail "not only node $node answers: $said"
}

# Own MACs: the clients' entries follow. Nothing of the backup answers, on either network. With
# default sysctls only the interface itself answers on the primary, and what the primary asks in
# the name of an address teaches nobody its parent's MAC.
scenario_subinterface_own()
{
	local a b address

	sub_up own
	a=$(sub_mac a) b=$(sub_mac b)
	taught_start "$a" "$b"
	[[ $a != "$b" && $a != "$(mac a 0)" && $((0x${a%%:*} & 3)) == 2 ]] || fail "MACs: $a, $b"
	assert_tagged a "$(printf '%s/16 vip0\n%s/64 vip0' "$VIP4" "$VIP6")"
	assert_tagged b ""
	assert_sub a up
	assert_sub b down
	[[ $(who c eth0 10.77.0.50 "$VIP4" "$VIP4" "$a") == \
		"$(printf 'arp %s\nping %s' "$a" "$(mac a 0)")" ]] || fail "ARP: $(<"$DIR/who")"
	[[ $(who c eth0 fd77::50 "$VIP6" "$VIP6" "$a") == \
		"$(printf 'nd %s\nping %s' "$a" "$(mac a 0)")" ]] || fail "ND: $(<"$DIR/who")"
	assert_silent b "$(mac b 0)" "$(mac b 1)" "$b"

	send_start load4 c "$VIP4" 500
	send_start load6 c "$VIP6" 500
	call_ok a Switchover
	for address in "$VIP4" "$VIP6"; do
		in_ns c "$PROBE" wait-neighbour "$address" "$b" "$PATIENCE" ||
			fail "c does not follow to $b: $(ip -n "$NET-c" neighbour show "$address")"
	done
	assert_none_lost load4
	assert_none_lost load6
	settle
	[[ $PRIMARY == b ]] || fail "$PRIMARY is primary"
	assert_sub a down
	assert_sub b up
	assert_silent a "$(mac a 0)" "$(mac a 1)" "$a"

	# The primary has to ask for a client that it has no entry of, in the name of the address.
	ip -n "$NET-b" neighbour flush all
	ip -n "$NET-c" neighbour replace "$VIP4" lladdr "$b" dev eth0 nud stale
	send_some c "$VIP4" 20
	[[ ${R[beta]:-0} == 20 ]] || fail "beta answered ${R[beta]:-0} of 20"
	[[ $(taught) == 0 ]] || fail "$(taught) ARP frames with $VIP4 and the MAC of an interface below"

	# Two clients that know one MAC only, each one's: never do both nodes answer.
	for address in "$VIP4" "$VIP6"; do
		ip -n "$NET-ca" neighbour replace "$address" lladdr "$a" dev eth0 nud permanent
		ip -n "$NET-cb" neighbour replace "$address" lladdr "$b" dev eth0 nud permanent
	done
	both_start
	agent_signal b STOP
	wait_role a primary
	send_some c "$VIP4" 100
	agent_signal b CONT
	settle
	[[ $PRIMARY == a ]] || fail "the frozen one has it"
	agent_end a KILL
	wait_role b primary
	send_some c "$VIP4" 100
	agent_start a
	settle
	assert_never_both
	assert_sub a down
	assert_silent a "$(mac a 0)" "$(mac a 1)" "$a"
	verify_sub a
	verify_sub b
}

# taught: how often c has heard ARP that has the address at a MAC which is none of its interfaces
taught_start() # MAC...
{
	local IFS=,

	in_ns c nft "add table netdev taught;
		add chain netdev taught in { type filter hook ingress device eth0 priority 0; };
		add rule netdev taught in arp saddr ip $VIP4 arp saddr ether != { $* } counter"
}

taught()
{
	in_ns c nft list table netdev taught | grep -o 'packets [0-9]*' | cut -d' ' -f2
}

# Nothing of it but the tests' own: the witness finds no difference to what the agent says.
verify_sub()
{
	local said

	said=$(DBUS_SYSTEM_BUS_ADDRESS=$(bus_of "$1") in_ns "$1" "$BUILD/takeoverctl" verify --json 2>&1) ||
		true
	[[ $said != *'"weight":"difference"'* && $said == *'"findings"'* ]] ||
		fail "the witness on node $1: $said"
}

# frames_from PORT MAC: how many have come into the bridge there with this source
count_frames_from() # MAC
{
	in_ns br nft "add table bridge seen;
		add chain bridge seen in { type filter hook prerouting priority -300; };
		add rule bridge seen in iifname a0 ether saddr $1 counter;
		add rule bridge seen in iifname b0 ether saddr $1 counter"
}

frames_from()
{
	in_ns br nft list table bridge seen | sed -n "/$1/s/.*packets \([0-9]*\).*/\1/p"
}

# A MAC that both nodes have: the client's entries stay as they are, and nobody is asked. The switch
# follows, and the node that has handed over never sends with that MAC again, not even when its
# interface goes down or its agent ends. A stop leaves nothing behind.
scenario_subinterface_shared()
{
	local mac before address tries

	# A lease that outlasts the time that a busy machine takes to start a process
	LEASE=1s DEAD_TIME=1300ms sub_up shared
	mac=$(sub_mac a)
	[[ $mac == "$(sub_mac b)" ]] || fail "MACs: $mac, $(sub_mac b)"
	count_frames_from "$mac"
	[[ $(frames_from b0) == 0 ]] || fail "the backup has sent"
	for address in "$VIP4" "$VIP6"; do
		send_some c "$address" 5
		ip -n "$NET-c" neighbour replace "$address" lladdr "$mac" dev eth0 nud permanent
	done
	send_start load4 c "$VIP4" 500
	send_start load6 c "$VIP6" 500
	call_ok a Switchover
	before=$(frames_from a0)
	settle
	[[ $PRIMARY == b ]] || fail "$PRIMARY is primary"
	[[ $(ip netns exec "$NET-br" bridge fdb show br br0 | grep "^$mac ") == *"dev b0 "* ]] ||
		fail "the bridge has not followed"
	agent_end a TERM
	! ip -n "$NET-a" link show vip0 2>/dev/null || fail "vip0 is left behind"
	assert_silent a "$(mac a 0)" "$(mac a 1)" "$mac"
	[[ $(frames_from a0) == "$before" ]] || fail "the loser has sent $(($(frames_from a0) - before)) frames"
	agent_start a
	wait_role a backup
	assert_sub a down

	# A planned restart, and a crash: adopted.
	agent_end b USR2
	agent_start b
	settle
	[[ $PRIMARY == b ]] || fail "the restart has moved it"
	agent_end b KILL
	agent_start b
	settle
	[[ $PRIMARY == b ]] || fail "the crash has moved it"
	wait_property b peer/alpha State up
	for ((tries = 0; tries < 100; tries++)); do # until they have echoed each other
		call b Switchover
		[[ ${R[result]} != PeerUnreachable ]] || continue
		break
	done
	assert_none_lost load4
	assert_none_lost load6
	settle
	[[ $PRIMARY == a ]] || fail "$PRIMARY is primary"

	node_kill a
	wait_role b primary
	send_some c "$VIP4" 100
	[[ ${R[beta]:-0} == 100 ]] || fail "beta answered ${R[beta]:-0} of 100"
}

# event_start KEY NODE GROUP ID / event_has KEY TEXT: it has come, and has the text in it
event_start()
{
	spawn_ready "$1" "$2" "$DIR/$1.out" \
		"$PROBE" wait-event "$(bus_of "$2")" "group/$3" "$4" "$PATIENCE" @READY@
}

event_has()
{
	reap "$1" || fail "no event: $1"
	grep -qF "$2" "$DIR/$1.out" || fail "event: $(cat "$DIR/$1.out")"
}

# A backup, whose interface is down, asks for the addresses by the one below it, and the answers
# come there. Whoever has an address keeps it from being claimed: a stranger at the start, and a
# primary that is not heard any more, whether both nodes have one MAC or each its own. Of what is
# held a stranger's use is noticed there, too, and defended by the interface itself.
scenario_subinterface_claim_asks_first()
{
	local web=10.77.0.120 mac

	net_up
	{
		sub_config shared | sed 's/^\[Agent\]/&\nAnnounce=/' # no frames but the defence
		printf '%s\n' '' '[Group web]' LastResort=500ms Mode=subinterface \
			'SubInterface=vip1 eth0 own' "VirtualAddress=$web/16 vip1"
	} >"$DIR/takeover.conf"
	ip -n "$NET-c" address add "$web/16" dev eth0
	nodes_up a b
	agent_start a
	wait_role a primary
	wait_said a "a stranger .$(mac c 0). answers for $web on vip1"
	assert_sub a down vip1
	ip -n "$NET-c" address delete "$web/16" dev eth0
	wait_role a primary web
	agent_start b
	settle

	mac=$(sub_mac a vip1)
	event_start used a web 01-00306
	spawn_ready defence c /dev/null \
		"$PROBE" wait-frame eth0 announce "$web" "$mac" "$PATIENCE" @READY@
	in_ns ca "$PROBE" usurp eth0 "$web" "$(mac ca 0)" 10
	event_has used "a stranger ($(mac ca 0)) uses $web on vip1"
	reap defence || fail "$web is not defended by vip1"

	both_start
	event_start shared b sip 01-00305
	event_start own b web 01-00305
	in_ns br nft 'add table bridge wall;
		add chain bridge wall forward { type filter hook forward priority 0; };
		add rule bridge wall forward ether type ip udp dport 7373 drop'
	event_has shared "alpha ($(sub_mac a)) answers for"
	event_has own "alpha ($mac) answers for $web on vip1"
	send_some c "$web" 200
	[[ ${R[alpha]:-0} == 200 ]] || fail "alpha answered ${R[alpha]:-0} of 200"
	assert_sub a up
	assert_sub b down
	assert_sub b down vip1
	both_stop
	[[ ${R[answers_b]} == 0 ]] || fail "the backup answered ${R[answers_b]} packets"
}

# svc_add NODE: svc0, which is there; nothing on it but what the agent puts there
svc_add()
{
	printf '%s\n' "link add ${1}s type veth peer name svc0 netns $NET-$1" \
		"link set ${1}s master br0 up" | ip -n "$NET-br" -batch -
}

# An interface that is there is brought up and down, and one of ours vanishes with its parent, is
# made again with it, and is put back when somebody sets it down or deletes it. One of its name that
# is not ours is left alone.
scenario_subinterface_comes_and_goes()
{
	net_up
	sub_config own 'VirtualAddress=10.77.0.120/16 svc0' >"$DIR/takeover.conf"
	ip -n "$NET-b" link add vip0 type bridge # a stranger's
	nodes_up a b
	svc_add a
	agent_start a
	wait_role a primary
	assert_sub a up svc0
	agent_start b
	wait_said b 'sip: interface vip0 is not the one that takeoverd makes'
	wait_property b group/sip Unfit link
	svc_add b
	ip -n "$NET-b" link delete vip0
	wait_property b group/sip Fit true
	settle
	[[ $PRIMARY == a ]] || fail "$PRIMARY is primary"
	send_start load c 10.77.0.120 500
	call_ok a Switchover
	send_stop load
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} of ${R[sent]} packets to svc0 lost"
	assert_sub a down
	assert_sub a down svc0
	assert_sub b up
	assert_sub b up svc0
	ip -n "$NET-a" link delete eth0
	wait_property a group/sip Unfit link
	eth0_up a
	wait_property a group/sip Fit true
	sub_made a
	agent_end a TERM # nobody to yield to
	[[ $(ip -n "$NET-a" -br link show svc0) ]] || fail "svc0 was not ours to delete"

	ip -n "$NET-b" link set vip0 down
	sub_back b
	ip -n "$NET-b" link delete vip0
	sub_back b
	ip -n "$NET-b" link delete eth0
	wait_property b group/sip Unfit link
	eth0_up b
	sub_back b
	ip -n "$NET-b" link set svc0 down # which takes no IPv4 address along
	answers_again 10.77.0.120
	assert_sub b up svc0
	agent_end b TERM
	! ip -n "$NET-b" link show vip0 2>/dev/null || fail "vip0 is left behind"
	assert_sub b down svc0
}

# sub_made NODE: vip0 is there, and down
sub_made()
{
	local tries

	for ((tries = 0; tries < 1000; tries++)); do
		! ip -n "$NET-$1" link show vip0 >"$DIR/vip0" 2>/dev/null || break
	done
	grep -q 'state DOWN' "$DIR/vip0" || fail "vip0 has not been made again"
}

# sub_back NODE: both addresses are on vip0 again, and answer
sub_back()
{
	local address

	for address in "$VIP4" "$VIP6"; do
		in_ns "$1" "$PROBE" wait-address "$address" present "$PATIENCE" || fail "no $address"
		answers_again "$address"
	done
	assert_sub "$1" up
}

# answers_again ADDRESS: before the addresses would be refreshed
answers_again()
{
	local tries

	for ((tries = 0; tries < 20; tries++)); do
		send_some c "$1" 5
		[[ ${R[lost]} != 0 ]] || return 0
	done
	fail "$1 does not answer any more"
}
