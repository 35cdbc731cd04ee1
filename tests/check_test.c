/* SPDX-License-Identifier: MIT */

/* Checks on a loop of their own, against real listeners; what is told and decided stands here. */

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "agent/agent.h"
#include "agent/check/check.h"
#include "agent/tell.h"
#include "tests/netns.h"
#include "tests/with_conf.h"

static struct agent agent; /* too large for a stack */
static char told[128];
static unsigned n_told, n_steps;
static bool unfit;

void tell_check(struct agent *a, uint8_t group, const char *name, const char *fault)
{
	cr_assert_eq(a, &agent);
	cr_assert_eq(group, 0);
	n_told++;
	(void)snprintf(told, sizeof(told), "%s: %s", name, fault ? fault : "well");
}

void agent_step(struct agent *a, struct core_event *event)
{
	cr_assert_eq(a, &agent);
	cr_assert_eq(event->type, CORE_EV_FITNESS);
	cr_assert_eq(event->fitness.reason, CORE_UNFIT_CHECK);
	n_steps++;
	unfit = event->fitness.unfit;
}

/* Returns its port in @port, which it takes, if that is not 0. */
static int listener(uint16_t *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(*port) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	cr_assert_eq(inet_pton(AF_INET, "127.0.0.1", &in.sin_addr), 1);
	cr_assert_eq(bind(fd, (struct sockaddr *)&in, len), 0);
	cr_assert_eq(listen(fd, 64), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

static void begin(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void begin(const char *format, ...)
{
	char text[1024] = "[Node alpha]\nAddress=10.9.0.1\n[Node beta]\nAddress=10.9.0.2\n"
			  "[Group sip]\nVirtualAddress=10.9.0.3 eth0\nInterval=100ms\n";
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text + used, sizeof(text) - used, format, args);
	va_end(args);
	agent.conf = conf_from_text(text);
	cr_assert_geq(sd_event_new(&agent.loop), 0);
	cr_assert_eq(checks_new(&agent, &agent.checks), 0);
}

static void net(void)
{
	netns_enter();
	sh("ip link set lo up && ip address add 10.9.0.1/24 dev va && ip link set va up && "
	   "ip link set vb up");
}

TestSuite(check, .init = net);

static void finish(void)
{
	checks_free(agent.checks);
	sd_event_unref(agent.loop);
	conf_free((struct conf *)agent.conf);
}

static const struct check *check(void)
{
	size_t n;
	const struct check *v = checks_of_group(agent.checks, 0, &n);

	cr_assert_eq(n, 1);
	return v;
}

/* Until so many results are there: the loop waits, nobody sleeps. */
static void until(uint32_t results)
{
	while (check()->streak.n < results)
		cr_assert_geq(sd_event_run(agent.loop, UINT64_MAX), 0);
}

/* Until people hear something. */
static void until_told(const char *what)
{
	unsigned before = n_told;

	while (n_told == before)
		cr_assert_geq(sd_event_run(agent.loop, UINT64_MAX), 0);
	cr_expect_str_eq(told, what);
}

Test(check, who_takes_connections_is_well_and_nobody_hears_of_it)
{
	uint16_t port = 0;
	int fd = listener(&port);

	begin("Check=tcp:127.0.0.1:%u\n", port);
	cr_expect_eq(check()->streak.state, STREAK_UNKNOWN);
	until(2);
	cr_expect_eq(check()->streak.state, STREAK_WELL);
	cr_expect_str_eq(check()->text, "connected");
	cr_expect(instant_is_set(check()->ended));
	cr_expect_null(checks_find_failed(agent.checks, 0));
	cr_expect_eq(n_told + n_steps, 0);
	finish();
	(void)close(fd);
}

Test(check, who_refuses_fails_and_is_well_again)
{
	uint16_t port = 0;
	int fd = listener(&port);
	char wanted[64];

	(void)close(fd);
	begin("Check=tcp:127.0.0.1:%u\n", port);
	(void)snprintf(wanted, sizeof(wanted), "tcp:127.0.0.1:%u: Connection refused", port);
	until(2);
	cr_expect_eq(n_told, 0, "two of three are not enough");
	until_told(wanted);
	cr_expect_eq(n_steps, 1);
	cr_expect(unfit);
	cr_expect_eq(checks_find_failed(agent.checks, 0), check());

	fd = listener(&port);
	(void)snprintf(wanted, sizeof(wanted), "tcp:127.0.0.1:%u: well", port);
	until_told(wanted);
	cr_expect_eq(n_steps, 2);
	cr_expect_not(unfit);
	finish();
	(void)close(fd);
}

/* Nobody has the address: its neighbour is asked for, for longer than we wait. */
Test(check, who_does_not_answer_fails)
{
	begin("Check=tcp:10.9.0.77:80\nTimeout=20ms\nFall=1\n");
	until_told("tcp:10.9.0.77:80: no answer within 20 ms");
	cr_expect(unfit);
	cr_expect_null(check()->input, "nothing of it is left");
	finish();
}

Test(check, with_an_event_alone_the_node_stays_fit)
{
	begin("Check=tcp:127.0.0.1:9\nFall=1\nOnFail=event\n");
	until_told("tcp:127.0.0.1:9: Connection refused");
	cr_expect_eq(n_steps, 0);
	finish();
}

Test(check, self_is_the_first_address_of_this_node)
{
	begin("Check=tcp:self:9\nFall=1\n");
	until_told("tcp:self:9: Connection refused");
	cr_expect(unfit);
	finish();
}

Test(check, first_starts_are_spread_over_an_interval)
{
	uint64_t least = UINT64_MAX, most = 0;
	const struct check *v;
	char lines[512] = "";
	size_t n;

	for (int i = 1; i <= 20; i++)
		(void)snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines),
			       "Check=tcp:self:%d\n", i);
	begin("%s", lines);
	v = checks_of_group(agent.checks, 0, &n);
	cr_assert_eq(n, 20);
	for (size_t i = 0; i < n; i++) {
		uint64_t due;

		cr_assert_geq(sd_event_source_get_time(v[i].timer, &due), 0);
		least = due < least ? due : least;
		most = due > most ? due : most;
	}
	cr_expect_gt(most - least, 30 * USEC_PER_MSEC, "20 of them within %" PRIu64 " us",
		     most - least);
	cr_expect_leq(most - least, 110 * USEC_PER_MSEC);
	finish();
}
