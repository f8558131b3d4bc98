"""What somebody told us: what staff write down, answer and match stands, whatever an import says later."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from approved import add_approved
from conftest import NOW, TODAY
from intake_data import import_folder
from outreach.approval.staff import add_staff
from outreach.composing.review_answers import draft_review_answer
from outreach.database import reading, writing
from outreach.errors import ApprovalError, NotAllowed, NotFound, NotWaiting, OutreachError, TemplateRefused
from outreach.models import AuditEntry, Customer, Feedback, Message
from outreach.settings import Settings
from outreach.tracking.feedback import (
    KINDS,
    RecordedFeedback,
    count_open,
    list_open,
    list_told,
    match_review,
    set_status,
    write_down,
)

WORDS = "They were an hour late, and nobody said sorry."
HEADER = "feedback_id,customer_id,given_at,kind,score,status,text\n"


@pytest.fixture
def practice(engine: Engine) -> Engine:
    with writing(engine) as session:
        session.add(Customer(customer_id="C1", given_name="Maria", family_name="Lopez"))
        session.add(Customer(customer_id="C2", given_name="Otto", family_name="Lopez"))
        for who, role in (("nora", "approver"), ("wanda", "writer")):
            add_staff(session, who, who, role, NOW)
            session.flush()
    return engine


def told(
    engine: Engine, settings: Settings, kind: str = "complaint", customer_id: str | None = "C1", by: str = "nora",
    score: int | None = None, text: str = WORDS, now: datetime = NOW,
) -> RecordedFeedback:  # fmt: skip
    return write_down(engine, settings, kind, customer_id, score, text, by, now)


def record(engine: Engine, feedback_id: str) -> Feedback:
    with reading(engine) as session:
        return session.get_one(Feedback, feedback_id)


def import_feedback(engine: Engine, settings: Settings, tmp_path: Path, rows: str, header: str = HEADER) -> int:
    """How many rows were refused."""
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    (folder / "feedback.csv").write_text(header + rows, encoding="utf-8")
    return import_folder(engine, folder, settings, NOW).refused


@pytest.mark.parametrize(("kind", "score"), [("complaint", None), ("score", 3), ("enquiry", None), ("review", 2)])
def test_what_is_written_down_is_open_from_the_desk_and_of_today(
    practice: Engine, settings: Settings, kind: str, score: int | None
) -> None:
    written = told(practice, settings, kind, score=score)
    row = record(practice, written.feedback.feedback_id)
    assert written.is_new
    assert row.feedback_id.startswith("desk-")
    assert (row.customer_id, row.kind, row.score, row.text) == ("C1", kind, score, WORDS)
    assert (row.status, row.source, row.given_on, row.given_at) == ("open", "desk", TODAY, NOW)


def test_a_second_press_writes_nothing_and_another_day_is_another_complaint(
    practice: Engine, settings: Settings
) -> None:
    first = told(practice, settings)
    again = told(practice, settings, now=NOW + timedelta(minutes=1))
    later = told(practice, settings, now=NOW + timedelta(days=1))
    assert (again.is_new, again.feedback.feedback_id) == (False, first.feedback.feedback_id)
    assert later.is_new


@pytest.mark.parametrize(
    ("kind", "customer_id", "score", "text", "by", "refusal"),
    [
        ("score", "C1", None, "", "nora", ApprovalError),
        ("score", "C1", 11, "", "nora", ApprovalError),
        ("review", None, 0, "", "nora", ApprovalError),
        ("praise", "C1", None, "", "nora", ApprovalError),
        ("complaint", "C1", None, "x" * 4_001, "nora", ApprovalError),
        ("complaint", "C1", None, "a\x07b", "nora", ApprovalError),
        ("complaint", "C9", None, "", "nora", NotFound),
        ("enquiry", None, None, "", "nora", NotFound),
        ("complaint", "C1", None, "", "wanda", NotAllowed),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    practice: Engine, settings: Settings, kind: str, customer_id: str | None, score: int | None, text: str, by: str,
    refusal: type[OutreachError],
) -> None:  # fmt: skip
    with pytest.raises(refusal):
        told(practice, settings, kind, customer_id, by, score, text)
    with reading(practice) as session:
        assert session.exec(select(Feedback)).all() == []


def test_a_complaint_pulls_back_what_asks_something_of_them_and_leaves_what_is_care(
    practice: Engine, every_moment: Settings
) -> None:
    with writing(practice) as session:
        add_approved(session, "AAAA", kind="anniversary", purpose="marketing", customer_id="C1")
        add_approved(session, "BBBB", kind="recovery", customer_id="C1")
    assert told(practice, every_moment).pulled.withdrawn == 1
    with reading(practice) as session:
        assert {m.reference: m.status for m in session.exec(select(Message))} == {
            "AAAA": "withdrawn", "BBBB": "approved",
        }  # fmt: skip


def test_an_answer_withdraws_what_was_still_to_be_said(practice: Engine, settings: Settings) -> None:
    feedback_id = told(practice, settings).feedback.feedback_id
    with writing(practice) as session:
        add_approved(session, "BBBB", kind="recovery", customer_id="C1", occasion=feedback_id)
    done = set_status(practice, settings, feedback_id, "answered", "nora", NOW + timedelta(hours=1))
    assert (done.feedback.status, done.feedback.answered_at) == ("answered", NOW + timedelta(hours=1))
    assert done.pulled.withdrawn == 1


def test_each_tap_is_audited_by_ids_only(practice: Engine, settings: Settings) -> None:
    feedback_id = told(practice, settings).feedback.feedback_id
    for status in ("answered", "open", "closed"):
        set_status(practice, settings, feedback_id, status, "nora", NOW)
    review = told(practice, settings, "review", None, score=1).feedback.feedback_id
    match_review(practice, review, "C2", "nora", NOW)
    match_review(practice, review, "", "nora", NOW)
    with reading(practice) as session:
        entries = [(e.act, e.subject, e.detail) for e in session.exec(select(AuditEntry)) if e.actor == "nora"]
    assert entries == [
        ("complaint written down", feedback_id, "C1"), ("feedback answered", feedback_id, ""),
        ("feedback open", feedback_id, ""), ("feedback closed", feedback_id, ""),
        ("review written down", review, ""), ("review matched", review, "C2"), ("review unmatched", review, ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("feedback_id", "status", "by", "refusal"),
    [
        ("there", "open", "nora", NotWaiting), ("there", "lost", "nora", ApprovalError),
        ("elsewhere", "closed", "nora", NotFound), ("there", "closed", "wanda", NotAllowed),
    ],
)  # fmt: skip
def test_a_tap_that_does_not_fit_changes_nothing(
    practice: Engine, settings: Settings, feedback_id: str, status: str, by: str, refusal: type[OutreachError]
) -> None:
    kept = told(practice, settings).feedback.feedback_id
    with pytest.raises(refusal):
        set_status(practice, settings, kept if feedback_id == "there" else "x", status, by, NOW)
    assert record(practice, kept).status == "open"


def test_only_a_review_is_matched_and_only_with_somebody_there_is(practice: Engine, settings: Settings) -> None:
    complaint = told(practice, settings).feedback.feedback_id
    review = told(practice, settings, "review", None, score=1).feedback.feedback_id
    with pytest.raises(ApprovalError):
        match_review(practice, complaint, "C2", "nora", NOW)
    with pytest.raises(NotFound):
        match_review(practice, review, "C9", "nora", NOW)
    assert record(practice, review).customer_id is None


def test_an_import_takes_nothing_back_of_what_staff_wrote(practice: Engine, settings: Settings, tmp_path: Path) -> None:
    desk = told(practice, settings).feedback.feedback_id
    rows = f"{desk},C2,2020-01-01,review,5,closed,nothing\n"
    rows += "R1,,2026-03-09,review,1,open,bad\nS1,C1,2026-03-09,score,2,open,\n"
    assert import_feedback(practice, settings, tmp_path, rows) == 0
    match_review(practice, "R1", "C2", "nora", NOW)
    set_status(practice, settings, "S1", "answered", "nora", NOW)
    assert import_feedback(practice, settings, tmp_path, rows) == 0
    kept, review, score = (record(practice, id_) for id_ in (desk, "R1", "S1"))
    assert (kept.customer_id, kept.kind, kept.score, kept.status, kept.text) == ("C1", "complaint", None, "open", WORDS)
    assert (kept.given_at, kept.given_on) == (NOW, TODAY)
    assert (review.customer_id, review.status) == ("C2", "open")
    assert (score.status, score.customer_id) == ("answered", "C1")


def test_an_import_still_changes_what_staff_did_not_write(practice: Engine, settings: Settings, tmp_path: Path) -> None:
    import_feedback(practice, settings, tmp_path, "R1,,2026-03-09,review,1,open,bad\n")
    match_review(practice, "R1", "C2", "nora", NOW)
    import_feedback(practice, settings, tmp_path, "R1,,2026-03-09,review,4,answered,better\n")
    row = record(practice, "R1")
    assert (row.customer_id, row.score, row.status, row.text) == ("C2", 4, "answered", "better")


def test_only_a_review_may_be_nobodys_in_an_import(practice: Engine, settings: Settings, tmp_path: Path) -> None:
    rows = "".join(f"{kind},,2026-03-09,{kind},3,open,\n" for kind in KINDS)
    assert import_feedback(practice, settings, tmp_path, rows) == 3
    without = "feedback_id,given_at,kind,score\n"
    assert (
        import_feedback(practice, settings, tmp_path, "R2,2026-03-09,review,3\nS2,2026-03-09,score,3\n", without) == 1
    )
    with reading(practice) as session:
        assert sorted(row.feedback_id for row in session.exec(select(Feedback))) == ["R2", "review"]


def test_what_waits_is_listed_with_how_long_and_an_enquiry_is_late_after_its_hours(
    practice: Engine, settings: Settings
) -> None:
    for hours, text in ((5, "first"), (4, "second")):
        told(practice, settings, "enquiry", text=text, now=NOW - timedelta(hours=hours))
    bad = told(practice, settings, "review", None, score=3)
    told(practice, settings, "review", None, score=4, text="fine")
    with reading(practice) as session:
        waiting, more = list_open(session, settings, "enquiry", NOW)
        reviews, _ = list_open(session, settings, "review", NOW)
        assert [(one.feedback.text, one.is_late) for one in waiting] == [("first", True), ("second", False)]
        assert not more
        assert {one.feedback.feedback_id for one in reviews if one.is_bad} == {bad.feedback.feedback_id}
        assert count_open(session) == 4


def test_of_scores_only_low_ones_wait_and_a_person_sees_open_ones_first(practice: Engine, settings: Settings) -> None:
    low = told(practice, settings, "score", score=6).feedback.feedback_id
    told(practice, settings, "score", score=7)
    done = told(practice, settings, text="done").feedback.feedback_id
    set_status(practice, settings, done, "closed", "nora", NOW)
    with reading(practice) as session:
        assert [one.feedback.feedback_id for one in list_open(session, settings, "score", NOW)[0]] == [low]
        assert [one.is_open for one in list_told(session, settings, "C1", NOW)] == [True, True, False]


@pytest.mark.parametrize(
    ("kind", "says"), [("health", "we cannot say here whether somebody is with us"), ("general", "anybody's affairs")]
)
def test_the_public_answer_holds_nothing_but_what_the_business_says_of_itself(
    settings: Settings, kind: str, says: str
) -> None:
    business = settings.business.model_copy(update={"kind": kind})
    words = draft_review_answer(settings.model_copy(update={"business": business}), TODAY)
    assert says in words
    assert business.phone in words
    assert "{" not in words


def test_a_public_answer_that_would_name_a_customer_is_refused(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "review_reply.en.txt").write_text("Dear {{ greeting }}, we saw you last week.")
    with pytest.raises(TemplateRefused, match="greeting"):
        draft_review_answer(settings.model_copy(update={"templates": tmp_path}), TODAY)


def test_a_language_without_an_answer_gets_the_english_one(settings: Settings) -> None:
    business = settings.business.model_copy(update={"language": "fr"})
    assert "Thank you" in draft_review_answer(settings.model_copy(update={"business": business}), TODAY)


def test_times_in_utc_and_of_the_business_make_one_day(practice: Engine, settings: Settings) -> None:
    late = datetime(2026, 3, 11, 3, 0, tzinfo=UTC)
    assert told(practice, settings, now=late).feedback.given_on == TODAY
