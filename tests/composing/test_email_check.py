"""E-mails are read back before they are sealed: whatever a name is, they have one sender and one recipient."""

from collections.abc import Callable
from email import message_from_bytes
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any, NoReturn, cast

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as trials
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import select

from conftest import NOW, TODAY
from mail_server import MailServer, mail_server, smtp_settings
from outreach.composing.emails import write_email
from outreach.composing.mail_headers import LONGEST_LINE, read_mailboxes, read_words, write_mailbox, write_unstructured
from outreach.composing.proofing.email_check import FIELDS, ExpectedEmail, require_sound_email
from outreach.composing.template_data import Facts
from outreach.composing.templating.fields import COMMON, OF_MOMENT
from outreach.composing.templating.templates import Words
from outreach.contacts import deliverable_email, normalise_email
from outreach.database import reading
from outreach.delivery.providers import Handover
from outreach.delivery.providers.sealed_mail import dated, name_in, read_sealed
from outreach.delivery.providers.smtp import Smtp
from outreach.errors import CannotWrite, FailedCheck, Refused
from outreach.models import Customer, Message
from outreach.settings import Settings
from planned import add_customer, compose, message_of, plan, write_one

ADDRESS = "them@x.example"
# What bit somebody: Python's folding drops the quotes around these, and commas and semicolons part recipients.
NAMES = [
    "Ann's Dental, LLC", "Ann’s Dental, LLC", "Zoë Marsh (née Smith)", "Łukasz Nowak; Anna", "Anna Müller, Jr.",
    "é x, evil@attacker.example", "<ıframe id=x onload=> Smith", "Renée: mother of Zoë Hall", "Søren Dahl @ work",
    'Ann "Zoë" Smith', 'Ann "Bob" Smith', "Jörg von der Tann [Firma]", "Ünal A. B. <second@x.example>", "Smith\\",
    "Prof. Dr. Ada Cornelia Cesar Martín M.D., Ph.D. Jr", "=?utf-8?q?x?= Smith", "Maria Lopez", "x" * 200,
    "พระพรหมมังคลาจารย์ ปัญญานันทภิกขุ", "Ada, " * 30 + "Ö",
]  # fmt: skip
ANY_NAME = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=200) | st.text(
    st.sampled_from("aé Ł,;:<>()[]@\"'\\.=?_-"), min_size=1, max_size=80
)


def email_words(subject: str = "Thank you, {{ greeting }}", page: str = "<p>Dear {{ greeting }}</p>") -> Words:
    return Words("anniversary", "email", "en", {"txt": f"{subject}\nDear {{{{ greeting }}}},", "html": page}, "")


def write_to(settings: Settings, name: str, address: str = ADDRESS, **changed: str) -> bytes:
    known = {**COMMON, **OF_MOMENT["anniversary"], "currency": "USD", "locale": "en_US"}
    facts = Facts(Customer(customer_id="c"), {}, settings.business.signatories[0], "en_US", known)
    return write_email(facts, email_words(**changed), (name, address), settings.business, "K7QF-2M9X-TB4D", b"k")


def handover_of(content: bytes, name: str, address: str = ADDRESS) -> Handover:
    return Handover("R", "R.1", "email", {"name": name, "email": address}, content, "message/rfc822", TODAY, "", NOW)


# --- one sender and one recipient ---


@trials(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=ANY_NAME)
@example("Ann’s Dental, LLC")
@example("Zoë Marsh (née Smith)")
@example("Łukasz Nowak; Anna")
def test_whatever_a_name_is_the_email_has_one_recipient_of_that_name(settings: Settings, name: str) -> None:
    try:
        content = write_to(settings, name)
    except CannotWrite:
        return
    plain, parsed = message_from_bytes(content), message_from_bytes(content, policy=default)
    shown = " ".join(name.split())
    assert read_mailboxes(plain["To"]) == [(shown, ADDRESS)]
    # A reader that decodes nothing, and Python's own, find nobody else either.
    assert [address for _, address in getaddresses([plain["To"]])] == [ADDRESS]
    assert [one.addr_spec for one in cast(AddressHeader, parsed["To"]).addresses] == [ADDRESS]
    assert sorted(plain.keys()) == sorted(FIELDS)
    message, address = read_sealed(handover_of(content, name))
    assert (address, name_in(message, "To")) == (ADDRESS, shown or None)


