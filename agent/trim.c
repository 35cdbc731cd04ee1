/* SPDX-License-Identifier: MIT */

#include "agent/trim.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

/* Code and constants of one of the files that the program consists of. */
static int trim_file(struct dl_phdr_info *info, size_t size, void *data)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)data;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		const uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~(page - 1);
		const uintptr_t end = info->dlpi_addr + segment->p_vaddr + segment->p_memsz;

		/* Where it is refused, as for what is locked, all stays as it is. */
		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W))
			(void)madvise((void *)start, end - start, MADV_DONTNEED);
	}
	return 0;
}

/**
 * trim_after_start() - Give back what only the start has needed
 *
 * What has been freed; and of the files of program and libraries what is mapped. The kernel
 * maps them in pieces of 64 KiB where they are first touched, and reading a configuration,
 * relocating and the like touch nearly all of them. What is used again is mapped again, from
 * the page cache: what nothing has written to is in no other place.
 */
void trim_after_start(void)
{
	(void)malloc_trim(0); /* it reports nothing but success */
	(void)dl_iterate_phdr(trim_file, NULL);
}
