"""Who is told that a run has failed: the log, a mailbox, or a webhook."""

import json
import logging
import os
import smtplib
import ssl
import time
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage
from http.client import HTTPException
from urllib.error import URLError
from urllib.parse import urlsplit

import dagster as dg
from pydantic import Field

from likeness.errors import BadInput

log = logging.getLogger("likeness")
LOG = "log"
TIMEOUT = 10  # seconds
# Seconds to wait before the next try: nobody asks a second time for a message that was lost.
PAUSES = (2, 8)
PASSWORD = "LIKENESS_SMTP_PASSWORD"


class Notifier(dg.ConfigurableResource):
    """One way to reach a person; the password of a mail server is read when it is needed."""

    to: str = Field(
        default=LOG,
        description="log, mailto:person@host, or the http(s) address of a webhook",
        # the address of a webhook is its key
        json_schema_extra={"dagster__is_secret": True},
    )
    smtp: str = Field(
        default="smtp://localhost:25", description="mail server, smtp://user@host:port"
    )
    sender: str = Field(default="likeness@localhost", description="whom mails come from")

    def send(self, subject: str, facts: dict[str, str]) -> None:
        """Tell; ``facts`` are named lines below the subject. BadInput says why it did not work."""
        text = "\n".join([subject, *(f"{name}: {value}" for name, value in facts.items())])
        if self.to == LOG:
            log.error("%s", text)
        elif self.to.startswith("mailto:"):
            _patiently(lambda: self._mail(subject, text), "the mail server")
        elif urlsplit(self.to).scheme in ("http", "https"):
            body = {"text": text, "subject": subject, **facts}
            _patiently(lambda: self._post(body), "the webhook")
        else:
            raise BadInput(
                "LIKENESS_NOTIFY is none of log, mailto:person@host and https://...: correct it"
            )

    def _mail(self, subject: str, text: str) -> None:
        message = EmailMessage()
        message["From"], message["To"] = self.sender, self.to.removeprefix("mailto:")
        # a line break would begin another header
        message["Subject"] = " ".join(subject.split())
        message.set_content(text)
        server = urlsplit(self.smtp)
        if server.scheme != "smtp" or not server.hostname:
            raise BadInput("LIKENESS_SMTP is no smtp://user@host:port: correct it")
        with smtplib.SMTP(server.hostname, server.port or 25, timeout=TIMEOUT) as mail:
            mail.ehlo()
            if server.username:
                # a password goes to nobody but the server of that name, and to no listener
                mail.starttls(context=ssl.create_default_context())
                mail.login(server.username, os.environ.get(PASSWORD, ""))
            elif mail.has_extn("starttls"):
                mail.starttls()
            mail.send_message(message)

    def _post(self, body: dict[str, str]) -> None:
        request = urllib.request.Request(
            self.to,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT):
            pass


def _patiently(send: Callable[[], None], whom: str) -> None:
    """Try a few times; BadInput when nothing was taken."""
    for pause in (*PAUSES, None):
        try:
            send()
            return
        except (smtplib.SMTPException, HTTPException, URLError, OSError) as error:
            if pause is None:
                # not what an HTTPException says: it holds the address, whose knowledge is its key
                said = type(error).__name__ if isinstance(error, HTTPException) else error
                raise BadInput(f"{whom} of LIKENESS_NOTIFY did not take it: {said}") from None
            time.sleep(pause)


def notifier_from_environment() -> Notifier:
    """``LIKENESS_NOTIFY`` (the log where it is not set), ``LIKENESS_SMTP``."""
    given: dict[str, str] = {}
    for field, variable in (("to", "LIKENESS_NOTIFY"), ("smtp", "LIKENESS_SMTP")):
        if os.environ.get(variable):
            # by name: the value is looked up when it is needed and stands in no page
            given[field] = dg.EnvVar(variable)
    return Notifier(**given)