@given(name=ANY_NAME)
def test_every_line_and_every_encoded_word_of_a_name_is_within_the_rfc(name: str) -> None:
    try:
        lines = write_mailbox("From", name, ADDRESS) + write_unstructured("Subject", name)
    except CannotWrite:
        return
    for line in lines.removesuffix("\r\n").split("\r\n"):
        assert line.strip()
        assert len(line) <= LONGEST_LINE
        assert all(len(word) <= 75 for word in line.split() if word.startswith("=?"))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_arrives_as_it_is_on_record(settings: Settings, name: str) -> None:
    [(shown, _)] = read_mailboxes(message_from_bytes(write_to(settings, name))["To"])
    assert shown == name.strip()


@pytest.mark.parametrize("name", [name for name in NAMES if len(name) < 40 and "พ" not in name])
def test_python_itself_reads_a_name_of_ordinary_length_as_it_is_on_record(settings: Settings, name: str) -> None:
    parsed = message_from_bytes(write_to(settings, name), policy=default)
    assert [one.display_name for one in cast(AddressHeader, parsed["To"]).addresses] == [name]


@pytest.mark.parametrize("name", ["Müller, Bäcker & Cie", "Zahnärzte am Ring (Köln); Praxis", "Alder Lane Dental, LLC"])
def test_the_name_of_the_business_makes_no_second_sender(settings: Settings, name: str) -> None:
    own = settings.model_copy(update={"business": settings.business.model_copy(update={"name": name})})
    assert read_mailboxes(message_from_bytes(write_to(own, "Ann"))["From"]) == [(name, settings.business.email)]


@given(subject=st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=300).map(str.strip))
def test_a_subject_is_read_as_it_was_written(subject: str) -> None:
    try:
        line = write_unstructured("Subject", subject)
    except CannotWrite:
        return
    if subject:
        assert read_words(message_from_bytes(f"{line}\r\n".encode())["Subject"]) == subject


# --- live, to the bytes ---


@pytest.fixture(scope="module")
def server() -> Any:
    with mail_server() as running:
        yield running


@pytest.mark.parametrize("name", [("Ann's Dental,", "LLC"), ("Zoë", "Marsh (née Smith)"), ("Łukasz", "Nowak; Anna")])
def test_a_name_that_broke_headers_arrives_at_a_mail_server_with_one_recipient(
    sqlite_engine: Engine, settings: Settings, server: MailServer, name: tuple[str, str]
) -> None:
    given_name, family_name = name
    values = {"given_name": given_name, "family_name": family_name, "honorific": None}
    _, content = write_one(sqlite_engine, settings, "anniversary", "email", **values)
    server.taken.clear()
    to = {"name": f"{given_name} {family_name}", "email": "maria@example.org"}
    handover = handover_of(content, to["name"], to["email"])
    Smtp(smtp_settings(server), settings.business.email).send(handover)
    [taken] = server.taken
    assert taken.recipients == ["maria@example.org"]
    assert taken.sealed == content
    assert read_mailboxes(message_from_bytes(taken.content)["To"]) == [(to["name"], to["email"])]


def test_the_date_is_that_of_leaving_and_outside_the_seal(settings: Settings, server: MailServer) -> None:
    content = write_to(settings, "Ann")
    assert message_from_bytes(content)["Date"] is None
    server.taken.clear()
    Smtp(smtp_settings(server), settings.business.email).send(handover_of(content, "Ann"))
    [taken] = server.taken
    assert parsedate_to_datetime(str(message_from_bytes(taken.content)["Date"])) == NOW
    assert taken.content.endswith(content)


def test_what_was_sealed_with_a_date_keeps_the_one_it_has() -> None:
    content = b"From: a@x.example\r\nDate: Tue, 10 Mar 2026 09:00:00 -0400\r\n\r\nx\r\n"
    assert dated(handover_of(content, "Ann")) == content
    assert dated(handover_of(b"From: a@x.example\r\n\r\nDate: x\r\n", "Ann")).startswith(b"Date: ")


def test_mail_goes_to_the_address_as_it_came_and_only_the_hash_folds(sqlite_engine: Engine, settings: Settings) -> None:
    message, content = write_one(sqlite_engine, settings, "anniversary", "email", email=" Maria.Lopez@Example.ORG ")
    assert '"email":"Maria.Lopez@Example.ORG"' in (message.recipient or "")
    [(_, address)] = read_mailboxes(message_from_bytes(content)["To"])
    assert address == "Maria.Lopez@Example.ORG"
    assert normalise_email(address) == "maria.lopez@example.org"


