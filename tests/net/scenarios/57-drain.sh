# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# A group that drains: who is in stays, who is not gets no further than the door. What an
# agent must not do in time is not about speed here: times are long.

drain_pair_up() # [KEY=VALUE...]
{
	local node

	LEASE=1500ms DEAD_TIME=2s pair_up "$@"
	for node in a b; do
		serve_start "$node"
	done
}

# knock ADDRESS: is a new connection taken? If not, it has to be refused, and not left alone.
knock()
{
	local said

	# shellcheck disable=SC2016 # for that shell
	said=$(in_ns c timeout "$PATIENCE" bash -c 'exec 5<>"/dev/tcp/$0/$1"' "$1" "$SERVICE" 2>&1) &&
		return 0
	[[ $said == *refused* ]] || fail "a new connection to $1 is not refused: $said"
	return 1
}

shut() # ADDRESS...
{
	local address

	for address; do
		! knock "$address" || fail "a new connection to $address is taken"
	done
}

open() # ADDRESS...
{
	local address

	for address; do
		knock "$address" || fail "a new connection to $address is refused"
	done
}

# drain_start ARGUMENT...: on node a; returns when new connections are refused
drain_start()
{
	DBUS_SYSTEM_BUS_ADDRESS=$(bus_of a) spawn drain a "$DIR/drain.out" \
		"$BUILD/takeoverctl" drain "$@"
	wait_property a group/sip Draining true
}

# drain_end STATUS TEXT: what it says in the end
drain_end()
{
	local status=0

	reap drain || status=$?
	grep -qF -e "$2" "$DIR/drain.out" "$DIR/drain.err" ||
		fail "drain does not say \"$2\": $(cat "$DIR/drain.out" "$DIR/drain.err")"
	[[ $status == "$1" ]] || fail "drain ended with $status, not $1"
	wait_property a group/sip Draining false
}

no_drain_left() # NODE
{
	! in_ns "$1" nft list table inet takeover_drain 2>/dev/null || fail "$1 drains still"
}

# Datagrams have no connections: none of them is lost.
scenario_drain_waits_for_the_last_connection()
{
	drain_pair_up
	client_enter "$VIP4"
	send_start flow c "$VIP4" 500
	drain_start sip
	wait_property a group/sip Connections 1
	shut "$VIP4" "$VIP6"
	open 10.77.0.11
	client_talk hello
	ctl_says 0 'draining here: 1 TCP connection is left' a status
	ctl_says 0 'It drains: new TCP connections are refused, 1 open one is left' a explain
	ctl_says 1 'Another request is under way' a drain sip
	assert_verified a

	client_leave
	drain_end 0 'sip: beta is primary (took '
	settle
	[[ $PRIMARY == b ]] || fail "beta is not primary"
	wait_property a group/sip Connections 0
	no_drain_left a
	open "$VIP4" "$VIP6"
	send_stop flow
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} datagrams were lost"
}

scenario_drain_has_a_deadline()
{
	drain_pair_up Handover=strict
	client_enter "$VIP6"
	drain_start sip --timeout 1s
	drain_end 0 '; 1 connection had not ended in time'
	settle
	[[ $PRIMARY == b ]] || fail "beta is not primary"
	no_drain_left a
	open "$VIP6"
}

# Nobody waits for what cannot be, and a door that is shut for nothing is opened again.
scenario_drain_is_given_up()
{
	drain_pair_up
	ctl_says 1 'This node is not primary' b drain
	ctl_says 0 'sip: this node is in maintenance' b maintenance on
	ctl_comes_to_say 0 'beta is in maintenance' a status
	ctl_says 1 'beta is unfit: maintenance' a drain
	open "$VIP4"
	ctl_says 0 'takes part again' b maintenance off
	ctl_comes_to_say 0 'beta can take over' a status

	client_enter "$VIP4"
	drain_start sip
	shut "$VIP4"
	finish drain || true # whoever asked for it has gone
	wait_property a group/sip Draining false
	open "$VIP4"

	drain_start sip
	ctl_says 0 'sip: this node is in maintenance' b maintenance on
	drain_end 1 'beta is unfit: maintenance'
	open "$VIP4"
	client_talk hello
	ctl_says 0 'takes part again' b maintenance off
	ctl_comes_to_say 0 'beta can take over' a status

	drain_start sip
	ctl_says 0 'sip: beta is primary (took ' a switchover
	drain_end 1 'The group moves'
	no_drain_left a
}

# Nor does an agent that dies leave it shut, and its successor knows nothing of it.
scenario_drain_ends_with_the_agent()
{
	drain_pair_up
	client_enter "$VIP4"
	drain_start sip
	shut "$VIP4"
	agent_end a KILL
	no_drain_left a
	reap drain || true
	agent_start a
	wait_role a primary
	wait_property a group/sip Draining false
	open "$VIP4"
	client_talk hello
	settle

	drain_start sip
	agent_end a USR2
	reap drain || true
	no_drain_left a
	agent_start a
	wait_role a primary
	open "$VIP4"
	client_talk hello
	assert_holder a
}
