# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh
#
# ucarp with its shortest whole interval, a second. The addresses are added and deleted by
# scripts like those of its README, here in one batch; it announces the first one itself.

SYS_PATIENCE=6

sys_title()
{
	echo "ucarp, advertisements every second"
}

ucarp_batch() # VERB VIP...
{
	local verb=$1 address

	shift
	for address; do
		[[ $address == *:* ]] && address=$address/128 || address=$address/32
		echo "address $verb $address dev eth0"
	done
}

sys_config()
{
	local what

	VIP=$1
	ucarp_batch add "$@" >"$DIR/ucarp-add"
	ucarp_batch delete "$@" >"$DIR/ucarp-delete"
	for what in add delete; do
		printf '#!/bin/sh\nexec ip -force -batch %s\n' "$DIR/ucarp-$what" >"$DIR/ucarp-$what.sh"
		chmod 755 "$DIR/ucarp-$what.sh"
	done
}

sys_start()
{
	local skew=0

	if [[ $1 == b ]]; then
		skew=10
		wait_line "$DIR/sys-a.err" 'state: MASTER' # or b may be the first one
	fi
	spawn "sys-$1" "$1" /dev/null ucarp --interface=eth0 \
		--srcip="10.77.0.${NUMBER[$1]}" --vhid=1 --pass=secret --addr="$VIP" \
		--advbase=1 --advskew="$skew" --shutdown \
		--upscript="$DIR/ucarp-add.sh" --downscript="$DIR/ucarp-delete.sh"
}

sys_ready()
{
	wait_line "$DIR/sys-b.err" 'state: BACKUP'
	wait_holds a "$VIP"
}

# SIGUSR2: "demote itself from master to backup, pause 3 seconds"
sys_move()
{
	mark
	kill -USR2 "${PIDS[sys-$PRIMARY]}"
	read -r PRIMARY BACKUP <<<"$BACKUP $PRIMARY"
}

sys_stop()
{
	mark
	finish "sys-$1" || true
}
