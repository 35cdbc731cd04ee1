# SPDX-License-Identifier: MIT
#
# make deps    install what building and testing needs (Debian packages; root)
# make         build takeoverd and takeoverctl into $(BUILD)
# make demo    two nodes and a client on this machine, a switchover to watch (root)
# make check   all tests (root)
# make bench   takeoverd, keepalived, ucarp and scripts on this machine, timed (root);
#              BENCH='--runs 3 ...': what tests/bench/run.sh --help has
# make sim     live through SEEDS histories of failures (default 100,000), on all cores
# make explore everything that may happen to two nodes with up to FAULTS faults (default 1)
# make mutants change the core in every small way: does each fail a test? ONLY=PATTERN of them
# make coverage  which branches of the core does no test take?
# make san     the same tests with ASan and UBSan (root)
# make fuzz    every parser with libFuzzer, FUZZ_SECONDS each; make fuzz-merge
#              keeps what that found for make check
# make golden  write the texts that tests compare with anew, to look at with git diff
# make arch    hold the code against the table of who may know whom
# make lint    formatting, cppcheck, shellcheck, gcc and clang without a warning
# make install, uninstall   programs, units, user, policies, manual, completions (root)
# make fmt, clean
#
# V=1 shows commands. CC, CFLAGS, LDFLAGS, BUILD, PREFIX, DESTDIR and the
# *DIR variables below can be overridden.

BUILD ?= build
PREFIX ?= /usr
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/takeover
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/takeover
UNITDIR ?= $(PREFIX)/lib/systemd/system
GENERATORDIR ?= $(PREFIX)/lib/systemd/system-generators
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
MODULESDIR ?= $(PREFIX)/lib/modules-load.d
CATALOGDIR ?= $(PREFIX)/lib/systemd/catalog
# The bus does not look below /usr/local.
DBUSPOLICYDIR ?= $(if $(filter /usr/local,$(PREFIX)),/etc,$(PREFIX)/share)/dbus-1/system.d
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/site-functions
# Nor does polkit; of its actions it has but one place.
POLKITRULESDIR ?= $(if $(filter /usr/local,$(PREFIX)),/etc,$(PREFIX)/share)/polkit-1/rules.d
POLKITACTIONSDIR ?= $(if $(filter /usr/local,$(PREFIX)),/usr,$(PREFIX))/share/polkit-1/actions

ifeq ($(origin CC),default)
CC := gcc
endif
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wundef \
	-Wformat=2 -Wimplicit-fallthrough -Werror=switch-enum
HARDEN ?= -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2
HARDEN_LD ?= -pie -Wl,-z,relro,-z,now
SANITIZE := -fsanitize=address,undefined
LIBS := libsystemd libmnl libnftnl libsodium inih
CTL_LIBS := jansson libnl-route-3.0 # of takeoverctl only: the daemon has a budget of memory

