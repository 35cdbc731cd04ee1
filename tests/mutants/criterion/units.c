/* SPDX-License-Identifier: MIT */

/* units: runs the tests that are linked to it, until one fails. */

#include <stdio.h>
#include <stdlib.h>

#include "criterion.h"

static struct unit *units, *running;

void unit_add(struct unit *unit)
{
	unit->next = units;
	units = unit;
}

void unit_check(bool holds, const char *what)
{
	if (holds)
		return;
	printf("%s: %s\n", running->name, what);
	exit(EXIT_FAILURE);
}

int main(void)
{
	unsigned n = 0;

	for (running = units; running; running = running->next, n++)
		running->run();
	printf("%u tests\n", n);
	return n ? EXIT_SUCCESS : EXIT_FAILURE;
}
