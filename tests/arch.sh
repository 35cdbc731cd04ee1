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
PARTS=() PARTS_OF='' PARTS_STATUS=1

complain()
{
	printf 'arch: %s\n' "$*" >&2
	broken=$((broken + 1))
}

# parts SOURCE: into PARTS, our own files that one translation unit consists of,
# by the compiler; fails if it does not say, and that is a complaint
parts()
{
	local list

	[[ $1 != "$PARTS_OF" ]] || return "$PARTS_STATUS"
	PARTS_OF=$1
	PARTS_STATUS=1
	PARTS=()
	list=$("$CC" -std=gnu17 -D_GNU_SOURCE -iquote . -isystem /usr/include/libnl3 -MM "$1") || list=
	mapfile -t PARTS < <(sed 's/^[^:]*://; s/\\$//' <<<"$list" | tr -s ' ' '\n' |
		sed '/^$/d; s,^\./,,')
	if [[ ${PARTS[0]:-} != "$1" ]]; then
		complain "$CC does not say what $1 includes"
		return 1
	fi
	PARTS_STATUS=0
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
	parts "$source" || return 0
	for part in "${PARTS[@]}"; do
		matches "$part" "$@" || complain "$source may not know $part"
	done
	judged=$((judged + 1))
}

only_system() # SOURCE HEADER...
{
	local source=$1 header

	shift
	parts "$source" || return 0
	for header in $(named "${PARTS[@]}"); do
		matches "$header" "$@" || complain "$source may not know <$header>"
	done
}

