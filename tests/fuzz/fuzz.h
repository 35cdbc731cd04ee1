/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A fuzzer is one function that takes any bytes. libFuzzer calls it (make fuzz),
 * and so does replay.c with the files of tests/fuzz/corpus/NAME (make check). What
 * it finds out beside crashes is a law, written down with assert().
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes that are handed out one after the other; after the end there are zeros. */
struct fuzz_bytes {
	const uint8_t *p, *end;
};

static inline uint8_t fuzz_u8(struct fuzz_bytes *bytes)
{
	return bytes->p < bytes->end ? *bytes->p++ : 0;
}
