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
