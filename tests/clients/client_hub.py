# SPDX-License-Identifier: GPL-2.0-or-later
"""huggingface_hub: the cache scan, and `hf cache verify` against checksums that a loopback server gives."""
import hashlib
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from check import *

os.environ["HF_HUB_OFFLINE"] = "0"      # the loopback server below is the hub
from huggingface_hub import HfApi, scan_cache_dir, try_to_load_from_cache

versions("huggingface_hub")
NAME = "tests/minilm-tuned"
SNAPSHOT = next((PLAIN / "hub").glob("models--*/snapshots/*"))


def scanned(root):
    report = scan_cache_dir(root)
    same_value(f"{root}: warnings", [], report.warnings)
    (repo,) = report.repos
    (revision,) = repo.revisions
    files = sorted((f.file_name, f.size_on_disk, f.blob_path.name, f.blob_last_modified) for f in revision.files)
    return report.size_on_disk, repo.repo_id, revision.commit_hash, sorted(revision.refs), files


def tree(flip):
    """What the hub says of each file; with @flip, one checksum is wrong."""
    entries = []
    for path in sorted(p for p in SNAPSHOT.rglob("*") if p.is_file()):
        data = path.read_bytes()
        entry = {"type": "file", "path": path.relative_to(SNAPSHOT).as_posix(), "size": len(data),
                 "oid": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()}
        if path.suffix == ".safetensors":
            digest = hashlib.sha256(data).hexdigest()
            if flip:
                digest, flip = digest[::-1], False
            entry["lfs"] = {"oid": digest, "size": len(data), "pointerSize": 134}
        entries.append(entry)
    return json.dumps(entries).encode()


class Hub(BaseHTTPRequestHandler):
    def do_GET(self):
        if "/tree/" not in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_):
        pass


def verified(flip):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.answer = tree(flip)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        command = subprocess.run([sys.executable, "-m", "huggingface_hub.cli.hf", "cache", "verify", NAME, "--cache-dir",
                                  str(VIEW / "hub")], env=os.environ | {"HF_ENDPOINT": endpoint}, capture_output=True, text=True)
        result = HfApi(endpoint=endpoint, token=False).verify_repo_checksums(NAME, cache_dir=VIEW / "hub")
        return command, result
    finally:
        server.shutdown()
        server.server_close()


same_value("cache scan", scanned(PLAIN / "hub"), scanned(VIEW / "hub"))
for path in sorted(SNAPSHOT.rglob("*.safetensors")):
    found = try_to_load_from_cache(NAME, path.name, cache_dir=VIEW / "hub")
    same(f"hub: {path.name}", path.read_bytes(), Path(found).read_bytes())

evict(VIEW / "hub")
command, result = verified(flip=False)
same_value(f"hf cache verify: {command.stdout}{command.stderr}: status", 0, command.returncode)
same_value("verify: files", sum(p.is_file() for p in SNAPSHOT.rglob("*")), result.checked_count)
same_value("verify: differences", ([], [], []), (result.mismatches, result.missing_paths, result.extra_paths))
command, result = verified(flip=True)
same_value("verify: notices a wrong checksum", 1, len(result.mismatches))
same_value("hf cache verify: status with a wrong checksum", 1, command.returncode)
done()
