"""E-mail by SMTP, on a real mail server on 127.0.0.1: what is known after each thing that can go wrong, and no more."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st
from sqlalchemy import Engine

from conftest import NOW
from handovers import handover_of
from mail_server import PASSWORD, USER, MailServer, mail_server, smtp_settings, write_certificate
from outreach.delivery.providers import WebhookRequest, open_providers
from outreach.delivery.providers.protocol import NO_KEYS, Cancels, Provider, stand_in
from outreach.delivery.providers.smtp import Smtp
from outreach.errors import (
    ContactRefused,
    DeliveryError,
    NoAnswer,
    NotNow,
    NotSent,
    OutcomeUnknown,
    Refused,
    WebhookRefused,
)
from outreach.settings import Settings
from outreach.settings.providers import SmtpSettings
from planned import write_one
from smtp_provider import HEAD, SEALED, US, open_to, sealed


@contextmanager
def answering(faults: dict[str, str]) -> Iterator[tuple[MailServer, Smtp]]:
    with mail_server(faults) as server:
        yield server, open_to(server, timeout_seconds=0.3)


# --- what is sent ---


def test_the_sealed_bytes_arrive_unchanged_at_the_one_address_from_the_business() -> None:
    with mail_server() as server:
        assert open_to(server).send(sealed()) == "<A@x.example>"
    [taken] = server.taken
    assert (taken.sender, taken.recipients, taken.sealed) == (US, ["them@x.example"], SEALED)


def test_a_message_without_a_message_id_is_taken_all_the_same() -> None:
    with mail_server() as server:
        assert open_to(server).send(handover_of("R1", "email")) == stand_in("R1.1")


LINES = st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))


@trials(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES | st.lists(st.sampled_from([".", "..", "", ".x", "QUIT", "."])), ends=st.booleans())
def test_whatever_its_lines_begin_and_end_with_it_arrives_byte_for_byte(
    one_server: MailServer, lines: list[str], ends: bool
) -> None:
    content = f"{HEAD}Subject: x\r\n\r\n".encode() + "\r\n".join(lines).encode() + (b"\r\n" if ends else b"")
    one_server.taken.clear()
    open_to(one_server).send(sealed(content))
    [taken] = one_server.taken
    # Every line of SMTP has an end; only that may be added.
    assert taken.sealed in {content, content + b"\r\n"}
    assert taken.sealed == content or not content.endswith(b"\r\n")


@pytest.fixture(scope="module")
def one_server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def test_a_composed_email_arrives_as_it_was_sealed(sqlite_engine: Engine, settings: Settings) -> None:
    message, content = write_one(sqlite_engine, settings, "anniversary", "email")
    with mail_server() as server:
        to = {"name": "Mrs. Maria Lopez", "email": "maria@example.org"}
        provider_id = open_to(server).send(sealed(content, reference=message.reference, recipient=to))
    assert provider_id == f"<{message.reference}@alderlane.example>"
    [taken] = server.taken
    assert (taken.sealed, taken.recipients) == (content, ["maria@example.org"])
    assert max(len(line) for line in content.partition(b"\r\n\r\n")[2].split(b"\r\n")) <= 76


def test_an_address_with_letters_beyond_ascii_goes_by_smtputf8_or_not_at_all(
    sqlite_engine: Engine, settings: Settings
) -> None:
    _, content = write_one(sqlite_engine, settings, "anniversary", "email", email="jörg@example.org")
    handover = sealed(content, recipient={"name": "Jörg", "email": "jörg@example.org"})
    with mail_server() as server:
        open_to(server).send(handover)
    [taken] = server.taken
    assert (taken.recipients, taken.sealed) == (["jörg@example.org"], content)
    assert "SMTPUTF8" in taken.options
    with mail_server(utf8=False) as server, pytest.raises(Refused, match="another way"):
        open_to(server).send(handover)
    assert server.taken == []
    assert "MAIL" not in server.commands


def test_eight_bit_words_are_only_given_to_a_server_that_keeps_them() -> None:
    content = f"{HEAD}Subject: x\r\n\r\nGrüße\r\n".encode()
    with mail_server() as server:
        open_to(server).send(sealed(content))
    [taken] = server.taken
    assert "BODY=8BITMIME" in taken.options
    assert taken.sealed == content


# --- nobody else ever gets it ---

INJECTED = {
    "a Bcc after the subject": f"{HEAD}Subject: Hi\r\nBcc: thief@evil.example\r\n\r\nx\r\n",
    "a Cc in the name": f"From: {US}\r\nTo: Ada\r\nCc: thief@evil.example\r\n <them@x.example>\r\nSubject: x\r\n\r\nx",
    "a second To": f"{HEAD}Subject: Hi\r\nTo: thief@evil.example\r\n\r\nx\r\n",
    "two in one To": "From: us@x.example\r\nTo: them@x.example, thief@evil.example\r\nSubject: x\r\n\r\nx\r\n",
    "somebody else": "From: us@x.example\r\nTo: thief@evil.example\r\nSubject: x\r\n\r\nx\r\n",
    "a second From": f"{HEAD}From: thief@evil.example\r\nSubject: Hi\r\n\r\nx\r\n",
    "a Resent-Bcc": f"{HEAD}Subject: Hi\r\nresent-bcc: thief@evil.example\r\n\r\nx\r\n",
    "a lone line feed": f"{HEAD}Subject: Hi\nBcc: thief@evil.example\r\n\r\nx\r\n",
    "a lone carriage return": f"{HEAD}Subject: Hi\rBcc: thief@evil.example\r\n\r\nx\r\n",
    "a second message after a dot": f"{HEAD}Subject: Hi\r\n\r\nx\n.\nMAIL FROM:<thief@evil.example>\r\n",
}


@pytest.mark.parametrize("content", INJECTED.values(), ids=INJECTED)
def test_row_37_a_header_with_a_line_break_and_a_bcc_never_gets_a_second_recipient(content: str) -> None:
    with mail_server() as server, pytest.raises(Refused, match="compose it anew") as refused:
        open_to(server).send(sealed(content.encode()))
    assert server.taken == []
    assert server.commands == []
    assert "@" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "them@x.example\r\nRCPT TO:<thief@evil.example>", "them@x.example> NOTIFY=SUCCESS <t@evil.example",
        "them@x.example,thief@evil.example", "", "them", "two words@x.example", "<them@x.example>",
    ],
)  # fmt: skip
def test_an_address_that_is_more_than_an_address_is_refused(address: str) -> None:
    with mail_server() as server, pytest.raises(Refused, match="correct the customer's"):
        open_to(server).send(sealed(recipient={"name": "Ada", "email": address}))
    assert server.commands == []


def test_dots_and_verbs_in_the_words_are_words() -> None:
    content = f"{HEAD}Subject: x\r\n\r\nx\r\n.\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<thief@evil.example>\r\n".encode()
    with mail_server() as server:
        open_to(server).send(sealed(content))
    [taken] = server.taken
    assert (taken.recipients, taken.sealed) == (["them@x.example"], content)


# --- what is known, step by step ---

BEFORE = ["EHLO", "MAIL", "RCPT", "DATA"]
ANSWERS: list[tuple[str, str, type[DeliveryError]]] = [
    ("EHLO", "421 4.3.2 not now", NotSent),
    ("MAIL", "451 4.3.0 later", NotSent),
    ("MAIL", "550 5.7.1 not your address", NotSent),
    ("MAIL", "530 5.7.0 log in first", NotSent),
    ("RCPT", "450 4.2.0 greylisted, come back", NotNow),
    ("RCPT", "451 4.7.1 greylisted, come back", NotNow),
    ("RCPT", "550 5.1.1 <them@x.example> no such user", ContactRefused),
    ("RCPT", "553 5.1.3 no such syntax", ContactRefused),
    ("RCPT", "556 5.1.10 takes no mail", ContactRefused),
    # A server without enhanced codes says it in words, and some say it only after the message.
    ("RCPT", "550 no such user", ContactRefused),
    ("RCPT", "550 Requested action not taken: mailbox unavailable", Refused),
    ("RCPT", "550 5.5.0 <them@x.example>... User unknown", ContactRefused),
    ("RCPT", "550 5.2.1 unknown user", Refused),
    ("RCPT", "550 sender rejected: unknown user", Refused),
    ("RCPT", "552 no such user", Refused),
    ("DATA", "550 5.1.1 user unknown", ContactRefused),
    (".", "550 5.1.1 user unknown", ContactRefused),
    (".", "550 No such user here", ContactRefused),
    (".", "554 5.7.1 user unknown, says our filter", Refused),
    (".", "450 4.1.1 no such user just now", NotNow),
    ("RCPT", "552 5.2.2 mailbox full", Refused),
    ("RCPT", "554 5.7.1 relay access denied", NotNow),
    ("RCPT", "530 log in first", NotSent),
    ("RCPT", "550 5.4.5 daily limit", NotSent),
    ("RCPT", "999 what", NotNow),
    ("RCPT", "no number at all", NotNow),
    ("DATA", "451 4.3.0 later", NotNow),
    ("DATA", "554 5.5.1 no valid recipients", Refused),
    (".", "451 4.7.0 greylisted after all", NotNow),
    (".", "452 4.2.2 over quota", NotNow),
    (".", "550 5.7.1 looks like spam", Refused),
    (".", "552 5.3.4 too big", Refused),
    (".", "550 5.4.5 daily limit", NotSent),
    (".", "354 again?", OutcomeUnknown),
    (".", "no number at all", OutcomeUnknown),
    (".", "250" + "x" * 9000, OutcomeUnknown),
    (".", "550" + "x" * 9000, OutcomeUnknown),
]


@pytest.mark.parametrize(("step", "answer", "known"), ANSWERS, ids=[f"{step} {said[:20]}" for step, said, _ in ANSWERS])
def test_an_answer_means_what_it_says_at_its_step(step: str, answer: str, known: type[DeliveryError]) -> None:
    with answering({step: answer}) as (server, smtp), pytest.raises(DeliveryError) as raised:
        smtp.send(sealed())
    assert type(raised.value) is known
    assert len(server.taken) == (step == ".")
    assert "@" not in str(raised.value)


@pytest.mark.parametrize("fault", ["drop", "hang"])
@pytest.mark.parametrize("step", BEFORE)
def test_a_server_that_falls_silent_before_the_words_left_surely_has_nothing(step: str, fault: str) -> None:
    with answering({step: fault}) as (server, smtp), pytest.raises(NotSent, match="before anything had left"):
        smtp.send(sealed())
    assert server.taken == []


@pytest.mark.parametrize("fault", ["drop", "hang"])
def test_a_server_that_falls_silent_after_the_final_dot_may_have_it(fault: str) -> None:
    with answering({".": fault}) as (server, smtp), pytest.raises(OutcomeUnknown, match="look in its log"):
        smtp.send(sealed())
    assert len(server.taken) == 1


@pytest.mark.parametrize("length", [1, 1_000_000])
def test_a_connection_that_breaks_before_the_final_dot_has_sent_nothing(length: int) -> None:
    """A server made by hand: it takes some of the data, and resets the connection.

    Without the final dot it has no message; in an earlier version such a one was uncertain for ever.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_break_within_data, args=(listening,))
        thread.start()
        settings = SmtpSettings(host="127.0.0.1", port=listening.getsockname()[1], security="none", timeout_seconds=2)
        with pytest.raises(NotSent):
            Smtp(settings, US).send(sealed(SEALED + b"a long line of words\r\n" * length))
        thread.join()


