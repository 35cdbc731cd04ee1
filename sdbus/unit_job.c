/* SPDX-License-Identifier: MIT */

/* Orders to start and to stop units, and which job is under way for our own. */

#include <errno.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "sdbus/unit_private.h"

static void job_free(struct unit_job *job)
{
	sd_bus_slot_unref(job->call);
	free(job->path);
	free(job);
}

static void unlink_job(struct unit_job *job)
{
	struct unit_job **p = &job->units->jobs;

	while (*p != job)
		p = &(*p)->next;
	*p = job->next;
}

/* Whoever hears of it may give new orders, or forget old ones. */
static void end_job(struct unit_job *job, int err, const char *why)
{
	struct units *units = job->units;
	uint32_t id = job->id;

	unlink_job(job);
	units->ops->done(units->ctx, id, err, why);
	job_free(job); /* @why may be in it */
}

/* JobRemoved's word for how a job ended: systemd's job_result_to_string() */
static int result_errno(const char *result)
{
	static const struct {
		const char *word;
		int err;
	} results[] = {
		{ "done", 0 },
		{ "skipped", 0 }, /* it was so already */
		{ "timeout", -ETIMEDOUT },
		{ "canceled", -ECANCELED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(results); i++)
		if (!strcmp(result, results[i].word))
			return results[i].err;
	return -EIO; /* failed, dependency, assert and what later versions may have */
}

static struct unit_job *find_job(struct units *units, const char *path)
{
	for (struct unit_job *job = units->jobs; job; job = job->next)
		if (job->path && !strcmp(job->path, path))
			return job;
	return NULL;
}

/**
 * unit_job_removed() - A job has ended, perhaps one of ours
 *
 * Of two who want the same of a unit systemd makes one job.
 */
int unit_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct units *units = userdata;
	const char *path, *unit, *result;
	struct unit_job *job;
	uint32_t number;

	(void)error;
	if (!units->jobs || !named_sent(&units->systemd, m))
		return 0;
	if (sd_bus_message_read(m, "uoss", &number, &path, &unit, &result) < 0)
		return 0;
	while ((job = find_job(units, path)))
		end_job(job, result_errno(result), result);
	return 0;
}

/* What is not loaded does not run: it need not be stopped. */
static bool is_stopped(const struct unit_job *job, sd_bus_message *m)
{
	return job->verb == UNIT_STOP &&
	       sd_bus_message_is_method_error(m, "org.freedesktop.systemd1.NoSuchUnit");
}

static int on_ordered(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct unit_job *job = userdata;
	struct units *units = job->units;
	uint32_t id = job->id;
	const char *path, *why;
	int r;

	(void)error;
	job->call = sd_bus_slot_unref(job->call);
	r = named_refusal(m, &why);
	if (is_stopped(job, m))
		end_job(job, 0, "done");
	else if (r < 0)
		end_job(job, r, why);
	else if (sd_bus_message_read(m, "o", &path) < 0 || !(job->path = strdup(path)))
		end_job(job, -EIO, "no job");
	if (units->ops->answered)
		units->ops->answered(units->ctx, id);
	return 0;
}

/**
 * units_order() - Have a unit started or stopped, replacing what is under way for it
 * @name: of the unit
 * @id: comes back with answered() and done()
 *
 * Return: 0; -ENOTCONN if systemd is not here; -ENOMEM; errors of the connection.
 */
int units_order(struct units *units, enum unit_verb verb, const char *name, uint32_t id)
{
	static const char *const methods[_UNIT_VERB_MAX] = {
		[UNIT_START] = "StartUnit",
		[UNIT_STOP] = "StopUnit",
	};
	const struct named_member what = { SYSTEMD_PATH, SYSTEMD_MANAGER, methods[verb] };
	struct unit_job *job;
	int r;

	if (!units->here)
		return -ENOTCONN;
	job = calloc(1, sizeof(*job));
	if (!job)
		return -ENOMEM;
	*job = (struct unit_job){ .units = units, .id = id, .verb = verb };
	r = named_call(&units->systemd, &job->call, &what, on_ordered, job, "ss", name, "replace");
	if (r < 0) {
		job_free(job);
		return r;
	}
	job->next = units->jobs;
	units->jobs = job;
	return 0;
}

