/* SPDX-License-Identifier: MIT */

/* The bus of this host, or of another. */

#include <errno.h>

#include "sdbus/ctl.h"

/*
 * Another host has booted at another time. Asked first, as ssh says only now whether
 * it gets there; an agent that does not run tells no times either.
 */
static int learn_clock(struct ctl *ctl)
{
	uint64_t now_us;
	int r;

	r = sd_bus_get_property_trivial(ctl->bus, API_NAME, API_PATH, API_MANAGER, "NowUSec", NULL,
					't', &now_us);
	if (r >= 0)
		ctl->ahead_us = now_us - ctl_now(ctl).us;
	return r == -ECONNRESET || r == -ENOTCONN || r == -EPIPE ? -EHOSTUNREACH : 0;
}

static int open_bus(struct ctl *ctl)
{
	int r;

	if (ctl->host)
		r = sd_bus_open_system_remote(&ctl->bus, ctl->host);
	else if (ctl->machine)
		r = sd_bus_open_system_machine(&ctl->bus, ctl->machine);
	else
		r = sd_bus_open_system(&ctl->bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(ctl->bus, CTL_PATIENCE_US);
	if (r >= 0)
		r = sd_bus_set_allow_interactive_authorization(ctl->bus, true);
	return r < 0 || !ctl->host ? r : learn_clock(ctl);
}

/**
 * ctl_connect() - open the system bus, or whatever DBUS_SYSTEM_BUS_ADDRESS says
 * @ctl: the program; does nothing if it is connected
 *
 * With --host or --machine the system bus there.
 *
 * Return: 0; or negative errno, and it has been said why.
 */
int ctl_connect(struct ctl *ctl)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	if (ctl->bus)
		return 0;
	r = open_bus(ctl);
	if (r >= 0)
		return 0;
	if (ctl->host)
		(void)ctl_fail(ctl, SD_BUS_ERROR_NO_SERVER,
			       "cannot reach the system bus of %s; see whether "
			       "'ssh %s systemd-stdio-bridge' works.",
			       ctl->host, ctl->host);
	else if (ctl->machine)
		(void)ctl_fail(ctl, SD_BUS_ERROR_NO_SERVER,
			       "cannot reach the system bus of %s: %s; 'machinectl' shows the "
			       "containers.",
			       ctl->machine, strerror(-r));
	else {
		(void)sd_bus_error_setf(&error, SD_BUS_ERROR_NO_SERVER,
					"cannot reach the system bus: %s", strerror(-r));
		(void)ctl_complain(ctl, &error, r);
	}
	return r;
}
