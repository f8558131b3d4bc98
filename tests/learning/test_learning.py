"""Counts that always add up, and a report that names nobody."""

from datetime import date

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from sqlmodel import Session

from approved import add_approved
from conftest import NOW, TODAY
from outreach.clock import stopped_clock
from outreach.database import reading, writing
from outreach.delivery.sender import deliver_due
from outreach.learning.counts import StatusReport, count_messages
from outreach.learning.reports import write_report
from outreach.models import STATUSES, Attempt, Decision, Message, Moment
from outreach.settings import Settings


def decide(session: Session, moment_id: str, *outcomes: str) -> None:
    for sequence, outcome in enumerate(outcomes, start=1):
        rule = "send" if outcome == "send" else "quiet"
        session.add(
            Decision(moment_id=moment_id, sequence=sequence, run_on=TODAY, outcome=outcome, rule=rule, reason="r")
        )


def add_moment(session: Session, moment_id: str, *outcomes: str, kind: str = "checkin") -> None:
    session.add(
        Moment(moment_id=moment_id, kind=kind, customer_id="c", occasion=moment_id, occasion_on=TODAY, found_on=TODAY)
    )
    session.flush()
    decide(session, moment_id, *outcomes)


def counted(engine: Engine) -> StatusReport:
    with reading(engine) as session:
        return count_messages(session)


def test_an_empty_database_counts_nothing(engine: Engine) -> None:
    report = counted(engine)
    assert (report.moments, report.decisions, report.messages) == (0, {}, {})
    assert set(report.funnel.values()) == {0}


def test_the_latest_decision_on_a_moment_is_the_one_that_counts(engine: Engine) -> None:
    with writing(engine) as session:
        add_moment(session, "m1", "not_yet", "not_yet", "send")
        add_moment(session, "m2", "not_yet", kind="anniversary")
        add_moment(session, "m3", "never")
    report = counted(engine)
    assert report.decisions == {"send": 1, "not_yet": 1, "never": 1}
    assert report.rules == {
        ("checkin", "send", "send"): 1,
        ("anniversary", "not_yet", "quiet"): 1,
        ("checkin", "never", "quiet"): 1,
    }


def test_a_moment_that_nobody_has_decided_on_shows_and_is_not_lost(engine: Engine) -> None:
    with writing(engine) as session:
        add_moment(session, "m1")
    report = counted(engine)
    assert (report.moments, report.decisions) == (1, {"undecided": 1})


def test_the_funnel_says_how_many_got_how_far(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        add_moment(session, "held back", "never")
        for reference, channel, changes in [
            ("SENT", "letter", {}),
            ("LATE", "letter", {"useful_until": date(2026, 1, 1)}),
            ("WAITING", "email", {"status": "composed"}),
            ("REJECTED", "email", {"status": "rejected"}),
            ("UNSEEN", "email", {"status": "expired", "status_reason": "not approved by 2026-01-01"}),
        ]:
            decide(session, add_approved(session, reference, channel, **changes).moment_id, "send")
    deliver_due(engine, settings, stopped_clock(NOW), "sender")
    report = counted(engine)
    assert report.funnel == {
        "moments found": 6, "decided to send": 5, "composed": 5, "approved": 2, "accepted": 1, "delivered": 0,
    }  # fmt: skip
    assert report.messages["checkin", "letter", "accepted"] == 1
    assert report.messages["checkin", "letter", "expired"] == 1


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    decided=st.lists(st.lists(st.sampled_from(["send", "not_yet", "never"]), max_size=3), max_size=6),
    statuses=st.lists(st.sampled_from(STATUSES), max_size=6),
)
def test_the_counts_always_add_up(sqlite_engine: Engine, decided: list[list[str]], statuses: list[str]) -> None:
    with writing(sqlite_engine) as session:
        for table in (Attempt, Message, Decision, Moment):
            session.execute(delete(table))
        for number, outcomes in enumerate(decided):
            add_moment(session, f"m{number}", *outcomes)
        for number, status in enumerate(statuses):
            taken = {"provider_id": f"id{number}", "accepted_at": NOW} if status == "accepted" else {}
            held = {"owner": "o", "lease_until": NOW} if status == "sending" else {}
            add_approved(session, f"R{number}", status=status, **taken, **held)
    report = counted(sqlite_engine)
    assert report.moments == report.decisions.total() == report.rules.total() == len(decided) + len(statuses)
    assert report.messages.total() == report.funnel["composed"] == len(statuses)
    assert report.funnel["composed"] >= report.funnel["approved"] >= report.funnel["accepted"]


def test_the_report_shows_every_count_and_no_customer(engine: Engine, settings: Settings) -> None:
    with writing(engine) as session:
        decide(session, add_approved(session, "A").moment_id, "send")
        add_moment(session, "m2", "never")
    page = write_report(counted(engine), TODAY)
    assert page.startswith("# Outreach on 2026-03-10\n")
    assert "| checkin | letter  | approved |      1 |" in page
    assert "| checkin | never    | quiet |      1 |" in page
    assert "customer of A" not in page
    assert "Ada" not in page
