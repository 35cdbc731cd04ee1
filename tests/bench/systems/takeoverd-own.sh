# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh

# shellcheck source=tests/bench/systems/takeoverd.sh
. "$BENCH/systems/takeoverd.sh"
TAKEOVERD_GROUP=(Mode=subinterface 'SubInterface=vip0 eth0 own')
TAKEOVERD_LINK=vip0

sys_title()
{
	echo "takeoverd, Mode=subinterface with a MAC of its own on each node"
}
