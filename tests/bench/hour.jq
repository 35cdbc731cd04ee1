# SPDX-License-Identifier: MIT
# What hour.sh prints: a row for each system; then the budget. Times in ms.

include "tables";

def ms: . / 1000 | digits(1);
def told: if . == null then "" else tostring end;

def head:
	["system", "takeovers", "lapses", "both, ms", "lost", "silence, ms", "gap p99.9", "gap max"];

def row:
	if .failed then ["\(.system) (failed)", "-", "-", "-", "-", "-", "-", "-"]
	else
		[.system, (.takeovers, .lapses | told), (.both_us | if . then ms else . end | told),
		(.lost | told), (.silence_us | if . then ms else . end | told),
		(.gap_p999_us, .gap_us | ms | tostring)]
	end;

def beside:
	"\(.title).\n\(.sent) requests, \(.heartbeats) heartbeats; beside it \(.changed) changes of " +
	"\(.addresses)\naddresses and as many routes, \(.loads) times a set of \(.elements) elements.";

def budget:
	"\(.system), no false takeover and no lease that ends by accident: " +
	if (.failed | not) and .takeovers + .lapses == 0 and .both == 0 then "met" else "not met" end;

([head] + map(row) | table),
"",
"All of them false: nothing fails. both: in sum, that both nodes answered; silence: the longest of",
"a client; gap: between two heartbeats of the node that is primary at first, on the wire (while it",
"is backup it may have no need of any: answers to those of the other one are not counted). floor:",
"a realtime program that does nothing but wake up every 10 ms, at the same time.",
"",
(.[] | select(.sent) | beside, ""),
(.[] | select(.system | startswith("takeoverd")) | budget)
