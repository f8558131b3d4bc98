"""What a payer owes: credits come off the oldest, nobody owes what another is to pay, and all who ask hear the same."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete
from sqlmodel import SQLModel, select

from conftest import NOW, TODAY
from outreach.database import reading, writing
from outreach.models import INVOICE_STATUSES, Customer, Invoice, Payment
from outreach.moments import business_day
from outreach.moments.balances import is_overdue
from outreach.planning.customer_state import Standing, load_standings
from outreach.planning.receivables import Item, OpenInvoice, allocate, late_bills, least_of, read_receivables
from outreach.planning.run import plan_day
from outreach.settings import Settings
from planning_rows import customer, decision, faithful, late, messages, payments_fresh, plan, with_knobs


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def bill(number: int, amount: int, due: int = 20, who: str = "c1", **values: object) -> Invoice:
    known = {"issued_on": ago(due + 30), "due_on": ago(due), "currency": "USD", **values}
    return Invoice(invoice_id=f"i{number}", customer_id=who, amount=amount, **known)


def paid(number: int, amount: int, invoice: int | None = None, days: int = 5, **values: object) -> Payment:
    known = {"invoice_id": f"i{invoice}"} if invoice else {"customer_id": "c1", **values}
    return Payment(payment_id=f"p{number}", paid_on=ago(days), amount=amount, **{**values, **known})


def left(engine: Engine, rows: Sequence[SQLModel], who: str = "c1") -> dict[str, int]:
    """What is left of each open invoice of `who`, once `rows` are on record."""
    return {item.invoice.invoice_id: item.balance for item in standing(engine, rows, who).open_invoices}


def standing(engine: Engine, rows: Sequence[SQLModel], who: str = "c1") -> Standing:
    with writing(engine) as session:
        session.add_all(rows)
    with reading(engine) as session:
        return load_standings(session, TODAY, [who], "USD")[who]


# --- allocation, for all inputs


def items(amounts: Sequence[tuple[int, int, str | None]]) -> list[Item]:
    return [
        Item(bill(number, amount, days, status=status), "c1", "USD", amount)
        for number, (amount, days, status) in enumerate(amounts)
    ]


AMOUNTS = st.lists(
    st.tuples(st.integers(-500, 500), st.integers(-20, 60), st.sampled_from([None, "open", "plan", "written_off"]))
)


@given(AMOUNTS, st.integers(-300, 900))
def test_what_is_left_is_never_more_than_invoices_less_payments_and_never_under_nothing(
    amounts: list[tuple[int, int, str | None]], on_account: int
) -> None:
    owed = items(amounts)
    rest = [balance for _, balance in allocate(owed, on_account)]
    total = sum(item.owed for item in owed) - on_account
    assert all(balance > 0 for balance in rest)
    assert sum(rest) <= max(0, total)
    if on_account >= 0:
        assert sum(rest) == max(0, total)


@given(AMOUNTS, st.integers(0, 900))
def test_credits_come_off_the_oldest_first_and_off_what_was_written_off_last(
    amounts: list[tuple[int, int, str | None]], on_account: int
) -> None:
    owed = items(amounts)
    rest = {item.invoice.invoice_id: balance for item, balance in allocate(owed, on_account)}
    in_turn = sorted(
        (item for item in owed if item.owed > 0),
        key=lambda item: (item.invoice.status == "written_off", item.late_since, item.invoice.invoice_id),
    )
    touched = [rest.get(item.invoice.invoice_id, 0) < item.owed for item in in_turn]
    assert touched == sorted(touched, reverse=True), "nothing newer is paid before something older"
    assert sum(0 < rest.get(item.invoice.invoice_id, 0) < item.owed for item in in_turn) <= 1
    days = [(item.late_since, item.invoice.invoice_id) for item, _ in allocate(owed, on_account)]
    assert days == sorted(days)


@given(AMOUNTS, st.integers(0, 900), st.randoms())
def test_the_order_in_which_rows_come_makes_no_difference(
    amounts: list[tuple[int, int, str | None]], on_account: int, chance: object
) -> None:
    owed = items(amounts)
    shuffled = list(owed)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert allocate(shuffled, on_account) == allocate(owed, on_account)


# --- from the tables, on both databases

PAYERS = st.sampled_from([None, "c1", "c2", "insurer"])
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["c1", "c2"]), PAYERS, st.integers(-300, 300), st.integers(-5, 40), st.integers(0, 40),
        st.sampled_from([None, *INVOICE_STATUSES]), st.sampled_from([None, "USD", "JPY"]), st.integers(-100, 400),
    ),
    max_size=5,
)  # fmt: skip
ACCOUNTS = st.lists(
    st.tuples(st.sampled_from(["c1", "c2"]), st.integers(-100, 300), st.sampled_from([None, "JPY"])), max_size=3
)
Rows = list[tuple[str, str | None, int, int, int, str | None, str | None, int]]
Accounts = list[tuple[str, int, str | None]]


def fill(engine: Engine, rows: Rows, on_account: Accounts) -> None:
    with writing(engine) as session:
        for model in (Payment, Invoice, Customer):
            session.connection().execute(delete(model))
        session.add_all([customer("c1"), customer("c2", currency="JPY")])
        for number, (who, payer, amount, due, issued, status, currency, part) in enumerate(rows):
            session.add(bill(number, amount, who=who, payer_id=payer, issued_on=ago(issued), due_on=ago(due),
                             status=status, currency=currency))  # fmt: skip
            if part:
                session.add(paid(number, part, number or None) if number else paid(0, part, customer_id=who))
        for number, (who, amount, currency) in enumerate(on_account):
            session.add(paid(100 + number, amount, customer_id=who, currency=currency))


def compare_with_sql(engine: Engine, rows: Rows, on_account: Accounts) -> None:
    fill(engine, rows, on_account)
    day = business_day(Settings(), TODAY)
    with reading(engine) as session:
        standings = load_standings(session, TODAY, ["c1", "c2"], "USD")
        late = set(session.exec(select(Customer.customer_id).where(is_overdue(day))))
    assert late == {who for who, known in standings.items() if known.is_overdue(TODAY)}


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, ACCOUNTS)
def test_the_moments_that_ask_whether_somebody_is_overdue_say_what_planning_says(
    engine: Engine, rows: Rows, on_account: Accounts
) -> None:
    compare_with_sql(engine, rows, on_account)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, ACCOUNTS, ROWS)
def test_another_payers_rows_change_nothing_of_what_somebody_owes(
    sqlite_engine: Engine, rows: Rows, on_account: Accounts, others: Rows
) -> None:
    own = [row for row in rows if (row[1] or row[0]) == "c1"]
    theirs = [row for row in others if (row[1] or row[0]) != "c1"]
    fill(sqlite_engine, own, [row for row in on_account if row[0] == "c1"])
    with reading(sqlite_engine) as session:
        alone = read_receivables(session, TODAY, ["c1"], "USD").open_invoices()
        before = {(item.invoice.invoice_id, item.balance) for item in alone if item.payer_id == "c1"}
    with writing(sqlite_engine) as session:
        for number, (who, payer, amount, due, issued, status, currency, _) in enumerate(theirs, start=50):
            session.add(bill(number, amount, who=who, payer_id=payer, issued_on=ago(issued), due_on=ago(due),
                             status=status, currency=currency))  # fmt: skip
    with reading(sqlite_engine) as session:
        both = read_receivables(session, TODAY, ["c1"], "USD").open_invoices()
    assert {(item.invoice.invoice_id, item.balance) for item in both if item.payer_id == "c1"} == before


CREDITS: dict[str, Callable[[], list[SQLModel]]] = {
    "a credit note": lambda: [bill(9, -4000, 3)],
    "money paid over another bill": lambda: [bill(9, 1000, 40), paid(9, 5000, 9)],
    "a payment of theirs for no bill in particular": lambda: [paid(9, 4000)],
    "money paid for a bill that was taken back": lambda: [bill(9, 7000, 40, status="void"), paid(9, 4000, 9)],
}


@pytest.mark.parametrize("credit", CREDITS)
def test_every_credit_comes_off_what_is_open_the_oldest_first(engine: Engine, credit: str) -> None:
    rows = [customer(), bill(1, 3000, 20), bill(2, 3000, 15), *CREDITS[credit]()]
    assert left(engine, rows) == {"i2": 2000}


@pytest.mark.parametrize("status", ["paid", "void", "draft"])
def test_of_an_invoice_that_is_paid_void_or_a_draft_nothing_is_owed(sqlite_engine: Engine, status: str) -> None:
    known = standing(sqlite_engine, [customer(), bill(1, 3000, status=status), bill(2, -500, status=status)])
    assert (known.open_invoices, known.is_overdue(TODAY)) == ([], False)


def test_another_currency_covers_nothing(sqlite_engine: Engine) -> None:
    rows = [customer(), bill(1, 3000), bill(2, -3000, currency="EUR"), paid(3, 3000, currency="JPY")]
    assert left(sqlite_engine, rows) == {"i1": 3000}


def test_one_payers_credit_covers_what_they_pay_for_another(engine: Engine) -> None:
    rows = [customer(), customer("mum"), bill(1, 3000, payer_id="mum"), bill(2, -3000, who="mum")]
    assert left(engine, rows) == {}


def test_an_insurers_credit_for_one_customer_covers_nothing_of_another(sqlite_engine: Engine) -> None:
    rows = [customer(), customer("c2"), bill(1, 3000, payer_id="insurer"), bill(2, -3000, who="c2", payer_id="insurer")]
    assert left(sqlite_engine, rows) == {"i1": 3000}


def test_a_payment_of_tomorrow_and_an_invoice_of_tomorrow_do_not_count_yet(sqlite_engine: Engine) -> None:
    rows = [customer(), bill(1, 3000), bill(2, -3000, due=-1, issued_on=ago(-1)), paid(3, 3000, days=-1)]
    assert left(sqlite_engine, rows) == {"i1": 3000}


def test_nobody_is_late_before_they_could_have_the_bill(sqlite_engine: Engine, settings: Settings) -> None:
    known = standing(sqlite_engine, [customer(), bill(1, 3000, due=12, issued_on=TODAY)])
    assert not known.is_overdue(TODAY)
    assert known.is_overdue(TODAY + timedelta(days=1))
    (late_one,) = late_bills(known.open_invoices, settings, TODAY + timedelta(days=2))
    assert late_one.late_since == TODAY


def test_who_is_covered_is_not_overdue_and_gets_their_present(sqlite_engine: Engine, settings: Settings) -> None:
    plan(sqlite_engine, settings, [*faithful(), *late(), bill(2, -9000)])
    assert decision(sqlite_engine, "anniversary").outcome == "send"


# --- the late note


def note(engine: Engine, settings: Settings, rows: Sequence[SQLModel]) -> tuple[str, str]:
    """What was decided of the one customer's late note, and by which rule."""
    plan(engine, settings, [customer(), payments_fresh(), *rows])
    decided = decision(engine, "late_payment")
    return decided.outcome, decided.rule


