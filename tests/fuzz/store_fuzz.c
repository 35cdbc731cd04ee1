/* SPDX-License-Identifier: MIT */

/* Stored terms. Law: what is read is what a writer of it would write. */

#include <errno.h>
#include <inttypes.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "agent/cleanup.h"
#include "agent/store/store.h"
#include "tests/fuzz/fuzz.h"
#include "tests/temp.h"

static char directory[TEMP_MAX], file[TEMP_MAX + 16];

static void remove_directory(void)
{
	(void)unlink(file); /* it is there, or the directory will not go either */
	(void)rmdir(directory);
}

static void make_directory(void)
{
	if (*directory)
		return;
	assert(mkdtemp(temp_template(directory, "store-fuzz")));
	(void)snprintf(file, sizeof(file), "%s/g.group", directory);
	(void)atexit(remove_directory); /* if it cannot be, $TMPDIR goes anyway */
}

static void write_file(const uint8_t *data, size_t size)
{
	_cleanup_(close_fdp) int fd = -1;

	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_entry entry = { .term = 77, .maintenance = true };
	char text[64];
	int len, r;

	make_directory();
	write_file(data, size);
	r = store_read(directory, "g", &entry);
	if (r < 0) {
		assert(r == -EBADMSG && entry.term == 77 && entry.maintenance);
		return 0;
	}
	len = snprintf(text, sizeof(text), "term=%" PRIu64 "\nmaintenance=%d\n", entry.term,
		       entry.maintenance);
	assert((size_t)len == size && memcmp(text, data, size) == 0);
	return 0;
}
