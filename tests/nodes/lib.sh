# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Two booted nodes in the network of tests/net: a and b are containers with
# systemd as PID 1. Their disk is this machine's own, read-only, below a tmpfs
# that takes what they write. What is not said here is as in tests/net/lib.sh;
# bus, agent and configuration are the installed ones, found where they belong.

# shellcheck source=tests/net/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../net/lib.sh"
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# shellcheck disable=SC2034 # for config_agent
KEY_FILE=/etc/takeover/key
NOBODY=65534
BOOT_SECONDS=60 # within which both nodes have booted, on a busy machine
PACKAGE=
declare -A LEADER=() # PID 1 of each node, as seen from here

# What would start in a node without anybody having enabled it
MASKED=(console-getty.service getty.target systemd-networkd.service systemd-networkd.socket
	systemd-resolved.service systemd-timesyncd.service systemd-update-utmp.service
	systemd-update-utmp-runlevel.service)

need_tools()
{
	local tool mount

	[[ $(id -u) == 0 ]] || die "root is needed: containers, network namespaces"
	for tool in ip nft nsenter systemd-nspawn systemctl systemd-sysusers dbus-daemon make pgrep \
		conntrackd; do
		command -v "$tool" >/dev/null || die "$tool is missing: make deps"
	done
	[[ -e /lib/systemd/system/dbus.service ]] || die "the nodes need a system bus: make deps"
	[[ -e /lib/systemd/system/polkit.service ]] || die "the nodes need polkit: make deps"
	[[ -e /lib/systemd/system/kamailio.service ]] || die "Kamailio is missing: make deps"
	[[ -x $PROBE ]] || die "$PROBE is missing: make tests"
	[[ -x $TAKEOVERD ]] || die "$TAKEOVERD is missing: make"
	[[ -n $(cgroup_mounts) ]] || die "no cgroup2 is mounted here: the nodes cannot boot"
	for mount in $(cgroup_mounts); do
		{ mkdir "$mount/$NET-try" && rmdir "$mount/$NET-try"; } 2>/dev/null ||
			die "no cgroup can be made in $mount: the nodes cannot boot"
	done
	unshare --mount sh -c 'mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w /mnt/r &&
		mount -t overlay none -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r' \
		2>/dev/null || die "no overlay over / can be mounted here: the nodes have no disk"
}

# Where systemd-nspawn makes groups; on a machine with both kinds, in both.
cgroup_mounts()
{
	awk '$3 == "cgroup2" || ($3 == "cgroup" && $4 ~ /name=systemd/) { print $2 }' /proc/mounts
}

# --- A node from nothing to its end -----------------------------------------

# node_disk NODE: what it will boot from; sets DISK
node_disk()
{
	local dir=$DIR/$1/disk unit

	DISK=$dir/root
	mkdir -p "$dir"
	mount -t tmpfs -o mode=755 takeover-test "$dir"
	mkdir "$dir/upper" "$dir/work" "$DISK"
	mount -t overlay takeover-test \
		-o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" "$DISK"
	# What is enabled or configured on this machine is not in the node,
	rm -rf "$DISK/etc/systemd/system" "$DISK/etc/takeover" "$DISK/var/lib/takeover"
	sed -i '/^takeover:/d' "$DISK"/etc/{passwd,group,shadow,gshadow}
	mkdir -p "$DISK/etc/systemd/system/multi-user.target.wants" \
		"$DISK/etc/systemd/system-generators" "$DISK/etc/systemd/journald.conf.d"
	for unit in "${MASKED[@]}"; do
		ln -s /dev/null "$DISK/etc/systemd/system/$unit"
	done
	# nor its disks and its old init scripts, which become units by these.
	for unit in "$DISK"/lib/systemd/system-generators/*; do
		ln -sf /dev/null "$DISK/etc/systemd/system-generators/${unit##*/}"
	done
	echo "${NODE_NAME[$1]}" >"$DISK/etc/hostname"
	printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "${NODE_NAME[$1]}" >"$DISK/etc/hosts"
	tr -d - </proc/sys/kernel/random/uuid >"$DISK/etc/machine-id"
	printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\n' \
		>"$DISK/etc/systemd/journald.conf.d/test.conf"
	# The last thing that happens at boot is that we hear of it.
	cat >"$DISK/etc/systemd/system/test-booted.service" <<-END
		[Unit]
		DefaultDependencies=no
		After=multi-user.target
		[Service]
		Type=oneshot
		ExecStart=/bin/sh -c 'echo booted >/test-booted'
	END
	ln -s ../test-booted.service "$DISK/etc/systemd/system/multi-user.target.wants/"
}

