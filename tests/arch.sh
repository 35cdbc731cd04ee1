#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Who may know whom (DESIGN section 3), held against the compiler's own lists
# of includes and against the symbols of what it made. Needs a finished build
# in $BUILD. Headers of the system are judged where one of our files names
# them; what libc includes by itself is its own affair.

set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
BUILD=${BUILD:-build}
CC=${CC:-gcc}
broken=0
judged=0

complain()
{
	printf 'arch: %s\n' "$*" >&2
	broken=$((broken + 1))
}

# Our own files that one translation unit consists of, by the compiler
parts()
{
	"$CC" -std=gnu17 -D_GNU_SOURCE -I. -MM "$1" | sed 's/^[^:]*://; s/\\$//' | tr -s ' ' '\n' |
		sed '/^$/d; s,^\./,,'
}

# Headers of the system that these files name
named()
{
	sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*<\([^>]*\)>.*/\1/p' "$@" | sort -u
}

matches() # WORD PATTERN...
{
	local word=$1 pattern

	shift
	for pattern; do
		# shellcheck disable=SC2053 # it is a pattern
		[[ $word == $pattern ]] && return 0
	done
	return 1
}

# only_ours SOURCE PATTERN...: of our files it may know these
only_ours()
{
	local source=$1 part

	shift
	for part in $(parts "$source"); do
		matches "$part" "$@" || complain "$source may not know $part"
	done
	judged=$((judged + 1))
}

only_system() # SOURCE HEADER...
{
	local source=$1 header

	shift
	# shellcheck disable=SC2046 # file names of ours have no spaces
	for header in $(named $(parts "$source")); do
		matches "$header" "$@" || complain "$source may not know <$header>"
	done
}

never_system() # SOURCE PATTERN...
{
	local source=$1 header

	shift
	# shellcheck disable=SC2046
	for header in $(named $(parts "$source")); do
		! matches "$header" "$@" || complain "$source may not know <$header>"
	done
}

object()
{
	printf '%s/%s.o' "$BUILD" "${1%.c}"
}

need_object() # SOURCE
{
	[[ -e $(object "$1") ]] || complain "$(object "$1") is missing: make"
	[[ -e $(object "$1") ]]
}

CORE_CALLS='memcpy|memmove|memset|memcmp|__assert_fail|__stack_chk_fail|__mem(cpy|move|set)_chk'
CORE_CALLS+='|_GLOBAL_OFFSET_TABLE_|core_[a-z0-9_]+'

# What the pure core calls beyond itself; names of its own begin with core_ or
# are defined in one of its objects.
core_calls()
{
	local defined object

	defined=$(nm --defined-only "$BUILD"/agent/core/*.o | awk 'NF == 3 { print $3 }' |
		sort -u | paste -sd'|')
	for object in "$BUILD"/agent/core/*.o; do
		nm -u "$object" | awk '{ print $2 }' | grep -vxE "$CORE_CALLS|$defined" |
			sed "s,^,${object#"$BUILD"/} calls ,"
	done
}

core()
{
	local source line

	for source in agent/core/*.c; do
		only_ours "$source" 'agent/core/*' agent/base.h
		only_system "$source" assert.h stdbool.h stddef.h stdint.h string.h
		need_object "$source" || return 0
	done
	while read -r line; do
		[[ -z $line ]] || complain "$line"
	done <<<"$(core_calls || true)"
}

folders()
{
	local source

	for source in netlink/*.c; do
		only_ours "$source" 'netlink/*' agent/base.h agent/cleanup.h
		never_system "$source" 'systemd/*'
	done
	for source in sdbus/*.c; do
		only_ours "$source" 'sdbus/*' agent/base.h agent/cleanup.h
		never_system "$source" 'libmnl/*' 'libnftnl/*' 'linux/*netlink.h' 'netpacket/*'
	done
	for source in agent/wire*.c agent/conf*.c agent/key*.c agent/trace*.c; do
		[[ -e $source ]] || continue
		only_ours "$source" 'agent/*'
		never_system "$source" sys/socket.h sys/un.h 'netinet/*' 'net/*' 'netpacket/*' \
			netdb.h ifaddrs.h poll.h 'systemd/*' 'libmnl/*' 'libnftnl/*' 'linux/*'
	done
}

# Constants with pointers in them (.data.rel.ro) are read-only once relocated.
exported_variables() # OBJECT
{
	nm -g --defined-only --format=sysv "$1" |
		awk -F' *[|] *' '$3 ~ /^[BDCGS]$/ && $7 !~ /^\.data\.rel\.ro/ { print $1 }' | paste -sd' '
}

# No variables that another file could reach, and no alternatives inside a file
state()
{
	local source found

	for source in agent/*.c agent/core/*.c netlink/*.c sdbus/*.c; do
		found=$(grep -nE '^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif)\b' "$source" || true)
		[[ -z $found ]] || complain "$source has an #if: $found"
		need_object "$source" || continue
		found=$(exported_variables "$(object "$source")")
		[[ -z $found ]] || complain "$source exports the variable" "$found"
	done
}

hardened() # PROGRAM
{
	local headers

	[[ -e $1 ]] || { complain "$1 is missing: make"; return 0; }
	headers=$(readelf --wide --file-header --program-headers --dynamic "$1")
	grep -q 'Type: *DYN' <<<"$headers" || complain "$1 is not position-independent"
	grep -q 'GNU_RELRO' <<<"$headers" || complain "$1 has no RELRO"
	grep -qE 'BIND_NOW|FLAGS_1.*NOW' <<<"$headers" || complain "$1 binds lazily"
	! grep 'GNU_STACK' <<<"$headers" | grep -q 'RWE' || complain "$1 has an executable stack"
	nm -D "$1" | grep '__stack_chk_fail' >/dev/null || complain "$1 has no stack protector"
	nm -D "$1" | grep -E '__[a-z]+_chk' >/dev/null || complain "$1 is not fortified"
}

for tool in "$CC" nm readelf; do
	command -v "$tool" >/dev/null || complain "$tool is missing: make deps"
done
core
folders
state
hardened "$BUILD/takeoverd"
hardened "$BUILD/takeoverctl"
((judged > 0)) || complain "there was nothing to judge"
((broken == 0)) || exit 1
printf 'arch: %d files keep to the table\n' "$judged"
