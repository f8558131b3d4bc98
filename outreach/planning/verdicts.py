"""What a rule says when it holds a moment back: the rule's name, the reason in plain words, and when to look again."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Hold:
    """`next_on` is the day from which the rule may no longer hold; None means never for this occasion."""

    rule: str
    reason: str
    next_on: date | None = None
