/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reason: see reason.h. */
#include "write/reason.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define AGAIN_MAX_MS 600000u

#define BY_NAME "deltafsctl encode --codec SPEC FILE"

/*
 * value: what follows the text where number or detail is known; # stands for
 * the number, $ for the number as bytes, @ for the detail.
 */
static const struct {
	const char *word, *text, *value, *cure;
	unsigned again_ms; /* the first time; 0: an event ends it */
} reasons[DFS_REASONS] = {
	[DFS_REASON_NONE] = { "none", "", "", "", 0 },
	[DFS_REASON_NOT_REGULAR] = { "not-regular", "no regular file", "", "", 0 },
	[DFS_REASON_EMPTY] = { "empty", "empty", "", "", 0 },
	[DFS_REASON_NOT_SAFETENSORS] = {
		"not-safetensors", "not safetensors", ": @",
		"deltafsctl encode FILE compresses it as it is", 0 },
	[DFS_REASON_HEADER_LIMITS] = {
		"header-limits", "its header is beyond the limits", ": @",
		"deltafsctl encode FILE compresses it as it is", 0 },
	[DFS_REASON_COMPRESSED] = { "compressed", "compressed already", "", "", 0 },
	[DFS_REASON_BASE] = {
		"base", "a base", "", "deltafsctl base remove, if nothing should depend on it", 0 },
	[DFS_REASON_LINKS] = {
		"links", "several names (hard links)", ": #",
		"keep one name; replace the others by copies (cp) or symlinks", 0 },
	[DFS_REASON_BROKEN] = {
		"broken", "looks compressed, and is not readable as such", ": @", "deltafsctl verify FILE; bring it back from a backup", 0 },
	[DFS_REASON_NO_BASE] = {
		"no-base", "no base with these names", "", "deltafsctl base add STORE PATH of the model it was made from", 0 },
	[DFS_REASON_PRIVATE_BASE] = {
		"private-base", "its owner may not read the base", "",
		"let the owner read the base, or add another", 0 },
	[DFS_REASON_NO_GAIN] = {
		"no-gain", "would not shrink", ": # %",
		"deltafsctl base add STORE PATH of the model it was made from", 0 },
	[DFS_REASON_FAILED] = {
		"failed", "compressing it failed", ": @", "see the log; it is tried again", 60000 },
	[DFS_REASON_BY_HAND] = {
		"by-hand", "decoded by hand", "", "deltafsctl encode FILE, or write to it", 0 },
	[DFS_REASON_EXISTING] = {
		"existing", "was there before the mount", "",
		"deltafsctl encode FILE, or deltafsctl policy set DIR existing=on", 0 },
	[DFS_REASON_INGEST_OFF] = {
		"ingest-off", "ingest is off here", ": policy of @", "deltafsctl policy set DIR ingest=on, or deltafsctl encode FILE", 0 },
	[DFS_REASON_EXCLUDED] = {
		"excluded", "excluded by the policy of its directory", ": @", "deltafsctl encode FILE", 0 },
	[DFS_REASON_NO_INGEST] = {
		"no-ingest", "mounted with -o noingest", "", "mount without it", 0 },
	[DFS_REASON_PARTIAL_NAME] = {
		"partial-name", "name of a partial download", "", "rename it when it is whole", 0 },
	[DFS_REASON_ARIA2] = {
		"aria2", "a .aria2 file beside it says that its download goes on", "",
		"finish the download, or remove the .aria2 file", 5000 },
	[DFS_REASON_INCOMPLETE] = {
		"incomplete", "not complete", ": $ are missing", "write the rest; nobody looks before", 0 },
	[DFS_REASON_OPEN] = { "open", "still open", " by pid #", "close it", 5000 },
	[DFS_REASON_QUIET] = { "quiet", "changed just now", "", "", 1000 },
	[DFS_REASON_SHARDS] = {
		"shards", "waiting for shards", " @",
		"copy them in; in ten minutes it is compressed without them, unless its codec wants the whole model", 5000 },
	[DFS_REASON_ROOM] = {
		"room", "waiting for room", ": needs $", "remove something, or give the store a larger disk", 10000 },
	[DFS_REASON_MEMORY] = { "memory", "waiting for memory", "", "a larger cache= or memory limit", 10000 },
	[DFS_REASON_DISK] = {
		"disk", "the disk gave an error", ": @", "see the kernel's log; it is tried again", 60000 },
	[DFS_REASON_STATE] = {
		"state", ".deltafs cannot be written", ": @", "see the log; it is tried again", 60000 },
	[DFS_REASON_UNSEEN] = { "unseen", "never looked at", "", "deltafsctl encode FILE", 0 },
	[DFS_REASON_POLICY_BASE] = {
		"policy-base", "the base that its policy names is none for it", ": @",
		"deltafsctl policy set DIR base=, with another or auto, then deltafsctl encode FILE", 0 },
	[DFS_REASON_POLICY_CHANGED] = {
		"policy-changed", "kept from it by a policy that was changed since", "", "deltafsctl encode FILE", 0 },
	[DFS_REASON_WANTED_BASE] = {
		"wanted-base", "the base that somebody asked for is none for it", ": @",
		"deltafsctl encode FILE, or --base with another", 0 },
	[DFS_REASON_KEEP] = {
		"keep", "its original cannot be kept, as its policy wants", ": @",
		"deltafsctl policy unset DIR keep, then deltafsctl encode FILE", 0 },
	[DFS_REASON_WHOLE] = {
		"whole-model", "its codec wants the whole model", ": @",
		"copy that in, or deltafsctl encode --codec with another", 5000 },
	[DFS_REASON_EXACT_HASH] = {
		"exact-hash", "coded exactly, since its name is the hash of its content", "",
		"copy it to another name, if that may be other bytes", 0 },
	[DFS_REASON_EXACT_BEFORE] = {
		"exact-before", "coded exactly, since it was compressed before", "", BY_NAME, 0 },
	[DFS_REASON_EXACT_OLD] = {
		"exact-old", "coded exactly, since it was there before the policy", "", BY_NAME, 0 },
	[DFS_REASON_EXACT_UNDATED] = {
		"exact-undated", "coded exactly, since its file system does not tell when it came", "", BY_NAME, 0 },
	[DFS_REASON_EXACT_SHARDS] = {
		"exact-shards", "coded exactly, since other files of its model were compressed before", "",
		"copy those in anew too, then deltafsctl encode --codec SPEC of all of them", 0 },
	[DFS_REASON_EXACT_NO_BASE] = {
		"exact-no-base", "coded exactly, since it has no base, and bits are given up of differences", "",
		"deltafsctl base add STORE PATH of the model it was made from, then " BY_NAME, 0 },
	[DFS_REASON_EXACT_TENSORS] = {
		"exact-tensors", "coded exactly, since its codec takes none of its tensors", "",
		"deltafsctl info --tensors FILE shows them, include= takes others", 0 },
	[DFS_REASON_EXACT_DECLINED] = {
		"exact-declined", "coded exactly, since its codec declines its tensors", "",
		"they hold what is no finite number, or are too small or too far from the base; another codec may take them", 0 },
	[DFS_REASON_EXACT_SAME] = {
		"exact-same", "coded exactly, since no bit of it had to be given up", "", "", 0 },
	[DFS_REASON_EXACT_UNKNOWN] = {
		"exact-unknown", "coded exactly, and not by this mount under this policy", "", BY_NAME, 0 },
	[DFS_REASON_EXACT_SMALLER] = {
		"exact-smaller", "coded exactly, since that takes no more bytes than its codec would", "", "", 0 },
	[DFS_REASON_EXACT_ASKED] = {
		"exact-asked", "coded exactly, since somebody asked for that by name", "", BY_NAME, 0 },
	[DFS_REASON_EXACT_PARTLY] = {
		"exact-partly", "bits were given up, but not of all matrices", ": @", "", 0 },
};

