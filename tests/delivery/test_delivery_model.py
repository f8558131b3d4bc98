"""Any interleaving of faults, deaths, opt-outs, tampering and look-ups, against a provider's own ledger."""

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import event, text
from sqlmodel import select

from approved import add_approved, content_for
from budget import limits
from conftest import NOW
from ledger import Died, Vendor
from outreach.approval.staff import add_staff
from outreach.database import insert_new, open_database, reading, upgrade_database, writing
from outreach.delivery.recovery.recovery import close_by_hand
from outreach.delivery.sender import deliver_due
from outreach.models import Attempt, Content, Message, Suppression
from outreach.settings import load_settings
from outreach.tracking.events import record_event
from outreach.tracking.lookup import track_open

FAULTS = ("none", "dropped", "lost", "late", "not sent", "refused", "already", "died before", "died after")
# "expired": days may pass before the first sender comes, and a check-in is of use for five.
ENDED = {"accepted", "failed", "suppressed", "blocked", "delivered", "expired"}
EMPTY = tempfile.TemporaryDirectory()
TEMPLATE = Path(EMPTY.name) / "template.db"
upgrade_database(open_database(f"sqlite:///{TEMPLATE}"))


class Keyless(RuleBasedStateMachine):
    """The provider does not know keys: what is not answered must be looked up."""

    keyed = False
    references = Bundle("references")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        database = Path(self.folder.name) / "model.db"
        database.write_bytes(TEMPLATE.read_bytes())
        self.engine = open_database(f"sqlite:///{database}")
        # Deaths here are told, not real ones, so nothing needs to reach the disk.
        event.listen(self.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        self.settings = load_settings(secret="for tests only", secret_file=Path(self.folder.name) / "none")
        self.vendor, self.now, self.number, self.senders = Vendor(self.keyed), NOW, 0, 0
        self.silenced: dict[str, int] = {}

    def teardown(self) -> None:
        """Whatever happened, look-ups and runs without faults end every message, and the ledger agrees."""
        self.vendor.faults, self.vendor.is_down = [], False
        for _ in range(4):
            self.time_passes(13)
            self.track()
            self.ask_a_person()
            self.deliver([])
        with reading(self.engine) as session:
            ends = dict(session.execute(select(Message.reference, Message.status)).all())
        taken = {reference for reference, *_ in self.vendor.ledger}
        assert set(ends.values()) <= ENDED, ends
        assert taken == {reference for reference, status in ends.items() if status in {"accepted", "delivered"}}
        self.folder.cleanup()

    @initialize(target=references)
    def approve_one(self) -> str:
        return self.add(False)

    @precondition(lambda self: self.number < 3)
    @rule(target=references, is_tampered_with=st.booleans())
    def approve(self, is_tampered_with: bool) -> str:
        return self.add(is_tampered_with)

    def add(self, is_tampered_with: bool) -> str:
        self.number += 1
        reference = f"R{self.number}"
        with writing(self.engine) as session:
            message = add_approved(session, reference, "text", useful_until=NOW.date() + timedelta(days=60))
            if is_tampered_with:
                session.get_one(Content, message.content_sha256).body = b"something else"
        return reference

    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3))
    def deliver(self, faults: list[str]) -> None:
        self.senders += 1
        self.vendor.faults = list(faults)
        try:
            deliver_due(
                self.engine, self.settings, lambda: self.now, f"s{self.senders}", providers={"outbox": self.vendor}
            )
        except Died:
            return

    @rule(is_down=st.booleans())
    def search(self, is_down: bool) -> None:
        self.vendor.is_down = is_down
        self.track()

    def track(self) -> None:
        track_open(self.engine, self.settings, lambda: self.now, providers={"outbox": self.vendor})

    def ask_a_person(self) -> None:
        """What no look-up could settle in three days is settled by somebody who telephones the provider."""
        with writing(self.engine) as session:
            add_staff(session, "maria", "Maria", "approver", self.now)
            waiting = session.exec(select(Message.reference).where(Message.status == "needs_person")).all()
            for reference in waiting:
                is_there = any(reference == ours for ours, *_ in self.vendor.ledger)
                status = "accepted" if is_there else "approved"
                close_by_hand(session, reference, status, "maria", "asked by telephone", self.now)

    @rule(hours=st.sampled_from([1, 1, 13, 25]))
    def time_passes(self, hours: int) -> None:
        """More than a lease; once less than what a late arrival may take to show, once longer than keys are known."""
        self.now += timedelta(hours=hours)
        # Whatever is late arrives within the hour, and so before its key is forgotten.
        for handover in self.vendor.under_way:
            self.vendor.take(handover)
        self.vendor.under_way = []
        if hours > 24:
            self.vendor.known_keys = {}

    @rule(reference=references)
    def opt_out(self, reference: str) -> None:
        with writing(self.engine) as session:
            contact = {"contact_hash": f"hash of {reference}", "channel": "text", "source": "staff", "at": self.now}
            insert_new(session, Suppression, [contact])
        self.silenced.setdefault(reference, self.tries_of(reference))

    @precondition(lambda self: self.vendor.ledger)
    @rule(data=st.data(), again=st.booleans())
    def vendor_reports(self, data: st.DataObject, again: bool) -> None:
        reference, _, provider_id, _ = data.draw(st.sampled_from(self.vendor.ledger))
        for _ in range(1 + again):
            with writing(self.engine) as session:
                record_event(
                    session, "outbox", f"e{provider_id}", "delivered", self.now, self.now, reference, provider_id
                )

    def tries_of(self, reference: str) -> int:
        with reading(self.engine) as session:
            return sum(session.exec(select(Attempt.tries).where(Attempt.reference == reference)))

    @invariant()
    def nobody_gets_it_twice(self) -> None:
        references = [reference for reference, *_ in self.vendor.ledger]
        assert len(references) == len(set(references)), self.vendor.ledger

    @invariant()
    def only_what_was_approved_left(self) -> None:
        assert all(content == content_for(reference, "text") for reference, _, _, content in self.vendor.ledger)

    @invariant()
    def accepted_means_that_the_vendor_has_it(self) -> None:
        with reading(self.engine) as session:
            named = "provider_id NOTNULL AND provider_id NOT LIKE 'of key %'"
            ours = set(session.execute(text(f"SELECT reference, provider_id FROM messages WHERE {named}")))
        assert {tuple(row) for row in ours} <= {(reference, theirs) for reference, _, theirs, _ in self.vendor.ledger}

    @invariant()
    def nothing_is_tried_after_an_opt_out(self) -> None:
        for reference, tries in self.silenced.items():
            assert self.tries_of(reference) == tries


class Keyed(Keyless):
    """The provider takes one key once: what is not answered may go again under its key."""

    keyed = True


TestKeylessProvider = pytest.mark.longer(Keyless.TestCase)
TestKeyedProvider = pytest.mark.longer(Keyed.TestCase)
TestKeylessProvider.settings = TestKeyedProvider.settings = limits(8, stateful_step_count=12)
