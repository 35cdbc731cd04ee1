/* SPDX-License-Identifier: MIT */

/* The keys of [Reaction NAME]: what has to happen, where, and what is started then. */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "agent/cleanup.h"
#include "agent/conf/conf_keys.h"

static int refuse(const struct conf_key *key, const char *text, const struct conf_place *place)
{
	return conf_complain(place, "%s= takes %s, not \"%s\".", key->name, key->kind->takes, text);
}

/**
 * conf_words_done() - Free texts
 * @words: empty afterwards
 */
void conf_words_done(struct conf_words *words)
{
	for (size_t i = 0; i < words->n; i++)
		free(words->v[i]);
	free(words->v);
	*words = (struct conf_words){ 0 };
}

/* Takes @word, also if that fails; NULL is -ENOMEM. -E2BIG: there are too many. */
static int words_add(struct conf_words *words, char *word)
{
	_cleanup_(freep) char *owned = word;
	char **v;

	if (!owned)
		return -ENOMEM;
	if (words->n == CONF_WORDS_MAX)
		return -E2BIG;
	v = reallocarray(words->v, words->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	words->v = v;
	v[words->n++] = TAKE(owned);
	return 0;
}

static int refuse_many(const struct conf_key *key, const struct conf_place *place)
{
	return conf_complain(place, "%s= takes %d of them at most.", key->name, CONF_WORDS_MAX);
}

/**
 * conf_event_valid() - Does this look like the id of an event, such as 00-04563?
 * @id: text
 */
bool conf_event_valid(const char *id)
{
	static const char form[] = "##-#####";

	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == '#' ? !isdigit((unsigned char)id[i]) : id[i] != form[i])
			return false;
	return !id[sizeof(form) - 1];
}

/**
 * conf_event_of_role() - Is this one of the four events of a group that changes its role?
 * @id: of an event
 */
bool conf_event_of_role(const char *id)
{
	return !strncmp(id, "00-0456", 7) && id[7] >= '0' && id[7] <= '3' && !id[8];
}

/**
 * conf_event_of_reaction() - Does it tell what has become of a reaction?
 * @id: of an event
 */
bool conf_event_of_reaction(const char *id)
{
	return !strncmp(id, "01-0061", 7);
}

/* Words with white space between them, each of which @is_right; an empty line clears. */
static int list_parse(const struct conf_key *key, const char *text, void *object,
		      const struct conf_place *place, bool (*is_right)(const char *))
{
	struct conf_words *words = (void *)((char *)object + key->offset);
	_cleanup_(freep) char *copy = strdup(text);
	char *rest = copy, *word;
	int r;

	if (!copy)
		return -ENOMEM;
	if (!*text)
		conf_words_done(words);
	while ((word = strsep(&rest, " \t"))) {
		if (!*word)
			continue;
		if (!is_right(word))
			return refuse(key, word, place);
		r = words_add(words, strdup(word));
		if (r < 0)
			return r == -E2BIG ? refuse_many(key, place) : r;
	}
	return 0;
}

static void list_print(const struct conf_key *key, const void *object, FILE *to)
{
	const struct conf_words *words = (const void *)((const char *)object + key->offset);

	for (size_t i = 0; i < words->n; i++)
		fprintf(to, "%s=%s\n", key->name, words->v[i]);
}

static int events_parse(const struct conf_key *key, const char *text, void *object,
			const struct conf_place *place)
{
	return list_parse(key, text, object, place, conf_event_valid);
}

static int groups_parse(const struct conf_key *key, const char *text, void *object,
			const struct conf_place *place)
{
	return list_parse(key, text, object, place, conf_name_valid);
}

static int node_parse(const struct conf_key *key, const char *text, void *object,
		      const struct conf_place *place)
{
	char *field = (char *)object + key->offset;

	if (!conf_name_valid(text))
		return refuse(key, text, place);
	(void)snprintf(field, CONF_NAME_MAX + 1, "%s", text); /* fits */
	return 0;
}

static void node_print(const struct conf_key *key, const void *object, FILE *to)
{
	const char *name = (const char *)object + key->offset;

	if (*name)
		fprintf(to, "%s=%s\n", key->name, name);
}

