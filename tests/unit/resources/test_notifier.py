"""Messages arrive at real servers of this machine, and no secret is told on the way."""

import json
import logging
import socketserver
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from likeness.errors import BadInput
from resources import notifier
from resources.notifier import Notifier, notifier_from_environment

FACTS = {"run": "0123", "why": "no room — ‘7’"}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(notifier, "PAUSES", (0.0, 0.0))


@contextmanager
def served(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def webhook():
    """A server that keeps what is posted to it; its answers are its path, one after the other."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((self.path, self.headers["Content-Type"], json.loads(body)))
            answers = self.path.strip("/").split("-")
            self.send_response(int(answers[min(len(taken), len(answers)) - 1]))
            self.end_headers()

        def log_message(self, *words):
            pass

    taken = []
    with served(HTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"http://127.0.0.1:{port}", taken


@pytest.fixture
def mailbox():
    """A mail server that takes everything."""

    class Handler(socketserver.StreamRequestHandler):
        def say(self, text):
            self.wfile.write(f"{text}\r\n".encode())

        def handle(self):
            self.say("220 here")
            while line := self.rfile.readline().decode().strip():
                taken.append(line)
                if line.upper() == "DATA":
                    self.say("354 go on")
                    while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                        taken.append(text)
                self.say("221 bye" if line.upper() == "QUIT" else "250 fine")
                if line.upper() == "QUIT":
                    return

    taken = []
    with served(socketserver.TCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port, taken


def test_the_log_gets_every_fact(caplog):
    with caplog.at_level(logging.ERROR, logger="likeness"):
        Notifier().send("it has failed", FACTS)
    assert caplog.messages == ["it has failed\nrun: 0123\nwhy: no room — ‘7’"]


def test_a_webhook_gets_json_with_a_text_for_people(webhook):
    address, taken = webhook
    Notifier(to=f"{address}/200").send("it has failed", FACTS)
    ((path, kind, body),) = taken
    assert (path, kind) == ("/200", "application/json")
    assert body == FACTS | {
        "subject": "it has failed",
        "text": "it has failed\nrun: 0123\nwhy: no room — ‘7’",
    }


def test_a_mail_has_one_subject_line_and_arrives(mailbox):
    port, taken = mailbox
    notifier = Notifier(to="mailto:me@here.org", smtp=f"smtp://127.0.0.1:{port}")
    notifier.send("it has\nBcc: all@there.org\nfailed", FACTS)
    assert "rcpt TO:<me@here.org>" in taken
    assert [line for line in taken if line.lower().startswith("rcpt")] == ["rcpt TO:<me@here.org>"]
    assert "Subject: it has Bcc: all@there.org failed" in taken
    headers = taken[taken.index("data") : taken.index("")]
    assert not [line for line in headers if line.startswith("Bcc")]


def test_who_cannot_be_reached_is_a_sentence_without_the_address(webhook):
    address, _ = webhook
    for to in (f"{address}/500", "http://127.0.0.1:9/secret", "mailto:me@here.org"):
        with pytest.raises(BadInput, match="of LIKENESS_NOTIFY did not take it") as told:
            Notifier(to=to, smtp="smtp://127.0.0.1:9").send("x", {})
        assert "secret" not in str(told.value)
        assert address not in str(told.value)


def test_who_is_away_for_a_moment_is_told_a_moment_later(webhook):
    address, taken = webhook
    Notifier(to=f"{address}/503-503-200").send("it has failed", FACTS)
    assert len(taken) == 3


def test_an_address_that_is_none_is_refused_without_being_told(webhook):
    address, taken = webhook
    with pytest.raises(BadInput, match="did not take it: InvalidURL") as told:
        Notifier(to=f"{address}/200 secret").send("x", {})
    assert "secret" not in str(told.value)
    assert told.value.__cause__ is None
    assert not taken


def test_an_address_of_no_kind_is_refused_without_being_told():
    with pytest.raises(BadInput, match="none of log, mailto:") as told:
        Notifier(to="ftp://secret").send("x", {})
    assert "secret" not in str(told.value)


def test_the_environment_is_named_and_not_copied(monkeypatch):
    assert notifier_from_environment().to == "log"
    monkeypatch.setenv("LIKENESS_NOTIFY", "https://hooks.example/secret")
    assert "secret" not in repr(notifier_from_environment())
    resolved = notifier_from_environment().process_config_and_initialize()
    assert resolved.to == "https://hooks.example/secret"


@pytest.mark.parametrize("smtp", ["smtps://me@mail.here:465", "mail.here:587", "smtp://"])
def test_a_mail_server_of_another_kind_is_refused(smtp):
    with pytest.raises(BadInput, match="LIKENESS_SMTP is no smtp://user@host:port"):
        Notifier(to="mailto:me@here.org", smtp=smtp).send("it has failed", FACTS)


def test_a_password_is_told_to_no_server_that_does_not_encrypt(mailbox, monkeypatch):
    port, taken = mailbox
    monkeypatch.setenv("LIKENESS_SMTP_PASSWORD", "secret")
    monkeypatch.setattr("resources.notifier.PAUSES", ())
    with pytest.raises(BadInput, match="did not take it: STARTTLS"):
        Notifier(to="mailto:me@here.org", smtp=f"smtp://me@127.0.0.1:{port}").send("s", FACTS)
    assert not [line for line in taken if line.upper().startswith(("AUTH", "MAIL"))]
