# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh
#
# keepalived with its defaults: VRRP over the service's interface, an advertisement every
# second. A planned move lowers the priority through a tracked file, which it watches with
# inotify: of what its manual offers (reload, track_script, stop) that reacts first. Node a
# has the higher priority until then.

SYS_PATIENCE=6
KEEPALIVED_GLOBAL=()
KEEPALIVED_ADVERT=1
KEEPALIVED_PRIORITIES=(150 100) # of a and b

sys_title()
{
	echo "keepalived, defaults: advertisements every second"
}

# Addresses beyond the first do not travel in advertisements: a packet has no room for
# many, nor for those of another family.
keepalived_conf() # NODE PRIORITY VIP...
{
	local node=$1 priority=$2

	shift 2
	printf '%s\n' 'global_defs {' "	router_id ${NODE_NAME[$node]}" \
		"	vrrp_notify_fifo \"$DIR/fifo-$node\"" \
		"${KEEPALIVED_GLOBAL[@]/#/	}" '}' \
		'track_file away {' "	file \"$DIR/away-$node\"" '	weight -100' '}' \
		'vrrp_instance sip {' '	state BACKUP' '	interface eth0' \
		'	virtual_router_id 51' "	priority $priority" \
		"	advert_int $KEEPALIVED_ADVERT" '	track_file {' '		away' '	}' \
		'	virtual_ipaddress {' "		$1 dev eth0" '	}'
	shift
	if (($#)); then
		printf '%s\n' '	virtual_ipaddress_excluded {' "${@/%/ dev eth0}" '	}'
	fi
	echo '}'
}

sys_config()
{
	VIP=$1
	echo 0 >"$DIR/away-a"
	echo 0 >"$DIR/away-b"
	keepalived_conf a "${KEEPALIVED_PRIORITIES[0]}" "$@" >"$DIR/keepalived-a.conf"
	keepalived_conf b "${KEEPALIVED_PRIORITIES[1]}" "$@" >"$DIR/keepalived-b.conf"
}

sys_start()
{
	[[ $1 == a ]] || wait_line "$DIR/sys-a.err" 'Entering MASTER STATE' # or b is the first one
	spawn "sys-$1" "$1" /dev/null keepalived --dont-fork --vrrp --log-console \
		--log-detail --no-syslog --use-file="$DIR/keepalived-$1.conf" \
		--pid="$DIR/keepalived-$1.pid" --vrrp_pid="$DIR/vrrp-$1.pid"
}

sys_ready()
{
	wait_line "$DIR/sys-b.err" 'Entering BACKUP STATE'
	wait_holds a "$VIP"
}

# The file of a is what counts: without it a has the higher priority.
sys_move()
{
	local away=0

	[[ $PRIMARY == b ]] || away=1
	mark
	echo "$away" >"$DIR/away-a"
	read -r PRIMARY BACKUP <<<"$BACKUP $PRIMARY"
}

sys_stop()
{
	mark
	finish "sys-$1" || true
}

# It tells programs what it is through a FIFO, in lines like: INSTANCE "sip" MASTER 254
sys_watch()
{
	# shellcheck disable=SC2016 # for that shell
	spawn "told-$1" "$1" "$DIR/told-$1" bash -c 'while read -r _ _ role _; do
			[[ $role != MASTER ]] || echo "${EPOCHREALTIME/[.,]/}"
		done <"$1"' bash "$DIR/fifo-$1"
}

sys_became()
{
	cat "$DIR/told-$1"
}
