# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # the words in R, a map of lib.sh

# What the end of the lease silences, seen from every side.

# The client c gets a second interface, in the nodes' second network.
second_nic()
{
	printf '%s\n' "link add c1 type veth peer name eth1 netns $NET-c" \
		'link set c1 master br1 up' | ip -n "$NET-br" -batch -
	printf '%s\n' 'link set eth1 up' 'address add 10.78.0.50/24 dev eth1' |
		ip -n "$NET-c" -batch -
}

# asks ANSWERS: clients that ask for the MAC, and those that know it or think so, on the address's
# interface and on the other one (where Linux answers ARP as well, but not neighbour discovery)
asks()
{
	local address client

	for address in "$VIP4" "$VIP6"; do
		for client in c ca; do
			ip -n "$NET-c" neighbour flush dev eth0
			asks_one "$client" "$address" "$1" eth0
		done
	done
	ip -n "$NET-c" route add "$VIP4/32" dev eth1
	asks_one c "$VIP4" "$1" eth1
	ip -n "$NET-c" -6 route add "$VIP6/128" dev eth1
	for address in "$VIP4" "$VIP6"; do
		ip -n "$NET-c" neighbour replace "$address" lladdr "$(mac a 1)" dev eth1 nud permanent
		asks_one c "$address" "$1" eth1
		ip -n "$NET-c" neighbour delete "$address" dev eth1
	done
	ip -n "$NET-c" route delete "$VIP4/32" dev eth1
	ip -n "$NET-c" -6 route delete "$VIP6/128" dev eth1
}

asks_one() # CLIENT ADDRESS ANSWERS INTERFACE
{
	send_some "$1" "$2" 5
	[[ ${R[answered]} == "$3" ]] ||
		fail "$1 gets ${R[answered]} answers of $3 from $2 through $4"
}

# Counts the frames that node a sends in the name of the addresses, on both networks, and those
# in its own.
watch_begin()
{
	in_ns br nft -f - <<-END
		table bridge witness
		delete table bridge witness
		table bridge witness {
			chain from {
				type filter hook prerouting priority -350
				iifname { a0, a1 } jump a
			}
			chain a {
				ip saddr $VIP4 counter comment "ours"
				ip6 saddr $VIP6 counter comment "ours"
				arp saddr ip $VIP4 counter comment "ours"
				icmpv6 type nd-neighbor-advert @th,64,128 0xfd770000000000000000000000000100 \\
					counter comment "ours"
				arp saddr ip 10.77.0.11 counter comment "own ARP"
				icmpv6 type nd-neighbor-advert @th,64,128 0xfd770000000000000000000000000011 \\
					counter comment "own ND"
			}
		}
	END
}

seen() # COMMENT
{
	in_ns br nft list table bridge witness |
		sed -n "s/.*counter packets \([0-9]*\).*comment \"$1\"/\1/p" | paste -sd+ | bc
}

tcp_serve() # NODE
{
	spawn "tcp-$1" "$1" /dev/null systemd-socket-activate -l 7001 --accept --inetd cat
	spawn "yes-$1" "$1" /dev/null systemd-socket-activate -l 7002 --accept --inetd yes
}

# tcp_open KEY CLIENT ADDRESS: a connection. It does as it is told: sends a word, if there is one,
# and says what it reads within some seconds, or "silent", or "closed".
tcp_open()
{
	local fd

	mkfifo "$DIR/$1.in" "$DIR/$1.out"
	# shellcheck disable=SC2016 # for that shell
	spawn "$1" "$2" /dev/null bash -c 'trap "" PIPE
		exec 3<>"$1.in" 4<>"$1.out" 5<>"/dev/tcp/$2/7001" 6<"/dev/tcp/$2/7002" || exit
		cat <&6 >/dev/null & # always something on its way
		echo open >&4
		while read -r seconds word <&3; do
			[[ -z $word ]] || printf "%s\n" "$word" >&5 || echo closed >&4
			read -r -t "$seconds" answer <&5; status=$?
			if ((status == 0)); then
				echo "$answer" >&4
			elif ((status > 128)); then
				echo silent >&4
			else
				echo closed >&4
			fi
		done' bash "$DIR/$1" "$3"
	exec {fd}<>"$DIR/$1.out"
	TCP[$1]=$fd
	tcp_hears "$1" open
}
declare -A TCP=()

