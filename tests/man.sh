#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The pages in man/ against the programs in $BUILD and the sources: what no unit
# test sees. Run by check.sh; the last line is the number of things compared.

set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
BUILD=${BUILD:-build}
PAGES=(man/*.[1-8])
broken=0
compared=0
DIR=$(mktemp -d "${TMPDIR:-/tmp}/takeover-man.XXXXXX")
trap 'rm -rf "$DIR"' EXIT
trap 'exit 130' INT TERM HUP PIPE

complain()
{
	printf 'man: %s\n' "$*" >&2
	broken=$((broken + 1))
}

# same WHAT MANUAL PROGRAM: two lists of lines, in any order
same()
{
	local line

	compared=$((compared + $(grep -c . <<<"$3")))
	[[ -n $3 ]] || complain "no $1 found in the program: is its shape still the same?"
	while read -r line; do
		complain "$1 \"$line\" is in the manual and not in the program"
	done < <(comm -23 <(sort <<<"$2") <(sort <<<"$3"))
	while read -r line; do
		complain "$1 \"$line\" is in the program and not in the manual"
	done < <(comm -13 <(sort <<<"$2") <(sort <<<"$3"))
}

# Every page is there for a name and a section, and lint has nothing to say. It
# looks for other pages in the system, where ours need not be: references() does.
lint()
{
	local page said

	for page in "${PAGES[@]}"; do
		said=$(mandoc -T lint "$page" 2>&1 |
			grep -vE 'referenced manual not found|outdated mandoc.db' || true)
		[[ -z $said ]] || complain "$said"
		compared=$((compared + 1))
	done
}

# Of ours: pages, and headers in whichever of them.
references()
{
	local name section

	while read -r name section; do
		compared=$((compared + 1))
		[[ -e man/$name.$section ]] || complain "there is no page $name($section)"
	done < <(sed -n 's/^\.Xr \(takeover[a-z.]*\|org\.takeover1\) \([1-8]\).*/\1 \2/p' \
		"${PAGES[@]}" | sort -u)
	while read -r name; do
		compared=$((compared + 1))
		grep -qxE "\.S[hs] $name" "${PAGES[@]}" || complain "no page has a header \"$name\""
	done < <(sed -n 's/^\.Sx \([^.,)]*[^ .,)]\).*/\1/p' "${PAGES[@]}" | sort -u)
}

# options: as in "c config FILE"
options()
{
	same option "$(sed -n 's/^\.It Fl \(.*Fl .*\)/\1/p' man/takeoverd.8 |
		sed 's/ *\(Fl\|Ar\|,\) */ /g; s/  */ /g; s/^ //')" \
		"$("$BUILD/takeoverd" --help | sed -n 's/^ *\(-.*\)/\1/p' |
			sed 's/   *.*//; s/-//g; s/,//')"
}

# Verbs of takeoverctl: its own page has every one, and all that pages speak of exist.
verbs()
{
	local verb known

	known=$("$BUILD/takeoverctl" help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')
	same verb "$(sed -n '/^\.Sh COMMANDS/,/^\.Sh OPT/s/^\.It Ic \([a-z-]*\).*/\1/p' \
		man/takeoverctl.1)" "$known"
	while read -r verb; do
		compared=$((compared + 1))
		grep -qx "$verb" <<<"$known" || complain "takeoverctl has no verb $verb"
	done < <(sed -n 's/^\(# \|\$ \|\.Ql \|.*(umask 077; \)takeoverctl \([a-z][a-z-]*\).*/\2/p' \
		"${PAGES[@]}" | sort -u)
}

signals()
{
	same signal "$(sed -n '/^\.Sh SIGNALS/,/^\.Sh THE/s/^\.It Dv //p' man/takeoverd.8)" \
		"$(sed -n '/^static int block_signals/,/^}/s/.*\(SIG[A-Z0-9]*\)[,)].*/\1/p' \
			agent/life.c | grep -v SIG_)"
}

# Those that systemd's library looks at are not in our sources.
variables()
{
	same variable "$(sed -n '/^\.Sh ENVIRONMENT/,/^\.Sh FILES/s/^\.It Ev //p' man/takeoverd.8 |
		grep -vE '^(NOTIFY_SOCKET|WATCHDOG_USEC)')" \
		"$(grep -rhoE 'getenv\("[A-Z_]+"' --include='*.c' agent | cut -d'"' -f2 | sort -u)"
}

# What makes the flight recorder keep a trace.
failures()
{
	same failure "$(sed -n '/^\.Sh FLIGHT/,/^\.Sh ENV/s/^\.It \([a-z].*\)/\1/p' man/takeoverd.8)" \
		"$(sed -n 's/^\t\[FAILURE_[A-Z]*\] = "\(.*\)",/\1/p' agent/recorder/recorder.c
			sed -n 's/.*recorder_keep(.*, "\(.*\)").*/\1/p' agent/agent.c)"
}

# Every id that is in the sources, wherever it is told.
ids()
{
	same id "$(sed -n 's/^\.It Sy \([^ ]*\).*/\1/p' man/takeover-events.7 | sort -u)" \
		"$(grep -rhoE '"0[01]-[0-9]{5}"' --include='*.c' agent sdbus |
			tr -d '"' | sort -u)"
}

# literals PAGE KIND: each example of the page, marked by \" example: KIND, as a file of $DIR
literals()
{
	awk -v kind="example: $2" -v out="$DIR/$2." '
		index($0, kind) { found = 1; next }
		found && /^\.Bd/ { file = out (++n); found = 0; next }
		/^\.Ed/ { file = "" }
		file { print > file }' "$1"
}

