#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# asked: promise 1, lossy only where somebody said so: no answer but yes is one, whatever comes of the terminal; with any other nothing is changed, not even a time, in a store, a mount or at OUT. What is asked about is what would be changed.
# test: timeout=300
. "$(dirname "$0")/common.sh"

given_pair 11
python3 - <<'PY' || fail "make the models"
import lossy_pairs
UP = "model.layers.%d.mlp.up_proj.weight"
lossy_pairs.pair("orig/base.safetensors", "orig/tune.safetensors", [(UP % 0, [128, 300], "tuned"), (UP % 1, [128, 300], "same"),
    (UP % 2, [64, 100], "tuned"), ("model.embed_tokens.weight", [128, 256], "tuned")])
lossy_pairs.save("orig/small.safetensors", {"model.layers.9.mlp.up_proj.weight": ("BF16", [64, 100], bytes(12800))})
PY
cp orig/base.safetensors store/other.safetensors
deltafsctl base add store store/other.safetensors >said 2>&1 || fail "base add: $(cat said)"
cp orig/tune.safetensors store/file.safetensors

cat >answers.py <<'PY'
import os, shutil, signal, subprocess, sys
import asked, lossy_pairs
where, tops = sys.argv[1], sys.argv[2:]
NO = [b"n\n", b"\n", b"no\n", b"  y\n", b"0\n", b"\x04", b"\x03", b"\x1c", None, signal.SIGTERM, signal.SIGHUP, signal.SIGINT,
      b"\xff\xfe\n", b"n\ny\n", b"maybe yes\n"]
forms = [["deltafsctl", "encode", "--codec", "bitdelta", where],
         ["deltafsctl", "encode", "--codec", "bitdelta", "--json", where],
         ["deltafsctl", "encode", "-r", "--codec", "ultradelta", os.path.dirname(where)]]
if not where.startswith("mnt"):
    forms.append(["deltafsctl", "encode", "--codec", "delta-dct", "--base", "orig/base.safetensors", where, "-o", "new/out"])
os.makedirs("new", exist_ok=True)
before = asked.snapshot(*tops, "new")
def unchanged(what):
    after = asked.snapshot(*tops, "new")
    other = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    if other:
        sys.exit(f"{what}: {other} changed: {[before.get(p) for p in other]} {[after.get(p) for p in other]}")
for number, argv in enumerate(forms):
    for answer in NO if number == 0 else NO[:1] + NO[5:9]:
        status, said = asked.at_terminal(argv, answer)
        if "[y/N]" not in said or "gives up bits" not in said:
            sys.exit(f"{argv}: it did not ask: {said!r}")
        if status == 0:
            sys.exit(f"{argv}, answer {answer!r}: status 0: {said!r}")
        unchanged(f"{argv}, answer {answer!r}")
    # Nobody at a terminal, though somebody says yes.
    for given in ({"input": b"y\ny\ny\n"}, {"stdin": subprocess.DEVNULL}, {"preexec_fn": lambda: os.close(0)}):
        ran = subprocess.run(argv, capture_output=True, **given)
        if ran.returncode != 2 or b"gives up bits" not in ran.stderr:
            sys.exit(f"{argv}, {given}: status {ran.returncode}: {ran.stderr}")
        unchanged(f"{argv}, {given}")
# How many bytes: the matrix that differs, and the one that might; no small one, no embedding.
status, said = asked.at_terminal(forms[0], b"n\n")
if "up to 150 KiB in 1 file" not in said.replace("\r\n", " "):
    sys.exit(f"what is asked: {said!r}")
for answer in (b"y\n", b"YES\n"):
    shutil.copyfile("orig/tune.safetensors", where)
    if where.startswith("mnt"):
        subprocess.run(["deltafsctl", "wait", "mnt"], check=True, capture_output=True)
        subprocess.run(["deltafsctl", "decode", where], check=True, capture_output=True)
    status, said = asked.at_terminal(forms[0], answer)
    if status:
        sys.exit(f"answer {answer}: status {status}: {said!r}")
    subprocess.run(["deltafsctl", "decode", where, "-o", "back"], check=True, capture_output=True)
    given = lossy_pairs.changed("orig/tune.safetensors", "back")
    if given != {"model.layers.0.mlp.up_proj.weight"}:
        sys.exit(f"given up: {given}")
    if "150 KiB" not in said or lossy_pairs.size_of("back", given) > 150 * 1024:
        sys.exit(f"more was given up than was said: {said!r}")
    os.unlink(where)
PY
mkdir -p store/d && cp orig/tune.safetensors store/d/file.safetensors
python3 answers.py store/d/file.safetensors store || fail "in a store"

# In a mount: the bytes of the store are what they were, and so is what the mount shows.
start_daemon store mnt -o rw,quiet=0
deltafsctl policy set mnt/d ingest=off >/dev/null || fail "policy set"
cp orig/tune.safetensors mnt/d/file.safetensors
python3 answers.py mnt/d/file.safetensors store/d mnt/d || fail "in a mount"

