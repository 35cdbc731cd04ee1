/* SPDX-License-Identifier: MIT */
/* Logs of answers: kept, read back, held against each other. */
#include "tests/net/probe.h"

#include <errno.h>
#include <sys/stat.h>

int answers_add(struct probe_answers *answers, const struct probe_answer *answer)
{
	if (answers->n == answers->allocated) {
		size_t more = answers->allocated ? answers->allocated * 2 : 65536;
		void *v = reallocarray(answers->v, more, sizeof(*answers->v));

		if (!v)
			return -ENOMEM;
		answers->v = v;
		answers->allocated = more;
	}
	answers->v[answers->n++] = *answer;
	return 0;
}

void answers_done(struct probe_answers *answers)
{
	free(answers->v);
	*answers = (struct probe_answers){ 0 };
}

static void fclosep(FILE **f)
{
	if (*f)
		(void)fclose(*f); /* writers have flushed before */
}

int answers_save(const struct probe_answers *answers, const char *file)
{
	_cleanup_(fclosep) FILE *f = fopen(file, "we");

	if (!f)
		return -errno;
	if (answers->n && fwrite(answers->v, sizeof(*answers->v), answers->n, f) != answers->n)
		return -EIO;
	return fflush(f) == 0 ? 0 : -errno;
}

int answers_load(const char *file, struct probe_answers *ret)
{
	_cleanup_(fclosep) FILE *f = fopen(file, "re");
	_cleanup_(answers_done) struct probe_answers answers = { 0 };
	struct stat st;

	if (!f || fstat(fileno(f), &st) < 0)
		return -errno;
	answers.n = answers.allocated = (size_t)st.st_size / sizeof(*answers.v);
	answers.v = calloc(answers.n + 1, sizeof(*answers.v));
	if (!answers.v)
		return -ENOMEM;
	if (fread(answers.v, sizeof(*answers.v), answers.n, f) != answers.n)
		return -EIO;
	*ret = answers;
	answers = (struct probe_answers){ 0 };
	return 0;
}

/* A stretch of time in which a node answered without a pause. */
struct stretch {
	uint64_t from_ns, to_ns;
};

/* The stretch that begins with answer *i; moves *i behind it. */
static struct stretch next_stretch(const struct probe_answers *a, size_t *i, uint64_t pause_ns)
{
	struct stretch s = { a->v[*i].answered_ns, a->v[*i].received_ns };

	for ((*i)++; *i < a->n; (*i)++) {
		if (a->v[*i].answered_ns > s.to_ns + pause_ns)
			break;
		if (a->v[*i].received_ns > s.to_ns)
			s.to_ns = a->v[*i].received_ns;
	}
	return s;
}

struct overlap {
	uint64_t longest_ns, total_ns, at_ns;
	unsigned times;
};

static void overlap_add(struct overlap *o, const struct stretch *a, const struct stretch *b)
{
	uint64_t from = a->from_ns > b->from_ns ? a->from_ns : b->from_ns;
	uint64_t to = a->to_ns < b->to_ns ? a->to_ns : b->to_ns;

	if (from >= to)
		return;
	o->times++;
	o->total_ns += to - from;
	if (to - from > o->longest_ns) {
		o->longest_ns = to - from;
		o->at_ns = from;
	}
}

static struct overlap overlap_of(const struct probe_answers *a, const struct probe_answers *b,
				 uint64_t pause_ns)
{
	struct overlap o = { 0 };
	struct stretch sa, sb;
	size_t i = 0, j = 0;
	bool have_a = false, have_b = false;

	for (;;) {
		if (!have_a && i < a->n) {
			sa = next_stretch(a, &i, pause_ns);
			have_a = true;
		}
		if (!have_b && j < b->n) {
			sb = next_stretch(b, &j, pause_ns);
			have_b = true;
		}
		if (!have_a || !have_b)
			return o;
		overlap_add(&o, &sa, &sb);
		if (sa.to_ns < sb.to_ns)
			have_a = false;
		else
			have_b = false;
	}
}

/*
 * For how long two clients, each tied to the MAC of its node, got answers at
 * the same time. An answer was given between its two time stamps; a single
 * answer inside a stretch of the other node's counts.
 */
int overlap_verb(int argc, char **argv)
{
	_cleanup_(answers_done) struct probe_answers a = { 0 };
	_cleanup_(answers_done) struct probe_answers b = { 0 };
	uint64_t pause_us = 5000;
	struct overlap o;
	int r;

	if (argc < 3 || argc > 4 || (argc == 4 && probe_number(argv[3], &pause_us) < 0))
		return probe_usage("overlap LOG-A LOG-B [PAUSE-US]");
	r = answers_load(argv[1], &a);
	if (r == 0)
		r = answers_load(argv[2], &b);
	if (r < 0)
		return probe_fail("overlap", r);
	o = overlap_of(&a, &b, pause_us * 1000);
	printf("both_us=%ju both_total_us=%ju both_times=%u both_at_us=%ju answers_a=%zu "
	       "answers_b=%zu\n",
	       (uintmax_t)((o.longest_ns + 999) / 1000), (uintmax_t)((o.total_ns + 999) / 1000),
	       o.times, (uintmax_t)(o.at_ns / 1000), a.n, b.n);
	return 0;
}

/* When a node first answered after a point in time, e.g. a call on the bus. */
int first_verb(int argc, char **argv)
{
	_cleanup_(answers_done) struct probe_answers a = { 0 };
	uint64_t after_us;
	int r;

	if (argc != 4 || probe_number(argv[3], &after_us) < 0)
		return probe_usage("first LOG NAME AFTER-US");
	r = answers_load(argv[1], &a);
	if (r < 0)
		return probe_fail("first", r);
	for (size_t i = 0; i < a.n; i++) {
		if (a.v[i].answered_ns < after_us * 1000)
			continue;
		if (strncmp(a.v[i].name, argv[2], PROBE_NAME_SIZE) != 0)
			continue;
		printf("%ju\n", (uintmax_t)(a.v[i].received_ns / 1000 - after_us));
		return 0;
	}
	return 1;
}

/* When a node answered, from and to in µs after a point in time, for a picture. */
int stretches_verb(int argc, char **argv)
{
	_cleanup_(answers_done) struct probe_answers a = { 0 };
	uint64_t mark_us, pause_us;
	int r;

	if (argc != 4 || probe_number(argv[2], &mark_us) < 0 ||
	    probe_number(argv[3], &pause_us) < 0)
		return probe_usage("stretches LOG MARK-US PAUSE-US");
	r = answers_load(argv[1], &a);
	if (r < 0)
		return probe_fail(argv[1], r);
	for (size_t i = 0; i < a.n;) {
		const struct stretch s = next_stretch(&a, &i, pause_us * 1000);

		printf("%jd:%jd%s", (intmax_t)(s.from_ns / 1000) - (intmax_t)mark_us,
		       (intmax_t)(s.to_ns / 1000) - (intmax_t)mark_us, i < a.n ? "," : "");
	}
	printf("\n");
	return 0;
}
