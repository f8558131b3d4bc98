"""Any interleaving of faults, deaths, opt-outs, tampering and look-ups, against a provider's own ledger."""

import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import event, text
from sqlmodel import select

from approved import add_approved, content_for
from conftest import NOW
from outreach.database import insert_new, open_database, reading, upgrade_database, writing
from outreach.delivery import deliver_due
from outreach.delivery.providers import Handover, Report, WebhookRequest
from outreach.delivery.providers.protocol import FOR_EVER, NO_KEYS
from outreach.errors import AlreadyAccepted, NotSent, OutcomeUnknown, Refused
from outreach.models import Attempt, Content, Message, Suppression
from outreach.settings import load_settings
from outreach.tracking import record_event, track_open

FAULTS = ("none", "dropped", "late", "not sent", "refused", "already", "died before", "died after")
ENDED = {"accepted", "failed", "suppressed", "blocked", "delivered"}
EMPTY = tempfile.TemporaryDirectory()
TEMPLATE = Path(EMPTY.name) / "template.db"
upgrade_database(open_database(f"sqlite:///{TEMPLATE}"))


class Died(BaseException):
    """Ends a sender as a kill would: nothing after it runs."""


class Vendor:
    """A provider that keeps its own ledger, and fails as it is told to."""

    name = "outbox"
    channels = frozenset({"text"})
    absent_after = timedelta(hours=2)
    per_second = None

    def __init__(self, keyed: bool) -> None:
        self.key_life = FOR_EVER if keyed else NO_KEYS
        self.ledger: list[tuple[str, str, str, bytes]] = []
        self.under_way: list[Handover] = []
        self.faults: list[str] = []
        self.is_down = False

    def take(self, handover: Handover) -> str:
        if self.key_life and (known := self.look_for(handover.reference, handover.key)):
            return known[0]
        self.ledger.append((handover.reference, handover.key, f"v{len(self.ledger)}", handover.content))
        return self.ledger[-1][2]

    def send(self, handover: Handover) -> str:
        fault = self.faults.pop() if self.faults else "none"
        if fault in {"not sent", "refused", "died before"}:
            raise {"not sent": NotSent("busy"), "refused": Refused("no"), "died before": Died()}[fault]
        if fault == "late":
            self.under_way.append(handover)
            raise OutcomeUnknown("no answer")
        provider_id = self.take(handover)
        if fault in {"dropped", "already", "died after"}:
            answers = {"dropped": OutcomeUnknown("gone"), "already": AlreadyAccepted(provider_id), "died after": Died()}
            raise answers[fault]
        return provider_id

    def find(self, handover: Handover) -> list[str]:
        if self.is_down:
            raise OutcomeUnknown("the search does not answer")
        return self.look_for(handover.reference, handover.key)

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        raise NotImplementedError

    def look_for(self, reference: str, key: str) -> list[str]:
        return [provider_id for ours, theirs, provider_id, _ in self.ledger if (ours, theirs) == (reference, key)]


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
            self.time_passes()
            self.track()
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
            message = add_approved(session, reference, "text", useful_until=NOW.date() + timedelta(days=30))
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

    @rule()
    def time_passes(self) -> None:
        """More than a lease, and less than what a late arrival may take to show."""
        self.now += timedelta(hours=1)
        for handover in self.vendor.under_way:
            self.vendor.take(handover)
        self.vendor.under_way = []

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
            ours = set(session.execute(text("SELECT reference, provider_id FROM messages WHERE provider_id NOTNULL")))
        assert {tuple(row) for row in ours} <= {(reference, theirs) for reference, _, theirs, _ in self.vendor.ledger}

    @invariant()
    def nothing_is_tried_after_an_opt_out(self) -> None:
        for reference, tries in self.silenced.items():
            assert self.tries_of(reference) == tries


class Keyed(Keyless):
    """The provider takes one key once: what is not answered may go again under its key."""

    keyed = True


LIMITS = hypothesis_settings(
    max_examples=30, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
TestKeylessProvider = Keyless.TestCase
TestKeylessProvider.settings = LIMITS
TestKeyedProvider = Keyed.TestCase
TestKeyedProvider.settings = LIMITS
