"""Batches: how they open, who may decide, what is refused, and a record of every act that shows when it was changed."""

import multiprocessing
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from conftest import NOW, TODAY
from outreach.approval.audit import find_break, record_act
from outreach.approval.batches import RULE
from outreach.approval.open_batches import open_batches
from outreach.approval.rejections import reject
from outreach.approval.staff import list_staff, remove_staff
from outreach.approval.withdrawals import expire_unapproved
from outreach.commands.output import show_batches
from outreach.database import open_database, reading, writing
from outreach.errors import ApprovalError, ChangedSince, NotFound, NotWaiting, OutreachError, SamePerson
from outreach.models import Batch, Invoice, Message, Staff
from outreach.settings import Settings
from processes import PROCESSES
from waiting import acts, approve, compose, hire, statuses


def test_letters_wait_for_a_person_and_say_so(engine: Engine, settings: Settings) -> None:
    compose(engine, "A", "B")
    (batch,) = open_batches(engine, settings, TODAY, NOW)
    assert (batch.batch_id, batch.count, batch.cost) == ("2026-03-10-anniversary-letter", 2, 210)
    assert (batch.status, batch.why_waiting) == ("waiting", "letters wait for a person")


def test_opening_again_opens_nothing(engine: Engine, settings: Settings) -> None:
    compose(engine, "A")
    open_batches(engine, settings, TODAY, NOW)
    assert open_batches(engine, settings, TODAY, NOW) == []


def test_messages_composed_later_the_same_day_get_a_batch_of_their_own(
    sqlite_engine: Engine, settings: Settings
) -> None:
    compose(sqlite_engine, "A")
    open_batches(sqlite_engine, settings, TODAY, NOW)
    compose(sqlite_engine, "B")
    (second,) = open_batches(sqlite_engine, settings, TODAY, NOW)
    assert second.batch_id == "2026-03-10-anniversary-letter-2"


def test_the_first_emails_of_a_moment_wait_and_the_next_run_goes_by_rule(
    sqlite_engine: Engine, settings: Settings
) -> None:
    hire(sqlite_engine)
    compose(sqlite_engine, "A", channel="email")
    (first,) = open_batches(sqlite_engine, settings, TODAY, NOW)
    assert "first run since" in first.why_waiting
    approve(sqlite_engine, settings, first.batch_id)
    tomorrow = TODAY + timedelta(days=1)
    compose(sqlite_engine, "B", channel="email", run_on=tomorrow)
    (second,) = open_batches(sqlite_engine, settings, tomorrow, NOW)
    assert (second.status, second.decided_by) == ("approved", RULE)
    assert statuses(sqlite_engine)["B"] == "approved"


def test_a_run_that_was_made_with_something_else_waits_however_things_stand_by_now(
    sqlite_engine: Engine, settings: Settings
) -> None:
    hire(sqlite_engine)
    compose(sqlite_engine, "A", channel="email")
    (first,) = open_batches(sqlite_engine, settings, TODAY, NOW)
    approve(sqlite_engine, settings, first.batch_id)
    compose(sqlite_engine, "B", channel="email", run_on=TODAY + timedelta(days=1), made_with="another reward")
    assert open_batches(sqlite_engine, settings, TODAY, NOW)[0].why_waiting.startswith("the first run since")
    compose(sqlite_engine, "C", channel="email", run_on=TODAY + timedelta(days=2), made_with=None)
    assert open_batches(sqlite_engine, settings, TODAY, NOW)[0].why_waiting.startswith("it is not on record")


