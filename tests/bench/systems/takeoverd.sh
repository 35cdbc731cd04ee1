# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh
#
# takeoverd as it comes. Variants are files that source this and set what is other.

SYS_PATIENCE=2
SYS_DEAD_MS=500
TAKEOVERD_AGENT=() # lines of [Agent]
TAKEOVERD_GROUP=() # lines of [Group sip]
TAKEOVERD_LINK=eth0

sys_title()
{
	echo "takeoverd, defaults: heartbeats 50 ms, dead time 500 ms"
}

sys_config()
{
	local address

	{
		printf '%s\n' '[Agent]' "KeyFile=$DIR/key" "${TAKEOVERD_AGENT[@]}"
		config_nodes
		printf '%s\n' '' '[Group sip]' "${TAKEOVERD_GROUP[@]}"
		for address; do
			printf 'VirtualAddress=%s %s\n' "$address" "$TAKEOVERD_LINK"
		done
	} >"$DIR/takeover.conf"
}

sys_start()
{
	agent_start "$1"
}

sys_ready()
{
	settle
	[[ $PRIMARY == a ]] || { call_ok b Switchover && settle; }
	wait_property b group/sip Fit true
}

sys_move()
{
	call_ok "$PRIMARY" Switchover
	MARK_US=${R[start_us]}
	read -r PRIMARY BACKUP <<<"$BACKUP $PRIMARY"
}

sys_stop()
{
	mark
	agent_end "$1" TERM
}

sys_pids()
{
	[[ -z ${AGENT[$1]:-} ]] || echo "${AGENT[$1]}"
}

sys_kill()
{
	mark
	agent_end "$1" KILL
}

sys_watch()
{
	DBUS_SYSTEM_BUS_ADDRESS=$(bus_of "$1") spawn "told-$1" "$1" "$DIR/told-$1" \
		"$BUILD/takeoverctl" --json monitor
	wait_line "$DIR/told-$1" '"type":"group"' # how things stand comes first
}

sys_became()
{
	jq 'select(.type == "role" and .role == "primary").now_us' "$DIR/told-$1"
}

sys_lapses()
{
	jq -s 'map(select(.type == "event" and .id == "01-00120")) | length' "$DIR/told-$1"
}
