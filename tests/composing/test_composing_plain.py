"""Letters as plain text, for a provider that writes them with its own pens; and that all others stay as they were."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from conftest import NOW, TODAY
from outreach.channels import CHANNELS
from outreach.composing.digests import canonical_json, media_type_for, message_digest
from outreach.composing.preview import preview_template
from outreach.delivery.handover import handover_of
from outreach.delivery.outbox import new_attempt
from outreach.models import Content, Message
from outreach.settings import Settings
from planned import add_customer, compose, message_of, plan, write_one

BODY = """<p>Dear {{ greeting }},</p>

<p>Thank you &amp; your   family
for <em>everything</em>.<br>We mean <strong>it</strong>.</p>

{% if reward %}<p>There are {{ reward|money }} for you.</p>{% endif %}

<p>Warmly,</p>
"""


@pytest.fixture
def written(settings: Settings, tmp_path: Path) -> Settings:
    """Live, letters by Handwrytten, with a letter of our own that is short enough for a card."""
    return with_letter(settings, tmp_path, BODY)


def with_letter(settings: Settings, folder: Path, body: str) -> Settings:
    letters = folder / "templates" / "letters"
    letters.mkdir(parents=True, exist_ok=True)
    (letters / "anniversary.en.html").write_text(body, encoding="utf-8")
    providers = settings.providers.model_copy(update={"letter": "handwrytten"})
    business = settings.business.model_copy(update={"public_url": "https://alderlane.example"})
    return settings.model_copy(
        update={"mode": "live", "providers": providers, "business": business, "templates": folder / "templates"}
    )


def content_of(engine: Engine, message: Message) -> Content:
    with Session(engine) as session:
        return session.get_one(Content, message.content_sha256)


def test_a_letter_for_pens_is_its_words_in_paragraphs_with_who_signs_and_how_to_stop(
    engine: Engine, written: Settings
) -> None:
    message, body = write_one(engine, written, "anniversary", "letter")
    assert body.decode() == (
        "Dear Maria,\n\n"
        "Thank you & your family for everything.\nWe mean it.\n\n"
        "There are $20 for you.\n\n"
        "Warmly,\nNora Whitcomb\nFront desk, Alder Lane Dental\n\n"
        "ANNI-LETTER-C1\n"
        "To stop letters, call +1 802 555 0140 or write to hello@alderlane.example."
    )
    assert (message.provider, message.size, message.cost - message.reward_cost) == ("handwrytten", 1, 105)
    assert json.loads(message.recipient or "")["streets"]


def test_what_is_handed_over_is_the_text_that_was_sealed(engine: Engine, written: Settings) -> None:
    message, body = write_one(engine, written, "anniversary", "letter")
    content = content_of(engine, message)
    assert (content.media_type, content.body) == ("text/plain", body)
    assert message.digest == message_digest(message, hashlib.sha256(body).hexdigest())
    assert message.digest != message_digest(message.model_copy(update={"provider": "lob"}), content.sha256)
    handover = handover_of(message, body, new_attempt(message, 1, NOW, TODAY))
    assert (handover.content, handover.media_type) == (body, "text/plain")


@pytest.mark.parametrize("provider", ["outbox", "printroom", "lob", "postgrid", "stannp", None])
@pytest.mark.parametrize("channel", CHANNELS)
def test_the_seal_of_everything_else_is_what_it_was(channel: str, provider: str | None) -> None:
    message = Message(
        reference="R", moment_id="m", kind="checkin", customer_id="c", recipient_id="c", channel=channel,
        purpose="service", run_on=TODAY, send_on=TODAY, useful_until=TODAY + timedelta(days=3), recipient="{}",
        provider=provider, contact_hash="h",
    )  # fmt: skip
    sealed = {
        "reference": "R", "recipient": "{}", "content": "sha", "media_type": CHANNELS[channel].media_type,
        "channel": channel, "provider": provider, "send_on": "2026-03-10", "useful_until": "2026-03-13", "contact": "h",
    }  # fmt: skip
    assert message_digest(message, "sha") == hashlib.sha256(canonical_json(sealed).encode()).hexdigest()


def test_only_letters_of_handwrytten_are_text() -> None:
    assert media_type_for("letter", "handwrytten") == "text/plain"
    assert media_type_for("email", "handwrytten") == "message/rfc822"
    assert media_type_for("letter", "lob") == "application/pdf"


def test_in_rehearsal_the_letter_is_a_page_for_the_outbox(engine: Engine, written: Settings) -> None:
    message, body = write_one(engine, written.model_copy(update={"mode": "rehearsal"}), "anniversary", "letter")
    assert (message.provider, body[:5]) == ("outbox", b"%PDF-")
    assert content_of(engine, message).media_type == "application/pdf"


def test_a_preview_shows_the_text_that_would_be_written(sqlite_engine: Engine, written: Settings) -> None:
    add_customer(sqlite_engine)
    body, media_type = preview_template(sqlite_engine, written, "letters/anniversary.en.html", "c1", TODAY)
    assert media_type == "text/plain"
    assert body.decode().startswith("Dear Maria,\n\n")


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("<p>Dear {{ greeting }},</p><p>" + "Thank you. " * 80 + "</p>", "withdrawn", "holds 800"),
        # The template itself is at fault, so its letters wait until it is mended.
        ("<p>Dear {{ greeting }} &lt;sig:25RG&gt;,</p>", "planned", "would not write “<” as it stands"),
        ("<p>Dear {{ '{first_name}' }},</p>", "planned", "would not write “{” as it stands"),
    ],
)
def test_what_a_card_cannot_hold_or_the_pens_would_change_is_not_written(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, body: str, status: str, reason: str
) -> None:
    add_customer(sqlite_engine)
    reference = plan(sqlite_engine, "anniversary", "letter", "c1")
    compose(sqlite_engine, with_letter(settings, tmp_path, body))
    message, _ = message_of(sqlite_engine, reference)
    assert message.status == status
    assert reason in (message.status_reason or "")
    assert "Maria" not in (message.status_reason or "")


def test_a_name_that_looks_like_a_tag_is_no_name_and_the_next_right_one_is_written(
    sqlite_engine: Engine, written: Settings
) -> None:
    add_customer(sqlite_engine, given_name="<em>Maria</em>", preferred_name=None)
    reference = plan(sqlite_engine, "anniversary", "letter", "c1")
    compose(sqlite_engine, written)
    message, body = message_of(sqlite_engine, reference)
    assert message.status == "composed", message.status_reason
    assert body.decode().startswith("Dear Mrs. Lopez,")
    assert "em>" not in body.decode() + (message.recipient or "")


@pytest.mark.parametrize(
    ("values", "greeting"),
    [({"preferred_name": "Zoe\u0308"}, "Dear Zoë,"), ({"preferred_name": "O’Hara & Sons"}, "Dear O’Hara & Sons,")],
)
def test_names_come_out_letter_for_letter(
    sqlite_engine: Engine, written: Settings, values: dict[str, Any], greeting: str
) -> None:
    _, body = write_one(sqlite_engine, written, "anniversary", "letter", **values)
    assert body.decode().splitlines()[0] == greeting


def test_the_same_letter_is_the_same_bytes_every_time(engine: Engine, written: Settings) -> None:
    _, body = write_one(engine, written, "anniversary", "letter")
    again, _ = preview_template(engine, written, "letters/anniversary.en.html", "c1", TODAY)
    assert again.decode().replace("PREV-IEW0-0000", "ANNI-LETTER-C1") == body.decode()
    with Session(engine) as session:
        assert len(session.exec(select(Content)).all()) == 1
