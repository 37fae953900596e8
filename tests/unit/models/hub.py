"""A small real hub: the part of its HTTP interface that fetching speaks, over folders."""

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 10_000
TEMPLATE = "/{repo_id}/resolve/{revision}/{filename}"


class Hub:
    """Serves ``repositories`` (owner/name -> folder, all at COMMIT) until it is closed."""

    def __init__(self, repositories):
        self.repositories = repositories
        self.asked = []
        self.stall_after = {}
        self.wrong = set()
        self.commit = COMMIT
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_HEAD(self):
                hub.answer(self)

            def do_GET(self):
                hub.answer(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.released = threading.Event()
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request):
        path = request.path.split("?")[0]
        for name, folder in self.repositories.items():
            if path in (f"/api/models/{name}", f"/api/models/{name}/revision/main"):
                return self.send_json(request, {"id": name, "sha": self.commit, "siblings": []})
            if path == f"/api/models/{name}/tree/{self.commit}":
                return self.send_json(request, [entry(f, folder) for f in files(folder)])
            if path.startswith(f"/{name}/resolve/{self.commit}/"):
                inner = path.removeprefix(f"/{name}/resolve/{self.commit}/")
                return self.send_file(request, folder / inner, inner)
        return self.send(request, 404, {"X-Error-Code": "RepoNotFound"}, b"")

    def send_json(self, request, value):
        self.send(request, 200, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def send_file(self, request, file, inner):
        data = file.read_bytes()
        headers = {"ETag": f'"{blob(data)}"', "X-Repo-Commit": self.commit}
        if request.command == "GET":
            self.asked.append((inner, request.headers.get("Range")))
        if inner in self.wrong:
            data = bytes(len(data))
        part = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range") or "")
        if part:
            start = int(part[1])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            return self.send(request, 206, headers, data[start:])
        return self.send(request, 200, headers, data, self.stall_after.get(inner))

    def send(self, request, status, headers, data, stall_after=None):
        request.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            request.send_header(key, value)
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(data[:stall_after])
            if stall_after is not None:
                request.wfile.flush()
                self.released.wait()
                request.close_connection = True


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def blob(data):
    """The name the hub gives to bytes: sha256 when large, else what git calls them."""
    if len(data) > LARGE:
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def entry(path, folder):
    data = path.read_bytes()
    found = {"type": "file", "path": path.relative_to(folder).as_posix(), "size": len(data)}
    if len(data) > LARGE:
        lfs = {"oid": blob(data), "size": len(data), "pointerSize": 130}
        return found | {"oid": "0" * 40, "lfs": lfs}
    return found | {"oid": blob(data)}
