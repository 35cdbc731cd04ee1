/* SPDX-License-Identifier: MIT */

/* From the configuration to units, and from a unit to the command: what becomes root's. */

#include "agent/reaction/reaction.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "sdbus/unit.h"
#include "tests/temp.h"
#include "tests/with_conf.h"

#define NODES                                                                                      \
	"[Agent]\nAuthentication=none\n[Node alpha]\nAddress=10.0.0.1\nPriority=150\n"             \
	"[Node be-ta]\nAddress=10.0.0.2\n[Group sip]\nVirtualAddress=10.0.0.3/24 eth0\n"           \
	"VirtualAddress=2001:db8::3 eth0\n"

static const struct reaction_call call = { .event = "00-04563",
					   .group = "sip",
					   .from = "be-ta",
					   .node = "alpha",
					   .state = REACTION_PRIMARY,
					   .at_us = 1234567 };

/* As systemd has it: dashes escaped. */
#define INSTANCE "00\\x2d04563:sip:be\\x2dta:alpha:primary:1234567"

Test(reaction, an_instance_says_what_was_written_into_it)
{
	char text[REACTION_INSTANCE_MAX];
	struct reaction_call back;

	reaction_format(&call, text);
	cr_expect_str_eq(text, "00-04563:sip:be-ta:alpha:primary:1234567");
	cr_assert_eq(reaction_parse(INSTANCE, &back), 0);
	cr_expect_arr_eq(&back, &call, sizeof(call));
}

/* The longest names that the configuration takes; the time is one of some 300 years. */
Test(reaction, what_the_configuration_takes_is_a_name_of_a_unit)
{
	struct reaction_call longest = { .event = "00-04563",
					 .group = "g---x",
					 .from = "a-----------------b",
					 .node = "a-----------------b",
					 .state = REACTION_PRIMARY,
					 .at_us = 9999999999999999 };
	static const char prefix[] = REACTION_PREFIX "r234567890r234567890r234567890r2";
	char text[REACTION_INSTANCE_MAX], name[UNIT_NAME_SIZE];

	reaction_format(&longest, text);
	cr_expect_eq(unit_instance(prefix, text, ".service", name), 0);
	memcpy(longest.group, "g---xy", sizeof("g---xy"));
	reaction_format(&longest, text);
	cr_expect_eq(unit_instance(prefix, text, ".service", name), -ENAMETOOLONG);
}

Test(reaction, an_event_of_no_group_has_an_instance_too)
{
	struct reaction_call back;

	cr_assert_eq(reaction_parse("01\\x2d00402::alpha:alpha:none:1", &back), 0);
	cr_expect_str_eq(back.group, "");
	cr_expect_eq(back.state, REACTION_NONE);
}

Test(reaction, what_is_no_instance_is_refused)
{
	static const char *const hostile[] = {
		"",
		":::::",
		"00-04563",
		"00-04563:sip:alpha:alpha:primary",
		"00-04563:sip:alpha:alpha:primary:",
		"00-04563:sip:alpha:alpha:primary:-1",
		"00-04563:sip:alpha:alpha:primary:+1",
		"00-04563:sip:alpha:alpha:primary: 1",
		"00-04563:sip:alpha:alpha:primary:1x",
		"00-04563:sip:alpha:alpha:primary:99999999999999999999",
		"00-04563:sip:alpha:alpha:primary:1:",
		"00-04563:sip:alpha:alpha:primary:1:2",
		"00-04563:sip:alpha:alpha:Primary:1",
		"00-04563:sip:alpha:alpha::1",
		"00-04563:sip::alpha:primary:1",
		"00-04563:sip:alpha::primary:1",
		"00-4563:sip:alpha:alpha:primary:1",
		"00-0456x:sip:alpha:alpha:primary:1",
		"00-045633:sip:alpha:alpha:primary:1",
		"00-04563:s/p:alpha:alpha:primary:1",
		"00-04563:s p:alpha:alpha:primary:1",
		"00-04563:$(id):alpha:alpha:primary:1",
		"00-04563:sip:alpha\n:alpha:primary:1",
		"00-04563:sip\\x2fx:alpha:alpha:primary:1",
		"00-04563:sip\\x00:alpha:alpha:primary:1",
		"00-04563:sip\\:alpha:alpha:primary:1",
		"00-04563:sip\\x2:alpha:alpha:primary:1",
		"00-04563:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:alpha:alpha:primary:1",
		"LD_PRELOAD=/tmp/x.so:sip:alpha:alpha:primary:1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct reaction_call back = call;

		cr_expect_eq(reaction_parse(hostile[i], &back), -EINVAL, "%s", hostile[i]);
		cr_expect_arr_eq(&back, &call, sizeof(call), "untouched");
	}
}

