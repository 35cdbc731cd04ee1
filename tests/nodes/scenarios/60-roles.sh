# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # the words in R, a map of lib.sh
#
# Units and roles: what systemd has to do when a group moves, and what it says of the service.

# phone_install NODE [LINE...]: a service that knows nothing of us; further lines are for [Service]
phone_install()
{
	local node=$1

	shift
	{
		printf '[Service]\nExecStart=sleep infinity\n'
		printf '%s\n' "$@"
		printf '[Install]\nWantedBy=multi-user.target\n'
	} | in_node "$node" tee /etc/systemd/system/phone.service >/dev/null
	in_node "$node" systemctl daemon-reload
}

# phone_bind NODE: to the role, by three lines and without having been changed
phone_bind()
{
	in_node "$1" mkdir -p /etc/systemd/system/phone.service.d \
		"/etc/systemd/system/takeover-primary@sip.target.wants"
	in_node "$1" tee /etc/systemd/system/phone.service.d/role.conf >/dev/null <<-END
		[Unit]
		Requisite=takeover-primary@sip.target
		After=takeover-primary@sip.target
	END
	in_node "$1" ln -s ../phone.service \
		"/etc/systemd/system/takeover-primary@sip.target.wants/phone.service"
	in_node "$1" systemctl daemon-reload
}

state_of() # NODE UNIT [PROPERTY]
{
	in_node "$1" systemctl show --property="${3:-ActiveState}" --value "$2"
}

is_state() # NODE UNIT STATE
{
	[[ $(state_of "$1" "$2") == "$3" ]]
}

# await_unit NODE UNIT STATE: systemctl has no "wait until"
await_unit()
{
	await is_state "$@" || fail "node $1: $2 is $(state_of "$1" "$2"), not $3: $(journal "$1")"
}

# roles_are PRIMARY BACKUP: its targets, and what is bound to them
roles_are()
{
	await_unit "$1" takeover-primary@sip.target active
	await_unit "$1" takeover-backup@sip.target inactive
	await_unit "$2" takeover-primary@sip.target inactive
	await_unit "$2" takeover-backup@sip.target active
	await_unit "$1" phone.service active
	await_unit "$2" phone.service inactive
}

scenario_targets_follow_the_role()
{
	local phone term node

	# What a busy machine does to heartbeats is not what this is about.
	LEASE=${LEASE:-1s} DEAD_TIME=${DEAD_TIME:-1500ms}
	net_up
	{
		config_default Unit=phone.service
		config_group old -- Mode=none
		config_group older -- Mode=none
	} >"$DIR/takeover.conf"
	nodes_up a b
	for node in a b; do
		phone_install "$node"
		phone_bind "$node"
	done
	pair_start
	roles_are a b
	call_ok b Switchover
	roles_are b a

	# An agent that comes back leaves everything as it is, but for a group that it has no more.
	await_unit b takeover-backup@older.target active
	{
		config_default Unit=phone.service
		config_group old -- Mode=none
	} >"$DIR/takeover.conf"
	node_configure b
	phone=$(state_of b phone.service MainPID)
	term=$(get b group/sip Term)
	in_node b systemctl restart takeoverd || fail "takeoverd does not restart"
	find_agent b
	wait_role b primary
	settle
	[[ $PRIMARY == b && $(get b group/sip Term) == "$term" ]] || fail "a restart moves the group"
	roles_are b a
	[[ $(state_of b phone.service MainPID) == "$phone" ]] || fail "a restart stops the service"
	await_unit b takeover-backup@older.target inactive
	kill -KILL "${AGENT[b]}"
	await_unit b takeoverd.service active
	wait_role b primary
	find_agent b
	settle
	[[ $PRIMARY == b ]] || fail "a crash moves the group"
	roles_are b a
	[[ $(state_of b phone.service MainPID) == "$phone" ]] || fail "a crash stops the service"

	# So does one that has another configuration; but a group that this lacks has no role.
	await_unit a takeover-primary@old.target active
	await_unit b takeover-backup@old.target active
	config_default Unit=phone.service >"$DIR/takeover.conf"
	for node in a b; do
		node_configure "$node"
		in_node "$node" systemctl reload takeoverd || fail "no reload: $(journal "$node")"
		await_unit "$node" takeover-primary@old.target inactive
		await_unit "$node" takeover-backup@old.target inactive
	done
	wait_role b primary
	settle
	[[ $PRIMARY == b ]] || fail "a reload moves the group"
	roles_are b a
	[[ $(state_of b phone.service MainPID) == "$phone" ]] || fail "a reload stops the service"

	# So does a systemd, or a bus, that comes back; and both are heard of again.
	in_node a systemctl daemon-reexec
	in_node b systemctl restart dbus.service
	wait_role b primary
	roles_are b a
	call_ok a Switchover
	roles_are a b

	# Stopped for good it has no role, and nothing is bound to one.
	agent_end a TERM
	wait_role b primary
	await_unit b phone.service active
	await_unit a takeover-primary@sip.target inactive
	await_unit a takeover-backup@sip.target inactive
	await_unit a phone.service inactive
	agent_start a
	settle
	[[ $PRIMARY == b ]] || fail "a start moves the group"
	roles_are b a

	# A host that goes down hands over while its services run still.
	in_node b systemd-inhibit --list | grep -E 'takeoverd.*shutdown.*delay' >/dev/null ||
		fail "b has no inhibitor: $(in_node b systemd-inhibit --list)"
	witness_install b
	node_reboot b
	wait_role a primary
	await_unit a phone.service active
	[[ $(in_node b cat /var/tmp/witness) == 's "maintenance"' ]] ||
		fail "when its services were stopped b was $(in_node b cat /var/tmp/witness)"
}

