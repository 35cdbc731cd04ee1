# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Completion of takeoverctl for bash. Needs nothing but bash.

_takeoverctl_groups()
{
	timeout 1 "${COMP_WORDS[0]}" --json status 2>/dev/null |
		grep -o '"name":"[^"]*","role"' | cut -d'"' -f4
}

_takeoverctl()
{
	local verbs='status switchover maintenance announce monitor check genkey version help'
	local options='--json --config --node --help --version'
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local verb='' words='' i n=0

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c | --config | -n | --node) ((++i)) ;;
		-*) ;;
		*)
			[[ -n $verb ]] && ((++n)) # arguments behind the verb
			verb=${verb:-${COMP_WORDS[i]}}
			;;
		esac
	done
	case $before in
	-c | --config)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	-n | --node) return ;;
	esac
	if [[ $word == -* ]]; then
		words=$options
	elif [[ -z $verb ]]; then
		words=$verbs
	else
		case $verb:$n in
		switchover:0 | announce:0 | maintenance:1) words=$(_takeoverctl_groups) ;;
		maintenance:0) words='on off' ;;
		genkey:0)
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			return
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _takeoverctl takeoverctl