/* Every instance of up to some length over the characters that mean something */
Test(reaction, no_instance_of_few_characters_is_taken)
{
	static const char alphabet[] = "\\x2d:0-a";
	char text[6] = "";

	for (unsigned n = 0; n < 8u * 8 * 8 * 8 * 8; n++) {
		struct reaction_call back;

		for (unsigned i = 0, rest = n; i < 5; i++, rest /= 8)
			text[i] = alphabet[rest % 8];
		cr_assert_eq(reaction_parse(text, &back), -EINVAL, "%s", text);
	}
}

static char *unit_of(const struct conf_reaction *reaction)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	cr_assert_eq(reaction_print_unit(reaction, to), 0);
	cr_assert_eq(fclose(to), 0);
	return text;
}

#define HEAD(name)                                                                                 \
	"# Made by takeover-generator of [Reaction " name "] in /etc/takeover/takeover.conf.\n"    \
	"[Unit]\nDescription=Reaction " name "\nDocumentation=man:takeover.conf(5)\n"              \
	"CollectMode=inactive-or-failed\nStartLimitIntervalSec=0\n\n"                              \
	"[Service]\nType=oneshot\n"
#define TAIL(name)                                                                                 \
	"TimeoutStopSec=2s\nKillMode=control-group\nTasksMax=256\nStandardInput=null\n"            \
	"StandardOutput=journal\nStandardError=journal\n"                                          \
	"SyslogIdentifier=takeover-reaction-" name "\n"                                            \
	"LogRateLimitIntervalSec=10s\nLogRateLimitBurst=200\n"

Test(reaction, a_unit_runs_the_command_and_nothing_that_the_agent_says)
{
	_cleanup_(conf_freep) struct conf *conf =
		conf_from_text(NODES "[Reaction page]\nEvent=00-04563\nRun=/bin/page now\n");
	_cleanup_(freep) char *unit = unit_of(&conf->reactions[0]);

	cr_expect_str_eq(unit, HEAD("page") "ExecStart=:/usr/libexec/takeover/takeover-react "
					    "/etc/takeover/takeover.conf page %i \"/bin/page\" "
					    "\"now\"\nTimeoutStartSec=8s\n" TAIL("page"));
}

Test(reaction, what_means_something_to_systemd_is_escaped)
{
	_cleanup_(conf_freep) struct conf *conf = conf_from_text(
		NODES "[Reaction p]\nEvent=00-04563\nTimeout=1min 30s\nUser=nobody\n"
		      "Run=\"/bin/a b\" %n $HOME ${TAKEOVER_GROUP} 'a\"b' \"it's\" a\\nb '' '\t'\n"
		      "WorkingDirectory=/var/50%/a b\nEnvironment=A=%n \"x\" $HOME \\\n");
	_cleanup_(freep) char *unit = unit_of(&conf->reactions[0]);

	cr_expect_str_eq(
		unit,
		HEAD("p") "ExecStart=:/usr/libexec/takeover/takeover-react "
			  "/etc/takeover/takeover.conf p %i \"/bin/a b\" \"%%n\" \"$HOME\" "
			  "\"${TAKEOVER_GROUP}\" \"a\\\"b\" \"it's\" \"a\\\\nb\" \"\" \"\\t\"\n"
			  "User=nobody\nWorkingDirectory=/var/50%%/a b\n"
			  "Environment=\"A=%%n \\\"x\\\" $HOME \\\\\"\n"
			  "TimeoutStartSec=1min 30s\n" TAIL("p"));
}

