/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_header: any bytes as the start of a model file.
 *
 * Input: u64le length of the whole file minus what follows (so that files
 * larger than their header occur), then the file.
 */
#include <stdlib.h>

#include "tensor/safetensors.h"
#include "util/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dfs_header *header = NULL;
	struct dfs_err err;
	uint64_t more;

	if (len < 8)
		return 0;
	more = dfs_get_u64le(data) & 0xffffffffffff;
	if (dfs_header_parse(data + 8, len - 8, len - 8 + more, &header, &err) < 0)
		return 0;
	for (size_t i = 0; i < header->n_tensors; i++) {
		const struct dfs_tensor *tensor = &header->tensors[i];

		if (dfs_header_find(header, tensor->name) != tensor)
			abort();
		if (tensor->off < header->data_off || tensor->off + tensor->len > header->file_len)
			abort();
		if (tensor->len && dfs_header_at(header, tensor->off) != tensor)
			abort();
		(void)dfs_tensor_cols(tensor);
	}
	dfs_header_free(header);
	return 0;
}
