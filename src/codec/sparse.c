/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sparse: where a few values changed, and to what.
 *
 * For the nearly identical: steps of reinforcement learning, checkpoints.
 * Decoding is a copy of the prediction and a patch for each change.
 *
 * Payload, a bit stream (codec/bits.h), deltafs-format(5) "sparse payload":
 *	5	gap parameter g
 *	1	fixed
 *	6	order o
 *	exp-Golomb of order 10: how many values differ from their prediction
 *	then for each of them:
 *	Rice code of the gap, the number of values that do not differ since
 *	the one before (or the start): gap >> g zeros, a one, the g low bits
 *	u - 1, where u is the folded difference (codec/value.h), in o bits if
 *	fixed (all moved by a step or two), else as exp-Golomb of order o
 */
#include <errno.h>

#include "codec/bits.h"
#include "codec/internal.h"

#define COUNT_ORDER 10
#define ORDER_MAX 62
#define CHANGED_MAX 16	/* declines if more than one value in so many changed: diff is smaller */

struct change {
	uint64_t u;
	uint32_t gap;
};

static bool sparse_accepts(struct dfs_shape shape)
{
	struct dfs_layout l;

	return dfs_layout_init(&l, shape);
}

static size_t changes_max(size_t n)
{
	return n / CHANGED_MAX + 1;
}

/* Gaps add up to at most n: so many zeros at most; the rest of a change is below 20 bytes. */
static size_t sparse_bound(struct dfs_shape shape, size_t n)
{
	(void)shape;
	return 16 + n / 8 + 20 * changes_max(n);
}

#define BLOCK 32 /* bytes */

/* First value at or after @i where the arrays differ. */
static size_t find_change(const uint8_t *a, const uint8_t *b, size_t i, size_t n, unsigned size)
{
	size_t at = i * size, end = n * size;

	for (; at + BLOCK <= end; at += BLOCK)
		if (memcmp(a + at, b + at, BLOCK) != 0)
			break;
	while (at < end && a[at] == b[at])
		at++;
	return at / size;
}

/*
 * Do too many values differ for us? Whole words are looked at, so that values
 * of all sizes are one: few words differ only if few values do.
 */
static bool too_many_differ(const uint8_t *a, const uint8_t *b, size_t n, unsigned size)
{
	size_t words = n * size / 8, most = changes_max(n), differ = 0;

	for (size_t i = 0; i < words && differ <= most;) {
		size_t end = words - i < 512 ? words : i + 512;

		for (; i < end; i++)
			differ += dfs_get_u64le(a + 8 * i) != dfs_get_u64le(b + 8 * i);
	}
	return differ > most;
}

/* Return: how many; SIZE_MAX if too many. */
static size_t find_changes(const struct dfs_block *block, const struct dfs_layout *l,
			   const uint8_t *data, struct change *changes)
{
	size_t n = 0, from = 0;

	for (;;) {
		size_t at = find_change(block->pred, data, from, block->n, l->size);
		uint64_t q, x;

		if (at >= block->n)
			return n;
		if (n == changes_max(block->n))
			return SIZE_MAX;
		q = dfs_value_load(block->pred, at, l->size);
		x = dfs_value_load(data, at, l->size);
		changes[n++] = (struct change){ dfs_diff_64(l, x, q), at - from };
		from = at + 1;
	}
}

/* Costs fall and then rise with the parameter: the first minimum is the one. */
static unsigned best_gap(const struct change *changes, size_t n)
{
	uint64_t least = UINT64_MAX;

	for (unsigned g = 0; g < 32; g++) {
		uint64_t bits = 0;

		for (size_t i = 0; i < n; i++)
			bits += (changes[i].gap >> g) + 1 + g;
		if (bits >= least)
			return g - 1;
		least = bits;
	}
	return 31;
}

/* How the differences are written. */
struct code {
	bool fixed;
	unsigned order;
};

static uint64_t golomb_total(const struct change *changes, size_t n, unsigned order)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < n; i++)
		bits += dfs_golomb_bits(changes[i].u - 1, order);
	return bits;
}

static struct code best_code(const struct change *changes, size_t n)
{
	struct code best = { .fixed = true };
	uint64_t most = 0, least;
	unsigned length;

	for (size_t i = 0; i < n; i++)
		most |= changes[i].u - 1;
	length = most ? 64 - __builtin_clzll(most) : 0;
	best.order = length;
	least = n * (uint64_t)length;
	/* an order beyond the length only adds bits */
	for (unsigned order = 0; order <= length && length <= ORDER_MAX; order++) {
		uint64_t bits = golomb_total(changes, n, order);

		if (bits < least) {
			least = bits;
			best = (struct code){ .order = order };
		}
	}
	return best;
}

static void put_gap(struct dfs_bit_writer *w, uint32_t gap, unsigned g)
{
	uint32_t zeros = gap >> g;

	for (; zeros > 32; zeros -= 32)
		dfs_bits_put(w, 0, 32);
	dfs_bits_put(w, 0, zeros);
	dfs_bits_put(w, 1, 1);
	dfs_bits_put(w, gap, g);
}

