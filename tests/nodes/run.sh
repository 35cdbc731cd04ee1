#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The tests on booted nodes: systemd as PID 1, a real system bus, takeoverd as
# it is installed. Arguments and output are those of tests/net/run.sh, which
# does the work; logs of what failed stay in $BUILD/nodes-failed.

set -eu
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
RIG=$HERE/lib.sh exec "$HERE/../net/run.sh" "$@"
