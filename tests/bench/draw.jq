# SPDX-License-Identifier: MIT
# The picture of what run.sh --json has written, as SVG: for each system a line of answers of
# the node that had the address and one of the node that gets it, around the moment at which
# something happens. Of all runs the one whose silence is the median.
#
# Time is logarithmic behind that moment: 1 ms and 3 s have to be seen in one picture.

include "tables";

def scenes: [["move", "Planned switchover"], ["freeze", "The agent of the old node is frozen"],
	["power", "The old node is switched off"]];
def systems: ["takeoverd", "takeoverd-fast", "takeoverd-sub", "keepalived", "keepalived-fast",
	"ucarp", "script"];

def LEFT: 150;	  # of the lines
def EVENT: 210;	  # where it happens
def RIGHT: 745;	  # of the lines
def BEFORE: 10000; # µs that are shown before it
def AFTER: 5000000; # and after
def ROW: 30;
def EVER: 50000; # who still answers so long before the end of a run goes on

def ms: ms(1);
def text($class; $x; $y): "<text class=\"\($class)\" x=\"\($x)\" y=\"\($y)\">\(.)</text>";

# µs from the event to a place in the picture
def place:
	if . < 0 then [LEFT, EVENT + . / BEFORE * (EVENT - LEFT)] | max
	else EVENT + (1 + . / 1000 | log10) / (1 + AFTER / 1000 | log10) * (RIGHT - EVENT) |
		[., RIGHT] | min end | digits(1);

# "FROM:TO,FROM:TO" as pieces of a path; one answer is a stroke as well
def strokes($y; $seen):
	[split(",")[] | select(. != "") | split(":") | map(tonumber) | select(.[1] > -BEFORE) |
	(.[0] | place) as $from |
	(if .[1] + EVER > $seen then AFTER else .[1] end | place) as $to |
	"M\($from) \($y)H\([$to, $from + 0.8] | max | digits(1))"] | join("");

def usual: sort_by(.silence_us) | .[(length - 1) / 2 | floor];

def row($y):
	(.system | text("s"; LEFT - 10; $y + 13)),
	"<path class=\"a\" d=\"\(.seen_us as $seen | .answers_a | strokes($y + 4; $seen))\"/>",
	"<path class=\"b\" d=\"\(.seen_us as $seen | .answers_b | strokes($y + 13; $seen))\"/>",
	("\(.silence_us | ms) ms silent" | text("n"; RIGHT + 12; $y + 8)),
	if .both_to_the_end then "both for ever" | text("n w"; RIGHT + 12; $y + 20)
	elif .both_us > 0 then "both \(.both_us | ms) ms" | text("n"; RIGHT + 12; $y + 20)
	else empty end;

def axis($y; $high):
	([0, 1, 10, 100, 1000, 5000][] | . as $t | ($t * 1000 | place) as $x |
	"<path class=\"\(if $t == 0 then "e" else "g" end)\" d=\"M\($x) \($y)v\($high)\"/>",
	(if $t < 1000 then "\($t) ms" else "\($t / 1000) s" end | text("t"; $x; $y + $high + 13)));

def scene($y; $title):
	(length * ROW) as $high |
	($title | text("h"; LEFT; $y)),
	axis($y + 8; $high),
	(to_entries[] | .key as $i | .value | row($y + 12 + $i * ROW));

# Each scene below the one before
def stack($y):
	if length == 0 then empty
	else .[0] as $first | {y: $y, title: $first.title, rows: $first.rows},
		(.[1:] | stack($y + 8 + ($first.rows | length) * ROW + 50)) end;

(.measurements? // .) | map(select(.part == "pair" and .answers_a)) as $runs |
[scenes[] as [$name, $title] |
	{title: $title, rows: [systems[] as $system |
		[$runs[] | select(.scene == $name and .system == $system)] |
		select(. != []) | usual]} | select(.rows != [])] | [stack(64)] |
(.[-1] | .y + 8 + (.rows | length) * ROW + 24) as $height |
"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"\($height)\" " +
	"viewBox=\"0 0 900 \($height)\" role=\"img\" aria-labelledby=\"title desc\">",
"<title id=\"title\">Who answers, when the address moves</title>",
"<desc id=\"desc\">For each system two lines over time: when the node that had the address " +
	"answered a client, and when the other node did. \([.[] | .title as $title | .rows[] |
	"\($title): \(.system) silent for \(.silence_us | ms) ms" +
	if .both_to_the_end then ", both answer for ever" else "" end] | join("; ")).</desc>",
"<style>",
"text{font:12px system-ui,-apple-system,\"Segoe UI\",Helvetica,Arial,sans-serif;fill:#59636e}",
".h{font-size:14px;font-weight:600}.s,.t{text-anchor:end}.t{text-anchor:middle;font-size:11px}",
".n{font-size:11px}.w{font-weight:600}path{fill:none}.a,.b{stroke-width:7}.a{stroke:#d55e00}.b{stroke:#0072b2}",
".g{stroke:#818b98;stroke-opacity:.35}.e{stroke:#818b98;stroke-dasharray:3 3}",
"@media(prefers-color-scheme:dark){text{fill:#b1bac4}.a{stroke:#e69f00}.b{stroke:#56b4e9}}",
"</style>",
"<path class=\"a\" d=\"M\(LEFT) 20h24\"/>", ("the node that had the address answers" | text("l"; LEFT + 32; 24)),
"<path class=\"b\" d=\"M\(LEFT + 290) 20h24\"/>",
("the other node answers" | text("l"; LEFT + 322; 24)),
("time is logarithmic" | text("l n"; RIGHT + 12; 24)),
(.[] | .title as $title | .y as $y | .rows | scene($y; $title)),
"</svg>"
