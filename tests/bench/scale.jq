# SPDX-License-Identifier: MIT
# What scale.sh prints: a table for each number of addresses, a row for each system; then
# the budgets. Times in ms; lowest/median/highest of all runs, else medians.

include "tables";

def ms: ms(2);
def values(f): map(f | select(. != null));
def spread(f): values(f) | if . == [] then "-" else "\(min | ms)/\(median | ms)/\(max | ms)" end;
def usual(f; g): values(f) | if . == [] then "-" else median | g | tostring end;

def head:
	["system", "there", "announced", "gone", "answers", "CPU", "MiB", "lost"];

# Runs for the time, and those for what is lost
def row:
	[.[0].system + of_runs, spread(.there_us), spread(.announced_us), spread(.gone_us),
	usual(.answered_us; ms), usual(.cpu_us; ms), usual(.peak_kib; . / 1024 | digits(1)),
	usual(.lost; .)];

# Who has not moved all of them
def late:
	map(select(.moved == false)) | group_by(.system)[] |
	"- \(.[0].system): not all moved and announced within \(.[0].within_s) s, in \(length) of the runs.";

def size:
	"", "**\(.[0].addresses) address\(if .[0].addresses > 1 then "es" else "" end), IPv\(.[0].family)**", "",
	([head] + [in_order(.system)[] as $s | map(select(.system == $s)) | row] | table),
	([late] | select(. != []) | "", .[]);

# --- Budgets: medians of 5,000 IPv4 addresses, in ms ----------------------------

def of($system):
	map(select(.system == $system and .addresses == 5000 and .family == 4 and .kind == "time"));

def usual_ms($key): map(.[$key]) | median / 1000;

def within($what; $ms; $system; $key):
	of($system) | select(. != []) | map(.failed = (.failed or .[$key] == null)) |
	budget($what; $ms; "ms"; usual_ms($key));

def against_floor($what; $times; $key):
	(of("floor-many") | map(select(.[$key])) | select(. != []) | usual_ms($key)) as $floor |
	within($what; $times * $floor; "takeoverd"; $key);

def budgets: [
	against_floor("5,000, alias: the last one there, 1.1 x floor"; 1.1; "there_us"),
	against_floor("5,000, alias: all announced, 1.2 x floor"; 1.2; "announced_us"),
	within("5,000, subinterface: the last one there"; 10; "takeoverd-own"; "there_us"),
	within("5,000, subinterface: all announced"; 60; "takeoverd-own"; "announced_us"),
	within("5,000, shared MAC: the last one there"; 2; "takeoverd-sub"; "there_us"),
	within("5,000, shared MAC: its one frame"; 2; "takeoverd-sub"; "first_frame_us")];

# --- All of it ----------------------------------------------------------------

def runs($kind): map(select(.kind == $kind).run) | max // 0;

"", "A planned move of many addresses, in ms from the order on. there: the kernel of the new node",
"has the last one, on an interface that is up (a gate before it may still be closed); announced:",
"the first frame of the last one; gone: the kernel of the old node has none any more; answers: a",
"client has the first answer of the last one. CPU, in ms, and most memory of the new node's",
"processes. lost: of 10,000 requests a second to one address. answers and lost are of runs of",
"their own. Runs of each: \(runs("time")) and \(runs("loss")); lowest/median/highest, or medians.",
"", ($titles | to_entries[] | "- \(.key): \(.value)"),
(in_order([.family, .addresses])[] as $size | map(select([.family, .addresses] == $size)) | size),
(budgets | budgets_table)
