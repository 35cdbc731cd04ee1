/* SPDX-License-Identifier: MIT */
#include "netlink/gate_batch.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>

#include "netlink/gate.h"

enum {
	MESSAGE_MAX = 32768, /* room for one message: GATE_BATCH_ELEMENTS, with air */
	ELEMENT_MAX = 512,   /* the same with one element: three names and two numbers */
	FIRST_SIZE = 2048,   /* enough for the most frequent one by far: to refresh the lease */
};

/* NFTNL_UDATA_SET_KEYBYTEORDER of `nft`. */
enum {
	NFT_ORDER_HOST = 1,
	NFT_ORDER_BIG = 2,
};

DEFINE_CLEANUP(struct nftnl_table *, nftnl_table_free)
DEFINE_CLEANUP(struct nftnl_set *, nftnl_set_free)
DEFINE_CLEANUP(struct nftnl_chain *, nftnl_chain_free)
DEFINE_CLEANUP(struct nftnl_udata_buf *, nftnl_udata_buf_free)

/* Setters of libnftnl need no check: see gate_rule.c. */

/**
 * gate_batch_fail() - Note an error that gate_batch_send() will return.
 * @b: the batch
 * @error: negative errno; only the first one is kept
 */
void gate_batch_fail(struct gate_batch *b, int error)
{
	if (b->error == 0)
		b->error = error;
}

/* Makes room for one more message of at most that many bytes. */
static int reserve(struct gate_batch *b, size_t room)
{
	size_t size = b->size ? b->size : FIRST_SIZE;
	char *buf;

	if (b->error < 0)
		return b->error;
	while (size - b->len < room)
		size *= 2; /* 8,192 addresses come to 1.5 MB */
	if (size == b->size)
		return 0;
	buf = realloc(b->buf, size);
	if (!buf) {
		gate_batch_fail(b, -ENOMEM);
		return -ENOMEM;
	}
	/* The padding behind a string goes to the kernel as well. */
	memset(buf + b->size, 0, size - b->size);
	b->buf = buf;
	b->size = size;
	return 0;
}

/*
 * Only the first message asks for an acknowledgement, which comes after the commit: what has
 * failed is told of each in any case, and one answer is cheaper than twenty.
 */
static struct nlmsghdr *begin(struct gate_batch *b, uint16_t type, uint16_t family, uint16_t flags,
			      size_t room)
{
	if (reserve(b, room) < 0)
		return NULL;
	if (b->len == 0) {
		gate_batch_end(b, nftnl_batch_begin(b->buf, 0));
		flags |= NLM_F_ACK;
	}
	return nftnl_nlmsg_build_hdr(b->buf + b->len, type, family, flags, 0);
}

/**
 * gate_batch_begin() - Start a message; the first call starts the transaction.
 * @b: the batch, at first all zero but for the name of a table
 * @type: NFT_MSG_*
 * @family: NFPROTO_INET or NFPROTO_ARP
 * @flags: NLM_F_* beside NLM_F_REQUEST and, where it is due, NLM_F_ACK
 *
 * Return: the message, to be filled with at most 32 KiB, valid until
 * gate_batch_end(); NULL if the batch has an error.
 */
struct nlmsghdr *gate_batch_begin(struct gate_batch *b, uint16_t type, uint16_t family,
				  uint16_t flags)
{
	return begin(b, type, family, flags, MESSAGE_MAX);
}

/**
 * gate_batch_end() - Take the message that gate_batch_begin() started.
 * @b: the batch
 * @nlh: what gate_batch_begin() returned
 */
void gate_batch_end(struct gate_batch *b, const struct nlmsghdr *nlh)
{
	b->len += NLMSG_ALIGN(nlh->nlmsg_len);
	assert(b->len <= b->size);
}

static void put_table(struct gate_batch *b, uint16_t type, uint16_t family, uint32_t flags,
		      const struct nftnl_udata_buf *label)
{
	_cleanup_(nftnl_table_freep) struct nftnl_table *table = nftnl_table_alloc();
	uint16_t create = type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0;
	struct nlmsghdr *nlh = gate_batch_begin(b, type, family, create);

	if (!nlh)
		return;
	if (!table) {
		gate_batch_fail(b, -ENOMEM);
		return;
	}
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, b->table);
	if (flags)
		nftnl_table_set_u32(table, NFTNL_TABLE_FLAGS, flags);
	if (label)
		nftnl_table_set_data(table, NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(label),
				     nftnl_udata_buf_len(label));
	nftnl_table_nlmsg_build_payload(nlh, table);
	gate_batch_end(b, nlh);
}

/**
 * gate_batch_table() - Add the batch's table.
 * @b: the batch
 * @family: NFPROTO_INET or NFPROTO_ARP
 * @flags: NFT_TABLE_F_*
 * @label: its user data; borrowed
 */
