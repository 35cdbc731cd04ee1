# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh
#
# The classic pair of scripts: down on the old node, then up on the new one, with ip and
# arping. Whoever calls them is not here, and what finds out that a node has died is not
# either: so there is only the planned move, without the way over ssh.

SYS_SCENES=move

sys_title()
{
	echo "shell scripts with ip and arping"
}

sys_config()
{
	local address length

	VIP=$1
	: >"$DIR/up.sh"
	: >"$DIR/down.sh"
	for address; do
		[[ $address == *:* ]] && length=128 || length=32
		echo "ip address del $address/$length dev eth0" >>"$DIR/down.sh"
		echo "ip address add $address/$length dev eth0" >>"$DIR/up.sh"
		[[ $address == *:* ]] ||
			echo "arping -q -U -c 1 -I eth0 $address" >>"$DIR/up.sh"
	done
}

sys_start()
{
	[[ $1 == b ]] || in_ns a sh "$DIR/up.sh"
}

sys_ready()
{
	wait_holds a "$VIP"
}

sys_move()
{
	mark
	in_ns "$PRIMARY" sh "$DIR/down.sh"
	in_ns "$BACKUP" sh "$DIR/up.sh"
	read -r PRIMARY BACKUP <<<"$BACKUP $PRIMARY"
}

sys_pids() { :; }