# Asked for once, and not before something is compiled: `make deps` may have to
# install pkg-config first.
pkg = $(shell pkg-config $(1))$(if $(filter 0,$(.SHELLSTATUS)),,$(error "make deps" first))
PKG_CFLAGS = $(eval PKG_CFLAGS := $(call pkg,--cflags $(LIBS)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $(call pkg,--libs $(LIBS)))$(PKG_LIBS)
PKG_CTL_LIBS = $(eval PKG_CTL_LIBS := $(call pkg,--libs $(CTL_LIBS)))$(PKG_CTL_LIBS)
WITNESS_CFLAGS = $(eval WITNESS_CFLAGS := \
	$(patsubst -I%,-isystem %,$(call pkg,--cflags libnl-route-3.0)))$(WITNESS_CFLAGS)
CRITERION = $(eval CRITERION := $(call pkg,--libs criterion))$(CRITERION)
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -iquote . $(WARN) $(PKG_CFLAGS) $(HARDEN) $(CFLAGS) -pthread
ALL_LDFLAGS = $(HARDEN_LD) $(LDFLAGS) -pthread
LINK = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^

Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-5s %s\n')
# all cores, unless we run under a make that has its own mind
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
SUBMAKE = +$(Q)$(MAKE) --no-print-directory

MAINS := agent/takeoverd.c agent/generator.c agent/runner.c sdbus/takeoverctl.c
SOURCES := $(filter-out $(MAINS),$(wildcard agent/*/*.c agent/*.c netlink/*.c sdbus/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
CORE_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard agent/core/*.c))
TRACE_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard agent/trace/*.c))
LIBRARY := $(BUILD)/libtakeover.a
PROGRAMS := $(BUILD)/takeoverd $(BUILD)/takeoverctl $(BUILD)/takeover-generator \
	$(BUILD)/takeover-react
UNIT_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/*_test.c))
SIM := $(BUILD)/tests/sim/sim
SIM_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/sim/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_MAIN ?= $(BUILD)/tests/fuzz/replay.o
PROBE := $(BUILD)/tests/net/probe
PROBE_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/net/*.c))
# What the benchmark measures with, and against: of ours it has the witness' files only.
BENCH_PROGRAMS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/bench/*.c))
EVERY_FILE = $(shell find agent netlink sdbus tests -name '*.[ch]')

all: $(PROGRAMS)

$(BUILD)/%.o: %.c
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(LIBRARY): $(OBJECTS)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# libnl has a <netlink/addr.h>, too: ours are in quotes, and -iquote finds only those.
$(BUILD)/netlink/witness%: ALL_CFLAGS += $(WITNESS_CFLAGS)

# takeoverctl knows where takeoverd is installed, and the generator where what it has started
# is: both are others with another PREFIX.
$(BUILD)/sdbus/takeoverctl.o: ALL_CFLAGS += -DSBINDIR='"$(SBINDIR)"'
$(BUILD)/agent/reaction/unit.o: ALL_CFLAGS += -DLIBEXECDIR='"$(LIBEXECDIR)"'
$(BUILD)/sdbus/takeoverctl.o $(BUILD)/agent/reaction/unit.o: $(BUILD)/directories
$(BUILD)/directories: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(SBINDIR) $(LIBEXECDIR)' | cmp -s - $@ || echo '$(SBINDIR) $(LIBEXECDIR)' >$@

$(BUILD)/takeoverd: $(BUILD)/agent/takeoverd.o $(LIBRARY)
$(BUILD)/takeoverctl: $(BUILD)/sdbus/takeoverctl.o $(LIBRARY)
$(BUILD)/takeover-generator: $(BUILD)/agent/generator.o $(LIBRARY)
$(BUILD)/takeover-react: $(BUILD)/agent/runner.o $(LIBRARY)
$(BUILD)/takeoverctl: MORE_LIBS = $(PKG_CTL_LIBS)
$(PROGRAMS):
	$(say) LD $@
	$(Q)$(LINK) -Wl,--as-needed $(PKG_LIBS) $(MORE_LIBS)

$(BUILD)/tests/%_test: $(BUILD)/tests/%_test.o $(LIBRARY)
	$(say) LD $@
	$(Q)$(LINK) $(PKG_LIBS) $(PKG_CTL_LIBS) $(CRITERION)

# The daemon's own objects of the core and of traces, and nothing else of it.
$(SIM): $(SIM_OBJECTS) $(CORE_OBJECTS) $(TRACE_OBJECTS)
	$(say) LD $@
	$(Q)$(LINK)

# make fuzz takes libFuzzer's main() instead.
$(BUILD)/tests/fuzz/%_fuzz: $(BUILD)/tests/fuzz/%_fuzz.o $(FUZZ_MAIN) $(LIBRARY)
	$(say) LD $@
	$(Q)$(LINK) $(PKG_LIBS)

# The witness of the namespace tests: nothing of ours is in it.
$(PROBE): $(PROBE_OBJECTS)
	$(say) LD $@
	$(Q)$(LINK) $(PKG_LIBS)

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/tests/net/util.o $(BUILD)/tests/net/frames.o
	$(say) LD $@
	$(Q)$(LINK) -Wl,--as-needed $(PKG_LIBS)

# Preloaded into what has to be wrong about the time of day, or about the kernel.
SHIMS := $(patsubst tests/net/shim/%.c,$(BUILD)/tests/net/%.so,$(wildcard tests/net/shim/*.c))

$(BUILD)/tests/net/%.so: tests/net/shim/%.c
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE $(WARN) -O2 -g -fPIC -shared -o $@ $< -ldl

tests: $(UNIT_TESTS) $(SIM) $(FUZZERS) $(PROBE) $(SHIMS) $(BENCH_PROGRAMS)

# --- What is needed, on Debian 12 ---------------------------------------------

DEPS := gcc libc6-dev make mandoc pkg-config libsystemd-dev libmnl-dev libnftnl-dev \
	libsodium-dev libinih-dev libjansson-dev libnl-route-3-dev \
	libcriterion-dev dbus-daemon dbus systemd \
	systemd-container polkitd iproute2 nftables procps zsh jq kamailio conntrackd
DEPS_BENCH := keepalived ucarp iputils-arping
DEPS_LINT := clang clang-format cppcheck shellcheck valgrind
DEPS_FUZZ := clang libclang-rt-14-dev

define install_missing
	$(Q)missing=; for p in $(1); do \
		[ "$$(dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null)" = installed ] || \
		missing="$$missing $$p"; \
	done; \
	[ -z "$$missing" ] || { \
		command -v apt-get >/dev/null || \
			{ echo "no apt-get here; install what is called in Debian:$$missing" >&2; exit 1; }; \
		[ "$$(id -u)" = 0 ] || \
			{ echo "root is needed to install:$$missing" >&2; exit 1; }; \
		echo "  APT  $$missing"; \
		export DEBIAN_FRONTEND=noninteractive; \
		log=$$(mktemp); \
		{ apt-get -q update && apt-get -q install -y --no-install-recommends $$missing; } \
			>$$log 2>&1 </dev/null || { cat $$log >&2; rm -f $$log; exit 1; }; \
		rm -f $$log; \
	}
endef

deps:
	$(call install_missing,$(DEPS))

deps-fuzz:
	$(call install_missing,$(DEPS_FUZZ))

# No service starts with them: keepalived has no configuration, and ucarp none to start.
deps-bench:
	$(call install_missing,$(DEPS) $(DEPS_BENCH))

deps-lint:
	$(call install_missing,$(DEPS) $(DEPS_LINT))

# --- Tests --------------------------------------------------------------------
#
# By another make each: this one has looked at the machine before deps changed it.

demo: deps
	$(SUBMAKE) $(JOBS) all $(PROBE)
	$(Q)BUILD=$(BUILD) tests/net/demo.sh

bench: deps-bench
	$(SUBMAKE) $(JOBS) all $(PROBE) $(BENCH_PROGRAMS)
	$(Q)BUILD=$(BUILD) tests/bench/run.sh $(BENCH)

check: deps
	$(SUBMAKE) $(JOBS) all tests
	$(Q)CC=$(CC) BUILD=$(BUILD) tests/check.sh unit net bench nodes \
		--beside arch man install fuzz sim

SEEDS ?= 100000
FROM ?= 1

sim:
	$(SUBMAKE) $(JOBS) $(SIM)
	$(Q)$(SIM) --jobs $$(nproc) --seeds $(SEEDS) --from $(FROM)

FAULTS ?= 1
STATES ?= 20000000

explore:
	$(SUBMAKE) $(JOBS) $(SIM)
	$(Q)$(SIM) --explore --jobs $$(nproc) --faults $(FAULTS) --states $(STATES)

MUTANTS := CC=$(CC) BUILD=$(BUILD) SIM="$(patsubst $(BUILD)/%.o,%.c,$(SIM_OBJECTS) $(TRACE_OBJECTS))"

mutants:
	$(Q)$(MUTANTS) tests/mutants/run.sh '$(ONLY)'

coverage:
	$(Q)$(MUTANTS) tests/mutants/coverage.sh

# Not on booted nodes: they are about the unit, which forbids what the sanitizers
# need (the address space that ASan reserves, LeakSanitizer's ptrace), and about
# nothing of the agent that the namespace tests do not run as well.
SAN_MAKE = $(SUBMAKE) $(JOBS) BUILD=$(BUILD)-san HARDEN='-fPIE -fstack-protector-strong' \
	CFLAGS='-O1 -g -fno-omit-frame-pointer $(SANITIZE) -fno-sanitize-recover=all'

san: deps
	$(SAN_MAKE) all tests
	$(Q)BUILD=$(BUILD)-san ASAN_OPTIONS=abort_on_error=1:detect_stack_use_after_return=1 \
		UBSAN_OPTIONS=print_stacktrace=1 EXPLORE_STATES=20000 tests/check.sh unit net --beside fuzz sim

FUZZ_SECONDS ?= 60
FUZZ_MAKE = $(SUBMAKE) $(JOBS) CC=clang BUILD=$(BUILD)-fuzz FUZZ_MAIN= LDFLAGS=-fsanitize=fuzzer \
	HARDEN=-fPIE CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link $(SANITIZE) \
	-fno-sanitize-recover=all'

fuzz fuzz-merge: deps deps-fuzz
	$(FUZZ_MAKE) fuzzers
	$(Q)BUILD=$(BUILD)-fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run.sh $@

GOLDEN_TESTS := $(BUILD)/tests/explain_test $(BUILD)/tests/core_matrix_test

# What tests hold against a kept text, written anew: git diff shows what that changes.
golden: deps
	$(SUBMAKE) $(JOBS) $(GOLDEN_TESTS)
	$(Q)for t in $(GOLDEN_TESTS); do \
		GOLDEN_RENEW=1 $$t -j1 --filter '*/*found_right' || exit; \
	done

fuzzers: $(FUZZERS)

arch:
	$(SUBMAKE) $(JOBS) all
	$(Q)CC=$(CC) BUILD=$(BUILD) tests/arch.sh

fmt:
	$(Q)clang-format -i $(EVERY_FILE)

# It does not know __attribute__((cleanup)): leaks are the sanitizers' business.
CPPCHECK := --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	--error-exitcode=1 --suppress=missingInclude --suppress=unknownMacro \
	--suppress=memleak --suppress=resourceLeak \
	-D_GNU_SOURCE -D'_cleanup_(f)=' -D'DEFINE_CLEANUP(t,f)=' -I.

lint: deps-lint
	$(Q)clang-format --dry-run -Werror $(EVERY_FILE)
	$(Q)shellcheck -x $(shell find tests -name '*.sh')
	$(Q)zsh -n units/completions/_takeoverctl
	$(Q)cppcheck $(CPPCHECK) $(JOBS) agent netlink sdbus tests/fuzz tests/net tests/sim
	$(SUBMAKE) $(JOBS) CC=gcc BUILD=$(BUILD)-lint/gcc CFLAGS='-O2 -g -Werror' all tests
	$(SUBMAKE) $(JOBS) CC=clang BUILD=$(BUILD)-lint/clang CFLAGS='-O2 -g -Werror' all tests

# --- Installation -------------------------------------------------------------

# What is installed, as FILE=SOURCE: uninstall takes away exactly this. Manual
# pages and completions are whatever is there.
INSTALLED_PROGRAMS := $(SBINDIR)/takeoverd=$(BUILD)/takeoverd \
	$(BINDIR)/takeoverctl=$(BUILD)/takeoverctl \
	$(GENERATORDIR)/takeover-generator=$(BUILD)/takeover-generator \
	$(LIBEXECDIR)/takeover-react=$(BUILD)/takeover-react
INSTALLED_UNIT := $(UNITDIR)/takeoverd.service
INSTALLED_SERVICES := $(foreach service,$(wildcard units/*.service.in), \
	$(UNITDIR)/$(basename $(notdir $(service)))=$(service))
INSTALLED_DATA := $(SYSUSERSDIR)/takeover.conf=units/takeover.sysusers \
	$(MODULESDIR)/takeover.conf=units/takeover.modules \
	$(CATALOGDIR)/takeover.catalog=units/takeover.catalog \
	$(DBUSPOLICYDIR)/org.takeover1.conf=units/org.takeover1.conf \
	$(POLKITRULESDIR)/org.takeover1.rules=units/org.takeover1.rules \
	$(POLKITACTIONSDIR)/org.takeover1.policy=units/org.takeover1.policy \
	$(foreach target,$(wildcard units/*.target),$(UNITDIR)/$(notdir $(target))=$(target)) \
	$(DOCDIR)/examples/takeover.conf=units/takeover.conf \
	$(DOCDIR)/examples/networkd.conf=units/networkd.conf \
	$(foreach page,$(wildcard man/*.[1-8]), \
		$(MANDIR)/man$(patsubst .%,%,$(suffix $(page)))/$(notdir $(page))=$(page)) \
	$(foreach words,$(wildcard units/completions/*.bash), \
		$(BASHCOMPDIR)/$(basename $(notdir $(words)))=$(words)) \
	$(foreach words,$(wildcard units/completions/_*),$(ZSHCOMPDIR)/$(notdir $(words))=$(words))
INSTALLED := $(INSTALLED_PROGRAMS) $(INSTALLED_SERVICES) $(INSTALLED_DATA)
INSTALLED_DIRECTORIES := /etc/takeover $(DOCDIR)/examples $(DOCDIR) $(LIBEXECDIR)

# Words of lists, of recipes and of the unit: a blank or a quote in one of them would
# mean another place than the one named. DESTDIR may have any; recipes find it in
# their environment.
DIRECTORIES := PREFIX SBINDIR BINDIR LIBEXECDIR GENERATORDIR MANDIR DOCDIR UNITDIR SYSUSERSDIR \
	MODULESDIR CATALOGDIR \
	DBUSPOLICYDIR BASHCOMPDIR ZSHCOMPDIR POLKITRULESDIR POLKITACTIONSDIR

define newline


endef

check-directories: export VALUES = $(foreach d,$(DIRECTORIES),$(d)="$($(d))"$(newline))
check-directories:
	$(Q)! printf '%s' "$$VALUES" | grep -vE '^ ?([A-Z]+="/[A-Za-z0-9._/+~@-]*")?$$' || \
		{ echo "Not an absolute path of letters, digits and ._/+~@- only." >&2; exit 1; }

install uninstall: export DESTDIR := $(DESTDIR)

# On a running system (not below DESTDIR) the user is there, and systemd, its journal
# and the bus know their new files, when this returns; the user first, the bus looks him up.
define tell_system
	$(Q)[ -n "$$DESTDIR" ] || [ "$$(id -u)" != 0 ] || { \
		[ ! -f $(SYSUSERSDIR)/takeover.conf ] || ! command -v systemd-sysusers >/dev/null || \
			systemd-sysusers $(SYSUSERSDIR)/takeover.conf; \
		[ ! -d /run/systemd/system ] || { \
			systemctl daemon-reload; \
			journalctl --update-catalog; \
			! systemctl --quiet is-active dbus.service || \
				systemctl reload dbus.service; \
		}; \
	}
endef

install: check-directories all
	$(Q)install -d -m 755 "$$DESTDIR/etc/takeover"
	$(Q)for i in $(INSTALLED_PROGRAMS); do \
		install -D -m 755 "$${i#*=}" "$$DESTDIR$${i%%=*}" || exit; \
	done
	$(Q)for i in $(INSTALLED_SERVICES); do \
		unit=$$(sed 's|@SBINDIR@|$(SBINDIR)|; s|@BINDIR@|$(BINDIR)|' "$${i#*=}") && \
		printf '%s\n' "$$unit" | \
		install -D -m 644 /dev/stdin "$$DESTDIR$${i%%=*}" || exit; \
	done
	$(Q)for i in $(INSTALLED_DATA); do \
		install -D -m 644 "$${i#*=}" "$$DESTDIR$${i%%=*}" || exit; \
	done
	$(tell_system)

# Not under a service that runs, or that the next boot would look for: stopping it moves
# the groups, and when to do that is the operator's business. -ef: /lib may be /usr/lib.
define not_in_use
	$(Q)[ -n "$$DESTDIR" ] || [ ! -d /run/systemd/system ] || \
	[ ! "$$(systemctl show --property=FragmentPath --value takeoverd)" -ef $(INSTALLED_UNIT) ] || { \
		case $$(systemctl show --property=ActiveState --value takeoverd) in \
			inactive | failed) ! systemctl --quiet is-enabled takeoverd 2>/dev/null ;; \
			*) false ;; \
		esac; \
	} || { \
		echo "takeoverd is enabled or runs; first say: systemctl disable --now takeoverd" >&2; \
		exit 1; \
	}
endef

# The configuration, what is stored under /var/lib/takeover, and the user stay.
uninstall: check-directories
	$(not_in_use)
	$(Q)for i in $(INSTALLED); do rm -f "$$DESTDIR$${i%%=*}" || exit; done
	$(Q)for i in $(INSTALLED_DIRECTORIES); do \
		[ ! -d "$$DESTDIR$$i" ] || rmdir --ignore-fail-on-non-empty "$$DESTDIR$$i"; \
	done
	$(tell_system)

clean:
	$(Q)rm -rf $(BUILD) $(BUILD)-san $(BUILD)-fuzz $(BUILD)-lint

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)

.PHONY: all tests deps deps-bench deps-fuzz deps-lint demo bench check sim explore mutants coverage san fuzz fuzz-merge fuzzers golden arch fmt lint check-directories install uninstall clean FORCE
.SECONDARY:
.DELETE_ON_ERROR:
