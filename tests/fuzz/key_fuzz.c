/* SPDX-License-Identifier: MIT */

/* Key files. Law: an accepted key is what its text says, and is not all zeros. */

#include <errno.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "agent/cleanup.h"
#include "agent/conf/conf.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_SIZE = sodium_base64_ENCODED_LEN(CONF_KEY_SIZE, sodium_base64_VARIANT_ORIGINAL) };

static void check_key(const uint8_t key[static CONF_KEY_SIZE], const uint8_t *data, size_t size)
{
	char text[TEXT_SIZE];

	assert(!sodium_is_zero(key, CONF_KEY_SIZE));
	(void)sodium_bin2base64(text, sizeof(text), key, CONF_KEY_SIZE,
				sodium_base64_VARIANT_ORIGINAL);
	text[TEXT_SIZE - 1] = '\n'; /* in place of the terminator */
	assert(size == TEXT_SIZE || size == TEXT_SIZE - 1);
	assert(memcmp(text, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(close_fdp) int fd = memfd_create("key", MFD_CLOEXEC);
	struct conf_problems problems = { 0 };
	uint8_t key[CONF_KEY_SIZE] = { 77 };
	char path[64];
	struct conf conf = { .key_file = path };
	int r;

	assert(fd >= 0 && fchmod(fd, 0600) == 0);
	assert(write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = conf_read_key(&conf, key, &problems);
	assert(r == (problems.n ? -EINVAL : 0) && problems.n <= 1);
	if (r == 0)
		check_key(key, data, size);
	else
		assert(key[0] == 77 && sodium_is_zero(key + 1, CONF_KEY_SIZE - 1));
	conf_problems_done(&problems);
	return 0;
}
