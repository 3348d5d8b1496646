/* SPDX-License-Identifier: GPL-2.0-or-later */
/* draw: see draw.h. */
#include "draw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/auto.h"

uint64_t draw_seed(void)
{
	uint32_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		perror("getrandom");
		exit(2);
	}
	return seed;
}

uint64_t draw_below(struct rng *rng, uint64_t n)
{
	return (rng_next(rng) >> 11) % n;
}

bool draw_one_in(struct rng *rng, uint64_t n)
{
	return draw_below(rng, n) == 0;
}

size_t draw_length(struct rng *rng, size_t max)
{
	uint64_t top = 2ull << draw_below(rng, 64 - (unsigned)__builtin_clzll(max));

	return 1 + draw_below(rng, top < max ? top : max);
}

/* A bijection whose output bits each depend on all input bits (SplitMix64's). */
static uint64_t scramble(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

int matter_load(struct matter *matter, const char *path)
{
	DFS_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	matter->bytes = malloc((size_t)st.st_size + 1);
	if (!matter->bytes)
		return -ENOMEM;
	while ((n = read(fd, matter->bytes + matter->len, (size_t)st.st_size - matter->len)) > 0)
		matter->len += (size_t)n;
	return n < 0 ? -errno : 0;
}

/* The eight bytes at @off, a multiple of 8. */
static uint64_t word_of(const struct matter *matter, uint64_t content, uint64_t off)
{
	uint64_t word = scramble(content + off / 8 * 0x9e3779b97f4a7c15u), of_matter;

	if (!matter || off + 8 > matter->len)
		return word;
	memcpy(&of_matter, matter->bytes + off, 8);
	return off < MATTER_HEAD ? of_matter : of_matter ^ (word & 0x0003000300030003u);
}

void content_fill(const struct matter *matter, uint64_t content, uint64_t off, void *buf,
		  size_t len)
{
	uint8_t *to = buf;

	content = scramble(content + 1);
	while (len) {
		uint64_t word = word_of(matter, content, off / 8 * 8);
		size_t skip = off % 8, n = 8 - skip < len ? 8 - skip : len;

		memcpy(to, (const uint8_t *)&word + skip, n);
		to += n;
		off += n;
		len -= n;
	}
}
