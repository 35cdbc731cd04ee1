# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # variables of lib.sh
#
# On request: keepalived with the dead time of takeoverd-steady, which it has from its interval
# only, and otherwise as keepalived-fast.

# shellcheck source=tests/bench/systems/keepalived-fast.sh
. "$BENCH/systems/keepalived-fast.sh"
KEEPALIVED_ADVERT=0.1

sys_title()
{
	echo "keepalived, advertisements every 100 ms, realtime priority"
}
