# SPDX-License-Identifier: MIT
# shellcheck shell=bash

scenario_node_power_off_other_takes_over()
{
	pair_up
	send_start load c "$VIP4"
	node_kill a
	wait_role b primary
	assert_holder b
	send_stop load
	fact silence_us "${R[silence_us]}"
	[[ ${R[beta]:-0} -gt 0 ]] || fail "beta did not answer"
}

# The power button: what was primary hands over while it still can.
scenario_node_halt_hands_over()
{
	pair_up
	in_node a systemctl --quiet enable takeoverd
	send_start load c "$VIP4"
	node_halt a
	wait_role b primary
	assert_none_lost load
	assert_holder b
}

# It hands over before its services are stopped, among which is the one that clients use. At
# boot it is started, and does not take back what it gave away.
scenario_node_reboot_comes_back_as_backup()
{
	pair_up
	finish echo-a || true
	in_node a tee /etc/systemd/system/echo.service >/dev/null <<-END
		[Service]
		ExecStart=$PROBE echo alpha $PORT
		[Install]
		WantedBy=multi-user.target
	END
	in_node a systemctl --quiet enable --now echo takeoverd
	send_start load c "$VIP4"
	node_reboot a
	find_agent a
	settle
	[[ $PRIMARY == b ]] || fail "a node that came back took the group"
	assert_none_lost load
	assert_holder b
}

# A host that stands still, and goes on as if nothing had been.
scenario_node_frozen_is_silent()
{
	pair_up
	both_start
	node_freeze a
	wait_role b primary
	node_thaw a
	wait_role a backup
	settle
	assert_never_both
	[[ $PRIMARY == b ]] || fail "the group went back"
	assert_holder b
}

# What a person does by hand: cut the backup off, heal it (then one is primary again), take
# the power from the primary, give it back, reboot the other, and clear up.
# shellcheck disable=SC1090 # a file that there is not yet
scenario_node_tool_does_what_it_says()
{
	local state

	tool up
	state=$(echo "${TMPDIR:-/tmp}/takeover-$NET".??????/state)
	. "$state" # what the tool keeps: DIR, LEADER, PIDS
	settle
	[[ $PRIMARY == a ]] || fail "the first that was started is not primary"
	[[ $(tool enter b hostname) == beta ]] || fail "entered something else"
	[[ $(tool client "$PROBE" send "$VIP4" "$PORT" --count 5) == *' alpha=5'* ]] ||
		fail "the client is not served"
	! tool up 2>/dev/null || fail "up twice"
	! tool boot b 2>/dev/null || fail "booted twice"
	tool cut b
	wait_property a peer/beta State '!up'
	wait_role b primary
	tool heal b
	settle
	assert_holder "$PRIMARY"
	[[ $PRIMARY == a ]] || tool enter b takeoverctl switchover sip >/dev/null
	wait_role a primary
	tool off a
	wait_role b primary
	! tool enter a true 2>/dev/null || fail "a node without power can be entered"
	tool boot a
	. "$state"
	settle
	[[ $PRIMARY == b ]] || fail "a node that came back took the group"
	tool reboot b
	. "$state"
	settle
	[[ $PRIMARY == a ]] || fail "a node that was rebooted kept the group"
	tool down
	[[ ! -e $state && ! -e /run/netns/$NET-br && ! -e /run/netns/$NET-a ]] ||
		fail "something is left"
}

tool()
{
	TAKEOVER_NET=$NET "$HERE/node.sh" "$@" 2>>"$DIR/tool.err"
}
