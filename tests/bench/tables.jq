# SPDX-License-Identifier: MIT
# What the tables of all parts are made with.

def digits($n): pow(10; $n) as $p | . * $p | round / $p;

# µs as ms; below 10 with so many digits
def ms($n): . / 1000 | if . < 10 then digits($n) else round end;

# Of an even number, between the two in the middle
def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;

# The different values, in the order in which they come
def in_order(f): reduce .[] as $x ([]; if index([$x | f]) then . else . + [$x | f] end);

# In Markdown from rows of words, the first one the heading
def table:
	[transpose[] | map(length) | max] as $widths |
	(.[0], [$widths[] | "-" * .], .[1:][]) |
	[., $widths] | transpose | map(.[0] + " " * (.[1] - (.[0] | length))) |
	"| " + join(" | ") + " |";

# Runs that came to nothing are records as well: they have failed.
def good: map(select(.failed | not));
def of_runs: if any(.failed) then " (\(good | length) of \(length) runs)" else "" end;

# A row of budgets, [what, limit, measured, as a ratio, met or not], of all runs. It is not met
# if one of them has failed: what that would have taken is not known.
def budget($what; $limit; $unit; f):
	(if good == [] then null else good | f end) as $is |
	["\($what)\(of_runs)", if $limit == null then "-" else "\($limit | digits(1)) \($unit)" end,
	if $is == null then "-", "-", "not met"
	else
		"\($is | digits(1)) \($unit)",
		if $limit == 0 then "-" else "\($is / $limit * 100 | round) %" end,
		if $is <= $limit and all(.failed | not) then "met" else "not met" end
	end];

def budgets_table:
	select(. != []) | "", "**Budgets**", "",
	([["budget", "limit", "measured", "of it", ""]] + . | table);
