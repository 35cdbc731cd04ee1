/* SPDX-License-Identifier: MIT */
#pragma once

/* A configuration out of a string, for tests. */

#include <stdio.h>
#include <sys/mman.h>

#include "agent/cleanup.h"
#include "agent/conf/conf.h"

static inline int conf_from_bytes(const void *text, size_t len, struct conf **ret,
				  struct conf_problems *problems)
{
	_cleanup_(close_fdp) int fd = memfd_create("conf", MFD_CLOEXEC);
	char path[64];

	assert(fd >= 0);
	assert(write(fd, text, len) == (ssize_t)len);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return conf_load(path, ret, problems);
}

/* As takeoverd prints it; heap. */
static inline char *conf_as_text(const struct conf *conf)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert(to);
	assert(conf_print(conf, to) == 0);
	assert(fclose(to) == 0);
	return text;
}

/* @text has to be without mistake. */
static inline struct conf *conf_from_text(const char *text)
{
	struct conf_problems problems = { 0 };
	struct conf *conf = NULL;
	int r;

	r = conf_from_bytes(text, strlen(text), &conf, &problems);
	for (size_t i = 0; i < problems.n; i++)
		fprintf(stderr, "%u: %s\n", problems.v[i].line, problems.v[i].text);
	assert(r == 0);
	conf_problems_done(&problems);
	return conf;
}
