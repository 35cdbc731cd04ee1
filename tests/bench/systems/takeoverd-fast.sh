# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh
#
# Heartbeats as often as keepalived-fast, and the shortest dead time with which a frozen
# primary is silent before the other one answers.

# shellcheck source=tests/bench/systems/takeoverd.sh
. "$BENCH/systems/takeoverd.sh"
SYS_DEAD_MS=55
TAKEOVERD_AGENT=(Interval=10ms Lease=25ms DeadTime=55ms)

sys_title()
{
	echo "takeoverd, heartbeats 10 ms, dead time 55 ms"
}
