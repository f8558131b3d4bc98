"""Facts that change after approval, by import, at the desk and by webhook: nothing leaves, and the reason is told.

Each rule that says it is asked again has a case here; docs/rules.md is written from the same list.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from conftest import NOW, TODAY
from foreseen import deliver_as_foreseen
from intake_data import import_folder
from known_staff import know
from outreach.approval.approving import approve_batch
from outreach.approval.knob_versions import save_knobs
from outreach.approval.treatment_answers import answer_treatment
from outreach.clock import stopped_clock
from outreach.composing.editing import words_of
from outreach.contacts import load_key
from outreach.database import reading, writing
from outreach.day import prepare_day
from outreach.delivery.providers import Report
from outreach.intake.goodwill_lists import GoodwillEntry, List
from outreach.models import Batch, Decision, Message, Moment
from outreach.planning.knobs import with_saved_knobs
from outreach.planning.rules import EVERY, RECHECKED
from outreach.settings import Settings
from outreach.tracking.do_not_contact import close_contact
from outreach.tracking.events import record_event
from outreach.tracking.feedback import set_status, write_down
from outreach.tracking.goodwill_events import name_hit
from outreach.tracking.news import record_news
from outreach.tracking.replies import record_reply
from waiting import hire

Row = tuple[str, dict[str, Any]]
COLUMNS = {
    "customers": "customer_id given_name family_name email phone address_line1 city region postal_code country "
    "timezone customer_since born_on died_on guardian_id household_id",
    "treatments": "treatment_id customer_id visit_id name done_at promised_at",
    "visits": "visit_id customer_id starts_at status cancelled_by",
    "invoices": "invoice_id customer_id payer_id issued_on due_on amount currency status",
    "payments": "payment_id invoice_id paid_on amount",
    "feedback": "feedback_id customer_id given_at kind score status text",
    "consents": "customer_id channel purpose state at basis expires_at source text",
    "flags": "customer_id kind from until source note",
}
LONG_AGO = "2025-01-01T00:00Z"


def days_ago(days: int) -> str:
    return str(TODAY - timedelta(days))


def person(who: str, **more: Any) -> Row:
    number = sum(map(ord, who)) * 7 + len(who)
    known = {
        "customer_id": who, "given_name": "Maria", "family_name": f"Lopez {who}", "email": f"{who}@home.example",
        "address_line1": f"{number} Orchard Terrace", "city": "Winooski", "region": "VT", "postal_code": "05404",
        "country": "US", "timezone": "America/New_York", "born_on": "1980-02-02", "customer_since": "2020-07-01",
        "phone": f"+1802555{number % 10000:04}",
    }  # fmt: skip
    return "customers", known | more


def visit(who: str, on: str, status: str = "completed", number: int = 1, **more: Any) -> Row:
    return "visits", {"visit_id": f"v-{who}-{number}", "customer_id": who, "starts_at": f"{on}T10:00",
                      "status": status} | more  # fmt: skip


def treatment(who: str, name: str = "Filling", on: str = "2026-03-08", **more: Any) -> Row:
    return "treatments", {"treatment_id": f"t-{who}", "customer_id": who, "name": name, "done_at": f"{on}T10:00"} | more


def invoice(who: str, number: int = 1, **more: Any) -> Row:
    known = {"invoice_id": f"i-{who}-{number}", "customer_id": who, "issued_on": "2026-01-20", "due_on": "2026-02-20",
             "amount": "500.00", "currency": "USD", "status": "open"}  # fmt: skip
    return "invoices", known | more


def payment(who: str, amount: str, on: str = str(TODAY)) -> Row:
    return "payments", {"payment_id": f"p-{who}", "invoice_id": f"i-{who}-1", "paid_on": on, "amount": amount}


def feedback(who: str, kind: str, at: str, **more: Any) -> Row:
    return "feedback", {"feedback_id": f"f-{who}-{kind}", "customer_id": who, "given_at": at, "kind": kind,
                        "status": "open"} | more  # fmt: skip


def consent(who: str, channel: str, purpose: str, state: str = "granted", at: str = LONG_AGO) -> Row:
    return "consents", {"customer_id": who, "channel": channel, "purpose": purpose, "state": state, "at": at,
                        "source": "form", "basis": "written", "text": "yes"}  # fmt: skip


def flag(who: str, kind: str, note: str = "") -> Row:
    return "flags", {"customer_id": who, "kind": kind, "from": str(TODAY), "source": "import", "note": note}


def anniversary(who: str) -> list[Row]:
    return [person(who, customer_since="2019-03-10"), visit(who, "2026-01-15"), visit(who, "2025-06-15", number=2),
            consent(who, "email", "marketing")]  # fmt: skip


def checkin(who: str) -> list[Row]:
    return [person(who), treatment(who), consent(who, "email", "service")]


def late(who: str) -> list[Row]:
    return [person(who), invoice(who), consent(who, "email", "service")]


def missed(who: str) -> list[Row]:
    return [person(who, customer_since=""), visit(who, "2024-11-10"), consent(who, "email", "marketing")]


def referral(who: str) -> list[Row]:
    return [person(who), visit(who, "2026-01-10"), visit(who, "2026-02-10", number=2),
            consent(who, "email", "marketing"),
            feedback(who, "score", "2026-02-20T10:00", score="10", status="")]  # fmt: skip


def quiet_start(who: str) -> list[Row]:
    return [person(who, customer_since=days_ago(30)), visit(who, days_ago(30)), consent(who, "email", "marketing")]


def trouble(who: str) -> list[Row]:
    return [person(who), feedback(who, "complaint", f"{days_ago(1)}T10:00"), consent(who, "email", "service")]


def ward(who: str) -> list[Row]:
    guardian = f"{who}guardian"
    child = person(who, email="", phone="", address_line1="", guardian_id=guardian, born_on="2014-01-01")
    return [person(guardian), child, treatment(who), consent(guardian, "email", "service")]  # fmt: skip


def asked(who: str) -> list[Row]:
    return [person(who), feedback(who, "enquiry", f"{TODAY}T06:00"), consent(who, "email", "service")]


def changed(row: Row, **more: Any) -> Row:
    return row[0], row[1] | more


@dataclass(frozen=True)
class Case:
    """Rows that give `moment`, the rows that come in after its approval, the rule they break, and what is then said."""

    rule: str
    who: str
    moment: str
    rows: list[Row]
    later: list[Row]
    said: str
    status: str = "withdrawn"
    decided: str = field(default="not_yet")


def case(rule: str, who: str, moment: str, rows: list[Row], later: list[Row], said: str, **more: str) -> Case:
    return Case(rule, who, moment, rows, later, said, **more)


# By import. The last of the three kinds below stand for what no rule of planning asks: what the message itself says.
BY_IMPORT = (
    case("person", "rosa", "anniversary", r := anniversary("rosa"), [changed(r[0], died_on=days_ago(1))],
         "they have died", decided="never"),
    case("person", "alone", "checkin", r := ward("alone"), [changed(r[1], guardian_id="")], "no guardian"),
    case("flag", "lawyer", "anniversary", anniversary("lawyer"), [flag("lawyer", "legal")], "a lawyer or a court"),
    case("end_of_life", "hospice", "anniversary", anniversary("hospice"),
         [treatment("hospice", "Hospice care", days_ago(1))], "end of life", decided="never"),
    case("unread", "unread", "late_payment", late("unread"), [payment("unread", "five hundred")], "could not be read"),
    case("complaint", "cross", "anniversary", anniversary("cross"), [feedback("cross", "complaint", f"{TODAY}T09:00")],
         "a complaint of theirs is still open"),
    case("dispute", "disputes", "anniversary", anniversary("disputes"), [invoice("disputes", status="disputed")],
         "in dispute"),
    case("after_care", "private", "anniversary", anniversary("private"),
         [treatment("private", "Vasectomy", days_ago(1))], "never mentioned", decided="never"),
    case("present", "owes", "anniversary", anniversary("owes"), [invoice("owes", due_on="2026-03-01")], "overdue"),
    case("came_once", "once", "anniversary",
         r := [person("once", customer_since="2025-03-10"), visit("once", "2025-03-12"),
               visit("once", "2025-11-01", number=2), consent("once", "email", "marketing")],
         [changed(r[2], status="no_show")], "came once", decided="never"),
    case("occasion", "later", "recovery", r := trouble("later"), [changed(r[1], given_at=f"{TODAY}T08:00")],
         "the day that it is about has changed"),
    case("absence", "booked", "win_back", missed("booked"), [visit("booked", "2026-04-01", "booked", 2)], "booked"),
    case("came", "came", "first_hundred", quiet_start("came"), [visit("came", days_ago(4), number=2)], "last visit was",
         decided="never"),
    case("checkin", "sensitive", "checkin", r := checkin("sensitive"), [changed(r[1], name="Alcohol counselling")],
         "never mentioned", decided="never"),
    case("late_payment", "nearly", "late_payment", late("nearly"), [payment("nearly", "499.00")], "too small"),
    case("minor", "child", "referral_ask", r := referral("child"),
         [person("childguardian"), consent("childguardian", "email", "marketing"),
          changed(r[0], born_on="2014-01-01", guardian_id="childguardian")], "a child", decided="never"),
    case("asked_just_now", "asked", "enquiry", r := asked("asked"), [changed(r[1], given_at=f"{TODAY}T10:30")],
         "asked less than 4 hours ago"),
    case("no_name", "nameless", "checkin", r := checkin("nameless"), [changed(r[0], given_name="N/A", family_name="")],
         "name"),
    case("no_channel", "stopped", "checkin", checkin("stopped"),
         [consent("stopped", "email", "service", "withdrawn", f"{TODAY}T14:00Z")], "withdrawn their consent",
         status="suppressed"),
    case("no_channel", "confides", "anniversary", anniversary("confides"), [flag("confides", "confidential", "text")],
         "confidential communication"),
    case("occasion", "moved", "checkin", r := checkin("moved"), [changed(r[1], done_at="2026-03-16T10:00")],
         "the reason to write is no longer there", decided="never"),
    case("occasion", "paid", "late_payment", late("paid"), [payment("paid", "500.00")],
         "the reason to write is no longer there: it is paid", decided="never"),
    case("recipient", "grown", "checkin", r := ward("grown"),
         [changed(r[1], born_on="2005-01-01", email="own@home.example"), consent("grown", "email", "service")],
         "somebody else"),
    case("facts", "half", "late_payment", late("half"), [payment("half", "250.00")], "has changed since it was"),
    case("facts", "renamed", "checkin", r := checkin("renamed"), [changed(r[0], given_name="Mario")], "name"),
    case("facts", "newmail", "checkin", r := checkin("newmail"), [changed(r[0], email="new@home.example")], "contact"),
)  # fmt: skip
CONTROLS = ("unchanged", "unchangeddebt")


def tuned(settings: Settings) -> Settings:
    """All of these moments switched on, by e-mail, and nothing else that would hold a crowd of made-up people."""
    knobs: dict[str, Any] = {
        "checkin": {"treatments": ["Filling", "Alcohol counselling"], "channels": ["email"]},
        "anniversary": {"shared_since_percent": 100, "channels": ["email"]},
        "win_back": {"most_a_day": None, "channels": ["email"]},
        "late_payment": {"channels": ["email"]},
        "referral_ask": {"channels": ["email"]},
        "recovery": {"channels": ["email"]},
        "enquiry": {"channels": ["email"]},
        "first_hundred": {"channels": ["email"]},
    }
    off = {kind: {"enabled": False} for kind in ("thank_you", "surprise", "survey", "welcome")}
    return settings.model_copy(update={"moments": off | knobs, "daily_cap": 5000})


class World:
    """One practice: data come in, the day is prepared and approved, something changes, and what is approved leaves."""

    def __init__(self, engine: Engine, settings: Settings, folder: Path) -> None:
        self.engine, self.settings, self.folder = engine, tuned(settings), folder

    def take_in(self, rows: list[Row], at: datetime) -> None:
        folder = self.folder / f"{at:%H%M}"
        folder.mkdir()
        by_table: dict[str, list[dict[str, Any]]] = {"payments": []}
        for table, row in rows:
            by_table.setdefault(table, []).append(row)
        for table, listed in by_table.items():
            with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, COLUMNS[table].split(), restval="")
                writer.writeheader()
                writer.writerows(listed)
        import_folder(self.engine, folder, self.settings, at)

    def prepare_and_approve(self) -> None:
        hire(self.engine, "jon", "admin")
        prepare_day(self.engine, self.settings, TODAY, stopped_clock(NOW), lambda _: None)
        with reading(self.engine) as session:
            waiting = session.exec(select(Batch.batch_id).where(Batch.status == "waiting")).all()
        for batch_id in waiting:
            approve_batch(self.engine, self.settings, batch_id, "jon", NOW, "command line")

    def deliver(self, at: datetime = NOW + timedelta(hours=1), settings: Settings | None = None) -> None:
        with reading(self.engine) as session:
            known = with_saved_knobs(session, settings or self.settings)
        deliver_as_foreseen(self.engine, known, at)

    def message(self, who: str, moment: str) -> Message:
        with reading(self.engine) as session:
            theirs = select(Message).where(Message.customer_id == who, Message.kind == moment)
            (message,) = session.exec(theirs).all()
            return message

    def decision(self, who: str, moment: str) -> Decision:
        with reading(self.engine) as session:
            theirs = (
                select(Decision)
                .join(Moment, Moment.moment_id == Decision.moment_id)  # type: ignore[arg-type]
                .where(Moment.customer_id == who, Moment.kind == moment)
            )
            return max(session.exec(theirs).all(), key=lambda decision: decision.sequence)


@pytest.fixture
def world(engine: Engine, settings: Settings, tmp_path: Path) -> World:
    return World(engine, settings, tmp_path)


def test_what_an_import_changes_after_approval_does_not_leave_and_the_reason_is_told(world: World) -> None:
    controls = [*checkin("unchanged"), *late("unchangeddebt")]
    world.take_in([row for each in BY_IMPORT for row in each.rows] + controls, NOW - timedelta(hours=1))
    world.prepare_and_approve()
    before = {each.who: world.message(each.who, each.moment).status for each in BY_IMPORT}
    assert before == dict.fromkeys(before, "approved")
    world.take_in([row for each in BY_IMPORT for row in each.later], NOW + timedelta(minutes=30))
    world.deliver()
    wrong = []
    for each in BY_IMPORT:
        message, decided = world.message(each.who, each.moment), world.decision(each.who, each.moment)
        reason = message.status_reason or ""
        if (message.status, decided.outcome) != (each.status, each.decided) or each.said not in reason:
            wrong.append((each.rule, each.who, message.status, reason, decided.outcome, decided.reason))
    assert wrong == []
    assert [
        world.message(who, kind).status for who, kind in zip(CONTROLS, ("checkin", "late_payment"), strict=True)
    ] == [
        "accepted",
        "accepted",
    ]


def _stop_word(world: World, who: str) -> None:
    key = load_key(world.engine, world.settings)
    said = Report("e1", "replied", NOW, contact=f"{who}@home.example", words="STOP", raw=b"")
    with writing(world.engine) as session:
        record_reply(session, world.settings, key, "sendgrid", said, NOW + timedelta(minutes=30))


def _bounce(world: World, who: str) -> None:
    """Another message to the same address has come back."""
    with writing(world.engine) as session:
        other = session.exec(select(Message).where(Message.customer_id == who, Message.kind == "checkin")).one()
        record_event(session, "sendgrid", "e2", "bounced", NOW, NOW, other.reference)


def _close(world: World, who: str) -> None:
    close_contact(world.engine, world.settings, f"{who}@home.example", "", "jon", NOW)


Change = Callable[[World, str], Any]
AT_THE_DESK: dict[str, tuple[str, list[Row], Change, str]] = {
    "flag": ("anniversary", anniversary("deskflag"),
             lambda world, who: record_news(world.engine, world.settings, who, "hardship", "jon", NOW), "hardship"),
    "person": ("anniversary", anniversary("deskrosa"),
               lambda world, who: record_news(world.engine, world.settings, who, "died", "jon", NOW), "died"),
    "complaint": ("anniversary", anniversary("deskcross"),
                  lambda world, who: write_down(world.engine, world.settings, "complaint", who, None, "x", "jon", NOW),
                  "complaint"),
    "occasion": ("recovery", trouble("deskanswered"),
                 lambda world, who: set_status(world.engine, world.settings, f"f-{who}-complaint", "answered", "jon",
                                               NOW), "it is answered"),
    "late_payment": ("late_payment", late("deskhit"),
                     lambda world, who: name_hit(world.engine, world.settings, List("l", [GoodwillEntry(1, who)]),
                                                 "storm", "jon", NOW), "an event hit them"),
    "no_channel": ("checkin", checkin("deskclosed"), _close, "not to use"),
}  # fmt: skip


def test_what_staff_write_down_after_approval_does_not_leave_and_the_reason_is_told(world: World) -> None:
    world.take_in([row for _, rows, _, _ in AT_THE_DESK.values() for row in rows], NOW - timedelta(hours=1))
    world.prepare_and_approve()
    told = {}
    for rule, (moment, rows, change, said) in AT_THE_DESK.items():
        who = rows[0][1]["customer_id"]
        assert world.message(who, moment).status == "approved", rule
        change(world, who)
        told[rule] = who, moment, said
    world.deliver()
    for rule, (who, moment, said) in told.items():
        message = world.message(who, moment)
        assert message.status in {"withdrawn", "suppressed"}, rule
        assert said in (message.status_reason or ""), rule


def test_what_a_webhook_tells_after_approval_does_not_leave_and_the_reason_is_told(world: World) -> None:
    world.take_in([*anniversary("stops"), *checkin("bounces"), *late("reads")], NOW - timedelta(hours=1))
    world.prepare_and_approve()
    _stop_word(world, "stops")
    _bounce(world, "bounces")
    world.deliver()
    for who, moment in (("stops", "anniversary"), ("bounces", "checkin")):
        message = world.message(who, moment)
        assert message.status == "suppressed"
        assert "not to use" in (message.status_reason or "")
    assert world.message("reads", "late_payment").status == "accepted"


def _save(world: World, moment: str, **values: Any) -> None:
    know(world.engine, "jon")
    with writing(world.engine) as session:
        save_knobs(session, world.settings, moment, values, "jon", NOW)


def _say_no(world: World) -> None:
    know(world.engine, "jon")
    with writing(world.engine) as session:
        answer_treatment(session, "Filling", "no", "jon", NOW)


PERMISSIONS: dict[str, tuple[str, Callable[[World], Any], dict[str, Any], str]] = {
    "enabled": ("checkin", lambda world: _save(world, "checkin", enabled=False), {}, "switched off"),
    "checkin": ("checkin", _say_no, {}, "nobody has said yes"),
    "before_start": ("checkin", lambda world: None, {"start_on": date(2026, 3, 9)}, "before we started"),
    "agreement": ("late_payment", lambda world: None, {"debt": False}, "no agreement"),
    "signatory": ("checkin", lambda world: None, {"signs": False}, "Nobody can sign"),
}


@pytest.mark.parametrize("name", PERMISSIONS)
def test_a_permission_that_is_taken_away_after_approval_lets_nothing_leave(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, name: str
) -> None:
    world, (moment, change, less, said) = World(sqlite_engine, settings, tmp_path), PERMISSIONS[name]
    world.take_in([*checkin("ann"), *late("bob")], NOW - timedelta(hours=1))
    world.prepare_and_approve()
    change(world)
    world.deliver(settings=_without(world.settings, **less))
    message = world.message("ann" if moment == "checkin" else "bob", moment)
    assert message.status == "withdrawn"
    assert said in (message.status_reason or "")


def _without(settings: Settings, debt: bool = True, signs: bool = True, **more: Any) -> Settings:
    if not debt:
        outbox = settings.providers.outbox.model_copy(update={"debt": False})
        more["providers"] = settings.providers.model_copy(update={"outbox": outbox})
    if not signs:
        nobody = [one.model_copy(update={"consent_on": None}) for one in settings.business.signatories]
        more["business"] = settings.business.model_copy(update={"signatories": nobody})
    return settings.model_copy(update=more)


def test_payments_that_are_not_fresh_any_more_keep_a_late_note_waiting_until_they_are(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    world = World(sqlite_engine, settings, tmp_path)
    world.take_in(late("bob"), NOW - timedelta(hours=1))
    world.prepare_and_approve()
    world.deliver(NOW + timedelta(hours=25))
    message = world.message("bob", "late_payment")
    assert (message.status, "payments were not imported" in (message.status_reason or "")) == ("approved", True)
    world.take_in([], NOW + timedelta(hours=25, minutes=5))
    world.deliver(NOW + timedelta(hours=26))
    assert world.message("bob", "late_payment").status == "accepted"


def test_a_beginning_that_turns_out_to_be_the_edge_of_an_export_gets_no_present(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    world = World(sqlite_engine, settings, tmp_path)
    ann = [person("ann", customer_since=""), visit("ann", "2021-03-10"), visit("ann", "2026-01-15", number=2)]
    old = [person("old", customer_since="2015-01-05"), first := visit("old", "2019-01-05")]
    world.take_in([*ann, *old, consent("ann", "email", "marketing")], NOW - timedelta(hours=1))
    world.prepare_and_approve()
    assert world.message("ann", "anniversary").status == "approved"
    world.take_in([changed(first, status="cancelled")], NOW + timedelta(minutes=30))
    world.deliver()
    message = world.message("ann", "anniversary")
    assert (message.status, "the data begin in those days" in (message.status_reason or "")) == ("withdrawn", True)


def test_what_is_prepared_ahead_is_asked_for_its_own_day(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    """A note that waits for day ten is prepared on the evening before; a thank-you that had to wait has no day."""
    world = World(sqlite_engine, settings, tmp_path)
    knobs = world.settings.moments | {"thank_you": {"channels": ["email"], "most_a_day": 1, "top_percent": 100}}
    world.settings = world.settings.model_copy(update={"moments": knobs})
    rows = [
        person("late"),
        invoice("late", due_on=str(TODAY + timedelta(1) - timedelta(10))),
        consent("late", "email", "service"),
    ]
    for who in ("ann", "bob"):
        rows += [person(who, customer_since="2015-07-01"), visit(who, "2026-01-15"), visit(who, "2026-02-15", number=2)]
        rows.append(consent(who, "email", "marketing"))
    world.take_in(rows, NOW - timedelta(hours=1))
    world.prepare_and_approve()
    prepare_day(sqlite_engine, world.settings, TODAY + timedelta(1), stopped_clock(NOW), lambda _: None)
    with reading(sqlite_engine) as session:
        planned = session.exec(select(Message).where(Message.run_on == TODAY + timedelta(1))).all()
    # The thank-you goes by its rule: the first batch of the day before was approved.
    assert {(m.kind, m.status) for m in planned} == {("late_payment", "composed"), ("thank_you", "approved")}


def test_what_is_of_no_use_any_more_expires(sqlite_engine: Engine, settings: Settings, tmp_path: Path) -> None:
    world = World(sqlite_engine, settings, tmp_path)
    world.take_in(checkin("ann"), NOW - timedelta(hours=1))
    world.prepare_and_approve()
    world.deliver(NOW + timedelta(days=5))
    assert world.message("ann", "checkin").status == "expired"


def test_a_moment_whose_message_was_withdrawn_is_written_again_with_what_is_true_now(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    world = World(sqlite_engine, settings, tmp_path)
    world.take_in(late("half"), NOW - timedelta(hours=1))
    world.prepare_and_approve()
    world.take_in([payment("half", "250.00")], NOW + timedelta(minutes=30))
    world.deliver()
    tomorrow = NOW + timedelta(days=1)
    world.take_in([], tomorrow - timedelta(minutes=10))
    prepare_day(sqlite_engine, world.settings, TODAY + timedelta(1), stopped_clock(tomorrow), lambda _: None)
    with reading(sqlite_engine) as session:
        first, second = session.exec(select(Message).order_by(Message.step)).all()  # type: ignore[arg-type]
    assert (first.step, first.status, second.step, second.status) == (1, "withdrawn", 2, "composed")
    assert first.reference != second.reference
    assert "$250" in _words(sqlite_engine, second)


def _words(engine: Engine, message: Message) -> str:
    with reading(engine) as session:
        return words_of(session, message.reference)


def test_every_rule_that_is_asked_again_has_a_fact_that_changes_here() -> None:
    tried = (
        {each.rule for each in BY_IMPORT}
        | {*AT_THE_DESK}
        | {*PERMISSIONS}
        | {"stale_payments", "too_late", "beginning"}
    )
    assert {rule.name for rule in RECHECKED} - tried == set()


def test_a_rule_says_once_why_it_is_not_asked_again_and_no_two_share_a_name() -> None:
    names = [rule.name for rule in EVERY]
    assert len(names) == len(set(names))
    assert all(rule.keeps for rule in EVERY)
