# SPDX-License-Identifier: MIT
# What scale.sh prints: a table for each number of addresses, a row for each system; then
# the budgets. Times in ms; lowest/median/highest of all runs, else medians.

# Of an even number, between the two in the middle
def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
def round1: . * 10 | round / 10;
def ms: . / 1000 | if . < 10 then . * 100 | round / 100 else round end;
def values(f): map(f | select(. != null));
def spread(f): values(f) | if . == [] then "-" else "\(min | ms)/\(median | ms)/\(max | ms)" end;
def usual(f; g): values(f) | if . == [] then "-" else median | g | tostring end;
def in_order(f): reduce .[] as $x ([]; if index([$x | f]) then . else . + [$x | f] end);

# A table in Markdown from rows of words, the first one the heading
def table:
	[transpose[] | map(length) | max] as $widths |
	(.[0], [$widths[] | "-" * .], .[1:][]) |
	[., $widths] | transpose | map(.[0] + " " * (.[1] - (.[0] | length))) |
	"| " + join(" | ") + " |";

def head:
	["system", "there, ms", "announced, ms", "gone, ms", "CPU, ms", "MiB", "lost"];

def row:
	[.[0].system, spread(.there_us), spread(.announced_us), spread(.gone_us),
	usual(.cpu_us; ms), usual(.peak_kib; . / 1024 | round1), usual(.lost; .)];

# Who has not moved all of them
def failed:
	map(select(.moved == false)) | group_by(.system)[] |
	"- \(.[0].system): not all moved and announced within \(.[0].within_s) s, in \(length) of the runs.";

def size:
	"", "**\(.[0].addresses) address\(if .[0].addresses > 1 then "es" else "" end), IPv\(.[0].family)**", "",
	([head] + [in_order(.system)[] as $s | map(select(.system == $s)) | row] | table),
	([failed] | select(. != []) | "", .[]);

# --- Budgets: [what, limit, measured, as a ratio, met or not] -----------------

def budget($what; $limit; $is; $unit):
	[$what, "\($limit | round1) \($unit)", "\($is | round1) \($unit)",
	"\($is / $limit * 100 | round) %", if $is <= $limit then "met" else "not met" end];

# The median of 5,000 IPv4 addresses, in ms, if it was measured
def of($system; f):
	map(select(.system == $system and .addresses == 5000 and .family == 4)) |
	values(f) | select(. != []) | median / 1000;

def within($what; $ms; $system; f): of($system; f) as $is | budget($what; $ms; $is; "ms");

def against_floor($what; $times; f):
	of("floor-many"; f) as $floor | within($what; $times * $floor; "takeoverd"; f);

def budgets: [
	against_floor("alias: the last one there, 1.1 x floor"; 1.1; .there_us),
	against_floor("alias: all announced, 1.2 x floor"; 1.2; .announced_us),
	within("subinterface: the last one there"; 10; "takeoverd-own"; .there_us),
	within("subinterface: all announced"; 60; "takeoverd-own"; .announced_us),
	within("shared MAC: the last one there"; 2; "takeoverd-sub"; .there_us),
	within("shared MAC: its one frame"; 2; "takeoverd-sub"; .first_frame_us)];

# --- All of it ----------------------------------------------------------------

"", "A planned move of many addresses, from the order on: the last one is there on the new",
"node, has been announced, has gone from the old one; CPU time and most memory of the new",
"node's processes; requests lost to one address, 10,000 a second, in runs of their own.",
"Runs of each: \(map(select(.kind == "time").run) | max // 0); lowest/median/highest, or medians.",
"", ($titles | to_entries[] | "- \(.key): \(.value)"),
(in_order([.family, .addresses])[] as $size | map(select([.family, .addresses] == $size)) | size),
(budgets | select(. != []) |
	"", "**Budgets, 5,000 IPv4 addresses**", "",
	([["budget", "limit", "measured", "of it", ""]] + . | table))