def test_nobody_whose_credits_cover_what_is_late_has_a_note(engine: Engine, settings: Settings) -> None:
    assert note(engine, settings, [*late(), bill(2, -9000)]) == ("not_yet", "nothing_late")


def test_a_bill_written_yesterday_waits_from_the_day_it_was_written(sqlite_engine: Engine, settings: Settings) -> None:
    assert note(sqlite_engine, settings, [bill(1, 9000, 12, issued_on=ago(1))]) == ("not_yet", "first_touch")
    assert decision(sqlite_engine, "late_payment").next_on == ago(-9)


def test_the_smallest_balance_is_that_of_what_is_left(sqlite_engine: Engine, settings: Settings) -> None:
    assert note(sqlite_engine, settings, [*late(), bill(2, -8001)]) == ("not_yet", "min_balance")


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([paid(1, 9000, 1, 9), paid(2, -9000, 1, 3)], id="all of it given back"),
        pytest.param([paid(1, 4000, 1, 9), paid(2, -1000, 1, 3)], id="a part of it charged back"),
        pytest.param([paid(1, -9000, 1, 9)], id="a file whose payments are all negative"),
        pytest.param([paid(1, 9000, None, 9), paid(2, -9000, None, 3)], id="given back to the person"),
    ],
)
def test_money_that_went_back_is_a_question_for_a_person_and_is_asked_again_tomorrow(
    engine: Engine, settings: Settings, rows: list[SQLModel]
) -> None:
    fresh = [type(row)(**row.model_dump()) for row in rows]
    assert note(engine, settings, [bill(1, 9000), *fresh]) == ("not_yet", "refund")
    held = decision(engine, "late_payment")
    assert (held.next_on, "money was given back" in held.reason) == (ago(-1), True)


