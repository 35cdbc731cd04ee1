# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh
#
# What nobody can be faster than: the requests to the kernel in one batch and
# one announcement each, then the batch that deletes; with nobody to decide on it.

SYS_SCENES=move
FLOOR=$BUILD/tests/bench/floor

sys_title()
{
	echo "floor: nothing but the batched requests and frames"
}

sys_config()
{
	VIP=$1
	FLOOR_RANGE=("$1" $#) # they follow each other
}

# With the priority that takeoverd has.
floor() # NODE add|delete
{
	in_ns "$1" chrt --rr 5 "$FLOOR" "$2" eth0 "${FLOOR_RANGE[@]}"
}

sys_start()
{
	[[ $1 == b ]] || floor a add >/dev/null
}

sys_ready()
{
	wait_holds a "$VIP"
}

sys_move()
{
	figures "$(floor "$BACKUP" add)"
	floor "$PRIMARY" delete >/dev/null
	MARK_US=${R[start_us]}
	MOVE_CPU_US=${R[cpu_us]} MOVE_PEAK_KIB=${R[peak_kib]}
	read -r PRIMARY BACKUP <<<"$BACKUP $PRIMARY"
}

sys_pids() { :; }
