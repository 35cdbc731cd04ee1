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
	if (c >= 0x80 && c < 0xa0) /* control characters; a terminal takes them as such */
		return 0;
	return n;
}

/* How much of the line is text in UTF-8 without control characters, tabs apart. */
static size_t length_of_text(const char *line, size_t len)
{
	const uint8_t *s = (const uint8_t *)line;
	size_t done = 0;

	while (done < len) {
		size_t n = utf8_len(s + done, len - done);

		if (n == 0 || (s[done] < 0x20 && s[done] != '\t') || s[done] == 0x7f)
			break;
		done += n;
	}
	return done;
}

/* How a section of a kind begins. */
static const char *section_form(enum conf_section section)
{
	static const char *const forms[_CONF_SECTION_MAX] = {
		[CONF_SECTION_AGENT] = "[Agent]",
		[CONF_SECTION_NODE] = "[Node NAME]",
		[CONF_SECTION_GROUP] = "[Group NAME]",
		[CONF_SECTION_REACTION] = "[Reaction NAME]",
	};

	assert(section < _CONF_SECTION_MAX);
	return forms[section];
}

/* @guess: "; did you mean ...?", or "." */
static int refuse_section(struct conf_load *load, const char *line, const char *guess)
{
	return conf_load_complain(load, here(load),
				  "A section is [Agent], [Node NAME], [Group NAME] or [Reaction "
				  "NAME], not \"%s\"%s",
				  line, guess);
}

static int refuse_late_comment(struct conf_load *load, const char *what)
{
	return conf_load_complain(load, here(load),
				  "A comment stands on a line of its own, not behind a %s.", what);
}

/* What follows is checked, and does not count. */
static int enter_spare(struct conf_load *load, enum conf_section section)
{
	load->object = conf_load_spare(load, section);
	return load->err;
}

static int find_section(const char *word, enum conf_section *ret)
{
	for (enum conf_section i = 0; i < _CONF_SECTION_MAX; i++) {
		if (strcmp(conf_section_name(i), word) != 0)
			continue;
		*ret = i;
		return 0;
	}
	return -ENOENT;
}

/* There is no such kind of section; perhaps one with a similar name was meant. */
static int guess_section(struct conf_load *load, const char *line, const char *kind,
			 const char *name)
{
	const char *kinds[_CONF_SECTION_MAX], *nearest;
	enum conf_section meant;
	char guess[96];
	int r;

	if (*name && !conf_name_valid(name))
		name = "NAME"; /* nobody means what would be refused next */
	for (enum conf_section i = 0; i < _CONF_SECTION_MAX; i++)
		kinds[i] = conf_section_name(i);
	nearest = conf_nearest(kind, kinds, ARRAY_SIZE(kinds));
	if (!nearest || find_section(nearest, &meant) < 0)
		return refuse_section(load, line, ".");
	(void)snprintf(guess, sizeof(guess), "; did you mean [%s%s%s]?", nearest, *name ? " " : "",
		       name);
	r = refuse_section(load, line, guess);
	return r < 0 ? r : enter_spare(load, meant);
}

/* No one need be told that addresses lack which stand in a section that was refused. */
static void distrust_list(struct conf_object *object)
{
	const struct conf_key *keys;
	size_t n;

	keys = conf_keys(&n);
	for (size_t i = 0; i < n; i++)
		if (keys[i].kind->list)
			conf_load_distrust(object, keys[i].name, strlen(keys[i].name));
}

/* The heading is as it should be: is what it names new in this file, and is there room? */
static int enter_object(struct conf_load *load, enum conf_section section, const char *name)
{
	struct conf_object *object = conf_load_object(load, section, name);
	const char *kind = conf_section_name(section);
	int r;

	if (load->err < 0)
		return load->err;
	if (object && object->opened.file != load->n_files) {
		object->opened = here(load);
		load->object = object;
		return 0;
	}
	if (object)
		distrust_list(object);
	if (!object)
		r = conf_load_complain(load, here(load), "[%s %s] is one too many.", kind, name);
	else if (section == CONF_SECTION_AGENT)
		r = conf_load_complain(load, here(load),
				       "[Agent] stands in line %u already; its keys belong there.",
				       object->opened.line);
	else
		r = conf_load_complain(load, here(load),
				       "[%s %s] stands in line %u already: this is another one, or "
				       "its keys belong there.",
				       kind, name, object->opened.line);
	return r < 0 ? r : enter_spare(load, section);
}

/* The parts of "KIND NAME] REST", cut out of @text. Return: REST; NULL if nothing closes it. */
static const char *cut_heading(char *text, char **ret_name)
{
	char *end = strchr(text, ']');
	const char *rest = NULL;

	if (end) {
		*end = '\0';
		rest = end + 1 + strspn(end + 1, " \t");
	}
	*ret_name = text + strcspn(text, " \t");
	if (**ret_name)
		*(*ret_name)++ = '\0';
	*ret_name += strspn(*ret_name, " \t");
	return rest;
}

/* @line is "[...", without white space around it. */
static int enter_section(struct conf_load *load, const char *line)
{
	_cleanup_(freep) char *kind = strdup(line + 1);
	enum conf_section section;
	const char *rest;
	char *name;
	int r;

	if (!kind)
		return -ENOMEM;
	load->object = NULL;
	load->unknown = true;
	rest = cut_heading(kind, &name);
	if (find_section(kind, &section) < 0)
		return guess_section(load, line, kind, name);
	if (!rest || (*rest && !strchr("#;", *rest)) || !*name != (section == CONF_SECTION_AGENT)) {
		r = refuse_section(load, line, ".");
	} else if (*name && !conf_name_valid(name)) {
		r = conf_load_complain(load, here(load),
				       "A name has 1 to %d letters, digits, dots, dashes and "
				       "underscores, unlike \"%s\".",
				       CONF_NAME_MAX, name);
	} else {
		r = *rest ? refuse_late_comment(load, "section") : 0;
		return r < 0 ? r : enter_object(load, section, name);
	}
	return r < 0 ? r : enter_spare(load, section);
}

