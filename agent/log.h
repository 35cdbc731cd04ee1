/* SPDX-License-Identifier: MIT */
#pragma once

#include "agent/base.h"

/* As in syslog(3): under systemd the journal's priority, by hand a word. */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
};

/* What others can cause as often as they like is said once a minute. */
#define LOG_REPEAT_US (60 * USEC_PER_SEC)

enum { LOG_FIELDS_MAX = 768 };

int log_start(void);
void log_stop(void);
void log_line(enum log_level level, const char *id, const char *group, const char *text,
	      const char *fields);
void log_say(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool log_is_due(instant *last, instant now);