# witness_install NODE: what is stopped before the agent is, and says how the group is then
witness_install()
{
	in_node "$1" tee /etc/systemd/system/witness.service >/dev/null <<-END
		[Unit]
		After=takeoverd.service dbus.service
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=true
		ExecStop=sh -c 'busctl get-property org.takeover1 /org/takeover1/group/sip \
			org.takeover1.Group State >/var/tmp/witness'
	END
	in_node "$1" systemctl start witness
}

# hook NODE NAME COMMAND: what a step does there
hook()
{
	in_node "$1" tee "/etc/systemd/system/takeover-$2.service" >/dev/null <<-END
		[Service]
		Type=oneshot
		ExecStart=$3
	END
	in_node "$1" systemctl daemon-reload
}

# stays_at NODE TERM: the group has not moved
stays_at()
{
	settle
	[[ $PRIMARY == "$1" && $(get "$1" group/sip Term) == "$2" ]] || fail "the group moved"
}

# A service that runs at both nodes, and what is to be done before a move.
scenario_units_are_watched_and_awaited()
{
	local node term

	LEASE=${LEASE:-1s} DEAD_TIME=${DEAD_TIME:-1500ms}
	net_up
	config_default Redundancy=hot Unit=phone.service UnitGrace=1s \
		"BeforeRelease=stop takeover-primary@sip.target" \
		"BeforeRelease=start takeover-save.service" \
		"BeforeClaim=start takeover-commit.service" >"$DIR/takeover.conf"
	nodes_up a b
	for node in a b; do
		phone_install "$node"
		hook "$node" save true
		hook "$node" commit true
		in_node "$node" systemctl start phone
	done
	pair_start
	await_unit a takeover-primary@sip.target active

	# Restarting the service moves nothing; that it is stopped, or fails, does.
	term=$(get a group/sip Term)
	in_node a systemctl restart phone
	stays_at a "$term"
	in_node a systemctl stop phone
	wait_role b primary
	settle
	journal a | says 'unit phone.service does not run' || fail "nobody says why"
	[[ $(get a group/sip Unfit) == *unit* ]] || fail "a is unfit for $(get a group/sip Unfit)"
	in_node a systemctl start phone
	wait_property a group/sip Fit true

	# Also when systemd and the bus have been away.
	in_node b systemctl daemon-reexec
	in_node b systemctl restart dbus.service
	wait_role b primary
	in_node b systemctl kill --signal=KILL phone
	wait_role a primary
	in_node b systemctl start phone
	wait_property b group/sip Fit true
	settle

	# A step that hangs, and one that fails at the other node: all is as before.
	term=$(get a group/sip Term)
	hook a save "sleep infinity"
	call a Switchover
	[[ ${R[result]} == *StepFailed ]] || fail "a step that hangs: ${R[result]}"
	stays_at a "$term"
	await_unit a takeover-primary@sip.target active
	journal a | says 'a step before the release failed: start takeover-save.service: not done' ||
		fail "nobody says which step it was"
	in_node a systemctl stop takeover-save
	hook a save true
	hook b commit false
	call b Switchover
	[[ ${R[result]} == *StepFailed ]] || fail "a step of the other node: ${R[result]}"
	settle
	[[ $PRIMARY == a ]] || fail "the group moved"
	await_unit a takeover-primary@sip.target active
	journal b | says 'a step before the claim failed: start takeover-commit.service: failed' ||
		fail "nobody says which step it was"
	hook b commit "touch /var/tmp/committed"
	call_ok b Switchover
	in_node b test -e /var/tmp/committed || fail "nothing was done before the claim"
	await_unit b takeover-primary@sip.target active
	await_unit a takeover-primary@sip.target inactive
}
