"""Says in words of the desk when data came in, who brought it, and how it ended. It decides nothing."""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from outreach.intake.history import COMMAND_LINE, NIGHTLY_RUN, PastIntake

EVENING, MORNING = 18, 8
_NOBODY = {COMMAND_LINE: "the command line", NIGHTLY_RUN: "the nightly run", "": "not written down"}


def name_of(by: str, names: Mapping[str, str]) -> str:
    """Who brought something in; `names` are those of staff by their ids."""
    return _NOBODY.get(by) or names.get(by, by)


def say_when(at: datetime, now: datetime, zone: tzinfo) -> str:
    """When it was, as one says it within a sentence."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    is_yesterday = local.date() == today - timedelta(days=1)
    if (local.date() == today and local.hour < MORNING) or (is_yesterday and local.hour >= EVENING):
        return "last night"
    if local.date() == today:
        return f"today at {local:%H:%M}"
    return f"yesterday at {local:%H:%M}" if is_yesterday else f"on {local:%-d %b %Y}"


def say_last(past: PastIntake, now: datetime, zone: tzinfo) -> str:
    """What became of the last import, in a sentence or two."""
    when = say_when(past.intake.at, now, zone)
    if past.is_running:
        return "Customer data is coming in just now."
    if past.broke_off:
        return f"An import broke off {when}, before its end. What came in until then stays; import the same again."
    if past.intake.problem:
        return f"No customer data came in {when}: it could not be read."
    came_in = f"{count_rows(past.read - past.refused)} came in {when}"
    if not past.refused:
        return f"{came_in}, none was refused."
    return f"{came_in}, {past.refused:,} {'was' if past.refused == 1 else 'were'} refused."


def count_rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"
