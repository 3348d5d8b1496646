/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * make_pair: a synthetic base model and a fine-tune of it, for tests and benchmarks.
 *
 * Base values are N(0, 0.02), rounded to the base's dtype; the fine-tune is
 * that plus N(0, 0.02 r), rounded to its own (updates of one absolute scale,
 * as Adam gives them). With --moved, a share of the values moves by one or two
 * units in the last place instead and the rest stays. The shape is that of a
 * small transformer. One seed gives the same files on every machine with IEEE
 * arithmetic and the same libm; each tensor has its own random streams, so
 * its values do not depend on how the files are cut into shards.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "floats.h"
#include "random.h"

#define BLOCK 65536
#define NAME_LEN 96

static void die(const char *what)
{
	fprintf(stderr, "make_pair: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The model. */

struct tensor {
	char name[NAME_LEN];
	uint64_t base_rows, rows, cols;	/* cols 0: one dimension */
};

struct options {
	uint64_t params, seed, vocab, grow, hidden;
	double r, moved, rows_moved;
	const struct format *base, *tune, *parked;
	int base_shards, shards;
	const char *prefix, *dir;
};

struct model {
	struct tensor *tensors;
	size_t n;
};

static void model_add(struct model *m, const char *name, uint64_t base_rows, uint64_t rows, uint64_t cols)
{
	struct tensor *t;

	m->tensors = realloc(m->tensors, (m->n + 1) * sizeof(*t));
	if (!m->tensors)
		die("memory");
	t = &m->tensors[m->n++];
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->base_rows = base_rows;
	t->rows = rows;
	t->cols = cols;
}

static uint64_t count(uint64_t rows, uint64_t cols)
{
	return rows * (cols ? cols : 1);
}

static struct model model_plan(const struct options *o)
{
	static const struct { const char *name; int num, den; bool matrix; } parts[] = {
		{ "input_layernorm.weight", 1, 1, false },   { "mlp.down_proj.weight", 1, 1, true },
		{ "mlp.gate_proj.weight", 11, 4, true },     { "mlp.up_proj.weight", 11, 4, true },
		{ "post_attention_layernorm.weight", 1, 1, false }, { "self_attn.k_proj.weight", 1, 1, true },
		{ "self_attn.o_proj.weight", 1, 1, true },   { "self_attn.q_proj.weight", 1, 1, true },
		{ "self_attn.v_proj.weight", 1, 1, true },
	};
	struct model m = { 0 };
	uint64_t h = o->hidden, done = o->vocab * h;
	char name[NAME_LEN];

	if (o->vocab)
		model_add(&m, "model.embed_tokens.weight", o->vocab, o->vocab + o->grow, h);
	for (int layer = 0; done < o->params; layer++)
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
			bool down = !strncmp(parts[i].name, "mlp.down", 8);
			uint64_t rows = h * parts[i].num / parts[i].den, cols = down ? h * 11 / 4 : h;

			snprintf(name, sizeof(name), "model.layers.%d.%s", layer, parts[i].name);
			model_add(&m, name, rows, rows, parts[i].matrix ? cols : 0);
			done += parts[i].matrix ? rows * cols : 0;
		}
	model_add(&m, "model.norm.weight", h, h, 0);
	return m;
}

/* One side of the pair: its files and where each tensor lies in them. */

struct place {
	int fd, shard;
	uint64_t off;		/* in the data part, then in the file */
};

struct side {
	const char *dir;
	const char *prefix;
	const struct format *f;
	bool is_base;
	int shards;
	struct place *places;
};

static uint64_t side_bytes(const struct side *s, const struct tensor *t)
{
	return count(s->is_base ? t->base_rows : t->rows, t->cols) * s->f->size;
}

static void shard_path(const struct side *s, int shard, char *path, size_t len)
{
	if (s->shards == 1)
		snprintf(path, len, "%s/model.safetensors", s->dir);
	else
		snprintf(path, len, "%s/model-%05d-of-%05d.safetensors", s->dir, shard + 1, s->shards);
}

static void write_header(FILE *out, const struct side *s, const struct model *m, int shard)
{
	fprintf(out, "{\"__metadata__\":{\"format\":\"pt\"}");
	for (size_t i = 0; i < m->n; i++) {
		const struct tensor *t = &m->tensors[i];
		uint64_t rows = s->is_base ? t->base_rows : t->rows, off = s->places[i].off;

		if (s->places[i].shard != shard)
			continue;
		fprintf(out, ",\"%s%s\":{\"dtype\":\"%s\",\"shape\":[%ju", s->prefix, t->name, s->f->name, (uintmax_t)rows);
		if (t->cols)
			fprintf(out, ",%ju", (uintmax_t)t->cols);
		fprintf(out, "],\"data_offsets\":[%ju,%ju]}", (uintmax_t)off, (uintmax_t)(off + side_bytes(s, t)));
	}
	fprintf(out, "}");
}

static void shard_open(struct side *s, const struct model *m, int shard)
{
	char path[4096], *json = NULL;
	size_t len = 0, padded;
	uint8_t length[8];
	FILE *out = open_memstream(&json, &len);
	int fd;

	if (!out)
		die("memory");
	write_header(out, s, m, shard);
	fclose(out);
	padded = (len + 7) & ~(size_t)7;
	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)((uint64_t)padded >> 8 * i);
	shard_path(s, shard, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, length, 8) != 8 || write(fd, json, len) != (ssize_t)len ||
	    write(fd, "       ", padded - len) != (ssize_t)(padded - len))
		die(path);
	for (size_t i = 0; i < m->n; i++)
		if (s->places[i].shard == shard) {
			s->places[i].fd = fd;
			s->places[i].off += 8 + padded;
		}
	free(json);
}

