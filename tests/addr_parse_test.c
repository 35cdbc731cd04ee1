/* SPDX-License-Identifier: MIT */

/* What the kernel says of an address is read with care. */

#include "netlink/addr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "tests/cut_short.h"

/* A message about 10.1.0.1/24 on link 7, to be spoilt. */
static struct nlmsghdr *put_addr(uint8_t buf[static NL_REQUEST_MAX], size_t ip_bytes)
{
	static const uint8_t ip[16] = { 10, 1, 0, 1 };
	struct nlmsghdr *nlh;
	struct ifaddrmsg *ifa;

	memset(buf, 0, NL_REQUEST_MAX);
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_NEWADDR;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = 24;
	ifa->ifa_index = 7;
	mnl_attr_put(nlh, IFA_LOCAL, ip_bytes, ip);
	return nlh;
}

static struct ifaddrmsg *header_of(struct nlmsghdr *nlh)
{
	return mnl_nlmsg_get_payload(nlh);
}

Test(addr_parse, messages_are_not_trusted)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *nlh = put_addr(buf, 4);
	struct addr a;

	cr_assert_eq(addr_parse(nlh, &a), 0);
	cr_assert(a.ip.family == 4 && a.prefix == 24 && a.ifindex == 7 && a.tag == 0);

	cr_assert_eq(addr_parse(put_addr(buf, 3), &a), -EBADMSG);
	cr_assert_eq(addr_parse(put_addr(buf, 16), &a), -EBADMSG);
	nlh = put_addr(buf, 4);
	header_of(nlh)->ifa_prefixlen = 33;
	cr_assert_eq(addr_parse(nlh, &a), -EBADMSG);
	nlh = put_addr(buf, 4);
	header_of(nlh)->ifa_index = 0;
	cr_assert_eq(addr_parse(nlh, &a), -EBADMSG);
	nlh = put_addr(buf, 4);
	header_of(nlh)->ifa_family = AF_PHONET;
	cr_assert_eq(addr_parse(nlh, &a), -EAFNOSUPPORT);
	nlh = put_addr(buf, 4);
	nlh->nlmsg_type = RTM_NEWLINK;
	cr_assert_eq(addr_parse(nlh, &a), -EBADMSG);
}

static void parse(const struct nlmsghdr *cut)
{
	struct addr a;

	(void)addr_parse(cut, &a);
}

Test(addr_parse, every_truncation_is_survived)
{
	_Alignas(struct nlmsghdr) uint8_t buf[NL_REQUEST_MAX];
	struct nlmsghdr *nlh = put_addr(buf, 4);
	const struct ifa_cacheinfo lifetime = { 0 };

	mnl_attr_put(nlh, IFA_CACHEINFO, sizeof(lifetime), &lifetime);
	mnl_attr_put_u8(nlh, IFA_PROTO, ADDR_TAG);
	cut_short(nlh, parse);
}
