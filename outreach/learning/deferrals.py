"""Counts the messages that wait because their recipients' own servers, and not our provider, said “not now”.

Reads only. A server is named where several of our recipients use it; one that only one of them uses may name a person,
and is counted with the others.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from outreach.models import Message


@dataclass(frozen=True)
class PutOff:
    """Messages that wait for one server, for one reason."""

    #: Who is to carry them.
    provider: str
    #: For whom they wait; empty for several servers, of one recipient each.
    server: str
    #: The server's last answer.
    reason: str
    #: How many wait.
    number: int
    #: From when on the first of them is tried again.
    next_at: datetime | None

    @property
    def sentence(self) -> str:
        """What ops may be told of it."""
        whose = f"at {self.server}" if self.server else "at servers of one recipient each"
        again = f"; tried again from {self.next_at:%Y-%m-%d %H:%M} UTC on" if self.next_at else ""
        messages = "1 message waits" if self.number == 1 else f"{self.number} messages wait"
        return f"{messages} {whose} ({self.provider}): {self.reason}{again}"


def find_put_off(session: Session) -> list[PutOff]:
    """What waits, by provider, server and the server's last answer; the largest number first."""
    waiting = select(Message.provider, Message.recipient, Message.status_reason, Message.not_before).where(
        Message.status == "approved", col(Message.put_off) > 0
    )
    rows = [
        (provider or "", _server_of(recipient), reason or "it was put off", not_before)
        for provider, recipient, reason, not_before in session.exec(waiting)
    ]
    used = Counter(server for _, server, *_ in rows)
    groups: dict[tuple[str, str, str], list[datetime | None]] = defaultdict(list)
    for provider, server, reason, not_before in rows:
        groups[provider, server if used[server] > 1 else "", reason].append(not_before)
    waits_by_server = [
        PutOff(provider, server, reason, len(waits), min((at for at in waits if at), default=None))
        for (provider, server, reason), waits in groups.items()
    ]
    return sorted(waits_by_server, key=lambda one: (-one.number, one.provider, one.server, one.reason))


def _server_of(recipient: str | None) -> str:
    """The domain of an e-mail address; empty for any other contact."""
    address = json.loads(recipient or "{}").get("email") or ""
    return str(address).rpartition("@")[2].casefold()
