# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh
#
# The pair of scripts as one would write it for many addresses: all of them
# in one batch for ip, then an arping for each.

# shellcheck source=tests/bench/systems/script.sh
. "$BENCH/systems/script.sh"

sys_title()
{
	echo "shell scripts with ip -batch and arping"
}

sys_config()
{
	local address length batch

	VIP=$1
	for batch in add del; do
		for address; do
			[[ $address == *:* ]] && length=128 || length=32
			echo "address $batch $address/$length dev eth0"
		done >"$DIR/$batch.batch"
	done
	echo "ip -batch $DIR/del.batch" >"$DIR/down.sh"
	echo "ip -batch $DIR/add.batch" >"$DIR/up.sh"
	for address; do
		[[ $address == *:* ]] || echo "arping -q -U -c 1 -I eth0 $address"
	done >>"$DIR/up.sh"
}

# Nobody knows of them yet: there is nothing to announce.
sys_start()
{
	[[ $1 == b ]] || in_ns a ip -batch "$DIR/add.batch"
}
