/* SPDX-License-Identifier: MIT */

/*
 * The verb `check`: the daemon itself says what is wrong with a configuration.
 * What it says is passed on, or read line by line for --json.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/wait.h>

#include "agent/cleanup.h"
#include "sdbus/ctl_json.h"

enum { ARGUMENTS_MAX = 8 };

static void make_arguments(const struct ctl *ctl, const char *ret[static ARGUMENTS_MAX])
{
	size_t n = 0;

	ret[n++] = "takeoverd";
	ret[n++] = "--check";
	if (ctl->config) {
		ret[n++] = "--config";
		ret[n++] = ctl->config;
	}
	if (ctl->node) {
		ret[n++] = "--node";
		ret[n++] = ctl->node;
	}
	ret[n] = NULL;
}

/* The directory of this program; false: it is not known. */
static bool own_directory(char ret[static PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", ret, PATH_MAX - 1);
	char *slash;

	ret[len > 0 ? len : 0] = '\0';
	slash = strrchr(ret, '/');
	if (slash)
		*slash = '\0';
	return slash;
}

/*
 * Beside takeoverctl, as where both are built, or where it is installed: never
 * through PATH, for whoever asks may be root. Comes back only if there is no
 * takeoverd to run, with negative errno: of two that which says more.
 */
static int become_takeoverd(const struct ctl *ctl)
{
	const char *arguments[ARGUMENTS_MAX], *places[2];
	char own[PATH_MAX], path[PATH_MAX + 32];
	int err = ENOENT;
	size_t n = 0;

	make_arguments(ctl, arguments);
	if (own_directory(own))
		places[n++] = own;
	places[n++] = ctl->sbindir;
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/takeoverd", places[i]);
		(void)execv(path, (char *const *)arguments);
		if (errno != ENOENT && errno != ENOTDIR)
			err = errno;
	}
	return -err;
}

static int complain_missing(struct ctl *ctl, int err)
{
	return ctl_fail(ctl, SD_BUS_ERROR_FAILED,
			"cannot run takeoverd, which does the checking: %s; is it installed?",
			strerror(-err));
}

/* The number in ":NUMBER: "; 0 if @colon is not the beginning of that. */
static unsigned number_at(const char *colon, const char **ret_text)
{
	const size_t digits = strspn(colon + 1, "0123456789");

	if (digits == 0 || digits > 9 || strncmp(colon + 1 + digits, ": ", 2) != 0)
		return 0;
	*ret_text = colon + 1 + digits + 2;
	return (unsigned)strtoul(colon + 1, NULL, 10);
}

/*
 * "takeoverd: TEXT", "FILE:LINE: TEXT" or "FILE: TEXT": the first colon with a
 * number or a blank behind it ends the name, since texts quote anything. In the
 * name of the configuration itself, with which those of its drop-ins begin, there
 * may be such colons as well.
 */
static const char *split(const struct ctl *ctl, char *line, const char **ret_file,
			 unsigned *ret_number)
{
	static const char daemon[] = "takeoverd: ";
	const size_t config_len = ctl->config ? strlen(ctl->config) : 0;
	const char *text = line;
	char *colon = line;

	*ret_file = NULL;
	*ret_number = 0;
	if (strncmp(line, daemon, strlen(daemon)) == 0)
		return line + strlen(daemon);
	if (config_len && strncmp(line, ctl->config, config_len) == 0)
		colon += config_len;
	for (colon = strchr(colon, ':'); colon; colon = strchr(colon + 1, ':')) {
		*ret_number = number_at(colon, &text);
		if (*ret_number == 0 && colon[1] == ' ')
			text = colon + 2;
		if (text == line)
			continue;
		*colon = '\0';
		*ret_file = line;
		break;
	}
	return text;
}

static json_t *problem(const struct ctl *ctl, char *line)
{
	static const char warning[] = "warning: ";
	const char *file, *text;
	unsigned number;
	bool is_warning;

	text = split(ctl, line, &file, &number);
	is_warning = strncmp(text, warning, strlen(warning)) == 0;
	if (is_warning)
		text += strlen(warning);
	return json_pack("{s:o, s:o, s:b, s:o}", "file", file ? ctl_json_text(file) : json_null(),
			 "line", number ? json_integer(number) : json_null(), "warning", is_warning,
			 "text", ctl_json_text(text));
}

/* All lines until the other end closes. */
static json_t *read_problems(const struct ctl *ctl, int fd)
{
	_cleanup_(freep) char *line = NULL;
	json_t *list = json_array();
	size_t size = 0;
	ssize_t len;
	FILE *f = fdopen(fd, "r");

	if (!f) {
		(void)close(fd);
		return list;
	}
	while ((len = getline(&line, &size, f)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		(void)json_array_append_new(list, problem(ctl, line));
	}
	(void)fclose(f);
	return list;
}

/* In a process of its own: complaints to @fd, nothing else. */
static _Noreturn void run_child(const struct ctl *ctl, int fd)
{
	const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(126);
	_exit(become_takeoverd(ctl) == -ENOENT ? 127 : 126);
}

/* Problems and exit status of a takeoverd that has been started; takes @fd. */
static int report(struct ctl *ctl, pid_t pid, int fd)
{
	json_t *problems = read_problems(ctl, fd);
	int status = 0, r;

	(void)waitpid(pid, &status, 0); /* it is our child, and nobody else waits for it */
	if (!WIFEXITED(status) || WEXITSTATUS(status) >= 126) {
		json_decref(problems);
		if (WIFEXITED(status))
			return complain_missing(ctl,
						WEXITSTATUS(status) == 127 ? -ENOENT : -EACCES);
		return ctl_fail(ctl, SD_BUS_ERROR_FAILED, "takeoverd was ended by a signal: %s.",
				strsignal(WTERMSIG(status)));
	}
	r = ctl_json_print(
		ctl, json_pack("{s:b, s:o}", "ok", WEXITSTATUS(status) == 0, "problems", problems));
	return r == CTL_OK ? WEXITSTATUS(status) : r;
}

static int check_for_programs(struct ctl *ctl)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return ctl_complain(ctl, &SD_BUS_ERROR_NULL, -errno);
	pid = fork();
	if (pid == 0)
		run_child(ctl, fds[1]);
	(void)close(fds[1]);
	if (pid < 0) {
		(void)close(fds[0]);
		return ctl_complain(ctl, &SD_BUS_ERROR_NULL, -EAGAIN);
	}
	return report(ctl, pid, fds[0]);
}

/**
 * ctl_check() - the verb `check`
 * @ctl: the program
 * @argc: 0
 * @argv: none
 *
 * Return: the exit code, that of takeoverd --check. Without --json the process
 * becomes takeoverd, and there is no return.
 */
int ctl_check(struct ctl *ctl, int argc, char **argv)
{
	(void)argc, (void)argv;
	if (ctl->json)
		return check_for_programs(ctl);
	(void)fflush(NULL);
	return complain_missing(ctl, become_takeoverd(ctl));
}
