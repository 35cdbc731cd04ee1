/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/with_conf.h"

#define NODES                                                                                      \
	"[Agent]\nAuthentication=none\n[Node alpha]\nAddress=10.0.0.1\n"                           \
	"[Node beta]\nAddress=10.0.0.2\n[Group sip]\nVirtualAddress=10.0.0.3/24 eth0\n"

enum { FIRST = 9 }; /* line behind these */

Test(conf_reaction, everything_that_is_said_is_kept)
{
	_cleanup_(conf_freep) struct conf *conf = conf_from_text(
		NODES "[Reaction page]\nEvent=00-04563 00-04562\nEvent=01-00106\nGroup=sip\n"
		      "From=beta\nNode=alpha\nRole=backup\n"
		      "Run=/bin/page --to \"the operator\" 'say \"up\"' a\"b c\"d ''\n"
		      "WorkingDirectory=/var/lib/page me\nUser=nobody\n"
		      "Environment=A=1 2\nEnvironment=B=\nTimeout=3s\nCancelTimeout=20ms\n");
	const struct conf_reaction *r = &conf->reactions[0];
	static const char *const words[] = { "/bin/page",  "--to",  "the operator",
					     "say \"up\"", "ab cd", "" };

	cr_assert_eq(conf->n_reactions, 1);
	cr_expect_str_eq(r->name, "page");
	cr_assert_eq(r->events.n, 3);
	cr_expect_str_eq(r->events.v[0], "00-04563");
	cr_expect_str_eq(r->events.v[2], "01-00106");
	cr_assert_eq(r->groups.n, 1);
	cr_expect_str_eq(r->groups.v[0], "sip");
	cr_expect_str_eq(r->from, "beta");
	cr_expect_str_eq(r->node, "alpha");
	cr_expect_eq(r->role, CONF_ROLE_BACKUP);
	cr_expect_null(r->unit);
	cr_assert_eq(r->run.n, ARRAY_SIZE(words));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		cr_expect_str_eq(r->run.v[i], words[i]);
	cr_expect_str_eq(r->directory, "/var/lib/page me");
	cr_expect_str_eq(r->user, "nobody");
	cr_assert_eq(r->environment.n, 2);
	cr_expect_str_eq(r->environment.v[0], "A=1 2");
	cr_expect_str_eq(r->environment.v[1], "B=");
	cr_expect_eq(r->timeout_us, 3 * USEC_PER_SEC);
	cr_expect_eq(r->cancel_us, 20 * USEC_PER_MSEC);
}

Test(conf_reaction, little_need_be_said)
{
	_cleanup_(conf_freep) struct conf *conf =
		conf_from_text(NODES "[Reaction z]\nEvent=00-04563\nUnit=takeover-z.service\n"
				     "[Reaction a]\nEvent=00-04563\nRun=/bin/true\n");
	const struct conf_reaction *r = &conf->reactions[0];

	cr_assert_eq(conf->n_reactions, 2);
	cr_expect_str_eq(r->name, "z", "the order is that of the file");
	cr_expect_str_eq(r->from, "self");
	cr_expect_str_eq(r->node, "");
	cr_expect_eq(r->groups.n, 0);
	cr_expect_eq(r->role, CONF_ROLE_ANY);
	cr_expect_str_eq(r->unit, "takeover-z.service");
	cr_expect_eq(r->timeout_us, 8 * USEC_PER_SEC);
	cr_expect_eq(r->cancel_us, USEC_PER_SEC);
	cr_expect_null(conf->reactions[1].unit);
	cr_expect_str_eq(conf->reactions[1].run.v[0], "/bin/true");
}

Test(conf_reaction, what_is_printed_reads_the_same)
{
	_cleanup_(conf_freep) struct conf *conf = conf_from_text(
		NODES "[Reaction page]\nEvent=00-04563 01-00106\nGroup=sip\nFrom=peer\n"
		      "Event=00-04560\nEvent=\nEvent=00-04561\nNode=alpha\nRole=primary\n"
		      "Run=/bin/page 'a b' ${TAKEOVER_GROUP}\nUser=nobody\nWorkingDirectory=/\n"
		      "Environment=A=1\n[Reaction u]\nEvent=00-04563\nUnit=takeover-u.target\n");
	_cleanup_(freep) char *once = conf_as_text(conf);
	_cleanup_(conf_freep) struct conf *again = conf_from_text(once);
	_cleanup_(freep) char *twice = conf_as_text(again);

	cr_expect_str_eq(once, twice);
	cr_expect(strstr(once, "\n[Reaction page]\nEvent=00-04561\nGroup=sip\nFrom=peer\n"));
	cr_expect(strstr(once, "\nRun=/bin/page 'a b' ${TAKEOVER_GROUP}\n"));
}

