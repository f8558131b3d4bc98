"""Prints lines, tables and JSON on standard output, for people and for programs. It knows nothing of what they say.

Names from anywhere are printed as they are: no mark in them is a command to the terminal.
"""

import dataclasses
import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

ROWS_SHOWN = 40
# Where no terminal says how wide it is (a pipe, a log, CI), the reasons must still fit on their lines.
PIPE_WIDTH = 150
# Control characters but for the end of a line and a tab, those of eight bits too.
_COMMANDS = frozenset(map(chr, {*range(32), *range(127, 160)} - {9, 10}))
# No emoji either: a name in colons is a name.
console = Console(
    highlight=False, emoji=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
)


def say(line: str) -> None:
    console.print(_plain(line), soft_wrap=True)


def _plain(text: str, style: str = "") -> Text:
    """The text as it is: no part of a name is a mark for the printer or a command for the terminal."""
    return Text("".join("\ufffd" if letter in _COMMANDS else letter for letter in text), style)


# What the parts of a counter's keys are, for those who read the JSON.
RULED, SET_ASIDE = ("moment", "outcome", "rule"), ("moment", "channel", "reason")
COUNTED_BY = {"decisions": RULED, "rules": RULED, "set_aside": SET_ASIDE}
MESSAGES_COUNTED_BY = ("moment", "channel", "status")


def as_plain(value: Any, name: str = "") -> Any:
    """`value` with dataclasses, counters, dates and tuples turned into what JSON has; `name` is the field it stands in.

    A counter by several things becomes a list of objects, each with those things and its `count`.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_plain(getattr(value, f.name), f.name) for f in dataclasses.fields(value)}
    if hasattr(value, "model_dump"):
        return as_plain(value.model_dump())
    if isinstance(value, dict):
        if any(isinstance(key, tuple) for key in value):
            things = COUNTED_BY.get(name, MESSAGES_COUNTED_BY)
            return [{**dict(zip(things, key, strict=False)), "count": value[key]} for key in sorted(value)]
        return {str(key): as_plain(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def print_text(text: str) -> None:
    """Prints a file's own text, with its lines as they are."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def print_json(value: Any) -> None:
    print(json.dumps(as_plain(value), ensure_ascii=False))


def _words_that_fit(rows: Sequence[Sequence[str]]) -> set[int]:
    """The columns of single words, such as ids, that are never broken: people copy them into the next command.

    Only as far as two thirds of the line go: the printer would cut short what finds no room.
    """
    fit, room = set(), console.width * 2 // 3
    for at in range(max(map(len, rows))):
        cells = [row[at] for row in rows if at < len(row)]
        length = max(map(len, cells)) + 2
        if length <= room and not any(" " in cell for cell in cells):
            fit.add(at)
            room -= length
    return fit


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], most: int | None = ROWS_SHOWN
) -> None:
    """A table of at most `most` rows that says how many it left out; None for all of them."""
    listed = [[("" if cell is None else str(cell)) for cell in row] for row in rows]
    if not listed:
        say(f"{title}: none")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    whole = _words_that_fit(listed[:most])
    for at, column in enumerate(columns):
        table.add_column(_plain(column), overflow="fold", no_wrap=at in whole)
    for row in listed[:most]:
        table.add_row(*map(_plain, row))
    console.print(_plain(title, "bold"), soft_wrap=True)
    console.print(table)
    if most is not None and len(listed) > most:
        say(f"… and {len(listed) - most} more")
