"""Builds what a provider is given of a message and its attempt, hands it over, and says what is known afterwards."""

import json
from collections.abc import Callable
from datetime import timedelta

from outreach.composing.digests import media_type_for
from outreach.delivery.providers import Handover, Provider
from outreach.delivery.providers.protocol import at_any_time
from outreach.errors import AlreadyAccepted, DeliveryError, OutcomeUnknown
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


def hand_over(carrier: Provider, handover: Handover) -> tuple[str | None, DeliveryError | None]:
    """The provider's id of what it took, or else what is known of the failure. Raises nothing."""
    try:
        return carrier.send(handover), None
    except AlreadyAccepted as accepted:
        return accepted.provider_id, None
    except DeliveryError as error:
        return None, error
    except Exception as error:
        # A fault in a provider's code says nothing about what had left before it.
        what = OutcomeUnknown(f"{carrier.name} failed with {type(error).__name__}; look it up")
        what.__cause__ = error
        return None, what
