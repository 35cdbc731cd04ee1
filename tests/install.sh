#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What make install puts below DESTDIR, and that make uninstall takes away
# exactly that: with the usual directories, with another PREFIX, and with every
# directory named. Nothing outside DESTDIR is touched, so anybody may run this.

set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
BUILD=${BUILD:-build}
DIR=$(mktemp -d "${TMPDIR:-/tmp}/takeover-install.XXXXXX")
trap 'rm -rf "$DIR"' EXIT
trap 'exit 130' INT TERM HUP PIPE
mkdir "$DIR/build"
cp -a "$BUILD"/{agent,netlink,sdbus,libtakeover.a,directories,takeoverd,takeoverctl,takeover-generator,takeover-react} "$DIR/build"
BUILD=$DIR/build
facts=0

fail()
{
	printf '%s\n' "$*" >&2
	exit 1
}

# The jobserver of a make that runs us is not ours.
plain_make()
{
	env -u MAKEFLAGS -u MFLAGS make --no-print-directory BUILD="$BUILD" "$@" \
		>"$DIR/out" 2>&1 || fail "make $*: $(cat "$DIR/out")"
}

quiet_make()
{
	plain_make DESTDIR="$DIR/root" "$@"
	[[ ! -s $DIR/out ]] || fail "make $* says: $(cat "$DIR/out")"
}

# takeoverctl knows where takeoverd is: with other directories it is built again
quiet_install()
{
	plain_make all "$@"
	quiet_make install "$@"
}

# installed FILE MODE: it is there
installed()
{
	[[ -f $DIR/root$1 ]] || fail "$1 is not installed, but $(cd "$DIR/root" && find . -type f)"
	[[ $(stat -c %a "$DIR/root$1") == "$2" ]] || fail "$1 has mode $(stat -c %a "$DIR/root$1")"
	facts=$((facts + 1))
}

# round_trip VARIABLE=VALUE...: install, uninstall; nothing is left, nothing else goes
round_trip()
{
	mkdir -p "$DIR/root/usr/share/doc/takeover/examples" "$DIR/root/etc/takeover"
	touch "$DIR/root/etc/takeover/takeover.conf" "$DIR/root/usr/share/doc/takeover/mine"
	quiet_make uninstall "$@"
	[[ $(cd "$DIR/root" && find . -type f | sort | paste -sd ' ') == \
		"./etc/takeover/takeover.conf ./usr/share/doc/takeover/mine" ]] ||
		fail "after uninstall $*: $(cd "$DIR/root" && find . -type f)"
	rm -rf "$DIR/root"
	quiet_install "$@"
	quiet_make uninstall "$@"
	[[ -z $(find "$DIR/root" ! -type d) ]] ||
		fail "uninstall $* leaves $(find "$DIR/root" ! -type d)"
	[[ -z $(find "$DIR/root" -name '*takeover*') ]] ||
		fail "uninstall $* leaves $(find "$DIR/root" -name '*takeover*')"
	rm -rf "$DIR/root"
	facts=$((facts + 1))
}

