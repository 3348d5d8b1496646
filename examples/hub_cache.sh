#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# hub_cache: the cache of huggingface_hub on a mount. The models are toys, laid
# out by hand as a download lays them out; no network is needed.
#
#	examples/hub_cache.sh
#
# With huggingface_hub (of python3, or of $PYTHON) it reads what is there.
. "$(dirname "$0")/session.sh"
python=${PYTHON:-python3}

# download REPOSITORY FILE: as huggingface_hub does: a blob under the name of an
# unfinished one, renamed when it is whole, and a snapshot that links to it.
download() {
	local repo=mnt/models--${1/\//--} hash commit=0123456789abcdef0123456789abcdef01234567
	hash=$(sha256sum <"$2" | cut -d' ' -f1)
	mkdir -p "$repo/blobs" "$repo/refs" "$repo/snapshots/$commit"
	cp "$2" "$repo/blobs/$hash.incomplete"
	mv "$repo/blobs/$hash.incomplete" "$repo/blobs/$hash"
	ln -s "../../blobs/$hash" "$repo/snapshots/$commit/model.safetensors"
	printf %s "$commit" >"$repo/refs/main"
}

"$python" "$examples/toy_model.py" base.safetensors tuned1.safetensors tuned2.safetensors
run deltafs -o quiet=1 store mnt
export HF_HUB_CACHE=$work/mnt HF_HUB_OFFLINE=1

say "three models of one family are downloaded; nobody said which is the base"
for name in base tuned1 tuned2; do
	download "example/$name" $name.safetensors
	run deltafsctl wait mnt
done
run deltafsctl ls mnt

say "the cache is as it was"
for name in base tuned1 tuned2; do
	run cmp $name.safetensors mnt/models--example--$name/snapshots/*/model.safetensors && echo "the same bytes"
done
if "$python" -c 'import huggingface_hub' 2>/dev/null; then
	say "and huggingface_hub finds everything in it"
	"$python" -c '
from huggingface_hub import scan_cache_dir, try_to_load_from_cache
report = scan_cache_dir()
print(f"{len(report.repos)} repositories, {report.size_on_disk} bytes, {len(report.warnings)} warnings")
print(try_to_load_from_cache("example/tuned1", "model.safetensors"))'
fi
run du -sk --apparent-size mnt
run du -sk mnt

say "a model is removed as ever; what depends on the first stays readable"
run rm -r mnt/models--example--base
run cmp tuned1.safetensors mnt/models--example--tuned1/snapshots/*/model.safetensors && echo "the same bytes"
run fusermount3 -u mnt
