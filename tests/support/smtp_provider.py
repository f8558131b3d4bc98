"""A sealed e-mail, and the provider that gives it to a mail server of the test."""

from dataclasses import replace

from handovers import handover_of
from mail_server import MailServer, smtp_settings
from outreach.delivery.providers import Handover
from outreach.delivery.providers.smtp import Smtp

US = "hello@alderlane.example"

HEAD = "From: Alder Lane Dental <hello@alderlane.example>\r\nTo: Ada <them@x.example>\r\nMessage-ID: <A@x.example>\r\n"

SEALED = f"{HEAD}Subject: Good morning\r\n\r\nDear Ada,\r\n.\r\n..dots\r\nWarmly\r\n".encode()


def sealed(content: bytes = SEALED, **changes: object) -> Handover:
    return replace(handover_of("A", "email", content=content), **changes)  # type: ignore[arg-type]


def open_to(server: MailServer, **changes: object) -> Smtp:
    return Smtp(smtp_settings(server, **changes), US)
