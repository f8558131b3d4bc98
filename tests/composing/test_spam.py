"""What a spam filter of the receiving side thinks of our e-mails, exactly as they come out of a mail server."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from handovers import handover_of
from mail_server import mail_server, smtp_settings
from outreach.delivery.providers.smtp import Smtp
from outreach.settings import Settings
from planned import write_one

GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
MOST = 2.0


@pytest.fixture
def score(tmp_path: Path) -> Callable[[bytes], float]:
    """What SpamAssassin's own rules say of a message: no network, nothing learnt, no settings of a user's."""
    command = shutil.which("spamassassin")
    if command is None:
        pytest.skip("spamassassin is not installed: what spam filters think of our e-mails is NOT checked")
    rules = ["-L", "-t", "--nocreate-prefs", "--cf=use_bayes 0", "--cf=skip_rbl_checks 1"]
    surroundings = {"HOME": str(tmp_path), "PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}

    def ask(message: bytes) -> float:
        told = subprocess.run([command, *rules], input=message, capture_output=True, check=True, env=surroundings)
        found = re.search(rb"^X-Spam-Status: \w+, score=(-?[\d.]+)", told.stdout, re.MULTILINE)
        assert found, told.stdout[:500]
        print(told.stdout.rpartition(b"Content analysis details")[2].decode())
        return float(found[1])

    return ask


def through_a_mail_server(content: bytes, to: str) -> bytes:
    """The bytes that a mail server got."""
    with mail_server() as server:
        handover = handover_of("A", "email", content=content, recipient={"name": "x", "email": to})
        Smtp(smtp_settings(server), "hello@alderlane.example").send(handover)
    [taken] = server.taken
    return taken.content


@pytest.mark.parametrize("kind", ["anniversary", "checkin", "late_payment", "referral_ask"])
def test_our_emails_are_no_spam_to_a_spam_filter(
    sqlite_engine: Engine, settings: Settings, score: Callable[[bytes], float], kind: str
) -> None:
    business = settings.business.model_copy(update={"public_url": "https://letters.alderlane.example"})
    ours = settings.model_copy(update={"business": business})
    _, content = write_one(sqlite_engine, ours, kind, "email", given_name="María", family_name="López-Núñez")
    assert score(through_a_mail_server(content, "maria@example.org")) < MOST


def test_the_spam_filter_knows_spam_when_it_sees_it(score: Callable[[bytes], float]) -> None:
    spam = b"From: us@x.example\r\nTo: them@x.example\r\nSubject: Hello\r\n\r\n" + GTUBE + b"\r\n"
    assert score(through_a_mail_server(spam, "them@x.example")) > 100