def test_what_went_back_before_the_bill_was_written_is_no_question(sqlite_engine: Engine, settings: Settings) -> None:
    rows = [bill(1, 9000), paid(1, 500, None, 200), paid(2, -500, None, 190)]
    assert note(sqlite_engine, settings, rows) == ("send", "send")


def test_a_payment_in_another_currency_than_its_bill_is_a_question(sqlite_engine: Engine, settings: Settings) -> None:
    assert note(sqlite_engine, settings, [bill(1, 9000), paid(1, 8000, 1, currency="EUR")]) == ("not_yet", "refund")
    assert "in another currency" in decision(sqlite_engine, "late_payment").reason


def test_an_insurers_older_bill_does_not_hide_what_the_customer_owes(engine: Engine, settings: Settings) -> None:
    assert note(engine, settings, [bill(1, 50000, 20, payer_id="insurer"), bill(2, 8000, 15)]) == ("send", "send")
    assert [message.recipient_id for message in messages(engine)] == ["c1"]


def test_a_small_bill_of_the_customers_does_not_hide_what_another_owes_for_them(
    engine: Engine, settings: Settings
) -> None:
    plan(engine, settings, [customer("pat")])
    assert note(engine, settings, [bill(1, 400, 20), bill(2, 50000, 15, payer_id="pat")]) == ("send", "send")
    assert [message.recipient_id for message in messages(engine)] == ["pat"]