# node_install: onto DISK, as a package is made and unpacked
node_install()
{
	if [[ -z $PACKAGE ]]; then
		PACKAGE=${DISK%/root}/package # not among the logs
		env -u MAKEFLAGS -u MFLAGS make --no-print-directory -C "$ROOT" BUILD="$BUILD" \
			DESTDIR="$PACKAGE" install >"$DIR/install.out" 2>&1 ||
			fail "make install: $(cat "$DIR/install.out")"
	fi
	cp -a "$PACKAGE/." "$DISK"
	systemd-sysusers --root="$DISK" "$DISK/usr/lib/sysusers.d/takeover.conf" \
		>>"$DIR/install.out" 2>&1 || fail "sysusers: $(cat "$DIR/install.out")"
}

# node_configure NODE: the files that an operator writes
node_configure()
{
	local disk=$DIR/$1/disk/root

	[[ -z ${LEADER[$1]:-} ]] || disk=/proc/${LEADER[$1]}/root
	[[ -e $DIR/key ]] || head -c 32 /dev/urandom | base64 >"$DIR/key"
	install -m 600 "$DIR/key" "$disk/etc/takeover/key"
	install -m 644 "$DIR/takeover.conf" "$disk/etc/takeover/takeover.conf"
}

# node_boot NODE...: at the same time; returns when everything has been started
node_boot()
{
	local node fd
	declare -A fds=()

	for node; do
		[[ -p $DIR/$node/booted ]] || mkfifo "$DIR/$node/booted"
		exec {fd}<>"$DIR/$node/booted"
		fds[$node]=$fd
		spawn_node "$node"
	done
	for node; do
		fd=${fds[$node]}
		await_boot "$node" "$fd"
		exec {fd}>&-
		find_leader "$node"
	done
}

# await_boot NODE FD: a line there, or the end of what should send it
await_boot()
{
	local until=$((SECONDS + BOOT_SECONDS))

	until read -r -t 1 _ <&"$2"; do
		! "$PROBE" wait-exit "${PIDS[node-$1]}" 0 2>/dev/null ||
			fail "node $1 cannot boot: $(cat "$DIR/node-$1.err" "$DIR/$1/console")"
		((SECONDS < until)) ||
			fail "node $1 does not boot: $(tail -n 5 "$DIR/$1/console")"
	done
}

spawn_node()
{
	local mount groups=()

	for mount in $(cgroup_mounts); do
		mkdir -p "$mount/$NET-$1"
		groups+=("$mount/$NET-$1/cgroup.procs")
	done
	# shellcheck disable=SC2016 # for that shell
	SYSTEMD_NSPAWN_API_VFS_WRITABLE=network spawn "node-$1" "$1" "$DIR/$1/console" \
		sh -c 'echo $$ | tee '"${groups[*]}"' >/dev/null && exec "$@"' sh \
		systemd-nspawn --quiet --register=no --keep-unit --directory="$DIR/$1/disk/root" \
		--machine="$NET-$1" --hostname="${NODE_NAME[$1]}" --boot --console=pipe \
		--link-journal=no --timezone=off --resolv-conf=off \
		--capability=CAP_NET_ADMIN,CAP_NET_RAW \
		--bind-ro="$ROOT" --bind-ro="$BUILD" --bind="$DIR/$1/booted:/test-booted" \
		systemd.unit=multi-user.target
}

# The child of systemd-nspawn that is the first process of a PID namespace
find_leader()
{
	local pid

	for pid in $(pgrep -P "${PIDS[node-$1]}"); do
		if grep -q '^NSpid:.*[[:space:]]1$' "/proc/$pid/status"; then
			LEADER[$1]=$pid
			return
		fi
	done
	fail "node $1 has no PID 1: $(cat "$DIR/$1/console")"
}

# nodes_up NODE...: installed, configured and booted, with a service; not started
nodes_up()
{
	local node

	for node; do
		node_disk "$node"
		node_install
		node_configure "$node"
	done
	node_boot "$@"
	for node; do
		node_serve "$node"
	done
}

# The service that clients find behind the virtual addresses
node_serve()
{
	spawn_ready "echo-$1" "$1" /dev/null "$PROBE" echo "${NODE_NAME[$1]}" "$PORT" \
		--ready @READY@
}

# node_halt NODE: in order, as by the power button
node_halt()
{
	kill -RTMIN+4 "${LEADER[$1]}"
	reap "node-$1" || true
	unset "LEADER[$1]" "AGENT[$1]"
	finish "echo-$1" || true
}

# node_reboot NODE: in order; its network stays, as that of a real host does not
node_reboot()
{
	in_node "$1" systemctl reboot
	reap "node-$1" || true # it says that it wants to be started again
	unset "LEADER[$1]" "AGENT[$1]"
	node_boot "$1"
}

# node_freeze NODE / node_thaw NODE: all of its processes, not its kernel
node_freeze()
{
	node_cgroup "$1" freeze 1
}

node_thaw()
{
	node_cgroup "$1" freeze 0
}

node_cgroup() # NODE FILE VALUE
{
	echo "$3" >"$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)/$NET-$1/cgroup.$2"
}

