/* SPDX-License-Identifier: MIT */
#pragma once

/* What --json prints: one object on one line. The members are in the manual. */

#include <jansson.h>

#include "sdbus/ctl.h"
#include "sdbus/ctl_fields.h"

json_t *ctl_json_text(const char *text);
json_t *ctl_json_fields(const struct ctl_field *fields, const void *object, uint32_t present);
json_t *ctl_json_model(const struct ctl_model *model, instant now);

void ctl_json_error(FILE *out, const char *name, const char *message);
int ctl_json_print(struct ctl *ctl, json_t *object);
