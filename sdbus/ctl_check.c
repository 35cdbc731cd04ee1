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

/* Beside takeoverctl, in the sbin beside its bin, or wherever PATH says. */
static const char *const places[] = { "takeoverd", "../sbin/takeoverd" };

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

/* Comes back only if there is no takeoverd, with negative errno. */
static int become_takeoverd(const struct ctl *ctl)
{
	const char *arguments[ARGUMENTS_MAX];
	char path[PATH_MAX + 32];
	ssize_t len;
	char *slash;

	make_arguments(ctl, arguments);
	len = readlink("/proc/self/exe", path, PATH_MAX);
	path[len > 0 ? len : 0] = '\0';
	slash = strrchr(path, '/');
	for (size_t i = 0; slash && i < ARRAY_SIZE(places); i++) {
		(void)strcpy(slash + 1, places[i]); /* fits: 32 bytes of room */
		(void)execv(path, (char *const *)arguments);
		if (errno != ENOENT)
			return -errno;
	}
	(void)execvp("takeoverd", (char *const *)arguments);
	return -errno;
}

static int complain_missing(struct ctl *ctl, int err)
{
	return ctl_fail(ctl, SD_BUS_ERROR_FAILED,
			"cannot run takeoverd, which does the checking: %s; is it installed?",
			strerror(-err));
}

/* "FILE:LINE: TEXT", "FILE: TEXT" or "takeoverd: TEXT"; a number ends what is in front of it. */
static const char *split(char *line, const char **ret_file, long *ret_number)
{
	char *colon, *end;

	*ret_file = line;
	*ret_number = 0;
	for (colon = strchr(line, ':'); colon; colon = strchr(colon + 1, ':')) {
		*ret_number = strtol(colon + 1, &end, 10);
		if (*ret_number > 0 && strncmp(end, ": ", 2) == 0) {
			*colon = '\0';
			return end + 2;
		}
	}
	*ret_number = 0;
	colon = strstr(line, ": ");
	if (!colon) {
		*ret_file = NULL;
		return line;
	}
	*colon = '\0';
	return colon + 2;
}

static json_t *problem(char *line)
{
	static const char warning[] = "warning: ";
	const char *file, *text;
	bool is_warning;
	long number;

	text = split(line, &file, &number);
	is_warning = strncmp(text, warning, strlen(warning)) == 0;
	if (is_warning)
		text += strlen(warning);
	if (file && strcmp(file, "takeoverd") == 0)
		file = NULL;
	return json_pack("{s:o, s:o, s:b, s:o}", "file", file ? ctl_json_text(file) : json_null(),
			 "line", number ? json_integer(number) : json_null(), "warning", is_warning,
			 "text", ctl_json_text(text));
}

/* All lines until the other end closes. */
static json_t *read_problems(int fd)
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
		(void)json_array_append_new(list, problem(line));
	}
	(void)fclose(f);
	return list;
}

/* In a process of its own: complaints to @fd, nothing else. */
static _Noreturn void run_child(const struct ctl *ctl, int fd)
{
	const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(fd, STDERR_FILENO);
	_exit(become_takeoverd(ctl) == -ENOENT ? 127 : 126);
}

/* Problems and exit status of a takeoverd that has been started; takes @fd. */
static int report(struct ctl *ctl, pid_t pid, int fd)
{
	json_t *problems = read_problems(fd);
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
