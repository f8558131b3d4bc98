"""Writes the generated part of docs/moments.md: each moment's clauses, knobs, channels and templates, from the code.

Run it with `make docs`; a test compares the page with what this gives.
"""

import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outreach.moments import MOMENTS, MomentDefinition
from outreach.settings import MomentKnobs
from outreach.web.knob_forms import label_of

PROJECT = Path(__file__).resolve().parent.parent

PAGE = PROJECT / "docs" / "moments.md"
BEGIN = "<!-- From here on `make docs` writes this page from the code. -->\n"
TRAITS = {
    "present": "a present: not while they owe, dispute, complain, are flagged or silent, had private care or came once",
    "favour": "asks something of them",
    "care": "goes on through complaints, hardship and bankruptcy",
    "absence": "written because they do not come: not with a visit booked, a recent payment or returned mail",
    "intrusive": "asks after them or misses them: not within 30 days of care that is never mentioned",
    "beginning": "of the day they came: not where the data begin, unless `customer_since` says so",
    "health": "tells of health: only by providers with an agreement, in a health business",
    "debt": "tells of debt: only by providers with an agreement",
    "repair": "puts something right: not held by what was sent before about something else",
    "answer": "answers what they said: a call is not held by what was sent before about something else",
    "patient": "has weeks or all year: yields to a moment whose fixed day falls within the quiet days",
}


def page() -> str:
    """The page as it should be: what people wrote down to the mark, and after it what the code says."""
    written = PAGE.read_text(encoding="utf-8").split(BEGIN)[0]
    return written + BEGIN + "\n" + "\n".join([overview(), *(section(moment) for moment in MOMENTS.values())])


def overview() -> str:
    columns = ("moment", "who has it", "purpose", "channels", "letter", "e-mail", "text", "call")
    head = f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n"
    return "## All of them at a glance\n\n" + head + "".join(map(row, MOMENTS.values()))


def row(moment: MomentDefinition[Any]) -> str:
    have = " | ".join("yes" if templates(moment, folder) else "–" for folder in ("letters", "emails", "texts", "calls"))
    name = f"[{moment.kind}](#{moment.kind})"
    return f"| {name} | {moment.summary} | {moment.purpose} | {', '.join(moment.knobs().channels)} | {have} |\n"


def templates(moment: MomentDefinition[Any], folder: str) -> list[str]:
    return sorted(path.name for path in (PROJECT / "templates" / folder).glob(f"{moment.kind}.*"))


def section(moment: MomentDefinition[Any]) -> str:
    module = importlib.import_module(f"outreach.moments.{moment.kind}")
    story = (inspect.getdoc(module) or "").split("\n\n")[0].replace("\n", " ")
    lines = [f"## {moment.kind}\n", f"*{story}*\n", "Someone has it on a day when all of this holds:\n"]
    lines += [f"{number}. {in_code(clause.says)}" for number, clause in enumerate(moment.clauses, 1)]
    lines += ["", "| | |", "|---|---|", *(f"| {name} | {said} |" for name, said in facts(moment))]
    lines += ["", "| knob | default | |", "|---|---|---|", *knobs(moment), ""]
    return "\n".join(lines)


def in_code(said: str) -> str:
    """The names of knobs as code: `silent_days`."""
    return re.sub(r"\{(\w+)\}", r"`\1`", said)


def facts(moment: MomentDefinition[Any]) -> Iterator[tuple[str, str]]:
    yield "because", f"“{moment.because.replace('{day}', '…').replace('{occasion}', '…')}”"
    yield "purpose", moment.purpose
    one_day = "stands on one day: looked for `lead_days` business days ahead and `grace_days` back"
    yield "time", "ends with its window" if moment.windowed else one_day
    together = " together" if moment.every_channel else ", the first that can"
    yield "channels", f"{', '.join(moment.knobs().channels)}{together}"
    folders = ("letters", "emails", "texts", "calls")
    yield "templates", " ".join(f"`{folder}/{name}`" for folder in folders for name in templates(moment, folder))
    yield "words know", ", ".join(f"`{name}`" for name in (moment.day_field, moment.occasion_field) if name)
    for trait in sorted(moment.traits):
        yield "planning", TRAITS[trait]


def knobs(moment: MomentDefinition[Any]) -> Iterator[str]:
    """The moment's own knobs, and those of all moments whose default differs here."""
    common = MomentKnobs().model_dump()
    for name, value in moment.knobs().model_dump().items():
        if name not in common or common[name] != value:
            label, explained = label_of(moment.knobs, name)
            meaning = ": ".join(part for part in (label, explained) if part)
            yield f"| `moments.{moment.kind}.{name}` | `{json.dumps(value)}` | {meaning} |"


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else PAGE).write_text(page(), encoding="utf-8")
