/* SPDX-License-Identifier: MIT */
/*
 * A kernel that lacks something of nftables, for one process: LD_PRELOADed, it
 * changes what is asked of netlink so that the kernel answers as one without
 * $NFTABLES_WITHOUT: nfnetlink, nf_tables, arp (the family), fib or owner (of a
 * table); or does not tell of what others change, nor of addresses that come or are not what they
 * were: news. That addresses have gone it tells.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	REQUEST_MAX = 1 << 20,
	ABSENT = NFNL_SUBSYS_OSF, /* a subsystem that nobody has loaded */
};

typedef int (*socket_fn)(int domain, int type, int protocol);
typedef int (*bind_fn)(int fd, const struct sockaddr *self, socklen_t len);
typedef int (*setsockopt_fn)(int fd, int level, int option, const void *value, socklen_t len);
typedef ssize_t (*sendto_fn)(int fd, const void *buf, size_t len, int flags,
			     const struct sockaddr *to, socklen_t to_len);

static const char *without(void)
{
	const char *what = getenv("NFTABLES_WITHOUT");

	if (!what)
		abort();
	return what;
}

static int is_netlink(int fd, int bus)
{
	int domain = 0, protocol = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_NETLINK &&
	       getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 && protocol == bus;
}

int socket(int domain, int type, int protocol)
{
	const socket_fn real = (socket_fn)dlsym(RTLD_NEXT, "socket");

	if (domain == AF_NETLINK && protocol == NETLINK_NETFILTER &&
	    strcmp(without(), "nfnetlink") == 0) {
		errno = EPROTONOSUPPORT;
		return -1;
	}
	return real(domain, type, protocol);
}

int bind(int fd, const struct sockaddr *self, socklen_t len)
{
	const bind_fn real = (bind_fn)dlsym(RTLD_NEXT, "bind");
	const struct sockaddr_nl deaf = { .nl_family = AF_NETLINK };

	if (strcmp(without(), "news") != 0 || !is_netlink(fd, NETLINK_NETFILTER))
		return real(fd, self, len);
	return real(fd, (const struct sockaddr *)&deaf, sizeof(deaf));
}

/* The filter of who wants news: this one lets none of an address through. */
int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	const setsockopt_fn real = (setsockopt_fn)dlsym(RTLD_NEXT, "setsockopt");
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWADDR), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog deaf = { .len = 4, .filter = code };

	if (level == SOL_SOCKET && option == SO_ATTACH_FILTER && strcmp(without(), "news") == 0 &&
	    is_netlink(fd, NETLINK_ROUTE))
		return real(fd, level, option, &deaf, sizeof(deaf));
	return real(fd, level, option, value, len);
}

/* A flag that no kernel has yet is refused as this one was before there was it. */
static void change_owner(struct nlmsghdr *nlh)
{
	const size_t head = NLMSG_LENGTH(sizeof(struct nfgenmsg));
	struct nlattr *attr;

	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE))
		return;
	for (size_t at = head; at + NLA_HDRLEN <= nlh->nlmsg_len; at += NLA_ALIGN(attr->nla_len)) {
		uint32_t flags;

		attr = (void *)((char *)nlh + at);
		if (attr->nla_type != NFTA_TABLE_FLAGS)
			continue;
		memcpy(&flags, attr + 1, sizeof(flags));
		if (flags & htonl(NFT_TABLE_F_OWNER))
			flags |= htonl(1U << 31);
		memcpy(attr + 1, &flags, sizeof(flags));
	}
}

/* To a subsystem, to a family, with an expression that the kernel does not have. */
static void change(struct nlmsghdr *nlh)
{
	struct nfgenmsg *nfg = NLMSG_DATA(nlh);
	const char *what = without();

	if (strcmp(what, "nf_tables") == 0) {
		if (nlh->nlmsg_type == NFNL_MSG_BATCH_BEGIN)
			nfg->res_id = htons(ABSENT);
		else if (NFNL_SUBSYS_ID(nlh->nlmsg_type) == NFNL_SUBSYS_NFTABLES)
			nlh->nlmsg_type = ABSENT << 8 | NFNL_MSG_TYPE(nlh->nlmsg_type);
	} else if (strcmp(what, "arp") == 0 && nfg->nfgen_family == NFPROTO_ARP) {
		nfg->nfgen_family = NFPROTO_NUMPROTO - 1;
	} else if (strcmp(what, "fib") == 0) {
		char *name = memmem(nlh, nlh->nlmsg_len, "fib", sizeof("fib"));

		if (name)
			*name = '-';
	} else if (strcmp(what, "owner") == 0) {
		change_owner(nlh);
	}
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	       socklen_t to_len)
{
	const sendto_fn real = (sendto_fn)dlsym(RTLD_NEXT, "sendto");
	static _Thread_local _Alignas(struct nlmsghdr) char copy[REQUEST_MAX];
	struct nlmsghdr *nlh = (void *)copy;
	size_t left = len;

	if (!is_netlink(fd, NETLINK_NETFILTER))
		return real(fd, buf, len, flags, to, to_len);
	if (len > sizeof(copy))
		abort();
	memcpy(copy, buf, len);
	for (; NLMSG_OK(nlh, left); nlh = NLMSG_NEXT(nlh, left))
		change(nlh);
	return real(fd, copy, len, flags, to, to_len);
}
