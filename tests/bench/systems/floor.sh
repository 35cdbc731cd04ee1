# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh
#
# The floor of a planned move, make before break: a process that adds, announces and
# deletes. It decides nothing and finds nothing out, so there are no failures for it.

SYS_SCENES=move
FLOOR_ORDER=seamless

sys_title()
{
	echo "floor of a move: add, announce, delete, from one process"
}

sys_config()
{
	VIP=$1
}

sys_start()
{
	[[ $1 == b ]] || ip -n "$NET-a" address add "$VIP/32" dev eth0
}

sys_ready()
{
	wait_holds a "$VIP"
}

sys_move()
{
	figures "$("$PROBE" floor "/run/netns/$NET-$PRIMARY" "/run/netns/$NET-$BACKUP" eth0 \
		"$VIP" "$FLOOR_ORDER")"
	MARK_US=${R[start_us]}
	read -r PRIMARY BACKUP <<<"$BACKUP $PRIMARY"
}

sys_pids() { :; }