def test_a_run_that_met_two_versions_makes_two_batches_and_only_the_known_one_goes_by_rule(
    engine: Engine, settings: Settings
) -> None:
    hire(engine)
    compose(engine, "A", channel="email")
    approve(engine, settings, open_batches(engine, settings, TODAY, NOW)[0].batch_id)
    tomorrow = TODAY + timedelta(days=1)
    compose(engine, "B", channel="email", run_on=tomorrow)
    compose(engine, "C", channel="email", run_on=tomorrow, made_with="new words")
    opened = {batch.fingerprint: batch for batch in open_batches(engine, settings, tomorrow, NOW)}
    assert {fingerprint: batch.status for fingerprint, batch in opened.items()} == {
        "as ever": "approved", "new words": "waiting",
    }  # fmt: skip
    approve(engine, settings, opened["new words"].batch_id)
    compose(engine, "D", channel="email", run_on=TODAY + timedelta(days=2), made_with="new words")
    assert open_batches(engine, settings, TODAY, NOW)[0].status == "approved"


def test_a_run_in_several_batches_is_as_large_as_all_of_them(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine)
    compose(sqlite_engine, "A", channel="email")
    approve(sqlite_engine, settings, open_batches(sqlite_engine, settings, TODAY, NOW)[0].batch_id)
    tomorrow = TODAY + timedelta(days=1)
    compose(sqlite_engine, "B", "C", channel="email", run_on=tomorrow)
    assert open_batches(sqlite_engine, settings, tomorrow, NOW)[0].status == "approved"
    compose(sqlite_engine, "D", "E", channel="email", run_on=tomorrow)
    (second,) = open_batches(sqlite_engine, settings, tomorrow, NOW)
    assert second.why_waiting == "4 messages, over 3 times the usual 1"


def test_words_in_a_language_that_nobody_has_looked_at_wait(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine)
    english, spanish = {"template_sha256": "e", "language": "en"}, {"template_sha256": "s", "language": "es"}
    compose(sqlite_engine, "A", channel="email", **english)
    approve(sqlite_engine, settings, open_batches(sqlite_engine, settings, TODAY, NOW)[0].batch_id)
    compose(sqlite_engine, "B", channel="email", run_on=TODAY + timedelta(days=1), **spanish)
    (unseen,) = open_batches(sqlite_engine, settings, TODAY, NOW)
    assert unseen.why_waiting == "nobody has looked at its words in “es” yet"
    approve(sqlite_engine, settings, unseen.batch_id)
    compose(sqlite_engine, "C", channel="email", run_on=TODAY + timedelta(days=2), **spanish)
    assert open_batches(sqlite_engine, settings, TODAY, NOW)[0].status == "approved"


def test_a_run_over_three_times_the_usual_size_waits(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine)
    compose(sqlite_engine, "A", channel="email")
    approve(sqlite_engine, settings, open_batches(sqlite_engine, settings, TODAY, NOW)[0].batch_id)
    compose(sqlite_engine, "B", "C", "D", "E", channel="email", run_on=TODAY + timedelta(days=1))
    (large,) = open_batches(sqlite_engine, settings, TODAY, NOW)
    assert large.why_waiting == "4 messages, over 3 times the usual 1"


def test_late_payment_waits_for_a_person_by_every_channel(sqlite_engine: Engine, settings: Settings) -> None:
    compose(sqlite_engine, "A", kind="late_payment", channel="email", purpose="service")
    with writing(sqlite_engine) as session:
        invoice = {"customer_id": "customer of A", "issued_on": TODAY - timedelta(40), "due_on": TODAY - timedelta(12)}
        session.add(Invoice(invoice_id="i", amount=100, **invoice))
    assert open_batches(sqlite_engine, settings, TODAY, NOW)[0].why_waiting == "this moment waits for a person"


def test_approving_moves_the_messages_on_and_is_audited(engine: Engine, settings: Settings) -> None:
    hire(engine)
    compose(engine, "A", "B")
    (batch,) = open_batches(engine, settings, TODAY, NOW)
    assert approve(engine, settings, batch.batch_id).decided_by == "maria"
    assert statuses(engine) == {"A": "approved", "B": "approved"}
    assert acts(engine)[-1] == ("maria", "batch approved")


