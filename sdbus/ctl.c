/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdarg.h>
#include <time.h>

#include "agent/cleanup.h"
#include "sdbus/ctl_json.h"

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
	{ SD_BUS_ERROR_NO_REPLY, "takeoverd ended before it answered",
	  "see 'journalctl -u takeoverd', and 'takeoverctl status' for who is primary" },
	{ SD_BUS_ERROR_TIMEOUT, "takeoverd runs but does not answer",
	  "see 'systemctl status takeoverd' (what was asked of it may still be done)" },
	{ SD_BUS_ERROR_NO_SERVER, NULL, "see whether D-Bus runs, 'systemctl status dbus'" },
	{ SD_BUS_ERROR_DISCONNECTED, "the bus has gone",
	  "see whether D-Bus runs, 'systemctl status dbus'" },
	{ SD_BUS_ERROR_ACCESS_DENIED, NULL, "try it as root, with sudo" },
	{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, NULL, "try it as root, with sudo" },
	{ SD_BUS_ERROR_UNKNOWN_METHOD, NULL,
	  "takeoverd and takeoverctl are of different versions: restart takeoverd" },
	{ API_ERROR "NotFit", NULL, "'takeoverctl status' shows why" },
	{ API_ERROR "PeerUnreachable", NULL,
	  "see the paths in 'takeoverctl status', and whether takeoverd runs there" },
	{ API_ERROR "Timeout", NULL, "see 'takeoverctl status', then try again" },
	{ API_ERROR "Busy", NULL, "try again in a moment" },
	{ API_ERROR "NotHeld", NULL, "'takeoverctl status' shows who is, or why nobody is" },
	{ API_ERROR "Failed", NULL, "see 'journalctl -u takeoverd' on both nodes" },
	{ API_ERROR "OutcomeUnknown", NULL, "see 'takeoverctl status' on both nodes" },
	{ API_ERROR "StepFailed", NULL,
	  "'journalctl -u takeoverd' on both nodes has 01-00601, and the units' own logs say why" },
	{ API_ERROR "AlreadyPrimary", NULL, "there is nothing to do" },
	{ API_ERROR "NoReaction", NULL,
	  "see [Reaction] in 'man takeover.conf', and 'systemctl reload takeoverd' after a "
	  "change" },
	{ API_ERROR "NoSuchNode", NULL, "'takeoverctl status' shows the nodes" },
	{ API_ERROR "NoSuchGroup", NULL, "'takeoverctl status' shows the groups" },
};

static const struct advice *find_advice(const char *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		if (strcmp(advices[i].error, error) == 0)
			return &advices[i];
	return NULL;
}

/**
 * ctl_fail() - say in one sentence what went wrong
 * @ctl: the program
 * @error: D-Bus name of the error, for programs
 * @format: of the sentence, which says what to do as well
 *
 * On stderr, and with --json as an object on stdout, too.
 *
 * Return: the exit code.
 */
int ctl_fail(struct ctl *ctl, const char *error, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fprintf(ctl->err, "takeoverctl: %s\n", text);
	if (ctl->json)
		ctl_json_error(ctl->out, error, text);
	return CTL_FAILED;
}

/**
 * ctl_complain() - say what was answered, and what to do, in one sentence
 * @ctl: the program
 * @error: what was answered; may be unset
 * @err: negative errno, for an @error that says nothing
 *
 * Return: the exit code.
 */
int ctl_complain(struct ctl *ctl, const sd_bus_error *error, int err)
{
	_cleanup_(sd_bus_error_free) sd_bus_error own = SD_BUS_ERROR_NULL;
	const struct advice *advice;
	const char *sentence;
	size_t len;

	if (!error->name) {
		(void)sd_bus_error_set_errno(&own, err); /* returns what it is given */
		error = &own;
	}
	if ((ctl->host || ctl->machine) &&
	    sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN))
		return ctl_fail(ctl, error->name,
				"takeoverd does not run on %s; start it there with "
				"'systemctl start takeoverd'.",
				ctl->host ?: ctl->machine);
	advice = find_advice(error->name);
	sentence = advice && advice->sentence ? advice->sentence
		   : error->message	      ? error->message
					      : error->name;
	len = strlen(sentence);
	if (len && sentence[len - 1] == '.')
		len--;
	return ctl_fail(ctl, error->name, "%.*s%s%s.", (int)len, sentence, advice ? "; " : "",
			advice ? advice->advice : "");
}

/**
 * ctl_now() - the time in which the agent tells when something was
 * @ctl: the program; connected, if the agent is on another host
 */
instant ctl_now(const struct ctl *ctl)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts); /* cannot fail: the clock exists */
	return (instant){ (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000 +
			  ctl->ahead_us };
}

/* A caller who waits for the answer of one call, and asks meanwhile whether anybody is there. */
struct wait {
	sd_bus_message *answer;
	sd_bus_slot *ping;
	instant until; /* never: for as long as it takes */
	bool hangs;
};

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct wait *wait = userdata;

	(void)error;
	wait->answer = sd_bus_message_ref(m);
	return 0;
}

