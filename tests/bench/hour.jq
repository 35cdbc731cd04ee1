# SPDX-License-Identifier: MIT
# What hour.sh prints: a row for each system; then the budget. Times in ms.

def ms: . / 100 | round / 10;
def told: . // "" | tostring;

# A table in Markdown from rows of words, the first one the heading
def table:
	[transpose[] | map(length) | max] as $widths |
	(.[0], [$widths[] | "-" * .], .[1:][]) |
	[., $widths] | transpose | map(.[0] + " " * (.[1] - (.[0] | length))) |
	"| " + join(" | ") + " |";

def row:
	[.system, (.takeovers | told), (.lapses | told), (.both_us // empty | ms | tostring),
	(.lost // empty | tostring), (.silence_us // empty | ms | tostring)] |
	. + ["", "", "", "", "", ""] | .[:6];

def gaps: [.gap_p999_us, .gap_us | ms | tostring];

def beside:
	"\(.title).\n\(.sent) requests, \(.heartbeats) heartbeats; beside it \(.changed) changes of " +
	"\(.addresses)\naddresses and as many routes, \(.loads) times a set of \(.elements) elements.";

def budget:
	"\(.system), no false takeover and no lease that ends by accident: " +
	if .takeovers + .lapses == 0 and .both == 0 then "met" else "not met" end;

([["system", "takeovers", "lapses", "both, ms", "lost", "silence, ms", "gap p99.9", "gap max"]] +
	map(row + gaps) | table),
"",
"All of them false: nothing fails. both: in sum, that both nodes answered; silence: the longest of",
"a client; gap: between two heartbeats of the node that is primary at first, on the wire (while it",
"is backup it may have no need of any: answers to those of the other one are not counted). floor:",
"a realtime program that does nothing but wake up every 10 ms, at the same time.",
"",
(.[] | select(.sent) | beside, ""),
(.[] | select(.lapses) | budget)
