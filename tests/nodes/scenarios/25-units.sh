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
	for action in switchover maintenance announce trace reload; do
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
}

# target_is NODE ROLE STATE
target_is()
{
	local now

	now=$(in_node "$1" systemctl show --property=ActiveState --value "takeover-$2@sip.target")
	[[ $now == "$3" ]] || fail "the target of the $2 is $now on node $1, not $3"
}