# node_cut NODE: no frame of it gets anywhere, but its links do not notice
node_cut()
{
	printf 'link set %s0 nomaster\nlink set %s1 nomaster\n' "$1" "$1" | ip -n "$NET-br" -batch -
}

# node_join NODE: the end of that
node_join()
{
	printf 'link set %s0 master br0\nlink set %s1 master br1\n' "$1" "$1" |
		ip -n "$NET-br" -batch -
}

# --- In a node --------------------------------------------------------------

# in_node NODE COMMAND...: as root, in all its namespaces
in_node()
{
	local leader=${LEADER[$1]}

	shift
	nsenter --target "$leader" --all -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# as_nobody NODE COMMAND...: as a user without any privilege
as_nobody()
{
	local node=$1

	shift
	in_node "$node" setpriv --reuid=$NOBODY --regid=$NOBODY --clear-groups -- "$@"
}

# journal_find NODE OPTION...: messages of what has ended are in the journal once it has taken up
# all that it was sent
journal_find()
{
	local node=$1

	shift
	in_node "$node" journalctl --sync
	in_node "$node" journalctl --output=cat --no-pager "$@"
}

# says PATTERN: all of it is read, or who writes it may end by SIGPIPE
says()
{
	grep -qiE -e "$1" <<<"$(cat)"
}

journal() # NODE: what systemd and takeoverd say of the service
{
	journal_find "$1" --unit=takeoverd
}

# unit_is NODE PROPERTY VALUE
unit_is()
{
	local now

	now=$(in_node "$1" systemctl show --property="$2" --value takeoverd)
	[[ $now == "$3" ]] || fail "takeoverd on node $1: $2 is $now, not $3"
}

bus_of()
{
	printf 'unix:path=/proc/%s/root/run/dbus/system_bus_socket' "${LEADER[$1]}"
}

# find_agent NODE: its process, as seen from here, into AGENT
find_agent()
{
	local pid

	for pid in $(ip netns pids "$NET-$1"); do
		if [[ $(cat "/proc/$pid/comm" 2>/dev/null) == takeoverd ]]; then
			AGENT[$1]=$pid
			return
		fi
	done
	fail "no takeoverd runs on node $1: $(journal "$1" | tail -n 5)"
}

agent_start()
{
	in_node "$1" systemctl start takeoverd ||
		fail "takeoverd does not start on node $1: $(journal "$1")"
	find_agent "$1"
}

agent_end() # NODE TERM
{
	in_node "$1" systemctl stop takeoverd || fail "takeoverd does not stop on node $1"
	unit_is "$1" Result success
	unset "AGENT[$1]"
}

# --- What the manual says ---------------------------------------------------

# manual_literal MARK: the lines of takeover(7) that follow this comment
manual_literal()
{
	awk -v mark="\" $1" 'index($0, mark) { found = 1; next }
		found && /^\.Bd/ { inside = 1; next }
		/^\.Ed/ { found = inside = 0 }
		inside' "$ROOT/man/takeover.7"
}

# --- The end ----------------------------------------------------------------

# What the nodes had to say, for whoever looks why something failed; then the end
# of their first processes, and with these of all others, seen through.
nodes_down()
{
	local node pid

	for node in "${!LEADER[@]}"; do
		pid=${PIDS[node-$node]:-}
		[[ -n $pid && -d /proc/${LEADER[$node]}/root ]] || continue
		timeout 10 nsenter --target "${LEADER[$node]}" --all -- journalctl --no-pager \
			--output=short-precise >"$DIR/journal-$node" 2>&1
		grep takeoverd "$DIR/journal-$node" >"$DIR/agent-$node.err"
		kill -KILL "${LEADER[$node]}"
		"$PROBE" wait-exit "$pid" "$PATIENCE"
	done
}

# What is left of nodes whose scenario could not see to it: processes first, then
# the mounts and groups that they were in.
nodes_clear() # NAME
{
	local mount node disk

	for node in a b; do
		for mount in $(cgroup_mounts); do
			[[ ! -e $mount/$1-$node/cgroup.kill ]] || echo 1 >"$mount/$1-$node/cgroup.kill"
		done
		[[ ! -e /run/netns/$1-$node ]] || end_all "$1-$node"
		for disk in "${TMPDIR:-/tmp}/takeover-$1".??????/"$node/disk"; do
			[[ ! -d $disk/root ]] || umount --lazy "$disk/root" "$disk"
		done
		for mount in $(cgroup_mounts); do
			[[ ! -d $mount/$1-$node ]] || remove_group "$mount/$1-$node"
		done
		rm -rf "/run/systemd/nspawn/propagate/$1-$node"
	done
}

# The dead leave a group a moment after they have gone.
remove_group()
{
	local until=$((SECONDS + PATIENCE))

	until find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || ((SECONDS > until)); do
		:
	done
}