# What stays as it is is not asked about: it is no yes to anything either. What is compressed exactly may give up bits.
hash_name=$(sha256sum <orig/tune.safetensors | cut -d' ' -f1)
cp orig/tune.safetensors "mnt/d/$hash_name"
cp orig/small.safetensors mnt/d/small.safetensors
cp orig/tune.safetensors mnt/d/exact.safetensors
deltafsctl encode mnt/d/exact.safetensors >said 2>&1 || fail "encode: $(cat said)"
expect_fail 2 'up to 150 KiB in 1 file;' deltafsctl encode --codec bitdelta mnt/d/exact.safetensors </dev/null
cmp mnt/d/exact.safetensors orig/tune.safetensors || fail "exact.safetensors: other bytes, and nobody said yes"
for name in small.safetensors "$hash_name"; do
	sum=$(sha256sum <"mnt/d/$name")
	deltafsctl encode --codec bitdelta "mnt/d/$name" </dev/null >said 2>&1 || fail "$name: asked, or failed: $(cat said)"
	[ "$(sha256sum <"mnt/d/$name")" = "$sum" ] || fail "$name: other bytes, and nobody was asked"
	[ "$(getfattr --absolute-names --only-values -n user.deltafs.exact "mnt/d/$name")" = 1 ] || fail "$name is not exact"
done
cp orig/tune.safetensors mnt/d/asked.safetensors
expect_fail 2 'up to 300 KiB in 2 files;' deltafsctl encode -r --codec bitdelta mnt/d </dev/null
cmp mnt/d/asked.safetensors orig/tune.safetensors || fail "it was changed without a yes"
rm mnt/d/asked.safetensors

# What is said of the original: until when the one that is there is kept, whatever the policy became since; else by the policy.
# says PATTERN COMMAND...: what is asked at a terminal, which gets a no.
says() {
	python3 -c 'import asked, sys; print(" ".join(asked.at_terminal(sys.argv[1:], b"n\n")[1].split()))' "${@:2}" >said
	grep -q "$1" said || fail "${*:2}: no \"$1\" in: $(cat said)"
}
mkdir mnt/k
policy() { deltafsctl policy "$@" >said 2>&1 || fail "policy $*: $(cat said)"; }
policy set mnt/k ingest=off keep=1h
cp orig/tune.safetensors mnt/k/f.safetensors && cp orig/tune.safetensors mnt/k/g.safetensors
says 'The original is kept for 1h, unless the file is removed or replaced; until then' deltafsctl encode --codec delta-dct mnt/k/f.safetensors
deltafsctl encode --yes --codec delta-dct mnt/k/f.safetensors >said 2>&1 || fail "encode: $(cat said)"
until=$(getfattr --absolute-names --only-values -n user.deltafs.kept mnt/k/f.safetensors) && [ "$until" ] || fail "nothing is kept"
for keep in 2w manual none; do
	[ $keep = none ] && policy unset mnt/k keep || policy set mnt/k keep=$keep
	for path in mnt/k store/k; do
		says "The original of the first time is kept until $until, unless the file is removed or replaced; until then" deltafsctl encode --codec bitdelta --again $path/f.safetensors
		! grep -q "for good\|2w\|accept" said || fail "keep=$keep: $(cat said)"
	done
done
# What was written since is nowhere but in the file.
! grep -q 'written since' said || fail "nothing was written: $(cat said)"
printf x | dd of=mnt/k/f.safetensors bs=1 seek=20000 conv=notrunc status=none
for path in mnt/k store/k; do
	says "until then deltafsctl revert brings it back, without what was written since\. It was compressed before" deltafsctl encode --codec bitdelta --again $path/f.safetensors
done
says "for good but for 1. The original of the first time is kept until $until, unless " deltafsctl encode --codec bitdelta --again -r mnt/k
policy set mnt/k keep=2w
says "The originals are kept until $until or longer, unless " deltafsctl encode --codec bitdelta --again -r mnt/k

# What gave up bits and is plain since: its original tells that, and without one it is said that it may be so, with --yes as well.
again() { deltafsctl decode "$1" >said 2>&1 && cp "$1" shown || fail "decode $1: $(cat said)"; }
for path in mnt/k store/k; do
	again mnt/k/f.safetensors
	expect_fail 1 "it gave up bits before .* kept until $until; --again" deltafsctl encode --yes --codec ultradelta $path/f.safetensors
	cmp mnt/k/f.safetensors shown || fail "$path: it was refused, and changed"
	deltafsctl encode -r --yes --codec ultradelta $path >said 2>&1 || fail "encode -r: $(cat said)"
	cmp mnt/k/f.safetensors shown || fail "$path: -r did not pass over it"
	deltafsctl encode --yes --again --codec ultradelta $path/f.safetensors >said 2>&1 || fail "--again: $(cat said)"
	grep -q 'it was compressed before, and what it gave up then' said || fail "--again: $(cat said)"
	! cmp -s mnt/k/f.safetensors shown || fail "--again did nothing"
