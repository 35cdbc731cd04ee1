# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Completion of takeoverctl for bash. Needs nothing but bash.

# The names are what the bus says: of them only those that takeoverd would take.
_takeoverctl_groups()
{
	timeout 1 takeoverctl --json status 2>/dev/null |
		LC_ALL=C grep -o '"name":"[A-Za-z0-9._-]*","role"' | cut -d'"' -f4
}

_takeoverctl_files()
{
	compopt -o filenames 2>/dev/null # quoted, and a slash behind a directory
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_takeoverctl()
{
	local verbs=(status explain switchover drain maintenance inhibit announce wait test-event reload monitor events trace verify check genkey version help)
	local options=(--json --config --node --timeout --to --strict --force --why --follow --since --host --machine --help --version)
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local verb='' words=() candidate i n=0

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c | --config | -n | --node | -t | --timeout | -T | --to | -w | --why | \
			-S | --since | -H | --host | -M | --machine)
			((++i))
			[[ ${COMP_WORDS[i]} != = ]] || ((++i))
			;;
		-*) ;;
		*)
			[[ -n $verb ]] && ((++n)) # arguments behind the verb
			verb=${verb:-${COMP_WORDS[i]}}
			;;
		esac
	done
	if [[ $word == = ]]; then # of --config=FILE bash makes three words
		word=''
	elif [[ $before == = ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $before in
	-c | --config)
		_takeoverctl_files "$word"
		return
		;;
	-H | --host)
		mapfile -t COMPREPLY < <(compgen -A hostname -- "$word")
		return
		;;
	-n | --node | -t | --timeout | -T | --to | -w | --why | -S | --since | -M | --machine) return ;;
	esac
	if [[ $word == -* ]]; then
		words=("${options[@]}")
	elif [[ -z $verb ]]; then
		words=("${verbs[@]}")
	else
		case $verb:$n in
		explain:0 | events:0 | switchover:0 | drain:0 | inhibit:0 | announce:0 | verify:0 | maintenance:1 | test-event:1)
			mapfile -t words < <(_takeoverctl_groups)
			;;
		maintenance:0) words=(on off) ;;
		wait:0)
			mapfile -t words < <(_takeoverctl_groups)
			words+=(primary backup)
			;;
		wait:1) words=(primary backup) ;;
		inhibit:1)
			mapfile -t COMPREPLY < <(compgen -c -- "$word")
			return
			;;
		inhibit:*)
			_takeoverctl_files "$word"
			return
			;;
		genkey:0)
			_takeoverctl_files "$word"
			return
			;;
		esac
	fi
	# not compgen -W, which would expand what the words say
	for candidate in "${words[@]}"; do
		[[ $candidate != "$word"* ]] || COMPREPLY+=("$candidate")
	done
}

complete -F _takeoverctl takeoverctl