/**
 * units_forget() - Nobody waits for this order any more; systemd goes on with it
 *
 * To cancel the job would leave the unit half way. Another order replaces it.
 */
void units_forget(struct units *units, uint32_t id)
{
	for (struct unit_job *job = units->jobs; job; job = job->next)
		if (job->id == id) {
			unlink_job(job);
			job_free(job);
			return;
		}
}

/**
 * unit_jobs_done() - Forget all orders
 */
void unit_jobs_done(struct units *units)
{
	struct unit_job *job;

	while ((job = units->jobs)) {
		units->jobs = job->next;
		job_free(job);
	}
}

static int on_own_unit(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct units *units = userdata;
	const char *path;

	(void)error;
	units->own = sd_bus_slot_unref(units->own);
	free(TAKE(units->own_path));
	if (!sd_bus_message_is_method_error(m, NULL) && sd_bus_message_read(m, "o", &path) >= 0)
		units->own_path =
			strdup(path); /* without it there is no job, as for who has none */
	return 0;
}

/**
 * unit_own_find() - Ask which unit we run in: that does not change
 *
 * Return: 0; -ENOMEM; errors of the connection.
 */
int unit_own_find(struct units *units)
{
	static const struct named_member what = { SYSTEMD_PATH, SYSTEMD_MANAGER, "GetUnitByPID" };

	if (units->own_handler)
		return 0; /* it is known, and the slot in use */
	units->own = sd_bus_slot_unref(units->own);
	/* 0: who asks */
	return named_call(&units->systemd, &units->own, &what, on_own_unit, units, "u", 0);
}

static void answer_own(struct units *units, const char *type)
{
	unit_job_handler handler = TAKE(units->own_handler);

	units->own = sd_bus_slot_unref(units->own);
	handler(units->own_ctx, type);
}

static int on_own_type(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *type;

	(void)error;
	if (sd_bus_message_is_method_error(m, NULL) || sd_bus_message_read(m, "v", "s", &type) < 0)
		type = "";
	answer_own(userdata, type);
	return 0;
}

static int get(struct units *units, const char *path, const char *interface, const char *property,
	       sd_bus_message_handler_t handler)
{
	const struct named_member what = { path, DBUS_PROPERTIES, "Get" };

	units->own = sd_bus_slot_unref(units->own);
	return named_call(&units->systemd, &units->own, &what, handler, units, "ss", interface,
			  property);
}

static int on_own_job(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct units *units = userdata;
	uint32_t number = 0;
	const char *path;

	(void)error;
	if (!sd_bus_message_is_method_error(m, NULL) &&
	    sd_bus_message_read(m, "v", "(uo)", &number, &path) >= 0 && number != 0 &&
	    get(units, path, SYSTEMD_JOB, "JobType", on_own_type) >= 0)
		return 0;
	answer_own(units, "");
	return 0;
}

/**
 * units_own_job() - Ask which job is under way for the unit that we run in
 * @handler: gets the answer, once; systemd may take its time
 * @ctx: for @handler
 *
 * Return: 0; -ENOTCONN if systemd is not here or we are in no unit of its; -EBUSY if the
 * question is under way already; -ENOMEM; errors of the connection.
 */
int units_own_job(struct units *units, unit_job_handler handler, void *ctx)
{
	int r;

	if (!units->here || !units->own_path)
		return -ENOTCONN;
	if (units->own_handler)
		return -EBUSY;
	r = get(units, units->own_path, SYSTEMD_UNIT, "Job", on_own_job);
	if (r < 0)
		return r;
	units->own_handler = handler;
	units->own_ctx = ctx;
	return 0;
}
