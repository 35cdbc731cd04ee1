# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# What a stranger does, in the order in which it is written down: make install
# on both, a key and one takeover.conf, start, look, switch over, stop, uninstall.
scenario_install_start_switchover()
{
	local node answer

	net_up
	config_default >"$DIR/takeover.conf"
	node_disk a
	node_disk b
	node_boot a b
	for node in a b; do
		node_serve "$node"
		! in_node "$node" getent passwd takeover ||
			fail "the user was there before the installation"
		in_node "$node" make --no-print-directory -C "$ROOT" BUILD="$BUILD" install \
			>"$DIR/install.out" 2>&1 || fail "make install: $(cat "$DIR/install.out")"
		grep -v '^Creating \(group\|user\)' "$DIR/install.out" &&
			fail "make install is not quiet"
		node_configure "$node"
		in_node "$node" takeoverd --check >"$DIR/check.out" 2>&1 ||
			fail "--check: $(cat "$DIR/check.out")"
		in_node "$node" systemd-analyze verify --man=no takeover{d,-cleanup}.service >"$DIR/verify.out" 2>&1
		[[ ! -s $DIR/verify.out ]] || fail "systemd-analyze verify: $(cat "$DIR/verify.out")"
	done
	for node in a b; do
		agent_start "$node"
	done
	settle
	assert_holder "$PRIMARY"

	answer=$(in_node "$BACKUP" busctl call org.takeover1 /org/takeover1/group/sip \
		org.takeover1.Group Switchover)
	[[ $answer == "st \"${NODE_NAME[$BACKUP]}\" "* ]] || fail "busctl says: $answer"
	node=$PRIMARY
	settle
	[[ $BACKUP == "$node" ]] || fail "the group did not move"
	assert_holder "$PRIMARY"
	events_are_kept "$BACKUP"

	# nobody is connected; but the service has to be able to see that from where it is shut in
	answer=$(in_node "$PRIMARY" busctl --timeout="$PATIENCE" call org.takeover1 \
		/org/takeover1/group/sip org.takeover1.Group Drain t 60000000)
	[[ $answer == "stt \"${NODE_NAME[$BACKUP]}\" "*" 0" ]] || fail "busctl says: $answer"
	settle
	[[ $PRIMARY == "$node" ]] || fail "the group has drained, and did not move"

	uninstall_refused a
	in_node a systemctl enable takeoverd 2>/dev/null
	in_node a systemctl stop takeoverd
	uninstall_refused a
	in_node a systemctl disable --now takeoverd 2>/dev/null
	unset 'AGENT[a]'
	wait_role b primary
	in_node a make --no-print-directory -C "$ROOT" BUILD="$BUILD" uninstall \
		>"$DIR/install.out" 2>&1 || fail "make uninstall: $(cat "$DIR/install.out")"
	[[ ! -s $DIR/install.out ]] || fail "make uninstall says: $(cat "$DIR/install.out")"
	in_node a systemctl cat takeoverd 2>/dev/null && fail "the unit is still there"
	! in_node a pgrep takeoverd || fail "takeoverd still runs"
	assert_holder b
}

# uninstall_refused NODE: while the service runs or is enabled, and nothing is taken away
uninstall_refused()
{
	! in_node "$1" make --no-print-directory -C "$ROOT" BUILD="$BUILD" uninstall \
		>"$DIR/install.out" 2>&1 || fail "uninstalled under the service"
	grep -q 'first say: systemctl disable --now takeoverd' "$DIR/install.out" ||
		fail "make uninstall says: $(cat "$DIR/install.out")"
	in_node "$1" sh -c 'takeoverd --version && takeoverctl help' >/dev/null ||
		fail "uninstalled all the same"
}

# The journal knows what an event means, and the agent what it has told of before a restart.
events_are_kept() # NODE
{
	local before after

	journal_find "$1" -x --unit=takeoverd --output=short >"$DIR/catalog.out"
	grep -q 'Nothing of it is held' "$DIR/catalog.out" ||
		fail "no catalog: $(tail -n 40 "$DIR/catalog.out")"
	journal_find "$1" MESSAGE_ID="$(
		grep -B1 'Subject: 01-00701' "$ROOT/units/takeover.catalog" | sed -n 's/^-- //p'
	)" | says "^node ${NODE_NAME[$1]} runs" || fail "no start by its MESSAGE_ID"
	before=$(in_node "$1" takeoverctl events | grep -c .)
	in_node "$1" systemctl restart takeoverd
	wait_property "$1" group/sip State backup
	after=$(in_node "$1" takeoverctl events | grep -c .)
	settle
	((before > 3 && after > before)) || fail "$after events after a restart, $before before"
}
