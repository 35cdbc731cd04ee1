# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh
#
# On request: heartbeats every 10 ms, and a lease that outlives what a kernel without preemption
# keeps a realtime program waiting for.

# shellcheck source=tests/bench/systems/takeoverd.sh
. "$BENCH/systems/takeoverd.sh"
SYS_DEAD_MS=300
TAKEOVERD_AGENT=(Interval=10ms Lease=250ms DeadTime=300ms)

sys_title()
{
	echo "takeoverd, heartbeats 10 ms, dead time 300 ms"
}