def test_only_an_approver_on_record_approves(sqlite_engine: Engine, settings: Settings) -> None:
    compose(sqlite_engine, "A")
    (batch,) = open_batches(sqlite_engine, settings, TODAY, NOW)
    with pytest.raises(NotFound, match="outreach staff add zoe"):
        approve(sqlite_engine, settings, batch.batch_id, "zoe")
    hire(sqlite_engine, "will", "writer")
    with pytest.raises(ApprovalError, match="may not approve"):
        approve(sqlite_engine, settings, batch.batch_id, "will")
    assert statuses(sqlite_engine) == {"A": "composed"}


def test_whoever_prepared_a_batch_cannot_approve_it_unless_a_setting_says_so(
    sqlite_engine: Engine, settings: Settings
) -> None:
    hire(sqlite_engine)
    compose(sqlite_engine, "A")
    (batch,) = open_batches(sqlite_engine, settings, TODAY, NOW)
    with writing(sqlite_engine) as session:
        session.get_one(Batch, batch.batch_id).author = "maria"
    with pytest.raises(SamePerson):
        approve(sqlite_engine, settings, batch.batch_id)
    alone = settings.model_copy(update={"approval": settings.approval.model_copy(update={"single_person": True})})
    assert approve(sqlite_engine, alone, batch.batch_id).status == "approved"


def test_a_second_approval_is_refused(engine: Engine, settings: Settings) -> None:
    hire(engine)
    compose(engine, "A")
    (batch,) = open_batches(engine, settings, TODAY, NOW)
    approve(engine, settings, batch.batch_id)
    with pytest.raises(NotWaiting, match="approved already, by maria"):
        approve(engine, settings, batch.batch_id)


def test_a_message_changed_behind_the_seal_stops_the_approval(engine: Engine, settings: Settings) -> None:
    hire(engine)
    compose(engine, "A", "B")
    (batch,) = open_batches(engine, settings, TODAY, NOW)
    with writing(engine) as session:
        session.get_one(Message, "A").digest = "another"
    with pytest.raises(ChangedSince):
        approve(engine, settings, batch.batch_id)
    assert set(statuses(engine).values()) == {"composed"}


def test_an_older_seal_approves_nothing(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine)
    compose(sqlite_engine, "A", "B")
    (batch,) = open_batches(sqlite_engine, settings, TODAY, NOW)
    reject(sqlite_engine, "A", "maria", "spelling", NOW, "command line")
    with pytest.raises(ChangedSince):
        approve(sqlite_engine, settings, batch.batch_id, seal=batch.seal)


def test_rejecting_one_message_leaves_the_rest_of_its_batch_to_be_approved(engine: Engine, settings: Settings) -> None:
    hire(engine)
    compose(engine, "A", "B")
    (batch,) = open_batches(engine, settings, TODAY, NOW)
    left = reject(engine, "a", "maria", "she called us", NOW, "command line")
    assert (left.status, left.count, left.cost) == ("waiting", 1, 105)
    approve(engine, settings, batch.batch_id)
    assert statuses(engine) == {"A": "rejected", "B": "approved"}