/**
 * conf_role_name() - The word for a role, in the configuration
 *
 * Return: "any", "primary" or "backup".
 */
const char *conf_role_name(enum conf_role role)
{
	static const char *const names[_CONF_ROLE_MAX] = {
		[CONF_ROLE_ANY] = "any",
		[CONF_ROLE_PRIMARY] = "primary",
		[CONF_ROLE_BACKUP] = "backup",
	};

	assert(role < _CONF_ROLE_MAX);
	return names[role];
}

static int role_parse(const struct conf_key *key, const char *text, void *object,
		      const struct conf_place *place)
{
	struct conf_reaction *reaction = object;

	for (enum conf_role role = 0; role < _CONF_ROLE_MAX; role++) {
		if (strcmp(text, conf_role_name(role)) != 0)
			continue;
		reaction->role = role;
		return 0;
	}
	return refuse(key, text, place);
}

static void role_print(const struct conf_key *key, const void *object, FILE *to)
{
	const struct conf_reaction *reaction = object;

	fprintf(to, "%s=%s\n", key->name, conf_role_name(reaction->role));
}

/*
 * The next word of *@at, without the quotes that parts of it stand in; *@at goes behind it.
 * NULL: there is none, or a quote is not closed, and then *@at stands at it; or no memory.
 */
static char *next_word(const char **at)
{
	const char *p = *at + strspn(*at, " \t"), *end;
	_cleanup_(freep) char *word = NULL;
	size_t n = 0;

	*at = p;
	if (!*p)
		return NULL;
	word = calloc(1, strlen(p) + 1);
	while (word && *p && *p != ' ' && *p != '\t') {
		if (*p != '"' && *p != '\'') {
			word[n++] = *p++;
			continue;
		}
		end = strchr(p + 1, *p);
		*at = p;
		if (!end)
			return NULL;
		memcpy(word + n, p + 1, (size_t)(end - p - 1));
		n += (size_t)(end - p - 1);
		p = end + 1;
	}
	if (word)
		*at = p;
	return TAKE(word);
}

/* What the runner sets, and puts in place of an argument that is ${NAME}. */
static const char *const variables[] = {
	"TAKEOVER_REACTION", "TAKEOVER_EVENT",	   "TAKEOVER_GROUP", "TAKEOVER_FROM",
	"TAKEOVER_NODE",     "TAKEOVER_PEER",	   "TAKEOVER_ROLE",  "TAKEOVER_STATE",
	"TAKEOVER_PRIORITY", "TAKEOVER_ADDRESSES",
};

/**
 * conf_reaction_variables() - What a command is told by its environment
 * @ret_n: number of names
 */
const char *const *conf_reaction_variables(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(variables);
	return variables;
}

/* "${TAKEOVER_...}" that is not there would be handed on as it is, to somebody's surprise. */
static bool is_known(const char *word)
{
	size_t len = strlen(word);

	if (strncmp(word, "${TAKEOVER_", strlen("${TAKEOVER_")) != 0 || word[len - 1] != '}')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		if (len == strlen(variables[i]) + 3 &&
		    !memcmp(word + 2, variables[i], strlen(variables[i])))
			return true;
	return false;
}

/* Return: 0, or 1 after a complaint. */
static int check_command(const struct conf_key *key, const char *text,
			 const struct conf_words *words, const struct conf_place *place)
{
	int r = 0;

	if (words->n == 0 || words->v[0][0] != '/') {
		r = refuse(key, text, place);
		return r < 0 ? r : 1;
	}
	for (size_t i = 0; i < words->n; i++) {
		if (is_known(words->v[i]))
			continue;
		r = conf_complain(place, "%s= knows no %s; it knows ${%s}, ${%s} and others.",
				  key->name, words->v[i], variables[1], variables[2]);
		return r < 0 ? r : 1;
	}
	return 0;
}

