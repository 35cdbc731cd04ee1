# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# The commands of takeover(7), A PAIR FROM NOTHING, one a line, in their order
manual_commands()
{
	sed -n '/^\.Sh A PAIR/,/^\.Sh PARTITION/p' "$ROOT/man/takeover.7" |
		sed -n ':a; /\\e$/ { N; s/\\e\n//; ba; }; s/^# //p'
}

# Its configuration, with the addresses of this network in the place of its own
manual_example()
{
	manual_literal 'example: takeover.conf' |
		sed "s,10\.10\.11\.103,$VIP4,; s,10\.10\.11\.10,10.77.0.1,
			s,10\.20\.0\.10,10.78.0.1,; s,2001:db8:11::103,$VIP6,"
}

manual_must() # NODE COMMAND
{
	in_node "$1" sh -c "$2" >"$DIR/manual.out" 2>&1 ||
		fail "the manual says \"$2\", node $1 says: $(cat "$DIR/manual.out")"
}

# What is said for both hosts is done on both; alpha is where the operator sits.
manual_follow() # COMMAND
{
	local node words

	case $1 in
	make | "make deps") ;; # has been done
	"make install" | systemctl* | "takeoverctl status")
		[[ $1 != takeoverctl* ]] || settle
		for node in a b; do
			manual_must $node "${1/#make/make --no-print-directory -C $ROOT BUILD=$BUILD}"
		done
		;;
	"ssh beta "*) manual_must b "${1#ssh beta }" ;;
	scp*)
		read -r -a words <<<"$1"
		cp -p "/proc/${LEADER[a]}/root${words[-2]}" "/proc/${LEADER[b]}/root${words[-1]#beta:}"
		;;
	*) manual_must a "$1" ;;
	esac
	[[ $1 != "takeoverctl genkey"* ]] || manual_example >"/proc/${LEADER[a]}/root/etc/takeover/takeover.conf"
}

# Two hosts, the manual, and nothing else.
scenario_manual_is_enough()
{
	local node command n=0

	net_up
	for node in a b; do
		node_disk "$node"
		node_boot "$node"
		node_serve "$node"
	done
	while read -r command <&3; do
		manual_follow "$command"
		n=$((n + 1))
	done 3< <(manual_commands)
	((n > 10)) || fail "only $n commands found in the manual"
	find_agent a
	find_agent b
	settle
	assert_holder "$PRIMARY" 32 128
	fact commands "$n"
}
