/* SPDX-License-Identifier: MIT */

/* org.takeover1(5) against what the objects say of themselves, and the errors that there are. */

#include "agent/core/core.h"
#include "sdbus/api_error.c" /* its table; stands in front of the library's */
#include "tests/bus_rig.h"
#include "tests/man_page.h"

#define PAGE "man/org.takeover1.5"

enum { WORD_MAX = 64 };

/* The value of @name in the tag that @tag begins with; "" if it has none. */
static const char *attribute(const char *tag, const char *name, char ret[static WORD_MAX])
{
	size_t end = strcspn(tag, ">"), len = strlen(name);
	const char *at = tag;

	ret[0] = '\0';
	while ((at = strchr(at, ' ')) && at < tag + end) {
		at++;
		if (strncmp(at, name, len) != 0 || at[len] != '=')
			continue;
		(void)snprintf(ret, WORD_MAX, "%.*s", (int)strcspn(at + len + 2, "\""),
			       at + len + 2);
		break;
	}
	return ret;
}

/* The next tag <@name ...> from @xml on and before @end; NULL: none. */
static const char *next_tag(const char *xml, const char *end, const char *name)
{
	char open[WORD_MAX];
	const char *at;

	(void)snprintf(open, sizeof(open), "<%s ", name);
	at = strstr(xml, open);
	return at && at < end ? at : NULL;
}

/* .It Fn NAME "TYPE NAME" ... No \(-> TYPE NAME, ...: of a method or a signal */
static void print_member(const char *tag, const char *end, bool is_signal, FILE *to)
{
	char name[WORD_MAX], type[WORD_MAX], direction[WORD_MAX];
	const char *before = " No \\(-> ", *arg;

	fprintf(to, ".It Fn %s", attribute(tag, "name", name));
	for (arg = tag; (arg = next_tag(arg, end, "arg")); arg++)
		if (is_signal || !strcmp(attribute(arg, "direction", direction), "in"))
			fprintf(to, " \"%s %s\"", attribute(arg, "type", type),
				attribute(arg, "name", name));
	for (arg = tag; !is_signal && (arg = next_tag(arg, end, "arg")); arg++) {
		if (strcmp(attribute(arg, "direction", direction), "out") != 0)
			continue;
		fprintf(to, "%s%s %s", before, attribute(arg, "type", type),
			attribute(arg, "name", name));
		before = ", ";
	}
}

/* .It Va NAME No TYPE, CHANGES */
static void print_property(const char *tag, const char *end, FILE *to)
{
	static const char emits[] = "org.freedesktop.DBus.Property.EmitsChangedSignal";
	char name[WORD_MAX], type[WORD_MAX], value[WORD_MAX], access[WORD_MAX];
	const char *changes = "emits-change";

	for (const char *a = tag; (a = next_tag(a, end, "annotation")); a++) {
		if (strcmp(attribute(a, "name", name), emits) != 0)
			continue;
		if (!strcmp(attribute(a, "value", value), "const"))
			changes = "const";
		else if (!strcmp(value, "false"))
			changes = "no signal";
	}
	cr_expect_str_eq(attribute(tag, "access", access), "read");
	fprintf(to, ".It Va %s No %s, %s", attribute(tag, "name", name),
		attribute(tag, "type", type), changes);
}

/* Where the element ends that begins at @tag: with "/>" or with its own closing tag. */
static const char *element_end(const char *tag, const char *kind)
{
	char close[WORD_MAX];
	const char *end = strchr(tag, '>'), *closing;

	cr_assert(end);
	if (end[-1] == '/')
		return end;
	(void)snprintf(close, sizeof(close), "</%s>", kind);
	closing = strstr(tag, close);
	cr_assert(closing);
	return closing;
}

/* The lines that the page should have of an interface. Free it. */
static struct page *members(const char *xml, const char *interface)
{
	static const char *const kinds[] = { "method", "signal", "property" };
	struct page *page = calloc(1, sizeof(*page));
	char opening[WORD_MAX];
	const char *begin, *end;