def _break_within_data(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection, connection.makefile("rb") as lines:
        connection.sendall(b"220 mail.example\r\n")
        for answer in (b"250 mail.example", b"250 ok", b"250 ok", b"354 go on"):
            lines.readline()
            connection.sendall(answer + b"\r\n")
        connection.recv(100)


def test_a_goodbye_that_is_never_answered_changes_nothing() -> None:
    with mail_server({"QUIT": "hang"}) as server:
        assert open_to(server).send(sealed()) == "<A@x.example>"
        assert open_to(server).send(replace(sealed(), reference="B"))
    assert len(server.taken) == 2


def test_a_dead_address_is_told_apart_so_that_it_is_never_used_again() -> None:
    with answering({"RCPT": "550 5.1.1 unknown"}) as (_, smtp), pytest.raises(ContactRefused) as refused:
        smtp.send(sealed())
    assert refused.value.source == "bounced"


def test_nobody_listening_means_surely_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    settings = SmtpSettings(host="127.0.0.1", port=port, security="none", timeout_seconds=2)
    with pytest.raises(NotSent, match="before anything had left"):
        Smtp(settings, US).send(sealed())


def test_time_is_asked_for_when_all_is_ready_and_before_the_message_begins() -> None:
    seen: list[list[str]] = []

    def too_late() -> None:
        seen.append(list(server.commands))
        raise NotSent("this sender was held up for too long")

    with mail_server() as server, pytest.raises(NotSent, match="held up"):
        open_to(server).send(sealed(require_time=too_late))
    assert seen == [["EHLO"]]
    assert (server.taken, server.commands) == ([], ["EHLO"])


# --- encryption and login ---


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return write_certificate(tmp_path / "mail.pem")


def test_starttls_and_a_login_with_a_certificate_that_is_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(starttls=certificate, login=True) as server:
        open_to(server, security="starttls", username=USER, password=PASSWORD).send(sealed())
    [taken] = server.taken
    assert (taken.was_encrypted, taken.sealed) == (True, SEALED)
    assert server.commands == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"]


def test_tls_from_the_first_byte(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(tls=certificate) as server:
        open_to(server, security="tls").send(sealed())
    assert [(taken.was_encrypted, taken.sealed) for taken in server.taken] == [(True, SEALED)]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_gets_neither_password_nor_message(
    certificate: Path, security: str
) -> None:
    with mail_server(**{security: certificate}, login=True) as server, pytest.raises(NotSent, match="certificate"):
        open_to(server, security=security, username=USER, password=PASSWORD).send(sealed())
    assert server.taken == []
    assert not {"AUTH", "MAIL"} & set(server.commands)


def test_a_certificate_for_another_server_is_no_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    another = write_certificate(tmp_path / "another.pem", "127.0.0.2")
    monkeypatch.setenv("SSL_CERT_FILE", str(another))
    with mail_server(starttls=another) as server, pytest.raises(NotSent, match="certificate"):
        open_to(server, security="starttls").send(sealed())
    assert server.taken == []


def test_a_server_without_starttls_gets_nothing_in_the_clear_when_starttls_is_asked_for() -> None:
    with mail_server() as server, pytest.raises(NotSent, match="lacks the encryption"):
        open_to(server, security="starttls", username=USER, password=PASSWORD).send(sealed())
    assert (server.taken, server.commands) == ([], ["EHLO"])


@pytest.mark.parametrize("faults", [{"STARTTLS": "454 4.7.0 not now"}, {"STARTTLS": "drop"}])
def test_starttls_that_fails_is_never_gone_without(certificate: Path, faults: dict[str, str]) -> None:
    with mail_server(faults, starttls=certificate) as server, pytest.raises(NotSent):
        open_to(server, security="starttls").send(sealed())
    assert server.commands == ["EHLO", "STARTTLS"]


def test_a_wrong_password_is_our_fault_and_is_never_told(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(starttls=certificate, login=True) as server, pytest.raises(NotSent, match="535") as refused:
        open_to(server, security="starttls", username=USER, password="wrong-password").send(sealed())
    assert server.taken == []
    assert "wrong-password" not in str(refused.value)
    assert USER not in str(refused.value)


# --- the rest of what a provider is asked ---


def test_it_cannot_be_searched_and_sends_no_webhooks() -> None:
    provider: Provider = Smtp(SmtpSettings(host="127.0.0.1"), US)
    assert (provider.key_life, provider.absent_after) == (NO_KEYS, None)
    assert provider.channels == {"email"}
    assert not isinstance(provider, Cancels)
    with pytest.raises(NoAnswer, match="A in its log"):
        provider.find(sealed())
    with pytest.raises(WebhookRefused):
        provider.parse_events(WebhookRequest(url="https://x.example", headers={}, body=b"{}", received_at=NOW))


def test_it_is_opened_in_live_mode_once_its_server_is_named(settings: Settings) -> None:
    with mail_server() as server:
        smtp = smtp_settings(server)
        live = settings.model_copy(
            update={"mode": "live", "providers": settings.providers.model_copy(update={"email": "smtp", "smtp": smtp})}
        )
        with open_providers(live) as carriers:
            assert carriers["smtp"].per_second == 2
            assert carriers["smtp"].send(sealed()) == "<A@x.example>"
    assert [taken.sender for taken in server.taken] == [settings.business.email]