never_system() # SOURCE PATTERN...
{
	local source=$1 header

	shift
	parts "$source" || return 0
	for header in $(named "${PARTS[@]}"); do
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
CORE_CALLS+='|_GLOBAL_OFFSET_TABLE_'

# symbols OPTION OBJECT...: their names; fails if nm does
symbols()
{
	nm --format=just-symbols "$@" | sed '/^$/d; /:$/d' | sort -u
}

# The pure core calls nothing but itself: what one of its objects defines.
core_calls() # OBJECT...
{
	local object defined calls name

	if ! defined=$(symbols --extern-only --defined-only "$@") || [[ -z $defined ]]; then
		complain "nm does not say what the core defines"
		return 0
	fi
	for object; do
		if ! calls=$(symbols --undefined-only "$object"); then
			complain "nm does not say what $object calls"
			continue
		fi
		for name in $calls; do
			[[ $name =~ ^($CORE_CALLS)$ ]] || grep -qxF -e "$name" <<<"$defined" ||
				complain "${object#"$BUILD"/} calls $name"
		done
	done
}

core()
{
	local source objects=()

	for source in agent/core/*.c; do
		only_ours "$source" 'agent/core/*' agent/base.h
		only_system "$source" assert.h stdbool.h stddef.h stdint.h string.h
		need_object "$source" || return 0
		objects+=("$(object "$source")")
	done
	core_calls "${objects[@]}"
}

# The witness of `takeoverctl verify` must not share a mistake with what it is a
# witness of: it has libnl, and nothing of the rest of netlink/. Who compares its
# findings with the answers of the daemon has to see both; what it sees of the
# witness are plain values. main() is the one that puts the two together, so that
# no file of sdbus/ calls into netlink/. The daemon knows neither.
witness()
{
	local source

	for source in netlink/witness*.c; do
		only_ours "$source" 'netlink/witness*' agent/base.h agent/cleanup.h
		never_system "$source" 'libmnl/*' 'libnftnl/*'
	done
	for source in sdbus/ctl_verify*.c sdbus/takeoverctl.c; do
		only_ours "$source" 'sdbus/*' netlink/witness.h agent/base.h agent/cleanup.h
	done
	for source in agent/*.c agent/*/*.c; do
		never_system "$source" 'netlink/*'
		! parts "$source" || ! matches netlink/witness.h "${PARTS[@]}" ||
			complain "$source may not know the witness"
	done
}

folders()
{
	local source

	for source in netlink/*.c; do
		never_system "$source" 'systemd/*'
		[[ $source != netlink/witness*.c ]] || continue
		only_ours "$source" 'netlink/[!w]*' agent/base.h agent/cleanup.h
		never_system "$source" 'netlink/*'
	done
	for source in sdbus/*.c; do
		never_system "$source" 'libmnl/*' 'libnftnl/*' 'netlink/*' 'linux/*netlink.h' 'netpacket/*'
		[[ $source != sdbus/ctl_verify*.c && $source != sdbus/takeoverctl.c ]] || continue
		only_ours "$source" 'sdbus/*' agent/base.h agent/cleanup.h
	done
	witness
	for source in agent/beat/wire.c agent/beat/session.c agent/beat/path.c agent/conf/conf*.c agent/trace/*.c; do
		[[ -e $source ]] || continue
		only_ours "$source" 'agent/*'
		never_system "$source" sys/socket.h sys/un.h 'netinet/*' 'net/*' 'netpacket/*' \
			netdb.h ifaddrs.h poll.h 'systemd/*' 'libmnl/*' 'libnftnl/*' 'linux/*'
	done
}

# What the agent is put together from knows nothing of it as a whole.
elements()
{
	local source

	for source in agent/{beat,conf,kernel,recorder,store,trace}/*.c; do
		! parts "$source" || ! matches agent/agent.h "${PARTS[@]}" ||
			complain "$source may not know agent/agent.h"
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

	for source in agent/*.c agent/*/*.c netlink/*.c sdbus/*.c; do
		found=$(grep -nE '^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif)\b' "$source" || true)
		[[ -z $found ]] || complain "$source has an #if: $found"
		need_object "$source" || continue
		found=$(exported_variables "$(object "$source")") ||
			complain "nm does not say what $(object "$source") exports"
		[[ -z $found ]] || complain "$source exports the variable" "$found"
	done
}

# The time of day, which an administrator may step, is nothing to decide by. People are told
# when an event was: by the one file that sends them out.
WALL_CLOCK='time|gettimeofday|ftime|localtime(_r)?|gmtime(_r)?|mktime|timegm|sem_timedwait'
WALL_CLOCK+='|pthread_(cond_timedwait|mutex_timedlock|timedjoin_np)'

wall_clock()
{
	local source found calls

	for source in agent/*.c agent/*/*.c netlink/*.c; do
		[[ $source != agent/publish.c ]] || continue
		found=$(grep -nE 'CLOCK_(REALTIME|TAI)' "$source" || true)
		[[ -z $found ]] || complain "$source knows the time of day: $found"
		need_object "$source" || continue
		if ! calls=$(symbols --undefined-only "$(object "$source")"); then
			complain "nm does not say what $source calls"
			continue
		fi
		found=$(grep -xE "$WALL_CLOCK" <<<"$calls" || true)
		[[ -z $found ]] || complain "$source asks for the time of day: $found"
	done
}

hardened() # PROGRAM
{
	local headers

	[[ -e $1 ]] || { complain "$1 is missing: make"; return 0; }
	headers=$(readelf --wide --file-header --program-headers --dynamic "$1") ||
		complain "readelf does not read $1"
	grep -q 'Type: *DYN' <<<"$headers" || complain "$1 is not position-independent"
	grep -q 'GNU_RELRO' <<<"$headers" || complain "$1 has no RELRO"
	grep -qE 'BIND_NOW|FLAGS_1.*NOW' <<<"$headers" || complain "$1 binds lazily"
	! grep 'GNU_STACK' <<<"$headers" | grep -q 'RWE' || complain "$1 has an executable stack"
	nm -D "$1" | grep '__stack_chk_fail' >/dev/null || complain "$1 has no stack protector"
	nm -D "$1" | grep -E '__[a-z]+_chk' >/dev/null || complain "$1 is not fortified"
}

# The daemon has a budget of memory; what only takeoverctl needs is not in it.
lean() # PROGRAM
{
	local library

	for library in libjansson libnl; do
		! readelf --wide --dynamic "$1" | grep "NEEDED.*$library" >/dev/null ||
			complain "$1 is linked with $library"
	done
}

for tool in "$CC" nm readelf; do
	command -v "$tool" >/dev/null || complain "$tool is missing: make deps"
done
core
folders
elements
state
wall_clock
hardened "$BUILD/takeoverd"
hardened "$BUILD/takeoverctl"
hardened "$BUILD/takeover-generator"
hardened "$BUILD/takeover-react"
lean "$BUILD/takeoverd"
((judged > 0)) || complain "there was nothing to judge"
((broken == 0)) || exit 1
printf 'arch: %d files keep to the table\n' "$judged"
