/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf_load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "agent/cleanup.h"

static void free_origins(struct conf_object *object)
{
	free(object->items);
	free(object->subs);
}

static void load_done(struct conf_load *load)
{
	for (size_t i = 0; i < CORE_NODES_MAX; i++)
		free_origins(&load->nodes[i]);
	for (size_t i = 0; i < CORE_GROUPS_MAX; i++)
		free_origins(&load->groups[i]);
	free_origins(&load->spare);
	for (size_t i = 0; i < load->n_files; i++)
		free(load->files[i]);
	free(load->files);
	(void)conf_free(load->spare_conf);
	(void)conf_free(load->conf);
}

static void load_freep(struct conf_load **load)
{
	if (*load)
		load_done(*load);
	free(*load);
}

/**
 * conf_load_complain() - Record a mistake of the files.
 * @load: load under way
 * @at: where it was made; file 0: in the configuration as a whole
 * @format: a whole sentence, printf style
 *
 * Return: 0; -ENOMEM.
 */
int conf_load_complain(struct conf_load *load, struct conf_origin at, const char *format, ...)
{
	struct conf_problem where = { .line = at.line };
	va_list args;
	int r;

	if (at.file)
		where.file = load->files[at.file - 1];
	va_start(args, format);
	r = conf_problems_addv(load->problems, &where, format, args);
	va_end(args);
	return r;
}

/* Every key of the object as the table has it. */
static int set_defaults(struct conf_object *object)
{
	struct conf_problems none = { 0 };
	const struct conf_place place = { .problems = &none };
	const struct conf_key *keys;
	size_t n;
	int r;

	keys = conf_keys(&n);
	for (size_t i = 0; i < n; i++) {
		if (keys[i].section != object->section || !keys[i].fallback)
			continue;
		r = keys[i].kind->parse(&keys[i], keys[i].fallback, object->target, &place);
		if (r < 0)
			return r;
	}
	assert(none.n == 0); /* the table is ours */
	return 0;
}

static struct conf_object *add_node(struct conf_load *load, const char *name)
{
	struct conf *conf = load->conf;
	struct conf_object *object = &load->nodes[conf->n_nodes];
	struct conf_node *node = &conf->nodes[conf->n_nodes];

	if (conf->n_nodes == CORE_NODES_MAX)
		return NULL;
	conf->n_nodes++;
	memcpy(node->name, name, strlen(name));
	node->id = conf_hash(name, strlen(name));
	object->section = CONF_SECTION_NODE;
	object->target = node;
	return object;
}

static struct conf_object *add_group(struct conf_load *load, const char *name)
{
	struct conf *conf = load->conf;
	struct conf_object *object = &load->groups[conf->n_groups];
	struct conf_group *group = &conf->groups[conf->n_groups];

	if (conf->n_groups == CORE_GROUPS_MAX)
		return NULL;
	conf->n_groups++;
	memcpy(group->name, name, strlen(name));
	group->id = conf_hash(name, strlen(name));
	object->section = CONF_SECTION_GROUP;
	object->target = group;
	return object;
}

/**
 * conf_load_object() - The object that a section speaks of, made if it is new.
 * @load: load under way; the section stands in its present line
 * @section: kind of section
 * @name: valid name; ignored for CONF_SECTION_AGENT
 *
 * Return: object, owned by @load; NULL if there are too many of the kind (load->err is 0), or
 * if memory ran out (load->err is -ENOMEM).
 */
struct conf_object *conf_load_object(struct conf_load *load, enum conf_section section,
				     const char *name)
{
	const struct conf *conf = load->conf;
	struct conf_object *object;

	if (section == CONF_SECTION_AGENT)
		return &load->agent;
	for (size_t i = 0; section == CONF_SECTION_NODE && i < conf->n_nodes; i++)
		if (!strcmp(conf->nodes[i].name, name))
			return &load->nodes[i];
	for (size_t i = 0; section == CONF_SECTION_GROUP && i < conf->n_groups; i++)
		if (!strcmp(conf->groups[i].name, name))
			return &load->groups[i];

	object = section == CONF_SECTION_NODE ? add_node(load, name) : add_group(load, name);
	if (!object)
		return NULL;
	object->at = (struct conf_origin){ (uint32_t)load->n_files, load->line };
	load->err = set_defaults(object);
	return load->err < 0 ? NULL : object;
}

/**
 * conf_load_spare() - An object for the keys of a section that was refused.
 * @load: load under way
 * @section: kind of section that was meant
 *
 * What they say is checked like any other value, and does not count.
 *
 * Return: object, owned by @load, valid until the next call; NULL if memory ran out (load->err
 * is -ENOMEM).
 */
