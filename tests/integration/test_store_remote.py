"""What only a remote store can do: credentials, silence, broken connections, a copy kept here."""

import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import urllib3
from test_store_s3 import ASSET, FILES, FINGERPRINT, WORK, content_of, elsewhere, made

from likeness.errors import BadInput
from resources.store import open_store

pytestmark = pytest.mark.s3


def s3_uri(s3, tmp_path):
    return f"s3://{s3.bucket}/{tmp_path.name}"


def test_what_this_machine_published_is_not_downloaded_again(s3_environment, tmp_path):
    store = open_store(s3_uri(s3_environment, tmp_path), tmp_path / "cache", 1)
    manifest = store.publish(made(tmp_path / "made", FILES), WORK)
    for path in (s3_environment.folder / tmp_path.name / manifest.location).rglob("*"):
        if path.is_file():
            path.write_bytes(b"0" * path.stat().st_size)
    assert content_of(store.fetch(manifest)) == FILES


@pytest.mark.parametrize(
    "name", ["LIKENESS_S3_ENDPOINT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
)
def test_a_missing_setting_is_named(s3_environment, tmp_path, monkeypatch, name):
    monkeypatch.delenv(name)
    with pytest.raises(BadInput, match=name):
        open_store(s3_uri(s3_environment, tmp_path), tmp_path / "cache", 1)


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_wrong_credentials_are_told_in_a_sentence(s3_environment, tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, "something-else")
    with pytest.raises(BadInput, match="refuses the credentials for bucket 'likeness'"):
        open_store(s3_uri(s3_environment, tmp_path), tmp_path / "cache", 1)


def test_credentials_that_stop_working_are_told_in_a_sentence(
    s3_environment, tmp_path, monkeypatch
):
    store = open_store(s3_uri(s3_environment, tmp_path), tmp_path / "cache", 1)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "something-else")
    for action in (
        lambda: store.find(ASSET, FINGERPRINT),
        lambda: store.publish(made(tmp_path / "made", {"a": b"1"}), WORK),
        lambda: store.verify(),
    ):
        with pytest.raises(BadInput, match="refuses the credentials"):
            action()


def test_a_missing_bucket_is_named(s3_environment, tmp_path):
    with pytest.raises(BadInput, match="There is no bucket 'nowhere'"):
        open_store("s3://nowhere/prefix", tmp_path / "cache", 1)


@pytest.mark.parametrize(
    "endpoint", ["127.0.0.1:9000", "ftp://host", "http://", "http://host/path"]
)
def test_an_endpoint_that_is_no_address_is_refused(s3_environment, tmp_path, monkeypatch, endpoint):
    monkeypatch.setenv("LIKENESS_S3_ENDPOINT", endpoint)
    with pytest.raises(BadInput, match="write it like http://host:9000"):
        open_store(s3_uri(s3_environment, tmp_path), tmp_path / "cache", 1)


@pytest.mark.parametrize("listening", [False, True])
def test_an_endpoint_that_does_not_answer_is_told_within_seconds(
    s3_environment, tmp_path, monkeypatch, listening
):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listening:  # takes the connection and then says nothing
            silent.listen()
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("LIKENESS_S3_ENDPOINT", endpoint)
        start = time.monotonic()
        with pytest.raises(BadInput, match=f"{endpoint} does not answer"):
            open_store(s3_uri(s3_environment, tmp_path), tmp_path / "cache", 1)
        assert time.monotonic() - start < 8


@pytest.fixture
def front(s3_environment, monkeypatch):
    """A server before the server that honours If-None-Match, and can be told to misbehave."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            address = s3_environment.endpoint + self.path
            if self.command == "PUT" and self.headers.get("If-None-Match") == "*":
                self.server.conditions += 1
                on_disk = s3_environment.folder.parent / self.path.split("?")[0].lstrip("/")
                if on_disk.exists():
                    self.send_response(412)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
            reply = urllib3.request(
                self.command,
                address,
                body=body or None,
                headers=dict(self.headers),
                decode_content=False,
            )
            hidden = self.command == "HEAD" and self.server.late
            self.send_response(404 if hidden else reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            data = reply.data
            if len(data) > 1 << 20 and self.server.breaks:
                self.server.breaks -= 1
                data = data[: len(data) // 2]
                self.close_connection = True
            self.wfile.write(data)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.conditions, server.breaks, server.late = 0, 0, False
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    monkeypatch.setenv("LIKENESS_S3_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_with_conditional_writes_decides_the_closest_race(front, s3, tmp_path):
    store = open_store(s3_uri(s3, tmp_path), tmp_path / "cache", 1)
    first = store.publish(made(tmp_path / "one", {"a": b"first"}), WORK)
    # the second writer looked before the first had finished, and both write their manifests now
    store.find, find = lambda asset, fingerprint: setattr(store, "find", find), store.find
    front.late = True
    second = store.publish(made(tmp_path / "two", {"a": b"second"}), WORK)
    assert second == first
    assert front.conditions == 2
    folders = (s3.folder / tmp_path.name / ASSET / FINGERPRINT).iterdir()
    assert [path.name for path in folders if path.is_dir() and any(path.iterdir())] == [
        Path(first.location).name
    ]


def test_a_broken_connection_is_taken_up_where_it_broke(front, s3, tmp_path):
    data = os.urandom(6 << 20)
    store = open_store(s3_uri(s3, tmp_path), tmp_path / "cache", 1)
    manifest = store.publish(made(tmp_path / "made", {"weights.safetensors": data}), WORK)
    front.breaks = 2
    other = elsewhere(s3_uri(s3, tmp_path), tmp_path)
    assert content_of(other.fetch(manifest)) == {"weights.safetensors": data}
    assert front.breaks == 0
