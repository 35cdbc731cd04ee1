# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Another configuration for agents that run.

reload_ctl() # NODE ARGUMENT...
{
	DBUS_SYSTEM_BUS_ADDRESS=$(bus_of "$1") in_ns "$1" "$BUILD/takeoverctl" "${@:2}"
}

# reload NODE...: of the present file, under a load that loses nothing
reload()
{
	local node

	for node; do
		reload_ctl "$node" reload >"$DIR/reload" 2>&1 ||
			fail "reload on node $node: $(<"$DIR/reload")"
		grep -q 'goes on with another' "$DIR/reload" ||
			fail "reload on node $node: $(<"$DIR/reload")"
	done
}

# Groups that come, addresses that come and go, other times: what stays does not notice.
scenario_reload()
{
	pair_up
	send_start load c "$VIP4" 100
	sed -i 's/^Interval=50ms/Interval=20ms/' "$DIR/takeover.conf"
	printf 'VirtualAddress=10.77.0.150/16 eth0\n[Group aaa]\nVirtualAddress=10.77.0.160/16 eth0\n' \
		>>"$DIR/takeover.conf"
	reload b a
	wait_property a manager IntervalUSec 20000
	settle
	[[ $PRIMARY == a ]] || fail "the group has moved"
	serves 10.77.0.150 # announced, and let through
	wait_property a group/aaa Primary beta # which was the first to know of it
	serves 10.77.0.160
	[[ $(reload_ctl a reload) == *nothing\ changes* ]] || fail "the same is not the same"
	wait_property a group/sip State primary

	# Gone again; the group has lost one address, the other group all.
	config_default >"$DIR/takeover.conf"
	reload a b
	settle
	assert_holder a
	assert_none_lost load
}

# What has mistakes is not taken, and each is told.
scenario_reload_refused()
{
	local mistake

	pair_up
	send_start load c "$VIP4" 100
	printf 'VirtualAddress=10.77.0.1000 eth0\nFrobnicate=yes\n' >>"$DIR/takeover.conf"
	! reload_ctl a reload >"$DIR/reload" 2>&1 || fail "mistakes are taken"
	! grep -Fqx . "$DIR/reload" || fail "the end is a line of its own: $(<"$DIR/reload")"
	for mistake in 10.77.0.1000 Frobnicate; do
		grep -q "takeover.conf:[0-9]*: .*$mistake" "$DIR/reload" ||
			fail "$mistake is not told: $(<"$DIR/reload")"
		wait_said a "in the configuration: .*$mistake"
	done
	# Somebody has an address that the primary would get, and would not be asked for it by a claim.
	ip -n "$NET-c" address add 10.77.0.170/16 dev eth0
	config_default >"$DIR/takeover.conf"
	printf 'VirtualAddress=10.77.0.170/16 eth0\n' >>"$DIR/takeover.conf"
	! reload_ctl a reload >"$DIR/reload" 2>&1 || fail "the address of somebody else is taken"
	grep -q 'group sip: somebody on eth0 answers for 10.77.0.170' "$DIR/reload" ||
		fail "nobody says who has it: $(<"$DIR/reload")"
	[[ -z $(ip -n "$NET-a" -o address show to 10.77.0.170) ]] || fail "it has been added"
	ip -n "$NET-c" address del 10.77.0.170/16 dev eth0
	reload a
	[[ -n $(ip -n "$NET-a" -o address show to 10.77.0.170) ]] || fail "it has not been added"
	config_default >"$DIR/takeover.conf"
	reload a
	settle
	rm "$DIR/takeover.conf"
	! reload_ctl a reload >"$DIR/reload" 2>&1 || fail "nothing is taken"
	call_ok a Switchover
	settle
	assert_holder b
	config_default >"$DIR/takeover.conf"
	agent_signal a HUP
	wait_said a 'the configuration is the same: nothing changes'
	assert_none_lost load
}

# While the agent leaves its addresses for itself, somebody stops the service. It would be
# as brief as a heartbeat, but the other agent does not answer.
scenario_reload_stopped()
{
	pair_up
	sed -i 's/^Interval=50ms/Interval=60ms/' "$DIR/takeover.conf"
	agent_signal b STOP
	agent_signal a HUP
	wait_said a 'the configuration is another one'
	agent_signal a TERM
	agent_signal b CONT
	wait_said a 'heartbeats each 60 ms'
	reap agent-a || fail "the agent ended with status $?"
	unset "AGENT[a]"
	[[ -z $(ip -n "$NET-a" -o address show to "$VIP4") ]] || fail "the address has been left"
	wait_property b group/sip State primary
}
