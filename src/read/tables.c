/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tables: a hash table of opened tables and a list by last use.
 */
#include "read/tables.h"

#include <errno.h>
#include <stdlib.h>

#include "read/internal.h"

struct dfs_table_entry {
	const struct dfs_view *view;
	uint32_t number;		/* of the table in the container */
	struct dfs_shape shape;		/* that it was opened for: segments may share a table */
	struct dfs_table *table;
	size_t size;
	/* under tables->lock */
	unsigned refs;
	struct dfs_table_entry *next_same;
	struct dfs_table_entry *newer, *older;
};

void dfs_tables_init(struct dfs_tables *tables, size_t limit)
{
	*tables = (struct dfs_tables){ .limit = limit };
	pthread_mutex_init(&tables->lock, NULL);
}

void dfs_tables_release(struct dfs_tables *tables)
{
	pthread_mutex_destroy(&tables->lock);
}

static struct dfs_table_entry **slot_of(struct dfs_tables *tables, const struct dfs_view *view, uint32_t number)
{
	uint64_t h = ((uintptr_t)view >> 4) * 0x9e3779b97f4a7c15u + number;

	return &tables->slots[(h ^ h >> 32) % DFS_TABLE_SLOTS];
}

/* --- under tables->lock */

static bool same_shape(struct dfs_shape a, struct dfs_shape b)
{
	return a.dtype == b.dtype && a.drop == b.drop && a.cols == b.cols && a.rows == b.rows;
}

/* One opened for other values would have a kernel take them for longer than they are. */
static struct dfs_table_entry *find(struct dfs_tables *tables, const struct dfs_view *view, uint32_t number,
				    struct dfs_shape shape)
{
	struct dfs_table_entry *entry = *slot_of(tables, view, number);

	while (entry && (entry->view != view || entry->number != number || !same_shape(entry->shape, shape)))
		entry = entry->next_same;
	return entry;
}

static void list_out(struct dfs_tables *tables, struct dfs_table_entry *entry)
{
	*(entry->newer ? &entry->newer->older : &tables->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &tables->oldest) = entry->newer;
}

static void list_in(struct dfs_tables *tables, struct dfs_table_entry *entry)
{
	entry->newer = NULL;
	entry->older = tables->newest;
	*(tables->newest ? &tables->newest->newer : &tables->oldest) = entry;
	tables->newest = entry;
}

static void entry_free(struct dfs_tables *tables, struct dfs_table_entry *entry)
{
	struct dfs_table_entry **at = slot_of(tables, entry->view, entry->number);

	while (*at != entry)
		at = &(*at)->next_same;
	*at = entry->next_same;
	list_out(tables, entry);
	tables->bytes -= entry->size;
	dfs_table_close(entry->table);
	free(entry);
}

static void trim(struct dfs_tables *tables)
{
	struct dfs_table_entry *entry = tables->oldest;

	while (entry && tables->bytes > tables->limit) {
		struct dfs_table_entry *newer = entry->newer;

		if (!entry->refs)
			entry_free(tables, entry);
		entry = newer;
	}
}

static struct dfs_table_entry *take(struct dfs_tables *tables, struct dfs_table_entry *entry)
{
	entry->refs++;
	list_out(tables, entry);
	list_in(tables, entry);
	return entry;
}

/* --- not under it */

static void tell_cache(struct dfs_view *view)
{
	struct dfs_tables *tables = &view->reader->tables;
	struct dfs_cache *cache = &view->reader->cache;
	size_t bytes;

	pthread_mutex_lock(&tables->lock);
	bytes = tables->bytes;
	pthread_mutex_unlock(&tables->lock);
	pthread_mutex_lock(&cache->lock);
	dfs_cache_tables(cache, bytes);
	pthread_mutex_unlock(&cache->lock);
}

