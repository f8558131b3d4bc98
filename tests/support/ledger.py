"""A provider that keeps its own ledger and fails as it is told to, for the rules of delivery that no file can break."""

from collections.abc import Callable
from datetime import timedelta

from outreach.delivery.providers import Handover, Report, WebhookRequest
from outreach.delivery.providers.protocol import NO_KEYS
from outreach.errors import AlreadyAccepted, NoAnswer, NotSent, OutcomeUnknown, Refused

DAY = timedelta(hours=24)


class Died(BaseException):
    """Ends a sender as a kill would: nothing after it runs."""


class Vendor:
    """`ledger` holds (reference, key, its id, content) of all it ever took; `faults` are taken from the end, one a try.

    With keys, it takes one key once for as long as `known_keys` remembers it. `cancels` makes it let go what it holds.
    """

    name = "outbox"
    channels = frozenset({"letter", "email", "text"})
    absent_after: timedelta | None = timedelta(hours=2)
    per_second: float | None = None
    cancel_window = timedelta(0)

    def __init__(self, keyed: bool, faults: list[str] | None = None) -> None:
        self.key_life = DAY if keyed else NO_KEYS
        self.ledger: list[tuple[str, str, str, bytes]] = []
        self.known_keys: dict[str, str] = {}
        self.under_way: list[Handover] = []
        self.handovers: list[Handover] = []
        self.faults: list[str] = faults or []
        self.is_down = False
        self.is_printed = False
        self.cancelled: list[str] = []
        self.before_answer: Callable[[], None] = lambda: None

    def take(self, handover: Handover) -> str:
        if self.key_life and handover.key in self.known_keys:
            return self.known_keys[handover.key]
        self.ledger.append((handover.reference, handover.key, f"v{len(self.ledger)}", handover.content))
        self.known_keys[handover.key] = self.ledger[-1][2]
        return self.ledger[-1][2]

    def send(self, handover: Handover) -> str:
        self.handovers.append(handover)
        handover.require_time()
        fault = self.faults.pop() if self.faults else "none"
        if fault in {"not sent", "refused", "died before"}:
            raise {"not sent": NotSent("busy"), "refused": Refused("no"), "died before": Died()}[fault]
        if fault == "lost":
            raise OutcomeUnknown("no answer")
        if fault == "late":
            self.under_way.append(handover)
            raise OutcomeUnknown("no answer")
        provider_id = self.take(handover)
        self.before_answer()
        if fault in {"dropped", "already", "died after"}:
            answers = {"dropped": OutcomeUnknown("gone"), "already": AlreadyAccepted(provider_id), "died after": Died()}
            raise answers[fault]
        return provider_id

    def find(self, handover: Handover) -> list[str]:
        if self.is_down:
            raise NoAnswer("the search does not answer")
        return [provider_id for reference, _, provider_id, _ in self.ledger if reference == handover.reference]

    def cancel(self, provider_id: str) -> bool:
        if self.is_down:
            raise NoAnswer("no answer")
        if not self.is_printed:
            self.cancelled.append(provider_id)
        return not self.is_printed

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        raise NotImplementedError
