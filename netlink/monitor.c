/* SPDX-License-Identifier: MIT */

#include "netlink/monitor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "agent/cleanup.h"
#include "netlink/gate_batch.h"

enum {
	NFT_NEWGEN = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN,
	/*
	 * Messages of one datagram that the filter looks at; it lets longer ones
	 * through. The kernel packs a transaction's messages into datagrams of
	 * one page (NLMSG_GOODSIZE), and the shortest have 40 bytes.
	 */
	FILTER_STEPS = 96,
	FILTER_HEAD_LEN = 7, /* instructions */
	FILTER_STEP_LEN = 15,
	/* Where a message has its first attribute's text, which is the table's name. */
	FILTER_NAME = NLMSG_HDRLEN + sizeof(struct nfgenmsg) + NLA_HDRLEN,
	FILTER_LEN = FILTER_HEAD_LEN + FILTER_STEPS * FILTER_STEP_LEN + 1,
};

struct monitor {
	int fd;
	bool touched; /* the transaction that is being told of has changed the gate */
	bool (*parse)(struct monitor *m, const struct nlmsghdr *nlh, struct monitor_event *ret);
	const struct nlmsghdr *next; /* the message to be handed out next, in buf */
	int left;		     /* bytes from there */
	_Alignas(struct nlmsghdr) uint8_t buf[NL_DATAGRAM_MAX];
};

static bool parse_rtnl(struct monitor *m, const struct nlmsghdr *nlh, struct monitor_event *ret)
{
	(void)m;
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
		ret->kind = MONITOR_LINK;
		return link_parse(nlh, &ret->link) == 0;
	case RTM_DELLINK:
		ret->kind = MONITOR_LINK_GONE;
		return link_parse(nlh, &ret->link) == 0;
	case RTM_NEWADDR:
		ret->kind = MONITOR_ADDR;
		return addr_parse(nlh, &ret->addr) == 0;
	case RTM_DELADDR:
		ret->kind = MONITOR_ADDR_GONE;
		return addr_parse(nlh, &ret->addr) == 0;
	default:
		return false;
	}
}

/* Is it about a table of the gate, or something in one? */
static bool concerns_gate(const struct nlmsghdr *nlh)
{
	/* The table's name has this number in messages about whatever is in it. */
	const struct nlattr *attrs[NFTA_TABLE_NAME + 1], *name;
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	static_assert((int)NFTA_CHAIN_TABLE == (int)NFTA_TABLE_NAME, "one look for all");
	static_assert((int)NFTA_RULE_TABLE == (int)NFTA_TABLE_NAME, "one look for all");
	static_assert((int)NFTA_SET_TABLE == (int)NFTA_TABLE_NAME, "one look for all");
	static_assert((int)NFTA_SET_ELEM_LIST_TABLE == (int)NFTA_TABLE_NAME, "one look for all");
	if (nl_attrs(nlh, sizeof(*nfg), attrs, ARRAY_SIZE(attrs)) < 0 ||
	    (nfg->nfgen_family != NFPROTO_INET && nfg->nfgen_family != NFPROTO_ARP))
		return false;
	name = attrs[NFTA_TABLE_NAME];
	return name && mnl_attr_validate(name, MNL_TYPE_NUL_STRING) == 0 &&
	       strcmp(mnl_attr_get_str(name), GATE_TABLE) == 0;
}

static void take_process(const struct nlmsghdr *nlh, struct monitor_process *ret)
{
	const struct nlattr *attrs[NFTA_GEN_PROC_NAME + 1], *pid, *name;

	if (nl_attrs(nlh, sizeof(struct nfgenmsg), attrs, ARRAY_SIZE(attrs)) < 0)
		return;
	pid = attrs[NFTA_GEN_PROC_PID];
	name = attrs[NFTA_GEN_PROC_NAME];
	if (pid && mnl_attr_validate(pid, MNL_TYPE_U32) == 0)
		ret->pid = ntohl(mnl_attr_get_u32(pid));
	if (name && mnl_attr_validate(name, MNL_TYPE_NUL_STRING) == 0)
		(void)snprintf(ret->name, sizeof(ret->name), "%s",
			       mnl_attr_get_str(name)); /* cut */
}