	cr_assert(page);
	(void)snprintf(opening, sizeof(opening), "<interface name=\"%s\">", interface);
	begin = strstr(xml, opening);
	cr_assert(begin, "no %s in\n%s", interface, xml);
	end = strstr(begin, "</interface>");
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (const char *tag = begin; (tag = next_tag(tag, end, kinds[k])); tag++) {
			const char *tag_end = element_end(tag, kinds[k]);
			char line[PAGE_LINE_MAX] = "";
			FILE *f = fmemopen(line, sizeof(line), "w");

			cr_assert(f);
			if (k == 2)
				print_property(tag, tag_end, f);
			else
				print_member(tag, tag_end, k == 1, f);
			cr_assert_eq(fclose(f), 0);
			page_add(page, line);
		}
	}
	return page;
}

Test(man, every_member_of_the_api_is_in_the_manual_and_no_other, .timeout = 10)
{
	static const struct {
		const char *path, *interface, *header;
	} objects[] = {
		{ API_PATH, API_MANAGER, ".Ss " API_MANAGER },
		{ SIP, API_GROUP, ".Ss " API_GROUP },
		{ API_PATH "/peer/beta", API_PEER, ".Ss " API_PEER },
	};
	_cleanup_(freep) struct page *page = page_read(PAGE);
	struct rig rig;
	size_t n = 0;

	rig_start_pair(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		_cleanup_(freep) char *xml = introspect(&rig, objects[i].path);
		_cleanup_(freep) struct page *wanted = members(xml, objects[i].interface);
		_cleanup_(freep) struct page *section = page_section(page, objects[i].header);

		page_same(section, ".It Fn ", wanted);
		page_same(section, ".It Va ", wanted);
		n += wanted->n;
	}
	cr_expect_gt(n, 30, "only %zu members found: is the XML still the same?", n);
	rig_done(&rig);
}

Test(man, every_error_is_in_the_manual_with_its_sentence_and_no_other)
{
	_cleanup_(freep) struct page *page = page_read(PAGE);
	_cleanup_(freep) struct page *section = page_section(page, ".Sh ERROR NAMES");
	_cleanup_(freep) struct page *names = calloc(1, sizeof(*names));

	cr_assert(names);
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		char line[PAGE_LINE_MAX];

		(void)snprintf(line, sizeof(line), ".It Er %s", errors[i].name);
		page_add(names, line);
		cr_expect_eq(page_count(section, errors[i].text), 1, "no line \"%s\"",
			     errors[i].text);
	}
	page_same(section, ".It Er " API_ERROR, names);
}

static void add_word(struct page *page, const char *word)
{
	char line[PAGE_LINE_MAX];

	if (!*word)
		return;
	(void)snprintf(line, sizeof(line), ".It Li %s", word);
	page_add(page, line);
}

/* @header: a section that lists the words of a property, and no others */
static void expect_words(const char *header, const struct page *wanted)
{
	_cleanup_(freep) struct page *page = page_read(PAGE);
	_cleanup_(freep) struct page *section = page_section(page, header);

	page_same(section, ".It Li ", wanted);
}

Test(man, every_state_is_in_the_manual_and_no_other)
{
	_cleanup_(freep) struct page *wanted = calloc(1, sizeof(*wanted));

	cr_assert(wanted);
	for (enum core_state i = 0; i < _CORE_STATE_MAX; i++)
		add_word(wanted, core_state_name(i));
	expect_words(".Ss States", wanted);
}

Test(man, every_reason_is_in_the_manual_and_no_other)
{
	_cleanup_(freep) struct page *wanted = calloc(1, sizeof(*wanted));

	cr_assert(wanted);
	for (enum core_reason i = 0; i < _CORE_REASON_MAX; i++)
		add_word(wanted, core_reason_name(i));
	expect_words(".Ss Reasons", wanted);
}

Test(man, every_reason_to_be_unfit_is_in_the_manual_and_no_other)
{
	_cleanup_(freep) struct page *wanted = calloc(1, sizeof(*wanted));

	cr_assert(wanted);
	for (unsigned bit = 1; bit < _CORE_UNFIT_MASK; bit <<= 1)
		add_word(wanted, core_unfit_name((enum core_unfit)bit));
	expect_words(".Ss Reasons to be unfit", wanted);
}
