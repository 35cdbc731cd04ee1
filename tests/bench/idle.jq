# SPDX-License-Identifier: MIT
# What idle.sh prints: a row for each node of each system; then the budgets. Medians of the runs.

include "tables";

def key: "\(.system) \(.groups) \(.paths)";

# One of all runs
def usual:
	.[0] + {cpu: map(.cpu_ms_per_minute) | median | digits(1), wakes: map(.wakes_per_s) | median | digits(1),
		rss: map(.rss_kib) | median, pss: map(.pss_kib) | median};

def row: [.system, .groups, .paths, .node, .cpu, .wakes, .rss, .pss] | map(tostring);

def head: ["system", "groups", "paths", "node", "CPU ms/min", "wakes/s", "RSS/KiB", "PSS/KiB"];

# Not $key: within of() that would be what `key` is, and all of them would fit.
def of($wanted): map(select(key == $wanted));
def primary($wanted): of($wanted)[] | select(.node == "primary");
def both($wanted): of($wanted) | select(. != []) | map(.cpu) | add;

def is($what; $limit; $is; $unit): [{is: $is}] | budget($what; $limit; $unit; .[0].is);

def budgets: [
	is("one group, primary: CPU of keepalived"; primary("keepalived 1 1").cpu;
		primary("takeoverd 1 2").cpu; "ms/min"),
	is("one group, both nodes, as the backup echoes"; both("keepalived 1 1");
		both("takeoverd 1 2"); "ms/min"),
	is("one group, primary, with one path"; primary("keepalived 1 1").cpu;
		primary("takeoverd 1 1").cpu; "ms/min"),
	is("100 groups, both nodes: CPU of one, twice"; 2 * both("takeoverd 1 2");
		both("takeoverd 100 2"); "ms/min"),
	is("one group, primary: resident"; 4096; primary("takeoverd 1 2").rss; "KiB")];

def times($many; $one): both($many) / both($one) | round;

group_by([key, .node]) as $nodes |
[in_order([key, .node])[] as $node | $nodes[] | select(.[0] | [key, .node] == $node) | usual] |
([head] + map(row) | table),
(budgets | budgets_table),
(times("keepalived 100 1"; "keepalived 1 1") as $theirs | times("takeoverd 100 2"; "takeoverd 1 2") as $ours |
	"", "100 instances cost keepalived \($theirs) times what one costs, takeoverd \($ours) times.")