/* A transaction ends with the number of its generation, and with whose it was. */
static bool parse_nft(struct monitor *m, const struct nlmsghdr *nlh, struct monitor_event *ret)
{
	if (nlh->nlmsg_type != NFT_NEWGEN) {
		m->touched |= concerns_gate(nlh);
		return false;
	}
	if (!m->touched)
		return false;
	m->touched = false;
	ret->kind = MONITOR_GATE_CHANGED;
	take_process(nlh, &ret->process);
	return true;
}

static int attach(int fd, struct sock_filter *code, unsigned short len)
{
	const struct sock_fprog program = { .len = len, .filter = code };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -errno;
	return 0;
}

/*
 * What a socket of ours has changed is dropped, and the end of a transaction is
 * let through. All messages of a datagram have the same sender, and the end is
 * in one of its own.
 */
static void put_head(struct sock_filter *f, uint32_t ignored)
{
	const struct sock_filter head[FILTER_HEAD_LEN] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(ignored), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(NFT_NEWGEN), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_LDX | BPF_IMM, 0),
	};

	memcpy(f, head, sizeof(head));
}

/*
 * One step of the filter: X is the offset of a message. The datagram is let
 * through if that is about a table whose name begins as ours, else X moves on
 * to the next message; reading beyond the end drops the datagram. Classic BPF
 * reads big endian while netlink has the host's order, so the length is put
 * together from its two low bytes: a datagram is shorter than 64 KiB.
 */
static void put_step(struct sock_filter *f)
{
	const bool little = htons(1) != 1;
	const struct sock_filter step[FILTER_STEP_LEN] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, FILTER_NAME),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x74616b65 /* "take" */, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, FILTER_NAME + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x6f766572 /* "over" */, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, little ? 1 : 2),
		BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 8),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		BPF_STMT(BPF_ST, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, little ? 0 : 3),
		BPF_STMT(BPF_LDX | BPF_MEM, 0),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, NLMSG_ALIGNTO - 1),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~(NLMSG_ALIGNTO - 1)),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
	};

	memcpy(f, step, sizeof(step));
}

/*
 * Lets only what concerns the gate into the queue, and the ends of
 * transactions: whoever loads a blocklist sends every element to this socket.
 * The kernel filters datagrams, not messages, so the whole of it is looked at.
 */
static int attach_nft_filter(int fd, uint32_t ignored)
{
	struct sock_filter code[FILTER_LEN];

	put_head(code, ignored);
	for (size_t i = 0; i < FILTER_STEPS; i++)
		put_step(&code[FILTER_HEAD_LEN + i * FILTER_STEP_LEN]);
	code[FILTER_LEN - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	return attach(fd, code, FILTER_LEN);
}

/*
 * Drops the news that an address with our tag is there: lengthening the lifetimes of thousands
 * would wake us for each of them, and so does the claim, which reads back what it has done. That
 * one of them has gone is let through. Each message has a datagram of its own.
 */
static int attach_rtnl_filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWADDR), 0, 7),
		BPF_STMT(BPF_LDX | BPF_IMM, IFA_PROTO),
		BPF_STMT(BPF_LD | BPF_IMM, NLMSG_HDRLEN + sizeof(struct ifaddrmsg)),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_NLATTR)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0), /* there is no such attribute */
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, NLA_HDRLEN),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ADDR_TAG, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return attach(fd, code, ARRAY_SIZE(code));
}

static int monitor_open(int bus, uint32_t groups, struct monitor **ret)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;

	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->fd = nl_socket(bus, groups);
	if (m->fd < 0)
		return m->fd;
	*ret = TAKE(m);
	return 0;
}

/**
 * monitor_open_rtnl() - Hear of links and addresses of both families.
 * @ret: the monitor; the caller's, for monitor_close()
 *
 * It tells what changes from now on: open it before reading how things are. Of
 * addresses with our tag it tells only when they go.
 *
 * Return: 0; -ENOMEM; what nl_socket() returns or attaching the socket filter
 * fails with.
 */
