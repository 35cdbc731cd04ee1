/* SPDX-License-Identifier: MIT */

/* takeover-react: what the unit of a reaction starts, in place of the command that it becomes. */

#include <sodium.h>
#include <stdio.h>

#include "agent/reaction/reaction.h"

enum { FIRST_WORD = 4 };

int main(int argc, char **argv)
{
	if (argc <= FIRST_WORD) {
		(void)fputs("Usage: takeover-react FILE REACTION INSTANCE COMMAND [ARGUMENT...]\n",
			    stderr);
		return 2;
	}
	if (sodium_init() < 0)
		return 2;
	(void)reaction_run(argv[1], argv[2], argv[3], argv + FIRST_WORD, stderr); /* has said it */
	return 2;
}
