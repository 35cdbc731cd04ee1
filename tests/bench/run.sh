#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The benchmark: takeoverd and others on this machine, in the same run. Its parts are the
# programs beside this one:
#
#	pair    one address, and what may happen to the node that has it
#	scale   one and thousands of addresses
#	idle    what it costs while nothing happens
#	hour    an hour beside load; only if asked for
#
# A part prints its tables, in Markdown, on stdout and its progress on stderr. It takes
# --json FILE, for an array of its single measurements, --quick, for a run that is over in
# seconds and proves no more than that it works, and --estimate, to say only how many seconds
# it will take.

set -eu -o pipefail
# shellcheck source=tests/bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PARTS=(pair scale idle)
JSON=
SVG=
HOUR=
ESTIMATE=
OPTIONS=() # for each part
RUNS=()    # for those that are made of runs
PAIR=()    # for pair only

usage()
{
	cat <<-END
		usage: run.sh [--part NAME,...] [--hour] [--quick] [--json FILE] [--svg FILE] [--list]
		              [--estimate] [--runs N] [--systems NAME,...] [--scenes NAME,...]

		  --part NAMES    of pair, scale, idle, hour (default: all but hour)
		  --hour          the hour beside load as well
		  --quick         once each and small: does it work?
		  --json FILE     all single measurements, with what they were made on
		  --svg FILE      a picture of pair: who answered, when the address moved
		  --list          systems and scenes
		  --estimate      say only how long it will take
		  --runs N        of pair, scale and idle: so often each (default 10, 5, 1)
		  --systems NAMES of pair: these only
		  --scenes NAMES  of pair: these only
	END
}

# version COMMAND...: the first line of what it says, if it is there
version()
{
	local line=

	if command -v "$1" >/dev/null; then
		line=$("$@" 2>&1 | head -n 1) || true
	fi
	echo "$line"
}

package()
{
	local is

	# shellcheck disable=SC2016 # for dpkg-query
	is=$(dpkg-query -W -f '${Version}' "$1" 2>/dev/null) || true
	echo "$is"
}

# What the figures were made on
machine()
{
	jq -n --arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --arg kernel "$(uname -r)" \
		--arg cores "$(nproc)" --arg load "$(cut -d' ' -f1-3 /proc/loadavg)" \
		--arg model "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
		--arg takeoverd "$(version "$TAKEOVERD" --version)" \
		--arg commit "$(git -C "$ROOT" rev-parse --short=12 HEAD 2>/dev/null || true)" \
		--arg keepalived "$(package keepalived)" --arg ucarp "$(package ucarp)" \
		--arg iproute2 "$(package iproute2)" --arg arping "$(package iputils-arping)" '
		{date: $date, kernel: $kernel, cores: ($cores | tonumber), model: $model,
		load_before: $load, takeoverd: $takeoverd, commit: $commit,
		keepalived: $keepalived, ucarp: $ucarp, iproute2: $iproute2, arping: $arping}'
}

headline()
{
	jq -r '"\(.date[:10]), Linux \(.kernel), \(.cores) x \(.model), load \(.load_before).",
		"\(.takeoverd), commit \(.commit); " + ([["keepalived", .keepalived],
		["ucarp", .ucarp], ["iproute2", .iproute2], ["iputils-arping", .arping]] |
		map(select(.[1] != "") | join(" ")) | join(", ")) + "."' "$OUT/machine" | fold -s -w 100 | sed 's/ $//'
}

# options PART: into WORDS
options()
{
	WORDS=("${OPTIONS[@]}")
	[[ $1 == hour ]] || WORDS+=("${RUNS[@]}")
	[[ $1 != pair ]] || WORDS+=("${PAIR[@]}")
}

# wanted NAME: among the parts
wanted()
{
	[[ " ${PARTS[*]} " == *" $1 "* ]]
}

# What has to be known before the first hour has gone by
check_wanted()
{
	local name

	[[ -z $HOUR ]] || wanted hour || PARTS+=(hour)
	for name in "${PARTS[@]}"; do
		[[ $name =~ ^(pair|scale|idle|hour)$ ]] || die "no part $name"
	done
	[[ -z $SVG ]] || wanted pair || die "--svg shows what pair has measured: --part pair"
	for name in "$JSON" "$SVG"; do
		[[ -z $name || -d $(dirname "$name") ]] || die "there is no directory for $name"
	done
}

# announce: what follows, and how long it takes
announce()
{
	local name seconds sum=0 parts=

	for name in "${PARTS[@]}"; do
		options "$name"
		seconds=$("$BENCH/$name.sh" --estimate "${WORDS[@]}")
		parts+="${parts:+, }$name $(span "$seconds")"
		sum=$((sum + seconds))
	done
	printf 'About %s: %s. Tables come at the end of each part.\n' "$(span "$sum")" "$parts" >&2
}

# part NAME: in the background, so that a signal reaches us, and it, at once
part()
{
	local name=$1 status=0

	options "$name"
	printf '%s:\n' "$name" >&2
	"$BENCH/$name.sh" --json "$OUT/$name.json" "${WORDS[@]}" </dev/null &
	WATCHED=$!
	{ wait "$WATCHED"; } 2>/dev/null || status=$?
	WATCHED=
	((status == 0)) || FAILED=$((FAILED + 1))
}

finish_up()
{
	trap '' INT TERM HUP PIPE
	if [[ -n $WATCHED ]]; then
		kill -TERM "$WATCHED"
		wait "$WATCHED"
	fi 2>/dev/null
	rm -rf "$OUT"
}

main()
{
	local name

	while (($#)); do
		case $1 in
		--help) usage && exit 0 ;;
		--list) exec "$BENCH/pair.sh" --list ;;
		--quick) OPTIONS+=(--quick) && shift && continue ;;
		--hour) HOUR=hour && shift && continue ;;
		--estimate) ESTIMATE=yes && shift && continue ;;
		--part) IFS=, read -r -a PARTS <<<"${2:-}" ;;
		--json) JSON=${2:-} ;;
		--svg) SVG=${2:-} ;;
		--runs) RUNS=("$1" "${2:-}") ;;
		--systems | --scenes) PAIR+=("$1" "${2:-}") ;;
		*) usage >&2 && exit 2 ;;
		esac
		(($# > 1)) || { usage >&2 && exit 2; }
		shift 2
	done
	check_wanted
	announce
	[[ -z $ESTIMATE ]] || exit 0
	need_tools
	command -v jq >/dev/null || die "jq is missing: make deps-bench"
	OUT=$(mktemp -d "${TMPDIR:-/tmp}/takeover-bench.XXXXXX")
	trap 'status=$?; set +eu; finish_up; exit $status' EXIT
	trap 'exit 130' INT TERM HUP PIPE
	machine >"$OUT/machine"
	headline
	for name in "${PARTS[@]}"; do
		part "$name"
	done
	[[ -z $JSON ]] || jq -s '{on: .[0], measurements: (.[1:] | add)}' "$OUT/machine" \
		"$OUT"/*.json >"$JSON"
	[[ -z $SVG ]] || jq -L "$BENCH" -r -f "$BENCH/draw.jq" "$OUT/pair.json" >"$SVG"
	((FAILED == 0))
}

main "$@"
