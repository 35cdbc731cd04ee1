/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf_load.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>

#include "agent/cleanup.h"

/*
 * libinih cuts lines into keys and values. What it would pass over, cut short
 * or take for something else is refused before it sees it: long lines, lines
 * without '=', "key: value", continuation lines, comments behind a value,
 * sections that are empty. Such a line is given to it as an empty one.
 */

static struct conf_origin here(const struct conf_load *load)
{
	return (struct conf_origin){ (uint32_t)load->n_files, load->line };
}

/* Length of the UTF-8 sequence that @s of @len bytes begins with; 0: none (RFC 3629). */
static size_t utf8_len(const uint8_t *s, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t c;

	if (n == 0 || n > len || s[0] > 0xf4)
		return 0;
	c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

/* Text in UTF-8 without control characters, tabs apart. */
static bool line_is_text(const char *line, size_t len)
{
	const uint8_t *s = (const uint8_t *)line;

	while (len > 0) {
		size_t n = utf8_len(s, len);

		if (n == 0 || (s[0] < 0x20 && s[0] != '\t') || s[0] == 0x7f)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

static int refuse_section(struct conf_load *load, const char *line)
{
	return conf_load_complain(load, here(load),
				  "A section is [Agent], [Node NAME] or [Group NAME], not \"%s\".",
				  line);
}

static int find_section(const char *word, size_t len, enum conf_section *ret)
{
	for (enum conf_section i = 0; i < _CONF_SECTION_MAX; i++) {
		if (strlen(conf_section_name(i)) != len ||
		    memcmp(conf_section_name(i), word, len) != 0)
			continue;
		*ret = i;
		return 0;
	}
	return -ENOENT;
}

/* @line is "[...", without white space around it. */
static int enter_section(struct conf_load *load, const char *line)
{
	_cleanup_(freep) char *inner = strdup(line + 1);
	enum conf_section section;
	size_t len;
	char *name;

	if (!inner)
		return -ENOMEM;
	load->object = NULL;
	load->refused = true;
	len = strlen(inner);
	if (len == 0 || inner[len - 1] != ']')
		return refuse_section(load, line);
	inner[len - 1] = '\0';
	len = strcspn(inner, " \t");
	name = inner + len + strspn(inner + len, " \t");
	if (find_section(inner, len, &section) < 0)
		return refuse_section(load, line);
	if (section == CONF_SECTION_AGENT ? name[0] != '\0' : name[0] == '\0')
		return refuse_section(load, line);
	if (section != CONF_SECTION_AGENT && !conf_name_valid(name))
		return conf_load_complain(load, here(load),
					  "A name has 1 to %d letters, digits, dots, dashes and "
					  "underscores, unlike \"%s\".",
					  CONF_NAME_MAX, name);
	load->object = conf_load_object(load, section, name);
	if (load->object)
		load->refused = false;
	else if (load->err == 0)
		return conf_load_complain(load, here(load), "[%s %s] is one too many.",
					  conf_section_name(section), name);
	return load->err;
}

/* Is there a "; comment" behind the value, which libinih would drop? */
static bool has_late_comment(const char *line)
{
	const char *p = line;

	while ((p = strchr(p, ';'))) {
		if (p > line && isspace((unsigned char)p[-1]))
			return true;
		p++;
	}
	return false;
}

/*
 * One line without white space around it: complains, or enters a section.
 * *ret_setting: it is for libinih to cut into key and value.
 */
static int check_line(struct conf_load *load, const char *line, bool *ret_setting)
{
	size_t key_len = strcspn(line, "=:");

	*ret_setting = false;
	if (line[0] == '\0' || line[0] == '#' || line[0] == ';')
		return 0;
	if (line[0] == '[')
		return enter_section(load, line);
	if (key_len == 0 || line[key_len] != '=')
		return conf_load_complain(load, here(load), "A setting is KEY=VALUE, not \"%s\".",
					  line);
	if (has_late_comment(line))
		return conf_load_complain(load, here(load),
					  "A comment stands on a line of its own, not behind "
					  "a value.");
	if (!load->object && !load->refused)
		return conf_load_complain(load, here(load),
					  "\"%s\" stands before the first section.", line);
	*ret_setting = load->object != NULL;
	return 0;
}

/* Copy the line [@p, @end) to @buf for libinih, or an empty one in its place. */
static int take_line(struct conf_load *load, const char *p, const char *end, char *buf, int size)
{
	bool setting;
	int r;

	while (p < end && isspace((unsigned char)*p))
		p++;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	if (!line_is_text(p, (size_t)(end - p)))
		return conf_load_complain(load, here(load), "This line is not text in UTF-8.");
	if (end - p > size - 2 && *p != '#' && *p != ';')
		return conf_load_complain(load, here(load), "This line is longer than %d bytes.",
					  size - 2);
	if (end - p > size - 2)
		return 0;
	memcpy(buf, p, (size_t)(end - p));
	buf[end - p] = '\0';
	r = check_line(load, buf, &setting);
	if (!setting)
		buf[0] = '\0';
	return r;
}

/* ini_reader: the next line, with '\n', to @buf of @size bytes; NULL at the end. */
static char *read_line(char *buf, int size, void *stream)
{
	struct conf_load *load = stream;
	const char *line = load->next, *end;

	if (load->err < 0 || line == load->end)
		return NULL;
	end = memchr(line, '\n', (size_t)(load->end - line));
	load->next = end ? end + 1 : load->end;
	load->line++;
	buf[0] = '\0';
	load->err = take_line(load, line, end ? end : load->end, buf, size);
	if (load->err < 0)
		return NULL;
	strcat(buf, "\n"); /* take_line() leaves two bytes */
	return buf;
}

/* What would be right in place of a key that does not exist. */
static int refuse_key(struct conf_load *load, const char *name)
{
	enum conf_section section = load->object->section;
	_cleanup_(freep) char *known = NULL;
	const struct conf_key *keys;
	size_t n, size;
	FILE *f;

	keys = conf_keys(&n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(keys[i].name, name))
			return conf_load_complain(
				load, here(load), "%s= belongs into [%s], not [%s].", name,
				conf_section_name(keys[i].section), conf_section_name(section));
	f = open_memstream(&known, &size);
	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (keys[i].section == section)
			fprintf(f, " %s=", keys[i].name);
	if (fclose(f) != 0)
		return -ENOMEM;
	return conf_load_complain(load, here(load), "[%s] has no key %s=; it has%s.",
				  conf_section_name(section), name, known);
}

static const struct conf_key *find_key(enum conf_section section, const char *name,
				       size_t *ret_index)
{
	const struct conf_key *keys;
	size_t n;

	keys = conf_keys(&n);
	for (size_t i = 0; i < n; i++) {
		if (keys[i].section != section || strcmp(keys[i].name, name) != 0)
			continue;
		*ret_index = i;
		return &keys[i];
	}
	return NULL;
}

/* Remember where the newest of now @n items was said. */
static int add_item(struct conf_object *object, size_t n, struct conf_origin at)
{
	struct conf_origin *items = object->items;

	/* Room for a power of two; grown when that is full. */
	if (((n - 1) & (n - 2)) == 0) {
		items = reallocarray(items, n == 1 ? 1 : (n - 1) * 2, sizeof(*items));
		if (!items)
			return -ENOMEM;
		object->items = items;
	}
	items[n - 1] = at;
	return 0;
}

static int set_key(struct conf_load *load, const char *name, const char *value)
{
	struct conf_object *object = load->object;
	const struct conf_place place = {
		.problems = load->problems,
		.where = { .file = load->files[load->n_files - 1], .line = load->line },
	};
	size_t index, n_problems = load->problems->n, n_items = conf_load_n_items(object);
	const struct conf_key *key = find_key(object->section, name, &index);
	int r;

	if (!key)
		return refuse_key(load, name);
	if (!key->kind->list && object->keys[index].file == load->n_files)
		return conf_load_complain(load, here(load), "%s= has been set in line %u already.",
					  name, object->keys[index].line);
	r = key->kind->parse(key, value, object->target, &place);
	if (r < 0)
		return r;
	object->keys[index] = here(load);
	object->bad[index] =
		load->problems->n > n_problems || (key->kind->list && object->bad[index]);
	if (conf_load_n_items(object) > n_items)
		return add_item(object, n_items + 1, here(load));
	return 0;
}

/* ini_handler: non-zero is success. */
static int handle_setting(void *user, const char *section, const char *name, const char *value)
{
	struct conf_load *load = user;

	(void)section; /* read_line() has entered it, empty ones too */
	if (load->err == 0)
		load->err = set_key(load, name, value);
	return load->err == 0;
}

/**
 * conf_text_read() - Take the text of load's newest file up into the configuration.
 * @load: load under way; complaints go to its problems
 * @text: the file, not terminated; may begin with a byte order mark
 * @len: its length in bytes
 *
 * Return: 0, mistakes or not; -ENOMEM.
 */
int conf_text_read(struct conf_load *load, const char *text, size_t len)
{
	static const char bom[] = "\xef\xbb\xbf";

	if (len >= 3 && !memcmp(text, bom, 3)) {
		text += 3;
		len -= 3;
	}
	load->next = text;
	load->end = text + len;
	load->line = 0;
	load->object = NULL;
	load->refused = false;
	/* Its own result only repeats what read_line() and handle_setting() know. */
	(void)ini_parse_stream(read_line, load, handle_setting, load);
	load->next = load->end = NULL;
	return load->err;
}
