/* SPDX-License-Identifier: MIT */
#include "agent/beat/channel.h"

#include <sys/wait.h>

#include "tests/beat_rig.h"

enum {
	PORT = 7373,
	NOBODY = 65534, /* any user but ours */
	WAYS = 4,	/* with and without SO_REUSEADDR and SO_REUSEPORT */
};

#define IPV6_PATH "[Node alpha]\nAddress=fd09::1\n[Node beta]\nAddress=fd09::2\n" GROUP

static const struct ip alpha_ip = { .family = 4, .bytes = { 10, 9, 0, 1 } };
static const struct ip beta_ip = { .family = 4, .bytes = { 10, 9, 0, 2 } };

/* A socket that somebody else wants at @address; negative errno of bind(). */
static int bind_at(const char *address, int way)
{
	_cleanup_(close_fdp) int fd = -1;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	bool is_4 = inet_pton(AF_INET, address, &in.sin_addr) == 1;
	const int yes = 1, no = 0;

	if (!is_4 && inet_pton(AF_INET6, address, &in6.sin6_addr) != 1)
		return -EINVAL;
	fd = socket(is_4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || (way & 1 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes))) ||
	    (way & 2 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes))) ||
	    (!is_4 && setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &no, sizeof(no))))
		return -errno;
	if (bind(fd, is_4 ? (struct sockaddr *)&in : (struct sockaddr *)&in6,
		 is_4 ? sizeof(in) : sizeof(in6)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* The number of the way in which a process of @uid gets the port at @address; -1: none. */
static int way_in(const char *address, uid_t uid)
{
	pid_t pid = fork();
	int status;

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		if (setresuid(uid, uid, uid) < 0)
			_exit(100);
		for (int way = 0; way < WAYS; way++)
			if (bind_at(address, way) != -EADDRINUSE)
				_exit(way);
		_exit(WAYS);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) <= WAYS);
	return WEXITSTATUS(status) < WAYS ? WEXITSTATUS(status) : -1;
}

static void expect_no_way_in(const char *text, const char *const *addresses)
{
	struct agent a;

	world_enter();
	agent_start(&a, text, ALPHA);
	for (; *addresses; addresses++) {
		cr_expect_eq(way_in(*addresses, NOBODY), -1, "%s", *addresses);
		cr_expect_eq(way_in(*addresses, 0), -1, "%s, root", *addresses);
	}
	agent_stop(&a);
}

Test(channel, nobody_takes_what_comes_for_us_over_ipv4)
{
	expect_no_way_in(TWO_PATHS, (const char *const[]){ "10.9.0.1", "10.9.1.1", "0.0.0.0",
							   "::", "::ffff:10.9.0.1", NULL });
}

Test(channel, nobody_takes_what_comes_for_us_over_ipv6)
{
	expect_no_way_in(IPV6_PATH, (const char *const[]){ "fd09::1", "::", NULL });
}

/* IP_FREEBIND: there is nothing to be guarded but the number. */
Test(channel, nobody_takes_an_address_before_it_comes)
{
	struct agent a;

	world_enter();
	agent_start(&a, "[Node alpha]\nAddress=10.7.0.1\n[Node beta]\nAddress=10.7.0.2\n" GROUP,
		    ALPHA);
	sh("ip address add 10.7.0.1/32 dev lo");
	cr_expect_eq(way_in("10.7.0.1", NOBODY), -1);
	agent_stop(&a);
}

/* Nor in the moment in which our own sockets are let in beside each other. */
Test(channel, a_port_that_is_shared_is_shared_among_us)
{
	struct channel lobby, connected;

	world_enter();
	cr_assert_eq(channel_open(&lobby, &alpha_ip, NULL, PORT), 0);
	cr_expect_eq(way_in("10.9.0.1", NOBODY), -1);
	cr_assert_eq(channel_share(&lobby, true), 0);
	cr_expect_eq(way_in("10.9.0.1", NOBODY), -1);
	cr_assert_eq(channel_open(&connected, &alpha_ip, &beta_ip, PORT), 0);
	cr_expect_eq(way_in("10.9.0.1", NOBODY), -1);
	cr_assert_eq(channel_share(&lobby, false), 0);
	cr_assert_eq(channel_share(&connected, false), 0);
	cr_expect_eq(way_in("10.9.0.1", NOBODY), -1);
	cr_expect_eq(way_in("10.9.0.1", 0), -1);
	channel_close(&lobby);
	channel_close(&connected);
}

Test(channel, who_has_the_port_before_us_is_not_joined)
{
	struct conf *conf = conf_from_text(ONE_PATH);

	world_enter();
	for (int way = 0; way < WAYS; way++) {
		_cleanup_(close_fdp) int squatter = -1;
		struct beat *beat = NULL;

		cr_assert_eq(seteuid(NOBODY), 0);
		squatter = bind_at("10.9.0.1", way);
		cr_assert_eq(seteuid(0), 0);
		cr_assert_geq(squatter, 0);
		cr_expect_eq(beat_new(conf, ALPHA, key, &beat), -EADDRINUSE, "way %d", way);
		cr_expect_null(beat);
	}
	conf_free(conf);
}

Test(channel, a_second_agent_finds_no_room_until_the_first_has_gone)
{
	struct beat *second = NULL;
	struct agent a;

	world_enter();
	agent_start(&a, ONE_PATH, ALPHA);
	cr_expect_eq(beat_new(a.conf, ALPHA, key, &second), -EADDRINUSE);
	agent_stop(&a);
	agent_start(&a, ONE_PATH, ALPHA);
	agent_stop(&a);
}