static bool is_known(enum dfs_reason_id id)
{
	return (unsigned)id < DFS_REASONS && reasons[id].word;
}

void dfs_reason_set(struct dfs_reason *reason, enum dfs_reason_id id, uint64_t number, const char *detail)
{
	if (!reason)
		return;
	*reason = (struct dfs_reason){ .id = id, .number = number };
	snprintf(reason->detail, sizeof(reason->detail), "%s", detail ? detail : "");
	if (detail && strlen(detail) >= sizeof(reason->detail))
		memcpy(reason->detail + sizeof(reason->detail) - 4, "...", 4);
}

const char *dfs_reason_word(enum dfs_reason_id id)
{
	return is_known(id) ? reasons[id].word : "unknown";
}

enum dfs_reason_id dfs_reason_of_word(const char *word)
{
	unsigned id = 0;

	while (id < DFS_REASONS && (!reasons[id].word || strcmp(reasons[id].word, word) != 0))
		id++;
	return id;
}

const char *dfs_reason_cure(enum dfs_reason_id id)
{
	return is_known(id) ? reasons[id].cure : "";
}

/* Decimal units, as disks are sold and df -H shows them. */
static void put_bytes(FILE *out, uint64_t bytes)
{
	static const char units[] = " kMGTPE";
	double value = (double)bytes;
	unsigned unit = 0;

	while (value >= 999.5 && unit + 1 < sizeof(units) - 1) {
		value /= 1000;
		unit++;
	}
	if (unit == 0)
		fprintf(out, "%" PRIu64 " B", bytes);
	else
		fprintf(out, "%.*f %cB", value < 9.95, value, units[unit]);
}

