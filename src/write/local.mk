# SPDX-License-Identifier: GPL-2.0-or-later
src_libdeltafs_a_SOURCES += \
	%D%/background.c %D%/background.h \
	%D%/candidates.c %D%/candidates.h \
	%D%/check_tree.c %D%/check_tree.h \
	%D%/choose.c %D%/choose.h \
	%D%/classify.c %D%/classify.h \
	%D%/coding.c %D%/coding.h \
	%D%/cover.c %D%/cover.h \
	%D%/decode.c %D%/decode.h \
	%D%/duplicate.c %D%/duplicate.h \
	%D%/elect.c %D%/elect.h \
	%D%/encode.c %D%/encode.h \
	%D%/expect.c %D%/expect.h \
	%D%/family.c %D%/family.h \
	%D%/allowance.c %D%/allowance.h %D%/give_up.c %D%/give_up.h %D%/give_up_job.c %D%/give_up_compare.c %D%/give_up_job.h %D%/give_up_mark.c \
	%D%/glance.c %D%/glance.h \
	%D%/ingest.c %D%/ingest.h \
	%D%/keeper.c %D%/keeper.h %D%/keeper_internal.h %D%/keeper_keep.c %D%/keeper_look.c %D%/keeper_search.c \
	%D%/layout.c %D%/layout.h \
	%D%/ledger.c %D%/ledger.h \
	%D%/match.c %D%/match.h \
	%D%/match_content.c \
	%D%/match_index.c \
	%D%/match_prefix.c %D%/matching.h \
	%D%/measure.c \
	%D%/model.c %D%/model.h \
	%D%/output.c %D%/output.h \
	%D%/permit.c %D%/permit.h \
	%D%/permit_again.c %D%/permit_again.h \
	%D%/plan.c %D%/plan.h \
	%D%/planned.c %D%/planned.h \
	%D%/policy_of.c %D%/policy_of.h \
	%D%/queue.c %D%/queue.h \
	%D%/queue_ask.c %D%/queue_internal.h %D%/queue_move.c %D%/queue_tidy.c %D%/queue_work.c \
	%D%/reason.c %D%/reason.h \
	%D%/reasons.c %D%/reasons.h \
	%D%/relook.c %D%/relook.h \
	%D%/rest.c %D%/rest.h \
	%D%/retire.c %D%/retire.h \
	%D%/revert.c %D%/revert.h \
	%D%/room.c %D%/room.h \
	%D%/run.h \
	%D%/sample.c %D%/sample.h \
	%D%/schedule.c %D%/schedule.h \
	%D%/scope.c %D%/scope.h \
	%D%/seen.c %D%/seen.h \
	%D%/shards.c %D%/shards.h \
	%D%/solos.c %D%/solos.h \
	%D%/span.c %D%/span.h \
	%D%/spared.c %D%/spared.h \
	%D%/spec.c %D%/spec.h \
	%D%/survey.c %D%/survey.h \
	%D%/task.c %D%/task.h \
	%D%/thaw.c %D%/thaw.h \
	%D%/thaw_data.c \
	%D%/thaw_step.c %D%/thaw_state.h \
	%D%/ticker.c %D%/ticker.h \
	%D%/trial.c %D%/trial.h %D%/trial_piece.c %D%/trial_piece.h \
	%D%/turn.c %D%/turn.h \
	%D%/verify.c %D%/verify.h %D%/verify_fast.c \
	%D%/work.c %D%/work.h
