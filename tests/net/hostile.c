/* SPDX-License-Identifier: MIT */
/* Hostile packets: heartbeats recorded, and sent again in every wrong way. */
#include "tests/net/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/socket.h>
#include <time.h>

enum {
	RECORDS_MAX = 256,
	BURST = 64,
	DATAGRAM_MAX = 65507, /* what fits into IPv4; in 45 fragments */
	REPLY_AT = 7,	      /* the byte that says "echo" */
	SESSION_AT = 8,
	NAME_AT = 53, /* behind numbers, and the length of the name */
	TAG_SIZE = 32,
	KEY_SIZE = 32,
	KEY_TEXT_SIZE = 64,
};

struct hostile {
	struct probe_record *records; /* owned */
	size_t n_records;
	uint8_t key[KEY_SIZE];
	uint8_t *buf; /* owned; BURST datagrams of up to DATAGRAM_MAX bytes */
	struct mmsghdr messages[BURST];
	struct iovec iov[BURST];
};

/* Makes packet number @i out of what was recorded. Return: its length. */
typedef size_t (*hostile_make)(const struct hostile *h, uint64_t i, uint8_t *ret);

static void hostile_done(struct hostile *h)
{
	free(h->records);
	free(h->buf);
}

static size_t replay(const struct hostile *h, uint64_t i, uint8_t *ret)
{
	const struct probe_record *record = &h->records[i % h->n_records];

	memcpy(ret, record->bytes, record->len);
	return record->len;
}

static size_t reorder(const struct hostile *h, uint64_t i, uint8_t *ret)
{
	return replay(h, h->n_records - 1 - i % h->n_records, ret);
}

/* At every length, 0 included. */
static size_t truncated(const struct hostile *h, uint64_t i, uint8_t *ret)
{
	return i % replay(h, 0, ret);
}

/* One bit of every byte, then the next one of every byte. */
static size_t flip(const struct hostile *h, uint64_t i, uint8_t *ret)
{
	size_t len = replay(h, 0, ret);

	ret[i % len] ^= (uint8_t)(1 << i / len % 8);
	return len;
}

/* "This is an echo", although it was none. */
static size_t echo(const struct hostile *h, uint64_t i, uint8_t *ret)
{
	size_t len = replay(h, i, ret);

	ret[REPLY_AT] ^= 1;
	return len;
}

/* Other versions, 1 being ours */
static size_t version(const struct hostile *h, uint64_t i, uint8_t *ret)
{
	size_t len = replay(h, i, ret);

	ret[4] = (uint8_t)(i % 255 + 2);
	return len;
}

static size_t seal(const uint8_t *key, size_t len, uint8_t *ret)
{
	(void)crypto_generichash(ret + len - TAG_SIZE, TAG_SIZE, ret, len - TAG_SIZE, key,
				 KEY_SIZE); /* cannot fail with these sizes */
	return len;
}

static size_t other_key(const struct hostile *h, uint64_t i, uint8_t *ret)
{
	uint8_t key[KEY_SIZE];

	memcpy(key, h->key, sizeof(key));
	key[i % KEY_SIZE] ^= (uint8_t)(i % 255 + 1);
	return seal(key, replay(h, i, ret), ret);
}

/* From a node that has the key, a session of its own and no place in the configuration. */
static size_t stranger(const struct hostile *h, uint64_t i, uint8_t *ret)
{
	size_t len = replay(h, i, ret);

	ret[NAME_AT] = 'x';
	ret[SESSION_AT] ^= 0x80;
	return seal(h->key, len, ret);
}

/* By one who has the key, with garbage where the records are. */
static size_t nonsense(const struct hostile *h, uint64_t i, uint8_t *ret)
{
	size_t len = replay(h, i, ret), at = NAME_AT + 48 + i % (len - NAME_AT - 48 - TAG_SIZE);

	ret[at] ^= (uint8_t)(i / 97 % 255 + 1);
	ret[SESSION_AT] ^= 0x80; /* of a session of its own: what is valid proves nothing */
	return seal(h->key, len, ret);
}

/* More than a buffer of the agent takes, and less than it takes. */
static size_t oversized(const struct hostile *h, uint64_t i, uint8_t *ret)
{
	size_t len = 1500 + i * 8191 % (DATAGRAM_MAX - 1500 + 1);

	(void)replay(h, i, ret);
	return len;
}

/* All but the oversized, of which few would fill the wire. */
static size_t mixed(const struct hostile *h, uint64_t i, uint8_t *ret)
{
	static const hostile_make all[] = { replay,  reorder,	truncated, flip,    echo,
					    version, other_key, stranger,  nonsense };

	return all[i % ARRAY_SIZE(all)](h, i / ARRAY_SIZE(all), ret);
}