static int command_parse(const struct conf_key *key, const char *text, void *object,
			 const struct conf_place *place)
{
	_cleanup_(conf_words_done) struct conf_words words = { 0 };
	struct conf_reaction *reaction = object;
	const char *at = text;
	char *word, *copy;
	int r = 0;

	while (r == 0 && (word = next_word(&at)))
		r = words_add(&words, word);
	if (r < 0)
		return r == -E2BIG ? refuse_many(key, place) : r;
	if (*at == '"' || *at == '\'')
		return conf_complain(place, "%s= has a %c that is not closed, in \"%s\".",
				     key->name, *at, text);
	if (*at)
		return -ENOMEM; /* there are other words */
	r = check_command(key, text, &words, place);
	if (r != 0)
		return r < 0 ? r : 0;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(reaction->command);
	conf_words_done(&reaction->run);
	reaction->command = copy;
	reaction->run = words;
	words = (struct conf_words){ 0 };
	return 0;
}

static void text_print(const struct conf_key *key, const void *object, FILE *to)
{
	const char *text = *(char *const *)((const char *)object + key->offset);

	if (text)
		fprintf(to, "%s=%s\n", key->name, text);
}

static int set_text(const struct conf_key *key, const char *text, void *object)
{
	char **field = (char **)((char *)object + key->offset);
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int directory_parse(const struct conf_key *key, const char *text, void *object,
			   const struct conf_place *place)
{
	/* systemd takes these for themselves here, but a backslash at the end of a line */
	return *text == '/' && !strpbrk(text, "\\\"\t") ? set_text(key, text, object)
							: refuse(key, text, place);
}

/* systemd takes no others: the strict rules of systemd.exec(5), or a number */
static bool is_user(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-')
			return false;
	return len > 0 && len < 32 && *name != '-';
}

static int user_parse(const struct conf_key *key, const char *text, void *object,
		      const struct conf_place *place)
{
	return is_user(text) ? set_text(key, text, object) : refuse(key, text, place);
}

/* "NAME=VALUE"; names with our prefix are told by the event. */
static bool is_assignment(const char *text)
{
	size_t len = strcspn(text, "=");

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	return len > 0 && text[len] && !isdigit((unsigned char)*text) &&
	       strncmp(text, "TAKEOVER_", strlen("TAKEOVER_")) != 0;
}

static int environment_parse(const struct conf_key *key, const char *text, void *object,
			     const struct conf_place *place)
{
	struct conf_reaction *reaction = object;
	int r;

	if (!*text) {
		conf_words_done(&reaction->environment);
		return 0;
	}
	if (!is_assignment(text))
		return refuse(key, text, place);
	r = words_add(&reaction->environment, strdup(text));
	return r == -E2BIG ? refuse_many(key, place) : r;
}

/**
 * conf_reaction_done() - Free what a reaction owns
 */
void conf_reaction_done(struct conf_reaction *reaction)
{
	conf_words_done(&reaction->events);
	conf_words_done(&reaction->groups);
	conf_words_done(&reaction->run);
	conf_words_done(&reaction->environment);
	free(reaction->unit);
	free(reaction->command);
	free(reaction->directory);
	free(reaction->user);
}

const struct conf_kind conf_kind_events = {
	.takes = "ids of events such as 00-04563",
	.list = true,
	.parse = events_parse,
	.print = list_print,
};

const struct conf_kind conf_kind_groups = {
	.takes = "names of groups",
	.list = true,
	.parse = groups_parse,
	.print = list_print,
};

const struct conf_kind conf_kind_from = {
	.takes = "self, peer or the name of a node",
	.parse = node_parse,
	.print = node_print,
};

const struct conf_kind conf_kind_where = {
	.takes = "the name of a node",
	.parse = node_parse,
	.print = node_print,
};

const struct conf_kind conf_kind_role = {
	.takes = "any, primary or backup",
	.parse = role_parse,
	.print = role_print,
};

const struct conf_kind conf_kind_command = {
	.takes = "the absolute path of a program, and its arguments",
	.parse = command_parse,
	.print = text_print,
};

const struct conf_kind conf_kind_directory = {
	.takes = "an absolute path such as /var/lib/pager",
	.parse = directory_parse,
	.print = text_print,
};

const struct conf_kind conf_kind_user = {
	.takes = "the name of a user",
	.parse = user_parse,
	.print = text_print,
};

const struct conf_kind conf_kind_environment = {
	.takes = "NAME=VALUE, with a name that does not begin with TAKEOVER_",
	.list = true,
	.parse = environment_parse,
	.print = list_print,
};
