/* SPDX-License-Identifier: MIT */

#include <errno.h>

#include "agent/cleanup.h"
#include "sdbus/ctl_json.h"

/**
 * ctl_json_text() - a string, whatever its bytes are
 * @text: the text; bytes beyond ASCII become "?" if it is not UTF-8
 *
 * Return: the string, to be owned by the caller; NULL: no memory.
 */
json_t *ctl_json_text(const char *text)
{
	_cleanup_(freep) char *plain = NULL;
	json_t *json = json_string(text);

	if (json)
		return json;
	plain = strdup(text);
	if (!plain)
		return NULL;
	for (char *c = plain; *c; c++)
		if (*c & 0x80)
			*c = '?';
	return json_string(plain);
}

static json_t *strings(char *const *strv)
{
	json_t *list = json_array();

	for (; strv && *strv; strv++)
		(void)json_array_append_new(list, ctl_json_text(*strv));
	return list;
}

static json_t *number(uint64_t value, bool nullable)
{
	if (nullable && value == 0)
		return json_null();
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *nodes(const struct api_nodes *nodes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < nodes->n; i++) {
		const struct api_node *node = &nodes->v[i];

		(void)json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "name",
							    ctl_json_text(node->name), "state",
							    ctl_json_text(node->state), "unfit",
							    strings(node->unfit)));
	}
	return list;
}

static json_t *inhibitors(const struct api_inhibitors *inhibitors)
{
	json_t *list = json_array();

	for (size_t i = 0; i < inhibitors->n; i++) {
		const struct api_inhibitor *one = &inhibitors->v[i];

		(void)json_array_append_new(
			list, json_pack("{s:o, s:o, s:I}", "who", ctl_json_text(one->who), "why",
					ctl_json_text(one->why), "uid", (json_int_t)one->uid));
	}
	return list;
}

static json_t *text(const char *text, bool nullable)
{
	return nullable && *text == '\0' ? json_null() : ctl_json_text(text);
}

static json_t *checks(const struct api_checks *checks)
{
	json_t *list = json_array();

	for (size_t i = 0; i < checks->n; i++) {
		const struct api_check *one = &checks->v[i];

		(void)json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:I}", "name",
							    ctl_json_text(one->name), "state",
							    ctl_json_text(one->state), "result",
							    text(one->result, true), "ended_us",
							    number(one->ended_us, true), "streak",
							    (json_int_t)one->streak));
	}
	return list;
}

static json_t *paths(const struct api_peer *peer)
{
	json_t *list = json_array();

	for (size_t i = 0; i < peer->n_paths; i++) {
		const struct api_path *p = &peer->paths[i];

		(void)json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "local",
					ctl_json_text(p->local), "remote", ctl_json_text(p->remote),
					"sent", number(p->sent, false), "received",
					number(p->received, false), "lost", number(p->lost, false),
					"rtt_us", number(p->rtt_us, true), "rtt_best_us",
					number(p->rtt_min_us, true), "heard_us",
					number(p->heard_us, true)));
	}
	return list;
}

static json_t *value(const struct ctl_field *field, const void *object)
{
	const void *at = (const uint8_t *)object + field->offset;

	switch (field->kind) {
	case CTL_KIND_TEXT:
		return text(*(const char *const *)at, field->nullable);
	case CTL_KIND_COUNT:
	case CTL_KIND_SPAN:
	case CTL_KIND_TIME:
		return number(*(const uint64_t *)at, field->nullable);
	case CTL_KIND_BOOL:
		return json_boolean(*(const bool *)at);
	case CTL_KIND_LIST:
		return strings(*(char *const *const *)at);
	case CTL_KIND_NODES:
		return nodes(at);
	case CTL_KIND_PATHS:
		return paths(object);
	case CTL_KIND_INHIBITORS:
		return inhibitors(at);
	case CTL_KIND_CHECKS:
		return checks(at);
	case _CTL_KIND_MAX:
		break;
	}
	return NULL;
}

/**
 * ctl_json_fields() - an object as JSON
 * @fields: its properties
 * @object: the object
 * @present: which of them are wanted, a bit for each
 *
 * Return: the JSON object, to be owned by the caller; NULL: no memory.
 */
json_t *ctl_json_fields(const struct ctl_field *fields, const void *object, uint32_t present)
{
	json_t *json = json_object();

	for (unsigned i = 0; fields[i].property; i++)
		if (present & 1U << i)
			(void)json_object_set_new(json, fields[i].member,
						  value(&fields[i], object));
	return json;
}

/* How long ago; null: never. */
static json_t *age(instant now, uint64_t then_us)
{
	return then_us ? number(instant_since(now, (instant){ then_us }), false) : json_null();
}

static json_t *group_of_model(const struct api_group *group, instant now)
{
	json_t *json = ctl_json_fields(ctl_group_fields, group, UINT32_MAX);
	const char *successor = ctl_successor(group);

	(void)json_object_set_new(json, "role_age_us", age(now, group->role_since_us));
	(void)json_object_set_new(json, "successor",
				  successor ? ctl_json_text(successor) : json_null());
	return json;
}

static json_t *peer_of_model(const struct api_peer *peer, instant now)
{
	json_t *json = ctl_json_fields(ctl_peer_fields, peer, UINT32_MAX);
	json_t *list = json_object_get(json, "paths"), *path;
	size_t i;

	json_array_foreach(list, i, path)(void)
		json_object_set_new(path, "heard_age_us", age(now, peer->paths[i].heard_us));
	return json;
}

/**
 * ctl_json_model() - what `status` shows
 * @model: the model
 * @now: CLOCK_BOOTTIME; ages are counted back from it
 *
 * Return: the JSON object, to be owned by the caller; NULL: no memory.
 */
json_t *ctl_json_model(const struct ctl_model *model, instant now)
{
	json_t *json = ctl_json_fields(ctl_manager_fields, &model->manager, UINT32_MAX);
	json_t *groups = json_array(), *peers = json_array();

	for (size_t i = 0; i < model->n_groups; i++)
		(void)json_array_append_new(groups, group_of_model(&model->groups[i], now));
	for (size_t i = 0; i < model->n_peers; i++)
		(void)json_array_append_new(peers, peer_of_model(&model->peers[i], now));
	(void)json_object_set_new(json, "now_us", number(now.us, false));
	(void)json_object_set_new(json, "groups", groups);
	(void)json_object_set_new(json, "peers", peers);
	return json;
}

/* One line; its end is seen at once by who reads a pipe. Takes @object. */
static int print(FILE *out, json_t *object)
{
	_cleanup_(freep) char *line = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	if (!line)
		return -ENOMEM;
	fprintf(out, "%s\n", line);
	(void)fflush(out); /* ctl_run() looks whether all has been written */
	return 0;
}

/**
 * ctl_json_error() - say to a program what went wrong
 * @out: where to
 * @name: D-Bus name of the error
 * @message: the sentence
 */
void ctl_json_error(FILE *out, const char *name, const char *message)
{
	(void)print(out, json_pack("{s:{s:o, s:o}}", "error", "name", ctl_json_text(name),
				   "message", ctl_json_text(message))); /* it is on stderr, too */
}

/**
 * ctl_json_print() - print an object on a line of its own
 * @ctl: the program
 * @object: takes it; NULL: there was no memory for it
 *
 * Return: the exit code; that of output that could not be written is ctl_run()'s affair.
 */
int ctl_json_print(struct ctl *ctl, json_t *object)
{
	int r;

	r = print(ctl->out, object);
	return r < 0 ? ctl_complain(ctl, &SD_BUS_ERROR_NULL, r) : CTL_OK;
}
