/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay: runs a fuzz target without libFuzzer, on files and on noise.
 *
 *	fuzz_x [FILE|DIRECTORY]...	each file once, and simple mutations of it
 *
 * Without arguments: the corpus beside the sources (tests/fuzz/corpus/fuzz_x)
 * and a fixed run of generated inputs, so that `make check` exercises every
 * target.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define MUTATIONS 64
#define GENERATED 2000
#define GENERATED_MAX 2048
#define INPUT_MAX (1u << 20)

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* The exact size on the heap, so that the sanitizer sees a byte too far. */
static void try_input(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void try_mutations(uint8_t *data, size_t len)
{
	uint64_t state = 0x9e3779b97f4a7c15u ^ len;

	for (int i = 0; len && i < MUTATIONS; i++) {
		size_t at = next_random(&state) % len;
		uint8_t kept = data[at];

		data[at] = (uint8_t)next_random(&state);
		try_input(data, i % 4 ? len : next_random(&state) % len);
		data[at] = kept;
	}
}

static int try_file(const char *path)
{
	static uint8_t data[INPUT_MAX];
	FILE *file = fopen(path, "rb");
	size_t len;

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	try_input(data, len);
	try_mutations(data, len);
	return 0;
}

static int try_path(const char *path, unsigned *n)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int failed = 0;

	if (!dir) {
		++*n;
		return try_file(path);
	}
	while ((entry = readdir(dir))) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		failed |= try_path(name, n);
	}
	closedir(dir);
	return failed;
}

static void try_generated(void)
{
	uint8_t data[GENERATED_MAX];
	uint64_t state = 88172645463325252u;

	for (int i = 0; i < GENERATED; i++) {
		size_t len = next_random(&state) % sizeof(data);

		for (size_t j = 0; j < len; j++)
			data[j] = (uint8_t)(next_random(&state) >> (i % 3 * 8));
		try_input(data, len);
	}
}

int main(int argc, char **argv)
{
	unsigned n = 0;
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= try_path(argv[i], &n);
	if (argc == 1) {
		const char *name = strrchr(argv[0], '/');
		char corpus[4096];
		struct stat st;

		snprintf(corpus, sizeof(corpus), "%s/corpus/%s", FUZZ_DIR, name ? name + 1 : argv[0]);
		if (stat(corpus, &st) == 0)
			failed |= try_path(corpus, &n);
		try_generated();
	}
	printf("%u files\n", n);
	return failed;
}
