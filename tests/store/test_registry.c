/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_registry: models become bases, are the same by content, and are found again. */
#include "given_models.h"
#include "store/bases.h"

DFS_AUTO_KIND(bases, struct dfs_bases *, dfs_bases_free(*p));

static struct dfs_registry list(struct dfs_store *store)
{
	struct dfs_registry registry;
	struct dfs_err err = { "" };

	CHECK_OK(dfs_registry_list(store, &registry, &err), err);
	return registry;
}

static const struct dfs_registered *find(struct dfs_store *store,
					 const struct dfs_registry *registry, const char *text)
{
	struct dfs_err err = { "" };
	const struct dfs_registered *model = dfs_registry_find(registry, store, text, &err);

	if (!model)
		CHECK(*err.text);
	return model;
}

static bool same_inode(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void the_id_is_the_hash_of_the_sorted_hashes(void **state)
{
	struct dfs_hash hashes[3] = { { "ccccccccccccccc" },
				      { "aaaaaaaaaaaaaaa" },
				      { "bbbbbbbbbbbbbbb" } };
	/* by hand: 15 letters and a zero byte each, in order */
	struct dfs_hash expected =
		dfs_hash128("aaaaaaaaaaaaaaa\0bbbbbbbbbbbbbbb\0ccccccccccccccc\0", 48);

	(void)state;
	CHECK(dfs_hash_equal(dfs_model_id(hashes, 3), expected));
}

static void adding_pins_by_hard_link_and_writes_it_down(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	struct dfs_registry_added added;
	char pin[DFS_PIN_PATH_SIZE];
	struct dfs_hash hash;
	size_t size;

	(void)state;
	size = put_model("models/base.safetensors", 1, 100);
	store = lock_store(".");
	added = add(store, "models/base.safetensors", false);
	CHECK(!added.known && added.n_files == 1 && added.bytes == size);
	CHECK(added.bytes_linked == size && added.bytes_copied == 0 && added.bytes_cloned == 0);
	pin_of("models/base.safetensors", pin);
	CHECK(same_inode(pin, "models/base.safetensors"));
	registry = list(store);
	CHECK(registry.n == 1 && registry.models[0].n_files == 1);
	hash = hash_of("models/base.safetensors");
	CHECK(dfs_hash_equal(registry.models[0].files[0].hash, hash));
	CHECK(dfs_hash_equal(registry.models[0].id, dfs_hash128(hash.bytes, 16)));
	assert_string_equal(registry.models[0].files[0].name, "models/base.safetensors");
	assert_string_equal(registry.models[0].files[0].paths.paths[0], "models/base.safetensors");
	CHECK(registry.models[0].files[0].pinned);
}

static void the_hash_is_remembered_though_linking_changed_the_ctime(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_hash hash;
	struct stat st;

	(void)state;
	put_model("base.safetensors", 1, 100);
	store = lock_store(".");
	add(store, "base.safetensors", false);
	CHECK(stat("base.safetensors", &st) == 0);
	CHECK(dfs_hashes_find(store, &st, &hash) &&
	      dfs_hash_equal(hash, hash_of("base.safetensors")));
}

static void the_same_content_is_the_same_base(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	struct dfs_registry_added first, again, elsewhere;

	(void)state;
	given_shards("m", 1);
	given_shards("copy/of/m", 1);
	store = lock_store(".");
	first = add(store, "m/model.safetensors.index.json", false);
	again = add(store, "m", false);
	elsewhere = add(store, "copy/of/m", false);
	CHECK(!first.known && again.known && elsewhere.known);
	CHECK(dfs_hash_equal(first.id, again.id) && dfs_hash_equal(first.id, elsewhere.id));
	CHECK(again.bytes_linked == 0 && elsewhere.bytes_linked == 0 &&
	      elsewhere.bytes_copied == 0);
	registry = list(store);
	CHECK(registry.n == 1 && registry.models[0].names.n == 3 &&
	      registry.models[0].n_files == 3);
	CHECK(registry.models[0].files[0].paths.n == 2);
}

static void a_base_is_found_by_prefix_and_by_path(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	char hex[DFS_HASH_HEX], here[PATH_MAX];
	struct dfs_hash id;

	(void)state;
	given_shards("m", 1);
	put_model("other.safetensors", 9, 100);
	store = lock_store(".");
	id = add(store, "m", false).id;
	add(store, "other.safetensors", false);
	registry = list(store);
	dfs_hash_hex(id, hex);
	CHECK(find(store, &registry, hex) && dfs_hash_equal(find(store, &registry, hex)->id, id));
	hex[8] = '\0';
	CHECK(find(store, &registry, hex) && dfs_hash_equal(find(store, &registry, hex)->id, id));
	hex[7] = '\0';
	CHECK(!find(store, &registry, hex));
	CHECK(dfs_hash_equal(find(store, &registry, "m")->id, id));
	CHECK(dfs_hash_equal(find(store, &registry, "m/s-1.safetensors")->id, id));
	CHECK(dfs_hash_equal(find(store, &registry, "./m/model.safetensors.index.json")->id, id));
	CHECK(!dfs_hash_equal(find(store, &registry, "other.safetensors")->id, id));
	CHECK(!find(store, &registry, "ffffffffffffffff") && !find(store, &registry, "nothing"));
	/* the name still means the base when nothing is there any more */
	CHECK(system("mv m gone") == 0);
	CHECK(dfs_hash_equal(find(store, &registry, "m")->id, id));
	snprintf(here + strlen(getcwd(here, 4000)), 90, "/m/");
	CHECK(dfs_hash_equal(find(store, &registry, here)->id, id));
	CHECK(dfs_hash_equal(find(store, &registry, "gone")->id, id)); /* by inode */
}

static void only_plain_models_become_bases(void **state)
{
	static const struct dfs_registry_add none = { .path = "none" },
					     text = { .path = "text.safetensors" },
					     container = { .path = "c.safetensors" },
					     fifo = { .path = "fifo.safetensors" };
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_registry_added added;
	struct dfs_err err = { "" };

	(void)state;
	put_text("text.safetensors", "no model at all");
	put_container("c.safetensors", 100, NULL, 0, NULL);
	CHECK(mkfifo("fifo.safetensors", 0600) == 0);
	store = lock_store(".");
	CHECK_RET(-ENOENT, dfs_registry_add(store, &none, &added, &err));
	CHECK_RET(-EINVAL, dfs_registry_add(store, &text, &added, &err));
	CHECK_SAYS(err, "not a safetensors file");
	CHECK_RET(-ENOTSUP, dfs_registry_add(store, &container, &added, &err));
	CHECK_SAYS(err, "decode it first");
	alarm(5);
	CHECK_RET(-EINVAL, dfs_registry_add(store, &fifo, &added, &err));
	alarm(0);
	CHECK(system("test -z \"$(ls -A .deltafs/pins .deltafs/bases | grep -v :)\"") == 0);
}

static void without_the_lock_nothing_is_added_or_removed(void **state)
{
	static const struct dfs_registry_add request = { .path = "m.safetensors" };
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_registry_added added;
	struct dfs_registry_removed removed;

	(void)state;
	put_model("m.safetensors", 1, 100);
	store = open_store(".");
	CHECK_RET(-ENOLCK, dfs_registry_add(store, &request, &added, NULL));
	CHECK_RET(-ENOLCK, dfs_registry_remove(store, "m.safetensors", NULL, &removed, NULL));
}

static void by_reference_it_stays_outside_and_is_found_there(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(bases) struct dfs_bases *bases = NULL;
	struct dfs_base_file want;
	struct dfs_base *base;
	char pin[DFS_PIN_PATH_SIZE], byte;
	struct dfs_err err = { "" };

	(void)state;
	put_model("outside/m.safetensors", 1, 100);
	mkdir("s", 0755);
	want = want_of("outside/m.safetensors", "");
	store = lock_store("s");
	CHECK(add(store, "outside/m.safetensors", true).bytes_linked == 0);
	dfs_pin_path(want.hash, pin);
	CHECK(faccessat(dfs_store_fd(store), pin, F_OK, 0) < 0);
	bases = dfs_bases_new(store);
	CHECK_OK(dfs_bases_get(bases, &want, &base, &err), err);
	CHECK(pread(base->fd, &byte, 1, (off_t)want.size - 1) == 1);
	dfs_base_put(bases, base);
	/* added again without it, it is pinned */
	CHECK(add(store, "outside/m.safetensors", false).bytes_linked == want.size);
	CHECK(unlink("outside/m.safetensors") == 0);
	CHECK_OK(dfs_bases_settle(bases, &want, go_on, NULL, &err), err);
}

static void a_damaged_pin_is_healed_by_adding_again(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	char pin[DFS_PIN_PATH_SIZE];

	(void)state;
	put_model("m.safetensors", 1, 100);
	store = lock_store(".");
	add(store, "m.safetensors", false);
	pin_of("m.safetensors", pin);
	CHECK(unlink(pin) == 0);
	put_model(pin, 2, 100); /* same size, other content */
	CHECK(add(store, "m.safetensors", false).bytes_linked == size_of("m.safetensors"));
	CHECK(same_inode(pin, "m.safetensors"));
	CHECK(unlink(pin) == 0);
	CHECK(add(store, "m.safetensors", false).known);
	CHECK(same_inode(pin, "m.safetensors"));
}

static void damaged_files_are_left_out_and_counted(void **state)
{
	static const char *const edits[] = {
		"s/\"version\": 1/\"version\": 2/",
		"s/\"size\": 1/\"size\": -1/",
		"s/\"pinned\": true/\"pinned\": 1/",
		"s/\"hash\": \"./\"hash\": \"g/",
		"s/\"files\": /\"flies\": /",
		"s/\"id\": \"./\"id\": \"g/",
		"s/}/]/",
		"s/\"names\": /\"names\": 7, \"namen\": /",
		"$d",
		"s/\"repository\": \"\"/\"repository\": null/",
	};
	DFS_AUTO(store) struct dfs_store *store = NULL;

	(void)state;
	put_model("m.safetensors", 1, 100);
	put_model("n.safetensors", 2, 100);
	store = lock_store(".");
	add(store, "m.safetensors", false);
	CHECK(system("mkdir keep && cp .deltafs/bases/*.json keep/m") == 0);
	add(store, "n.safetensors", false);
	for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		DFS_AUTO(registry) struct dfs_registry registry = { 0 };
		struct dfs_err err = { "" };
		char command[256];

		snprintf(command, sizeof(command),
			 "f=$(grep -l m.safetensors .deltafs/bases/*) && sed '%s' keep/m >$f",
			 edits[i]);
		CHECK(system(command) == 0);
		if (dfs_registry_list(store, &registry, &err) != 1)
			fail_msg("edit %zu passed", i);
		CHECK(registry.n == 1 && *err.text);
	}
}

