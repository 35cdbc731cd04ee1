/* SPDX-License-Identifier: MIT */

/*
 * Configuration files. Laws: what is refused is refused with a sentence for every
 * mistake, at a line that exists; what is accepted can be printed, and the print is
 * read without a complaint to the same configuration.
 */

#include <errno.h>

#include "tests/fuzz/fuzz.h"
#include "tests/with_conf.h"

enum { SIZE_MAX_USED = 16384 }; /* beyond this there is only more of the same */

static void check_problems(const struct conf_problems *problems, unsigned lines)
{
	for (size_t i = 0; i < problems->n; i++) {
		const struct conf_problem *problem = &problems->v[i];
		size_t len = strlen(problem->text);

		assert(len > 1 && strchr(".?", problem->text[len - 1]));
		assert(problem->line <= lines);
	}
}

static char *print(const struct conf *conf, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	assert(f);
	assert(conf_print(conf, f) == 0);
	assert(fclose(f) == 0);
	return text;
}

static void check_print(const struct conf *conf)
{
	_cleanup_(conf_freep) struct conf *again = NULL;
	_cleanup_(freep) char *text = NULL;
	_cleanup_(freep) char *text_again = NULL;
	struct conf_problems problems = { 0 };
	size_t len, len_again;

	text = print(conf, &len);
	assert(conf_from_bytes(text, len, &again, &problems) == 0);
	assert(again->digest == conf->digest);
	text_again = print(again, &len_again);
	assert(len == len_again && memcmp(text, text_again, len) == 0);
	conf_problems_done(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(conf_freep) struct conf *conf = NULL;
	struct conf_problems problems = { 0 };
	unsigned lines = 1;
	int r;

	if (size > SIZE_MAX_USED)
		return 0;
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	r = conf_from_bytes(data, size, &conf, &problems);
	assert(r == (conf_problems_fatal(&problems) ? -EINVAL : 0));
	assert(!conf == (r < 0));
	check_problems(&problems, lines);
	conf_problems_done(&problems);
	if (conf)
		check_print(conf);
	return 0;
}
