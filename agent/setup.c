/* SPDX-License-Identifier: MIT */

#include "agent/setup.h"

#include <sodium.h>
#include <stdlib.h>

#include "agent/conf/self.h"

/**
 * setup_read() - Read configuration and key, and find out which node this is
 * @file: the configuration
 * @node: name of our node; NULL: found by address or host name
 * @ret: for setup_done(); filled in as far as it got also if this fails
 * @problems: everything that is wrong
 *
 * Blocks as files do.
 *
 * Return: 0; -EADDRNOTAVAIL if only an address is missing that says who we are; -EINVAL if
 * @problems tells of mistakes; errors of reading.
 */
int setup_read(const char *file, const char *node, struct setup *ret,
	       struct conf_problems *problems)
{
	int r, key;

	*ret = (struct setup){ .self = CORE_NODE_NONE };
	r = conf_load(file, &ret->conf, problems);
	if (r < 0)
		return r;
	key = ret->conf->authenticate ? conf_read_key(ret->conf, ret->key, problems) : 0;
	r = self_find(ret->conf, node, &ret->self, problems);
	return key < 0 ? key : r;
}

void setup_done(struct setup *setup)
{
	sodium_memzero(setup->key, sizeof(setup->key));
	setup->conf = conf_free(setup->conf);
}

static char *text_of(const struct conf *conf)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	int r;

	if (!to)
		return NULL;
	r = conf_print(conf, to);
	if (fclose(to) == 0 && r == 0)
		return text;
	free(text);
	return NULL;
}

/**
 * setup_same() - Do both say the same? Of keys nothing is said.
 */
bool setup_same(const struct setup *a, const struct setup *b)
{
	_cleanup_(freep) char *as = text_of(a->conf), *bs = text_of(b->conf);

	return a->self == b->self && as && bs && !strcmp(as, bs);
}

/**
 * setup_print_problems() - One line each, as compilers say them
 */
void setup_print_problems(const struct conf_problems *problems, FILE *to)
{
	for (size_t i = 0; i < problems->n; i++) {
		const struct conf_problem *p = &problems->v[i];
		const char *word = p->warning ? "warning: " : "";

		if (p->file && p->line)
			(void)fprintf(to, "%s:%u: %s%s\n", p->file, p->line, word, p->text);
		else
			(void)fprintf(to, "%s: %s%s\n", p->file ? p->file : "takeoverd", word,
				      p->text);
	}
}