/* A directory with a configuration, and one for units. */
struct place {
	char dir[TEMP_MAX], conf[TEMP_MAX + 16], units[TEMP_MAX + 16], said[4096];
};

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "we");

	cr_assert(f);
	fputs(text, f);
	cr_assert_eq(fclose(f), 0);
	cr_assert_eq(chmod(path, mode), 0);
}

static void place_init(struct place *place, const char *text)
{
	cr_assert(mkdtemp(temp_template(place->dir, "reaction")));
	(void)snprintf(place->conf, sizeof(place->conf), "%s/takeover.conf", place->dir);
	(void)snprintf(place->units, sizeof(place->units), "%s/units", place->dir);
	cr_assert_eq(mkdir(place->units, 0755), 0);
	if (text)
		write_file(place->conf, text, 0644);
}

static void place_done(struct place *place)
{
	char command[TEMP_MAX + 16];

	(void)snprintf(command, sizeof(command), "rm -rf %s", place->dir);
	cr_assert_eq(system(command), 0);
}

static int generate(struct place *place)
{
	FILE *err = fmemopen(place->said, sizeof(place->said), "w");
	int r;

	place->said[0] = '\0';
	cr_assert(err);
	r = reaction_generate(place->conf, place->units, err);
	cr_assert_eq(fclose(err), 0);
	return r;
}

static bool is_there(const struct place *place, const char *reaction)
{
	char path[TEMP_MAX + 128];

	(void)snprintf(path, sizeof(path), "%s/takeover-reaction-%s@.service", place->units,
		       reaction);
	return access(path, F_OK) == 0;
}

#define REACTIONS                                                                                  \
	NODES "[Reaction a]\nEvent=00-04563\nRun=/bin/true\n[Reaction b]\nEvent=00-04563\n"        \
	      "Unit=takeover-b.service\n[Reaction c.d-e_f]\nEvent=00-04561\nRun=/bin/false\n"

Test(reaction, each_command_gets_a_unit)
{
	_cleanup_(conf_freep) struct conf *conf = conf_from_text(REACTIONS);
	struct place place;

	place_init(&place, REACTIONS);
	cr_expect_eq(generate(&place), 0, "%s", place.said);
	cr_expect(is_there(&place, "a"));
	cr_expect_not(is_there(&place, "b"));
	cr_expect(is_there(&place, "c.d-e_f"));
	cr_expect_str_eq(place.said, "");
	cr_expect(reaction_is_known(&conf->reactions[0], place.units));
	cr_expect(reaction_is_known(&conf->reactions[2], place.units));
	conf->reactions[0].timeout_us++;
	cr_expect_not(reaction_is_known(&conf->reactions[0], place.units), "it has changed");
	cr_expect_not(reaction_is_known(&conf->reactions[2], place.dir), "it is elsewhere");
	place_done(&place);
}

Test(reaction, without_a_configuration_nothing_is_said)
{
	struct place place;

	place_init(&place, NULL);
	cr_expect_eq(generate(&place), 0);
	cr_expect_str_eq(place.said, "");
	place_done(&place);
}

Test(reaction, of_a_configuration_with_mistakes_no_unit_is_made)
{
	char wanted[512];
	struct place place;

	place_init(&place, REACTIONS "[Reaction g]\nEvent=1\nRun=/bin/true\n");
	cr_expect_eq(generate(&place), -EINVAL);
	(void)snprintf(wanted, sizeof(wanted),
		       "takeover-generator: %s:21: Event= takes ids of events such as 00-04563, "
		       "not \"1\".\n"
		       "takeover-generator: %s is not taken; no reactions\n",
		       place.conf, place.conf);
	cr_expect_str_eq(place.said, wanted);
	cr_expect_not(is_there(&place, "a"));
	place_done(&place);
}

