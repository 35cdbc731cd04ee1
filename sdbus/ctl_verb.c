/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "sdbus/ctl_json.h"

static int show_version(struct ctl *ctl, int argc, char **argv)
{
	(void)argc, (void)argv;
	if (ctl->json)
		return ctl_json_print(ctl, json_pack("{s:s}", "version", API_VERSION));
	fprintf(ctl->out, "takeoverctl %s\n", API_VERSION);
	return CTL_OK;
}

/* Options that not every verb takes; a set of bits. */
enum {
	TAKES_JSON = 1 << 0,
	TAKES_CONFIG = 1 << 1,
	TAKES_NODE = 1 << 2,
	TAKES_TIMEOUT = 1 << 3,
	TAKES_HOST = 1 << 4,
	TAKES_MACHINE = 1 << 5,
	TAKES_BUS = TAKES_HOST | TAKES_MACHINE,
	TAKES_TO = 1 << 6,
	TAKES_STRICT = 1 << 7,
	TAKES_FORCE = 1 << 8,
	TAKES_WHY = 1 << 9,
	TAKES_FOLLOW = 1 << 11,
	TAKES_SINCE = 1 << 12,
	MAY_ASK = 1 << 10, /* no option: who asks for it may have to type a password */
};

static const struct verb {
	const char *name, *arguments;
	int arguments_max; /* of these; -1: behind one argument a command, as it is */
	unsigned takes;
	int (*run)(struct ctl *ctl, int argc, char **argv); /* NULL: show this table */
	const char *sentence;
} verbs[] = {
	{ "status", "", 0, TAKES_JSON | TAKES_BUS, ctl_status, "Show groups, nodes and paths." },
	{ "explain", "[GROUP]", 1, TAKES_JSON | TAKES_BUS, ctl_explain,
	  "Say why this node has the role it has, and what would change it." },
	{ "switchover", "[GROUP]", 1,
	  MAY_ASK | TAKES_JSON | TAKES_BUS | TAKES_TIMEOUT | TAKES_TO | TAKES_STRICT | TAKES_FORCE,
	  ctl_switchover, "Move a group to the other node, and wait for it." },
	{ "drain", "[GROUP]", 1, MAY_ASK | TAKES_JSON | TAKES_BUS | TAKES_TIMEOUT, ctl_drain,
	  "Refuse new connections, and switch over when the others have ended." },
	{ "maintenance", "on|off [GROUP]", 2, MAY_ASK | TAKES_JSON | TAKES_BUS, ctl_maintenance,
	  "Keep this node out of a group, or let it in again." },
	{ "inhibit", "GROUP COMMAND...", -1, MAY_ASK | TAKES_MACHINE | TAKES_WHY, ctl_inhibit,
	  "Keep this node out of a group for as long as a command runs." },
	{ "announce", "[GROUP]", 1, MAY_ASK | TAKES_JSON | TAKES_BUS, ctl_announce,
	  "Tell the network again where the addresses are." },
	{ "wait", "[GROUP] ROLE", 2, TAKES_JSON | TAKES_BUS | TAKES_TIMEOUT, ctl_wait,
	  "Wait until this node is primary, or backup." },
	{ "test-event", "ID [GROUP]", 2, MAY_ASK | TAKES_JSON | TAKES_BUS, ctl_test_event,
	  "Fire an event by hand, and show what its reactions did." },
	{ "reload", "", 0, TAKES_JSON | TAKES_BUS, ctl_reload,
	  "Read the configuration again, and go on with it." },
	{ "monitor", "", 0, TAKES_JSON | TAKES_BUS, ctl_monitor,
	  "Show what happens, until interrupted." },
	{ "events", "[GROUP]", 1, TAKES_JSON | TAKES_BUS | TAKES_FOLLOW | TAKES_SINCE, ctl_events,
	  "Show what the agent has told of." },
	{ "trace", "", 0, MAY_ASK | TAKES_MACHINE, ctl_trace,
	  "Show what the agent has been told, and has decided." },
	{ "verify", "[GROUP]", 1, TAKES_JSON, ctl_verify,
	  "Hold what takeoverd says against what the kernel has." },
	{ "check", "", 0, TAKES_JSON | TAKES_CONFIG | TAKES_NODE, ctl_check,
	  "Say everything that is wrong with the configuration." },
	{ "genkey", "[FILE]", 1, 0, ctl_genkey, "Make a key for both nodes." },
	{ "version", "", 0, TAKES_JSON, show_version, "Show the version." },
	{ "help", "", 0, 0, NULL, "Show this." },
};