static const struct {
	const char *name;
	hostile_make make;
} kinds[] = {
	{ "replay", replay },	    { "reorder", reorder },   { "truncated", truncated },
	{ "flip", flip },	    { "echo", echo },	      { "version", version },
	{ "other-key", other_key }, { "stranger", stranger }, { "nonsense", nonsense },
	{ "oversized", oversized }, { "mixed", mixed },
};

static hostile_make find_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].make;
	return NULL;
}

static int read_file(const char *name, void *buf, size_t size, size_t *ret_len)
{
	_cleanup_(close_fdp) int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size);

	if (n < 0)
		return -errno;
	*ret_len = (size_t)n;
	return 0;
}

static int load(struct hostile *h, const char *records, const char *key_file)
{
	char text[KEY_TEXT_SIZE];
	size_t len, key_len;
	int r;

	h->records = calloc(RECORDS_MAX, sizeof(*h->records));
	h->buf = calloc(BURST, DATAGRAM_MAX);
	if (!h->records || !h->buf)
		return -ENOMEM;
	r = read_file(records, h->records, RECORDS_MAX * sizeof(*h->records), &len);
	if (r < 0)
		return r;
	h->n_records = len / sizeof(*h->records);
	r = read_file(key_file, text, sizeof(text), &len);
	if (r < 0)
		return r;
	if (h->n_records == 0 || sodium_base642bin(h->key, KEY_SIZE, text, len, "\n", &key_len,
						   NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return -EBADMSG;
	return 0;
}

/* A socket that sends as @from, whoever has that address. */
static int forged_socket(const char *from, const char *to, const char *port, int *ret_fd)
{
	struct sockaddr_in local = { .sin_family = AF_INET }, remote = local;
	_cleanup_(close_fdp) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const int on = 1;
	uint64_t number;

	if (fd < 0)
		return -errno;
	if (probe_number(port, &number) < 0 || inet_pton(AF_INET, from, &local.sin_addr) != 1 ||
	    inet_pton(AF_INET, to, &remote.sin_addr) != 1)
		return -EINVAL;
	local.sin_port = remote.sin_port = htons((uint16_t)number);
	if (setsockopt(fd, SOL_IP, IP_TRANSPARENT, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&local, sizeof(local)) < 0 ||
	    connect(fd, (const struct sockaddr *)&remote, sizeof(remote)) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Wait until packet number @i is due. */
static void pace(uint64_t start_ns, uint64_t i, uint64_t per_second)
{
	uint64_t now_ns = probe_now_ns(), due_ns = start_ns + i * 1000000000 / per_second;
	struct timespec left = { 0 };

	if (due_ns <= now_ns)
		return;
	left.tv_sec = (time_t)((due_ns - now_ns) / 1000000000);
	left.tv_nsec = (long)((due_ns - now_ns) % 1000000000);
	(void)nanosleep(&left, NULL); /* a signal ends us */
}

/* As fast as it goes, or so many a second. Return: how many left. */
static uint64_t flood(struct hostile *h, int fd, hostile_make kind, uint64_t count,
		      uint64_t per_second)
{
	uint64_t sent = 0, start_ns = probe_now_ns();

	for (uint64_t i = 0; i < count;) {
		unsigned n = 0;
		int r;

		for (; n < BURST && i < count; n++, i++) {
			uint8_t *at = h->buf + (size_t)n * DATAGRAM_MAX;

			h->iov[n] = (struct iovec){ at, kind(h, i, at) };
			h->messages[n].msg_hdr.msg_iov = &h->iov[n];
			h->messages[n].msg_hdr.msg_iovlen = 1;
		}
		/* An ICMP error in return to an earlier one does not matter. */
		r = sendmmsg(fd, h->messages, n, 0);
		sent += r > 0 ? (uint64_t)r : 0;
		if (per_second)
			pace(start_ns, i, per_second);
	}
	return sent;
}

/* Send recorded heartbeats, in a wrong way, as if FROM did. */
int flood_verb(int argc, char **argv)
{
	_cleanup_(hostile_done) struct hostile h = { 0 };
	_cleanup_(close_fdp) int fd = -1;
	uint64_t count, per_second = 0, sent, start_ns;
	hostile_make kind = argc > 5 ? find_kind(argv[4]) : NULL;
	int r;

	if (argc < 8 || argc > 9 || !kind || probe_number(argv[5], &count) < 0 ||
	    (argc == 9 && probe_number(argv[8], &per_second) < 0))
		return probe_usage("flood FROM TO PORT KIND COUNT RECORDS KEYFILE [PER-SECOND]");
	r = load(&h, argv[6], argv[7]);
	if (r < 0)
		return probe_fail(argv[6], r);
	r = forged_socket(argv[1], argv[2], argv[3], &fd);
	if (r < 0)
		return probe_fail(argv[1], r);
	start_ns = probe_now_ns();
	sent = flood(&h, fd, kind, count, per_second);
	printf("sent=%ju us=%ju\n", (uintmax_t)sent,
	       (uintmax_t)((probe_now_ns() - start_ns) / 1000));
	return 0;
}
