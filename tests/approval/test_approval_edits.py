"""Edited words: what a person gets to edit, how the true bytes come out, what is refused, and who may approve it."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape
from sqlalchemy import Engine
from sqlmodel import select

from conftest import NOW, TODAY
from outreach.approval.edits import edit_message
from outreach.approval.held_messages import hold_message
from outreach.approval.open_batches import open_batches
from outreach.approval.rejections import reject
from outreach.approval.seals import list_unfit
from outreach.clock import stopped_clock
from outreach.composing.digests import message_digest
from outreach.composing.editable_words import html_from_words, words_from_html
from outreach.composing.editing import preview_edited, words_of
from outreach.composing.store.storage import open_storage
from outreach.composing.templating.engine import check_template, render_template
from outreach.database import reading, writing
from outreach.delivery.sender import deliver_due
from outreach.errors import (
    CannotWrite,
    ChangedSince,
    NotAllowed,
    NotFound,
    NotWaiting,
    NowFewer,
    SamePerson,
    TemplateRefused,
    TooLong,
)
from outreach.models import AuditEntry, Batch, Customer, Edit, Message, Wording
from outreach.settings import Settings
from planned import add_customer, compose, email_of, message_of, plain_words, plan
from waiting import approve, batch_of, hire, require_true_seals

CHANNELS = ("letter", "email", "text", "call")
NEW = {
    "letter": "Dear Maria,\n\nWhat a year it was.\nThank you & all the best.\n\nWarmly,",
    "email": "A thank you\n\nDear Maria,\n\nWhat a year it was.\nThank you & all the best.\n\nWarmly,",
    "text": "Alder Lane Dental: thank you & all the best, Maria. Reply STOP to stop",
    "call": "A thank you\n\nHello, is that Maria? Thank you & all the best.\n---\nDo not sell anything.",
}


@dataclass(frozen=True)
class Desk:
    """A batch of messages to people like Maria, and the staff around it: two approvers, a writer and a viewer."""

    engine: Engine
    settings: Settings
    batch: Batch
    channel: str

    def edit(self, words: str, customer: str = "c1", by: str = "wil", **more: str) -> Batch:
        return edit_message(self.engine, self.settings, self.reference(customer), words, by, NOW, **more)

    def approve(self, batch: str, by: str = "maria", **more: object) -> Batch:
        return approve(self.engine, self.settings, batch, by, **more)

    def reference(self, customer: str = "c1") -> str:
        return f"anni-{self.channel}-{customer}".upper()

    def words(self, customer: str = "c1") -> str:
        with reading(self.engine) as session:
            return words_of(session, self.reference(customer))

    def message(self, customer: str = "c1") -> tuple[Message, bytes]:
        return message_of(self.engine, self.reference(customer))


def open_desk(engine: Engine, settings: Settings, channel: str = "letter", *customers: str, **values: object) -> Desk:
    for customer in customers or ("c1",):
        add_customer(engine, customer, **values)
        plan(engine, "anniversary", channel, customer)
    compose(engine, settings)
    with writing(engine) as session:
        for message in session.exec(select(Message)):
            message.contact_hash = f"hash of {message.reference}"
            message.digest = message_digest(message, message.content_sha256 or "")
    for staff_id, role in (("maria", "approver"), ("jon", "approver"), ("wil", "writer"), ("vera", "viewer")):
        hire(engine, staff_id, role)
    (batch,) = open_batches(engine, settings, TODAY, NOW)
    return Desk(engine, settings, batch, channel)


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_words_to_edit_are_those_of_the_message_with_its_fields_filled_in(
    sqlite_engine: Engine, settings: Settings, channel: str
) -> None:
    desk = open_desk(sqlite_engine, settings, channel)
    said, (_, body) = desk.words(), desk.message()
    assert "Maria" in said
    assert not {"{", "}", "<", ">"} & set(said)
    shown = " ".join((json.loads(body)["script"] if channel == "call" else plain_words(channel, body)).split())
    paragraphs = [" ".join(part.split()) for part in said.split("---")[0].split("\n\n")]
    assert [part for part in paragraphs[channel == "call" :] if part not in shown] == []


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_same_words_again_come_out_as_the_same_message(
    sqlite_engine: Engine, settings: Settings, channel: str
) -> None:
    desk = open_desk(sqlite_engine, settings, channel)
    body, _ = preview_edited(sqlite_engine, settings, desk.reference(), desk.words())
    written = desk.message()[1]
    assert plain_words(channel, body) == plain_words(channel, written)
    assert desk.edit(desk.words()).batch_id == desk.batch.batch_id
    with reading(sqlite_engine) as session:
        assert session.exec(select(Edit)).all() == []


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_edit_writes_the_true_bytes_anew_under_a_digest_that_fits(
    engine: Engine, settings: Settings, channel: str
) -> None:
    desk = open_desk(engine, settings, channel)
    before, _ = desk.message()
    preview, media_type = preview_edited(engine, settings, desk.reference(), NEW[channel])
    desk.edit(NEW[channel])
    after, body = desk.message()
    assert body == preview
    assert media_type == {"letter": "application/pdf", "email": "message/rfc822"}.get(channel, media_type)
    assert "all the best" in plain_words(channel, body)
    assert "&amp;" not in plain_words(channel, body)
    assert (after.reference, after.recipient, after.provider) == (before.reference, before.recipient, before.provider)
    assert (after.status, after.digest == before.digest) == ("composed", False)
    assert desk.words() == NEW[channel]
    with reading(engine) as session:
        require_true_seals(session)
    assert list_unfit(engine, open_storage(settings.storage), [after]) == []


def test_an_edited_letter_keeps_its_address_its_reference_and_its_way_to_stop(
    sqlite_engine: Engine, settings: Settings
) -> None:
    desk = open_desk(sqlite_engine, settings)
    with writing(sqlite_engine) as session:
        session.get_one(Customer, "c1").address_line1 = "1 Elsewhere Street"
    desk.edit(NEW["letter"])
    said = plain_words("letter", desk.message()[1])
    for kept in (
        "27 Orchard Terrace",
        "Winooski, VT 05404",
        desk.reference(),
        "Nora Whitcomb",
        settings.business.phone,
    ):
        assert kept in said
    assert "What a year it was. Thank you & all the best." in said


def test_an_edited_email_says_the_same_in_both_parts_and_keeps_its_unsubscribe_link(
    sqlite_engine: Engine, settings: Settings
) -> None:
    desk = open_desk(sqlite_engine, settings, "email")
    before = email_of(desk.message()[1])
    desk.edit("A thank you\n\nDear Maria,\n\n1 < 2 & 3 > 2\nis still true.")
    after = email_of(desk.message()[1])
    assert after["Subject"] == "A thank you"
    for header in ("To", "From", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"):
        assert after[header] == before[header]
    html, text = after.get_body(("html",)), after.get_body(("plain",))
    assert html is not None
    assert text is not None
    page = "<p>Dear Maria,</p>\r\n\r\n<p>1 &lt; 2 &amp; 3 &gt; 2<br>is still true.</p>\r\n"
    assert page in html.get_content()
    assert "Dear Maria,\r\n\r\n1 < 2 & 3 > 2\r\nis still true.\r\n" in text.get_content()


def test_an_edited_call_keeps_whose_number_to_give(sqlite_engine: Engine, settings: Settings) -> None:
    desk = open_desk(sqlite_engine, settings, "call")
    before = json.loads(desk.message()[1])
    desk.edit(NEW["call"])
    assert json.loads(desk.message()[1]) == {
        "about": "A thank you", "script": "Hello, is that Maria? Thank you & all the best.",
        "avoid": "Do not sell anything.", "direct_line": before["direct_line"],
    }  # fmt: skip


def test_a_longer_text_is_counted_and_priced_anew(sqlite_engine: Engine, settings: Settings) -> None:
    desk = open_desk(sqlite_engine, settings, "text")
    longer = f"{NEW['text']} {'and again ' * 10}".strip()
    apart = desk.edit(longer)
    given = desk.message()[0].reward_cost
    assert (desk.message()[0].size, desk.message()[0].cost, apart.cost) == (2, 2 + given, 2 + given)


@pytest.mark.parametrize(
    ("channel", "words", "line", "why"),
    [
        ("letter", "Dear {{ greeting }},\n\nHello", 1, "no fields"),
        ("letter", "Dear Maria,\n\n{# a note #}", 3, "no fields"),
        ("letter", "Dear Maria,\n\n{% if 1 %}x{% endif %}", 3, "no fields"),
        ("letter", "Dear Maria,\n<script>x</script>", 2, "not a tag"),
        ("letter", 'Dear Maria,\n<a href="https://x.example">x</a>', 2, "not a tag"),
        ("letter", "Dear Maria,\n\n<p>x</p>", 3, "blank line"),
        ("letter", "Dear Maria,\r\n\r\nx\u202ey", 3, "invisible"),
        ("letter", "   ", 1, "must be words"),
        ("letter", "x" * 20_001, 0, "longer than"),
        ("email", "Hello\n\n<b>x</b>", 3, "no tags"),
        ("email", "Only a subject", 1, "subject line"),
        ("email", "About your filling\n\nHello", 1, "name a treatment"),
        ("text", "Thank you, Maria. Reply STOP to stop", 1, "names the business"),
        ("text", "Alder Lane Dental: thank you, Maria.", 1, "how to stop"),
        ("text", "Alder Lane Dental: how is the FILLING? Reply STOP to stop", 1, "name a treatment"),
        ("call", "Only a subject", 1, "subject line"),
    ],
)
def test_words_that_no_template_may_hold_are_refused_with_their_line(
    sqlite_engine: Engine, settings: Settings, channel: str, words: str, line: int, why: str
) -> None:
    desk = open_desk(sqlite_engine, settings, channel)
    before = desk.message()[0]
    for write in (lambda: desk.edit(words), lambda: preview_edited(sqlite_engine, settings, desk.reference(), words)):
        with pytest.raises(TemplateRefused, match=why) as refused:
            write()
        assert (refused.value.line, refused.value.template) == (line, desk.reference())
    assert desk.message()[0] == before


def test_a_letter_too_long_or_with_letters_its_pen_lacks_is_refused(sqlite_engine: Engine, settings: Settings) -> None:
    desk = open_desk(sqlite_engine, settings)
    with pytest.raises(TooLong):
        desk.edit("Dear Maria,\n\n" + "Thank you for a year with us. " * 200)
    with pytest.raises(CannotWrite, match="no face we have|cannot write"):
        desk.edit("Dear Maria,\n\n谢谢")
    assert desk.batch == batch_of(sqlite_engine, desk.batch.batch_id)


def test_a_text_over_its_segments_is_refused(sqlite_engine: Engine, settings: Settings) -> None:
    desk = open_desk(sqlite_engine, settings, "text")
    with pytest.raises(TooLong, match="segments"):
        desk.edit(f"{NEW['text']} {'and again ' * 40}")


def test_an_edited_letter_waits_for_a_second_approver_while_the_rest_goes_on(
    engine: Engine, settings: Settings
) -> None:
    desk = open_desk(engine, settings, "letter", "c1", "c2")
    apart = desk.edit(NEW["letter"], by="maria")
    assert apart.batch_id == f"{desk.batch.batch_id}-edited-by-maria"
    assert (apart.author, apart.count, apart.status) == ("maria", 1, "waiting")
    assert apart.why_waiting == "edited by maria; somebody else approves it"
    desk.approve(desk.batch.batch_id, "maria")
    assert (desk.message("c1")[0].status, desk.message("c2")[0].status) == ("composed", "approved")
    with pytest.raises(SamePerson):
        desk.approve(apart.batch_id, "maria")
    desk.approve(apart.batch_id, "jon", seal=apart.seal, count=1, cost=apart.cost)
    report = deliver_due(engine, settings, stopped_clock(NOW), "sender")
    assert report.sent == {"letter": 2}
    folder = settings.providers.outbox.folder
    assert folder is not None
    assert (folder / TODAY.isoformat() / f"{desk.reference()}.pdf").read_bytes() == desk.message()[1]


def test_a_page_from_before_an_edit_approves_nothing_and_says_who_edited(engine: Engine, settings: Settings) -> None:
    desk = open_desk(engine, settings, "letter", "c1", "c2")
    desk.edit(NEW["letter"], by="jon")
    with pytest.raises(ChangedSince, match=f"{desk.reference()} by jon") as refused:
        desk.approve(desk.batch.batch_id, seal=desk.batch.seal, count=2, cost=210)
    assert not isinstance(refused.value, NowFewer)
    assert desk.message("c2")[0].status == "composed"


def test_a_second_editor_takes_the_message_over_and_neither_of_the_two_approves_it(
    sqlite_engine: Engine, settings: Settings
) -> None:
    desk = open_desk(sqlite_engine, settings)
    first = desk.edit(NEW["letter"], by="maria")
    assert batch_of(sqlite_engine, desk.batch.batch_id).status == "empty"
    second = desk.edit(NEW["letter"] + "\n\nTruly,", by="jon")
    assert second.batch_id == f"{desk.batch.batch_id}-edited-by-jon"
    assert batch_of(sqlite_engine, first.batch_id).status == "empty"
    for by in ("maria", "jon"):
        with pytest.raises(SamePerson):
            desk.approve(second.batch_id, by)
    hire(sqlite_engine, "ada", "admin")
    assert desk.approve(second.batch_id, "ada").decided_by == "ada"


def test_the_same_editor_again_changes_the_batch_that_the_message_is_in(
    sqlite_engine: Engine, settings: Settings
) -> None:
    desk = open_desk(sqlite_engine, settings)
    first = desk.edit(NEW["letter"])
    again = desk.edit(NEW["letter"] + "\n\nTruly,")
    assert (first.batch_id, first.seal != again.seal) == (again.batch_id, True)
    with pytest.raises(ChangedSince):
        desk.approve(first.batch_id, seal=first.seal, count=1, cost=105)


def test_two_that_edit_at_once_do_not_overwrite_each_other(sqlite_engine: Engine, settings: Settings) -> None:
    desk = open_desk(sqlite_engine, settings)
    seen = desk.message()[0].digest or ""
    desk.edit(NEW["letter"], by="jon", digest=seen)
    with pytest.raises(ChangedSince, match="edited while you were at it"):
        desk.edit("Dear Maria,\n\nSomething else.", by="wil", digest=seen)
    assert desk.words() == NEW["letter"]


def test_an_edit_takes_a_message_off_hold(sqlite_engine: Engine, settings: Settings) -> None:
    desk = open_desk(sqlite_engine, settings)
    held = hold_message(sqlite_engine, desk.reference(), "maria", "the tone", NOW)
    apart = desk.edit(NEW["letter"])
    assert apart.batch_id == f"{desk.batch.batch_id}-edited-by-wil"
    assert (desk.message()[0].status, batch_of(sqlite_engine, held.batch_id).status) == ("composed", "empty")


def test_an_edited_message_on_hold_is_still_its_editors(sqlite_engine: Engine, settings: Settings) -> None:
    desk = open_desk(sqlite_engine, settings)
    desk.edit(NEW["letter"], by="maria")
    held = hold_message(sqlite_engine, desk.reference(), "jon", "the tone", NOW)
    assert (held.batch_id, held.author) == (f"{desk.batch.batch_id}-edited-by-maria-on-hold", "maria")


def test_only_what_waits_can_be_edited_and_only_by_those_who_may(sqlite_engine: Engine, settings: Settings) -> None:
    desk = open_desk(sqlite_engine, settings, "letter", "c1", "c2")
    with pytest.raises(NotAllowed, match="vera may not change a message: their role is viewer"):
        desk.edit(NEW["letter"], by="vera")
    with pytest.raises(NotFound):
        desk.edit(NEW["letter"], "nobody")
    reject(sqlite_engine, desk.reference("c2"), "maria", "no", NOW, "test")
    desk.approve(desk.batch.batch_id)
    for customer in ("c1", "c2"):
        with pytest.raises(NotWaiting):
            desk.edit(NEW["letter"], customer)


def test_a_message_whose_words_were_never_kept_says_so(sqlite_engine: Engine, settings: Settings) -> None:
    desk = open_desk(sqlite_engine, settings)
    with writing(sqlite_engine) as session:
        session.delete(session.get_one(Wording, desk.reference()))
    with pytest.raises(NotFound, match="not on record; approve it as it is, or reject it"):
        desk.edit(NEW["letter"])


def test_the_audit_of_an_edit_holds_ids_and_hashes_and_no_word_of_it(sqlite_engine: Engine, settings: Settings) -> None:
    desk = open_desk(sqlite_engine, settings)
    desk.edit(NEW["letter"])
    with reading(sqlite_engine) as session:
        entries = session.exec(select(AuditEntry).order_by(AuditEntry.sequence)).all()
        edit = session.exec(select(Edit)).one()
    told = [(entry.actor, entry.act, entry.subject) for entry in entries[-3:]]
    assert told == [
        ("wil", "message edited", desk.reference()),
        ("wil", "batch opened", f"{desk.batch.batch_id}-edited-by-wil"),
        ("wil", "batch empty", desk.batch.batch_id),
    ]
    assert (edit.by, edit.number, edit.words) == ("wil", 1, NEW["letter"])
    assert "Maria" not in " ".join(entry.detail for entry in entries)


def test_a_name_with_a_sign_of_html_stays_text_when_its_letter_is_edited_and_a_tag_is_no_name(
    sqlite_engine: Engine, settings: Settings
) -> None:
    # Nobody is greeted by a tag: the name they are known by is taken.
    desk = open_desk(sqlite_engine, settings, preferred_name="<em>Maria</em>", given_name="Maria & Tom")
    assert "Dear Maria & Tom," in desk.words()
    desk.edit(desk.words().replace("Warmly", "Truly"))
    assert "Dear Maria & Tom," in plain_words("letter", desk.message()[1])


LINE = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="{}<"), min_size=1, max_size=20)
PARAGRAPHS = st.lists(st.lists(LINE, min_size=1, max_size=3).map("\n".join), min_size=1, max_size=5)


@given(PARAGRAPHS)
def test_any_words_come_back_as_they_were_from_the_page_they_make(paragraphs: list[str]) -> None:
    words = "\n\n".join(paragraphs)
    page = html_from_words(words)
    check_template("K7QF", page, (), "letter")
    assert words_from_html(render_template("K7QF", page, {}, "letter")) == words


@given(st.text(max_size=60))
def test_what_a_field_brought_never_becomes_a_tag_by_editing(value: str) -> None:
    body = f"<p>Dear {escape(value)},</p>"
    again = html_from_words(words_from_html(body))
    allowed = again.replace("<p>", "").replace("</p>", "").replace("<br>", "")
    assert "<" not in allowed
