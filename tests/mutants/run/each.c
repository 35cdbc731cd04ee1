/* SPDX-License-Identifier: MIT */

/*
 * each JOBS SECONDS PROGRAM [ARGUMENT...]: runs it as each mutant whose number is a line of
 * the input, so many at a time, each for so long at most (of the processor). Says of each
 * "NUMBER alive" or "NUMBER killed".
 */

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS_MAX = 64 };

static struct {
	pid_t pid;
	unsigned long number;
} jobs[JOBS_MAX];

static void run(unsigned long number, unsigned long seconds, char **argv)
{
	char text[24];
	struct rlimit time = { seconds, seconds }, core = { 0, 0 };
	int null = open("/dev/null", O_RDWR);

	(void)snprintf(text, sizeof(text), "%lu", number);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
	    setrlimit(RLIMIT_CPU, &time) < 0 || setrlimit(RLIMIT_CORE, &core) < 0 ||
	    setenv("MUTANT", text, 1) < 0)
		_exit(EXIT_FAILURE);
	execv(argv[0], argv);
	_exit(EXIT_FAILURE);
}

static void wait_for_one(void)
{
	int status;
	pid_t pid = wait(&status);

	for (int i = 0; i < JOBS_MAX; i++) {
		if (jobs[i].pid != pid)
			continue;
		printf("%lu %s\n", jobs[i].number, status == 0 ? "alive" : "killed");
		jobs[i].pid = 0;
	}
}

static void start(unsigned long number, unsigned long seconds, char **argv)
{
	int i = 0;

	while (jobs[i].pid)
		i++;
	(void)fflush(stdout); /* nothing of ours is printed twice */
	jobs[i].number = number;
	jobs[i].pid = fork();
	if (jobs[i].pid < 0)
		err(EXIT_FAILURE, "fork");
	if (jobs[i].pid == 0)
		run(number, seconds, argv);
}

int main(int argc, char **argv)
{
	unsigned long at_once, seconds, number, running = 0;

	if (argc < 4)
		errx(2, "each JOBS SECONDS PROGRAM [ARGUMENT...]");
	at_once = strtoul(argv[1], NULL, 10);
	seconds = strtoul(argv[2], NULL, 10);
	if (!at_once || at_once > JOBS_MAX)
		errx(2, "1 to %d at a time", JOBS_MAX);
	while (scanf("%lu", &number) == 1) {
		if (running == at_once)
			wait_for_one();
		else
			running++;
		start(number, seconds, argv + 3);
	}
	for (; running; running--)
		wait_for_one();
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
