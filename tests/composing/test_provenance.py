"""What messages were made with stays with them: words, knobs, lists and letterhead that change while a run writes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from conftest import NOW, TODAY
from known_staff import know
from outreach.approval.authors import parts_in
from outreach.approval.knob_versions import save_knobs, undo_knobs
from outreach.approval.open_batches import open_batches
from outreach.approval.template_versions import save_template, undo_template
from outreach.approval.treatment_answers import answer_treatment
from outreach.composing import run
from outreach.composing.contributors import Contribution, knob_parts, word_parts
from outreach.composing.run import compose_planned
from outreach.database import reading, writing
from outreach.day import prepare_day
from outreach.errors import SamePerson
from outreach.intake.goodwill_lists import GoodwillEntry, List
from outreach.models import Batch, Goodwill, KnobVersion, Message, TemplateVersion
from outreach.planning.knobs import keep_knobs, knob_set, overlay_knobs, with_saved_knobs
from outreach.settings import Settings
from outreach.tracking.goodwill_events import name_hit
from paper_cards import TREE, with_letterhead
from planned import add_customer, message_of, plain_words, plan
from sealed_batches import alone
from waiting import approve, hire, statuses

EMAIL = "emails/anniversary.en.txt"
NEW = "A word of thanks\n\nDear {{ greeting }},\n\nWORDS NOBODY HAS SEEN.\n"


def plan_emails(engine: Engine, *customers: str) -> list[str]:
    for customer in customers:
        add_customer(engine, customer, email=f"{customer}@example.org")
    return [plan(engine, "anniversary", "email", customer) for customer in customers]


def write(engine: Engine, settings: Settings, meanwhile: Callable[[], object] = lambda: None) -> None:
    """One run; `meanwhile` happens once, after it has stored its first message."""
    waits = [meanwhile]
    compose_planned(engine, settings, TODAY, NOW, progress=lambda done, of: waits and waits.pop()())


def opened(engine: Engine, settings: Settings) -> list[Batch]:
    return open_batches(engine, settings, TODAY, NOW)


def approve_a_first_run(engine: Engine, settings: Settings) -> None:
    """Maria has looked at the words of the file, so that what is made with them goes by rule."""
    hire(engine, "maria")
    hire(engine, "jon")
    plan_emails(engine, "c1")
    write(engine, settings)
    approve(engine, settings, opened(engine, settings)[0].batch_id)


def save_words(engine: Engine, settings: Settings, source: str = NEW, by: str = "will") -> None:
    know(engine, by)
    save_template(engine, settings, EMAIL, source, by, NOW)


def undo_words(engine: Engine, by: str = "will") -> None:
    know(engine, by)
    with writing(engine) as session:
        undo_template(session, EMAIL, by, NOW)


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "AT_ONCE", 1)


def test_words_that_are_undone_while_a_run_writes_them_wait_for_a_person(engine: Engine, settings: Settings) -> None:
    approve_a_first_run(engine, settings)
    save_words(engine, settings)
    references = plan_emails(engine, "c2", "c3")
    write(engine, settings, meanwhile=lambda: undo_words(engine))
    (batch,) = opened(engine, settings)
    assert all("WORDS NOBODY HAS SEEN" in plain_words("email", message_of(engine, one)[1]) for one in references)
    assert (batch.status, batch.count) == ("waiting", 2)
    assert batch.why_waiting.startswith("the first run since")
    with reading(engine) as session:
        assert parts_in(session, batch) == [Contribution("will", "words", EMAIL, 1)]


def test_words_that_are_saved_while_a_run_writes_wait_when_they_are_used(engine: Engine, settings: Settings) -> None:
    approve_a_first_run(engine, settings)
    plan_emails(engine, "c2", "c3")
    write(engine, settings, meanwhile=lambda: save_words(engine, settings))
    (before,) = opened(engine, settings)
    assert before.status == "approved", "these are the words that were looked at"
    plan_emails(engine, "c4")
    write(engine, settings)
    (after,) = opened(engine, settings)
    assert "WORDS NOBODY HAS SEEN" in plain_words("email", message_of(engine, "ANNI-EMAIL-C4")[1])
    assert after.why_waiting.startswith("the first run since")


def test_a_run_that_met_two_versions_makes_two_batches(sqlite_engine: Engine, settings: Settings) -> None:
    approve_a_first_run(sqlite_engine, settings)
    plan_emails(sqlite_engine, "c2", "c3")
    compose_planned(sqlite_engine, settings, TODAY, NOW, limit=1)
    save_words(sqlite_engine, settings)
    write(sqlite_engine, settings)
    batches = opened(sqlite_engine, settings)
    assert sorted((batch.status, batch.count) for batch in batches) == [("approved", 1), ("waiting", 1)]


def test_an_undo_takes_words_from_nobody_who_wrote_them(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine, "maria")
    hire(sqlite_engine, "jon")
    save_words(sqlite_engine, settings, by="maria")
    save_words(sqlite_engine, settings, NEW.replace("SEEN", "READ"), by="will")
    undo_words(sqlite_engine, by="will")
    plan_emails(sqlite_engine, "c1")
    write(sqlite_engine, settings)
    (batch,) = opened(sqlite_engine, settings)
    with pytest.raises(SamePerson, match="emails/anniversary"):
        approve(sqlite_engine, settings, batch.batch_id, by="maria")
    approve(sqlite_engine, settings, batch.batch_id, by="jon")


def versions(*saved: tuple[str, str | None]) -> list[TemplateVersion]:
    return [
        TemplateVersion(version=at, name="t", source=source, by=by, at=NOW) for at, (by, source) in enumerate(saved, 1)
    ]


@pytest.mark.parametrize(
    ("saved", "source", "approved", "people"),
    [
        ([("a", "x")], "x", 0, "a"),
        ([("a", "x")], "the file", 0, ""),
        ([("a", "x"), ("b", "x,")], "x,", 0, "ab"),
        ([("a", "x"), ("b", "x,")], "x,", 1, "b"),
        ([("a", "x"), ("b", "y"), ("b", "x")], "x", 0, "ab"),
        ([("a", "x"), ("b", None), ("c", "y")], "y", 0, "c"),
        ([("a", "x"), ("b", "y"), ("c", "x")], "x", 3, "ac"),
    ],
)
def test_words_are_of_whoever_saved_them_or_what_they_grew_from(
    saved: list[tuple[str, str | None]], source: str, approved: int, people: str
) -> None:
    assert sorted(part.by for part in set(word_parts(versions(*saved), source, approved))) == list(people)


def test_a_knob_is_of_whoever_gave_it_the_value_that_is_used() -> None:
    saved = [{"reward": 500}, {"reward": 700, "silent_days": 9}, {"reward": 500, "silent_days": 9}, {}]
    savings = [
        KnobVersion(version=at, moment="m", knobs=json.dumps(knobs), by=by, at=NOW)
        for at, (by, knobs) in enumerate(zip("abcd", saved, strict=True), 1)
    ]

    def people(**used: int) -> str:
        return "".join(sorted(part.by for part in knob_parts(savings, used)))

    assert (people(reward=500), people(reward=700), people(reward=2000)) == ("ac", "b", "")
    assert people(reward=2000, silent_days=9) == "b"


def test_knobs_that_are_undone_between_planning_and_composing_wait_for_a_person(
    engine: Engine, settings: Settings
) -> None:
    approve_a_first_run(engine, settings)
    know(engine, "will")
    with writing(engine) as session:
        save_knobs(session, settings, "anniversary", {"silent_days": 9_000}, "will", NOW)
        keep_knobs(session, with_saved_knobs(session, settings))
        planned_with = knob_set(with_saved_knobs(session, settings), "anniversary").sha256
        undo_knobs(session, "anniversary", "will", NOW)
    add_customer(engine, "c2", email="c2@example.org")
    plan(engine, "anniversary", "email", "c2", planned_with=planned_with)
    write(engine, settings)
    (batch,) = opened(engine, settings)
    assert batch.why_waiting.startswith("the first run since")
    with reading(engine) as session:
        assert [(part.by, part.name) for part in parts_in(session, batch)] == [("will", "silent_days")]


def test_what_planning_planned_says_with_which_knobs(sqlite_engine: Engine, settings: Settings) -> None:
    add_customer(sqlite_engine)
    prepare_day(sqlite_engine, settings, TODAY, lambda: NOW, lambda _: None, ["anniversary"])
    with reading(sqlite_engine) as session:
        (message,) = session.exec(select(Message)).all()
    assert message.planned_with == knob_set(settings, "anniversary").sha256


def test_knobs_that_asked_for_a_person_do_so_whatever_they_say_once_it_is_written(
    sqlite_engine: Engine, settings: Settings
) -> None:
    approve_a_first_run(sqlite_engine, settings)
    plan_emails(sqlite_engine, "c2")
    write(sqlite_engine, overlay_knobs(settings, "anniversary", {"approval": "person"}))
    assert opened(sqlite_engine, settings)[0].why_waiting == "this moment waits for a person"


def test_a_letterhead_that_is_replaced_while_letters_are_written_makes_another_batch(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    own = with_letterhead(settings, tmp_path, TREE)
    for customer in ("c1", "c2"):
        add_customer(sqlite_engine, customer)
        plan(sqlite_engine, "anniversary", "letter", customer)
    other = TREE.replace("#0a7a3c", "#0a7a3cff")
    write(sqlite_engine, own, meanwhile=lambda: (tmp_path / "head.svg").write_text(other, encoding="utf-8"))
    batches = opened(sqlite_engine, own)
    assert [batch.count for batch in batches] == [1, 1]
    assert len({batch.fingerprint for batch in batches}) == 2


def tuned(engine: Engine, settings: Settings) -> Settings:
    with reading(engine) as session:
        return with_saved_knobs(session, settings)


def prepare(engine: Engine, settings: Settings, kind: str) -> Batch:
    (batch,) = prepare_day(engine, tuned(engine, settings), TODAY, lambda: NOW, lambda _: None, [kind]).batches
    return batch


def require_somebody_else(engine: Engine, settings: Settings, batch: Batch, words: str) -> None:
    """Maria is refused, in words that say why; alone in the business she is not, and jon never is."""
    settings = tuned(engine, settings)
    with pytest.raises(SamePerson, match=words):
        approve(engine, settings, batch.batch_id, by="maria")
    assert set(statuses(engine).values()) == {"composed"}
    assert approve(engine, alone(settings), batch.batch_id, by="maria").single_person


def test_whoever_names_an_event_does_not_approve_the_letters_that_carry_it(
    engine: Engine, every_moment: Settings
) -> None:
    hire(engine, "maria")
    add_customer(engine)
    name_hit(engine, every_moment, List("ids", [GoodwillEntry(1, "c1")]), "call 900-SCAM at once", "maria", NOW)
    batch = prepare(engine, every_moment, "goodwill")
    require_somebody_else(engine, every_moment, batch, "event .call 900-SCAM at once")


def test_whoever_raises_a_reward_does_not_approve_the_letters_that_give_it(engine: Engine, settings: Settings) -> None:
    hire(engine, "maria")
    add_customer(engine)
    with writing(engine) as session:
        save_knobs(session, settings, "anniversary", {"reward": 9_900}, "maria", NOW)
    batch = prepare(engine, settings, "anniversary")
    require_somebody_else(engine, settings, batch, "knobs .reward")


def test_whoever_said_yes_to_a_treatment_does_not_approve_what_asks_about_it(
    sqlite_engine: Engine, settings: Settings
) -> None:
    own = overlay_knobs(settings, "checkin", {"treatments": ["Crown"]})
    hire(sqlite_engine, "maria")
    know(sqlite_engine, "jon")
    add_customer(sqlite_engine)
    with writing(sqlite_engine) as session:
        answer_treatment(session, "Filling", "yes", "maria", NOW)
        answer_treatment(session, "Root canal", "yes", "jon", NOW)
    batch = prepare(sqlite_engine, own, "checkin")
    with reading(sqlite_engine) as session:
        assert parts_in(session, batch) == [Contribution("maria", "treatment", "filling")]
    require_somebody_else(sqlite_engine, own, batch, "treatment .filling")


def test_a_new_event_and_a_new_list_of_a_known_one_wait_even_by_email(
    sqlite_engine: Engine, every_moment: Settings
) -> None:
    hire(sqlite_engine, "maria")
    reasons = []
    for customer, event in (("c1", "storm"), ("c2", "storm"), ("c3", "fire")):
        add_customer(sqlite_engine, customer, email=f"{customer}@example.org")
        reference = plan(sqlite_engine, "goodwill", "email", customer)
        with writing(sqlite_engine) as session:
            session.exec(select(Goodwill).where(col(Goodwill.customer_id) == customer)).one().event = event
            message = session.get_one(Message, reference)
            moment = session.get_one(run.Moment, message.moment_id)
            moment.occasion = event
        write(sqlite_engine, every_moment)
        (batch,) = opened(sqlite_engine, every_moment)
        reasons.append(batch.why_waiting)
        if batch.status == "waiting":
            approve(sqlite_engine, every_moment, batch.batch_id)
    assert reasons[0].startswith("the first run since")
    assert reasons[1:] == ["", "nobody has looked at “fire” yet, and whom it hit"]