Test(conf_reaction, hosts_may_differ_in_reactions)
{
	_cleanup_(conf_freep) struct conf *without = conf_from_text(NODES);
	_cleanup_(conf_freep) struct conf *with =
		conf_from_text(NODES "[Reaction a]\nEvent=00-04563\nRun=/bin/true\n");

	cr_expect_eq(with->digest, without->digest);
}

/* Behind NODES and "[Reaction page]\n": FIRST + 1 is the first line. */
static const struct {
	const char *lines, *problem;
} mistakes[] = {
	{ "Run=/bin/true", "9: [Reaction page] has no Event=; give it one such as 00-04563.\n" },
	{ "Event=4563\nRun=/bin/true",
	  "10: Event= takes ids of events such as 00-04563, not \"4563\".\n" },
	{ "Event=00-04563 x\nRun=/bin/true",
	  "10: Event= takes ids of events such as 00-04563, not \"x\".\n" },
	{ "Event=01-99999\nRun=/bin/true",
	  "10: There is no event 01-99999; takeover-events(7) has them all.\n" },
	{ "Event=01-00610\nRun=/bin/true",
	  "10: 01-00610 tells of reactions: one to it would set itself off.\n" },
	{ "Event=00-04563\nEvnt=00-04563\nRun=/bin/true",
	  "11: [Reaction] has no key Evnt=; did you mean Event=?\n" },
	{ "Event=00-04563", "9: [Reaction page] starts nothing; give it Run= or Unit=.\n" },
	{ "Event=00-04563\nRun=page",
	  "11: Run= takes the absolute path of a program, and its arguments, not \"page\".\n" },
	{ "Event=00-04563\nRun=",
	  "11: Run= takes the absolute path of a program, and its arguments, not \"\".\n" },
	{ "Event=00-04563\nRun=/bin/page \"it",
	  "11: Run= has a \" that is not closed, in \"/bin/page \"it\".\n" },
	{ "Event=00-04563\nRun=/bin/page it's",
	  "11: Run= has a ' that is not closed, in \"/bin/page it's\".\n" },
	{ "Event=00-04563\nRun=/bin/page ${TAKEOVER_GRUOP}",
	  "11: Run= knows no ${TAKEOVER_GRUOP}; it knows ${TAKEOVER_EVENT}, ${TAKEOVER_GROUP} and "
	  "others.\n" },
	{ "Event=00-04563\nUnit=page.service",
	  "11: Unit= takes a unit whose name begins with takeover-, the only ones that the agent "
	  "may start and stop; make one that does what page.service is wanted for.\n" },
	{ "Event=00-04563\nUnit=takeover-page",
	  "11: Unit= takes the whole name of a unit: takeover-page.service?\n" },
	{ "Event=00-04563\nUnit=takeover-page.service\nRun=/bin/true",
	  "12: Run= does not go with Unit=, which says itself what is run and how; remove one of "
	  "them.\n" },
	{ "Event=00-04563\nUnit=takeover-page.service\nUser=nobody\nWorkingDirectory=/\n"
	  "Environment=A=1",
	  "12: User= does not go with Unit=, which says itself what is run and how; remove one of "
	  "them.\n"
	  "13: WorkingDirectory= does not go with Unit=, which says itself what is run and how; "
	  "remove one of them.\n"
	  "14: Environment= does not go with Unit=, which says itself what is run and how; remove "
	  "one of them.\n" },
	{ "Event=00-04563\nRun=/bin/true\nGroup=web", "12: There is no [Group web] for this "
						      "Group=.\n" },
	{ "Event=00-04563\nRun=/bin/true\nGroup=a/b",
	  "12: Group= takes names of groups, not \"a/b\".\n" },
	{ "Event=00-04563\nRun=/bin/true\nFrom=gamma", "12: There is no [Node gamma] for this "
						       "From=.\n" },
	{ "Event=00-04563\nRun=/bin/true\nNode=gamma", "12: There is no [Node gamma] for this "
						       "Node=.\n" },
	{ "Event=00-04563\nRun=/bin/true\nNode=",
	  "12: Node= takes the name of a node, not \"\".\n" },
	{ "Event=00-04563\nRun=/bin/true\nFrom=all nodes",
	  "12: From= takes self, peer or the name of a node, not \"all nodes\".\n" },
	{ "Event=00-04563 01-00120\nRun=/bin/true\nFrom=peer",
	  "10: Of the other node the events 00-04560 to 00-04563 are seen, and not 01-00120; make "
	  "From=self of it, on that node.\n" },
	{ "Event=00-04563\nRun=/bin/true\nRole=master",
	  "12: Role= takes any, primary or backup, not \"master\".\n" },
	{ "Event=00-04563\nRun=/bin/true\nUser=a b", "12: User= takes the name of a user, not \"a "
						     "b\".\n" },
	{ "Event=00-04563\nRun=/bin/true\nUser=",
	  "12: User= takes the name of a user, not \"\".\n" },
	{ "Event=00-04563\nRun=/bin/true\nWorkingDirectory=tmp",
	  "12: WorkingDirectory= takes an absolute path such as /var/lib/pager, not \"tmp\".\n" },
	{ "Event=00-04563\nRun=/bin/true\nWorkingDirectory=/tmp\\",
	  "12: WorkingDirectory= takes an absolute path such as /var/lib/pager, not "
	  "\"/tmp\\\".\n" },
	{ "Event=00-04563\nRun=/bin/true\nWorkingDirectory=/a\"b",
	  "12: WorkingDirectory= takes an absolute path such as /var/lib/pager, not "
	  "\"/a\"b\".\n" },
	{ "Event=00-04563\nRun=/bin/true\nEnvironment=A",
	  "12: Environment= takes NAME=VALUE, with a name that does not begin with TAKEOVER_, not "
	  "\"A\".\n" },
	{ "Event=00-04563\nRun=/bin/true\nEnvironment=TAKEOVER_GROUP=x",
	  "12: Environment= takes NAME=VALUE, with a name that does not begin with TAKEOVER_, not "
	  "\"TAKEOVER_GROUP=x\".\n" },
	{ "Event=00-04563\nRun=/bin/true\nEnvironment=1A=x",
	  "12: Environment= takes NAME=VALUE, with a name that does not begin with TAKEOVER_, not "
	  "\"1A=x\".\n" },
	{ "Event=00-04563\nRun=/bin/true\nTimeout=0",
	  "12: Timeout= takes a time from 100ms to 1h, not \"0\": without a unit it is "
	  "seconds.\n" },
	{ "Event=00-04563\nRun=/bin/true\nCancelTimeout=2min",
	  "12: CancelTimeout= takes a time from 0 to 1min, not \"2min\".\n" },
	{ "Event=00-04563\nRun=/bin/true\n[Reaction page]",
	  "12: [Reaction page] stands in line 9 already: this is another one, or its keys belong "
	  "there.\n" },
	{ "Event=00-04563\nRun=/bin/true\n[Reaction]",
	  "12: A section is [Agent], [Node NAME], [Group NAME] or [Reaction NAME], not "
	  "\"[Reaction]\".\n" },
	{ "Event=00-04563\nRun=/bin/true\n[reaction b]\nEvent=x",
	  "12: A section is [Agent], [Node NAME], [Group NAME] or [Reaction NAME], not "
	  "\"[reaction b]\"; did you mean [Reaction b]?\n"
	  "13: Event= takes ids of events such as 00-04563, not \"x\".\n" },
};