static void write_index(const struct side *s, const struct model *m)
{
	char path[4096];
	FILE *out;

	snprintf(path, sizeof(path), "%s/model.safetensors.index.json", s->dir);
	out = fopen(path, "w");
	if (!out)
		die(path);
	fprintf(out, "{\"metadata\":{},\"weight_map\":{");
	for (size_t i = 0; i < m->n; i++)
		fprintf(out, "%s\"%s%s\":\"model-%05d-of-%05d.safetensors\"", i ? "," : "",
			s->prefix, m->tensors[i].name, s->places[i].shard + 1, s->shards);
	fprintf(out, "}}\n");
	if (fclose(out))
		die(path);
}

static void side_open(struct side *s, const struct model *m)
{
	uint64_t total = 0, done = 0, in_shard = 0;
	int shard = 0;

	if (mkdir(s->dir, 0777) < 0 && errno != EEXIST)
		die(s->dir);
	s->places = calloc(m->n, sizeof(*s->places));
	if (!s->places)
		die("memory");
	for (size_t i = 0; i < m->n; i++)
		total += side_bytes(s, &m->tensors[i]);
	for (size_t i = 0; i < m->n; i++) {
		if (done * s->shards >= total * (shard + 1) && shard + 1 < s->shards) {
			shard++;
			in_shard = 0;
		}
		s->places[i] = (struct place){ .shard = shard, .off = in_shard };
		in_shard += side_bytes(s, &m->tensors[i]);
		done += side_bytes(s, &m->tensors[i]);
	}
	for (int i = 0; i < s->shards; i++)
		shard_open(s, m, i);
	if (s->shards > 1)
		write_index(s, m);
}

/* The values. */

struct streams {
	struct ziggurat z;
	struct rng base, tune;
	bool row_moves;
};

static uint64_t tuned(const struct options *o, struct streams *st, uint64_t bits)
{
	double w = widen(o->base, bits);
	uint64_t step;

	if (o->moved >= 0) {
		if (!st->row_moves || rng_uniform(&st->tune) >= o->moved)
			return round_to(o->tune, w);
		step = 1 + (rng_next(&st->tune) >> 63);
		bits = round_to(o->tune, w);
		return rng_next(&st->tune) >> 63 ? bits + step : bits - step;
	}
	if (o->r > 0 && st->row_moves)
		w += 0.02 * o->r * gauss(&st->z, &st->tune);
	if (o->parked)
		w = widen(o->parked, round_to(o->parked, w));
	return round_to(o->tune, w);
}

static void write_block(int fd, const void *bytes, size_t len, uint64_t off)
{
	if (pwrite(fd, bytes, len, (off_t)off) != (ssize_t)len)
		die("write");
}

static void make_tensor(const struct options *o, struct streams *st, const struct tensor *t,
			const struct place *base, const struct place *tune)
{
	static uint8_t old[BLOCK * 8], new[BLOCK * 8];
	uint64_t n = count(t->rows, t->cols), n_base = count(t->base_rows, t->cols);
	int bs = o->base->size, ts = o->tune->size;

	st->base = rng_new(o->seed, t->name);
	st->tune = rng_new(o->seed + 1, t->name);
	st->row_moves = true;
	for (uint64_t at = 0; at < n; at += BLOCK) {
		uint64_t left = n - at < BLOCK ? n - at : BLOCK;
		uint64_t both = at >= n_base ? 0 : n_base - at < left ? n_base - at : left;

		for (uint64_t i = 0; i < left; i++) {
			uint64_t bits = round_to(o->base, 0.02 * gauss(&st->z, &st->base));

			if (o->rows_moved < 1 && t->cols && (at + i) % t->cols == 0)
				st->row_moves = rng_uniform(&st->tune) < o->rows_moved;
			put_bits(o->base, old + i * bs, bits);
			put_bits(o->tune, new + i * ts, tuned(o, st, bits));
		}
		write_block(base->fd, old, both * bs, base->off + at * bs);
		write_block(tune->fd, new, left * ts, tune->off + at * ts);
	}
}

