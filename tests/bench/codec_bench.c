/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * codec_bench: what the exact codecs make of synthetic pairs, and how fast.
 *
 *	codec_bench [--json] [--mib N] [PATTERN]
 *
 * Pairs are synthetic (pairs.h), speeds measured as speed.h says; bases are in
 * memory. Encoding is measuring, trying codecs, encoding and hashing together.
 * Bits per weight include the table and 32 bytes a chunk for its record in a
 * container. Every decode is compared with what was encoded.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/exact.h"
#include "util/hash.h"
#include "pairs.h"
#include "speed.h"

#define CHUNK_BYTES (128u << 10)

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

struct result {
	double bits;		/* a weight, everything included */
	double factor;		/* original / stored */
	struct speeds encode, decode;
	size_t chunks[DFS_CODECS];
	size_t table_bytes;
};

struct stored {
	uint8_t *payload;
	size_t len;
	unsigned codec;
	uint64_t hashes;
};

struct job {
	const struct set *set;
	struct pair pair;
	struct stored *chunks;
	size_t n;
	struct dfs_exact_tables *tables;
	struct dfs_table *opened[DFS_CODECS];
	uint8_t *out;
};

/* Chunk @i; @ret_data: what it is to become again. */
static struct dfs_block block_at(const struct job *job, size_t i, const uint8_t **ret_data)
{
	const struct set *s = job->set;
	const struct pair *p = &job->pair;
	size_t most = CHUNK_BYTES / p->size, first = i * most;

	*ret_data = p->data + first * p->size;
	return (struct dfs_block){
		.shape = { s->dtype, s->drop, s->cols, s->cols ? p->n / s->cols : 0 },
		.first = first,
		.n = p->n - first < most ? p->n - first : most,
		.pred = p->pred ? p->pred + first * p->size : NULL,
	};
}

static double encode_round(void *data, struct dfs_scratch *scratch)
{
	struct job *job = data;
	const uint8_t *values;
	struct dfs_exact_record *record;
	double start;

	dfs_exact_tables_free(job->tables);
	record = dfs_exact_record_new(block_at(job, 0, &values).shape, job->pair.pred != NULL);
	start = cpu_now();
	for (size_t i = 0; i < job->n; i++) {
		struct dfs_block b = block_at(job, i, &values);

		must(dfs_exact_measure(record, &b, values, scratch), "measure");
	}
	must(dfs_exact_prepare(record, &job->tables, NULL), "prepare");
	for (size_t i = 0; i < job->n; i++) {
		struct dfs_block b = block_at(job, i, &values);
		struct stored *c = &job->chunks[i];

		must(dfs_exact_encode(&b, values, job->tables, c->payload, &c->len, &c->codec, scratch), "encode");
		c->hashes = dfs_hash64(values, b.n * job->pair.size, b.first * job->pair.size) ^
			    dfs_hash64(c->payload, c->len, b.first);
	}
	start = cpu_now() - start;
	dfs_exact_record_free(record);
	return start;
}

static double decode_round(void *data, struct dfs_scratch *scratch)
{
	struct job *job = data;
	double spent = 0;

	for (size_t i = 0; i < job->n; i++) {
		const uint8_t *values;
		struct dfs_block b = block_at(job, i, &values);
		const struct stored *c = &job->chunks[i];
		double start = cpu_now();
		int code;

		must(dfs_codec_find(c->codec, &code, NULL)->decode(&b, (struct dfs_span){ c->payload, c->len },
								   job->opened[c->codec], job->out, scratch, NULL), "decode");
		spent += cpu_now() - start;
		if (memcmp(job->out, values, b.n * job->pair.size) != 0)
			must(-EIO, "what was decoded differs");
	}
	return spent;
}

static size_t open_tables(struct job *job)
{
	const struct set *s = job->set;
	struct dfs_shape shape = { s->dtype, s->drop, s->cols, s->cols ? 1 << 20 : 0 };
	size_t all = 0;

	for (unsigned id = 0; id < DFS_CODECS; id++) {
		struct dfs_span bytes = dfs_exact_table_bytes(job->tables, id);
		int code;

		if (!bytes.len)
			continue;
		all += bytes.len;
		must(dfs_codec_find(id, &code, NULL)->table_open(shape, bytes, false, &job->opened[id], NULL), "table");
	}
	return all;
}

static struct result run(const struct set *s, size_t bytes)
{
	struct result res = { 0 };
	struct job job = { .set = s, .pair = make_pair(s, bytes), .n = (bytes + CHUNK_BYTES - 1) / CHUNK_BYTES };
	size_t total;

	job.chunks = room(job.n * sizeof(*job.chunks));
	job.out = room(CHUNK_BYTES + DFS_VALUES_PAD);
	for (size_t i = 0; i < job.n; i++)
		job.chunks[i].payload = room(CHUNK_BYTES);
	res.encode = measure_speeds(encode_round, &job, bytes);
	total = res.table_bytes = open_tables(&job);
	res.decode = measure_speeds(decode_round, &job, bytes);
	for (size_t i = 0; i < job.n; i++) {
		total += job.chunks[i].len + CHUNK_RECORD;
		res.chunks[job.chunks[i].codec]++;
		free(job.chunks[i].payload);
	}
	res.bits = 8.0 * total / job.pair.n;
	res.factor = (double)bytes / total;
	for (unsigned id = 0; id < DFS_CODECS; id++)
		dfs_table_close(job.opened[id]);
	dfs_exact_tables_free(job.tables);
	free(job.chunks);
	free(job.out);
	free(job.pair.pred);
	free(job.pair.data);
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
	print_speeds(&r->encode);
	print_speeds(&r->decode);
	printf("\n");
	fflush(stdout);
}

static void print_json_speeds(const char *what, const struct speeds *speeds)
{
	printf("\"%s_gbps\": {", what);
	for (unsigned cpu = 0; cpu <= dfs_cpu_best(); cpu++)
		printf("%s\"%s\": %.3f", cpu ? ", " : "", dfs_cpu_name(cpu), speeds->at[cpu]);
	printf("}");
}

static void print_json(const char *name, const struct result *r, bool first)
{
	printf("%s\n  {\"set\": \"%s\", \"codec\": \"%s\", \"bits_per_weight\": %.4f, "
	       "\"factor\": %.3f, \"table_bytes\": %zu, ",
	       first ? "" : ",", name, dfs_codec_name(main_codec(r)), r->bits, r->factor,
	       r->table_bytes);
	print_json_speeds("encode", &r->encode);
	printf(", ");
	print_json_speeds("decode", &r->decode);
	printf("}");
}

static void print_head(void)
{
	printf("%-55s %-*s %s\n", "", SPEED_COLUMNS - 1, "encode (with hashes), GB/s", "decode, GB/s");
	printf("%-20s %-7s %8s %9s %7s", "set", "codec", "bits/w", "factor", "table");
	print_levels();
	print_levels();
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
