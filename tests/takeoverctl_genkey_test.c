/* SPDX-License-Identifier: MIT */

#include <dirent.h>
#include <sodium.h>
#include <sys/resource.h>

#include "tests/ctl_rig.h"

enum { LINE_LEN = 45 }; /* 32 bytes in base64, and the end of line */

static void expect_key(const char *line)
{
	uint8_t key[32];
	size_t len;

	cr_assert_eq(strlen(line), LINE_LEN, "\"%s\"", line);
	cr_assert_eq(line[LINE_LEN - 1], '\n');
	cr_assert_eq(sodium_base642bin(key, sizeof(key), line, LINE_LEN - 1, NULL, &len, NULL,
				       sodium_base64_VARIANT_ORIGINAL),
		     0);
	cr_assert_eq(len, sizeof(key));
}

/* A file that is not there yet, in a directory that is. */
static void fresh(char dir[static TEMP_MAX], char file[static TEMP_MAX + 8])
{
	cr_assert(mkdtemp(temp_template(dir, "key")));
	(void)snprintf(file, TEMP_MAX + 8, "%s/key", dir);
}

static void read_file(const char *file, char *text, size_t size)
{
	FILE *f = fopen(file, "re");
	size_t len;

	cr_assert(f, "%s: %m", file);
	len = fread(text, 1, size - 1, f);
	text[len] = '\0';
	(void)fclose(f);
}

/* What is in a directory, apart from @but; it is removed. */
static int others_in(const char *dir, const char *but)
{
	DIR *d = opendir(dir);
	int n = 0;

	cr_assert(d);
	for (const struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.' || strcmp(e->d_name, but) == 0)
			continue;
		n++;
		(void)unlinkat(dirfd(d), e->d_name, 0);
	}
	(void)closedir(d);
	return n;
}

Test(takeoverctl_genkey, keys_differ)
{
	struct outcome first, second;
	struct rig rig;

	rig_init(&rig);
	RUN(&rig, &first, "genkey");
	RUN(&rig, &second, "genkey");
	cr_assert_eq(first.code, 0);
	cr_assert_eq(second.code, 0);
	cr_assert_eq(first.text[LINE_LEN], '|', "more than the key: %s", first.text);
	cr_assert_str_eq(first.text + LINE_LEN, "|");
	first.text[LINE_LEN] = second.text[LINE_LEN] = '\0';
	expect_key(first.text);
	cr_assert_str_neq(first.text, second.text);
}

