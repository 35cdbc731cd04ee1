/* SPDX-License-Identifier: MIT */

/* Linked to a program with mutants: $MUTANT says which of them it is. */

#include <stdlib.h>

#include "tests/mutants/number.h"

unsigned mutant_number;

__attribute__((constructor)) static void number_read(void)
{
	const char *text = getenv("MUTANT");

	mutant_number = text ? (unsigned)strtoul(text, NULL, 10) : 0;
}
