# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh

# shellcheck source=tests/bench/systems/takeoverd.sh
. "$BENCH/systems/takeoverd.sh"
TAKEOVERD_GROUP=(Handover=strict)
SYS_SCENES="move stop"

sys_title()
{
	echo "takeoverd, Handover=strict: never two holders, not even in a planned move"
}