static const struct ctl_option {
	const char *name; /* as it is typed */
	char letter;
	const char *argument; /* NULL: none */
	unsigned bit;	      /* 0: every verb takes it */
	const char *sentence;
} options[] = {
	{ "--json", 'j', NULL, TAKES_JSON, "For programs: a JSON object on a line." },
	{ "--config", 'c', "FILE", TAKES_CONFIG, "Configuration to check." },
	{ "--node", 'n', "NAME", TAKES_NODE, "Which of its nodes this is." },
	{ "--timeout", 't', "TIME", TAKES_TIMEOUT, "Give up after so long: 10, 500ms, 2min." },
	{ "--to", 'T', "NODE", TAKES_TO, "Which node is to have the group." },
	{ "--strict", 's', NULL, TAKES_STRICT, "Never two that answer, for a moment nobody." },
	{ "--force", 'f', NULL, TAKES_FORCE, "Also to a node that is unfit." },
	{ "--why", 'w', "TEXT", TAKES_WHY, "Why a node is kept out, for others to read." },
	{ "--follow", 'F', NULL, TAKES_FOLLOW, "Go on with what comes, until interrupted." },
	{ "--since", 'S', "TIME", TAKES_SINCE, "Only from then on: 2026-11-23 21:00, -5min." },
	{ "--host", 'H', "HOST", TAKES_HOST, "Ask the agent there, over ssh." },
	{ "--machine", 'M', "NAME", TAKES_MACHINE, "Ask the agent in a container." },
	{ "--help", 'h', NULL, 0, "Show this." },
	{ "--version", 'V', NULL, 0, "Show the version." },
};

/* What the command line says. */
struct command {
	const char *verb;
	const char *instead; /* --help, --version: whatever else is there */
	unsigned given;	     /* set of TAKES_* */
	int argc;
	char **argv; /* behind the verb; owned, what it points to is not */
};

static void command_done(struct command *command)
{
	free(command->argv);
}

static void print_usage(FILE *out)
{
	fprintf(out, "usage: takeoverctl [OPTIONS] VERB [ARGUMENTS]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(out, "  %-11s %-16s  %s\n", verbs[i].name, verbs[i].arguments,
			verbs[i].sentence);
	fputc('\n', out);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		fprintf(out, "  -%c, %-9s %-11s  %s\n", options[i].letter, options[i].name,
			options[i].argument ?: "", options[i].sentence);
	fprintf(out, "\nGROUP may be left out if there is only one; "
		     "explain, events and verify tell of all.\n");
}

static int refuse_verb(struct ctl *ctl, const char *name)
{
	const char *meant = ctl_guess(name, verbs, ARRAY_SIZE(verbs), sizeof(verbs[0]));

	fprintf(ctl->err, "takeoverctl: there is no verb \"%s\"", name);
	if (meant)
		fprintf(ctl->err, "; did you mean '%s'?\n", meant);
	else
		fprintf(ctl->err, "; 'takeoverctl help' shows what there is.\n");
	return CTL_USAGE;
}

static int refuse_option(struct ctl *ctl, const char *typed)
{
	const char *meant =
		typed[1] == '-' ? ctl_guess(typed, options, ARRAY_SIZE(options), sizeof(options[0]))
				: NULL;

	fprintf(ctl->err, "takeoverctl: \"%s\" is not an option; ", typed);
	if (meant && strcmp(typed, "--") != 0)
		fprintf(ctl->err, "did you mean '%s'?\n", meant);
	else
		fprintf(ctl->err, "'takeoverctl help' shows what there is.\n");
	return CTL_USAGE;
}

static const struct ctl_option *option_of(int letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].letter == letter)
			return &options[i];
	return NULL;
}

/* What getopt_long() did not take: '?' or ':' in @c, and what it was about. */
static int refuse_typed(struct ctl *ctl, int c, char *typed)
{
	const struct ctl_option *option = option_of(optopt);
	const char letter[] = { '-', (char)optopt, '\0' };

	if (option && c == ':')
		fprintf(ctl->err, "takeoverctl: %s needs a %s.\n", option->name, option->argument);
	else if (option)
		fprintf(ctl->err, "takeoverctl: %s takes no argument.\n", option->name);
	else
		return refuse_option(ctl, optopt ? letter : typed);
	return CTL_USAGE;
}

/* "" would be no place, and ssh would take the rest for options of its own, or several words. */
static bool is_place(const char *name)
{
	return *name && *name != '-' && !name[strcspn(name, " \t\n\r\f\v")];
}

static int note_place(struct ctl *ctl, int letter, const char **ret)
{
	if (!is_place(optarg)) {
		fprintf(ctl->err, "takeoverctl: %s needs the name of a %s, not \"%s\".\n",
			option_of(letter)->name, letter == 'H' ? "host" : "container", optarg);
		return CTL_USAGE;
	}
	*ret = optarg;
	return CTL_OK;
}