/* What others can write would run as root. */
Test(reaction, a_configuration_that_others_can_write_is_refused)
{
	char drop_ins[TEMP_MAX + 64], drop_in[TEMP_MAX + 80];
	struct place place;

	place_init(&place, REACTIONS);
	(void)snprintf(drop_ins, sizeof(drop_ins), "%s.d", place.conf);
	(void)snprintf(drop_in, sizeof(drop_in), "%s/x.conf", drop_ins);
	cr_assert_eq(mkdir(drop_ins, 0755), 0);
	write_file(drop_in, "[Agent]\n", 0644);
	cr_assert_eq(chmod(place.conf, 0664), 0);
	cr_expect_eq(generate(&place), -EPERM);
	cr_expect(
		strstr(place.said, "takeover.conf can be written by others than root (mode 0664)"));
	cr_assert_eq(chmod(place.conf, 0644), 0);
	cr_assert_eq(chmod(place.dir, 0777), 0);
	cr_expect_eq(generate(&place), -EPERM);
	cr_assert_eq(chmod(place.dir, 0700), 0);
	cr_assert_eq(chmod(drop_ins, 0770), 0);
	cr_expect_eq(generate(&place), -EPERM);
	cr_assert_eq(chmod(drop_ins, 0700), 0);
	cr_assert_eq(chmod(drop_in, 0646), 0);
	cr_expect_eq(generate(&place), -EPERM);
	cr_expect_not(is_there(&place, "a"));
	cr_assert_eq(chmod(drop_in, 0600), 0);
	if (geteuid() == 0) {
		cr_assert_eq(chown(drop_in, 65534, 65534), 0);
		cr_expect_eq(generate(&place), -EPERM);
		cr_expect(strstr(place.said, "x.conf belongs to uid 65534, not to root"));
		cr_assert_eq(chown(drop_in, 0, 0), 0);
	}
	cr_expect_eq(generate(&place), 0, "%s", place.said);
	place_done(&place);
}

Test(reaction, nothing_is_written_where_something_is_already_nor_elsewhere)
{
	char victim[TEMP_MAX + 16], link[TEMP_MAX + 128];
	struct place place;
	struct stat st;

	place_init(&place, REACTIONS);
	(void)snprintf(victim, sizeof(victim), "%s/victim", place.dir);
	(void)snprintf(link, sizeof(link), "%s/takeover-reaction-a@.service", place.units);
	write_file(victim, "", 0644);
	cr_assert_eq(symlink(victim, link), 0);
	cr_expect_eq(generate(&place), -EEXIST);
	cr_expect(strstr(place.said, "cannot write to "));
	cr_assert_eq(stat(victim, &st), 0);
	cr_expect_eq(st.st_size, 0);
	cr_assert_eq(unlink(link), 0);
	cr_assert_eq(rmdir(place.units), 0);
	cr_expect_eq(generate(&place), -ENOENT);
	place_done(&place);
}

