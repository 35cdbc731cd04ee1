/* SPDX-License-Identifier: MIT */

/* The options of SwitchoverWithOptions(), an a{sv}: what is not understood is refused. */

#include <errno.h>

#include "sdbus/api_private.h"
#include "sdbus/dict.h"

static const struct option {
	const char *key;
	char type;
	size_t offset; /* in struct api_switchover */
} options[] = {
	{ "to", SD_BUS_TYPE_STRING, offsetof(struct api_switchover, to) },
	{ "strict", SD_BUS_TYPE_BOOLEAN, offsetof(struct api_switchover, strict) },
	{ "force", SD_BUS_TYPE_BOOLEAN, offsetof(struct api_switchover, force) },
	{ "deadline_usec", SD_BUS_TYPE_UINT64, offsetof(struct api_switchover, within_us) },
};

static const struct option *find_option(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(options[i].key, key) == 0)
			return &options[i];
	return NULL;
}

static int read_value(sd_bus_message *m, const struct option *option, struct api_switchover *ret)
{
	const char type[] = { option->type, '\0' };
	void *at = (uint8_t *)ret + option->offset;
	int on = 0, r;

	if (option->type != SD_BUS_TYPE_BOOLEAN)
		return sd_bus_message_read(m, "v", type, at);
	r = sd_bus_message_read(m, "v", type, &on);
	*(bool *)at = on;
	return r;
}

struct reading {
	struct api_switchover *options;
	sd_bus_error *error;
};

static int read_option(sd_bus_message *m, void *ctx)
{
	struct reading *reading = ctx;
	const struct option *option;
	const char *key, *type;
	int r;

	r = sd_bus_message_read(m, "s", &key);
	if (r < 0)
		return r;
	option = find_option(key);
	if (!option)
		return sd_bus_error_setf(reading->error, SD_BUS_ERROR_INVALID_ARGS,
					 "There is no option \"%s\".", key);
	r = sd_bus_message_peek_type(m, NULL, &type);
	if (r < 0)
		return r;
	if (type[0] != option->type) /* a variant is of one type, and this the whole of it */
		return sd_bus_error_setf(reading->error, SD_BUS_ERROR_INVALID_ARGS,
					 "The option \"%s\" is of type %c, not %s.", key,
					 option->type, type);
	return read_value(m, option, reading->options);
}

/**
 * api_switchover_read() - how a caller wants a switchover
 * @m: its call, at the options
 * @ret: all that is not there is zero; its strings are those of @m
 * @error: set to InvalidArgs, with the option that is wrong
 *
 * Return: 0 or more; or negative errno.
 */
int api_switchover_read(sd_bus_message *m, struct api_switchover *ret, sd_bus_error *error)
{
	struct reading reading = { .options = ret, .error = error };

	*ret = (struct api_switchover){ 0 };
	return dict_each(m, "sv", read_option, &reading);
}