# check_example FILE: as /etc/takeover/takeover.conf, with a key, for both nodes
check_example()
{
	local node nodes

	mapfile -t nodes < <(sed -n 's/^\[Node \(.*\)\]/\1/p' "$1")
	((${#nodes[@]} == 2)) || complain "an example has ${#nodes[@]} nodes"
	for node in "${nodes[@]}"; do
		compared=$((compared + 1))
		"$BUILD/takeoverd" --config "$1" --node "$node" --check >"$DIR/said" 2>&1 ||
			complain "an example is refused: $(cat "$DIR/said" "$1")"
		! grep -q warning "$DIR/said" || complain "an example is doubted: $(cat "$DIR/said")"
	done
}

# Drop-ins are those of the examples of takeover.conf(5).
examples()
{
	local page file drop_in n=0

	(umask 077 && head -c 32 /dev/urandom | base64 >"$DIR/key")
	for page in "${PAGES[@]}"; do
		rm -rf "$DIR"/takeover.conf.* "$DIR"/drop-in.*
		literals "$page" takeover.conf
		literals "$page" drop-in
		for file in "$DIR"/takeover.conf.[0-9]; do
			[[ -e $file ]] || continue
			n=$((n + 1))
			mkdir -p "$file.d"
			printf '[Agent]\nKeyFile=%s\n' "$DIR/key" >"$file.d/key.conf"
			check_example "$file"
			for drop_in in "$DIR"/drop-in.[0-9]; do
				[[ -e $drop_in ]] || continue
				cp "$drop_in" "$file.d/50-drop-in.conf"
				check_example "$file"
			done
		done
	done
	((n >= 2)) || complain "only $n examples found: are they still marked?"
}

# constant FILE NAME: of an enum
constant()
{
	sed -n "s/^[[:space:]]*$2 = \([0-9]*\).*/\1/p" "$1"
}

# says PAGE TEXT: the page has the line
says()
{
	compared=$((compared + 1))
	grep -qxF -- "$2" "$1" || complain "$1 has no line \"$2\""
}

# status COMMAND...: its exit status
status()
{
	local status=0

	"$@" >/dev/null 2>&1 || status=$?
	echo "$status"
}

exit_statuses()
{
	printf '[Agent]\nNonsense=1\n' >"$DIR/bad.conf"
	same "exit status" "$(sed -n '/^\.Sh EXIT/,/^\.Sh EVENTS/s/^\.It //p' man/takeoverd.8)" "$({
		status "$BUILD/takeoverd" --help
		status "$BUILD/takeoverd" --nonsense
		status "$BUILD/takeoverd" --config "$DIR/bad.conf" --check
		status "$BUILD/takeoverd" --config "$DIR/bad.conf"
	} | sort -u)"
}

# holds FILE PATTERN: a number that pages state in a sentence is still so
holds()
{
	compared=$((compared + 1))
	grep -q -- "$2" "$1" || complain "$1 has no \"$2\" any more: look what the pages say of it"
}

numbers()
{
	local line

	printf '[Agent]\nKeyFile=/%0500d\n' 0 >"$DIR/long.conf"
	line=$("$BUILD/takeoverd" --config "$DIR/long.conf" --check 2>&1 |
		sed -n 's/.*longer than \([0-9]*\) bytes.*/\1/p') || true # it is refused
	says man/takeover.conf.5 ".It bytes of a line Ta $line"
	says man/takeover.conf.5 ".It nodes Ta $(constant agent/conf/conf_check.c NODES_NOW)"
	says man/org.takeover1.5 "by an agent that has too many callers: $(
		constant sdbus/api_call.c WAITING_MAX) wait for an answer, or of $(
		constant sdbus/api_call.c ASKING_MAX) it is"
	holds agent/core/internal.h '#define CORE_RETRY_US (2 \* USEC_PER_SEC)'
	holds agent/core/internal.h '#define CORE_LOSSES_MAX 5$'
	holds agent/core/internal.h '#define CORE_LOSS_WINDOW_US (10 \* USEC_PER_SEC)'
	holds agent/bus/bus.c '#define BUS_RETRY_MIN_US (50 \* USEC_PER_MSEC)'
	holds agent/bus/bus.c '#define BUS_RETRY_MAX_US (2 \* USEC_PER_SEC)'
	holds agent/store/history.h 'HISTORY_MAX = 1000 '
	says man/org.takeover1.5 "One answer has $(constant sdbus/api_event.c LIST_MAX) at most: $(
		)ask again with the number of the last, until there"
	holds agent/recorder/dump.c 'DUMP_FILES = 4,'
	holds agent/recorder/dump.c 'DUMP_PATIENCE_MS = 3000,'
	holds agent/recorder/recorder.c '#define RECORDER_AFTERMATH_US (1 \* USEC_PER_SEC)'
	holds agent/recorder/recorder.c '#define RECORDER_QUIET_US (10 \* 60 \* USEC_PER_SEC)'
	holds agent/agent.c '#define BOOT_US (120 \* USEC_PER_SEC)'
	holds agent/log.c 'LOG_LINES_MAX = 256,'
	holds netlink/addr.h 'ADDR_TAG = 0x74 '
}

command -v mandoc >/dev/null || complain "mandoc is missing: make deps"
lint
references
options
verbs
signals
variables
exit_statuses
ids
failures
examples
numbers
((broken == 0)) || exit 1
echo "${#PAGES[@]} pages, $compared facts"