def test_a_bill_that_only_an_insurer_is_to_pay_is_nobodys_note(sqlite_engine: Engine, settings: Settings) -> None:
    assert note(sqlite_engine, settings, [bill(1, 50000, payer_id="insurer")]) == ("not_yet", "no_payer")


def test_a_dispute_of_the_payers_holds_the_note_about_somebody_elses_bill(
    sqlite_engine: Engine, settings: Settings
) -> None:
    disputed = bill(2, 100, who="pat", status="disputed")
    assert note(sqlite_engine, settings, [customer("pat"), bill(1, 9000, payer_id="pat"), disputed]) == (
        "not_yet",
        "dispute",
    )


@pytest.mark.parametrize(("currency", "least"), [("USD", 1000), ("EUR", 1000), ("JPY", 10), ("KWD", 10000)])
def test_the_smallest_sum_is_as_many_of_another_currency(settings: Settings, currency: str, least: int) -> None:
    assert least_of(settings, currency) == least


def test_the_settings_may_name_the_smallest_sum_of_a_currency(sqlite_engine: Engine, settings: Settings) -> None:
    yen = with_knobs(settings, "late_payment", min_balances={"JPY": 1500})
    assert least_of(yen, "JPY") == 1500
    assert note(sqlite_engine, yen, [bill(1, 1499, currency="JPY")]) == ("not_yet", "min_balance")
    with writing(sqlite_engine) as session:
        session.get_one(Invoice, "i1").amount = 1500
        session.add(payments_fresh(NOW + timedelta(days=1)))
    plan_day(sqlite_engine, yen, ago(-1), NOW + timedelta(days=1))
    assert decision(sqlite_engine, "late_payment").outcome == "send"


def test_a_minors_bill_is_for_their_guardian_and_a_stranger_is_nobody() -> None:
    kid = customer("kid", born_on=date(2015, 5, 5), guardian_id="mum")
    known = (bill(1, 100, who="kid"), "kid", "USD", 100, None, 100)
    assert OpenInvoice(*known, kid).addressee(TODAY) == "mum"
    assert OpenInvoice(*known, kid).addressee(date(2033, 5, 5)) == "kid"
    assert OpenInvoice(*known, None).addressee(TODAY) is None
