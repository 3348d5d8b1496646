/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitx: the strongest published exact way to store a bf16 fine-tune, for
 * comparison: XOR with the base, exponents and sign+mantissas in planes of
 * their own, zstd level 3 on each, in pieces of 1 MiB.
 *
 *	bitx pack BASE FILE OUT
 *	bitx unpack BASE IN FILE
 *
 * Both files must have one layout (equal size); nothing else is checked.
 * OUT: u64 size, then per piece u32 lengths of its two planes and the planes.
 *
 * Source: arXiv 2505.06252 (ZipLLM), section on BitX.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#define PIECE (1u << 20)
#define VALUES (PIECE / 2)
#define LEVEL 3

struct planes {
	uint16_t base[VALUES], file[VALUES];
	uint8_t exponents[VALUES], rests[VALUES];
	uint8_t packed[2][PIECE];
};

static void die(const char *what)
{
	fprintf(stderr, "bitx: %s\n", what);
	exit(1);
}

static FILE *open_or_die(const char *path, const char *mode)
{
	FILE *file = fopen(path, mode);

	if (!file)
		die(path);
	return file;
}

static uint64_t size_of(FILE *file)
{
	struct stat st;

	if (fstat(fileno(file), &st) < 0)
		die("stat");
	return (uint64_t)st.st_size;
}

/* The next piece, zero-padded. Return: its bytes, 0 at the end. */
static size_t next_piece(FILE *file, uint16_t *values)
{
	size_t got;

	memset(values, 0, PIECE);
	got = fread(values, 1, PIECE, file);
	if (ferror(file))
		die("read");
	return got;
}

static void pack_plane(FILE *out, uint8_t *packed, const uint8_t *plane)
{
	size_t len = ZSTD_compress(packed, PIECE, plane, VALUES, LEVEL);
	uint32_t len32 = (uint32_t)len;

	if (ZSTD_isError(len))
		die(ZSTD_getErrorName(len));
	if (fwrite(&len32, 4, 1, out) != 1 || fwrite(packed, 1, len, out) != len)
		die("write");
}

static void pack(struct planes *p, FILE *base, FILE *file, FILE *out)
{
	uint64_t size = size_of(file);

	if (size != size_of(base))
		die("base and file differ in size");
	if (fwrite(&size, 8, 1, out) != 1)
		die("write");
	while (next_piece(file, p->file)) {
		next_piece(base, p->base);
		for (size_t i = 0; i < VALUES; i++) {
			uint16_t x = p->file[i] ^ p->base[i];

			p->exponents[i] = (uint8_t)(x >> 7);
			p->rests[i] = (uint8_t)((x >> 8 & 0x80) | (x & 0x7f));
		}
		pack_plane(out, p->packed[0], p->exponents);
		pack_plane(out, p->packed[1], p->rests);
	}
}

static void unpack_plane(FILE *in, uint8_t *packed, uint8_t *plane)
{
	uint32_t len;

	if (fread(&len, 4, 1, in) != 1 || len > PIECE || fread(packed, 1, len, in) != len)
		die("damaged");
	if (ZSTD_decompress(plane, VALUES, packed, len) != VALUES)
		die("damaged plane");
}

static void unpack(struct planes *p, FILE *base, FILE *in, FILE *out)
{
	uint64_t size;

	if (fread(&size, 8, 1, in) != 1)
		die("damaged");
	for (uint64_t done = 0; done < size; done += PIECE) {
		size_t len = size - done < PIECE ? size - done : PIECE;

		next_piece(base, p->base);
		unpack_plane(in, p->packed[0], p->exponents);
		unpack_plane(in, p->packed[1], p->rests);
		for (size_t i = 0; i < VALUES; i++)
			p->file[i] = (uint16_t)(p->base[i] ^ (p->exponents[i] << 7 |
							      (p->rests[i] & 0x80) << 8 |
							      (p->rests[i] & 0x7f)));
		if (fwrite(p->file, 1, len, out) != len)
			die("write");
	}
}

int main(int argc, char **argv)
{
	struct planes *planes = malloc(sizeof(*planes));
	int packing = argc == 5 && !strcmp(argv[1], "pack");
	FILE *base, *in, *out;

	if (argc != 5 || (!packing && strcmp(argv[1], "unpack")) || !planes) {
		fprintf(stderr, "usage: bitx pack BASE FILE OUT | unpack BASE IN FILE\n");
		return 2;
	}
	base = open_or_die(argv[2], "rb");
	in = open_or_die(argv[3], "rb");
	out = open_or_die(argv[4], "wb");
	(packing ? pack : unpack)(planes, base, in, out);
	if (fclose(out))
		die("write");
	fclose(in);
	fclose(base);
	free(planes);
	return 0;
}
