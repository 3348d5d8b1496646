/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_draw: see file_operations.h. */
#include "file_operations.h"

/* A sector, a page, a request of FUSE and with it a chunk of a container. */
static const uint64_t grains[] = { 1, 1, 512, PAGE, 128u << 10 };

uint64_t draw_offset(struct subject *s, uint64_t limit)
{
	uint64_t grain = grains[draw_below(&s->rng, sizeof(grains) / sizeof(grains[0]))];
	uint64_t off = draw_below(&s->rng, limit + 1) / grain * grain;

	if (draw_one_in(&s->rng, 8))
		off = limit;
	if (draw_one_in(&s->rng, 4))
		off += draw_below(&s->rng, 5);
	if (draw_one_in(&s->rng, 4))
		off -= off ? 1 : 0;
	return off < limit ? off : limit;
}

struct range draw_range(struct subject *s, uint64_t limit)
{
	struct range r = { .off = draw_offset(s, limit - 1), .len = draw_length(&s->rng, PIECE) };

	if (draw_one_in(&s->rng, 4) && r.len > PAGE)
		r.len &= ~(size_t)(PAGE - 1);
	if (r.len > limit - r.off)
		r.len = limit - r.off;
	account_note(&s->account, " %llu+%zu", (unsigned long long)r.off, r.len);
	return r;
}

void draw_bytes(struct subject *s, size_t len)
{
	content_fill(NULL, rng_next(&s->rng), 0, s->buf, len);
}
