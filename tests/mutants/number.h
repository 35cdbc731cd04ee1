/* SPDX-License-Identifier: MIT */
#pragma once

/* The mutant that this process is; 0: none. */
extern unsigned mutant_number;