static const char usage[] =
	"usage: make_pair [options] DIR      writes DIR/base and DIR/tune\n"
	"  --params N         at least N parameters in matrices (1000000)\n"
	"  --hidden N         columns (256)\n"
	"  --vocab N          rows of the embedding (2048; 0: none)\n"
	"  --grow N           rows that only the fine-tune's embedding has (0)\n"
	"  --r R              update, relative to the weights' 0.02 (0.01; 0: identical values)\n"
	"  --moved F          instead: a share F of the values moves by one or two ulps\n"
	"  --rows-moved F     only a share F of the rows of matrices moves at all (1)\n"
	"  --dtype D          of the base: bf16, f16, f32, f64, f8e5m2, f8e4m3 (bf16)\n"
	"  --tune-dtype D     of the fine-tune (the base's)\n"
	"  --parked D         the fine-tune's values are rounded to D first\n"
	"  --base-shards N, --shards N    files (1)\n"
	"  --prefix P         in front of each name of the fine-tune\n"
	"  --seed N           (1)\n";

enum { PARAMS = 1, HIDDEN, VOCAB, GROW, R, MOVED, ROWS, DTYPE, TUNE_DTYPE, PARKED, BASE_SHARDS, SHARDS, PREFIX, SEED };

static void set_option(struct options *o, int opt)
{
	switch (opt) {
	case PARAMS: o->params = strtoull(optarg, NULL, 0); break;
	case HIDDEN: o->hidden = strtoull(optarg, NULL, 0); break;
	case VOCAB: o->vocab = strtoull(optarg, NULL, 0); break;
	case GROW: o->grow = strtoull(optarg, NULL, 0); break;
	case R: o->r = strtod(optarg, NULL); break;
	case MOVED: o->moved = strtod(optarg, NULL); break;
	case ROWS: o->rows_moved = strtod(optarg, NULL); break;
	case DTYPE: o->base = format_find(optarg); break;
	case TUNE_DTYPE: o->tune = format_find(optarg); break;
	case PARKED: o->parked = format_find(optarg); break;
	case BASE_SHARDS: o->base_shards = atoi(optarg); break;
	case SHARDS: o->shards = atoi(optarg); break;
	case PREFIX: o->prefix = optarg; break;
	case SEED: o->seed = strtoull(optarg, NULL, 0); break;
	default: fputs(usage, stderr); exit(2);
	}
}

static struct options read_options(int argc, char **argv)
{
	static const struct option table[] = {
		{ "params", 1, 0, PARAMS }, { "hidden", 1, 0, HIDDEN }, { "vocab", 1, 0, VOCAB },
		{ "grow", 1, 0, GROW }, { "r", 1, 0, R }, { "moved", 1, 0, MOVED },
		{ "rows-moved", 1, 0, ROWS }, { "dtype", 1, 0, DTYPE }, { "tune-dtype", 1, 0, TUNE_DTYPE },
		{ "parked", 1, 0, PARKED }, { "base-shards", 1, 0, BASE_SHARDS },
		{ "shards", 1, 0, SHARDS }, { "prefix", 1, 0, PREFIX }, { "seed", 1, 0, SEED }, { 0 }
	};
	struct options o = {
		.params = 1000000, .hidden = 256, .vocab = 2048, .seed = 1, .r = 0.01, .moved = -1,
		.rows_moved = 1, .base = format_find("bf16"), .base_shards = 1, .shards = 1, .prefix = "",
	};
	int opt;

	while ((opt = getopt_long_only(argc, argv, "", table, NULL)) >= 0)
		set_option(&o, opt);
	if (optind != argc - 1 || o.hidden < 4 || o.base_shards < 1 || o.shards < 1) {
		fputs(usage, stderr);
		exit(2);
	}
	o.dir = argv[optind];
	if (!o.tune)
		o.tune = o.base;
	return o;
}

int main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	struct model m = model_plan(&o);
	struct streams st = { 0 };
	char base_dir[4096], tune_dir[4096];
	struct side base = { base_dir, "", o.base, true, o.base_shards, NULL };
	struct side tune = { tune_dir, o.prefix, o.tune, false, o.shards, NULL };

	if (mkdir(o.dir, 0777) < 0 && errno != EEXIST)
		die(o.dir);
	snprintf(base_dir, sizeof(base_dir), "%s/base", o.dir);
	snprintf(tune_dir, sizeof(tune_dir), "%s/tune", o.dir);
	ziggurat_init(&st.z);
	side_open(&base, &m);
	side_open(&tune, &m);
	for (size_t i = 0; i < m.n; i++)
		make_tensor(&o, &st, &m.tensors[i], &base.places[i], &tune.places[i]);
	free(base.places);
	free(tune.places);
	free(m.tensors);
	return 0;
}