/* What the command prints, or the runner says; @ret_status as wait() has it */
static char *run(const char *text, const char *instance, char **command, int *ret_status)
{
	static char said[8192];
	struct place place;
	int fds[2];
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	place_init(&place, text);
	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		FILE *err = fdopen(fds[1], "w");

		(void)dup2(fds[1], STDOUT_FILENO);
		(void)clearenv();
		(void)reaction_run(place.conf, "page", instance, command, err);
		(void)fflush(err);
		_exit(2);
	}
	(void)close(fds[1]);
	while ((n = read(fds[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)n;
	(void)close(fds[0]);
	said[len] = '\0';
	cr_assert_eq(waitpid(pid, ret_status, 0), pid);
	place_done(&place);
	return said;
}

Test(reaction, the_command_is_told_everything)
{
	char *command[] = { "/usr/bin/env", NULL };
	int status;

	cr_expect_str_eq(run(REACTIONS, INSTANCE, command, &status),
			 "TAKEOVER_REACTION=page\nTAKEOVER_EVENT=00-04563\nTAKEOVER_GROUP=sip\n"
			 "TAKEOVER_FROM=be-ta\nTAKEOVER_NODE=alpha\nTAKEOVER_PEER=be-ta\n"
			 "TAKEOVER_ROLE=primary\nTAKEOVER_STATE=MASTER\nTAKEOVER_PRIORITY=150\n"
			 "TAKEOVER_ADDRESSES=10.0.0.3 2001:db8::3\n");
	cr_expect_eq(status, 0);
}

Test(reaction, a_variable_that_is_the_whole_of_an_argument_is_replaced)
{
	char *command[] = { "/bin/echo",
			    "INSTANCE",
			    "${TAKEOVER_GROUP}",
			    "${TAKEOVER_STATE}",
			    "${TAKEOVER_PRIORITY}",
			    "x${TAKEOVER_GROUP}",
			    "${TAKEOVER_GROUP}x",
			    "$TAKEOVER_GROUP",
			    "${PATH}",
			    NULL };
	int status;

	cr_expect_str_eq(
		run(REACTIONS, "00\\x2d04561:sip:alpha:be\\x2dta:fault:9", command, &status),
		"INSTANCE sip FAULT 100 x${TAKEOVER_GROUP} ${TAKEOVER_GROUP}x "
		"$TAKEOVER_GROUP ${PATH}\n");
}

Test(reaction, every_variable_that_the_configuration_knows_is_set)
{
	char *command[] = { "/usr/bin/env", NULL };
	const char *const *names;
	const char *said;
	int status;
	size_t n;

	said = run(REACTIONS, INSTANCE, command, &status);
	names = conf_reaction_variables(&n);
	cr_assert_gt(n, 0);
	for (size_t i = 0; i < n; i++) {
		char line[64];

		(void)snprintf(line, sizeof(line), "%s=", names[i]);
		cr_expect(strstr(said, line), "%s", names[i]);
	}
}

Test(reaction, rubbish_runs_nothing)
{
	static const struct {
		const char *instance, *problem;
	} cases[] = {
		{ "rubbish", "takeover-react: \"rubbish\" is no event of the agent\n" },
		{ "00\\x2d04563:web:alpha:alpha:primary:1",
		  "takeover-react: there is no group web\n" },
		{ "00\\x2d04563:sip:gamma:alpha:primary:1",
		  "takeover-react: there is no node gamma\n" },
		{ "00\\x2d04563:sip:alpha:gamma:primary:1",
		  "takeover-react: there is no node gamma\n" },
	};
	char *command[] = { "/bin/echo", "ran", NULL };
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_expect_str_eq(run(REACTIONS, cases[i].instance, command, &status),
				 cases[i].problem);
		cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 2);
	}
}

Test(reaction, what_cannot_be_run_is_said)
{
	char *command[] = { "/nowhere/page", NULL };
	int status;

	cr_expect_str_eq(run(REACTIONS, INSTANCE, command, &status),
			 "takeover-react: cannot run /nowhere/page: No such file or directory\n");
	cr_expect(strstr(run("[Agent]\nPrt=1\n", INSTANCE, command, &status), "is not taken: "));
}

/* execve(2) would refuse a string with all of them. */
Test(reaction, of_thousands_of_addresses_it_is_told_those_that_fit)
{
	char *command[] = { "/bin/sh", "-c", "printf %s \"$TAKEOVER_ADDRESSES\" | wc -c", NULL };
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	int status;

	fputs(NODES, to);
	for (unsigned i = 0; i < 5000; i++)
		fprintf(to, "VirtualAddress=2001:db8:1111:2222:3333:4444:5555:%x eth0\n", i + 1);
	cr_assert_eq(fclose(to), 0);
	size = (size_t)atoi(run(text, INSTANCE, command, &status));
	cr_expect_eq(status, 0);
	cr_expect(size > 60000 && size <= 65536, "%zu bytes", size);
}
