#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [PATTERN]: is every small change to the core noticed by a test? All mutants of agent/core/, and of the
# inline functions that it uses, are in one program with the tests of the core, and in one
# with the simulator, and $MUTANT chooses. Each is run: a failure, a crash or no end in time
# kills it. What is left has to be in the file survivors, with the reason why nobody can notice
# it, and nothing else may be there. With a pattern (of grep -E) only those mutants are run of
# whose file and change it is a part.

set -eu -o pipefail
exec </dev/null
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
BUILD=${BUILD:-build}
CC=${CC:-gcc}
AT_ONCE=${AT_ONCE:-$(nproc)}
SEEDS=${SEEDS:-2000}
DIR=$BUILD/mutants
CONSTANTS=$DIR/constants # of both headers
CORE=(agent/core/*.c)
HEADERS=(agent/core/internal.h agent/base.h)
read -ra SIM_SOURCES <<<"${SIM:?the sources of the simulator}"
PATTERN=${1:-}
UNITS_SECONDS=10 SIM_SECONDS=200 # of the processor, ten times what they take

# A look beyond the end of an array is noticed, too. That each function is compiled alone
# and without tables lets it be compared.
FLAGS=(-std=gnu17 -D_GNU_SOURCE -w -O1 -I"$DIR/sources" -I. -include tests/mutants/number.h)
MUTATED=(-fsanitize=bounds-strict -fsanitize-undefined-trap-on-error -ffunction-sections
	-fno-jump-tables -fno-ipa-cp -fno-ipa-ra -fno-ipa-pure-const)

die()
{
	echo "$*" >&2
	exit 1
}

stem()
{
	echo "${1//\//-}"
}

# --- The programs ------------------------------------------------------------------

# In $DIR/list, with tabs: number, file, line, "function: before => after", numbered if
# there are several of them; and the first number of each file.
list()
{
	local file next=1

	declare -gA FIRST
	cat agent/core/beat.h agent/core/core.h >"$CONSTANTS"
	: >"$DIR/unnumbered"
	for file in "${CORE[@]}" "${HEADERS[@]}"; do
		FIRST[$file]=$next
		"$DIR/mutate" list "$CONSTANTS" "$file" "$next" >"$DIR/changes"
		next=$((next + $(wc -l <"$DIR/changes")))
		sed "s|\t|\t$file\t|" "$DIR/changes" >>"$DIR/unnumbered"
	done
	awk -F '\t' -v OFS='\t' '{
		what = $4 ": " $5
		if (seen[$2, what]++)
			what = what " #" seen[$2, what]
		print $1, $2, $3, what
	}' "$DIR/unnumbered" >"$DIR/list"
}

# with_mutants FILE: its object, with all mutants but those that do not compile. They are found
# by trying, and are listed in $DIR/broken.
with_mutants()
{
	local file=$1 new=() except=()

	while :; do
		"$DIR/mutate" text "$CONSTANTS" "$file" "${FIRST[$file]}" "${except[@]}" \
			>"$DIR/mutated/$(basename "$file")"
		if "$CC" "${FLAGS[@]}" "${MUTATED[@]}" -c -o "$DIR/mutated/$(basename "$file" .c).o" \
			"$DIR/mutated/$(basename "$file")" 2>"$DIR/errors"; then
			break
		fi
		mapfile -t new < <(sed -n 's/^mutant \([0-9]*\):.* error: .*/\1/p' "$DIR/errors" | sort -nu)
		((${#new[@]} > 0)) || die "$(cat "$DIR/errors")"
		except+=("${new[@]}")
	done
	((${#except[@]} == 0)) || printf '%s\n' "${except[@]}" >>"$DIR/broken"
}

objects() # DIRECTORY FLAG... -- SOURCE...
{
	local into=$1 flags=() source

	shift
	mkdir -p "$into"
	while [[ $1 != -- ]]; do
		flags+=("$1")
		shift
	done
	shift
	for source; do
		"$CC" "${FLAGS[@]}" "${flags[@]}" -c -o "$into/$(stem "$source").o" "$source"
	done
}

# What is linked last runs first: tests that take long may find the mutant dead.
unit_tests()
{
	local slow="tests/core_request_test.c tests/core_full_test.c" test

	UNITS=()
	for test in $slow tests/core_*_test.c tests/core_test.c; do
		[[ " ${UNITS[*]} " == *" $test "* ]] || UNITS+=("$test")
	done
}

build()
{
	local file test parts=()

	"$CC" -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -O2 -I. -o "$DIR/mutate" tests/mutants/*.c
	"$CC" -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -O2 -o "$DIR/each" tests/mutants/run/each.c
	list
	: >"$DIR/broken"
	for file in "${CORE[@]}"; do
		with_mutants "$file"
	done
	unit_tests
	objects "$DIR/units.d" -Itests/mutants -- "${UNITS[@]}" tests/mutants/criterion/units.c
	objects "$DIR/sim.d" -- "${SIM_SOURCES[@]}" tests/mutants/run/number.c
	for test in "${UNITS[@]}" tests/mutants/criterion/units.c; do
		parts+=("$DIR/units.d/$(stem "$test").o")
	done
	number=$DIR/sim.d/$(stem tests/mutants/run/number.c).o
	"$CC" -o "$DIR/units" "$DIR"/mutated/*.o "${parts[@]}" "$number"
	"$CC" -o "$DIR/sim" "$DIR"/mutated/*.o "$DIR"/sim.d/*.o

	# The same with the headers mutated, and the core as it is.
	for file in "${HEADERS[@]}"; do
		mkdir -p "$DIR/sources/$(dirname "$file")"
		"$DIR/mutate" text "$CONSTANTS" "$file" "${FIRST[$file]}" >"$DIR/sources/$file"
	done
	objects "$DIR/core.d" "${MUTATED[@]}" -- "${CORE[@]}"
	rm -r "$DIR/sources"
	"$CC" -o "$DIR/units-headers" "$DIR"/core.d/*.o "${parts[@]}" "$number"
	"$CC" -o "$DIR/sim-headers" "$DIR"/core.d/*.o "$DIR"/sim.d/*.o
}

# --- The runs ------------------------------------------------------------------------

# Numbers of mutants whose code is that of the function as it was.
equivalent()
{
	local object

	for object in "$DIR"/mutated/*.o; do
		objdump -dr --no-show-raw-insn "$object" | awk '
			/^[0-9a-f]+ <.*>:$/ {
				number = ""
				name = $2
				gsub(/[<>:]/, "", name)
				if (match(name, /__[0-9]+$/)) {
					number = substr(name, RSTART + 2)
					name = substr(name, 1, RSTART - 1)
				}
				next
			}
			# what is in a table or a string is not compared
			/R_X86_64.*\.(data|rodata)/ { code[name, number] = code[name, number] number }
			/^ / {
				sub(/^ *[0-9a-f]+:[ \t]*/, "")
				gsub(/__[0-9]+/, "")
				sub(/[0-9a-f]+ </, "<")
				code[name, number] = code[name, number] "\n" $0
			}
			END {
				for (i in code) {
					split(i, of, SUBSEP)
					if (of[2] > 0 && code[i] == code[of[1], 0])
						print of[2]
				}
			}'
	done
}

# Numbers of mutants of inline functions that the core does not use.
unused()
{
	local number file what

	while IFS=$'\t' read -r number file _ what; do
		[[ $file == *.h && $what != -:* ]] || continue
		grep -qw "${what%%:*}" "${CORE[@]}" || echo "$number"
	done <"$DIR/list"
}

# without FILE...: the lines of the input that are in none of them
without()
{
	awk 'FILENAME != "-" { drop[$1]; next } !($1 in drop)' "$@" -
}

# survive PROGRAM SECONDS ARGUMENT...: of the numbers in $DIR/alive, who lives through it
survive()
{
	local headers=${FIRST[${HEADERS[0]}]}

	{
		awk -v h="$headers" '$1 < h' "$DIR/alive" |
			nice -n 15 "$DIR/each" "$AT_ONCE" "$2" "$DIR/$1" "${@:3}"
		awk -v h="$headers" '$1 >= h' "$DIR/alive" |
			nice -n 15 "$DIR/each" "$AT_ONCE" "$2" "$DIR/$1-headers" "${@:3}"
	} >"$DIR/verdicts"
	awk '$2 == "alive" { print $1 }' "$DIR/verdicts" | sort -n >"$DIR/alive"
	awk '$2 == "killed" { print $1 }' "$DIR/verdicts"
}

# Without a mutant nothing fails, or everything would be killed.
unharmed()
{
	local program

	for program in units units-headers; do
		"$DIR/$program" || return
	done
	for program in sim sim-headers; do
		"$DIR/$program" --seeds $((SEEDS / 10)) || return
	done
}

# --- The outcome -----------------------------------------------------------------------

report()
{
	awk -F '\t' '
		FILENAME != list { verdict[$1] = FILENAME; sub(/.*\//, "", verdict[$1]); next }
		{
			if (!($1 in verdict))
				verdict[$1] = "list" # it has none
			if (!($2 in n))
				file[++files] = $2
			n[$2]++
			n["all"]++
			v[$2, verdict[$1]]++
			v["all", verdict[$1]]++
		}
		END {
			file[++files] = "all"
			for (i = 1; i <= files; i++) {
				f = file[i]
				lost = v[f, "broken"] + v[f, "equivalent"]
				printf "%-21s %4d changes, %2d do not compile, %3d change nothing: ",
					f, n[f], v[f, "broken"], v[f, "equivalent"]
				printf "of %4d mutants %4d are killed by unit tests, %3d by the simulator, %3d survive",
					n[f] - lost, v[f, "by-units"], v[f, "by-sim"], v[f, "alive"]
				if (v[f, "list"])
					printf ", %4d have not been asked for", v[f, "list"]
				print ""
			}
			if (pattern == "" && v["all", "list"]) {
				print "Each mutant has to be one of these."
				exit 1
			}
		}' pattern="$PATTERN" list="$DIR/list" "$DIR"/{broken,equivalent,by-units,by-sim,alive,list}
}

# Of the survivors file, "FILE FUNCTION: BEFORE => AFTER"; the reasons are indented.
explained()
{
	grep '^agent/' tests/mutants/survivors | LC_ALL=C sort
}

compare()
{
	local status=0

	awk -F '\t' 'FILENAME == ARGV[1] { alive[$1]; next } $1 in alive { print $2 " " $4 }' \
		"$DIR/alive" "$DIR/list" | LC_ALL=C sort >"$DIR/unnoticed"
	explained >"$DIR/explained"
	if LC_ALL=C comm -23 "$DIR/unnoticed" "$DIR/explained" | grep .; then
		echo "Nothing notices these, and tests/mutants/survivors does not say why."
		status=1
	fi
	if [[ -z $PATTERN ]] && LC_ALL=C comm -13 "$DIR/unnoticed" "$DIR/explained" | grep .; then
		echo "These in tests/mutants/survivors are noticed, or there are none such any more."
		status=1
	fi
	return "$status"
}

rm -rf "$DIR"
mkdir -p "$DIR/mutated"
build
unharmed >"$DIR/unharmed" || die "$(cat "$DIR/unharmed")"
{ equivalent && unused; } | sort -n >"$DIR/equivalent"
grep -E "$PATTERN" "$DIR/list" | cut -f 1 | without "$DIR/broken" "$DIR/equivalent" >"$DIR/alive"
survive units "$UNITS_SECONDS" >"$DIR/by-units"
survive sim "$SIM_SECONDS" --seeds $((SEEDS / 10)) >"$DIR/by-sim"
survive sim "$SIM_SECONDS" --from $((SEEDS / 10 + 1)) --seeds $((SEEDS - SEEDS / 10)) >>"$DIR/by-sim"
report
compare
