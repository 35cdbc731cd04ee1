/* SPDX-License-Identifier: MIT */

/* Check=: by what the service of a group is known to be well. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "agent/conf/conf_keys.h"

static const char tcp[] = "tcp:";
static const char self[] = "self";

/* An address, in brackets if it is of IPv6 (RFC 3986, section 3.2.2), or the node itself. */
static bool parse_host(char *text, struct conf_check *ret)
{
	size_t len = strlen(text);
	bool bracketed = len > 2 && text[0] == '[' && text[len - 1] == ']';

	ret->self = !strcmp(text, self);
	if (ret->self)
		return true;
	if (bracketed) {
		text[len - 1] = '\0';
		text++;
	}
	return conf_parse_ip(text, &ret->ip) >= 0 && (ret->ip.family == 6) == bracketed;
}

static bool parse_port(const char *text, uint16_t *ret)
{
	size_t len = strlen(text);
	unsigned long port = 0;

	if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
		return false;
	port = strtoul(text, NULL, 10);
	*ret = (uint16_t)port;
	return port > 0 && port <= UINT16_MAX;
}

static bool parse_check(const char *text, struct conf_check *ret)
{
	char host[INET6_ADDRSTRLEN + 2];
	const char *colon = strrchr(text, ':');
	size_t len;

	if (strncmp(text, tcp, strlen(tcp)) != 0)
		return false;
	text += strlen(tcp);
	if (colon < text)
		return false;
	len = (size_t)(colon - text);
	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	return parse_host(host, ret) && parse_port(colon + 1, &ret->port);
}

/**
 * conf_check_name() - A check as it is written, in the one way that it is printed
 *
 * Return: @buf.
 */
const char *conf_check_name(const struct conf_check *check, char buf[static CONF_CHECK_NAME_MAX])
{
	bool six = !check->self && check->ip.family == 6;
	char ip[INET6_ADDRSTRLEN];

	(void)snprintf(buf, CONF_CHECK_NAME_MAX, "%s%s%s%s:%u", tcp, six ? "[" : "",
		       check->self ? self : conf_format_ip(&check->ip, ip, sizeof(ip)),
		       six ? "]" : "", check->port);
	return buf;
}

static bool is_there(const struct conf_group *group, const char *name)
{
	char other[CONF_CHECK_NAME_MAX];

	for (size_t i = 0; i < group->n_checks; i++)
		if (!strcmp(conf_check_name(&group->checks[i], other), name))
			return true;
	return false;
}

static int checks_parse(const struct conf_key *key, const char *text, void *object,
			const struct conf_place *place)
{
	struct conf_group *group = object;
	char name[CONF_CHECK_NAME_MAX];
	struct conf_check check = { 0 };
	struct conf_check *v;

	if (!*text) {
		free(group->checks);
		group->checks = NULL;
		group->n_checks = 0;
		return 0;
	}
	if (!parse_check(text, &check))
		return conf_complain(place, "%s= takes %s, not \"%s\".", key->name,
				     key->kind->takes, text);
	if (is_there(group, conf_check_name(&check, name)))
		return conf_complain(place, "%s=%s is there already: leave one of the two out.",
				     key->name, name);
	if (group->n_checks == CONF_CHECKS_MAX)
		return conf_complain(place, "%s= may be given %d times at most.", key->name,
				     CONF_CHECKS_MAX);
	v = reallocarray(group->checks, group->n_checks + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	group->checks = v;
	v[group->n_checks++] = check;
	return 0;
}

static void checks_print(const struct conf_key *key, const void *object, FILE *to)
{
	const struct conf_group *group = object;
	char name[CONF_CHECK_NAME_MAX];

	for (size_t i = 0; i < group->n_checks; i++)
		fprintf(to, "%s=%s\n", key->name, conf_check_name(&group->checks[i], name));
}

const struct conf_kind conf_kind_checks = {
	.takes = "tcp:HOST:PORT such as tcp:self:5060, tcp:10.0.0.1:80 or tcp:[fd00::1]:80",
	.list = true,
	.parse = checks_parse,
	.print = checks_print,
};