static void put_value(FILE *out, const char *value, const struct dfs_reason *reason)
{
	for (; *value; value++) {
		if (*value == '#')
			fprintf(out, "%" PRIu64, reason->number);
		else if (*value == '$')
			put_bytes(out, reason->number);
		else if (*value == '@')
			fputs(reason->detail, out);
		else
			fputc(*value, out);
	}
}

char *dfs_reason_text(const struct dfs_reason *reason, char *ret_text, size_t room)
{
	FILE *out;

	if (room)
		ret_text[0] = '\0';
	out = room > 1 ? fmemopen(ret_text, room, "w") : NULL;
	if (!out)
		return ret_text;
	if (!is_known(reason->id))
		fprintf(out, "reason %u of a newer deltafs", (unsigned)reason->id);
	else
		fputs(reasons[reason->id].text, out);
	if (is_known(reason->id) && (reason->number || reason->detail[0]))
		put_value(out, reasons[reason->id].value, reason);
	fclose(out);
	ret_text[room - 1] = '\0';
	return ret_text;
}

const char *dfs_reason_sentence(enum dfs_reason_id id)
{
	return id != DFS_REASON_NONE && is_known(id) ? reasons[id].text : NULL;
}

bool dfs_reason_is_exact(enum dfs_reason_id id)
{
	return id >= DFS_REASON_EXACT_HASH && id <= DFS_REASON_EXACT_ASKED;
}

bool dfs_reason_wants_base(enum dfs_reason_id id)
{
	return id == DFS_REASON_NO_BASE || id == DFS_REASON_PRIVATE_BASE || id == DFS_REASON_NO_GAIN;
}

unsigned dfs_reason_again_ms(enum dfs_reason_id id, unsigned tries)
{
	unsigned ms = is_known(id) ? reasons[id].again_ms : 0;

	while (tries-- && ms && ms < AGAIN_MAX_MS)
		ms *= 2;
	return ms < AGAIN_MAX_MS ? ms : AGAIN_MAX_MS;
}
