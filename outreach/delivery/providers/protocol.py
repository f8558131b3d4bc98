"""What every provider must be able to do, what it is given of a message, and what it reports.

A provider never sees the database, never retries, and never keeps what it was given longer than it must.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol, runtime_checkable

NO_KEYS = timedelta(0)
FOR_EVER = timedelta.max
#: The kinds of report after which the contact is never used again, by whichever vendor and however late it is said.
CLOSING = frozenset({"bounced", "complained", "unsubscribed", "returned"})


def at_any_time() -> None:
    """Lets every hand-over start."""


def stand_in(key: str) -> str:
    """What stands for a provider's id where a message was surely taken and its id is unknown; no provider makes it."""
    return f"of key {key}"


@dataclass(frozen=True)
class Handover:
    """One message as it leaves: exactly the recipient and the bytes that were sealed."""

    reference: str
    #: The same across the tries of one attempt; a provider that knows keys takes each of them once.
    key: str
    channel: str
    #: The sealed recipient: a name, and what its channel needs of an address, a number or an e-mail address.
    recipient: dict[str, Any]
    content: bytes
    media_type: str
    #: The business date of the first try.
    on: date
    batch_id: str
    #: The instant of the first try.
    begun_at: datetime
    #: "service" or "marketing".
    purpose: str = "service"
    #: A provider that can cancel must not print or send before.
    hold_until: datetime | None = None
    #: Called when all is ready, before the first byte leaves; raises NotSent where this sender must not start any more.
    require_time: Callable[[], None] = at_any_time
    #: What has not arrived after so long must not arrive any more.
    arrives_within: timedelta | None = None


@dataclass(frozen=True)
class WebhookRequest:
    """One request to our webhook address, as it came."""

    #: The whole address that was called: Twilio signs it.
    url: str
    #: Names are in lower case.
    headers: Mapping[str, str]
    #: The raw bytes: a signature covers these, and not what JSON they hold.
    body: bytes
    received_at: datetime


@dataclass(frozen=True)
class Report:
    """One thing that a provider says of a message."""

    #: Unique with this provider, and the same however often it says it.
    event_id: str
    #: One of the event kinds in `models`: "bounced" is for good, "failed" says nothing against the contact.
    kind: str
    at: datetime
    #: This and the two below are given as far as the provider names them.
    reference: str | None = None
    key: str | None = None
    provider_id: str | None = None
    reason: str | None = None
    #: Whom a reply came from: a number (E.164) or an e-mail address.
    contact: str | None = None
    #: What a reply says.
    words: str | None = None
    #: Its part of the body.
    raw: bytes = b""


class LookupResult(list[str]):
    """What a look-up answers: their ids for what they have under our reference, any try of it.

    `cancelled` are their ids for what they had and what was cancelled there, by whomever: it is neither there nor
    absent. `at` is their own time of the answer, where they say it.
    """

    def __init__(self, ids: Iterable[str] = (), cancelled: Iterable[str] = (), at: datetime | None = None) -> None:
        super().__init__(ids)
        self.cancelled, self.at = list(cancelled), at


class Provider(Protocol):
    """One that carries messages: a vendor, a mail server, or files."""

    name: str
    channels: frozenset[str]
    #: For how long it takes one key once, so that an unanswered try may be repeated; NO_KEYS for never.
    key_life: timedelta
    #: A look-up that finds nothing this long after the last try, by its own clock too, proves that nothing arrived.
    #: None where it cannot be searched.
    absent_after: timedelta | None
    #: How many hand-overs it allows, all senders together; None for no limit.
    per_second: float | None

    def send(self, handover: Handover) -> str:
        """Their id for it. Raises Refused, NotSent, OutcomeUnknown or AlreadyAccepted: what is known, and no more."""
        ...

    def find(self, handover: Handover) -> list[str]:
        """Their ids for what they have under our reference, any try of it. Raises NoAnswer when they cannot say.

        One that lets letters be cancelled on its pages, or says what time it is, returns `LookupResult`.
        """
        ...

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        """What a webhook says; an event we have no word for is left out. Raises WebhookRefused where it is unproved."""
        ...


@runtime_checkable
class ComparesRequests(Protocol):
    """A provider that takes a key once only as long as the whole request under it stays the same."""

    def request_hash(self, handover: Handover) -> str:
        """A hash of all that `send` would ask with it. Raises Refused where there is nothing that it could ask."""
        ...


@runtime_checkable
class Cancels(Protocol):
    """A provider that lets us take a message back. `cancel_window` is how long it is asked to wait for that."""

    cancel_window: timedelta

    def cancel(self, provider_id: str) -> bool:
        """Whether it is cancelled now, be it from an earlier call; False when it is too late. Raises NoAnswer."""
        ...


@runtime_checkable
class ClosesItsDay(Protocol):
    def finish(self) -> list[str]:
        """Brings the lists over all that was handed over up to date; names those it wrote. Any number may run it."""
        ...


@runtime_checkable
class Closes(Protocol):
    def close(self) -> None:
        """Gives its connections back."""
        ...


@runtime_checkable
class LogsIn(Protocol):
    def log_in(self) -> None:
        """Connects, encrypts and logs in as for a message, and gives none. Raises NotSent, saying which step failed."""
        ...
