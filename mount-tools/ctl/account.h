/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * account: where the bytes of a container go, tensor by tensor.
 *
 * What a segment takes is its payloads, its tables and its records in the
 * metadata. A tensor that is a segment takes that; tensors of a bundle share it
 * by their size; a tensor in two segments takes both.
 */
#ifndef DELTAFSCTL_ACCOUNT_H
#define DELTAFSCTL_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "format/container.h"
#include "tensor/safetensors.h"
#include "util/err.h"

struct ctl_account_sum {
	uint64_t params;
	uint64_t original_bytes;
	uint64_t stored_bytes;
};

struct ctl_account_codec {
	uint64_t chunks, original_bytes, stored_bytes;	/* of payloads */
	uint64_t table_bytes;	/* of what they share */
};

#define CTL_CODECS 32

struct ctl_account {
	struct ctl_account_sum linear;	/* matrices of linear layers, by name and shape (tensor/linear.h) */
	struct ctl_account_sum given_up;	/* tensors that a lossy codec has some chunk of */
	struct ctl_account_sum all;	/* the whole file and the whole container */
	struct ctl_account_codec codecs[CTL_CODECS];	/* by id */
};

/* ctl_account_make() - @header: NULL if the file is opaque */
void ctl_account_make(const struct dfs_container *c, const struct dfs_header *header,
		      struct ctl_account *ret_account);

/* What one tensor takes, and what made it. */
struct ctl_account_tensor {
	double stored_bytes;
	const char *predictor;
	unsigned codec;		/* of most of its bytes */
	bool lossy;		/* some of them are of a codec that gives up bits */
};

void ctl_account_tensor(const struct dfs_container *c, const struct dfs_tensor *tensor,
			struct ctl_account_tensor *ret_account);

/* ctl_account_params() - elements of a tensor */
uint64_t ctl_account_params(const struct dfs_tensor *tensor);

#endif
