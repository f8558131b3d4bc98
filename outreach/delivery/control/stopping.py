"""Stops sending at a person's word: sets the pause, then cancels at the vendors what they have not printed yet.

The desk and the command line both stop sending through here. The pause stands, whatever the vendors answer.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from outreach.clock import Clock
from outreach.database import writing
from outreach.delivery.control.pauses import PauseReport, pause, require_may_pause
from outreach.delivery.providers import open_providers
from outreach.delivery.recovery.cancelling import CancelReport, cancel_paused
from outreach.errors import OutreachError
from outreach.settings import Settings


@dataclass(frozen=True)
class StopReport:
    """What a stop has done: here, and at the vendors."""

    paused: PauseReport
    cancelled: CancelReport
    #: Why the vendors could not be asked; empty where they were.
    problem: str = ""


def stop_sending(
    engine: Engine,
    settings: Settings,
    clock: Clock,
    scope: str,
    name: str,
    by: str,
    at_once: Callable[[PauseReport], None] = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
) -> StopReport:
    """Pauses a scope and name from now on, then cancels at vendors what it concerns, as far as they let us.

    `at_once` hears of the pause as soon as it stands: vendors may take their time. Raises NotFound when there is
    nothing of that name to stop, and NotAllowed when the role of `by` is too low.
    """
    with writing(engine) as session:
        require_may_pause(session, scope, by)
        # Committed before any vendor is asked: a vendor that is slow or down must not delay the pause.
        paused = pause(session, scope, name, clock(), by)
    at_once(paused)
    try:
        with open_providers(settings) as carriers:
            return StopReport(paused, cancel_paused(engine, clock, carriers, scope, name, tell))
    except OutreachError as error:
        return StopReport(paused, CancelReport(), str(error))
