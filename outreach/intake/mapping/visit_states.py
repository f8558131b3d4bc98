"""Writes the status of visits in a draft, of columns that each say one state: arrived, did not arrive, cancelled."""

from collections.abc import Mapping

from outreach.intake.mapping.draft_parts import UNSURE, SheetSample, quote
from outreach.intake.mapping.yes_no import write_no, write_yes

# A cancelled visit may also be marked as missed, and a missed one never took place.
STATES = {"cancelled": "cancelled", "missed": "no_show", "arrived": "completed"}
_WORDS_DIFFER = f" # {UNSURE}: see which words the file has; docs/data.md lists ours"
_HELD = f" # {UNSURE}: no column says who came; a visit still ahead counts as completed too"


def write_status(column: str) -> str:
    """The line for a column that has a word for each state."""
    return f"status = {quote(column)}{_WORDS_DIFFER}"


def write_visit_status(columns: Mapping[str, str], sheet: SheetSample) -> list[str]:
    """The line for the status of visits; none where no column says anything of it."""
    ways = [_write_way(state, columns[ours], sheet) for ours, state in STATES.items() if ours in columns]
    status = columns.get("status")
    if not ways:
        return [write_status(status)] if status else []
    if status:
        return [f"status = {{ first_of = [{', '.join([*ways, quote(status)])}] }}{_WORDS_DIFFER}"]
    last = '{ constant = "booked" }' if "arrived" in columns else '{ constant = "completed" }'
    line = f"status = {{ first_of = [{', '.join([*ways, last])}] }}"
    return [line if "arrived" in columns else f"{line}{_HELD}"]


def write_held(columns: Mapping[str, str], sheet: SheetSample) -> list[str]:
    """The condition under which a visit took place, as far as its columns say: nothing was done at another."""
    if arrived := columns.get("arrived"):
        return [f"only = {write_yes(arrived, sheet.values(arrived))}"]
    others = [columns[ours] for ours in ("cancelled", "missed") if ours in columns]
    conditions = [write_no(column, sheet.values(column)) for column in others]
    return [f"only = [{', '.join(conditions)}]"] if conditions else []


def _write_way(state: str, column: str, sheet: SheetSample) -> str:
    return f'{{ constant = "{state}", only = {write_yes(column, sheet.values(column))} }}'
