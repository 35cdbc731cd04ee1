/* SPDX-License-Identifier: MIT */
#include "agent/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "agent/cleanup.h"

enum {
	TEXT_LEN = sodium_base64_ENCODED_LEN(CONF_KEY_SIZE, sodium_base64_VARIANT_ORIGINAL) - 1,
	TEXT_SIZE = TEXT_LEN + 8, /* room to see that there is more than a line */
};

static const char how[] = "make one with: (umask 077; wg genkey > FILE), or "
			  "(umask 077; head -c 32 /dev/urandom | base64 > FILE)";

/* -EINVAL after a complaint about the file as such; else an open descriptor. */
static int open_key(const struct conf_problem *where, struct conf_problems *problems)
{
	_cleanup_(close_fdp) int fd = -1;
	struct stat st;
	int r;

	fd = open(where->file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		r = conf_problems_add(problems, where, "The key cannot be opened: %s; %s.",
				      strerror(errno), how);
	else if (!S_ISREG(st.st_mode))
		r = conf_problems_add(problems, where, "The key is not a regular file.");
	else if (st.st_mode & 0077)
		r = conf_problems_add(problems, where,
				      "The key can be read by others (mode %04o); say: chmod 0600.",
				      st.st_mode & 07777);
	else
		return TAKE_FD(fd);
	return r < 0 ? r : -EINVAL;
}

/**
 * conf_read_key() - Read the shared key: 32 bytes in base64 on one line, as wg genkey prints.
 * @conf: configuration, for KeyFile=
 * @ret_key: the key
 * @problems: gets one sentence if the key is refused
 *
 * Return: 0; -EINVAL after a complaint: the file is missing, readable by others, or does not
 * hold exactly one key; -ENOMEM.
 */
int conf_read_key(const struct conf *conf, uint8_t ret_key[static CONF_KEY_SIZE],
		  struct conf_problems *problems)
{
	const struct conf_problem where = { .file = conf->key_file };
	_cleanup_(close_fdp) int fd = -1;
	uint8_t key[CONF_KEY_SIZE];
	char text[TEXT_SIZE];
	size_t key_len = 0;
	ssize_t len;
	int r;

	fd = open_key(&where, problems);
	if (fd < 0)
		return fd;
	len = read(fd, text, sizeof(text));
	if (len == TEXT_LEN + 1 && text[TEXT_LEN] == '\n')
		len--;
	r = len == TEXT_LEN ? sodium_base642bin(key, sizeof(key), text, TEXT_LEN, NULL, &key_len,
						NULL, sodium_base64_VARIANT_ORIGINAL)
			    : -1;
	if (r == 0 && key_len == sizeof(key)) {
		memcpy(ret_key, key, sizeof(key));
		r = 0;
	} else {
		r = conf_problems_add(problems, &where,
				      "The key is not one line with 32 bytes in base64; %s.", how);
		r = r < 0 ? r : -EINVAL;
	}
	sodium_memzero(text, sizeof(text));
	sodium_memzero(key, sizeof(key));
	return r;
}
