# SPDX-License-Identifier: MIT
# What pair.sh prints: a table for each scene, a row for each system; then the budgets.
# Times in ms; lowest / median / highest of all runs. $titles names scenes, $systems systems;
# $runs is how many there should be of each.

# Of an even number, between the two in the middle
def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
def round1: . * 10 | round / 10;
def ms: . / 1000 | if . < 10 then round1 else round end;
def spread(f): map(f) | "\(min) / \(median) / \(max)";
def of($system; $scene): map(select(.system == $system and .scene == $scene));

# A table in Markdown from rows of words, the first one the heading
def table:
	[transpose[] | map(length) | max] as $widths |
	(.[0], [$widths[] | "-" * .], .[1:][]) |
	[., $widths] | transpose | map(.[0] + " " * (.[1] - (.[0] | length))) |
	"| " + join(" | ") + " |";

# Both answered when the clients stopped: nobody was going to end that.
def both:
	if any(.both_to_the_end) then
		"for ever (\(map(select(.both_to_the_end)) | length) of \(length))"
	else spread(.both_us | ms) end;

def first:
	map(select(.first_us != null)) | if . == [] then "-" else spread(.first_us | ms) end;

# What could not be measured has failed: a switchover that was refused, say.
def missing: if length < $runs then " (\(length) of \($runs) runs)" else "" end;

def row($scene):
	[.[0].system + missing, spread(.lost), spread(.silence_us | ms), both] +
	if $scene == "move" then [first] else [] end;

def head($scene):
	["system", "packets lost", "longest silence, ms", "both answer, ms"] +
	if $scene == "move" then ["first answer, ms"] else [] end;

def scene($scene):
	. as $all | [$systems[] as $s | $all | of($s.name; $scene) | select(. != [])] |
	select(. != []) |
	"", "**\($titles[$scene])**", "", ([head($scene)] + map(row($scene)) | table);

# --- Budgets: [what, limit, measured, as a ratio, met or not] -----------------

def budget($what; $limit; $is; $unit):
	[$what, "\($limit | round1) \($unit)", "\($is | round1) \($unit)",
	if $limit == 0 then "-" else "\($is / $limit * 100 | round) %" end,
	if $is <= $limit and ($what | endswith(" runs)") | not) then "met" else "not met" end];

def nothing_lost($system; $scene; $what):
	of($system; $scene) | select(. != []) | budget($what + missing; 0; map(.lost) | add; "packets");

def against_floor($system; $floor; $times; f; $what):
	(of($floor; "move") | map(f) | select(. != [] and max < 1e9) | median / 1000) as $least |
	of($system; "move") | select(. != []) |
	budget($what + missing; $times * $least; map(f) | median / 1000; "ms");

def silent($scene; $what):
	("takeoverd", "takeoverd-fast") as $system | of($system; $scene) | select(. != []) |
	budget("\($system): \($what)" + missing; .[0].dead_ms + 5; map(.silence_us) | max / 1000; "ms");

def never_both($scene; $what):
	("takeoverd", "takeoverd-fast", "takeoverd-sub") as $system |
	of($system; $scene) | select(. != []) |
	budget("\($system): \($what)" + missing; 0; map(.both_us) | max / 1000; "ms");

def budgets: [
	(("takeoverd", "takeoverd-fast", "takeoverd-sub") as $system |
		nothing_lost($system; "move"; "\($system): planned, lost")),
	against_floor("takeoverd"; "floor"; 3; .first_us // 1e9; "takeoverd: planned, first answer, 3 x floor"),
	against_floor("takeoverd-strict"; "floor-strict"; 2; .silence_us;
		"takeoverd-strict: planned, silence, 2 x floor"),
	nothing_lost("takeoverd"; "restart"; "takeoverd: crash, restarted, lost"),
	silent("power"; "power-off, silence, dead time + 5 ms"),
	silent("cable"; "cable, silence, dead time + 5 ms"),
	never_both("crash"; "crash, both answer"),
	never_both("freeze"; "freeze, both answer")];

# --- All of it ----------------------------------------------------------------

def for_ever:
	map(select(.both_to_the_end)) | select(. != []) |
	"", "For ever: both still answered when it was given up, after \(map(.seen_us) | min | . / 1e6 |
	round1) s or later.";

# A client that does not run hears nothing, whatever the nodes do.
def busy($all):
	map(select(.late_us > 2000)) |
	select(. != []) |
	"", "In \(length) of \($all | length) runs the client itself was kept from running for more than 2 ms,",
	"\(map(.late_us) | max | ms) ms at worst: the machine was busy, silences may be the client's.";

. as $all | select($all != []) |
"", "Runs of each: \($runs); lowest / median / highest. A client sends " +
"\(map(.sent_per_s) | median | round) packets/s.", "",
($systems[] | select(.name as $name | $all | any(.system == $name)) |
	"- \(.name): \(.title)"),
($titles | keys_unsorted[] as $scene | $all | scene($scene)),
for_ever,
(budgets | select(. != []) |
	"", "**Budgets**", "", ([["budget", "limit", "measured", "of it", ""]] + . | table)),
busy($all)