/* CTL_OK or the exit code */
static int note_option(struct ctl *ctl, struct command *command, int letter)
{
	command->given |= option_of(letter)->bit;
	switch (letter) {
	case 'j':
		ctl->json = true;
		break;
	case 'c':
		ctl->config = optarg;
		break;
	case 'n':
		ctl->node = optarg;
		break;
	case 't':
		return ctl_parse_span(ctl, optarg, &ctl->timeout_us);
	case 'T':
		ctl->to = optarg;
		break;
	case 's':
		ctl->strict = true;
		break;
	case 'f':
		ctl->force = true;
		break;
	case 'w':
		ctl->why = optarg;
		break;
	case 'F':
		ctl->follow = true;
		break;
	case 'S':
		return ctl_parse_since(ctl, optarg, &ctl->since_us);
	case 'H':
		return note_place(ctl, letter, &ctl->host);
	case 'M':
		return note_place(ctl, letter, &ctl->machine);
	case 'h':
		command->instead = "help";
		break;
	case 'V':
		command->instead = "version";
		break;
	}
	return CTL_OK;
}

static void note_word(struct command *command, char *word)
{
	if (command->verb)
		command->argv[command->argc++] = word;
	else
		command->verb = word;
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* What follows is a command with options of its own. */
static bool has_begun(const struct command *command)
{
	const struct verb *verb = command->argc > 1 ? find_verb(command->verb) : NULL;

	return verb && verb->arguments_max < 0;
}

/* Options stand anywhere; CTL_OK or the exit code. */
static int parse(struct ctl *ctl, int argc, char **argv, struct command *ret)
{
	struct option longs[ARRAY_SIZE(options) + 1] = { 0 };
	int c, r = CTL_OK;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		longs[i] = (struct option){ options[i].name + strlen("--"),
					    options[i].argument ? required_argument : no_argument,
					    NULL, options[i].letter };
	opterr = 0;
	optind = 0; /* begin anew */
	while (r == CTL_OK && !has_begun(ret) &&
	       (c = getopt_long(argc, argv, "-:jc:n:t:T:sfw:FS:H:M:hV", longs, NULL)) >= 0) {
		if (c == '?' || c == ':')
			return refuse_typed(ctl, c, argv[optind - 1]);
		if (c == 1) /* what is no option, in its order */
			note_word(ret, optarg);
		else
			r = note_option(ctl, ret, c);
	}
	while (r == CTL_OK && optind < argc) /* behind "--", or of the command */
		note_word(ret, argv[optind++]);
	return r;
}

static int run(struct ctl *ctl, const struct verb *verb, const struct command *command)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (command->given & options[i].bit & ~verb->takes) {
			fprintf(ctl->err, "takeoverctl: %s does not take %s.\n", verb->name,
				options[i].name);
			return CTL_USAGE;
		}
	if (ctl->host && ctl->machine) {
		fprintf(ctl->err, "takeoverctl: --host and --machine exclude each other; "
				  "a container of a host is --host HOST/NAME.\n");
		return CTL_USAGE;
	}
	if (verb->arguments_max >= 0 && command->argc > verb->arguments_max) {
		fprintf(ctl->err, "takeoverctl: %s takes %s%s, not \"%s\"%s.\n", verb->name,
			*verb->arguments ? "" : "no argument", verb->arguments,
			command->argv[verb->arguments_max], *verb->arguments ? " as well" : "");
		return CTL_USAGE;
	}
	if (verb->takes & MAY_ASK)
		ctl_agent_start(ctl);
	if (verb->run)
		return verb->run(ctl, command->argc, command->argv);
	print_usage(ctl->out);
	return CTL_OK;
}

static int run_line(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(command_done) struct command command = { 0 };
	const struct verb *verb;
	int r;

	command.argv = calloc((size_t)argc, sizeof(*command.argv));
	if (!command.argv)
		return ctl_complain(ctl, &SD_BUS_ERROR_NULL, -ENOMEM);
	r = parse(ctl, argc, argv, &command);
	if (r != CTL_OK)
		return r;
	if (command.instead) {
		command.verb = command.instead;
		command.given = 0;
		command.argc = 0;
	}
	if (!command.verb) {
		print_usage(ctl->err);
		return CTL_USAGE;
	}
	verb = find_verb(command.verb);
	return verb ? run(ctl, verb, &command) : refuse_verb(ctl, command.verb);
}

/**
 * ctl_run() - the program behind main()
 * @ctl: where to print; its bus is opened if a verb needs it
 * @argc: number of arguments, the name of the program included
 * @argv: the arguments; options may stand anywhere
 *
 * Output that cannot be written is seen here, whoever has printed it: a stream
 * does not forget.
 *
 * Return: the exit code.
 */
int ctl_run(struct ctl *ctl, int argc, char **argv)
{
	int r;

	r = run_line(ctl, argc, argv);
	ctl_agent_stop(ctl);
	if (fflush(ctl->out) == 0 && !ferror(ctl->out))
		return r;
	fputs("takeoverctl: the output could not be written.\n", ctl->err);
	return CTL_FAILED;
}
