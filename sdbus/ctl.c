/* SPDX-License-Identifier: MIT */

#include <errno.h>

#include "sdbus/ctl.h"

/* Errors whose own sentence is not enough, or says nothing to an operator. */
static const struct advice {
	const char *error;
	const char *sentence; /* NULL: that of the error */
	const char *advice;
} advices[] = {
	{ SD_BUS_ERROR_SERVICE_UNKNOWN, "takeoverd does not run on this host",
	  "start it with 'systemctl start takeoverd'" },
	{ SD_BUS_ERROR_NAME_HAS_NO_OWNER, "takeoverd does not run on this host",
	  "start it with 'systemctl start takeoverd'" },
	{ SD_BUS_ERROR_NO_REPLY, "takeoverd has not answered",
	  "see 'takeoverctl status' and 'journalctl -u takeoverd'" },
	{ SD_BUS_ERROR_TIMEOUT, "takeoverd has not answered",
	  "see 'takeoverctl status' and 'journalctl -u takeoverd'" },
	{ SD_BUS_ERROR_ACCESS_DENIED, NULL, "try it as root, with sudo" },
	{ API_ERROR "NotFit", NULL, "see 'takeoverctl status' on the other node for its reasons" },
	{ API_ERROR "PeerUnreachable", NULL,
	  "see the paths in 'takeoverctl status', and whether takeoverd runs there" },
	{ API_ERROR "Timeout", NULL, "see 'takeoverctl status', then try again" },
	{ API_ERROR "Busy", NULL, "try again in a moment" },
	{ API_ERROR "NotHeld", NULL, "see 'takeoverctl status' for what is missing" },
	{ API_ERROR "Failed", NULL, "see 'journalctl -u takeoverd' on both nodes" },
	{ API_ERROR "OutcomeUnknown", NULL, "see 'takeoverctl status' on both nodes" },
	{ API_ERROR "NoSuchGroup", NULL, "'takeoverctl status' names the groups" },
};

static const struct advice *find_advice(const char *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		if (strcmp(advices[i].error, error) == 0)
			return &advices[i];
	return NULL;
}

/**
 * ctl_complain() - say on stderr what went wrong and what to do, in one sentence
 * @ctl: the program
 * @error: what was answered; may be unset
 * @err: negative errno, for an @error that says nothing
 *
 * Return: the exit code.
 */
int ctl_complain(struct ctl *ctl, const sd_bus_error *error, int err)
{
	const struct advice *advice = error->name ? find_advice(error->name) : NULL;
	const char *sentence = error->message ?: strerror(-err);
	size_t len;

	if (advice && advice->sentence)
		sentence = advice->sentence;
	len = strlen(sentence);
	if (len && sentence[len - 1] == '.')
		len--;
	fprintf(ctl->err, "takeoverctl: %.*s%s%s.\n", (int)len, sentence, advice ? "; " : "",
		advice ? advice->advice : "");
	return CTL_FAILED;
}

/**
 * ctl_connect() - open the system bus, or whatever DBUS_SYSTEM_BUS_ADDRESS says
 * @ctl: the program; does nothing if it is connected
 *
 * Return: 0; or negative errno, and it has been said why.
 */
int ctl_connect(struct ctl *ctl)
{
	int r;

	if (ctl->bus)
		return 0;
	r = sd_bus_open_system(&ctl->bus);
	if (r < 0)
		fprintf(ctl->err,
			"takeoverctl: cannot reach the system bus: %s; see whether D-Bus runs, "
			"'systemctl status dbus'.\n",
			strerror(-r));
	return r < 0 ? r : 0;
}