Test(conf_reaction, each_mistake_is_told_with_its_line_and_a_remedy)
{
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		struct conf_problems problems = { 0 };
		_cleanup_(conf_freep) struct conf *conf = NULL;
		_cleanup_(freep) char *text = NULL, *told = NULL;
		size_t size;
		FILE *to = open_memstream(&told, &size);

		cr_assert_gt(asprintf(&text, NODES "[Reaction page]\n%s\n", mistakes[i].lines), 0);
		cr_expect_eq(conf_from_bytes(text, strlen(text), &conf, &problems), -EINVAL);
		for (size_t p = 0; p < problems.n; p++)
			fprintf(to, "%u: %s\n", problems.v[p].line, problems.v[p].text);
		cr_assert_eq(fclose(to), 0);
		cr_expect_str_eq(told, mistakes[i].problem, "%s\nsays\n%s", mistakes[i].lines,
				 told);
		conf_problems_done(&problems);
	}
}

/* @n times @line behind @head, each with its number in place of the #, if it has one */
static char *many(const char *head, const char *line, unsigned n)
{
	const char *number = strchr(line, '#');
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	fputs(head, to);
	for (unsigned i = 0; i < n; i++)
		if (number)
			fprintf(to, "%.*s%u%s", (int)(number - line), line, 10000 + i, number + 1);
		else
			fputs(line, to);
	cr_assert_eq(fclose(to), 0);
	return text;
}

