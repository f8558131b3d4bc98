"""A message and its attempt in; what a provider is given of them out."""

import json
from collections.abc import Callable

from sqlmodel import Session

from outreach.delivery.providers import Handover
from outreach.delivery.providers.protocol import at_any_time
from outreach.models import Attempt, Content, Message


def handover_of(
    session: Session, message: Message, attempt: Attempt, require_time: Callable[[], None] = at_any_time
) -> Handover:
    content = session.get_one(Content, message.content_sha256)
    return Handover(
        reference=message.reference,
        key=attempt.key,
        channel=message.channel,
        recipient=json.loads(message.recipient or "{}"),
        content=content.body,
        media_type=content.media_type,
        on=attempt.started_on,
        batch_id=message.batch_id or "",
        begun_at=attempt.started_at,
        purpose=message.purpose,
        hold_until=message.cancel_until,
        require_time=require_time,
    )
