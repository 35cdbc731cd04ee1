# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What is installed beside the service: its user's rights, targets, what cleans up.

# as_takeover NODE COMMAND...: as the service's user, without its capabilities
as_takeover()
{
	local node=$1

	shift
	in_node "$node" setpriv --reuid=takeover --regid=takeover --clear-groups -- "$@"
}

# The user of the service starts and stops takeover-* units, by their real names, and does
# nothing else to them and nothing at all to others; another user does neither.
scenario_user_rules_takeover_units_only()
{
	local action refusal

	alone
	for action in switchover maintenance announce test-reaction trace reload; do
		in_node a pkaction --verbose --action-id "org.takeover1.$action" >"$DIR/action" ||
			fail "polkit does not know org.takeover1.$action"
		grep -q 'owner -> unix-user:takeover$' "$DIR/action" ||
			fail "the agent may not ask about it: $(<"$DIR/action")"
		! grep -E 'implicit.*: +yes' "$DIR/action" || fail "anybody may $action"
	done
	in_node a systemd-analyze verify --man=no takeover-{primary,backup}@sip.target \
		>"$DIR/verify" 2>&1 || fail "systemd-analyze verify: $(<"$DIR/verify")"
	[[ ! -s $DIR/verify ]] || fail "systemd-analyze verify: $(<"$DIR/verify")"

	as_takeover a systemctl --no-ask-password start takeover-backup@sip.target
	as_takeover a systemctl --no-ask-password start takeover-primary@sip.target
	target_is a primary active
	target_is a backup inactive
	as_takeover a systemctl --no-ask-password stop takeover-primary@sip.target
	target_is a primary inactive
	as_takeover a systemctl --no-ask-password start takeover-backup@sip.target
	target_is a backup active

	in_node a ln -s /usr/lib/systemd/system/polkit.service \
		/etc/systemd/system/takeover-alias.service
	in_node a systemctl daemon-reload
	for refusal in "stop takeover-alias" "stop polkit" "start nftables" "daemon-reload" \
		"restart takeover-backup@sip.target" "kill takeover-backup@sip.target"; do
		# shellcheck disable=SC2086 # a verb and a unit
		! as_takeover a systemctl --no-ask-password $refusal 2>"$DIR/refusal" ||
			fail "the service may $refusal"
		grep -qE 'authentication required|Access denied' "$DIR/refusal" ||
			fail "$refusal: $(<"$DIR/refusal")"
	done
	! as_nobody a systemctl --no-ask-password start takeover-backup@sip.target 2>/dev/null ||
		fail "anybody may start a target"
	no_unit_is_made_up
}

# A unit made of the call would run anything as root. Later versions of systemd than the
# nodes may have ask polkit about it as if it were there, but for the message: so do we.
no_unit_is_made_up()
{
	local ask pid

	! as_takeover a busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 \
		org.freedesktop.systemd1.Manager StartTransientUnit 'ssa(sv)a(sa(sv))' \
		takeover-made.service replace 1 ExecStart 'a(sasb)' 1 /bin/true 1 /bin/true false \
		0 2>"$DIR/refusal" || fail "the service may make a unit"
	grep -qE 'authentication required|Access denied' "$DIR/refusal" ||
		fail "StartTransientUnit: $(<"$DIR/refusal")"

	agent_start a
	pid=$(in_node a systemctl show --property=MainPID --value takeoverd)
	ask=(pkcheck --process "$pid" --action-id org.freedesktop.systemd1.manage-units
		--detail unit takeover-made.service --detail verb start --detail polkit.message)
	in_node a "${ask[@]}" "Authentication is required to start '\$(unit)'." ||
		fail "the service may not start a unit that exists"
	! in_node a "${ask[@]}" \
		"Authentication is required to start transient unit '\$(unit)'." 2>/dev/null ||
		fail "the service may make a unit, with a later systemd"
}

# target_is NODE ROLE STATE
target_is()
{
	local now

	now=$(in_node "$1" systemctl show --property=ActiveState --value "takeover-$2@sip.target")
	[[ $now == "$3" ]] || fail "the target of the $2 is $now on node $1, not $3"
}

# sip_options: what a SIP server at the virtual address says to a client
sip_options()
{
	# shellcheck disable=SC2016 # for that shell; dd takes a datagram as a whole
	in_ns c timeout 5 bash -c 'exec 3<>"/dev/udp/$0/5060" &&
		printf "%s\r\n" "OPTIONS sip:$0 SIP/2.0" \
			"Via: SIP/2.0/UDP 10.77.0.50:5060;rport;branch=z9hG4bK$RANDOM" \
			"From: <sip:test@10.77.0.50>;tag=1" "To: <sip:$0>" "Call-ID: $RANDOM" \
			"CSeq: 1 OPTIONS" "Max-Forwards: 9" "Content-Length: 0" "" |
			dd bs=4k iflag=fullblock status=none >&3 &&
		dd bs=4k count=1 status=none <&3 | head -n 1' "$VIP4"
}

# Debian's Kamailio, with its own configuration, in which it binds the addresses that are
# there when it starts: with the drop-in of the manual it runs where the group is, and has
# the virtual address. Nothing but the role starts it, and that is not started by it.
scenario_kamailio_follows_the_role()
{
	local node before

	# shellcheck disable=SC2034 # of the service that the other tests use; this one has 5060
	PORT=5999
	LEASE=${LEASE:-1s} DEAD_TIME=${DEAD_TIME:-1500ms} # a busy machine is another story
	net_up
	config_default >"$DIR/takeover.conf"
	nodes_up a b
	manual_literal 'drop-in of systemd' >"$DIR/role.conf"
	[[ $(wc -l <"$DIR/role.conf") == 6 ]] || fail "the manual says: $(<"$DIR/role.conf")"
	for node in a b; do
		in_node "$node" mkdir /etc/systemd/system/kamailio.service.d
		in_node "$node" tee /etc/systemd/system/kamailio.service.d/role.conf \
			<"$DIR/role.conf" >/dev/null
		in_node "$node" systemctl --quiet enable kamailio
		in_node "$node" test ! -e /etc/systemd/system/multi-user.target.wants/kamailio.service ||
			fail "the boot starts it, too"
	done
	pair_start
	for node in a b; do
		before=$(other "$node")
		[[ $PRIMARY == "$node" ]] || call_ok "$before" Switchover
		settle
		await_unit "$node" kamailio.service active
		await_unit "$before" kamailio.service inactive
		[[ $(sip_options) == "SIP/2.0 200 "* ]] || fail "no answer: $(sip_options)"
		! in_node "$before" systemctl start kamailio 2>/dev/null ||
			fail "it can be started without the role"
		target_is "$before" primary inactive
		target_is "$before" backup active
	done
}
