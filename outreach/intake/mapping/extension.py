"""Lays a mapping of one's own over a preset: what it names is replaced or added, and everything else stays.

Files of the two are matched by what they are `called`, and tables within them likewise, or by the table they feed.
"""

from typing import Any

Written = dict[str, Any]


def extend(preset: Written, own: Written) -> Written:
    """The preset's TOML with the other's laid over it."""
    files = {"file": _lay_over(_listed(preset, "file"), _listed(own, "file"), _extend_file)}
    return {**preset, **own, **files}


def _listed(written: Written, name: str) -> list[Written]:
    """A list of tables as TOML has it; what is none is left for the check that names its place."""
    value = written.get(name, [])
    return value if isinstance(value, list) else [value]


def _extend_file(preset: Written, own: Written) -> Written:
    tables = {"table": _lay_over(_listed(preset, "table"), _listed(own, "table"), _extend_table)}
    return {**preset, **own, **tables}


def _extend_table(preset: Written, own: Written) -> Written:
    columns = {**preset.get("columns", {}), **own.get("columns", {})}
    # A column of the preset's that is not wanted is taken out with an empty text.
    return {**preset, **own, "columns": {name: origin for name, origin in columns.items() if origin != ""}}


def _lay_over(preset: list[Written], own: list[Written], lay: Any) -> list[Written]:
    parts = list(preset)
    for part in own:
        place = next((at for at, other in enumerate(parts) if _is_same(other, part)), None)
        if place is None:
            parts.append(part)
        else:
            parts[place] = lay(parts[place], part)
    return parts


def _is_same(one: Written, other: Written) -> bool:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return False
    if one.get("called") or other.get("called"):
        return one.get("called") == other.get("called")
    return one.get("into") == other.get("into") and one.get("name") == other.get("name")
