/* SPDX-License-Identifier: MIT */

/*
 * Runs a fuzzer over every file of a corpus, without libFuzzer: what has been found
 * once is not to come back. The last file that is named is the one that broke it.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "agent/cleanup.h"
#include "tests/fuzz/fuzz.h"

static int is_sample(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The copy ends where the file ends: a sanitizer sees who reads on. */
static int run(const char *path)
{
	_cleanup_(close_fdp) int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(freep) uint8_t *data = NULL;
	struct stat st;

	fprintf(stderr, "%s\n", path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	data = malloc((size_t)st.st_size);
	if (!data && st.st_size > 0)
		return -ENOMEM;
	if (read(fd, data, (size_t)st.st_size) != st.st_size)
		return -EIO;
	(void)LLVMFuzzerTestOneInput(data, (size_t)st.st_size); /* always 0 */
	return 0;
}

static int run_all(const char *directory, int *ret_n)
{
	_cleanup_(freep) struct dirent **entries = NULL;
	int n = scandir(directory, &entries, is_sample, alphasort), r = n < 0 ? -errno : 0;

	for (int i = 0; i < n; i++) {
		_cleanup_(freep) struct dirent *entry = entries[i];
		char path[4096];

		(void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (r == 0)
			r = run(path);
	}
	*ret_n = n;
	return r;
}

int main(int argc, char **argv)
{
	int n = 0, r;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	r = run_all(argv[1], &n);
	if (r < 0 || n == 0) {
		fprintf(stderr, "%s: %s\n", argv[1], r < 0 ? strerror(-r) : "there is no file");
		return EXIT_FAILURE;
	}
	printf("%d files\n", n);
	return EXIT_SUCCESS;
}
