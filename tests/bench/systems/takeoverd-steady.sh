# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# On request: heartbeats every 10 ms, and a lease that outlives what a kernel without preemption
# keeps a realtime program waiting for.

. "$BENCH/systems/takeoverd.sh"
TAKEOVERD_AGENT=(Interval=10ms Lease=150ms DeadTime=200ms)

sys_title()
{
	echo "takeoverd, heartbeats 10 ms, dead time 200 ms"
}
