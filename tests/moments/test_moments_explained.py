"""What is said of a clause and what is found agree: every clause, met and failed, and in any population."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel

from budget import trials
from conftest import TODAY
from moment_rows import ago, c1, happy, invoice, noon, payment, said, treatment, visit
from moment_rows_care import again, asked, called_off, named
from moment_rows_growth import LUCKY, good
from outreach.database import open_database
from outreach.models import Customer
from outreach.moments import MOMENTS, find_moments
from outreach.moments.explanations import ClauseAnswer, explain_clauses
from outreach.settings import Settings

Rows = list[SQLModel]

# Someone who has the moment, with each clause just met.
HAS: dict[str, Rows] = {
    "recovery": [c1(), said("complaint", ago(2))],
    "checkin": [c1(), treatment(ago(3))],
    "goodwill": [c1(), named(ago(14))],
    "late_payment": [c1(), invoice(ago(30)), payment(TODAY, 9_999)],
    "enquiry": [c1(), asked(noon(ago(1)), ago(1))],
    "review_reply": [c1(), said("review", TODAY, score=3)],
    "welcome": [c1(customer_since=ago(1))],
    "first_hundred": [c1(customer_since=ago(30)), visit(ago(22))],
    "anniversary": [c1(customer_since=date(2025, 3, 10))],
    "thank_you": [c1(customer_since=ago(2000))],
    "survey": [c1(), visit(ago(1))],
    "surprise": good(),
    "win_back": [c1(), visit(ago(365))],
    "referral_ask": happy(),
}
OVERDUE, COMPLAINT = (8, invoice(ago(1), customer_id=LUCKY)), (8, said("complaint", ago(40), 8, who=LUCKY))

# One row in place of another, or beside them, by which one clause fails; the others stay met.
FAILS: dict[tuple[str, int], tuple[int, SQLModel]] = {
    ("recovery", 1): (1, said("complaint", ago(3))),
    ("recovery", 2): (1, said("complaint", ago(2), status="answered")),
    ("checkin", 1): (1, treatment(ago(4))),
    ("goodwill", 1): (1, named(ago(15))),
    ("late_payment", 1): (1, invoice(ago(31))),
    ("late_payment", 2): (1, invoice(ago(30), status="plan")),
    ("late_payment", 3): (2, payment(TODAY, 10_000)),
    ("enquiry", 1): (1, asked(noon(TODAY) + timedelta(hours=9), TODAY)),
    ("enquiry", 2): (1, asked(noon(ago(1)), ago(1), status="closed")),
    ("review_reply", 1): (1, said("review", TODAY, score=4)),
    ("review_reply", 2): (1, said("review", TODAY, score=3, status="answered")),
    ("welcome", 1): (0, c1(customer_since=ago(2))),
    ("first_hundred", 1): (0, c1(customer_since=ago(31))),
    ("first_hundred", 2): (1, visit(ago(21))),
    ("anniversary", 1): (0, c1(customer_since=date(2025, 3, 11))),
    ("thank_you", 1): (8, Customer(customer_id="c2", customer_since=ago(2001))),
    ("survey", 1): (1, visit(ago(1), status="no_show")),
    ("surprise", 2): (0, Customer(customer_id=LUCKY, customer_since=ago(364))),
    ("surprise", 3): (1, visit(ago(365), who=LUCKY)),
    ("surprise", 4): OVERDUE,
    ("surprise", 5): COMPLAINT,
    ("win_back", 1): (1, visit(ago(364))),
    ("referral_ask", 1): (3, said("score", ago(61), score=10)),
    ("referral_ask", 2): (0, c1(customer_since=ago(89))),
    ("referral_ask", 3): (2, visit(TODAY, 2, "booked")),
    ("referral_ask", 4): (8, invoice(ago(1))),
    ("referral_ask", 5): (8, said("complaint", ago(40), 8)),
}  # fmt: skip
# The dead take no place among the best.
FAILS_TOO = {("thank_you", 0): {1}}
CLAUSES = [(kind, place) for kind, moment in MOMENTS.items() for place in range(len(moment.clauses))]


def who_of(rows: Rows) -> str:
    assert isinstance(rows[0], Customer)
    return rows[0].customer_id


def rows_failing(kind: str, place: int) -> Rows:
    """Someone for whom the clause at `place` fails and no other on the customer alone does."""
    rows = dict(enumerate(again(HAS[kind])))
    if place == 0:
        rows[0].died_on = TODAY  # type: ignore[attr-defined]
    elif (kind, place) == ("surprise", 1):
        rows = dict(enumerate(named_otherwise(rows)))
    else:
        at, row = FAILS[kind, place]
        rows[at] = again([row])[0]
    return list(rows.values())


def named_otherwise(rows: dict[int, SQLModel]) -> Rows:
    """The same person with a number that the draw did not pick."""
    for row in rows.values():
        row.customer_id = "c0"  # type: ignore[attr-defined]
    return list(rows.values())


def explain(session: Session, settings: Settings, kind: str, who: str, on: date = TODAY) -> list[ClauseAnswer]:
    return explain_clauses(session, settings, MOMENTS[kind], who, on)


@pytest.mark.parametrize("kind", MOMENTS)
def test_whoever_has_a_moment_meets_every_clause_of_it(engine: Engine, settings: Settings, kind: str) -> None:
    with Session(engine) as session:
        session.add_all(again(HAS[kind]))
        session.flush()
        who = who_of(HAS[kind])
        assert [item.customer_id for item in find_moments(session, settings, TODAY, [kind])] == [who]
        assert all(answer.is_met for answer in explain(session, settings, kind, who))


@pytest.mark.parametrize(("kind", "place"), CLAUSES)
def test_whoever_fails_one_clause_has_no_moment_and_is_told_which(
    engine: Engine, settings: Settings, kind: str, place: int
) -> None:
    rows = rows_failing(kind, place)
    with Session(engine) as session:
        session.add_all(rows)
        session.flush()
        who = who_of(rows)
        assert who not in [item.customer_id for item in find_moments(session, settings, TODAY, [kind])]
        answers = explain(session, settings, kind, who)
    unmet = [number for number, answer in enumerate(answers) if not answer.is_met]
    # A condition on a row fails with the one before it: no row is left to meet it.
    assert unmet[0] == place
    also = set(unmet[1:]) - FAILS_TOO.get((kind, place), set())
    assert all(MOMENTS[kind].clauses[number].of_rows for number in also)
    assert answers[place].says
    assert answers[place].change
    assert "{" not in answers[place].says + answers[place].change + answers[place].value


# --- any population

LATELY = st.sampled_from([0, 1, 2, 3, 14, 15, 21, 22, 30, 31, 60, 61, 90, 364, 365, 366, 730]).map(ago)
STATUS = st.sampled_from([None, "open", "answered", "closed"])


@st.composite
def lives(draw: st.DrawFn) -> Rows:
    """Up to three customers, and what may have happened to them."""
    rows: Rows = []
    for who in ("c1", "c2", LUCKY)[: draw(st.integers(1, 3))]:
        rows.append(
            Customer(
                customer_id=who,
                customer_since=draw(st.none() | LATELY),
                died_on=draw(st.sampled_from([None, None, None, TODAY])),
            )
        )
        for _ in range(draw(st.integers(0, 4))):
            rows += draw(happenings(who, len(rows)))
    return rows


@st.composite
def happenings(draw: st.DrawFn, who: str, number: int) -> Rows:
    day = draw(LATELY)
    match draw(st.integers(0, 7)):
        case 0:
            return [visit(day, number, draw(st.sampled_from(["completed", "booked", "no_show", None])), who)]
        case 1:
            return [treatment(day, number, who)]
        case 2:
            return [invoice(day, number=number, customer_id=who, status=draw(st.sampled_from([None, "plan"])))]
        case 3:
            amount = draw(st.sampled_from([9_999, 10_000]))
            paid = payment(draw(LATELY), amount, number, number)
            return [invoice(day, number=number, customer_id=who), paid]
        case 4:
            return [named(day, f"event {number}", who)]
        case 5:
            row = called_off(day, draw(st.sampled_from(["us", "customer"])), number)
            row.customer_id, row.visit_id = who, f"called off {who} {number}"
            return [row]
        case _:
            kind = draw(st.sampled_from(["score", "complaint", "review", "enquiry"]))
            score = draw(st.sampled_from([None, 2, 3, 6, 7, 9]))
            return [
                said(
                    kind,
                    day,
                    100 * (who == "c2") + 1000 * (who == LUCKY) + number,
                    who,
                    score=score,
                    status=draw(STATUS),
                )
            ]


@pytest.fixture(scope="module")
def one_database(tmp_path_factory: pytest.TempPathFactory, sqlite_pattern: Path) -> Engine:
    path = tmp_path_factory.mktemp("lives") / "outreach.db"
    shutil.copyfile(sqlite_pattern, path)
    return open_database(f"sqlite:///{path}")


@trials(20)
@given(rows=lives())
def test_in_any_population_every_clause_is_met_exactly_for_those_who_are_found(
    one_database: Engine, rows: Rows
) -> None:
    settings = Settings()
    with Session(one_database) as session:
        session.add_all(rows)
        session.flush()
        for kind in MOMENTS:
            found = {item.customer_id for item in find_moments(session, settings, TODAY, [kind])}
            for who in [row.customer_id for row in rows if isinstance(row, Customer)]:
                answers = explain(session, settings, kind, who)
                assert (who in found) == all(answer.is_met for answer in answers), (kind, who, answers)
        session.rollback()
