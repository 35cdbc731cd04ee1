/* SPDX-License-Identifier: MIT */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "agent/explain/talk.h"

void say(struct talk *t, const char *format, ...)
{
	struct explanation *e = t->ret;
	va_list args;

	if (e->n == EXPLAIN_MAX)
		return; /* as many as nobody reads */
	va_start(args, format);
	(void)vsnprintf(e->texts[e->n], EXPLAIN_TEXT_MAX, format, args); /* cut, if need be */
	va_end(args);
	e->list[e->n] = e->texts[e->n];
	e->n++;
}

/* A duration as one says it: two units at most. */
const char *span(uint64_t us, char buf[static SPAN_MAX])
{
	const uint64_t s = us / USEC_PER_SEC, min = s / 60, h = min / 60;

	if (s == 0)
		(void)snprintf(buf, SPAN_MAX, "%" PRIu64 " ms", us / USEC_PER_MSEC);
	else if (s < 10)
		(void)snprintf(buf, SPAN_MAX, "%" PRIu64 ".%" PRIu64 " s", s,
			       us / (USEC_PER_SEC / 10) % 10);
	else if (min == 0)
		(void)snprintf(buf, SPAN_MAX, "%" PRIu64 " s", s);
	else if (h == 0)
		(void)snprintf(buf, SPAN_MAX, "%" PRIu64 " min %" PRIu64 " s", min, s % 60);
	else if (h < 24)
		(void)snprintf(buf, SPAN_MAX, "%" PRIu64 " h %" PRIu64 " min", h, min % 60);
	else
		(void)snprintf(buf, SPAN_MAX, "%" PRIu64 " d %" PRIu64 " h", h / 24, h % 24);
	return buf;
}

const char *age(const struct talk *t, instant then, char buf[static SPAN_MAX])
{
	return span(instant_since(t->now, then), buf);
}

const char *left(const struct talk *t, instant until, char buf[static SPAN_MAX])
{
	return span(instant_since(until, t->now), buf);
}

const char *node_name(const struct talk *t, uint8_t node)
{
	return node == CORE_NODE_NONE ? "nobody" : t->agent->conf->nodes[node].name;
}

/* Who hands over to us, or to whom we do. */
const char *partner(const struct talk *t)
{
	return node_name(t, t->g->move_to);
}
