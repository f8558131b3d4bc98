"""A new moment is one file, one line in the registry and its templates: one is added to a copy of the program."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from checkout import PROJECT
from forked_command import changed_program
from planned import words_of

BIRTHDAY = '''"""Their birthday."""

from datetime import date, timedelta

from pydantic import Field
from sqlalchemy import Integer, extract
from sqlmodel import col

from outreach.models import Customer
from outreach.moments.definition import Clause, MomentDefinition, TemplateField
from outreach.moments.open_day import derive, write_day
from outreach.moments.rule import Asked, Hold, Rule
from outreach.moments.relationship import ALIVE
from outreach.moments.evidence import tell_day
from outreach.channels import ChannelName
from outreach.settings import MomentKnobs


class BirthdayKnobs(MomentKnobs):
    channels: list[ChannelName] = Field(default=["letter"])
    candles: int = Field(default=1, title="Candles on the card", description="As many as you like")


def _part(day, name):
    return derive(day.on, name, lambda on: getattr(on, name), Integer)


def _hold_very_old(candidate: Asked, day: Asked) -> Hold | None:
    years = day.on.year - candidate.customer.customer.born_on.year
    return Hold("very_old", f"they are {years}: somebody writes by hand", day.tomorrow) if years > 100 else None


BIRTHDAY = MomentDefinition(
    kind="birthday",
    purpose="marketing",
    windowed=False,
    knobs=BirthdayKnobs,
    clauses=(
        ALIVE,
        Clause(
            says="it is their birthday",
            where=lambda knobs, day: (extract("month", col(Customer.born_on)) == _part(day, "month"))
            & (extract("day", col(Customer.born_on)) == _part(day, "day")),
            value=lambda knobs, day: col(Customer.born_on),
            tell=tell_day("born", "the data do not say when they were born"),
            change="it comes round once a year",
        ),
    ),
    occasion=lambda knobs, day: (write_day(day.on), write_day(day.on)),
    useful_until=lambda knobs, day, on: day + timedelta(days=knobs.grace_days),
    because="born on this day",
    summary="a birthday is for the day they were born on",
    traits=frozenset({"present"}),
    rules=(Rule("very_old", "who is over a hundred hears from a person", _hold_very_old),),
    fields=(TemplateField("day", date(2026, 3, 9), "their birthday; use monthday"),),
    likely_day=lambda session, customer, on: customer.born_on and customer.born_on.replace(year=on.year),
)
'''
CUSTOMERS = """customer_id,given_name,born_on,address_line1,city,region,postal_code,country
C1,Maria,1980-03-10,27 Orchard Terrace,Winooski,VT,05404,US
C2,Theo,1980-03-11,27 Orchard Terrace,Winooski,VT,05404,US
C3,Ada,1920-03-10,8 Elm Street,Winooski,VT,05404,US
"""
SETTINGS = """[business]
name = "Alder Lane"
address = ["14 Alder Lane", "Burlington, VT 05401"]
phone = "+1 802 555 0140"
email = "hello@alderlane.example"
[[business.signatories]]
name = "Nora Whitcomb"
consent_on = 2025-01-01
"""


def add_moment(copy: Path) -> None:
    """The file, the line in the registry, and the words of a letter."""
    # With what Python has compiled: to compile all of it once more would take seconds.
    shutil.copytree(PROJECT / "outreach", copy / "outreach")
    shutil.copytree(PROJECT / "templates", copy / "templates")
    (copy / "outreach" / "moments" / "birthday.py").write_text(BIRTHDAY)
    registry = copy / "outreach" / "moments" / "__init__.py"
    source = registry.read_text().replace("        ANNIVERSARY,\n", "        BIRTHDAY,\n        ANNIVERSARY,\n")
    line = "from outreach.moments.birthday import BIRTHDAY\n"
    registry.write_text(source.replace("from outreach.moments.checkin", f"{line}from outreach.moments.checkin"))
    words = "<p>Dear {{ greeting }},</p>\n<p>Many happy returns of {{ day|monthday }}.</p>\n<p>Warmly,</p>\n"
    (copy / "templates" / "letters" / "birthday.en.html").write_text(words)


def test_a_new_moment_is_one_file_one_registry_line_and_its_templates(tmp_path: Path, sqlite_pattern: Path) -> None:
    add_moment(tmp_path)
    shutil.copyfile(sqlite_pattern, tmp_path / "outreach.db")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "customers.csv").write_text(CUSTOMERS)
    (tmp_path / "outreach.toml").write_text(SETTINGS)

    with changed_program(tmp_path) as outreach:
        run_through(tmp_path, outreach)


def run_through(folder: Path, outreach: Callable[..., str]) -> None:
    outreach("import", "data")
    found = outreach("moments", "--on", "2026-03-10", "--kind", "birthday", "--json").splitlines()
    assert [(one["customer_id"], one["occasion"]) for one in map(json.loads, found)] == [
        ("C1", "2026-03-10"),
        ("C3", "2026-03-10"),
    ]
    outreach("prepare", "--on", "2026-03-10", "--moment", "birthday")
    (batch,) = json.loads(outreach("batches", "--json"))
    assert (batch["kind"], batch["count"], batch["why_waiting"]) == ("birthday", 1, "letters wait for a person")
    (held,) = [answer for answer in json.loads(outreach("why", "C3", "--json")) if answer["kind"] == "birthday"]
    assert (held["rule"], held["reason"]) == ("very_old", "they are 106: somebody writes by hand")
    (birthday,) = [answer for answer in json.loads(outreach("why", "C2", "--json")) if answer["kind"] == "birthday"]
    assert birthday["reason"].startswith("born 16800 days ago (1980-03-11)")
    outreach("preview", "letters/birthday.en.html", "--customer", "C2", "--out", "letter.pdf")
    assert "Many happy returns of March 11" in words_of((folder / "letter.pdf").read_bytes())
    said = "from outreach.moments import MOMENTS as m; from outreach.web.knob_forms import label_of as l; "
    said += "from outreach.composing.templating.fields import explain_fields as e; "
    said += "print(l(m['birthday'].knobs, 'candles'), dict(e('birthday', 'letter'))['day'])"
    known = {**os.environ, "PYTHONPATH": str(folder)}
    shown = subprocess.run(
        [sys.executable, "-c", said], cwd=folder, env=known, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "('Candles on the card', 'As many as you like') their birthday; use monthday"
