/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf_keys.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/cleanup.h"

static void print_section(enum conf_section section, const char *name, const void *object,
			  bool shared, FILE *to)
{
	const struct conf_key *keys;
	size_t n;

	keys = conf_keys(&n);
	fprintf(to, name ? "[%s %s]\n" : "[%s]\n", conf_section_name(section), name);
	for (size_t i = 0; i < n; i++)
		if (keys[i].section == section && !(shared && keys[i].local))
			keys[i].kind->print(&keys[i], object, to);
}

/* @shared: leave out what may differ between the hosts. */
static int print_all(const struct conf *conf, bool shared, FILE *to)
{
	print_section(CONF_SECTION_AGENT, NULL, conf, shared, to);
	for (size_t i = 0; i < conf->n_nodes; i++) {
		fputc('\n', to);
		print_section(CONF_SECTION_NODE, conf->nodes[i].name, &conf->nodes[i], shared, to);
	}
	for (size_t i = 0; i < conf->n_groups; i++) {
		fputc('\n', to);
		print_section(CONF_SECTION_GROUP, conf->groups[i].name, &conf->groups[i], shared,
			      to);
	}
	/* Each host reacts as it likes: nothing that both have to agree on. */
	for (size_t i = 0; !shared && i < conf->n_reactions; i++) {
		fputc('\n', to);
		print_section(CONF_SECTION_REACTION, conf->reactions[i].name, &conf->reactions[i],
			      shared, to);
	}
	return ferror(to) ? -EIO : 0;
}

/**
 * conf_print() - Write the configuration as it is in force, defaults included.
 * @conf: configuration
 * @to: receives text that conf_load() reads back to an equal configuration
 *
 * Return: 0; -EIO if @to has an error.
 */
int conf_print(const struct conf *conf, FILE *to)
{
	return print_all(conf, false, to);
}

/**
 * conf_print_digest() - What both hosts have to agree on, as one number (R12).
 * @conf: sorted configuration
 * @ret: hash of its text without what may differ between the hosts
 *
 * Return: 0; -ENOMEM.
 */
int conf_print_digest(const struct conf *conf, uint64_t *ret)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *f;
	int r;

	f = open_memstream(&text, &size);
	if (!f)
		return -ENOMEM;
	r = print_all(conf, true, f);
	if (fclose(f) != 0 || r < 0)
		return -ENOMEM;
	*ret = conf_hash(text, size);
	return 0;
}
