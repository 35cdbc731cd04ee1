# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the tests of the benchmark share: a folder for what it prints, and what is wrong.

# shellcheck source=tests/bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

wrong()
{
	cat "$DIR/out" >&2
	die "bench: $*"
}

DIR=$(mktemp -d "${TMPDIR:-/tmp}/takeover-smoke.XXXXXX")
export TAKEOVER_NET=$NET # the networks of all runs bear it
trap 'rm -rf "$DIR"' EXIT

is_narrow()
{
	awk 'length > 100 { exit 1 }' "$DIR/out" || wrong "a line of more than 100 columns"
}

is_cleared()
{
	[[ -z $(ip netns list | grep "^$NET-" || true) ]] || wrong "a network stayed"
}
