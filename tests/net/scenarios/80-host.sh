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

# A third interface of node a, in the clients' network
svc_up()
{
	ip -n "$NET-br" link add asvc type veth peer name svc0 address 02:74:6b:00:79:01 netns "$NET-a"
	ip -n "$NET-br" link set asvc master br0 up
	svc_own
}

# Its own addresses come first: the second one of a network gets no route from the kernel.
svc_own()
{
	ip -n "$NET-a" address replace 10.79.0.11/24 dev svc0
	ip -n "$NET-a" link set svc0 up
	ip -n "$NET-a" address replace fd79::11/64 dev svc0 nodad
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

svc_gone() # COMMAND...
{
	said_anew a
	"$@"
	wait_property a group/sip Fit false
	wait_said a 'svc0'
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
		config_agent AddressLifetime=3s
		config_nodes
		config_group sip "$VIP4" "$VIP6" -- "VirtualAddress=$SVC4/24 svc0" \
			"VirtualAddress=$SVC6/64 svc0"
	} >"$DIR/takeover.conf"
	ip -n "$NET-c" address add 10.79.0.50/24 dev eth0
	ip -n "$NET-c" address add fd79::50/64 dev eth0 nodad
	node_up a
	agent_start a
	wait_said a 'sip: .*svc0 is missing'
	wait_property a group/sip Unfit link
	svc_up_down() { svc_up; a_ip link set svc0 down; }
	svc_up_down
	wait_said a 'svc0 is down'
	[[ $(get a group/sip Role) == backup ]] || fail "primary without an interface"
	svc_own
	wait_role a primary
	assert_svc svc0
	serves "$SVC4"
	serves "$SVC6"

	svc_gone a_ip link delete svc0
	serves "$VIP4" 4000
	assert_svc
	svc_back svc_up

	svc_gone a_ip link set svc0 name svc9
	in_ns a "$PROBE" wait-address "$SVC4" absent "$PATIENCE" || fail "left behind on svc9"
	in_ns a "$PROBE" wait-address "$SVC6" absent "$PATIENCE" || fail "left behind on svc9"
	assert_svc
	svc_back a_ip link set svc9 name svc0

	svc_gone a_ip link set svc0 down
	svc_back svc_own

	svc_gone a_ip link set svc0 netns "$NET-ca"
	svc_home() { ip -n "$NET-ca" link set svc0 netns "$NET-a"; svc_own; }
	svc_back svc_home

	svc_back a_ip link set svc0 address 02:74:6b:00:79:02
	[[ $(ip -n "$NET-c" neighbour show "$SVC4" dev eth0) == *00:79:02* ]] ||
		fail "the old MAC is still believed"
	serves "$VIP4" 4000
	assert_svc svc0
}
