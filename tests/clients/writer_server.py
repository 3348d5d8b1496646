# SPDX-License-Identifier: GPL-2.0-or-later
"""writer_server: files over http from a loopback port, with ranges, and connections that end or stall.

    writer_server.py FOLDER PORT_FILE

Serves FOLDER below each of these, and writes its port to PORT_FILE:

    /whole/NAME    all that was asked for
    /cut/NAME      an answer that begins at byte 0 ends after half of the file
    /stall/NAME    after half of the file nothing comes any more
"""
import os
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, data):
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = 0, len(data) - 1
        if wanted:
            first, last = int(wanted[1]), min(int(wanted[2] or last), last)
        if first > last:
            self.send_error(416)
            return None
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last + 1 - first))
        self.send_header("ETag", '"1"')
        self.end_headers()
        return first, last + 1

    def do_GET(self):
        _, how, name = self.path.split("/", 2)
        with open(os.path.join(sys.argv[1], name), "rb") as f:
            data = f.read()
        span = self.answer(data)
        if span is None or self.command == "HEAD":
            return
        first, end = span
        half = len(data) // 2
        if how == "cut" and first == 0 or how == "stall":
            end = max(first, min(end, half))
        # in the pieces of a slow line
        for at in range(first, end, 10007):
            self.wfile.write(data[at:min(at + 10007, end)])
        if how != "whole":
            self.wfile.flush()
            self.close_connection = end < span[1]
        if how == "stall" and end < span[1]:
            self.connection.recv(1)     # until the client goes

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.handle_error = lambda *_: None
with open(sys.argv[2] + ".new", "w") as f:
    f.write(str(server.server_port))
os.rename(sys.argv[2] + ".new", sys.argv[2])
server.serve_forever()
