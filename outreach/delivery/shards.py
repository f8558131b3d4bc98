"""Counts how many shards the messages that may leave now would fill, for senders who share them.

Reads only, and claims nothing.
"""

import math

from sqlalchemy import Engine

from outreach.clock import Clock, business_date
from outreach.database import reading
from outreach.delivery import outbox
from outreach.delivery.control.pauses import count_messages, is_paused
from outreach.delivery.providers import PROVIDERS
from outreach.settings import Settings


def count_shards(engine: Engine, settings: Settings, clock: Clock) -> int:
    """How many shards the messages that may leave now would fill; what is paused or over the cap does not count."""
    on = business_date(clock(), settings.business.timezone)
    with reading(engine) as session:
        # Of all providers: which of them are set up is for each sender to see.
        due = count_messages(session, outbox.due(on, clock(), PROVIDERS), ~is_paused())
        room = outbox.room_left(session, settings.daily_cap, on)
    return math.ceil(max(min(due, room), 0) / settings.scaling.shard_size)
