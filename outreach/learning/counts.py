"""Counts moments by the decision that stands on them, and messages by moment, channel and status. They add up."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session, col

from outreach.delivery.status_reasons import TOO_LATE
from outreach.learning.deferrals import PutOff, find_put_off
from outreach.models import Incident, Message, Moment, RefusedWebhook
from outreach.models.selects import select_latest_decisions

BEFORE_APPROVAL = {"planned", "composed", "held", "rejected"}


@dataclass(frozen=True)
class StatusReport:
    """Where everything stands, each message and each moment counted once."""

    #: All moments: the sum of `decisions`.
    moments: int
    #: Moments by outcome: send, not_yet, never, and undecided for one that has no decision.
    decisions: Counter[str]
    #: Moments by (moment, outcome, rule) of the decision that stands.
    rules: Counter[tuple[str, str, str]]
    #: Messages by (moment, channel, status).
    messages: Counter[tuple[str, str, str]]
    #: How many got how far, widest first; two moments may share one message.
    funnel: dict[str, int]
    #: Those that no person has closed, the latest last.
    incidents: list[Incident]
    #: Webhooks that proved nothing, by vendor.
    refused_webhooks: dict[str, int]
    #: Which recipients' servers say “not now”.
    put_off: list[PutOff]
    #: Messages that stay planned until something is mended, by (moment, channel, what to mend).
    set_aside: Counter[tuple[str, str, str]]


def count_messages(session: Session) -> StatusReport:
    """Where everything stands now: all messages and all moments, each counted once."""
    rules = _count_decisions(session)
    decisions: Counter[str] = Counter()
    for (_, outcome, _), number in rules.items():
        decisions[outcome] += number
    groups = _group_messages(session)
    messages: Counter[tuple[str, str, str]] = Counter()
    for group in groups:
        messages[group.kind, group.channel, group.status] += group.number
    funnel = {
        "moments found": rules.total(),
        "decided to send": decisions["send"],
        "composed": sum(group.number for group in groups if group.is_composed),
        "approved": sum(group.number for group in groups if group.was_approved),
        "accepted": sum(group.number for group in groups if group.is_accepted),
        "delivered": sum(group.number for group in groups if group.status == "delivered"),
    }
    still_open = select(Incident).where(col(Incident.closed_at).is_(None)).order_by(col(Incident.incident_id))
    incidents = list(session.execute(still_open).scalars())
    refused = select(RefusedWebhook).order_by(col(RefusedWebhook.provider))
    counted = {row.provider: row.count for row in session.execute(refused).scalars()}
    waiting = find_put_off(session), count_set_aside(session)
    return StatusReport(rules.total(), decisions, rules, messages, funnel, incidents, counted, *waiting)


def count_set_aside(session: Session) -> Counter[tuple[str, str, str]]:
    """Messages that could not be written until somebody mends a template or a setting: (moment, channel, reason)."""
    what = (col(Message.kind), col(Message.channel), col(Message.status_reason))
    planned = select(*what, func.count()).where(
        col(Message.status) == "planned", col(Message.status_reason).is_not(None)
    )
    return Counter(
        {(kind, channel, why): number for kind, channel, why, number in session.execute(planned.group_by(*what))}
    )


def _count_decisions(session: Session) -> Counter[tuple[str, str, str]]:
    standing = select_latest_decisions().subquery()
    what = (col(Moment.kind), standing.c.outcome, standing.c.rule)
    # An outer join: a moment without a decision is counted too, or the numbers would not add up.
    ruled = select(*what, func.count()).outerjoin(standing, standing.c.moment_id == Moment.moment_id).group_by(*what)
    rows = session.execute(ruled)
    return Counter({(kind, outcome or "undecided", rule or ""): number for kind, outcome, rule, number in rows})


@dataclass(frozen=True)
class MessageGroup:
    """Messages that are alike in all that the counts ask about."""

    kind: str
    channel: str
    status: str
    reason: str | None
    is_composed: bool
    is_accepted: bool
    number: int

    @property
    def was_approved(self) -> bool:
        """Of those that expired, only the ones that ran out of time later had been approved."""
        is_past = self.status not in BEFORE_APPROVAL and (
            self.status != "expired" or (self.reason or "").startswith(TOO_LATE)
        )
        return self.is_composed and is_past


def _group_messages(session: Session) -> list[MessageGroup]:
    is_composed, is_accepted = col(Message.digest).is_not(None), col(Message.accepted_at).is_not(None)
    # With the reason: by nothing else `was_approved` tells when a message expired.
    what = (col(Message.kind), col(Message.channel), col(Message.status), col(Message.status_reason))
    grouped = select(*what, is_composed, is_accepted, func.count()).group_by(*what, is_composed, is_accepted)
    return [MessageGroup(*row) for row in session.execute(grouped)]