tcp_hears() # KEY ANSWER
{
	local line

	read -r -t "$PATIENCE" line <&"${TCP[$1]}" || line="nothing at all: $(cat "$DIR/$1.err")"
	[[ $line == "$2" ]] || fail "the connection $1 says $line, not $2"
}

tcp_tell() # KEY SECONDS [WORD]
{
	printf '%s %s\n' "$2" "${3:-}" >"$DIR/$1.in"
}

# Processes of the silenced host itself. What is sent from the address is refused; what is sent to
# it from another one is lost on the loopback.
local_client() # NODE
{
	local address said

	! said=$(in_ns "$1" bash -c "echo >/dev/udp/$VIP6/$PORT" 2>&1) || fail "UDP to $VIP6 is sent"
	[[ $said == *'Operation not permitted'* ]] || fail "UDP to $VIP6: $said"
	for address in "$VIP4" "$VIP6"; do
		send_some "$1" "$address" 5
		[[ ${R[answered]} == 0 ]] || fail "$address answers its own host"
		! in_ns "$1" timeout 0.3 bash -c "exec 5<>/dev/tcp/$address/7001" 2>/dev/null ||
			fail "TCP to $address is connected"
	done
}

# A frozen agent, nobody to take over. Not a frame leaves, whoever asks and by whichever way, but
# what the host does with its other addresses is as before, and connections outlive it.
scenario_lease_end_silences_every_way()
{
	local family

	net_up
	second_nic
	config_default >"$DIR/takeover.conf"
	nodes_up a b
	tcp_serve a
	tcp_serve b
	in_ns a sysctl -qw net.ipv4.conf.all.arp_notify=1 net.ipv6.conf.all.ndisc_notify=1
	agent_start a
	wait_role a primary
	asks 5
	tcp_open tcp4 c "$VIP4"
	tcp_open tcp6 c "$VIP6"

	agent_signal a STOP
	until [[ ${R[answered]:-1} == 0 ]]; do
		send_some c "$VIP4" 20
	done
	watch_begin
	asks 0
	local_client a
	ip -n "$NET-a" link set eth0 address 02:74:6b:00:00:99 # the kernel announces that
	ip -n "$NET-a" link set eth0 address "$(mac a 0)"
	send_some c 10.77.0.11 5
	[[ ${R[answered]} == 5 ]] || fail "the host's own address is silent, too"
	(($(seen 'own ARP') > 0 && $(seen 'own ND') > 0)) || fail "the kernel announces nothing"
	for family in 4 6; do
		tcp_tell "tcp$family" 0.3 "hello$family"
		tcp_hears "tcp$family" silent
	done
	[[ $(seen ours) == 0 ]] || fail "$(in_ns br nft list table bridge witness)"

	agent_signal a CONT
	for family in 4 6; do
		tcp_tell "tcp$family" "$PATIENCE"
		tcp_hears "tcp$family" "hello$family"
	done
	asks 5
	agent_start b
	settle
	agent_signal a STOP
	wait_role b primary
	watch_begin
	for family in 4 6; do # a reset, of the new primary
		tcp_tell "tcp$family" "$PATIENCE" again
		tcp_hears "tcp$family" closed
	done
	[[ $(seen ours) == 0 ]] || fail "$(in_ns br nft list table bridge witness)"
	agent_signal a CONT
	settle
	assert_holder b
	[[ $(seen ours) == 0 ]] || fail "$(in_ns br nft list table bridge witness)"
}