struct conf_object *conf_load_spare(struct conf_load *load, enum conf_section section)
{
	struct conf *conf = calloc(1, sizeof(*conf));

	load->refused_kind[section] = true;
	if (!conf) {
		load->err = -ENOMEM;
		return NULL;
	}
	free_origins(&load->spare);
	(void)conf_free(load->spare_conf);
	load->spare_conf = conf;
	load->spare = (struct conf_object){ .section = section, .target = conf };
	if (section == CONF_SECTION_NODE) {
		conf->n_nodes = 1;
		load->spare.target = &conf->nodes[0];
	} else if (section == CONF_SECTION_GROUP) {
		conf->n_groups = 1;
		load->spare.target = &conf->groups[0];
	}
	return &load->spare;
}

static size_t key_index(enum conf_section section, const char *name)
{
	const struct conf_key *keys;
	size_t i, n;

	keys = conf_keys(&n);
	for (i = 0; i < n; i++)
		if (keys[i].section == section && !strcmp(keys[i].name, name))
			break;
	assert(i < n);
	return i;
}

/**
 * conf_load_key_origin() - Where a key of an object was said.
 * @object: object
 * @key: name of a key in the table
 *
 * Return: origin; file 0 if the default is in force.
 */
struct conf_origin conf_load_key_origin(const struct conf_object *object, const char *key)
{
	return object->keys[key_index(object->section, key)];
}

/**
 * conf_load_key_bad() - Has something that was said of a key been refused?
 * @object: object
 * @key: name of a key in the table
 *
 * Return: true if its value is not what the file wanted it to be.
 */
bool conf_load_key_bad(const struct conf_object *object, const char *key)
{
	return object->bad[key_index(object->section, key)];
}

/**
 * conf_load_distrust() - Something that was perhaps meant for a key has been refused.
 * @object: object
 * @key: what may be its name; not terminated
 * @len: of @key in bytes
 *
 * So that nobody is told that the key is missing as well.
 */
void conf_load_distrust(struct conf_object *object, const char *key, size_t len)
{
	const struct conf_key *keys;
	size_t n;

	keys = conf_keys(&n);
	for (size_t i = 0; i < n; i++)
		if (keys[i].section == object->section && strlen(keys[i].name) == len &&
		    !memcmp(keys[i].name, key, len))
			object->bad[i] = true;
}

/**
 * conf_load_n_items() - How many addresses an object has.
 * @object: object
 *
 * Return: number of addresses; 0 for the agent.
 */
size_t conf_load_n_items(const struct conf_object *object)
{
	switch (object->section) {
	case CONF_SECTION_AGENT:
		return 0;
	case CONF_SECTION_NODE:
		return ((const struct conf_node *)object->target)->n_paths;
	case CONF_SECTION_GROUP:
		return ((const struct conf_group *)object->target)->n_vips;
	case _CONF_SECTION_MAX:
		break;
	}
	assert(false);
	return 0;
}

/**
 * conf_load_n_subs() - How many sub-interfaces an object has.
 * @object: object
 *
 * Return: their number; 0 for all but groups.
 */
size_t conf_load_n_subs(const struct conf_object *object)
{
	if (object->section != CONF_SECTION_GROUP)
		return 0;
	return ((const struct conf_group *)object->target)->n_subs;
}

