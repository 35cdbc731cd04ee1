/* SPDX-License-Identifier: MIT */

#include "sdbus/api_private.h"

/* The errors of org.takeover1; the last is what every other name becomes. */
static const struct error {
	const char *name, *text;
} errors[] = {
	{ API_ERROR "NotFit", "No other node is fit to take over." },
	{ API_ERROR "PeerUnreachable", "The other node does not answer." },
	{ API_ERROR "Timeout",
	  "The other node did not finish in time; the roles are as they were." },
	{ API_ERROR "Busy", "Another request is under way." },
	{ API_ERROR "NotHeld", "No node is primary: there is nothing to switch over." },
	{ API_ERROR "OutcomeUnknown", "It is not known which node is primary now." },
	{ API_ERROR "StepFailed", "A step before the release or the claim failed; the roles are as "
				  "they were." },
	{ API_ERROR "AlreadyPrimary", "That node is primary already." },
	{ API_ERROR "NoSuchNode", "There is no such node here." },
	{ API_ERROR "NoSuchGroup", "There is no such group here." },
	{ API_ERROR "NoReaction", "No reaction here is for that event of this node." },
	{ API_ERROR "InvalidConfiguration", "The configuration has mistakes; nothing changes." },
	{ API_ERROR "Failed",
	  "The kernel of the new primary refused; the roles are as they were." },
};

static const struct error *find_error(const char *error)
{
	const size_t failed = ARRAY_SIZE(errors) - 1;

	for (size_t i = 0; i < failed; i++)
		if (strcmp(errors[i].name + strlen(API_ERROR), error) == 0)
			return &errors[i];
	return &errors[failed];
}

/**
 * api_error_name() - the name of an error on the bus
 * @error: its name without the prefix
 *
 * Return: the full name; that of Failed if there is no such error, because a
 * caller must get an answer, and the bus takes well-formed names only.
 */
const char *api_error_name(const char *error)
{
	return find_error(error)->name;
}

/**
 * api_error_text() - what an error means, as one sentence for people
 * @error: its name without the prefix
 *
 * Return: the sentence; that of Failed if there is no such error.
 */
const char *api_error_text(const char *error)
{
	return find_error(error)->text;
}
