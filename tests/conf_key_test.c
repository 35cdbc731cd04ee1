/* SPDX-License-Identifier: MIT */
#include "agent/conf/conf.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/cleanup.h"
#include "tests/temp.h"

enum { OWNER = 4711, OTHER = 4712 }; /* two users that are not root */

static char directory[TEMP_MAX];
static char path[TEMP_MAX + 8];

static void make_directory(void)
{
	cr_assert_not_null(mkdtemp(temp_template(directory, "conf-key")));
	cr_assert_eq(chmod(directory, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/key", directory);
}

static void remove_directory(void)
{
	(void)unlink(path);
	cr_assert_eq(rmdir(directory), 0);
}

TestSuite(conf_key, .init = make_directory, .fini = remove_directory);

static void write_key_for(const char *text, uid_t owner, mode_t mode)
{
	_cleanup_(close_fdp) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(fchmod(fd, mode), 0);
	cr_assert_eq(fchown(fd, owner, 0), 0, "needs root");
}

static void write_key(const char *text, uid_t owner)
{
	write_key_for(text, owner, 0600);
}

/* What is wrong with the key in @file, as @user reads it; "" if nothing is. */
static const char *complaint_about(const char *file, uid_t user)
{
	static char text[512];
	struct conf_problems problems = { 0 };
	struct conf conf = { .key_file = (char *)file };
	uint8_t key[CONF_KEY_SIZE] = { 99 };
	int r;

	cr_assert_eq(seteuid(user), 0);
	r = conf_read_key(&conf, key, &problems);
	cr_assert_eq(seteuid(0), 0);
	cr_assert_eq(r, problems.n ? -EINVAL : 0);
	cr_assert_leq(problems.n, 1);
	(void)snprintf(text, sizeof(text), "%s", problems.n ? problems.v[0].text : "");
	cr_assert_eq(key[0], problems.n ? 99 : 0);
	cr_assert_eq(key[31], problems.n ? 0 : 31);
	conf_problems_done(&problems);
	return text;
}

static const char *complaint_to(uid_t user)
{
	return complaint_about(path, user);
}

/* The bytes 0 to 31, and the beginning of that line. */
#define KEY_42 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh"
#define KEY_43 KEY_42 "8"
#define KEY KEY_43 "="

static const char good[] = KEY "\n";

Test(conf_key, is_of_root_or_of_the_user_that_reads_it)
{
	write_key(good, 0);
	cr_expect_str_eq(complaint_to(0), "");
	write_key(good, OWNER);
	cr_expect_str_eq(complaint_to(OWNER), "");
	cr_expect_str_eq(complaint_to(0), "The key belongs to uid 4711, not to root nor to the "
					  "user that takeoverd runs as (uid 0).");
}

Test(conf_key, that_may_not_be_read_is_told_with_who_may)
{
	write_key(good, OWNER);
	cr_expect_str_eq(complaint_to(OTHER), "The key cannot be opened: Permission denied; the "
					      "user that takeoverd runs as (uid 4712) has to own "
					      "it.");
}

Test(conf_key, that_is_not_there_is_told_with_its_name_and_how_to_make_one)
{
	struct conf conf = { .key_file = path };
	struct conf_problems problems = { 0 };
	uint8_t key[CONF_KEY_SIZE];

	cr_expect_eq(conf_read_key(&conf, key, &problems), -EINVAL);
	cr_assert_eq(problems.n, 1);
	cr_expect_str_eq(problems.v[0].file, path);
	cr_expect_eq(strncmp(problems.v[0].text,
			     "There is no key: make one with: takeoverctl genkey ", 51),
		     0);
	conf_problems_done(&problems);
}

Test(conf_key, is_one_line_of_base64_that_nobody_else_can_read)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *problem; /* "": taken */
	} files[] = {
		{ KEY "\n", 0600, "" },
		{ KEY, 0400, "" },
		{ KEY "\n", 0640, "The key can be read by others (mode 0640)" },
		{ KEY "\n", 0604, "The key can be read by others (mode 0604)" },
		{ KEY "\n\n", 0600, "The key is not one line with 32 bytes" },
		{ KEY_43, 0600, "The key is not one line with 32 bytes" },
		{ "A" KEY "\n", 0600, "The key is not one line with 32 bytes" },
		{ KEY_43 "*\n", 0600, "The key is not one line with 32 bytes" },
		{ KEY_42 "==", 0600, "The key is not one line with 32 bytes" },
		{ "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", 0600, /* 31 bytes */
		  "The key is not one line with 32 bytes" },
		{ "", 0600, "The key is not one line with 32 bytes" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		const char *problem = files[i].problem, *said;

		write_key_for(files[i].text, 0, files[i].mode);
		said = complaint_to(0);
		cr_expect_eq(strncmp(said, problem, strlen(problem)), 0, "%zu: %s", i, said);
		cr_expect_eq(*said == '\0', *problem == '\0', "%zu: %s", i, said);
		cr_assert_eq(unlink(path), 0);
	}
}

Test(conf_key, of_nothing_but_zeros_is_refused)
{
	write_key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 0);
	cr_expect_eq(strncmp(complaint_to(0), "The key consists of nothing but zeros;", 38), 0);
}

Test(conf_key, that_cannot_be_opened_for_another_reason_brings_no_advice)
{
	cr_assert_eq(symlink(path, path), 0);
	cr_expect_str_eq(complaint_to(0),
			 "The key cannot be opened: Too many levels of symbolic links.");
}

Test(conf_key, with_a_byte_that_is_no_text_is_refused)
{
	write_key("AAECAwQ\xa2"
		  "BgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
		  0);
	cr_expect_eq(strncmp(complaint_to(0), "The key is not one line with 32 bytes", 37), 0);
}

Test(conf_key, of_a_credential_stands_for_the_default_file_whoever_owns_it)
{
	cr_assert_eq(setenv("CREDENTIALS_DIRECTORY", directory, 1), 0);
	write_key(good, 0);
	cr_assert_eq(chmod(path, 0444), 0); /* an access list looks like this */
	cr_expect_str_eq(complaint_about(CONF_KEY_FILE, OTHER), "");
}

Test(conf_key, of_a_credential_is_held_against_the_same_rules)
{
	cr_assert_eq(setenv("CREDENTIALS_DIRECTORY", directory, 1), 0);
	write_key("changeme\n", 0);
	cr_expect_eq(strncmp(complaint_about(CONF_KEY_FILE, 0), "The key is not one line", 23), 0);
}

Test(conf_key, of_a_credential_does_not_stand_for_another_file)
{
	cr_assert_eq(setenv("CREDENTIALS_DIRECTORY", directory, 1), 0);
	write_key(good, 0);
	cr_expect_eq(strncmp(complaint_about("/nowhere/key", 0), "There is no key:", 16), 0);
}
