# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Bad days of the host: whatever it takes away, nothing crashes, nothing is ignored silently,
# and no address is left behind or lost.

# wait_said NODE PATTERN: its agent has logged it, or does so in time
wait_said()
{
	# shellcheck disable=SC2016 # for that shell
	timeout "$PATIENCE" bash -c 'exec 3< <(exec tail -n +1 -f "$1"); tail=$!
		grep -qm1 -E -e "$2" <&3; status=$?
		kill "$tail"; exit $status' bash "$DIR/agent-$1.err" "$2" ||
		fail "the agent of node $1 does not say \"$2\""
}

# said_anew NODE: forget what its agent has said so far
said_anew()
{
	: >"$DIR/agent-$1.err" # it is appended to
}

n_fds() # NODE
{
	find "/proc/${AGENT[$1]}/fd" -mindepth 1 | wc -l
}

# serves ADDRESS [COUNT]: a client gets all its answers
serves()
{
	send_some c "$1" "${2:-50}"
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} of ${R[sent]} packets to $1 were not answered"
}

# --- Interfaces ---------------------------------------------------------------

SVC4=10.79.0.100
SVC6=fd79::100

svc_tagged() # [INTERFACE]
{
	printf '%s/16 eth0\n%s/64 eth0' "$VIP4" "$VIP6"
	[[ $# == 0 ]] || printf '\n%s/24 %s\n%s/64 %s' "$SVC4" "$1" "$SVC6" "$1"
}

assert_svc() # [INTERFACE]
{
	assert_tagged a "$(svc_tagged "$@" | sort)"
}

# A third interface of node a, in the clients' network. Its own addresses come first, under
# another name: the second address of a network gets no route from the kernel.
svc_make()
{
	ip -n "$NET-br" link add asvc type veth peer name svc9 address 02:74:6b:00:79:01 netns "$NET-a"
	ip -n "$NET-br" link set asvc master br0 up
	svc_own svc9
}

svc_up()
{
	svc_make
	a_ip link set svc9 name svc0
}

svc_own() # INTERFACE
{
	a_ip address replace 10.79.0.11/24 dev "$1"
	a_ip link set "$1" up
	a_ip address replace fd79::11/64 dev "$1" nodad
}

# From the namespace that it was moved to
svc_home()
{
	ip -n "$NET-ca" link set svc0 netns "$NET-a" name svc9
	svc_own svc9
	a_ip link set svc9 name svc0
}

# svc_back COMMAND...: brings the interface back; the addresses are announced again
svc_back()
{
	rm -f "$DIR/svc.out"
	spawn_ready svc c "$DIR/svc.out" "$PROBE" announced eth0 4 "$PATIENCE" @READY@
	"$@"
	reap svc || fail "not announced: $(cat "$DIR/svc.out" "$DIR/svc.err")"
	wait_property a group/sip Fit true
	assert_svc svc0
	serves "$SVC4"
	serves "$SVC6"
}

# svc_gone WORDS COMMAND...: what is done to the interface is an event with these words
svc_gone()
{
	local words=$1

	shift
	said_anew a
	"$@"
	wait_property a group/sip Fit false
	wait_said a "interface svc0 $words: waiting for it  01-00510"
	[[ $(get a group/sip Role) == primary ]] || fail "gave up what still works"
}

a_ip()
{
	ip -n "$NET-a" "$@"
}

# A group on two interfaces, and nobody else to serve it (WhenAlone=keep): what is left goes on,
# for longer than the addresses live by themselves, and the rest comes back with its interface.
scenario_interface_comes_and_goes()
{
	net_up
	{
		config_agent AddressLifetime=2s
		config_nodes
		config_group sip "$VIP4" "$VIP6" -- "VirtualAddress=$SVC4/24 svc0" \
			"VirtualAddress=$SVC6/64 svc0"
	} >"$DIR/takeover.conf"
	ip -n "$NET-c" address add 10.79.0.50/24 dev eth0
	ip -n "$NET-c" address add fd79::50/64 dev eth0 nodad
	node_up a
	agent_start a
	wait_said a 'sip: interface svc0 is missing: waiting for it  01-00510'
	wait_property a group/sip Unfit link
	svc_make
	a_ip link set svc9 down
	a_ip link set svc9 name svc0
	wait_said a 'sip: interface svc0 is down: waiting for it  01-00510'
	[[ $(get a group/sip Role) == backup ]] || fail "primary without an interface"
	svc_own svc0
	wait_role a primary
	assert_svc svc0
	serves "$SVC4"
	serves "$SVC6"

	spawn_ready event a "$DIR/event.out" \
		"$PROBE" wait-event "$(bus_of a)" group/sip 01-00510 "$PATIENCE" @READY@
	svc_gone 'is missing' a_ip link delete svc0
	reap event || fail "no event 01-00510 on the bus"
	grep -qx '01-00510 Warning interface svc0 .*' "$DIR/event.out" ||
		fail "event: $(<"$DIR/event.out")"
	serves "$VIP4" 2700
	assert_svc
	svc_back svc_up

	svc_gone 'is missing' a_ip link set svc0 name svc9
	in_ns a "$PROBE" wait-address "$SVC4" absent "$PATIENCE" || fail "left behind on svc9"
	in_ns a "$PROBE" wait-address "$SVC6" absent "$PATIENCE" || fail "left behind on svc9"
	assert_svc
	svc_back a_ip link set svc9 name svc0

	svc_gone 'is down' a_ip link set svc0 down
	svc_back svc_own svc0

	svc_gone 'has no carrier' ip -n "$NET-br" link set asvc down
	svc_back ip -n "$NET-br" link set asvc up

	svc_gone 'is missing' a_ip link set svc0 netns "$NET-ca"
	svc_back svc_home

	said_anew a
	svc_back a_ip link set svc0 address 02:74:6b:00:79:02
	wait_said a 'sip: interface svc0 has the MAC 02:74:6b:00:79:02 now  01-00512'
	[[ $(ip -n "$NET-c" neighbour show "$SVC4" dev eth0) == *00:79:02* ]] ||
		fail "the old MAC is still believed"
	serves "$VIP4" 2700
	assert_svc svc0
}

eth0_up() # NODE: made anew, as net_up makes it
{
	printf '%s\n' "link add ${1}0 type veth peer name eth0 address $(mac "$1" 0) netns $NET-$1" \
		"link set ${1}0 master br0 up" | ip -n "$NET-br" -batch -
	eth0_own "$1"
}

eth0_own() # NODE
{
	printf '%s\n' "address replace 10.77.0.${NUMBER[$1]}/16 dev eth0" "link set eth0 up" \
		"address replace fd77::${NUMBER[$1]}/64 dev eth0 nodad" | ip -n "$NET-$1" -batch -
}

# From the namespace that it was moved to
eth0_home()
{
	ip -n "$NET-ca" link set eth5 netns "$NET-a" name eth0
	eth0_own a
}

# hands_over NODE COMMAND...: what is done to its interface makes the primary yield; nothing of
# ours is left on it
hands_over()
{
	local node=$1

	shift
	"$@"
	wait_role "$(other "$node")" primary
	settle
	[[ $PRIMARY == "$(other "$node")" ]] || fail "$PRIMARY is primary after $*"
	assert_tagged "$node" ""
	serves "$VIP4"
	serves "$VIP6"
}

# fit_again NODE COMMAND...: mends it; the group can be moved back
fit_again()
{
	local node=$1

	shift
	"$@"
	wait_property "$node" group/sip Fit true
	settle
	call_ok "$(other "$node")" Switchover
	settle
	assert_holder "$node"
}

# The same with a peer that can: the group goes there, and the node is fit again by itself.
scenario_interface_changes_under_the_primary()
{
	pair_up
	hands_over a a_ip link set eth0 name eth9
	fit_again a a_ip link set eth9 name eth0

	hands_over a ip -n "$NET-a" link set eth0 down
	fit_again a eth0_own a

	hands_over a a_ip link delete eth0
	fit_again a eth0_up a

	hands_over a a_ip link set eth0 netns "$NET-ca" name eth5
	fit_again a eth0_home

	serves "$VIP4"
	spawn_ready news c "$DIR/news.out" "$PROBE" announced eth0 2 "$PATIENCE" @READY@
	a_ip link set eth0 address 02:74:6b:00:00:99
	reap news || fail "the new MAC is not announced: $(cat "$DIR/news.out" "$DIR/news.err")"
	settle
	[[ $PRIMARY == a ]] || fail "a new MAC moved the group"
	serves "$VIP4"
	serves "$VIP6"
}

# unfit_by WORDS COMMAND...: what is done to the backup's interface is an event, and moves nothing
unfit_by()
{
	local words=$1

	shift
	said_anew b
	"$@"
	wait_property b group/sip Fit false
	wait_said b "interface eth0 $words: waiting for it  01-00510"
	[[ $(get a group/sip Role) == primary ]] || fail "moved by $*"
}

fit_by() # COMMAND...
{
	"$@"
	wait_property b group/sip Fit true
	wait_said b 'interface eth0 runs  01-00511'
}

# Under the backup: it is unfit meanwhile, and nobody else notices. With the primary gone it claims
# when it can, and announces the MAC that it has then.
scenario_interface_changes_under_the_backup()
{
	local b_mac=02:74:6b:00:00:98

	pair_up
	send_start load c "$VIP4" 500
	unfit_by 'is missing' ip -n "$NET-b" link set eth0 name eth9
	fit_by ip -n "$NET-b" link set eth9 name eth0
	unfit_by 'is down' ip -n "$NET-b" link set eth0 down
	fit_by eth0_own b
	unfit_by 'has no carrier' unplug b 0
	fit_by plug b 0
	unfit_by 'is missing' ip -n "$NET-b" link delete eth0
	fit_by eth0_up b
	said_anew b
	ip -n "$NET-b" link set eth0 address "$b_mac"
	wait_said b "interface eth0 has the MAC $b_mac now  01-00512"
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
	assert_none_lost load

	unfit_by 'is missing' ip -n "$NET-b" link set eth0 name eth9
	agent_end a KILL
	wait_property b peer/alpha State '!up'
	send_some c "$VIP4" 1500 # for longer than LastResort=
	[[ $(get b group/sip Role) == backup ]] || fail "claimed without the interface"
	[[ ${R[beta]:-0} == 0 ]] || fail "answered without the interface"
	fit_by ip -n "$NET-b" link set eth9 name eth0
	wait_role b primary
	serves "$VIP4"
	serves "$VIP6"
	[[ $(ip -n "$NET-c" neighbour show "$VIP4" dev eth0) == *"$b_mac"* ]] ||
		fail "clients believe $(ip -n "$NET-c" neighbour show "$VIP4" dev eth0)"
}

# --- Addresses ------------------------------------------------------------------

disable_ipv6() # NODE 1-OR-0
{
	in_ns "$1" sh -c "echo $2 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6"
	[[ $2 == 1 ]] || ip -n "$NET-$1" address replace "fd77::${NUMBER[$1]}/64" dev eth0 nodad
}

# One of a group's addresses is refused by the kernel: it is named, none of the others is left
# there, and whoever has the group keeps it. It passes with its cause.
scenario_address_refused()
{
	local text='refuses fd77::100/64 on eth0: Permission denied; IPv6 is disabled'

	pair_up
	send_start load c "$VIP4"
	disable_ipv6 b 1
	call a Switchover
	[[ ${R[result]} != ok ]] || fail "switched over to where IPv6 is disabled"
	wait_said b "$text"
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
	assert_none_lost load
	in_ns b "$PROBE" wait-address "$VIP4" absent "$PATIENCE" || fail "left half-claimed"
	disable_ipv6 b 0
	wait_property b group/sip Fit true
	assert_holder a

	send_start load c "$VIP4"
	disable_ipv6 a 1 # under the primary, which has a better node beside it
	wait_role b primary
	settle
	wait_said a "$text"
	send_stop load
	fact lost_when_refused_under_primary "${R[lost]}"
	serves "$VIP6"
	assert_tagged a ""
	said_anew a
	agent_end b TERM # now it is this one or none
	wait_said a "$text"
	disable_ipv6 a 0
	wait_role a primary
	serves "$VIP4"
	serves "$VIP6"
}

# --- The wall clock ----------------------------------------------------------------

# step_clock SECONDS: the agents' wall clock; returns when both have seen it
step_clock()
{
	local node tries seen

	for node in a b; do
		printf '%-31s\n' "$1" 1<>"$DIR/clock-$node"
	done
	for node in a b; do
		for ((tries = 0; tries < 2000; tries++)); do
			seen=$(tail -c +33 "$DIR/clock-$node" | head -n 1)
			[[ $seen != "$1" ]] || continue 2
			get "$node" manager RefusedPackets >/dev/null # it looks at clocks for that
		done
		fail "the agent of node $node never looked at its wall clock: $seen, not $1"
	done
}

# An hour forward, two back, a year forward: nobody decides anything by the wall clock.
scenario_wall_clock_steps()
{
	local node shim=$BUILD/tests/net/clock.so now step term

	net_up
	config_default >"$DIR/takeover.conf"
	for node in a b; do
		printf '%-64s' 0 >"$DIR/clock-$node"
		node_up "$node"
	done
	printf '%-64s' 3600 >"$DIR/clock-c"
	now=$(CLOCK_FILE=$DIR/clock-c LD_PRELOAD=$shim date +%s)
	((now - $(date +%s) > 3590)) || fail "the shim does not step the clock"

	shimmed() { # NODE
		# bash hands it to what it executes, which is the agent in the end
		WRAPPER="env LD_PRELOAD=$shim CLOCK_FILE=$DIR/clock-$1
			ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 $WRAPPER" agent_start "$1"
	}
	shimmed a
	wait_role a primary
	shimmed b
	settle
	term=$(get a group/sip Term)
	both_start
	send_start load c "$VIP4"
	for step in 3600 -3600 31536000 0; do
		step_clock "$step"
		send_some c "$VIP4" 700 # longer than the lease and the dead time
	done
	assert_none_lost load
	assert_never_both
	settle
	[[ $PRIMARY == a && $(get a group/sip Term) == "$term" ]] || fail "the group moved"
	step_clock -86400
	call_ok a Switchover
	settle
	assert_holder b
}

# --- The firewall -------------------------------------------------------------------

# The host's firewall is loaded again and again beside the gate; rules of the gate that somebody
# flushes are put back.
scenario_firewall_reloads()
{
	local i

	pair_up
	cat >"$DIR/firewall" <<-END
		table inet filter
		flush table inet filter
		table inet filter {
			set blocked { type ipv4_addr; elements = { $(seq -s, -f '192.0.2.%.0f' 1 250) } }
			chain input { type filter hook input priority 0; ip saddr @blocked drop; }
		}
	END
	send_start load c "$VIP4"
	for ((i = 0; i < 30; i++)); do
		in_ns a nft -f "$DIR/firewall"
	done
	assert_none_lost load
	both_start
	in_ns a nft flush table inet takeover
	rules_are_back a
	in_ns b nft flush table inet takeover
	rules_are_back b
	in_ns a nft flush chain arp takeover out
	rules_are_back a
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
	agent_end a KILL # the lease must be behind it again
	wait_role b primary
	send_some c "$VIP4" 500
	assert_never_both
}

rules_are_back() # NODE
{
	local tries

	for ((tries = 0; tries < 500; tries++)); do # nft has no "wait until"
		[[ $(in_ns "$1" nft list chain inet takeover in) == *vmap* &&
			$(in_ns "$1" nft list chain arp takeover out) == *vmap* ]] && return 0
	done
	fail "the rules of node $1 are not back: $(in_ns "$1" nft list ruleset)"
}

# lacks WHAT TEXT: without that in its kernel the agent does not start, and says what is missing
lacks()
{
	local shim=$BUILD/tests/net/nftables.so

	said_anew a
	WRAPPER="env LD_PRELOAD=$shim NFTABLES_WITHOUT=$1
		ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 $WRAPPER" agent_start a
	! reap agent-a || fail "it starts without $1"
	unset "AGENT[a]"
	wait_said a "cannot lay the gate: .*; the kernel lacks $2"
	[[ $(wc -l <"$DIR/agent-a.err") == 1 ]] || fail "without $1: $(<"$DIR/agent-a.err")"
}

# A kernel without nftables, or without a part of it that the gate needs.
scenario_kernel_without_nftables()
{
	net_up
	config_default >"$DIR/takeover.conf"
	node_up a
	lacks nfnetlink 'nftables: modprobe nf_tables'
	lacks nf_tables 'nftables: modprobe nf_tables'
	lacks arp 'tables of the family inet or arp'
	lacks fib 'fib of nftables: modprobe nft_fib_inet'
	{
		config_agent
		config_nodes
		printf '%s\n' '' '[Group sip]' Mode=subinterface Stage=yes \
			'SubInterface=vip0 eth0 own' "VirtualAddress=$VIP4/16 vip0"
	} >"$DIR/takeover.conf"
	lacks owner '.*or tables with an owner: Linux 5.12'
	agent_start a
	wait_role a primary
}
