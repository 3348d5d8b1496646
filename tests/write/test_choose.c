/* SPDX-License-Identifier: GPL-2.0-or-later */
/* choose, sample, family: which base, and what it is good for. */
#include "files.h"

#include "write/choose.h"
#include "write/classify.h"
#include "write/family.h"

#define N 4

/* Models 0..N-1 are of one shape; @fd is tuned from number 2. */
struct fixture {
	int fds[N];
	struct dfs_model *models[N];
	struct dfs_hand *hand;
};

static void given_models(struct fixture *f)
{
	f->hand = dfs_hand_new();
	CHECK(f->hand);
	for (int i = 0; i < N; i++) {
		f->fds[i] = files_model(900, 400, files_weight, (uint64_t)i + 1);
		f->models[i] = files_open_model(f->fds[i]);
	}
}

static void done(struct fixture *f)
{
	for (int i = 0; i < N; i++) {
		dfs_model_free(f->models[i]);
		close(f->fds[i]);
	}
	dfs_hand_free(f->hand);
}

static void choose_for(struct fixture *f, int fd, size_t n, struct dfs_choice *ret_choice)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	struct dfs_err err = { "" };
	struct stat st;

	CHECK(fstat(fd, &st) == 0);
	CHECK_OK(dfs_classify(fd, &header, NULL, &err), err);
	CHECK_OK(dfs_choose(&(struct dfs_work_input){ .fd = fd, .len = (uint64_t)st.st_size, .header = header },
			    f->models, n, DFS_SAMPLE_CHOOSE, f->hand, ret_choice, &err), err);
}

static void the_base_it_was_tuned_from_wins(void **state)
{
	int fd = files_model(900, 400, files_tuned, 3);
	struct dfs_choice choice;
	struct fixture f;
	(void)state;

	given_models(&f);
	choose_for(&f, fd, N, &choice);
	CHECK(choice.model == 2 && !choice.why_none);
	CHECK(choice.best.bits < choice.alone.bits / 4);
	/* Not among the candidates: a model of the same shape is of no use. */
	choose_for(&f, fd, 2, &choice);
	CHECK(choice.model == DFS_CHOSE_NONE && choice.why_none);
	choose_for(&f, fd, 0, &choice);
	CHECK(choice.model == DFS_CHOSE_NONE && choice.why_none);
	close(fd);
	done(&f);
}

static void what_is_no_model_has_no_base(void **state)
{
	int fd = files_memory("text");
	struct dfs_choice choice;
	struct fixture f;
	(void)state;

	given_models(&f);
	files_append(fd, "no model, but bytes like any other", 34);
	choose_for(&f, fd, N, &choice);
	CHECK(choice.model == DFS_CHOSE_NONE);
	close(fd);
	done(&f);
}

static void a_sample_foretells_the_size(void **state)
{
	int base_fd = files_model(900, 400, files_weight, 3), fd = files_model(900, 400, files_tuned, 3);
	struct dfs_model *base = files_open_model(base_fd), *tune = files_open_model(fd);
	struct dfs_encode_config config = { .base = base, .threads = 1 };
	struct dfs_encode_result result;
	struct dfs_hand *hand = dfs_hand_new();
	struct dfs_err err = { "" };
	int out = files_memory("container");
	uint64_t guess;
	(void)state;

	CHECK_OK(dfs_encode(fd, "file", out, &config, &result, &err), err);
	CHECK_OK(dfs_model_sample(tune, base, DFS_SAMPLE_ESTIMATE, hand, &guess, &err), err);
	CHECK(guess * 100 > result.stored_bytes * 95 && guess * 100 < result.stored_bytes * 105);
	dfs_hand_free(hand);
	dfs_model_free(base);
	dfs_model_free(tune);
	close(out);
	close(fd);
	close(base_fd);
}

static void a_family_gets_one_base_and_strangers_none(void **state)
{
	/* 0 and 1 are tuned from 2; 3 only has their shape. */
	int fds[] = {
		files_model(900, 400, files_tuned, 7), files_model(910, 400, files_tuned, 7),
		files_model(900, 400, files_weight, 7), files_model(900, 400, files_weight, 8),
	};
	struct dfs_member members[N] = { 0 };
	struct dfs_hand *hand = dfs_hand_new();
	struct dfs_err err = { "" };
	size_t n_bases = 0;
	(void)state;

	for (int i = 0; i < N; i++)
		members[i].model = files_open_model(fds[i]);
	CHECK_RET(1, dfs_family_alike(members[0].model, members[3].model, &err));
	CHECK_OK(dfs_family_plan(members, N, hand, NULL, NULL, &err), err);
	for (int i = 0; i < 3; i++) {
		n_bases += members[i].base == (size_t)i;
		CHECK(members[i].base < 3);
		CHECK(members[members[i].base].base == members[i].base);
	}
	CHECK(n_bases == 1);
	CHECK(members[3].base == DFS_NO_BASE && members[3].stored == members[3].alone);
	for (int i = 0; i < N; i++) {
		dfs_model_free(members[i].model);
		close(fds[i]);
	}
	dfs_hand_free(hand);
}

static void models_of_other_tensors_are_no_family(void **state)
{
	int a = files_model(900, 400, files_weight, 1), b = files_model(900, 401, files_weight, 1);
	struct dfs_model *x = files_open_model(a), *y = files_open_model(b);
	struct dfs_err err = { "" };
	(void)state;

	CHECK_RET(0, dfs_family_alike(x, y, &err));
	CHECK_RET(1, dfs_family_alike(x, x, &err));
	dfs_model_free(x);
	dfs_model_free(y);
	close(a);
	close(b);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(the_base_it_was_tuned_from_wins),
	cmocka_unit_test(what_is_no_model_has_no_base),
	cmocka_unit_test(a_sample_foretells_the_size),
	cmocka_unit_test(a_family_gets_one_base_and_strangers_none),
	cmocka_unit_test(models_of_other_tensors_are_no_family),
};

CHECK_MAIN(cases)
