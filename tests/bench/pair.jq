# SPDX-License-Identifier: MIT
# What pair.sh prints: a table for each scene, a row for each system; then the budgets.
# Times in ms; lowest / median / highest of all runs. $titles names scenes, $systems systems.

include "tables";

def ms: ms(1);
def spread(f; g): map(f) | "\(min | g) / \(median | g) / \(max | g)";
def of($system; $scene): map(select(.system == $system and .scene == $scene));

# Both answered when the clients stopped: nobody was going to end that.
def both:
	if any(.both_to_the_end) then
		"for ever (\(map(select(.both_to_the_end)) | length) of \(length))"
	else spread(.both_us; ms) end;

def first:
	map(select(.first_us != null)) | if . == [] then "-" else spread(.first_us; ms) end;

def row($scene):
	[.[0].system + of_runs] +
	(good | if . == [] then ["-", "-", "-"]
	else [spread(.lost; digits(1)), spread(.silence_us; ms), both] end +
	if $scene == "move" then [first] else [] end);

def head($scene):
	["system", "packets lost", "longest silence, ms", "both answer, ms"] +
	if $scene == "move" then ["first answer, ms"] else [] end;

def scene($scene):
	. as $all | [$systems[] as $s | $all | of($s.name; $scene) | select(. != [])] |
	select(. != []) |
	"", "**\($titles[$scene])**", "", ([head($scene)] + map(row($scene)) | table);

# --- Budgets ------------------------------------------------------------------

def nothing_lost($system; $scene; $what):
	of($system; $scene) | select(. != []) | budget($what; 0; "packets"; map(.lost) | add);

# A run without an answer has not been infinitely slow, it has failed.
def against_floor($system; $floor; $times; $key; $what):
	(of($floor; "move") | good | map(.[$key] | select(. != null)) |
		select(. != []) | median / 1000) as $least |
	of($system; "move") | select(. != []) |
	map(.failed = (.failed or .[$key] == null)) |
	budget($what; $times * $least; "ms"; map(.[$key]) | median / 1000);

def silent($scene; $what):
	("takeoverd", "takeoverd-fast") as $system | of($system; $scene) | select(. != []) |
	budget("\($system): \($what)"; (map(.dead_ms // empty) | if . == [] then null else .[0] + 5 end); "ms";
		map(.silence_us) | max / 1000);

def never_both($scene; $what):
	("takeoverd", "takeoverd-fast", "takeoverd-sub") as $system |
	of($system; $scene) | select(. != []) |
	budget("\($system): \($what)"; 0; "ms"; map(.both_us) | max / 1000);

def budgets: [
	(("takeoverd", "takeoverd-fast", "takeoverd-sub") as $system |
		nothing_lost($system; "move"; "\($system): planned, lost")),
	against_floor("takeoverd"; "floor"; 3; "first_us"; "takeoverd: planned, first answer, 3 x floor"),
	against_floor("takeoverd-strict"; "floor-strict"; 2; "silence_us";
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
	digits(1)) s or later.";

# A client that does not run hears nothing, whatever the nodes do.
def busy($all):
	map(select(.late_us > 2000)) |
	select(. != []) |
	"", "In \(length) of \($all | length) runs the client itself was kept from running for more than 2 ms,",
	"\(map(.late_us) | max | ms) ms at worst: the machine was busy, silences may be the client's.";

def pace:
	good | map(.sent_per_s) | select(. != []) | " A client sends \(median | round) packets/s.";

. as $all | select($all != []) |
"", "Runs of each: \(map(.run) | max); lowest / median / highest.\(pace // "")", "",
($systems[] | select(.name as $name | $all | any(.system == $name)) |
	"- \(.name): \(.title)"),
($titles | keys_unsorted[] as $scene | $all | scene($scene)),
(good | for_ever),
(budgets | budgets_table),
(good | busy(.))