/* Is there a comment behind the value? libinih would drop one kind and keep the other. */
static bool has_late_comment(const char *line)
{
	const char *p = line;

	while ((p = strpbrk(p, ";#"))) {
		if (p > line && isspace((unsigned char)p[-1]))
			return true;
		p++;
	}
	return false;
}

/* A setting before any section: where does it belong? */
static int refuse_homeless(struct conf_load *load, const char *line, size_t key_len)
{
	const struct conf_key *keys;
	const char *form = NULL;
	size_t n;

	keys = conf_keys(&n);
	for (size_t i = 0; i < n; i++)
		if (strlen(keys[i].name) == key_len && !memcmp(keys[i].name, line, key_len))
			form = section_form(keys[i].section);
	return conf_load_complain(load, here(load), "\"%s\" stands before the first section%s%s.",
				  line, form ? "; it belongs into " : "", form ? form : "");
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
		return refuse_late_comment(load, "value");
	if (!load->object && !load->unknown)
		return refuse_homeless(load, line, key_len);
	*ret_setting = load->object != NULL;
	return 0;
}

/* The line [@p, @p + @len) for libinih into @buf of @size bytes, which holds an empty one. */
static int check_bytes(struct conf_load *load, const char *p, size_t len, char *buf, size_t size)
{
	size_t text_len = length_of_text(p, len);
	bool setting;
	int r;

	if (text_len < len)
		return conf_load_complain(load, here(load),
					  "This line is not text in UTF-8: look at its byte %zu.",
					  text_len + 1);
	if (len > size - 2 && (*p == '#' || *p == ';'))
		return 0;
	if (len > size - 2)
		return conf_load_complain(load, here(load), "This line is longer than %zu bytes.",
					  size - 2);
	memcpy(buf, p, len);
	buf[len] = '\0';
	r = check_line(load, buf, &setting);
	if (!setting)
		buf[0] = '\0';
	return r;
}

/* Copy the line [@p, @end) to @buf for libinih, or an empty one in its place. */
static int take_line(struct conf_load *load, const char *p, const char *end, char *buf, int size)
{
	size_t n_problems = load->problems->n, key_len = 0;
	int r;

	while (p < end && isspace((unsigned char)*p))
		p++;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	r = check_bytes(load, p, (size_t)(end - p), buf, (size_t)size);
	if (!load->object || load->problems->n == n_problems)
		return r;
	while (p + key_len < end && isalpha((unsigned char)p[key_len]))
		key_len++;
	conf_load_distrust(load->object, p, key_len);
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

/* The names of the keys that a section has. */
static size_t key_names(enum conf_section section, const char *ret[static CONF_KEYS_MAX])
{
	const struct conf_key *keys;
	size_t n, found = 0;

	keys = conf_keys(&n);
	for (size_t i = 0; i < n; i++)
		if (keys[i].section == section)
			ret[found++] = keys[i].name;
	return found;
}

/* A key that does not exist, nor is like one that does: say which there are. */
static int refuse_strange_key(struct conf_load *load, const char *name, const char *const *known,
			      size_t n_known)
{
	_cleanup_(freep) char *list = NULL;
	size_t size;
	FILE *f;

	f = open_memstream(&list, &size);
	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < n_known; i++)
		fprintf(f, " %s=", known[i]);
	if (fclose(f) != 0)
		return -ENOMEM;
	return conf_load_complain(load, here(load), "[%s] has no key %s=; it has%s.",
				  conf_section_name(load->object->section), name, list);
}

/* What would be right in place of a key that does not exist. */
static int refuse_key(struct conf_load *load, const char *name)
{
	enum conf_section section = load->object->section;
	const char *known[CONF_KEYS_MAX], *nearest;
	const struct conf_key *keys;
	size_t n, n_known;

	keys = conf_keys(&n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(keys[i].name, name))
			return conf_load_complain(load, here(load), "%s= belongs into %s, not %s.",
						  name, section_form(keys[i].section),
						  section_form(section));
	n_known = key_names(section, known);
	nearest = conf_nearest(name, known, n_known);
	if (!nearest)
		return refuse_strange_key(load, name, known, n_known);
	conf_load_distrust(load->object, nearest, strlen(nearest));
	return conf_load_complain(load, here(load), "[%s] has no key %s=; did you mean %s=?",
				  conf_section_name(section), name, nearest);
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
static int add_item(struct conf_origin **list, size_t n, struct conf_origin at)
{
	struct conf_origin *items = *list;

	/* Room for a power of two; grown when that is full. */
	if (((n - 1) & (n - 2)) == 0) {
		items = reallocarray(items, n == 1 ? 1 : (n - 1) * 2, sizeof(*items));
		if (!items)
			return -ENOMEM;
		*list = items;
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
	size_t n_items = conf_load_n_items(object), n_subs = conf_load_n_subs(object);
	size_t index, n_problems = load->problems->n;
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
		return add_item(&object->items, n_items + 1, here(load));
	if (conf_load_n_subs(object) > n_subs)
		return add_item(&object->subs, n_subs + 1, here(load));
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
	load->unknown = false;
	/* Its own result only repeats what read_line() and handle_setting() know. */
	(void)ini_parse_stream(read_line, load, handle_setting, load);
	load->next = load->end = NULL;
	load->n_read++;
	return load->err;
}