@pytest.mark.parametrize(
    ("came", "goes_to"),
    [
        ("Ann@B.example", "Ann@B.example"),
        ("<Ann@b.example>;", "Ann@b.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("Jörg@b.example", "Jörg@b.example"),
        ("ｊane@b.example", "jane@b.example"),
        ("nobody", None),
    ],
)
def test_an_address_is_trimmed_and_not_folded(came: str, goes_to: str | None) -> None:
    assert deliverable_email(came) == goes_to
    assert goes_to is None or normalise_email(goes_to) == normalise_email(came)


# --- what is wrong is found ---


def expected_of(content: bytes) -> ExpectedEmail:
    text, page = (cast(EmailMessage, part).get_content() for part in message_from_bytes(content, policy=default).walk()
                  if part.get_content_maintype() == "text")  # fmt: skip
    link = message_from_bytes(content)["List-Unsubscribe"][1:-1]
    empty = page[: page.index("<p>Dear")] + page[page.index("</p>") + len("</p>") :]
    sender = read_mailboxes(message_from_bytes(content)["From"])[0]
    return ExpectedEmail(sender, ("Ann", ADDRESS), "Thank you, Maria", link, text.partition(",")[2], empty)


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "a second recipient": lambda c: c.replace(b'To: "Ann" <', b'To: "Ann" <thief@evil.example>, <'),
    "a second recipient by a lost quote": lambda c: c.replace(b'To: "Ann" <', b"To: Ann, thief@evil.example <"),
    "another name": lambda c: c.replace(b'"Ann"', b'"Bob"'),
    "another address": lambda c: c.replace(b"<them@x.example>", b"<Them@x.example>"),
    "a Bcc": lambda c: b"Bcc: thief@evil.example\r\n" + c,
    "a second From": lambda c: b"From: thief@evil.example\r\n" + c,
    "no subject": lambda c: c.replace(b"Subject: Thank you, Maria\r\n", b""),
    "another subject": lambda c: c.replace(b"Subject: Thank you, Maria", b"Subject: Thank you"),
    "another link": lambda c: c.replace(b"List-Unsubscribe: <https://outreach", b"List-Unsubscribe: <https://elsewhere"),
    "a lone line feed": lambda c: c.replace(b"Dear Maria,\r\n", b"Dear Maria,\n"),
    "a lone return in the head": lambda c: c.replace(b"Thank you, Maria", b"Thank you,\rMaria"),
    "an encoded word too long": lambda c: c.replace(b'"Ann"', b"=?utf-8?q?" + b"A" * 70 + b"?="),
    "half a letter in an encoded word": lambda c: c.replace(b'"Ann"', b"=?utf-8?b?w6nD?="),
    "no stop line in the text": lambda c: c.replace(b"--=20\r\n", b"", 1),
    "a hidden part": lambda c: c.replace(b"<p>Dear Maria</p>", b'<p style=3D"display: none">'),
    "a style": lambda c: c.replace(b"<p>Dear Maria</p>", b"<style>p{display:none}</style>"),
    "a comment that swallows the rest": lambda c: c.replace(b"<p>Dear Maria</p>", b"<!-- "),
    "a box that ends early": lambda c: c.replace(b"<p>Dear Maria</p>", b"</div></body>"),
    "no text at all": lambda c: c.replace(b"text/plain", b"text/x-plain"),
}  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_an_email_that_is_not_what_it_should_be_is_found(settings: Settings, spoil: Callable[[bytes], bytes]) -> None:
    content = write_to(settings, "Ann")
    expected = expected_of(content)
    require_sound_email(content, expected)
    spoilt = spoil(content)
    assert spoilt != content
    with pytest.raises(FailedCheck) as failed:
        require_sound_email(spoilt, expected)
    assert "evil" not in str(failed.value)


def test_an_email_that_cannot_be_read_is_refused_and_nothing_is_uncertain(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall_over(*_: object, **__: object) -> NoReturn:
        raise IndexError("string index out of range")

    content = write_to(settings, "Ann")
    monkeypatch.setattr("outreach.delivery.providers.sealed_mail.message_from_bytes", fall_over)
    with pytest.raises(Refused, match="IndexError"):
        read_sealed(handover_of(content, "Ann"))


def test_an_email_whose_check_fails_is_set_aside_alone(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_for_one(content: bytes, expected: ExpectedEmail) -> None:
        if expected.to[1] == "c1@example.org":
            raise FailedCheck("the written e-mail fails its check: To")

    monkeypatch.setattr("outreach.composing.emails.require_sound_email", fail_for_one)
    for customer in ("c1", "c2"):
        add_customer(sqlite_engine, customer, email=f"{customer}@example.org")
    bad, good = (plan(sqlite_engine, "anniversary", "email", customer) for customer in ("c1", "c2"))
    compose(sqlite_engine, settings)
    assert message_of(sqlite_engine, bad)[0].status == "withdrawn"
    assert message_of(sqlite_engine, good)[0].status == "composed"
    with reading(sqlite_engine) as session:
        assert session.exec(select(Message.status_reason).where(Message.reference == bad)).one()