# everything PREFIX POLICY SBIN [ACTIONS]: where things are by default
everything()
{
	local page name

	[[ $(stat -c %a "$DIR/root/etc/takeover") == 755 ]] || fail "no place for the configuration"
	installed "$3/takeoverd" 755
	installed "$1/bin/takeoverctl" 755
	installed "$1/libexec/takeover/takeover-react" 755
	installed "$1/lib/systemd/system-generators/takeover-generator" 755
	grep -qaF "$1/libexec/takeover" "$DIR/root$1/lib/systemd/system-generators/takeover-generator" ||
		fail "the generator's units start something elsewhere"
	for name in takeoverd takeover-cleanup; do
		installed "$1/lib/systemd/system/$name.service" 644
		grep -qE "^ExecStart=$3/takeoverd( |$)" "$DIR/root$1/lib/systemd/system/$name.service" ||
			fail "$name.service does not start $3/takeoverd"
		! grep -q '@[A-Z]*@' "$DIR/root$1/lib/systemd/system/$name.service" ||
			fail "$name.service still has a placeholder"
	done
	installed "$1/lib/sysusers.d/takeover.conf" 644
	installed "$1/lib/modules-load.d/takeover.conf" 644
	installed "$1/lib/systemd/catalog/takeover.catalog" 644
	installed "$2/dbus-1/system.d/org.takeover1.conf" 644
	installed "$2/polkit-1/rules.d/org.takeover1.rules" 644
	installed "${4:-$2}/polkit-1/actions/org.takeover1.policy" 644
	installed "$1/lib/systemd/system/takeover-primary@.target" 644
	installed "$1/lib/systemd/system/takeover-backup@.target" 644
	installed "$1/share/doc/takeover/examples/takeover.conf" 644
	installed "$1/share/doc/takeover/examples/networkd.conf" 644
	for page in man/*.[1-8]; do
		[[ ! -e $page ]] || installed "$1/share/man/man${page##*.}/$(basename "$page")" 644
	done
	for name in units/completions/*; do
		[[ -e $name ]] || continue
		name=$(basename "$name" .bash)
		if [[ $name == _* ]]; then
			installed "$1/share/zsh/site-functions/$name" 644
		else
			installed "$1/share/bash-completion/completions/$name" 644
		fi
	done
}

quiet_install
everything /usr /usr/share /usr/sbin

# The example is one that its own program takes.
cp "$DIR/root/usr/share/doc/takeover/examples/takeover.conf" "$DIR/takeover.conf"
mkdir "$DIR/takeover.conf.d"
printf '[Agent]\nKeyFile=%s\n' "$DIR/key" >"$DIR/takeover.conf.d/key.conf"
(umask 077 && head -c 32 /dev/urandom | base64 >"$DIR/key")
"$DIR/root/usr/sbin/takeoverd" --config "$DIR/takeover.conf" --node alpha --check >"$DIR/out" 2>&1 ||
	fail "the example: $(cat "$DIR/out")"
[[ $(wc -l <"$DIR/out") == 1 ]] || fail "the example: $(cat "$DIR/out")"

# What a service may do, by systemd's own count (0 nothing, 10 everything).
exposure=
for name in takeoverd takeover-cleanup; do
	systemd-analyze security --offline=true --threshold=20 \
		"$DIR/root/usr/lib/systemd/system/$name.service" >"$DIR/out" 2>&1 ||
		fail "exposed too much: $(tail -n 1 "$DIR/out")"
	exposure+=$(sed -n 's/.*exposure level for \([^:]*\).service: \([0-9.]*\).*/, \1 \2/p' "$DIR/out")
done
round_trip

quiet_install PREFIX=/opt/pair SBINDIR=/opt/sbin
everything /opt/pair /opt/pair/share /opt/sbin
grep -qaF /opt/sbin "$DIR/root/opt/pair/bin/takeoverctl" || fail "takeoverctl looks elsewhere"
round_trip PREFIX=/opt/pair SBINDIR=/opt/sbin

quiet_install PREFIX=/usr/local
everything /usr/local /etc /usr/local/sbin /usr/share
round_trip PREFIX=/usr/local

named=(BINDIR=/a SBINDIR=/b MANDIR=/c UNITDIR=/d SYSUSERSDIR=/e DBUSPOLICYDIR=/f
	BASHCOMPDIR=/g ZSHCOMPDIR=/h DOCDIR=/i MODULESDIR=/j POLKITRULESDIR=/k POLKITACTIONSDIR=/l
	LIBEXECDIR=/m GENERATORDIR=/n CATALOGDIR=/o)
quiet_install "${named[@]}"
[[ -z $(find "$DIR/root" -mindepth 1 -maxdepth 1 ! -name '[a-o]' ! -name etc) ]] ||
	fail "outside of the named directories: $(find "$DIR/root" -type f)"
installed /a/takeoverctl 755
installed /b/takeoverd 755
installed /m/takeover-react 755
installed /n/takeover-generator 755
installed /d/takeoverd.service 644
installed /e/takeover.conf 644
installed /f/org.takeover1.conf 644
installed /i/examples/takeover.conf 644
installed /j/takeover.conf 644
installed /d/takeover-primary@.target 644
installed /k/org.takeover1.rules 644
installed /l/org.takeover1.policy 644
installed /o/takeover.catalog 644
round_trip "${named[@]}"

# DESTDIR may have any name, but what is installed below it has plain ones.
blank=$DIR/"a b';touch c;\"d"
plain_make install DESTDIR="$blank"
[[ -x $blank/usr/sbin/takeoverd && -d $blank/etc/takeover && ! -e $DIR/a ]] ||
	fail "below a DESTDIR with a blank: $(find "$DIR" -maxdepth 2)"
plain_make uninstall DESTDIR="$blank"
[[ -z $(find "$blank" ! -type d) ]] || fail "uninstall leaves $(find "$blank" ! -type d)"
facts=$((facts + 1))

# refused WORD VARIABLE=VALUE GOAL: it says the word; nothing is written
refused()
{
	! env -u MAKEFLAGS -u MFLAGS make --no-print-directory BUILD="$BUILD" \
		DESTDIR="$DIR/root" "$2" "$3" >"$DIR/out" 2>&1 || fail "make $2 $3 is not refused"
	grep -q "$1" "$DIR/out" || fail "make $2 $3 is refused with: $(cat "$DIR/out")"
	[[ ! -e $DIR/root ]] || fail "make $2 $3 was refused after $(find "$DIR/root")"
	facts=$((facts + 1))
}

for value in usr ./usr '/a b' "/a\$\$b" "/a'b" '/a"b' '/a;b' '/a|b' '/a&b' '/a*' '/a%b' '/a\b' ''; do
	refused 'absolute path' "PREFIX=$value" install
	refused 'absolute path' "PREFIX=$value" uninstall
done
for value in "${named[@]}"; do
	refused "${value%=*}=" "${value/\// }" install
done

# A unit that could not be written is no unit.
mkdir "$DIR/bin"
printf '#!/bin/sh\nexit 1\n' >"$DIR/bin/sed"
chmod 755 "$DIR/bin/sed"
! (PATH=$DIR/bin:$PATH plain_make install DESTDIR="$DIR/root" 2>/dev/null) ||
	fail "installed without a unit"

printf '%d facts, exposure%s\n' "$facts" "${exposure#,}"
