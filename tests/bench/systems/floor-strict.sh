# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh

# shellcheck source=tests/bench/systems/floor.sh
. "$BENCH/systems/floor.sh"
FLOOR_ORDER=strict

sys_title()
{
	echo "floor of a move with never two holders: delete, add, announce"
}
