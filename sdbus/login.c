/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "sdbus/login.h"
#include "sdbus/named.h"

#define LOGIN_PATH "/org/freedesktop/login1"
#define LOGIN_MANAGER "org.freedesktop.login1.Manager"

struct login {
	const struct login_ops *ops; /* borrowed, as ctx is */
	void *ctx;
	sd_bus *bus; /* a reference */
	struct named logind;
	sd_bus_slot *prepare, *inhibit, *look;
	int lock; /* while it is open, the host waits; -1 */
};

static int take_lock(struct login *login, sd_bus_message *m, const char **ret_why)
{
	int fd, r;

	*ret_why = "";
	r = named_refusal(m, ret_why);
	if (r < 0)
		return r;
	r = sd_bus_message_read(m, "h", &fd);
	if (r < 0)
		return r;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* the message's own is closed with it */
	if (fd < 0)
		return -errno;
	close_fdp(&login->lock);
	login->lock = fd;
	return named_owned(&login->logind, m);
}

static int on_inhibited(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct login *login = userdata;
	const char *why;
	int r;

	(void)error;
	login->inhibit = sd_bus_slot_unref(login->inhibit);
	r = take_lock(login, m, &why);
	login->ops->held(login->ctx, r, why);
	return 0;
}

static int inhibit(struct login *login)
{
	static const struct named_member what = { LOGIN_PATH, LOGIN_MANAGER, "Inhibit" };

	login->inhibit = sd_bus_slot_unref(login->inhibit);
	return named_call(&login->logind, &login->inhibit, &what, on_inhibited, login, "ssss",
			  "shutdown", "takeoverd", "Handing virtual addresses over", "delay");
}

static int on_looked(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct login *login = userdata;
	int begins;

	(void)error;
	login->look = sd_bus_slot_unref(login->look);
	if (!sd_bus_message_is_method_error(m, NULL) &&
	    sd_bus_message_read(m, "v", "b", &begins) >= 0)
		login->ops->shutdown(login->ctx, begins);
	return 0;
}

/*
 * Who comes when the host is going down already has not heard the signal, and logind, which waits
 * for nobody any more then, refuses the lock.
 */
static int look(struct login *login)
{
	static const struct named_member what = { LOGIN_PATH, "org.freedesktop.DBus.Properties",
						  "Get" };

	login->look = sd_bus_slot_unref(login->look);
	return named_call(&login->logind, &login->look, &what, on_looked, login, "ss",
			  LOGIN_MANAGER, "PreparingForShutdown");
}

static int begin(struct login *login)
{
	int r = inhibit(login);

	return r < 0 ? r : look(login);
}

static void on_appeared(void *ctx)
{
	(void)begin(ctx); /* a connection that fails is noticed by its owner */
}

/* A shutdown that is called off finds us without a lock, and the next one should not. */
static int on_prepare(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct login *login = userdata;
	int begins;

	(void)error;
	if (!named_sent(&login->logind, m) || sd_bus_message_read(m, "b", &begins) < 0)
		return 0;
	if (!begins && login->lock < 0)
		(void)inhibit(login); /* as above */
	login->ops->shutdown(login->ctx, begins);
	return 0;
}

/**
 * login_new() - Have the host wait for us when it goes down
 * @bus: connection, perhaps not finished yet; referenced
 * @ops: what is heard, never from within a call of ours; borrowed, as @ctx is
 *
 * Return: 0; -ENOMEM; errors of the connection.
 */
int login_new(sd_bus *bus, const struct login_ops *ops, void *ctx, struct login **ret)
{
	static const struct named_member what = { LOGIN_PATH, LOGIN_MANAGER, "PrepareForShutdown" };
	_cleanup_(login_freep) struct login *login = calloc(1, sizeof(*login));
	int r;

	if (!login)
		return -ENOMEM;
	*login = (struct login){ .ops = ops, .ctx = ctx, .bus = sd_bus_ref(bus), .lock = -1 };
	r = named_init(&login->logind, bus, "org.freedesktop.login1", on_appeared, login);
	if (r < 0)
		return r;
	r = named_match(&login->logind, &login->prepare, &what, on_prepare, login);
	if (r < 0)
		return r;
	r = begin(login);
	if (r < 0)
		return r;
	*ret = TAKE(login);
	return 0;
}

/**
 * login_free() - The end: the host waits for us no longer
 */
struct login *login_free(struct login *login)
{
	if (!login)
		return NULL;
	sd_bus_slot_unref(login->inhibit);
	sd_bus_slot_unref(login->look);
	sd_bus_slot_unref(login->prepare);
	named_done(&login->logind);
	sd_bus_unref(login->bus);
	close_fdp(&login->lock);
	free(login);
	return NULL;
}

/**
 * login_release() - Let the host go down: we are ready
 */
void login_release(struct login *login)
{
	close_fdp(&login->lock);
}
