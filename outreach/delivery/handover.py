"""A message with its bytes, and its attempt, in; what a provider is given of them out."""

import json
from collections.abc import Callable
from datetime import timedelta

from outreach.composing.digests import media_type_for
from outreach.delivery.providers import Handover
from outreach.delivery.providers.protocol import at_any_time
from outreach.models import Attempt, Message


def handover_of(
    message: Message,
    body: bytes,
    attempt: Attempt,
    require_time: Callable[[], None] = at_any_time,
    arrives_within: timedelta | None = None,
) -> Handover:
    return Handover(
        reference=message.reference,
        key=attempt.key,
        channel=message.channel,
        recipient=json.loads(message.recipient or "{}"),
        content=body,
        media_type=media_type_for(message.channel, message.provider),
        on=attempt.started_on,
        batch_id=message.batch_id or "",
        begun_at=attempt.started_at,
        purpose=message.purpose,
        hold_until=message.cancel_until,
        require_time=require_time,
        arrives_within=arrives_within,
    )
