/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/cleanup.h"

enum {
	TEXT_LEN = sodium_base64_ENCODED_LEN(CONF_KEY_SIZE, sodium_base64_VARIANT_ORIGINAL) - 1,
	TEXT_SIZE = TEXT_LEN + 8, /* room to see that there is more than a line */
};

static const char how[] = "make one with: takeoverctl genkey FILE, or "
			  "(umask 077; head -c 32 /dev/urandom | base64 > FILE)";

/* What to do about a file that cannot be opened. */
static int complain_unopened(const struct conf_problem *where, int err,
			     struct conf_problems *problems)
{
	switch (err) {
	case ENOENT:
		return conf_problems_add(problems, where, "There is no key: %s.", how);
	case EACCES:
		return conf_problems_add(problems, where,
					 "The key cannot be opened: %s; the user that takeoverd "
					 "runs as (uid %u) has to own it.",
					 strerror(err), geteuid());
	}
	return conf_problems_add(problems, where, "The key cannot be opened: %s.", strerror(err));
}

/* 1 after a complaint about the file as such. Whoever owns it may change and read it. */
static int complain_unsafe(const struct conf_problem *where, const struct stat *st,
			   struct conf_problems *problems)
{
	int r;

	if (!S_ISREG(st->st_mode))
		r = conf_problems_add(problems, where, "The key is not a regular file.");
	else if (st->st_uid != 0 && st->st_uid != geteuid())
		r = conf_problems_add(problems, where,
				      "The key belongs to uid %u, not to root nor to the user that "
				      "takeoverd runs as (uid %u).",
				      st->st_uid, geteuid());
	else if (st->st_mode & 0077)
		r = conf_problems_add(problems, where,
				      "The key can be read by others (mode %04o); say: chmod 0600.",
				      st->st_mode & 07777);
	else
		return 0;
	return r < 0 ? r : 1;
}

/*
 * The key as systemd hands it to a service that may not read the file itself:
 * made by systemd for this process, so its owner and mode tell nothing. An
 * empty line stands for a file that is not there.
 */
static int open_credential(int *ret_fd)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	_cleanup_(freep) char *path = NULL;
	_cleanup_(close_fdp) int fd = -1;
	struct stat st;

	if (!directory)
		return -ENOENT;
	if (asprintf(&path, "%s/key", directory) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 1)
		return -ENOENT;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* -EINVAL after a complaint; else an open descriptor. */
static int open_key(const struct conf_problem *where, struct conf_problems *problems)
{
	_cleanup_(close_fdp) int fd = -1;
	struct stat st;
	int r;

	/* systemd reads as root what it hands on, whoever else may read it. */
	if (strcmp(where->file, CONF_KEY_FILE) == 0 && open_credential(&fd) == 0) {
		r = stat(where->file, &st) == 0 ? complain_unsafe(where, &st, problems) : 0;
		if (r == 0)
			return TAKE_FD(fd);
		return r < 0 ? r : -EINVAL;
	}
	fd = open(where->file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		r = complain_unopened(where, errno, problems);
		return r < 0 ? r : -EINVAL;
	}
	r = complain_unsafe(where, &st, problems);
	if (r == 0)
		return TAKE_FD(fd);
	return r < 0 ? r : -EINVAL;
}

/* Is this how @key is written? libsodium 1.0.18 takes bytes above 127 for digits. */
static bool says(const char *text, const uint8_t key[static CONF_KEY_SIZE])
{
	char as_written[TEXT_LEN + 1];
	bool same;

	(void)sodium_bin2base64(as_written, sizeof(as_written), key, CONF_KEY_SIZE,
				sodium_base64_VARIANT_ORIGINAL); /* returns its argument */
	same = memcmp(text, as_written, TEXT_LEN) == 0;
	sodium_memzero(as_written, sizeof(as_written));
	return same;
}

/* The key out of the file's text; NULL or the complaint. */
static const char *decode(const char *text, ssize_t len, uint8_t key[static CONF_KEY_SIZE])
{
	size_t key_len = 0;

	if (len == TEXT_LEN + 1 && text[TEXT_LEN] == '\n')
		len--;
	if (len != TEXT_LEN ||
	    sodium_base642bin(key, CONF_KEY_SIZE, text, TEXT_LEN, NULL, &key_len, NULL,
			      sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    key_len != CONF_KEY_SIZE || !says(text, key))
		return "is not one line with 32 bytes in base64";
	/* no generator makes this one; an empty device or a forgotten placeholder does */
	return sodium_is_zero(key, CONF_KEY_SIZE) ? "consists of nothing but zeros" : NULL;
}

/**
 * conf_read_key() - Read the shared key: 32 bytes in base64 on one line.
 * @conf: configuration, for KeyFile=; where that is the default, the credential "key" goes first
 * @ret_key: the key
 * @problems: gets one sentence if the key is refused
 *
 * Return: 0; -EINVAL after a complaint: the file is missing, somebody else's, readable by others,
 * or does not hold exactly one key other than zeros; -ENOMEM.
 */
int conf_read_key(const struct conf *conf, uint8_t ret_key[static CONF_KEY_SIZE],
		  struct conf_problems *problems)
{
	const struct conf_problem where = { .file = conf->key_file };
	_cleanup_(close_fdp) int fd = -1;
	uint8_t key[CONF_KEY_SIZE];
	char text[TEXT_SIZE];
	const char *complaint;
	int r = 0;

	fd = open_key(&where, problems);
	if (fd < 0)
		return fd;
	complaint = decode(text, read(fd, text, sizeof(text)), key);
	if (complaint) {
		r = conf_problems_add(problems, &where, "The key %s; %s.", complaint, how);
		r = r < 0 ? r : -EINVAL;
	} else {
		memcpy(ret_key, key, sizeof(key));
	}
	sodium_memzero(text, sizeof(text));
	sodium_memzero(key, sizeof(key));
	return r;
}
