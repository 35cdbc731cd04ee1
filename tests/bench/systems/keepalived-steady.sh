# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh
#
# On request: keepalived with the interval and the dead time of takeoverd-steady, and otherwise
# as keepalived-fast.

# shellcheck source=tests/bench/systems/keepalived-fast.sh
. "$BENCH/systems/keepalived-fast.sh"
KEEPALIVED_GLOBAL+=('vrrp_down_timer_adverts 30')

sys_title()
{
	echo "keepalived, advertisements every 10 ms, dead time 300 ms, realtime priority"
}