/* sd-bus answers a ping by itself, as long as the agent's loop turns. */
static int on_pong(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct wait *wait = userdata;

	(void)error;
	wait->hangs = sd_bus_message_is_method_error(m, SD_BUS_ERROR_NO_REPLY);
	wait->ping = sd_bus_slot_unref(wait->ping);
	return 0;
}

static int send_ping(sd_bus *bus, struct wait *wait)
{
	return sd_bus_call_method_async(bus, &wait->ping, API_NAME, API_PATH,
					"org.freedesktop.DBus.Peer", "Ping", on_pong, wait, NULL);
}

/* How long to sleep, at most; 0: it is over. */
static uint64_t left_of(const struct ctl *ctl, const struct wait *wait)
{
	uint64_t left_us = instant_since(wait->until, ctl_now(ctl));

	return !instant_is_set(wait->until) || left_us > CTL_PATIENCE_US ? CTL_PATIENCE_US
									 : left_us;
}

static int wait_for_answer(const struct ctl *ctl, struct wait *wait)
{
	sd_bus *bus = ctl->bus;
	uint64_t left_us;
	int r;

	while (!wait->answer && !wait->hangs) {
		r = sd_bus_process(bus, NULL);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		left_us = left_of(ctl, wait);
		if (left_us == 0)
			return -ETIME;
		r = sd_bus_wait(bus, left_us);
		if (r == 0 && left_us == CTL_PATIENCE_US && !wait->ping)
			r = send_ping(bus, wait);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return 0;
}

/**
 * ctl_call_with() - call a method, and wait for as long as it takes
 * @ctl: the program, connected
 * @m: the call
 * @error: what the bus or the agent refused with
 * @ret: the answer; may be NULL
 *
 * How long the agent may take is its own affair (TimeoutStep= is up to ten
 * minutes), and it answers everybody: so there is no limit, as long as it lives, but
 * that of who calls.
 *
 * Return: 0 or more; or negative errno: the bus's Timeout in @error if the agent hangs,
 * ours if it is later than @ctl's until.
 */
int ctl_call_with(struct ctl *ctl, sd_bus_message *m, sd_bus_error *error, sd_bus_message **ret)
{
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *call = NULL;
	struct wait wait = { .until = ctl->until };
	int r;

	r = sd_bus_call_async(ctl->bus, &call, m, on_answer, &wait, UINT64_MAX);
	if (r >= 0)
		r = wait_for_answer(ctl, &wait);
	sd_bus_slot_unref(wait.ping);
	if (r == -ETIME)
		r = sd_bus_error_set(error, API_ERROR "Timeout", NULL);
	else if (r >= 0 && !wait.answer)
		r = sd_bus_error_set(error, SD_BUS_ERROR_TIMEOUT, NULL);
	else if (r >= 0 && sd_bus_message_is_method_error(wait.answer, NULL))
		r = sd_bus_error_copy(error, sd_bus_message_get_error(wait.answer));
	if (r >= 0 && ret)
		*ret = sd_bus_message_ref(wait.answer);
	sd_bus_message_unref(wait.answer);
	return r;
}

/**
 * ctl_call_manager() - call a method of the agent as a whole, without arguments
 * @ctl: the program, connected
 * @method: the method
 * @error: what the bus or the agent refused with
 * @ret: the answer
 *
 * Waits for as long as it takes: somebody may have to type a password.
 *
 * Return: 0 or more; or negative errno: Timeout in @error if the agent hangs.
 */
int ctl_call_manager(struct ctl *ctl, const char *method, sd_bus_error *error, sd_bus_message **ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(ctl->bus, &m, API_NAME, API_PATH, API_MANAGER, method);
	return r < 0 ? r : ctl_call_with(ctl, m, error, ret);
}

/**
 * ctl_new_call() - begin a call of a method of a group
 * @ctl: the program, connected
 * @group: name of the group
 * @method: the method
 * @ret: the call, without arguments
 *
 * Return: 0 or more; or negative errno.
 */
int ctl_new_call(struct ctl *ctl, const char *group, const char *method, sd_bus_message **ret)
{
	_cleanup_(freep) char *path = NULL;
	int r;

	r = sd_bus_path_encode(API_PATH "/group", group, &path);
	if (r < 0)
		return r;
	return sd_bus_message_new_method_call(ctl->bus, ret, API_NAME, path, API_GROUP, method);
}

/**
 * ctl_call_group() - call a method of a group, and wait for as long as it takes
 * @ctl: the program, connected
 * @group: name of the group
 * @method: the method
 * @error: what the bus or the agent refused with
 * @ret: the answer; may be NULL
 * @types: of the arguments that follow; NULL: none
 *
 * Return: as ctl_call_with()
 */
int ctl_call_group(struct ctl *ctl, const char *group, const char *method, sd_bus_error *error,
		   sd_bus_message **ret, const char *types, ...)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	va_list ap;
	int r;

	r = ctl_new_call(ctl, group, method, &m);
	if (r < 0)
		return r;
	va_start(ap, types);
	r = types ? sd_bus_message_appendv(m, types, ap) : 0;
	va_end(ap);
	return r < 0 ? r : ctl_call_with(ctl, m, error, ret);
}