def test_why_one_message_was_rejected_is_said_of_that_message_and_not_of_its_batch(
    engine: Engine, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    hire(engine)
    compose(engine, "A", "B")
    (batch,) = open_batches(engine, settings, TODAY, NOW)
    assert reject(engine, "a", "maria", "she is my sister", NOW, "command line").reason is None
    with writing(engine) as session:
        session.get_one(Batch, batch.batch_id).reason = "as earlier versions left it"
    approved = approve(engine, settings, batch.batch_id)
    assert (approved.status, approved.reason) == ("approved", None)
    show_batches([approved], as_json=False)
    assert "maria" in (shown := capsys.readouterr().out)
    assert "sister" not in shown
    with reading(engine) as session:
        assert session.get_one(Message, "A").status_reason == "she is my sister"


@pytest.mark.parametrize(("second", "said"), [("she moved", None), ("she called us", "she called us")])
def test_a_batch_that_was_rejected_one_by_one_has_a_reason_only_where_all_have_the_same(
    sqlite_engine: Engine, settings: Settings, second: str, said: str | None
) -> None:
    hire(sqlite_engine)
    compose(sqlite_engine, "A", "B")
    open_batches(sqlite_engine, settings, TODAY, NOW)
    reject(sqlite_engine, "a", "maria", "she called us", NOW, "command line")
    last = reject(sqlite_engine, "b", "maria", second, NOW, "command line")
    assert (last.status, last.reason) == ("rejected", said)


def test_rejecting_a_batch_rejects_all_of_it(sqlite_engine: Engine, settings: Settings) -> None:
    hire(sqlite_engine)
    compose(sqlite_engine, "A", "B")
    (batch,) = open_batches(sqlite_engine, settings, TODAY, NOW)
    assert reject(sqlite_engine, batch.batch_id, "maria", "not today", NOW, "command line").status == "rejected"
    assert set(statuses(sqlite_engine).values()) == {"rejected"}
    with pytest.raises(NotFound, match="outreach batches"):
        reject(sqlite_engine, "nothing", "maria", "x", NOW, "command line")


def test_what_nobody_approved_in_time_expires_and_closes_its_batch(engine: Engine, settings: Settings) -> None:
    hire(engine)
    compose(engine, "A")
    (batch,) = open_batches(engine, settings, TODAY, NOW)
    with writing(engine) as session:
        assert expire_unapproved(session, TODAY + timedelta(days=10), NOW) == 1
    assert statuses(engine) == {"A": "expired"}
    with pytest.raises(NotWaiting, match="expired already"):
        approve(engine, settings, batch.batch_id)


def _approve_in_process(url: str, settings: Settings, who: str, results: "multiprocessing.Queue[str]") -> None:
    try:
        approve(open_database(url), settings, "2026-03-10-anniversary-letter", who)
        results.put("approved")
    except OutreachError as error:
        results.put(type(error).__name__)


def test_two_approvers_at_once_give_one_approval(database_url: str, engine: Engine, settings: Settings) -> None:
    hire(engine, "maria")
    hire(engine, "jon")
    compose(engine, "A")
    open_batches(engine, settings, TODAY, NOW)
    results: multiprocessing.Queue[str] = PROCESSES.Queue()
    workers = [
        PROCESSES.Process(target=_approve_in_process, args=(database_url, settings, who, results))
        for who in ("maria", "jon")
    ]
    for worker in workers:
        worker.start()
    assert sorted(results.get(timeout=60) for _ in workers) == ["NotWaiting", "approved"]
    for worker in workers:
        worker.join()


def test_a_removed_member_of_staff_may_not_act_and_stays_on_record(sqlite_engine: Engine) -> None:
    hire(sqlite_engine)
    with writing(sqlite_engine) as session:
        remove_staff(session, "maria", NOW)
        assert list_staff(session) == []
        assert session.get_one(Staff, "maria").removed_at == NOW
        with pytest.raises(NotFound):
            remove_staff(session, "maria", NOW)


def test_an_unknown_role_is_refused(sqlite_engine: Engine) -> None:
    with pytest.raises(ApprovalError, match="viewer, writer, approver, admin"):
        hire(sqlite_engine, "maria", "boss")


@pytest.mark.parametrize(
    "tampering", ["UPDATE audit SET actor = 'x' WHERE sequence = 2", "DELETE FROM audit WHERE sequence = 2"]
)
def test_a_changed_or_missing_entry_breaks_the_audit_where_it_stood(engine: Engine, tampering: str) -> None:
    with writing(engine) as session:
        for number in range(4):
            record_act(session, "maria", "act", str(number), "", NOW)
        assert find_break(session) is None
        session.connection().execute(text(tampering))
        session.expire_all()
        assert find_break(session) == 2
