"""What every provider must be able to do. A hand-over comes in; their id, or what is known of the failure, goes out.

A provider never sees the database, never retries, and never keeps what it was given longer than it must.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True)
class Handover:
    """One message as it leaves: exactly the recipient and the bytes that were sealed.

    `key` stays the same across the tries of one attempt; `on` is the business date of the first try.
    """

    reference: str
    key: str
    channel: str
    recipient: dict[str, Any]
    content: bytes
    media_type: str
    on: date
    batch_id: str


class Provider(Protocol):
    """`keyed`: it takes one key once, however often it is handed over, so an unanswered try may be repeated.

    `searchable_after`: a look-up that finds nothing this long after the last try proves that nothing arrived.
    """

    name: str
    keyed: bool
    channels: frozenset[str]
    searchable_after: timedelta

    def send(self, handover: Handover) -> str:
        """Their id for it. Raises Refused, NotSent, OutcomeUnknown or AlreadyAccepted: what is known, and no more."""
        ...

    def find(self, reference: str, key: str) -> list[str]:
        """Their ids for what they have under our reference and key. Raises DeliveryError when they cannot say."""
        ...


@runtime_checkable
class ClosesItsDay(Protocol):
    def finish(self) -> list[str]:
        """Brings the lists over all that was handed over up to date; names those it wrote. Any number may run it."""
        ...
