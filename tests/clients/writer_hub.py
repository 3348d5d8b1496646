# SPDX-License-Identifier: GPL-2.0-or-later
"""huggingface_hub: a cache and a local_dir downloaded into the mount from a loopback hub, again when it has a new revision.

With a fifth argument: "fill" makes the cache only, in a folder that need be no
mount; "verify" asks `hf cache verify` of a cache that is in the mount already.
"""
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from writer import *

os.environ["HF_HUB_OFFLINE"] = "0"      # the loopback server below is the hub
from huggingface_hub import HfApi, scan_cache_dir, snapshot_download

versions("huggingface_hub")
NAME = "tests/pair"
REVISIONS = {"1" * 40: {"model.safetensors": TUNE.read_bytes(), "config.json": b"{}\n"},
             "2" * 40: {"model.safetensors": NEXT.read_bytes(), "config.json": b"{}\n"}}


def etag(name, data):
    return (hashlib.sha256(data) if name.endswith(".safetensors") else hashlib.sha1(b"blob %d\0" % len(data) + data)).hexdigest()


def entry(name, data):
    """What the hub's listing says of a file."""
    said = {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()}
    if name.endswith(".safetensors"):
        said["lfs"] = {"oid": etag(name, data), "size": len(data), "pointerSize": 134}
    return said


class Hub(BaseHTTPRequestHandler):
    def files(self, revision):
        commit = self.server.head if revision == "main" else revision
        return commit, REVISIONS[commit]

    def do_GET(self):
        words = self.path.split("?")[0].strip("/").split("/")
        if words[:1] == ["api"]:
            commit, files = self.files(words[5] if words[4:5] == ["revision"] else "main")
            if words[4:5] == ["tree"]:
                commit, files = self.files(words[5])
                body = json.dumps([entry(name, data) for name, data in files.items()]).encode()
            else:
                body = json.dumps({"_id": "1", "id": NAME, "modelId": NAME, "sha": commit,
                                   "siblings": [{"rfilename": name} for name in files]}).encode()
            headers = {"Content-Type": "application/json"}
        else:
            commit, files = self.files(words[3])
            body = files[words[4]]
            headers = {"ETag": f'"{etag(words[4], body)}"', "X-Repo-Commit": commit}
        self.send_response(200)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
server.head = max(REVISIONS)
threading.Thread(target=server.serve_forever, daemon=True).start()
endpoint = f"http://127.0.0.1:{server.server_port}"
cache, local = MOUNT / "hub", "hub-local"


def fill(revision):
    """One revision into the cache, read back through its symlinks; returns its model's blob and what that holds."""
    server.head = revision
    snapshot = Path(snapshot_download(NAME, cache_dir=cache, endpoint=endpoint, token=False))
    for name, data in REVISIONS[revision].items():
        (PLAIN / f"{revision[:1]}-{name}").write_bytes(data)
        if (snapshot / name).read_bytes() != data or not (snapshot / name).is_symlink():
            fail(f"the cache: {name} of {revision}")
    blob = (snapshot / "model.safetensors").resolve().relative_to(MOUNT.resolve())
    return blob, PLAIN / f"{revision[:1]}-model.safetensors"


def download(revision):
    snapshot_download(NAME, local_dir=MOUNT / local, cache_dir=cache, endpoint=endpoint, token=False)
    kept = PLAIN / f"{revision[:1]}-model.safetensors"
    wrote(f"{local}/model.safetensors", kept)
    settle(f"{local}/model.safetensors")
    # Compressed, the local files are still those that were downloaded: they are not fetched again.
    before = os.stat(MOUNT / local / "model.safetensors")
    snapshot_download(NAME, local_dir=MOUNT / local, cache_dir=cache, endpoint=endpoint, token=False)
    after = os.stat(MOUNT / local / "model.safetensors")
    if (before.st_ino, before.st_mtime_ns, before.st_ctime_ns) != (after.st_ino, after.st_mtime_ns, after.st_ctime_ns):
        fail("a compressed file of a local_dir was downloaded again")


def verify(revision):
    report = scan_cache_dir(cache)
    if report.warnings or len(report.repos) != 1:
        fail(f"the cache: {report.warnings}")
    arguments = [NAME, "--revision", revision, "--cache-dir", cache]
    said = subprocess.run([sys.executable, "-m", "huggingface_hub.cli.hf", "cache", "verify", *arguments],
                          env=os.environ | {"HF_ENDPOINT": endpoint}, capture_output=True, text=True)
    if said.returncode:
        fail(f"hf cache verify: {said.stdout}{said.stderr}")
    result = HfApi(endpoint=endpoint, token=False).verify_repo_checksums(NAME, revision=revision, cache_dir=cache)
    if result.checked_count != len(REVISIONS[revision]) or result.mismatches or result.missing_paths:
        fail(f"verify: {result}")


what = sys.argv[5] if len(sys.argv) > 5 else "all"
for revision in REVISIONS:
    if what != "verify":
        blob, kept = fill(revision)
    if what == "fill":
        print("wrote", blob, kept)
    if what == "all":
        wrote(blob, kept)
        download(revision)
        settle(blob)
    if what != "fill":
        verify(revision)
if list(MOUNT.rglob("*.incomplete")):
    fail("unfinished files stay")
