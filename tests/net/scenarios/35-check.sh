# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # the words in R, a map of lib.sh

service_up() # NODE
{
	spawn_ready "service-$1" "$1" /dev/null "$PROBE" serve 8080 --ready @READY@
}

# The address follows the service: away from a dead one, not to a dead one, and nowhere when both
# are dead.
scenario_check_moves_from_dead_service()
{
	net_up
	config_default Check=tcp:self:8080 Interval=100ms Timeout=100ms >"$DIR/takeover.conf"
	nodes_up a b
	service_up a
	service_up b
	pair_start

	finish service-b || true
	wait_property b group/sip Fit false
	refused a NotFit
	ctl_says 0 'check tcp:self:8080 here: failed; Connection refused' b status
	ctl_says 0 'beta is unfit (check): tcp:self:8080 fails: Connection refused' b explain sip
	service_up b
	wait_property b group/sip Fit true
	wait_property a group/sip Role primary

	send_start load c "$VIP4"
	finish service-a || true
	wait_role b primary
	wait_role a backup
	send_stop load
	[[ ${R[lost]} == 0 ]] || fail "${R[lost]} of ${R[sent]} packets lost by the move"
	assert_holder b
	grep -q 'check tcp:self:8080 fails: Connection refused' "$DIR/agent-a.err" ||
		fail "the log of alpha does not name the check"

	finish service-b || true
	wait_property b group/sip Fit false
	assert_holder b
	service_up b
	wait_property b group/sip Fit true
	wait_role b primary
}
