/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "agent/cleanup.h"
#include "sdbus/ctl.h"

enum {
	KEY_SIZE = 32,
	LINE_SIZE = sodium_base64_ENCODED_LEN(KEY_SIZE, sodium_base64_VARIANT_ORIGINAL) + 1,
};

/* A new key and its end of line, as `wg genkey` writes it. */
static int make_line(char line[static LINE_SIZE])
{
	uint8_t key[KEY_SIZE];

	if (sodium_init() < 0)
		return -EIO;
	randombytes_buf(key, sizeof(key));
	(void)sodium_bin2base64(line, LINE_SIZE, key, sizeof(key), sodium_base64_VARIANT_ORIGINAL);
	sodium_memzero(key, sizeof(key));
	(void)strcat(line, "\n"); /* fits */
	return 0;
}

/* Unbuffered: no copy of the key stays behind. */
static int write_all(int fd, const char *line)
{
	size_t len = strlen(line);

	while (len) {
		ssize_t n = write(fd, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		line += n;
		len -= (size_t)n;
	}
	return 0;
}

static void warn_of_readers(struct ctl *ctl, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & 0077)
		fprintf(ctl->err,
			"takeoverctl: the key is in a file that others can read (mode %04o), which "
			"takeoverd refuses; better say 'takeoverctl genkey FILE'.\n",
			st.st_mode & 07777);
}

static int fill_file(int fd, const char *line)
{
	int r;

	r = fchmod(fd, 0600) < 0 ? -errno : 0; /* whatever the umask took */
	if (r == 0)
		r = write_all(fd, line);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

/* So that the name is there after a power cut as well. */
static int sync_directory_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	_cleanup_(freep) char *dir =
		slash ? strndup(file, (size_t)(slash - file) + 1) : strdup(".");
	_cleanup_(close_fdp) int fd = -1;

	if (!dir)
		return -ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/*
 * Never an old key overwritten, never half a key left: it gets its name when it
 * is whole. (O_TMPFILE would leave nothing behind upon SIGKILL, but not every
 * file system has it.)
 */
static int write_file(const char *file, const char *line)
{
	_cleanup_(freep) char *temporary = NULL;
	_cleanup_(close_fdp) int fd = -1;
	int r;

	if (asprintf(&temporary, "%s.XXXXXX", file) < 0) {
		temporary = NULL; /* undefined after that */
		return -ENOMEM;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fill_file(fd, line);
	if (r == 0 && link(temporary, file) < 0) /* fails if there is one */
		r = -errno;
	(void)unlink(temporary); /* whatever became of it */
	if (r < 0)
		return r;
	r = sync_directory_of(file);
	if (r < 0)
		(void)unlink(file); /* it is ours; the failure before is what is reported */
	return r;
}

static int complain(struct ctl *ctl, const char *file, int err)
{
	if (err == -EEXIST)
		fprintf(ctl->err,
			"takeoverctl: %s is there already and has not been touched; both nodes "
			"need the same key: remove it first if you want a new one.\n",
			file);
	else
		fprintf(ctl->err, "takeoverctl: cannot write %s: %s.\n", file, strerror(-err));
	return CTL_FAILED;
}

static int print_key(struct ctl *ctl, const char *line)
{
	const int fd = fileno(ctl->out);
	int r;

	r = write_all(fd, line);
	if (r < 0)
		return complain(ctl, "the key", r);
	warn_of_readers(ctl, fd);
	return CTL_OK;
}

/**
 * ctl_genkey() - the verb `genkey`
 * @ctl: the program
 * @argc: 0 or 1
 * @argv: the file to make; without it the key goes to stdout
 *
 * Return: the exit code.
 */
int ctl_genkey(struct ctl *ctl, int argc, char **argv)
{
	char line[LINE_SIZE];
	int r;

	if (argc && *argv[0] == '\0') {
		fprintf(ctl->err, "takeoverctl: a file has a name; without FILE the key goes to "
				  "the standard output.\n");
		return CTL_USAGE;
	}
	r = make_line(line);
	if (r < 0)
		return ctl_complain(ctl, &SD_BUS_ERROR_NULL, r);
	if (argc == 0) {
		r = print_key(ctl, line);
		sodium_memzero(line, sizeof(line));
		return r;
	}
	r = write_file(argv[0], line);
	sodium_memzero(line, sizeof(line));
	if (r < 0)
		return complain(ctl, argv[0], r);
	fprintf(ctl->out,
		"%s: a new key, which only its owner can read; copy it to the same place on the "
		"other node, with mode 0600 there as well.\n",
		argv[0]);
	return CTL_OK;
}
