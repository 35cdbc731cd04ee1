/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "agent/agent.h"
#include "sdbus/api.h"

Test(version, what_the_agent_prints_is_what_the_bus_says)
{
	cr_assert_str_eq(AGENT_VERSION, API_VERSION);
}