/* Two threads may open the same table; the second one's goes. */
static struct dfs_table_entry *insert(struct dfs_tables *tables, struct dfs_table_entry *fresh)
{
	struct dfs_table_entry *entry;

	pthread_mutex_lock(&tables->lock);
	entry = find(tables, fresh->view, fresh->number, fresh->shape);
	if (entry) {
		take(tables, entry);
	} else {
		struct dfs_table_entry **slot = slot_of(tables, fresh->view, fresh->number);

		fresh->next_same = *slot;
		*slot = fresh;
		list_in(tables, fresh);
		fresh->refs = 1;
		tables->bytes += fresh->size;
		trim(tables);
		entry = fresh;
	}
	pthread_mutex_unlock(&tables->lock);
	if (entry != fresh) {
		dfs_table_close(fresh->table);
		free(fresh);
	}
	return entry;
}

static int entry_open(struct dfs_view *view, uint32_t number, const struct dfs_codec *codec,
		      struct dfs_shape shape, struct dfs_table_entry **ret_entry, struct dfs_err *err)
{
	const struct dfs_table_record *record = &view->container->tables[number];
	struct dfs_span bytes = { view->container->blob + record->off, record->len };
	struct dfs_table_entry *entry = calloc(1, sizeof(*entry));
	int ret;

	if (!entry)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = codec->table_open(shape, bytes, false, &entry->table, err);
	if (ret < 0) {
		free(entry);
		return dfs_err_at(err, ret, "shared table of codec %s", codec->name);
	}
	entry->view = view;
	entry->number = number;
	entry->shape = shape;
	entry->size = dfs_table_size(entry->table) + sizeof(*entry);
	*ret_entry = insert(&view->reader->tables, entry);
	tell_cache(view);
	return 0;
}

static bool table_number(const struct dfs_view *view, uint32_t segment, unsigned codec, uint32_t *ret_number)
{
	const struct dfs_segment *s = &view->container->segments[segment];

	for (uint32_t i = s->first_table; i < s->first_table + s->n_tables; i++) {
		if (view->container->tables[i].codec == codec) {
			*ret_number = i;
			return true;
		}
	}
	return false;
}

int dfs_tables_get(struct dfs_view *view, uint32_t segment, unsigned id,
		   const struct dfs_codec *codec, struct dfs_shape shape,
		   struct dfs_table_use *ret_use, struct dfs_err *err)
{
	struct dfs_tables *tables = &view->reader->tables;
	struct dfs_table_entry *entry;
	uint32_t number;
	int ret;

	*ret_use = (struct dfs_table_use){ NULL, NULL };
	if (!codec->table_open)
		return 0;
	if (!table_number(view, segment, id, &number))
		return dfs_fail(err, EUCLEAN, "codec %s without its shared table", codec->name);
	pthread_mutex_lock(&tables->lock);
	entry = find(tables, view, number, shape);
	if (entry)
		take(tables, entry);
	pthread_mutex_unlock(&tables->lock);
	if (!entry) {
		ret = entry_open(view, number, codec, shape, &entry, err);
		if (ret < 0)
			return ret;
	}
	*ret_use = (struct dfs_table_use){ entry->table, entry };
	return 0;
}

void dfs_tables_put(struct dfs_view *view, struct dfs_table_use *use)
{
	struct dfs_tables *tables = &view->reader->tables;

	if (!use->entry)
		return;
	pthread_mutex_lock(&tables->lock);
	use->entry->refs--;
	trim(tables);
	pthread_mutex_unlock(&tables->lock);
}

void dfs_tables_forget(struct dfs_tables *tables, const struct dfs_view *view)
{
	struct dfs_table_entry *newer;

	pthread_mutex_lock(&tables->lock);
	for (struct dfs_table_entry *entry = tables->oldest; entry; entry = newer) {
		newer = entry->newer;
		if (entry->view == view)
			entry_free(tables, entry);
	}
	pthread_mutex_unlock(&tables->lock);
}
