# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh
#
# keepalived as fast as it goes: the shortest interval of VRRP version 3, and what its
# manual has against being late: realtime priority, memory that is not swapped. Its backup waits
# for (256 - priority) / 256 intervals longer, so priorities are high.

# shellcheck source=tests/bench/systems/keepalived.sh
. "$BENCH/systems/keepalived.sh"
SYS_PATIENCE=2
KEEPALIVED_ADVERT=0.01
KEEPALIVED_PRIORITIES=(254 253)
KEEPALIVED_GLOBAL=('vrrp_version 3' 'vrrp_rt_priority 50' vrrp_no_swap)

sys_title()
{
	echo "keepalived, advertisements every 10 ms, realtime priority"
}
