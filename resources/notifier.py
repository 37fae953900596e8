"""Who is told that a run has failed: the log, a mailbox, or a webhook."""

import json
import logging
import os
import smtplib
import urllib.request
from email.message import EmailMessage
from urllib.error import URLError
from urllib.parse import urlsplit

import dagster as dg
from pydantic import Field

from likeness.errors import BadInput

log = logging.getLogger("likeness")
LOG = "log"
TIMEOUT = 10  # seconds
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
        try:
            if self.to == LOG:
                log.error("%s", text)
            elif self.to.startswith("mailto:"):
                self._mail(subject, text)
            elif urlsplit(self.to).scheme in ("http", "https"):
                self._post({"text": text, "subject": subject, **facts})
            else:
                raise BadInput(
                    "LIKENESS_NOTIFY is none of log, mailto:person@host and https://...: correct it"
                )
        except (smtplib.SMTPException, URLError, OSError) as error:
            # not the address itself: whoever knows that of a webhook can write to it
            kind = "the mail server" if self.to.startswith("mailto:") else "the webhook"
            raise BadInput(f"{kind} of LIKENESS_NOTIFY did not take it: {error}") from error

    def _mail(self, subject: str, text: str) -> None:
        message = EmailMessage()
        message["From"], message["To"] = self.sender, self.to.removeprefix("mailto:")
        # a line break would begin another header
        message["Subject"] = " ".join(subject.split())
        message.set_content(text)
        server = urlsplit(self.smtp)
        with smtplib.SMTP(server.hostname or "", server.port or 25, timeout=TIMEOUT) as mail:
            mail.ehlo()
            if mail.has_extn("starttls"):
                mail.starttls()
            if server.username:
                mail.login(server.username, os.environ.get(PASSWORD, ""))
            mail.send_message(message)

    def _post(self, body: dict[str, str]) -> None:
        request = urllib.request.Request(
            self.to,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT):
            pass


def notifier_from_environment() -> Notifier:
    """``LIKENESS_NOTIFY`` (the log where it is not set), ``LIKENESS_SMTP``."""
    given: dict[str, str] = {}
    for field, variable in (("to", "LIKENESS_NOTIFY"), ("smtp", "LIKENESS_SMTP")):
        if os.environ.get(variable):
            # by name: the value is looked up when it is needed and stands in no page
            given[field] = dg.EnvVar(variable)
    return Notifier(**given)