static int read_all(int fd, char *buf, size_t size, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = read(fd, buf + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

/* Read load's newest file. Return: 1; 0 after a complaint that it cannot be read; -ENOMEM. */
static int read_newest(struct conf_load *load)
{
	const struct conf_origin at = { (uint32_t)load->n_files, 0 };
	_cleanup_(freep) char *text = NULL;
	_cleanup_(close_fdp) int fd = -1;
	struct stat st;
	size_t len = 0;
	int r;

	/* O_NONBLOCK: a FIFO must not hold us until it is seen to be one */
	fd = open(load->files[load->n_files - 1], O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return conf_load_complain(load, at, "The file cannot be opened: %s.",
					  strerror(errno));
	if (!S_ISREG(st.st_mode))
		return conf_load_complain(load, at, "This is not a regular file.");
	text = malloc(CONF_FILE_MAX + 1);
	if (!text)
		return -ENOMEM;
	r = read_all(fd, text, CONF_FILE_MAX + 1, &len);
	if (r < 0)
		return conf_load_complain(load, at, "The file cannot be read: %s.", strerror(-r));
	if (len > CONF_FILE_MAX)
		return conf_load_complain(load, at, "The file is larger than %d bytes.",
					  CONF_FILE_MAX);
	r = conf_text_read(load, text, len);
	return r < 0 ? r : 1;
}

/* Takes @path. Return: as read_newest(). */
static int load_file(struct conf_load *load, char *path)
{
	_cleanup_(freep) char *owned = path;
	char **files;

	files = reallocarray(load->files, load->n_files + 1, sizeof(*files));
	if (!files)
		return -ENOMEM;
	load->files = files;
	files[load->n_files++] = TAKE(owned);
	return read_newest(load);
}

static int is_drop_in(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && !strcmp(dot, ".conf");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_drop_ins(struct conf_load *load, const char *file)
{
	_cleanup_(freep) struct dirent **entries = NULL;
	_cleanup_(freep) char *dir = NULL;
	int n, r = 0;

	if (asprintf(&dir, "%s.d", file) < 0) {
		dir = NULL; /* asprintf() leaves it undefined */
		return -ENOMEM;
	}
	n = scandir(dir, &entries, is_drop_in, by_name);
	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (n < 0)
		return errno == ENOMEM
			       ? -ENOMEM
			       : conf_load_complain(load, (struct conf_origin){ 1, 0 },
						    "The drop-ins in %s cannot be read: %s.", dir,
						    strerror(errno));
	for (int i = 0; i < n; i++) {
		char *path;

		if (r >= 0)
			r = asprintf(&path, "%s/%s", dir, entries[i]->d_name) < 0
				    ? -ENOMEM
				    : load_file(load, path);
		free(entries[i]);
	}
	return r < 0 ? r : 0;
}

struct rank {
	size_t file, line, index;
};

static int by_rank(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

/* Bring the problems from @first on into the order of the files. */
static int sort_problems(const struct conf_load *load, size_t first)
{
	size_t n = load->problems->n - first;
	struct conf_problem *v = n ? &load->problems->v[first] : NULL;
	_cleanup_(freep) struct conf_problem *old = calloc(n + 1, sizeof(*old));
	_cleanup_(freep) struct rank *ranks = calloc(n + 1, sizeof(*ranks));

	if (!old || !ranks)
		return -ENOMEM;
	if (!n)
		return 0;
	for (size_t i = 0; i < n; i++) {
		struct rank *rank = &ranks[i];

		old[i] = v[i];
		rank->line = v[i].line;
		rank->index = i;
		while (rank->file < load->n_files &&
		       !(v[i].file && !strcmp(load->files[rank->file], v[i].file)))
			rank->file++;
	}
	qsort(ranks, n, sizeof(*ranks), by_rank);
	for (size_t i = 0; i < n; i++)
		v[i] = old[ranks[i].index];
	return 0;
}

static int load_everything(struct conf_load *load, const char *file)
{
	char *path;
	int r;

	load->conf = calloc(1, sizeof(*load->conf));
	path = strdup(file);
	if (!load->conf || !path) {
		free(path);
		return -ENOMEM;
	}
	load->agent = (struct conf_object){ .target = load->conf };
	r = set_defaults(&load->agent);
	if (r < 0) {
		free(path);
		return r;
	}
	r = load_file(load, path);
	if (r <= 0)
		return r; /* what a file lacks that cannot be read is nobody's mistake */
	r = load_drop_ins(load, file);
	if (r < 0)
		return r;
	/* What an unread file says is not missing. */
	return load->n_read < load->n_files ? 0 : conf_check(load);
}

/**
 * conf_load() - Read a configuration and its drop-ins, and check it.
 * @file: path; drop-ins are @file.d/\*.conf, sorted by name
 * @ret: configuration, to be freed with conf_free()
 * @problems: list that all mistakes and warnings are added to, in the order of the files
 *
 * Return: 0, perhaps with warnings; -EINVAL if there are mistakes, all of which are in
 * @problems; -ENOMEM.
 */
int conf_load(const char *file, struct conf **ret, struct conf_problems *problems)
{
	_cleanup_(load_freep) struct conf_load *load = calloc(1, sizeof(*load));
	size_t first = problems->n;
	int r;

	if (!load)
		return -ENOMEM;
	load->problems = problems;
	r = load_everything(load, file);
	if (r < 0)
		return r;
	r = sort_problems(load, first);
	if (r < 0)
		return r;
	for (size_t i = first; i < problems->n; i++)
		if (!problems->v[i].warning)
			return -EINVAL;
	*ret = TAKE(load->conf);
	return 0;
}