done
# cp(1) has ended before the daemon is told that the file is closed.
copied() { cp orig/tune.safetensors "$1" && { [[ $1 != mnt/* ]] || deltafsctl wait --timeout 30 "$1" >said 2>&1; } || fail "$1: $(cat said)"; }
before() {
	says 'for good. It was compressed before, and what was given up then, if anything, is lost already. Go on' deltafsctl encode --codec ultradelta "$1/z.safetensors"
	copied "$1/new.safetensors"
	says 'for good. 1 of them was compressed before, ' deltafsctl encode --codec ultradelta "$1/z.safetensors" "$1/new.safetensors"
	deltafsctl encode --yes --codec ultradelta --base orig/base.safetensors "$1/z.safetensors" -o out >said 2>&1 && grep -q ': it was compressed before, ' said || fail "$1, -o: $(cat said)"
	deltafsctl encode --yes --json --codec ultradelta "$1/z.safetensors" >said 2>&1 || fail "$1: $(cat said)"
	[ "$(python3 -c 'import json; print(json.load(open("said"))["files"][0]["reason"])')" = 'it was compressed before, and what it gave up then, if anything, was lost already' ] || fail "$1: $(cat said)"
	deltafsctl encode --yes --codec ultradelta "$1/new.safetensors" >said 2>&1 || fail "$1: $(cat said)"
	! grep -q before said || fail "$1, a new one: $(cat said)"
}
z() { deltafsctl encode --yes --codec bitdelta "$1/z.safetensors" >said 2>&1 && deltafsctl decode "$1/z.safetensors" >said 2>&1 || fail "$1: $(cat said)"; }
copied mnt/d/z.safetensors && z mnt/d && before mnt/d
# Exact since: its daemon knows that.
copied mnt/d/y.safetensors
deltafsctl encode --yes --codec bitdelta mnt/d/y.safetensors >said 2>&1 && deltafsctl decode mnt/d/y.safetensors >said 2>&1 || fail "$(cat said)"
policy set mnt/d ingest=on codec=bitdelta
printf x | dd of=mnt/d/y.safetensors bs=1 seek=20000 conv=notrunc status=none
deltafsctl wait mnt >said 2>&1 && [ "$(getfattr --absolute-names --only-values -n user.deltafs.exact mnt/d/y.safetensors)" = 1 ] || fail "it is not exact: $(cat said)"
says 'It was compressed before' deltafsctl encode --codec ultradelta mnt/d/y.safetensors
# So does the file itself, where no policy wants anything; across a restart, and without a mount. A new one tells nothing.
mkdir mnt/n && policy set mnt/n keep=none
for name in written encoded; do
	cp orig/tune.safetensors mnt/n/$name.safetensors
	deltafsctl encode --yes --codec bitdelta mnt/n/$name.safetensors >said 2>&1 || fail "$(cat said)"
done
printf x | dd of=mnt/n/written.safetensors bs=1 seek=20000 conv=notrunc status=none
deltafsctl decode mnt/n/encoded.safetensors >said 2>&1 && deltafsctl encode mnt/n/encoded.safetensors >said 2>&1 || fail "$(cat said)"
cp orig/tune.safetensors mnt/n/new.safetensors
deltafsctl wait mnt >said 2>&1 || fail "wait: $(cat said)"
told_again() {
	for name in written encoded; do
		[ "$(getfattr --absolute-names --only-values -n user.deltafs.state mnt/n/$name.safetensors)" = container ] || fail "$name is no container"
		says 'It was compressed before, and what was given up then, if anything, is lost already' deltafsctl encode --codec ultradelta $1/n/$name.safetensors
	done
	deltafsctl encode --codec ultradelta $1/n/new.safetensors </dev/null >said 2>&1
	! grep -q before said || fail "a new one, in $1: $(cat said)"
}
told_again mnt && told_again store
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0
told_again mnt
deltafsctl decode mnt/n/encoded.safetensors >said 2>&1 || fail "$(cat said)"
for name in written encoded; do
	cat orig/tune.safetensors >mnt/n/$name.safetensors && deltafsctl wait mnt >said 2>&1 || fail "wait: $(cat said)"
	deltafsctl encode --codec ultradelta mnt/n/$name.safetensors </dev/null >said 2>&1
	! grep -q before said || fail "$name, written anew from its beginning: $(cat said)"
done
alive
stop_daemon mnt
rm -rf store/d && mkdir store/d && cp orig/tune.safetensors store/d/z.safetensors && z store/d && before store/d
