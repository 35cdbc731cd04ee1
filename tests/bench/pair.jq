# The tables of pair.sh: one a scene, a row for each system. Times in ms; lowest / median /
# highest of all runs.

def median: sort | .[(length - 1) / 2 | floor];
def ms: . / 1000 | if . < 10 then . * 10 | round / 10 else round end;
def spread(f): map(f) | "\(min) / \(median) / \(max)";
def pad(n): . + " " * (n - length);

# Both answered when the clients stopped: nobody was going to end that.
def both:
	if any(.both_to_the_end) then
		"for ever (\(map(select(.both_to_the_end)) | length) of \(length))"
	else spread(.both_us | ms) end;

def first:
	map(select(.first_us != null)) as $seen |
	if $seen == [] then "-" else $seen | spread(.first_us | ms) end;

def row:
	[.[0].system, "\(length)", spread(.lost), spread(.silence_us | ms), both, first];

def head:
	["system", "runs", "packets lost", "longest silence, ms", "both answer, ms",
	"first of the new one, ms"];

def table:
	. as $rows |
	[range(0; $rows[0] | length) as $i | $rows | map(.[$i] | length) | max] as $widths |
	($rows[0], [$widths[] | "-" * .], $rows[1:][]) |
	[., $widths] | transpose | map(.[0] as $cell | .[1] as $w | $cell | pad($w)) |
	"| " + join(" | ") + " |";

def in_order: . as $rows | reduce .[] as $r ([]; if index([$r.system]) then . else . + [$r.system] end) |
	map(. as $system | $rows | map(select(.system == $system)));

. as $all | $titles | keys_unsorted[] as $scene |
($all | map(select(.scene == $scene))) as $rows | select($rows != []) |
"", "**\($titles[$scene])**", "", ([head] + ($rows | in_order | map(row)) | table)
