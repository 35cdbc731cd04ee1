# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the service does at its start with what is wrong, or not there yet.

# refuses NODE PATTERN...: it does not start, says why, and is not tried again
refuses()
{
	local node=$1 pattern

	shift
	! in_node "$node" systemctl start takeoverd 2>/dev/null || fail "takeoverd starts"
	for pattern; do
		journal "$node" | says "$pattern" ||
			fail "no word about $pattern: $(journal "$node")"
	done
	unit_is "$node" ActiveState failed
	unit_is "$node" NRestarts 0
	unit_is "$node" ExecMainStatus 78
	assert_tagged "$node" ""
}

scenario_service_wrong_config_is_told()
{
	local file=/etc/takeover/takeover.conf word mistakes=()

	alone
	{
		printf '\n[Group web]\nVirtualAdress=10.77.0.110/16 eth0\n'
		printf 'VirtualAddress=10.77.0.300/16 eth0\nHandover=perhaps\n'
	} >>"$DIR/takeover.conf"
	node_configure a
	for word in VirtualAdress 10.77.0.300 perhaps; do
		mistakes+=("^$file:$(grep -n "$word" "$DIR/takeover.conf" | cut -d: -f1):.*$word")
	done
	refuses a "${mistakes[@]}"
	config_default >"$DIR/takeover.conf"
	node_configure a
	agent_start a
	wait_role a primary
}

scenario_service_wrong_key_is_told()
{
	local key

	alone
	key=/proc/${LEADER[a]}/root/etc/takeover/key
	rm "$key"
	refuses a '^/etc/takeover/key: There is no key: make one with: takeoverctl genkey '
	install -m 600 /dev/null "$key"
	echo changeme >"$key"
	refuses a '^/etc/takeover/key: The key is not one line with 32 bytes'
	install -m 644 "$DIR/key" "$key"
	refuses a '^/etc/takeover/key: The key can be read by others \(mode 0644\)'
	install -m 600 "$DIR/key" "$key"
	agent_start a
	wait_role a primary
	in_node a systemctl stop takeoverd
	unset 'AGENT[a]'
	# and one elsewhere, which the user has to own
	sed -i 's|^KeyFile=.*|KeyFile=/etc/takeover/other|' "$DIR/takeover.conf"
	node_configure a
	install -m 600 "$DIR/key" "${key%/key}/other"
	refuses a '^/etc/takeover/other: The key cannot be opened: Permission denied'
	in_node a chown takeover /etc/takeover/other
	agent_start a
	wait_role a primary
}

# No address until long after the boot, and no host name that says which node this is: the
# service runs and waits, its watchdog content, and serves when the addresses are there.
scenario_service_waits_for_its_addresses()
{
	local first until=$((SECONDS + BOOT_SECONDS + PATIENCE))

	net_up
	config_default | sed 's/\[Node alpha\]/[Node left]/; s/\[Node beta\]/[Node right]/' \
		>"$DIR/takeover.conf"
	ip -n "$NET-a" address flush dev eth0
	ip -n "$NET-a" address flush dev eth1
	nodes_up a
	agent_start a # comes back: the boot must not wait for a cable
	unit_is a StatusText "waiting for an address of one of the nodes"
	in_node a systemctl stop takeoverd
	unit_is a Result success
	agent_start a
	first=$(watchdog_fed a)
	while [[ $(watchdog_fed a) == "$first" ]]; do # systemctl has no "wait until"
		((SECONDS < until)) || fail "the watchdog hears nothing"
	done
	ip -n "$NET-a" address add fd77::11/64 dev eth0 nodad
	ip -n "$NET-a" address add 10.77.0.11/16 dev eth0
	"$PROBE" wait-property "$(bus_of a)" group/sip Role primary "$PATIENCE" ||
		fail "not primary: $(journal a)"
	unit_is a NRestarts 0
	assert_holder a
}

# watchdog_fed NODE: when the service has last said that it lives
watchdog_fed()
{
	in_node "$1" systemctl show --property=WatchdogTimestampMonotonic takeoverd
}