Test(takeoverctl_genkey, file_is_made_for_its_owner_alone)
{
	char dir[TEMP_MAX], file[TEMP_MAX + 8], text[128];
	struct outcome outcome;
	struct stat st;
	struct rig rig;

	rig_init(&rig);
	fresh(dir, file);
	(void)umask(0777); /* whatever it takes away */
	RUN(&rig, &outcome, "genkey", file);
	(void)umask(0022);
	cr_assert_eq(outcome.code, 0, "%s", outcome.text);
	cr_assert(strstr(outcome.text, "copy it to the same place on the other node"), "%s",
		  outcome.text);
	read_file(file, text, sizeof(text));
	expect_key(text);
	cr_assert_not(strstr(outcome.text, text), "the key is not for the screen");
	cr_assert_eq(stat(file, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	(void)unlink(file);
	(void)rmdir(dir);
}

Test(takeoverctl_genkey, file_that_exists_is_left_alone)
{
	char dir[TEMP_MAX], file[TEMP_MAX + 8], text[128];
	struct outcome outcome;
	struct rig rig;
	FILE *f;

	rig_init(&rig);
	fresh(dir, file);
	f = fopen(file, "we");
	cr_assert(f);
	fputs("old\n", f);
	(void)fclose(f);
	RUN(&rig, &outcome, "genkey", file);
	cr_assert_eq(outcome.code, 1);
	cr_assert(strstr(outcome.text, "is there already and has not been touched"), "%s",
		  outcome.text);
	read_file(file, text, sizeof(text));
	cr_assert_str_eq(text, "old\n");
	(void)unlink(file);
	(void)rmdir(dir);
}

Test(takeoverctl_genkey, link_is_not_followed)
{
	char dir[TEMP_MAX], file[TEMP_MAX + 8], target[TEMP_MAX + 8];
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	fresh(dir, file);
	(void)snprintf(target, sizeof(target), "%s/there", dir);
	cr_assert_eq(symlink(target, file), 0);
	RUN(&rig, &outcome, "genkey", file);
	cr_assert_eq(outcome.code, 1);
	cr_assert_neq(access(target, F_OK), 0);
	(void)unlink(file);
	(void)rmdir(dir);
}

/* A limit of 20 bytes on files is a disk that is full in the middle of the key. */
static int run_on_full_disk(struct rig *rig, void *argv)
{
	const struct rlimit limit = { 20, 20 };

	(void)signal(SIGXFSZ, SIG_IGN);
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	return run_ctl(rig, argv);
}

Test(takeoverctl_genkey, half_a_key_is_never_left)
{
	char dir[TEMP_MAX], file[TEMP_MAX + 8];
	char *argv[] = { (char *)"genkey", file, NULL };
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	fresh(dir, file);
	run_child(&rig, run_on_full_disk, argv, &outcome);
	cr_assert_eq(outcome.code, 1);
	cr_assert(strstr(outcome.text, "File too large"), "%s", outcome.text);
	cr_assert_neq(access(file, F_OK), 0, "half a key is there");
	cr_assert_eq(others_in(dir, ""), 0);
	(void)rmdir(dir);
}

/* The same, but the limit kills. */
static int run_until_killed(struct rig *rig, void *argv)
{
	const struct rlimit limit = { 20, 20 }, no_core = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	return run_ctl(rig, argv);
}

Test(takeoverctl_genkey, killed_in_the_middle_it_leaves_no_key)
{
	char dir[TEMP_MAX], file[TEMP_MAX + 8], text[128];
	char *argv[] = { (char *)"genkey", file, NULL };
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	fresh(dir, file);
	run_child(&rig, run_until_killed, argv, &outcome);
	cr_assert_eq(outcome.code, -1, "it was not killed");
	cr_assert_neq(access(file, F_OK), 0, "half a key is there");
	RUN(&rig, &outcome, "genkey", file);
	cr_assert_eq(outcome.code, 0, "%s", outcome.text);
	read_file(file, text, sizeof(text));
	expect_key(text);
	(void)others_in(dir, ""); /* what was killed could not clean up */
	(void)rmdir(dir);
}

Test(takeoverctl_genkey, nothing_but_the_key_is_left)
{
	char dir[TEMP_MAX], file[TEMP_MAX + 8];
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	fresh(dir, file);
	for (int code = 0; code <= 1; code++) { /* the second time it is there */
		RUN(&rig, &outcome, "genkey", file);
		cr_assert_eq(outcome.code, code, "%s", outcome.text);
		cr_assert_eq(others_in(dir, "key"), 0);
	}
	(void)unlink(file);
	(void)rmdir(dir);
}

/* A name without a directory is one of the working directory. */
static int run_in_directory(struct rig *rig, void *argv)
{
	return chdir(rig->dir) < 0 ? 9 : run_ctl(rig, argv);
}

Test(takeoverctl_genkey, name_without_directory_is_one_here)
{
	char *argv[] = { (char *)"genkey", (char *)"key", NULL };
	char file[TEMP_MAX + 8], text[128];
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	fresh(rig.dir, file);
	run_child(&rig, run_in_directory, argv, &outcome);
	cr_assert_eq(outcome.code, 0, "%s", outcome.text);
	read_file(file, text, sizeof(text));
	expect_key(text);
	(void)unlink(file);
	(void)rmdir(rig.dir);
}

Test(takeoverctl_genkey, file_without_a_name_is_refused)
{
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	RUN(&rig, &outcome, "genkey", (char *)"");
	cr_assert_eq(outcome.code, 2);
	cr_assert_str_eq(outcome.text, "|takeoverctl: a file has a name; without FILE the key goes "
				       "to the standard output.\n");
}

/* stdout into a file, with the mode that @mode says */
static mode_t mode;
static char stdout_file[TEMP_MAX + 8];

static int run_into_file(struct rig *rig, void *argv)
{
	const int fd = open(stdout_file, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
		return 9;
	return run_ctl(rig, argv);
}

Test(takeoverctl_genkey, who_leaves_the_key_to_all_is_warned)
{
	static const struct {
		mode_t mode;
		bool warned;
	} modes[] = { { 0644, true }, { 0640, true }, { 0600, false } };
	char *argv[] = { (char *)"genkey", NULL };
	char dir[TEMP_MAX], text[128];
	struct outcome outcome;
	struct rig rig;

	rig_init(&rig);
	fresh(dir, stdout_file);
	(void)umask(0022);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		mode = modes[i].mode;
		run_child(&rig, run_into_file, argv, &outcome);
		cr_assert_eq(outcome.code, 0);
		cr_assert_eq(!!strstr(outcome.text, "that others can read"), modes[i].warned,
			     "%04o: %s", mode, outcome.text);
		read_file(stdout_file, text, sizeof(text));
		expect_key(text);
		(void)unlink(stdout_file);
	}
	(void)rmdir(dir);
}