static void expect_limit(const char *head, const char *line, unsigned max, const char *problem)
{
	_cleanup_(freep) char *fits = many(head, line, max);
	_cleanup_(freep) char *more = many(head, line, max + 1);
	_cleanup_(conf_freep) struct conf *conf = conf_from_text(fits), *none = NULL;
	struct conf_problems problems = { 0 };

	cr_expect_not_null(conf);
	cr_expect_eq(conf_from_bytes(more, strlen(more), &none, &problems), -EINVAL);
	cr_assert_eq(problems.n, 1);
	cr_expect_str_eq(problems.v[0].text, problem);
	conf_problems_done(&problems);
}

Test(conf_reaction, there_are_limits)
{
	expect_limit(NODES, "[Reaction r#]\nEvent=00-04563\nRun=/bin/true\n", CONF_REACTIONS_MAX,
		     "[Reaction r10064] is one too many.");
	expect_limit(NODES "[Reaction r]\nRun=/bin/true\n", "Event=00-04563\n", CONF_WORDS_MAX,
		     "Event= takes 64 of them at most.");
	expect_limit(NODES "[Reaction r]\nRun=/bin/true\nEvent=00-04563\n", "Environment=A#=x\n",
		     CONF_WORDS_MAX, "Environment= takes 64 of them at most.");
	expect_limit(NODES "[Reaction r]\nEvent=00-04563\nRun=/bin/true", " x", CONF_WORDS_MAX - 1,
		     "Run= takes 64 of them at most.");
}

/*
 * systemd makes four bytes of a dash: 2 * (2 + 17 * 4) of the nodes, 32 of the reaction, and 14 of
 * the first group are 186; the other group has one more.
 */
#define LONG                                                                                       \
	"[Agent]\nAuthentication=none\n[Node a-----------------b]\nAddress=10.0.0.1\n"             \
	"[Node beta]\nAddress=10.0.0.2\n[Group g---x]\nVirtualAddress=10.0.0.3/24 eth0\n"          \
	"[Group g---xy]\nVirtualAddress=10.0.0.4/24 eth0\n"                                        \
	"[Reaction r234567890r234567890r234567890r2]\nEvent=00-04563\n"

Test(conf_reaction, what_makes_no_name_of_a_unit_is_refused)
{
	static const char text[] = LONG "Run=/bin/true\n";
	_cleanup_(conf_freep) struct conf *unit = conf_from_text(LONG "Unit=takeover-x.service\n");
	_cleanup_(conf_freep) struct conf *fits =
		conf_from_text(LONG "Run=/bin/true\nGroup=g---x\n");
	_cleanup_(conf_freep) struct conf *conf = NULL;
	struct conf_problems problems = { 0 };

	cr_expect_eq(unit->n_reactions, 1);
	cr_expect_eq(fits->n_reactions, 1);
	cr_expect_eq(conf_from_bytes(text, strlen(text), &conf, &problems), -EINVAL);
	cr_assert_eq(problems.n, 1);
	cr_expect_str_eq(problems.v[0].text,
			 "The names of [Reaction r234567890r234567890r234567890r2], [Group g---xy] "
			 "and the nodes are too long for one of a unit, where a dash counts as "
			 "four; shorten one.");
	conf_problems_done(&problems);
}

Test(conf_reaction, what_was_refused_is_not_missed_as_well)
{
	static const char text[] = "[Agent]\nAuthentication=none\n[Node alpha]\nAddress=10.0.0.1\n"
				   "[node beta]\nAddress=10.0.0.2\n[group sip]\nMode=none\n"
				   "[Reaction r]\nEvent=00-04563\nRun=/bin/true\nNode=beta\n"
				   "From=beta\nGroup=sip\n";
	struct conf_problems problems = { 0 };
	_cleanup_(conf_freep) struct conf *conf = NULL;

	cr_expect_eq(conf_from_bytes(text, strlen(text), &conf, &problems), -EINVAL);
	cr_expect_eq(problems.n, 2, "%zu problems", problems.n);
	conf_problems_done(&problems);
}
