/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What `status` is set with. The first two columns of a line are its margin: "!"
 * marks what is wrong, with and without colour.
 */

#include "sdbus/ctl.h"

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

struct page {
	FILE *out;
	bool colour;
	instant now;
};

struct span {
	char text[32];
};

struct span page_span(uint64_t us);
struct span page_age(const struct page *page, uint64_t then_us);
int page_wider(int width, const char *text);
void page_margin(const struct page *page, bool wrong);
void page_cell(const struct page *page, int width, const char *text, const char *colour);
const char *page_colour(const struct page *page, const char *colour);

void page_group(const struct page *page, const struct ctl_model *model,
		const struct api_group *group);