void gate_batch_table(struct gate_batch *b, uint16_t family, uint32_t flags,
		      const struct nftnl_udata_buf *label)
{
	put_table(b, NFT_MSG_NEWTABLE, family, flags, label);
}

/**
 * gate_batch_remove() - Delete the batch's table, there or not, with all that is in it.
 * @b: the batch
 * @family: NFPROTO_INET or NFPROTO_ARP
 */
void gate_batch_remove(struct gate_batch *b, uint16_t family)
{
	/* Deleting what is not there is an error, and NFT_MSG_DESTROYTABLE needs 6.3. */
	put_table(b, NFT_MSG_NEWTABLE, family, 0, NULL);
	put_table(b, NFT_MSG_DELTABLE, family, 0, NULL);
}

/**
 * gate_batch_set() - Add a set or a map to the batch's table.
 * @b: the batch
 * @plan: what it is like; borrowed
 */
void gate_batch_set(struct gate_batch *b, const struct gate_set_plan *plan)
{
	_cleanup_(nftnl_set_freep) struct nftnl_set *set = nftnl_set_alloc();
	_cleanup_(nftnl_udata_buf_freep) struct nftnl_udata_buf *udata =
		nftnl_udata_buf_alloc(NFTNL_UDATA_COMMENT_MAXLEN);
	struct nlmsghdr *nlh = gate_batch_begin(b, NFT_MSG_NEWSET, plan->family, NLM_F_CREATE);

	if (!nlh)
		return;
	if (!set || !udata) {
		gate_batch_fail(b, -ENOMEM);
		return;
	}
	nftnl_set_set_str(set, NFTNL_SET_TABLE, b->table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, plan->name);
	nftnl_set_set_u32(set, NFTNL_SET_ID, ++b->n_sets);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, plan->flags);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, plan->key_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, plan->key_len);
	if (plan->flags & NFT_SET_MAP)
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
	if (plan->size > 0)
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, plan->size);
	nftnl_udata_put_u32(udata, NFTNL_UDATA_SET_KEYBYTEORDER,
			    plan->key_type == GATE_KEY_MARK || plan->key_type == GATE_KEY_IFNAME
				    ? NFT_ORDER_HOST
				    : NFT_ORDER_BIG);
	nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(udata),
			   nftnl_udata_buf_len(udata));
	nftnl_set_nlmsg_build_payload(nlh, set);
	gate_batch_end(b, nlh);
}

/**
 * gate_batch_chain() - Add a chain.
 * @b: the batch
 * @family: NFPROTO_INET or NFPROTO_ARP
 * @name: its name
 * @hook: NF_*; negative: it is to be jumped to
 * @priority: at the hook
 */
void gate_batch_chain(struct gate_batch *b, uint16_t family, const char *name, int hook,
		      int priority)
{
	_cleanup_(nftnl_chain_freep) struct nftnl_chain *chain = nftnl_chain_alloc();
	struct nlmsghdr *nlh = gate_batch_begin(b, NFT_MSG_NEWCHAIN, family, NLM_F_CREATE);

	if (!nlh)
		return;
	if (!chain) {
		gate_batch_fail(b, -ENOMEM);
		return;
	}
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, b->table);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
	if (hook >= 0) {
		nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, (uint32_t)hook);
		nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, priority);
	}
	nftnl_chain_nlmsg_build_payload(nlh, chain);
	gate_batch_end(b, nlh);
}

static void put_elements(struct gate_batch *b, uint16_t type, uint16_t family,
			 struct nftnl_set *set, size_t room)
{
	uint16_t flags = type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0;
	struct nlmsghdr *nlh = begin(b, type, family, flags, room);

	if (!nlh)
		return;
	nftnl_set_elems_nlmsg_build_payload(nlh, set);
	gate_batch_end(b, nlh);
}

/**
 * gate_batch_elements() - Add a message about elements of a set.
 * @b: the batch
 * @type: NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM
 * @family: NFPROTO_INET or NFPROTO_ARP
 * @set: names table, set and elements, GATE_BATCH_ELEMENTS at most; none
 *	means all of them, to DELSETELEM
 */
void gate_batch_elements(struct gate_batch *b, uint16_t type, uint16_t family,
			 struct nftnl_set *set)
{
	put_elements(b, type, family, set, MESSAGE_MAX);
}

/* One element. */
struct element {
	uint32_t key;
	uint32_t timeout_ms; /* 0: none */
	const char *comment; /* NULL: none */
};

static int add_comment(struct nftnl_set_elem *elem, const char *comment)
{
	struct nftnl_udata_buf *buf = nftnl_udata_buf_alloc(NFTNL_UDATA_COMMENT_MAXLEN);

	if (!buf)
		return -ENOMEM;
	if (nftnl_udata_put_strz(buf, NFTNL_UDATA_SET_ELEM_COMMENT, comment))
		nftnl_set_elem_set(elem, NFTNL_SET_ELEM_USERDATA, nftnl_udata_buf_data(buf),
				   nftnl_udata_buf_len(buf));
	nftnl_udata_buf_free(buf);
	return 0;
}

