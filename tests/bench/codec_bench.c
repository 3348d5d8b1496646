/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * codec_bench: what the exact codecs make of synthetic pairs, and how fast.
 *
 *	codec_bench [--json] [--mib N] [PATTERN]
 *
 * Pairs are synthetic (pairs.h). One core; bases are in memory; hashing is not
 * counted. Each speed is the best of four rounds, over memory that was touched
 * before: others share the machine, and a first round would pay for the kernel's
 * clearing of pages. Bits per weight include the table and 32 bytes a chunk for
 * its record in a container. Every decode is compared with what was encoded.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec/exact.h"
#include "util/hash.h"
#include "pairs.h"

#define CHUNK_BYTES (128u << 10)
#define CHUNK_RECORD 32
#define ROUNDS 4

static const struct set sets[] = {
	{ "bf16 r=1e-3", DFS_BF16, DFS_BF16, .r = 1e-3 },
	{ "bf16 r=3e-3", DFS_BF16, DFS_BF16, .r = 3e-3 },
	{ "bf16 r=1e-2", DFS_BF16, DFS_BF16, .r = 1e-2 },
	{ "bf16 r=3e-2", DFS_BF16, DFS_BF16, .r = 3e-2 },
	{ "bf16 r=1e-1", DFS_BF16, DFS_BF16, .r = 1e-1 },
	{ "bf16 0.1% moved", DFS_BF16, DFS_BF16, .changed = 1e-3 },
	{ "bf16 1% moved", DFS_BF16, DFS_BF16, .changed = 1e-2 },
	{ "bf16 same", DFS_BF16, DFS_BF16, .changed = 1e-12 },
	{ "bf16 rows r=1e-2", DFS_BF16, DFS_BF16, .r = 1e-2, .cols = 384, .rows_differ = true },
	{ "bf16 solo", DFS_BF16, DFS_BF16, .r = -1 },
	{ "bf16->f16 r=1e-3", DFS_BF16, DFS_F16, .r = 1e-3 },
	{ "bf16->f16 r=1e-2", DFS_BF16, DFS_F16, .r = 1e-2 },
	{ "f16 r=1e-3", DFS_F16, DFS_F16, .r = 1e-3 },
	{ "f16 solo", DFS_F16, DFS_F16, .r = -1 },
	{ "f32 r=1e-3", DFS_F32, DFS_F32, .r = 1e-3 },
	{ "f32 solo", DFS_F32, DFS_F32, .r = -1 },
	{ "bf16 in f32 r=1e-2", DFS_BF16, DFS_F32, .r = 1e-2, .drop = 16 },
	{ "f8_e4m3 r=1e-1", DFS_F8_E4M3, DFS_F8_E4M3, .r = 1e-1 },
	{ "f8_e4m3 solo", DFS_F8_E4M3, DFS_F8_E4M3, .r = -1 },
	{ "f64 r=1e-2", DFS_F64, DFS_F64, .r = 1e-2 },
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* others may share the core */
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

struct result {
	double bits;		/* a weight, everything included */
	double factor;		/* original / stored */
	/* GB/s of original bytes; encode is measuring, trying codecs, encoding and hashing together */
	double encode[DFS_CPU_LEVELS];
	double decode[DFS_CPU_LEVELS];
	size_t chunks[DFS_CODECS];
	size_t table_bytes;
};

struct stored {
	uint8_t *payload;
	size_t len;
	unsigned codec;
	uint64_t hashes;
};

static struct dfs_block block_at(const struct set *s, const struct pair *p, size_t first)
{
	size_t most = CHUNK_BYTES / p->size;

	return (struct dfs_block){
		.shape = { s->dtype, s->drop, s->cols, s->cols ? p->n / s->cols : 0 },
		.first = first,
		.n = p->n - first < most ? p->n - first : most,
		.pred = p->pred ? p->pred + first * p->size : NULL,
	};
}

static void check(int ret, const char *what)
{
	if (ret == 0)
		return;
	fprintf(stderr, "codec_bench: %s: %s\n", what, strerror(-ret));
	exit(1);
}

static struct dfs_exact_tables *encode_once(const struct set *s, const struct pair *p,
					    struct stored *chunks, struct dfs_scratch *scratch,
					    double *ret_speed)
{
	struct dfs_exact_record *record =
		dfs_exact_record_new(block_at(s, p, 0).shape, p->pred != NULL);
	struct dfs_exact_tables *tables = NULL;
	double start = now();
	size_t first;

	for (first = 0; first < p->n; first += CHUNK_BYTES / p->size) {
		struct dfs_block b = block_at(s, p, first);

		check(dfs_exact_measure(record, &b, p->data + first * p->size, scratch), "measure");
	}
	check(dfs_exact_prepare(record, &tables, NULL), "prepare");
	first = 0;
	for (size_t i = 0; first < p->n; i++, first += CHUNK_BYTES / p->size) {
		struct dfs_block b = block_at(s, p, first);

		check(dfs_exact_encode(&b, p->data + first * p->size, tables, chunks[i].payload,
				       &chunks[i].len, &chunks[i].codec, scratch), "encode");
		chunks[i].hashes = dfs_hash64(p->data + first * p->size, b.n * p->size, first * p->size) ^
				   dfs_hash64(chunks[i].payload, chunks[i].len, first);
	}
	*ret_speed = p->n * p->size / (now() - start) / 1e9;
	dfs_exact_record_free(record);
	return tables;
}

static struct dfs_exact_tables *encode_all(const struct set *s, const struct pair *p,
					   struct stored *chunks, enum dfs_cpu cpu,
					   double *ret_best)
{
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct dfs_exact_tables *tables = NULL;

	dfs_scratch_set_cpu(scratch, cpu);
	*ret_best = 0;
	for (int round = 0; round < ROUNDS; round++) {
		double speed;

		dfs_exact_tables_free(tables);
		tables = encode_once(s, p, chunks, scratch, &speed);
		if (speed > *ret_best)
			*ret_best = speed;
	}
	dfs_scratch_free(scratch);
	return tables;
}

static void open_tables(const struct set *s, const struct dfs_exact_tables *tables,
			struct dfs_table *opened[DFS_CODECS], struct result *res)
{
	struct dfs_shape shape = { s->dtype, s->drop, s->cols, s->cols ? 1 << 20 : 0 };

	for (unsigned id = 0; id < DFS_CODECS; id++) {
		struct dfs_span bytes = dfs_exact_table_bytes(tables, id);
		int code;

		if (!bytes.len)
			continue;
		res->table_bytes += bytes.len;
		check(dfs_codec_find(id, &code, NULL)->table_open(shape, bytes, false, &opened[id],
								  NULL), "table");
	}
}

static double decode_all(const struct set *s, const struct pair *p, const struct stored *chunks,
			 struct dfs_table *const opened[DFS_CODECS], enum dfs_cpu cpu)
{
	struct dfs_scratch *scratch = dfs_scratch_new();
	uint8_t *out = room(CHUNK_BYTES + DFS_VALUES_PAD);
	double best = 0;

	dfs_scratch_set_cpu(scratch, cpu);
	for (int round = 0; round < ROUNDS; round++) {
		double spent = 0;
		size_t first = 0;

		for (size_t i = 0; first < p->n; i++, first += CHUNK_BYTES / p->size) {
			struct dfs_block b = block_at(s, p, first);
			struct dfs_span payload = { chunks[i].payload, chunks[i].len };
			unsigned id = chunks[i].codec;
			double start = now();
			int code;

			check(dfs_codec_find(id, &code, NULL)->decode(&b, payload, opened[id], out,
								      scratch, NULL), "decode");
			spent += now() - start;
			if (memcmp(out, p->data + first * p->size, b.n * p->size) != 0)
				check(-EIO, "what was decoded differs");
		}
		if (p->n * p->size / spent / 1e9 > best)
			best = p->n * p->size / spent / 1e9;
	}
	free(out);
	dfs_scratch_free(scratch);
	return best;
}

static struct result run(const struct set *s, size_t bytes)
{
	struct result res = { 0 };
	struct pair p = make_pair(s, bytes);
	size_t n = (bytes + CHUNK_BYTES - 1) / CHUNK_BYTES, total = 0;
	struct stored *chunks = room(n * sizeof(*chunks));
	struct dfs_table *opened[DFS_CODECS] = { NULL };
	struct dfs_exact_tables *tables = NULL;

	for (size_t i = 0; i < n; i++)
		chunks[i].payload = room(CHUNK_BYTES);
	for (unsigned cpu = 0; cpu <= dfs_cpu_best(); cpu++) {
		dfs_exact_tables_free(tables);
		tables = encode_all(s, &p, chunks, cpu, &res.encode[cpu]);
	}
	open_tables(s, tables, opened, &res);
	for (unsigned cpu = 0; cpu <= dfs_cpu_best(); cpu++)
		res.decode[cpu] = decode_all(s, &p, chunks, opened, cpu);
	for (size_t i = 0; i < n; i++) {
		total += chunks[i].len + CHUNK_RECORD;
		res.chunks[chunks[i].codec]++;
		free(chunks[i].payload);
	}
	total += res.table_bytes;
	res.bits = 8.0 * total / p.n;
	res.factor = (double)bytes / total;
	for (unsigned id = 0; id < DFS_CODECS; id++)
		dfs_table_close(opened[id]);
	dfs_exact_tables_free(tables);
	free(chunks);
	free(p.pred);
	free(p.data);
	return res;
}

static unsigned main_codec(const struct result *res)
{
	unsigned most = 0;

	for (unsigned id = 1; id < DFS_CODECS; id++)
		if (res->chunks[id] > res->chunks[most])
			most = id;
	return most;
}

static void print_text(const char *name, const struct result *r)
{
	printf("%-20s %-7s %8.3f %9.2f %7zu", name, dfs_codec_name(main_codec(r)), r->bits,
	       r->factor, r->table_bytes);
	for (unsigned cpu = 0; cpu < DFS_CPU_LEVELS; cpu++)
		printf(" %8.2f", r->encode[cpu]);
	for (unsigned cpu = 0; cpu < DFS_CPU_LEVELS; cpu++)
		printf(" %8.2f", r->decode[cpu]);
	printf("\n");
	fflush(stdout);
}

static void print_speeds(const char *what, const double *speeds)
{
	printf("\"%s_gbps\": {", what);
	for (unsigned cpu = 0; cpu <= dfs_cpu_best(); cpu++)
		printf("%s\"%s\": %.3f", cpu ? ", " : "", dfs_cpu_name(cpu), speeds[cpu]);
	printf("}");
}

static void print_json(const char *name, const struct result *r, bool first)
{
	printf("%s\n  {\"set\": \"%s\", \"codec\": \"%s\", \"bits_per_weight\": %.4f, "
	       "\"factor\": %.3f, \"table_bytes\": %zu, ",
	       first ? "" : ",", name, dfs_codec_name(main_codec(r)), r->bits, r->factor,
	       r->table_bytes);
	print_speeds("encode", r->encode);
	printf(", ");
	print_speeds("decode", r->decode);
	printf("}");
}

static void print_head(void)
{
	printf("%-45s   encode (with hashes), GB/s    decode, GB/s\n", "");
	printf("%-20s %-7s %8s %9s %7s", "set", "codec", "bits/w", "factor", "table");
	for (unsigned i = 0; i < 2 * DFS_CPU_LEVELS; i++)
		printf(" %8s", dfs_cpu_name(i % DFS_CPU_LEVELS));
	printf("\n");
}

int main(int argc, char **argv)
{
	bool json = false, first = true;
	const char *pattern = "";
	size_t mib = 16;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			json = true;
		else if (!strcmp(argv[i], "--mib") && i + 1 < argc)
			mib = strtoul(argv[++i], NULL, 10);
		else
			pattern = argv[i];
	}
	if (json)
		printf("{\"version\": 1, \"mib\": %zu, \"sets\": [", mib);
	else
		print_head();
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		struct result res;

		if (!strstr(sets[i].name, pattern))
			continue;
		res = run(&sets[i], mib << 20);
		if (json)
			print_json(sets[i].name, &res, first);
		else
			print_text(sets[i].name, &res);
		first = false;
	}
	if (json)
		printf("\n]}\n");
	return 0;
}
