/* SPDX-License-Identifier: MIT */
#include "agent/conf/self.h"

#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/cleanup.h"

/* @err, after a complaint that ends with the nodes there are. */
static int refuse(const struct conf *conf, struct conf_problems *problems, int err,
		  const char *what)
{
	_cleanup_(freep) char *nodes = NULL;
	size_t size;
	FILE *f;
	int r;

	f = open_memstream(&nodes, &size);
	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < conf->n_nodes; i++)
		fprintf(f, "%s%s", i ? ", " : "", conf->nodes[i].name);
	if (fclose(f) != 0)
		return -ENOMEM;
	r = conf_problems_add(problems, &(struct conf_problem){ .file = NULL },
			      "%s The configuration has: %s. --node NAME says which one this is.",
			      what, nodes);
	return r < 0 ? r : err;
}

static bool sockaddr_is(const struct sockaddr *sa, const struct ip *ip)
{
	if (sa->sa_family == AF_INET && ip->family == 4)
		return !memcmp(&((const struct sockaddr_in *)sa)->sin_addr, ip->bytes, 4);
	if (sa->sa_family == AF_INET6 && ip->family == 6)
		return !memcmp(&((const struct sockaddr_in6 *)sa)->sin6_addr, ip->bytes, 16);
	return false;
}

static bool has_address(const struct ifaddrs *list, const struct conf_node *node)
{
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		for (size_t p = 0; i->ifa_addr && p < node->n_paths; p++)
			if (sockaddr_is(i->ifa_addr, &node->paths[p]))
				return true;
	return false;
}

/**
 * self_is_here() - Is one of the addresses by which others reach us on this host?
 * @conf: configuration
 * @self: number of our node
 *
 * Return: 1 if so, 0 if not; what getifaddrs() failed with.
 */
int self_is_here(const struct conf *conf, uint8_t self)
{
	struct ifaddrs *list;
	bool here;

	if (getifaddrs(&list) < 0)
		return -errno;
	here = has_address(list, &conf->nodes[self]);
	freeifaddrs(list);
	return here;
}

/*
 * The addresses of the node that the command line names may be yet to come; but when those of
 * another one are here, both hosts would run as the same node.
 */
static int check_name(const struct conf *conf, const char *name, uint8_t node,
		      struct conf_problems *problems)
{
	const struct conf_node *other = NULL;
	struct ifaddrs *list;
	bool here;
	int r;

	if (getifaddrs(&list) < 0)
		return -errno;
	here = has_address(list, &conf->nodes[node]);
	for (size_t i = 0; i < conf->n_nodes; i++)
		if (i != node && has_address(list, &conf->nodes[i]))
			other = &conf->nodes[i];
	freeifaddrs(list);
	if (here || !other)
		return 0;
	r = conf_problems_add(problems, &(struct conf_problem){ .file = NULL },
			      "This host is not %s, as --node says: it has an Address= of [Node "
			      "%s], and none of [Node %s].",
			      name, other->name, name);
	return r < 0 ? r : -EINVAL;
}

/* Number of nodes whose addresses this host has; *ret_node is the last of them. */
static int find_by_address(const struct conf *conf, uint8_t *ret_node)
{
	struct ifaddrs *list;
	int n = 0;

	if (getifaddrs(&list) < 0)
		return -errno;
	for (size_t i = 0; i < conf->n_nodes; i++) {
		if (!has_address(list, &conf->nodes[i]))
			continue;
		*ret_node = (uint8_t)i;
		n++;
	}
	freeifaddrs(list);
	return n;
}

/* By the host's name, in full or up to the first dot. */
static int find_by_host_name(const struct conf *conf, struct conf_problems *problems,
			     uint8_t *ret_node)
{
	char name[HOST_NAME_MAX + 1] = "";
	char what[HOST_NAME_MAX + 128];

	(void)gethostname(name, sizeof(name) - 1); /* without a name nothing matches */
	if (conf_find_node(conf, name, ret_node) == 0)
		return 0;
	name[strcspn(name, ".")] = '\0';
	if (conf_find_node(conf, name, ret_node) == 0)
		return 0;
	(void)snprintf(what, sizeof(what),
		       "This host has no Address= of any node, and none is called \"%s\".", name);
	return refuse(conf, problems, -EADDRNOTAVAIL, what);
}

/**
 * self_find() - Find out which node we are.
 * @conf: configuration
 * @name: name that the command line gave; NULL: by our own addresses, else by host name
 * @ret_node: number of our node
 * @problems: gets one sentence if it cannot be told
 *
 * Return: 0; -EADDRNOTAVAIL after a complaint: no node fits, which the next address may change;
 * -EINVAL after one: two nodes fit, or another one than @name, or that is none; -ENOMEM; what
 * getifaddrs() failed with.
 */
int self_find(const struct conf *conf, const char *name, uint8_t *ret_node,
	      struct conf_problems *problems)
{
	char what[160];
	uint8_t node = CORE_NODE_NONE;
	int n, r;

	if (name) {
		if (conf_find_node(conf, name, &node) == 0) {
			r = check_name(conf, name, node, problems);
			if (r == 0)
				*ret_node = node;
			return r;
		}
		(void)snprintf(what, sizeof(what), "There is no [Node %.*s].", CONF_NAME_MAX, name);
		return refuse(conf, problems, -EINVAL, what);
	}
	n = find_by_address(conf, &node);
	if (n < 0)
		return n;
	if (n > 1)
		return refuse(conf, problems, -EINVAL,
			      "This host has addresses of more than one node.");
	if (n == 0)
		return find_by_host_name(conf, problems, ret_node);
	*ret_node = node;
	return 0;
}
