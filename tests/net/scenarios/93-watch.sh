# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # the words in R, a map of lib.sh

# What the benchmark sees many addresses move with (tests/bench/watch.c), held against
# moves by hand.

MANY=(10.77.1.0 100)

many() # NODE add|delete LINK
{
	in_ns "$1" "$BUILD/tests/bench/floor" "$2" "$3" "${MANY[@]}" >"$DIR/floor.out"
}

many_watch()
{
	spawn_ready watch c "$DIR/watch.out" "$BUILD/tests/bench/watch" "${MANY[@]}" "$PATIENCE" \
		"/run/netns/$NET-b" "/run/netns/$NET-a" "/run/netns/$NET-br" b0 --ready @READY@
}

# many_watched NEW OLD ANNOUNCED
many_watched()
{
	figures "$(<"$DIR/watch.out")"
	[[ ${R[new]}/${R[old]}/${R[announced]} == "$1/$2/$3" ]] ||
		fail "not $1 there, $2 on the old node, $3 announced: $(<"$DIR/watch.out")"
}

# Addresses on an interface that is down do not work yet, and what the old node announces
# is not the new one's.
scenario_watch_of_many()
{
	net_up
	ip -n "$NET-b" link add vip0 link eth0 type macvlan mode bridge
	ip -n "$NET-b" link set vip0 up
	many b add vip0
	ip -n "$NET-b" link set vip0 down
	many_watch
	many a add eth0
	finish watch && fail "it saw a move without one"
	many_watched 0 100 0

	many_watch
	ip -n "$NET-b" link set vip0 up
	finish watch && fail "it did not miss the announcements"
	many_watched 100 100 0
	((R[new_first_us] && R[new_first_us] == R[new_last_us] && !R[old_last_us])) ||
		fail "one message was enough for all: $(<"$DIR/watch.out")"

	many b delete vip0
	many_watch
	many b add eth0
	many a delete eth0
	reap watch || fail "it did not see them move: $(<"$DIR/watch.out")"
	many_watched 100 0 100
	((R[frames] == 100 && R[new_first_us] <= R[new_last_us] &&
		R[announced_first_us] <= R[announced_last_us] &&
		R[old_first_us] <= R[old_last_us] && R[announced_last_us] <= R[old_first_us])) ||
		fail "not in the order in which it was done: $(<"$DIR/watch.out")"
}