/* Changes the first shard after its last byte was hashed. */
static bool change(void *arg, uint64_t done, uint64_t total)
{
	(void)total;
	if (done == size_of("m/s-0.safetensors"))
		put_model(arg, 99, 100);
	return true;
}

static void a_file_changed_while_it_is_added_is_refused(void **state)
{
	const struct dfs_registry_add request = { .path = "m",
						  .progress = change,
						  .arg = (void *)"m/s-0.safetensors" };
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	struct dfs_registry_added added;
	struct dfs_err err = { "" };

	(void)state;
	given_shards("m", 1);
	store = lock_store(".");
	CHECK_RET(-ESTALE, dfs_registry_add(store, &request, &added, &err));
	CHECK_SAYS(err, "changed");
	registry = list(store);
	CHECK(registry.n == 0);
	CHECK(system("test -z \"$(ls -A .deltafs/pins)\"") == 0);
}

static bool stop(void *arg, uint64_t done, uint64_t total)
{
	(void)done;
	*(uint64_t *)arg = total;
	return false;
}

static void cancelling_adds_nothing(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	uint64_t total = 0;
	const struct dfs_registry_add request = { .path = "m", .progress = stop, .arg = &total };
	struct dfs_registry_added added;

	(void)state;
	given_shards("m", 1);
	store = lock_store(".");
	CHECK_RET(-ECANCELED, dfs_registry_add(store, &request, &added, NULL));
	CHECK(total == 3 * size_of("m/s-0.safetensors"));
	registry = list(store);
	CHECK(registry.n == 0);
}

static const struct CMUnitTest cases[] = {
	CASE(the_id_is_the_hash_of_the_sorted_hashes),
	CASE(adding_pins_by_hard_link_and_writes_it_down),
	CASE(the_hash_is_remembered_though_linking_changed_the_ctime),
	CASE(the_same_content_is_the_same_base),
	CASE(a_base_is_found_by_prefix_and_by_path),
	CASE(only_plain_models_become_bases),
	CASE(without_the_lock_nothing_is_added_or_removed),
	CASE(by_reference_it_stays_outside_and_is_found_there),
	CASE(a_damaged_pin_is_healed_by_adding_again),
	CASE(damaged_files_are_left_out_and_counted),
	CASE(a_file_changed_while_it_is_added_is_refused),
	CASE(cancelling_adds_nothing),
};

CHECK_MAIN(cases)