static int add_element(struct nftnl_set *set, const struct element *element)
{
	struct nftnl_set_elem *elem = nftnl_set_elem_alloc();

	if (!elem)
		return -ENOMEM;
	nftnl_set_elem_add(set, elem); /* takes it */
	nftnl_set_elem_set_u32(elem, NFTNL_SET_ELEM_KEY, element->key);
	if (element->timeout_ms > 0)
		nftnl_set_elem_set_u64(elem, NFTNL_SET_ELEM_TIMEOUT, element->timeout_ms);
	return element->comment ? add_comment(elem, element->comment) : 0;
}

/* A message about one element; NULL: about all of them. */
static void put_element(struct gate_batch *b, uint16_t type, uint16_t family, const char *name,
			const struct element *element)
{
	_cleanup_(nftnl_set_freep) struct nftnl_set *set = nftnl_set_alloc();
	int r = 0;

	if (!set) {
		gate_batch_fail(b, -ENOMEM);
		return;
	}
	nftnl_set_set_str(set, NFTNL_SET_TABLE, b->table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	if (element)
		r = add_element(set, element);
	if (r < 0)
		gate_batch_fail(b, r);
	put_elements(b, type, family, set, ELEMENT_MAX);
}

/**
 * gate_batch_add() - Put an element without an end into a set; fine if it is there.
 * @b: the batch
 * @family: NFPROTO_INET or NFPROTO_ARP
 * @set: name of the set
 * @key: the element
 */
void gate_batch_add(struct gate_batch *b, uint16_t family, const char *set, uint32_t key)
{
	put_element(b, NFT_MSG_NEWSETELEM, family, set, &(struct element){ .key = key });
}

/**
 * gate_batch_add_named() - The same, with a name that `nft` lists as comment, and gate_read()
 * finds.
 * @name: up to 127 bytes
 */
void gate_batch_add_named(struct gate_batch *b, uint16_t family, const char *set, uint32_t key,
			  const char *name)
{
	put_element(b, NFT_MSG_NEWSETELEM, family, set,
		    &(struct element){ .key = key, .comment = name });
}

/**
 * gate_batch_grant() - Put an element into a set for some time.
 * @b: the batch
 * @family: NFPROTO_INET or NFPROTO_ARP
 * @set: name of the set; an element that is in it already keeps the time that it
 *	has: delete it first
 * @key: the element
 * @timeout_ms: from the commit on, from GATE_TIMEOUT_MIN_MS; less is -ERANGE
 */
void gate_batch_grant(struct gate_batch *b, uint16_t family, const char *set, uint32_t key,
		      uint32_t timeout_ms)
{
	if (timeout_ms < GATE_TIMEOUT_MIN_MS)
		gate_batch_fail(b, -ERANGE);
	put_element(b, NFT_MSG_NEWSETELEM, family, set,
		    &(struct element){ .key = key, .timeout_ms = timeout_ms });
}

/**
 * gate_batch_delete() - Take an element out of a set.
 * @b: the batch
 * @family: NFPROTO_INET or NFPROTO_ARP
 * @set: name of the set
 * @key: the element; if it is not there or has run out, the whole transaction
 *	fails with -ENOENT
 */
void gate_batch_delete(struct gate_batch *b, uint16_t family, const char *set, uint32_t key)
{
	put_element(b, NFT_MSG_DELSETELEM, family, set, &(struct element){ .key = key });
}

/**
 * gate_batch_flush() - Take all elements out of a set; fine if there are none.
 * @b: the batch
 * @family: NFPROTO_INET or NFPROTO_ARP
 * @set: name of the set
 */
void gate_batch_flush(struct gate_batch *b, uint16_t family, const char *set)
{
	put_element(b, NFT_MSG_DELSETELEM, family, set, NULL);
}

/**
 * gate_batch_send() - Have the kernel do all of it or nothing.
 * @b: the batch; not to be used again
 * @nf: socket of NETLINK_NETFILTER; borrowed
 *
 * Blocks while another transaction of this network namespace is worked off.
 *
 * Return: 0; the first error noted while building (-ENOMEM, -ERANGE); else the
 * first one of the kernel: -ENOENT for an element, set or table that is not there,
 * -EPERM without CAP_NET_ADMIN.
 */
int gate_batch_send(struct gate_batch *b, struct nl *nf)
{
	if (reserve(b, ELEMENT_MAX) < 0)
		return b->error;
	gate_batch_end(b, nftnl_batch_end(b->buf + b->len, 0));
	return nl_transact(nf, b->buf, b->len);
}

/**
 * gate_batch_done() - Free what the batch owns.
 * @b: the batch
 */
void gate_batch_done(struct gate_batch *b)
{
	free(b->buf);
}
