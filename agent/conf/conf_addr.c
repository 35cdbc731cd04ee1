/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>

#include "agent/cleanup.h"
#include "agent/conf/conf_keys.h"

/* What an address cannot be, or NULL if it is an ordinary one. */
static const char *address_flaw(const struct ip *ip)
{
	static const uint8_t zero[16], loopback6[16] = { [15] = 1 };
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *b = ip->bytes;

	if (ip->family == 4) {
		if (b[0] == 127)
			return "a loopback address";
		if (b[0] == 0)
			return "an unspecified address";
		if (b[0] >= 224 && b[0] < 240)
			return "a multicast address";
		return b[0] >= 240 ? "a reserved address" : NULL;
	}
	if (!memcmp(b, zero, 16))
		return "an unspecified address";
	if (!memcmp(b, loopback6, 16))
		return "a loopback address";
	if (!memcmp(b, mapped, 12))
		return "an IPv4 address written as IPv6: leave out ::ffff:";
	return b[0] == 0xff ? "a multicast address" : NULL;
}

static bool address_is_link_local6(const struct ip *ip)
{
	return ip->family == 6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

/*
 * Complains unless @ip is an ordinary address. *ret_usable tells.
 */
static int check_address(const struct conf_key *key, const char *text, const struct ip *ip,
			 const struct conf_place *place, bool *ret_usable)
{
	const char *flaw = address_flaw(ip);

	*ret_usable = !flaw;
	if (!flaw)
		return 0;
	return conf_complain(place, "%s= takes the address of a host, but %s is %s.", key->name,
			     text, flaw);
}

static int address_parse(const struct conf_key *key, const char *text, void *object,
			 const struct conf_place *place)
{
	struct conf_node *node = object;
	bool usable;
	struct ip ip;
	int r;

	if (!*text) {
		node->n_paths = 0;
		memset(node->paths, 0, sizeof(node->paths));
		return 0;
	}
	if (strchr(text, '/'))
		return conf_complain(place,
				     "%s= takes an address without prefix length, not \"%s\".",
				     key->name, text);
	if (conf_parse_ip(text, &ip) < 0)
		return conf_complain(place, "%s= takes %s, not \"%s\".", key->name,
				     key->kind->takes, text);
	r = check_address(key, text, &ip, place, &usable);
	if (r < 0 || !usable)
		return r;
	if (address_is_link_local6(&ip))
		return conf_complain(place,
				     "%s= takes an address that is valid beyond one link, "
				     "but %s is link-local.",
				     key->name, text);
	if (node->n_paths == CONF_PATHS_MAX)
		return conf_complain(place, "A node has at most %d addresses; %s is one too many.",
				     CONF_PATHS_MAX, text);
	node->paths[node->n_paths++] = ip;
	return 0;
}

static void address_print(const struct conf_key *key, const void *object, FILE *to)
{
	const struct conf_node *node = object;
	char buf[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < node->n_paths; i++)
		fprintf(to, "%s=%s\n", key->name,
			conf_format_ip(&node->paths[i], buf, sizeof(buf)));
}

/**
 * conf_ifname_valid() - Does the kernel take this as the name of an interface?
 * @name: name
 *
 * Return: true for 1 to 15 bytes without / : and white space, which are not a directory.
 */
bool conf_ifname_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= CONF_IFNAME_SIZE || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name == '/' || *name == ':' || isspace((unsigned char)*name))
			return false;
	return true;
}

/* What stands behind the colon of a label: the kernel takes anything, people want to read it. */
static bool label_valid(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!isgraph((unsigned char)*c) || *c == '/')
			return false;
	return *name;
}

/* Number of bits in @text: 1 to the width of an address of @family. */
static int parse_prefix(const char *text, uint8_t family, uint8_t *ret)
{
	unsigned max = family == 4 ? 32 : 128, n = 0;

	if (!*text || strlen(text) > 3)
		return -EINVAL;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		n = n * 10 + (unsigned)(*text - '0');
	}
	if (n < 1 || n > max)
		return -EINVAL;
	*ret = (uint8_t)n;
	return 0;
}