int monitor_open_rtnl(struct monitor **ret)
{
	const uint32_t groups = 1U << (RTNLGRP_LINK - 1) | 1U << (RTNLGRP_IPV4_IFADDR - 1) |
				1U << (RTNLGRP_IPV6_IFADDR - 1);
	_cleanup_(monitor_closep) struct monitor *m = NULL;
	int r;

	r = monitor_open(NETLINK_ROUTE, groups, &m);
	if (r < 0)
		return r;
	r = attach_rtnl_filter(m->fd);
	if (r < 0)
		return r;
	m->parse = parse_rtnl;
	*ret = TAKE(m);
	return 0;
}

/**
 * monitor_open_nft() - Hear of whatever is changed in the gate's tables.
 * @ignored: number of a socket, from nl_portid(), whose own changes are not told; 0: none
 * @ret: the monitor; the caller's, for monitor_close()
 *
 * What the packet path does, and an element that runs out, is told by nobody.
 *
 * Return: 0; -ENOMEM; -EPERM without CAP_NET_ADMIN; what nl_socket() returns or
 * attaching the socket filter fails with.
 */
int monitor_open_nft(uint32_t ignored, struct monitor **ret)
{
	_cleanup_(monitor_closep) struct monitor *m = NULL;
	int r;

	r = monitor_open(NETLINK_NETFILTER, 1U << (NFNLGRP_NFTABLES - 1), &m);
	if (r < 0)
		return r;
	r = attach_nft_filter(m->fd, ignored);
	if (r < 0)
		return r;
	m->parse = parse_nft;
	*ret = TAKE(m);
	return 0;
}

/**
 * monitor_close() - Close a monitor.
 * @m: the monitor, or NULL; taken
 *
 * Return: NULL.
 */
struct monitor *monitor_close(struct monitor *m)
{
	if (!m)
		return NULL;
	close_fdp(&m->fd);
	free(m);
	return NULL;
}

/**
 * monitor_fd() - The descriptor to poll for input.
 * @m: the monitor
 *
 * Return: the descriptor, still the monitor's.
 */
int monitor_fd(const struct monitor *m)
{
	return m->fd;
}

/* Reads the next datagram, of which there is nothing left on failure. */
static int fetch(struct monitor *m)
{
	size_t len = 0;
	int r;

	r = nl_receive(m->fd, m->buf, sizeof(m->buf), &len);
	m->next = (const void *)m->buf;
	m->left = (int)len;
	return r;
}

/*
 * Messages were lost, and they were younger than those still queued. Whoever
 * reads everything again now must not be told afterwards how things had been,
 * so the queue is emptied first.
 */
static int overrun(struct monitor *m, struct monitor_event *ret)
{
	int r;

	do {
		r = fetch(m);
	} while (r == 0 || r == -ENOBUFS || r == -EMSGSIZE);
	m->left = 0;
	m->touched = false;
	if (r != -EAGAIN)
		return r;
	ret->kind = MONITOR_OVERRUN;
	return 0;
}

/**
 * monitor_next() - Take the next piece of news; never blocks.
 * @m: the monitor
 * @ret: what happened: MONITOR_NOTHING when there is no more for now. A refresh
 *	of an address's lifetime is a MONITOR_ADDR too, but for those with our tag.
 *
 * Messages that are not from the kernel, or malformed, are passed over.
 *
 * Return: 0; what recvmsg() fails with.
 */
int monitor_next(struct monitor *m, struct monitor_event *ret)
{
	for (;;) {
		struct monitor_event event = { 0 };
		int r;

		while (nl_ok(m->next, m->left)) {
			const struct nlmsghdr *nlh = m->next;

			m->next = mnl_nlmsg_next(nlh, &m->left);
			if (m->parse(m, nlh, &event)) {
				event.port = nlh->nlmsg_pid;
				*ret = event;
				return 0;
			}
		}
		r = fetch(m);
		if (r == -EAGAIN) {
			*ret = (struct monitor_event){ .kind = MONITOR_NOTHING };
			return 0;
		}
		if (r == -ENOBUFS || r == -EMSGSIZE)
			return overrun(m, ret);
		if (r < 0)
			return r;
	}
}