static int sparse_encode(const struct dfs_block *block, const void *data,
			 const struct dfs_table *table, uint8_t *payload, size_t *ret_len,
			 struct dfs_scratch *scratch)
{
	struct dfs_layout l;
	struct dfs_bit_writer w = { .out = payload };
	struct change *changes;
	struct code code;
	unsigned gap;
	size_t n;

	(void)table;
	if (!block->pred || !dfs_layout_init(&l, block->shape))
		return -ERANGE;
	if (too_many_differ(block->pred, data, block->n, l.size))
		return -ERANGE;
	changes = dfs_scratch_get(scratch, DFS_SLOT_WORDS, changes_max(block->n) * sizeof(*changes));
	if (!changes)
		return -ENOMEM;
	n = find_changes(block, &l, data, changes);
	if (n == SIZE_MAX)
		return -ERANGE;
	gap = best_gap(changes, n);
	code = best_code(changes, n);
	if (code.order > ORDER_MAX)
		return -ERANGE;
	dfs_bits_put(&w, gap, 5);
	dfs_bits_put(&w, code.fixed, 1);
	dfs_bits_put(&w, code.order, 6);
	dfs_golomb_put(&w, n, COUNT_ORDER);
	for (size_t i = 0; i < n; i++) {
		put_gap(&w, changes[i].gap, gap);
		if (code.fixed)
			dfs_bits_put(&w, changes[i].u - 1, code.order);
		else
			dfs_golomb_put(&w, changes[i].u - 1, code.order);
	}
	*ret_len = dfs_bits_end(&w);
	return 0;
}

/*
 * A reader that looks at 57 bits at a time. It may look up to eight bytes
 * past the end, never farther: every loop stops once @at has passed it.
 */
struct reader {
	const uint8_t *data;
	size_t at, n_bits;
};

static uint64_t peek(const struct reader *r)
{
	return dfs_get_u64le(r->data + (r->at >> 3)) >> (r->at & 7);
}

static uint64_t take(struct reader *r, unsigned n)
{
	uint64_t v;

	if (n > 32) {
		v = take(r, 32);
		return v | take(r, n - 32) << 32;
	}
	if (r->at > r->n_bits)
		return 0;
	v = peek(r) & ((1ull << n) - 1);
	r->at += n;
	return v;
}

static uint64_t take_zeros(struct reader *r)
{
	uint64_t zeros = 0;

	while (r->at <= r->n_bits) {
		uint64_t bits = peek(r) & ((1ull << 57) - 1);

		if (bits) {
			unsigned more = __builtin_ctzll(bits);

			r->at += more + 1;
			return zeros + more;
		}
		zeros += 57;
		r->at += 57;
	}
	return zeros;
}

/* Passes the end if the number would need 64 bits. */
static uint64_t take_golomb(struct reader *r, unsigned order)
{
	uint64_t zeros = take_zeros(r);

	if (zeros + order >= 64) {
		r->at = r->n_bits + 1;
		return 0;
	}
	return (take(r, zeros + order) | 1ull << (zeros + order)) - (1ull << order);
}

static bool patch(struct reader *r, const struct dfs_layout *l, uint8_t *out, size_t n)
{
	unsigned g = take(r, 5);
	bool fixed = take(r, 1);
	unsigned order = take(r, 6);
	uint64_t count = take_golomb(r, COUNT_ORDER);
	uint64_t at = 0;

	if (order > ORDER_MAX)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t gap = take_zeros(r) << g;
		uint64_t u;

		gap |= take(r, g);
		u = (fixed ? take(r, order) : take_golomb(r, order)) + 1;
		if (r->at > r->n_bits || gap >= n - at || u == 0 || u > l->mask)
			return false;
		at += gap;
		dfs_value_store(out, at, l->size,
				dfs_apply_64(l, u, dfs_value_load(out, at, l->size)));
		at++;
	}
	return r->at <= r->n_bits && r->n_bits - r->at < 8 && !take(r, r->n_bits - r->at);
}

static int sparse_decode(const struct dfs_block *block, struct dfs_span payload,
			 const struct dfs_table *table, void *out, struct dfs_scratch *scratch,
			 struct dfs_err *err)
{
	struct dfs_layout l;
	struct reader r = { .data = payload.data, .n_bits = 8 * payload.len };

	(void)table;
	(void)scratch;
	if (!block->pred)
		return dfs_fail(err, EUCLEAN, "sparse: a segment without prediction");
	if (!dfs_layout_init(&l, block->shape))
		return dfs_fail(err, EUCLEAN, "sparse: not for values of this kind");
	if (out != block->pred)
		memcpy(out, block->pred, block->n * l.size);
	if (!patch(&r, &l, out, block->n))
		return dfs_fail(err, EUCLEAN, "sparse: payload is malformed");
	return 0;
}

const struct dfs_codec dfs_codec_sparse = {
	.name = "sparse",
	.exact = true,
	.needs_prediction = true,
	.accepts = sparse_accepts,
	.bound = sparse_bound,
	.encode = sparse_encode,
	.decode = sparse_decode,
};