/*
 * An IPv4 network's own address and its broadcast address are nobody's; a network of two
 * addresses has neither (RFC 3021).
 */
static const char *network_flaw(const struct conf_vip *vip)
{
	uint32_t address = 0, host;

	if (vip->ip.family != 4 || vip->prefix > 30)
		return NULL;
	for (size_t i = 0; i < 4; i++)
		address = address << 8 | vip->ip.bytes[i];
	host = address & (UINT32_MAX >> vip->prefix);
	if (host == 0)
		return "that of the network itself";
	return host == UINT32_MAX >> vip->prefix ? "the broadcast address of its network" : NULL;
}

/* They are looked up at each piece of news of a link, and are few where addresses are many. */
static int ifname_append(struct conf_group *group, const char ifname[static CONF_IFNAME_SIZE])
{
	char(*v)[CONF_IFNAME_SIZE];

	if (conf_uses(group, ifname))
		return 0;
	v = reallocarray(group->ifnames, group->n_ifnames + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	group->ifnames = v;
	memcpy(v[group->n_ifnames++], ifname, CONF_IFNAME_SIZE);
	return 0;
}

static int vip_append(struct conf_group *group, const struct conf_vip *vip)
{
	struct conf_vip *v = group->vips;

	/* Room for a power of two; grown when that is full. */
	if ((group->n_vips & (group->n_vips - 1)) == 0) {
		v = reallocarray(v, group->n_vips ? group->n_vips * 2 : 1, sizeof(*v));
		if (!v)
			return -ENOMEM;
		group->vips = v;
	}
	v[group->n_vips++] = *vip;
	return ifname_append(group, vip->ifname);
}

/* The parts of ADDR[/PREFIX] IFNAME, cut out of @text, which is written to. */
static void vip_split(char *text, char **ret_prefix, char **ret_ifname)
{
	char *gap = text + strcspn(text, " \t");

	*ret_ifname = gap + strspn(gap, " \t");
	*gap = '\0';
	*ret_prefix = strchr(text, '/');
	if (*ret_prefix)
		*(*ret_prefix)++ = '\0';
}

/*
 * Where the address goes: an interface, or a label that begins with one. *ret_usable tells.
 */
static int vip_place(const struct conf_key *key, const char *place, struct conf_vip *vip,
		     const struct conf_place *at, bool *ret_usable)
{
	const char *colon = strchr(place, ':');
	size_t len = strlen(place), ifname_len = colon ? (size_t)(colon - place) : len;
	char ifname[CONF_IFNAME_SIZE] = "";

	*ret_usable = false;
	if (ifname_len < sizeof(ifname))
		memcpy(ifname, place, ifname_len);
	if (!conf_ifname_valid(ifname))
		return conf_complain(at,
				     "%s= takes the name of an interface (1 to %d characters "
				     "without / and :), not \"%s\".",
				     key->name, CONF_IFNAME_SIZE - 1, place);
	if (colon && vip->ip.family == 6)
		return conf_complain(at,
				     "%s= takes a label such as %s for IPv4 only, the kernel has "
				     "none for IPv6; say %s.",
				     key->name, place, ifname);
	if (colon && (len >= sizeof(vip->label) || !label_valid(colon + 1)))
		return conf_complain(at,
				     "%s= takes a label of 1 to %d characters such as eth0:1, not "
				     "\"%s\".",
				     key->name, CONF_IFNAME_SIZE - 1, place);
	memcpy(vip->ifname, ifname, sizeof(ifname));
	if (colon)
		memcpy(vip->label, place, len);
	*ret_usable = true;
	return 0;
}

static int vip_parse(const struct conf_key *key, const char *text, void *object,
		     const struct conf_place *place)
{
	_cleanup_(freep) char *address = strdup(text);
	struct conf_group *group = object;
	struct conf_vip vip = { 0 };
	char *prefix, *ifname;
	const char *flaw;
	bool usable;
	int r;

	if (!address)
		return -ENOMEM;
	if (!*text) {
		group->n_vips = group->n_ifnames = 0;
		free(TAKE(group->vips));
		free(TAKE(group->ifnames));
		return 0;
	}
	vip_split(address, &prefix, &ifname);
	if (conf_parse_ip(address, &vip.ip) < 0)
		return conf_complain(place, "%s= takes %s, not \"%s\".", key->name,
				     key->kind->takes, text);
	r = check_address(key, address, &vip.ip, place, &usable);
	if (r < 0 || !usable)
		return r;
	vip.prefix = vip.ip.family == 4 ? 32 : 128;
	if (prefix && parse_prefix(prefix, vip.ip.family, &vip.prefix) < 0)
		return conf_complain(place, "%s= takes a prefix length from 1 to %u, not \"%s\".",
				     key->name, vip.prefix, prefix);
	flaw = network_flaw(&vip);
	if (flaw)
		return conf_complain(place, "%s= takes the address of a host, but %s/%u is %s.",
				     key->name, address, vip.prefix, flaw);
	if (!*ifname)
		return conf_complain(place,
				     "%s= takes the interface after the address, "
				     "as in \"%s eth0\".",
				     key->name, text);
	r = vip_place(key, ifname, &vip, place, &usable);
	return r < 0 || !usable ? r : vip_append(group, &vip);
}

static void vip_print(const struct conf_key *key, const void *object, FILE *to)
{
	const struct conf_group *group = object;
	char buf[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < group->n_vips; i++)
		fprintf(to, "%s=%s/%u %s\n", key->name,
			conf_format_ip(&group->vips[i].ip, buf, sizeof(buf)), group->vips[i].prefix,
			conf_vip_place(&group->vips[i]));
}

const struct conf_kind conf_kind_address = {
	.takes = "an IPv4 or IPv6 address",
	.list = true,
	.parse = address_parse,
	.print = address_print,
};

const struct conf_kind conf_kind_vip = {
	.takes = "an address and an interface such as 192.0.2.1/24 eth0",
	.list = true,
	.parse = vip_parse,
	.print = vip_print,
};

/**
 * conf_parse_ip() - Read an IPv4 or IPv6 address.
 * @text: address in the usual notation, without prefix length or scope
 * @ret: address
 *
 * Return: 0; -EINVAL if @text is not an address.
 */
int conf_parse_ip(const char *text, struct ip *ret)
{
	struct ip ip = { 0 };

	if (inet_pton(AF_INET, text, ip.bytes) == 1)
		ip.family = 4;
	else if (inet_pton(AF_INET6, text, ip.bytes) == 1)
		ip.family = 6;
	else
		return -EINVAL;
	*ret = ip;
	return 0;
}

/**
 * conf_vip_place() - Where a virtual address goes, as the file says it.
 * @vip: address
 *
 * Return: its label if it has one, otherwise its interface.
 */
const char *conf_vip_place(const struct conf_vip *vip)
{
	return *vip->label ? vip->label : vip->ifname;
}

/**
 * conf_format_ip() - Write an address in the usual notation.
 * @ip: address; family 0 gives "-"
 * @buf: receives the text
 * @size: of @buf in bytes, INET6_ADDRSTRLEN (46) is always enough
 *
 * Return: @buf; "-" if there is no address or @buf is too small.
 */
const char *conf_format_ip(const struct ip *ip, char *buf, size_t size)
{
	const char *text = NULL;

	if (ip->family)
		text = inet_ntop(ip->family == 4 ? AF_INET : AF_INET6, ip->bytes, buf,
				 (socklen_t)size);
	return text ? text : "-";
}
