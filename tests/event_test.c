/* SPDX-License-Identifier: MIT */
#include "agent/event.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>

/* "00-04563": what the table, the bus and the journal call it */
static bool is_id(const char *id)
{
	int len = 0;

	return sscanf(id, "%*2[0-9]-%*5[0-9]%n", &len) == 0 && len == 8 && !id[len];
}

Test(event, the_table_is_complete_and_in_the_order_of_ids)
{
	for (enum event_type type = 0; type < _EVENT_MAX; type++) {
		const struct event_kind *kind = event_kind(type);
		enum event_type found = _EVENT_MAX;

		cr_assert_not_null(kind->id, "%d", type);
		cr_expect(is_id(kind->id), "%s", kind->id);
		cr_expect_str_not_empty(kind->name);
		cr_expect_str_not_empty(event_level_word(kind->level));
		cr_expect_str_not_empty(event_category_word(kind->category));
		cr_expect(event_find(kind->id, &found));
		cr_expect_eq(found, type);
		if (type)
			cr_expect_lt(strcmp(event_kind(type - 1)->id, kind->id), 0, "%s", kind->id);
	}
	cr_expect_not(event_find("00-00000", &(enum event_type){ 0 }));
}

Test(event, message_ids_are_128_bits_and_each_its_own)
{
	for (enum event_type type = 0; type < _EVENT_MAX; type++) {
		const char *id = event_kind(type)->message_id;

		cr_expect_eq(strlen(id), 32, "%s", id);
		cr_expect_eq(strspn(id, "0123456789abcdef"), 32, "%s", id);
		for (enum event_type other = 0; other < type; other++) {
			cr_expect_str_neq(event_kind(other)->message_id, id);
			cr_expect_str_neq(event_kind(other)->name, event_kind(type)->name);
		}
	}
}

Test(event, the_four_of_old_keep_their_ids_and_their_level)
{
	static const struct {
		enum event_type type;
		const char *id;
	} old[] = { { EVENT_WARM_BACKUP, "00-04560" },
		    { EVENT_HOT_BACKUP, "00-04561" },
		    { EVENT_WARM_PRIMARY, "00-04562" },
		    { EVENT_HOT_PRIMARY, "00-04563" } };

	for (size_t i = 0; i < ARRAY_SIZE(old); i++) {
		cr_expect_str_eq(event_kind(old[i].type)->id, old[i].id);
		cr_expect_str_eq(event_level_word(event_kind(old[i].type)->level), "Standard");
		cr_expect(event_kind(old[i].type)->of_group);
	}
}

Test(event, fields_have_names_of_letters)
{
	for (enum event_field f = 0; f < _EVENT_FIELD_MAX; f++) {
		enum event_field found;

		for (const char *c = event_field_name(f); *c; c++)
			cr_expect(isalpha(*c));
		cr_expect(event_field_find(event_field_name(f), &found));
		cr_expect_eq(found, f);
	}
	cr_expect_not(event_field_find("Nonsense", &(enum event_field){ 0 }));
}

Test(event, a_sentence_is_one_line_of_plain_characters)
{
	struct event event = { .group = 3 };

	event_say(&event, EVENT_GATE_CHANGED, "%s (process %u)", "a\n\tb\x7f\xc3\xa4 \"", 12);
	cr_expect_str_eq(event.text, "a??b??? \" (process 12)");
	cr_expect_eq(event.type, EVENT_GATE_CHANGED);
	cr_expect_eq(event.group, 3);
	event_say(&event, EVENT_GATE_CHANGED, "%0*d", 1000, 1);
	cr_expect_eq(strlen(event.text), EVENT_TEXT_MAX - 1);
	cr_expect(event_is_plain("eth0 ~"));
	cr_expect_not(event_is_plain("eth\t0"));
	cr_expect_not(event_is_plain("\xc3\xa4"));
}
