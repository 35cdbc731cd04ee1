/* SPDX-License-Identifier: MIT */

/* What is in a message of the kernel, which is not trusted. */

#include <errno.h>

#include "netlink/nl.h"

/**
 * nl_attrs() - Sort the attributes of a message by type, as far as their lengths are true.
 * @nlh: a message of at least nlmsg_len bytes, as nl_ok() makes sure
 * @header_len: bytes of the fixed header in front of them
 * @ret: table of @n pointers into the message, NULL where there is none; the
 *	length of each payload is still to be checked. On failure unspecified.
 * @n: attribute types from this number on are left out
 *
 * Return: 0; -EBADMSG when the message is too short or its lengths lie.
 */
int nl_attrs(const struct nlmsghdr *nlh, size_t header_len, const struct nlattr **ret, size_t n)
{
	const struct nlattr *attr;
	const char *end;

	if (mnl_nlmsg_get_payload_len(nlh) < header_len)
		return -EBADMSG;
	end = (const char *)nlh + nlh->nlmsg_len;
	attr = mnl_nlmsg_get_payload_offset(nlh, header_len);

	memset(ret, 0, n * sizeof(*ret));
	for (; mnl_attr_ok(attr, (int)(end - (const char *)attr)); attr = mnl_attr_next(attr))
		if (mnl_attr_get_type(attr) < n)
			ret[mnl_attr_get_type(attr)] = attr;
	return (const char *)attr < end ? -EBADMSG : 0;
}

/**
 * nl_attr_ip() - Take an IP address from an attribute.
 * @attr: the attribute; NULL if there is none
 * @family: 4 or 6
 * @ret: the address
 *
 * Return: 0; -EBADMSG when there is none, or it is not as long as the family
 * wants it.
 */
int nl_attr_ip(const struct nlattr *attr, uint8_t family, struct ip *ret)
{
	struct ip ip = { .family = family };

	if (!attr || mnl_attr_get_payload_len(attr) != ip_len(&ip))
		return -EBADMSG;
	memcpy(ip.bytes, mnl_attr_get_payload(attr), ip_len(&ip));
	*ret = ip;
	return 0;
}

/**
 * nl_attr_nested() - The first attribute of a type inside another one.
 * @outer: the attribute that it is in; NULL if there is none
 * @type: its type
 *
 * Return: borrowed from the message, the length of its payload still to be checked;
 * NULL if there is none.
 */
const struct nlattr *nl_attr_nested(const struct nlattr *outer, uint16_t type)
{
	const struct nlattr *attr;

	if (!outer)
		return NULL;
	mnl_attr_for_each_nested(attr, outer)
	{
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}
