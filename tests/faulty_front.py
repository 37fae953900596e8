"""A server before the tests' S3 server that goes down, is slow, and loses what it is told to."""

import contextlib
import re
import socket
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import urllib3

PIECE = 1 << 16
ERROR = b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>no</Message></Error>"


class Front:
    """Passes requests on to ``upstream``.

    ``fault(method, path, nth)`` says of the ``nth`` (from 1) request for a method and path what
    becomes of it: None, ``error`` (500), ``cut`` (the connection ends half-way through what is
    sent), or ``lost`` (carried out, but the answer never comes). ``pace``: seconds per 64 kB.
    """

    def __init__(self, upstream):
        self.upstream, self.fault, self.pace = upstream, lambda method, path, nth: None, 0.0
        self.seen, self.port = Counter(), 0
        self.open, self.server = set(), None

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def up(self):
        """Begin to listen, on the same port as ever."""
        front = self

        class Bound(_Handler):
            pass

        Bound.front = front
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Bound)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self):
        """Listen no more, and end all connections at once, as a killed server does."""
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    front: Front

    def setup(self):
        super().setup()
        self.front.open.add(self.connection)

    def finish(self):
        self.front.open.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def answer(self):
        # each upload has a name of its own, and a signature
        path = re.sub(r"(uploadId=|X-Amz)[^&]*", r"\1", self.path)
        key = (self.command, path)
        self.front.seen[key] += 1
        fault = self.front.fault(*key, self.front.seen[key])
        length = int(self.headers.get("Content-Length", 0))
        with contextlib.suppress(OSError):
            body = self._read(length // 2 if fault == "cut" else length)
            if fault == "cut":
                self.connection.shutdown(socket.SHUT_RDWR)
            elif fault == "error":
                self._reply(500, {"Content-Type": "application/xml"}, ERROR)
            else:
                self._pass_on(body, fault)

    def _pass_on(self, body, fault):
        reply = urllib3.request(
            self.command,
            self.front.upstream + self.path,
            body=body or None,
            headers=dict(self.headers),
            decode_content=False,
        )
        if fault == "lost":
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._reply(reply.status, reply.headers, reply.data)

    def _read(self, length):
        pieces = []
        while length:
            piece = self.rfile.read(min(PIECE, length))
            if not piece:
                raise ConnectionError
            pieces.append(piece)
            length -= len(piece)
            time.sleep(self.front.pace)
        return b"".join(pieces)

    def _reply(self, status, headers, data):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        # of a HEAD the length is that of the object
        known = headers.get("Content-Length", len(data)) if self.command == "HEAD" else len(data)
        self.send_header("Content-Length", str(known))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer

    def log_message(self, *words):
        pass
