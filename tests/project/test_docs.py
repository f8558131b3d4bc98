"""The pages say what the program does: every command, setting, status and provider is in them, and nothing made up."""

import json
import re
import runpy
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from pydantic import BaseModel
from typer.core import TyperGroup
from typer.testing import CliRunner

from checkout import PROJECT
from flows import PREFECT_DEFAULTS
from outreach.commands.main import COMMANDS, app
from outreach.delivery.providers import PROVIDERS
from outreach.intake.mapping.columns import From, LookUp
from outreach.intake.mapping.conditions import Condition
from outreach.intake.mapping.files import FileMapping, list_presets, read_mapping
from outreach.intake.mapping.tables import TableMapping
from outreach.learning.alarms import KINDS
from outreach.models import STATUSES
from outreach.moments import MOMENTS
from outreach.settings import MomentKnobs, Settings, Signatory

DOCS = PROJECT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *PROJECT.glob("*.md")])
# Alarms about Prefect's own runs, which its automations raise.
FOUND_BY_PREFECT = ("crashed-run", "late-runs", "no-worker", "zombie", "failed-run")
EVERYWHERE = {"--database", "--now", "--help", "--json"}


def read(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def commands() -> Iterator[tuple[str, click.Command]]:
    def walk(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        if not isinstance(command, TyperGroup):
            yield name, command
            return
        context = click.Context(command)
        for word in command.list_commands(context):
            yield from walk(f"{name} {word}", command.get_command(context, word))

    yield from walk("outreach", typer.main.get_command(app))


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_and_option_is_in_the_docs(name: str, command: click.Command) -> None:
    page = read("docs/commands.md")
    row = next((line for line in page.splitlines() if re.match(rf"\| `{name}[ `]", line)), None)
    assert row, f"docs/commands.md has no row for `{name}`"
    for parameter in command.params:
        for option in parameter.opts:
            if option.startswith("--"):
                assert option in (page if option in EVERYWHERE else row), f"{option} of {name}"
            else:
                assert option.upper() in row, f"{option.upper()} of {name}"


def test_the_help_lists_every_command_of_every_file_and_no_line_of_it_is_cut() -> None:
    files = {file for file, _ in COMMANDS.values()}
    groups = {file: typer.main.get_group(import_module(f"outreach.commands.{file}").app) for file in files}
    below_a_word = {name for name, (file, _) in COMMANDS.items() if name not in groups[file].commands}
    assert below_a_word == {"mapping", "people", "pen", "staff"}
    assert {name for file in files - below_a_word for name in groups[file].commands} == COMMANDS.keys() - below_a_word
    has_commands = {
        path.stem for path in (PROJECT / "outreach/commands").glob("*.py") if "typer.Typer(" in read(str(path))
    }
    assert has_commands - {"main"} == files
    shown = CliRunner().invoke(app, ["--help"]).stdout
    assert all(line in shown for _, line in COMMANDS.values())


def test_the_docs_name_no_command_that_does_not_exist() -> None:
    known = {name for name, _ in commands()}
    told = {f"outreach {' '.join(words)}" for words in named_commands()}
    assert told
    assert {name for name in told if not any(name == real or real.startswith(f"{name} ") for real in known)} == set()


def named_commands() -> Iterator[list[str]]:
    """The first words after `outreach` wherever the pages show it as something to type."""
    for page in PAGES:
        for line in re.findall(r"(?:`|bin/|^)outreach ((?:staff )?[a-z]+)\b", page.read_text(), flags=re.MULTILINE):
            yield line.split()


def settings_of(part: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting with its default, by its path in outreach.toml."""
    for name, field in type(part).model_fields.items():
        value, path = getattr(part, name), prefix + (field.alias or name)
        if isinstance(value, BaseModel):
            yield from settings_of(value, f"{path}.")
        else:
            yield path, value


def as_written(value: Any) -> str:
    """A default as the docs write it: “–” for nothing, else as outreach.toml would have it."""
    if value is None:
        return "–"
    if isinstance(value, Path):
        value = str(value.relative_to(PROJECT) if value.is_absolute() else value)
    return f"`{json.dumps(value)}`"


ALL_SETTINGS = [
    *((path, value) for path, value in settings_of(Settings.model_construct()) if path != "moments"),
    *settings_of(Signatory.model_construct(name=None), "business.signatories."),
]


@pytest.mark.parametrize(("path", "default"), ALL_SETTINGS, ids=[path for path, _ in ALL_SETTINGS])
def test_every_setting_is_in_the_docs_with_its_default(path: str, default: Any) -> None:
    assert f"| `{path}` | {as_written(default)} |" in read("docs/settings.md")


def test_the_docs_name_no_setting_that_does_not_exist() -> None:
    told = set(re.findall(r"^\| `([a-z_]+(?:\.[a-z_]+)+)` \|", read("docs/settings.md"), flags=re.MULTILINE))
    assert told - {path for path, _ in ALL_SETTINGS} == set()


@pytest.mark.parametrize(("name", "default"), list(settings_of(MomentKnobs())))
def test_every_knob_that_all_moments_have_is_in_the_docs_with_its_default(name: str, default: Any) -> None:
    assert f"| `{name}` | {as_written(default)} |" in read("docs/settings.md")


def test_the_page_on_moments_is_what_the_code_says() -> None:
    assert runpy.run_path(str(DOCS / "moments.py"))["page"]() == read("docs/moments.md"), "run make docs"


def test_the_page_on_moments_has_every_moment_with_its_own_knobs() -> None:
    page, common = read("docs/moments.md"), MomentKnobs.model_fields
    for kind, moment in MOMENTS.items():
        own = [name for name in moment.knobs.model_fields if name not in common]
        assert f"\n## {kind}\n" in page
        assert [name for name in own if f"| `moments.{kind}.{name}` |" not in page] == []


def test_every_preset_is_in_the_docs_and_the_docs_name_no_other() -> None:
    told = re.findall(r"^\| `(\w+)` \|", read("docs/presets.md"), flags=re.MULTILINE)
    assert sorted(set(told)) == list_presets()


# The parts of the mapping language: their sections in docs/mappings.md, and the words that the text beside the table,
# or another row of it, tells.
LANGUAGE: list[tuple[str, type[BaseModel], set[str]]] = [
    ("A file", FileMapping, {"table"}),
    ("A table", TableMapping, set()),
    ("Conditions", Condition, {"column", "empty"}),
    ("A column of ours", From, set()),
    ("Looking up", LookUp, set()),
]
CUSTOMERS = {"into": "customers", "columns": {"customer_id": "No"}}
# Words of a table that stand beside others only.
BESIDE: dict[str, dict[str, Any]] = {
    "for_each": {"into": "consents", "columns": {"customer_id": "No", "channel": "By", "state": "Said", "at": "On"}},
    "in_order_of": {**CUSTOMERS, "one_row_per": "No"},
    "no_takes_back": {
        "into": "consents",
        "columns": {
            "customer_id": "No",
            "channel": "By",
            "purpose": "For",
            "state": "Said",
            "at": {"constant": "today"},
        },
    },
}


def whole(part: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """The example of one word, with what such a part cannot do without."""
    if part is FileMapping:
        return {"name": "a.csv", "table": [CUSTOMERS], **example}
    if part is TableMapping:
        return {**BESIDE.get(next(iter(example)), CUSTOMERS), **example}
    return example


def examples_of(section: str) -> list[tuple[set[str], dict[str, Any]]]:
    """The words of each row of the tables in a section of docs/mappings.md, and its example."""
    (page,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", read("docs/mappings.md"), flags=re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^\| ((?:`\w+` ?)+) \| `(.*?)` \|", page, flags=re.MULTILINE)
    toml = [example if "=" in example.partition("{")[0] else f"it = {example}" for _, example in rows]
    return [
        (set(re.findall(r"\w+", words)), tomllib.loads(written)) for (words, _), written in zip(rows, toml, strict=True)
    ]


@pytest.mark.parametrize(("section", "part", "beside"), LANGUAGE, ids=[section for section, _, _ in LANGUAGE])
def test_every_word_of_the_mapping_language_is_in_the_docs_with_an_example_that_fits(
    section: str, part: type[BaseModel], beside: set[str]
) -> None:
    examples = examples_of(section)
    told = {word for words, _ in examples for word in words}
    assert told == {field.alias or name for name, field in part.model_fields.items()} - beside
    for words, example in examples:
        written = example.get("it", example)
        assert words <= written.keys(), words
        part.model_validate(whole(part, written))


def mappings_of_the_pages() -> Iterator[Any]:
    for page in PAGES:
        for number, text in enumerate(re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)):
            if "[[file" in text:
                yield pytest.param(text, id=f"{page.name}-{number}")


@pytest.mark.parametrize("text", list(mappings_of_the_pages()))
def test_every_mapping_that_the_pages_show_can_be_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(text, encoding="utf-8")
    assert read_mapping(tmp_path / "mapping.toml").file


@pytest.mark.parametrize("name", [name for name in PREFECT_DEFAULTS if name != "PREFECT_HOME"])
def test_every_default_that_prefect_is_given_is_in_the_docs(name: str) -> None:
    assert f"| `{name}` | `{PREFECT_DEFAULTS[name]}` |" in read("docs/settings.md")


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_is_in_the_glossary(status: str) -> None:
    assert f"| {status} | " in read("docs/glossary.md")


def test_every_provider_that_exists_is_in_the_docs() -> None:
    assert [name for name in PROVIDERS if f"`{name}`" not in read("docs/glossary.md")] == []


def test_every_alarm_has_its_section_in_the_runbook_and_so_has_a_restored_backup() -> None:
    sections = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n?)*)", read("docs/runbook.md"), flags=re.MULTILINE))
    # Of a restored backup each delivery tells itself: it sends nothing.
    assert list(sections) == [*KINDS, *FOUND_BY_PREFECT, "a restored backup"]
    for kind, text in sections.items():
        told = [part for part in ("**What it means.**", "**Look at.**", "**Mend it.**", "**Do not**") if part in text]
        assert len(told) == 4, f"the section on {kind} says only {told}"


def test_every_target_that_the_pages_name_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), flags=re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(), re.MULTILINE)}
    assert {"demo", "test"} <= named
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_in_the_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if not link.startswith("http")]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_every_file_that_contributors_are_sent_to_exists() -> None:
    named = re.findall(r"`((?:outreach|tests|templates|docs|flows|setup)/[\w./-]+\.\w+)`", read("CONTRIBUTING.md"))
    assert named
    assert [name for name in named if not (PROJECT / name).exists()] == []


def test_every_name_that_contributors_are_sent_to_is_in_the_file_that_the_guide_says() -> None:
    page = read("CONTRIBUTING.md")
    named = re.findall(r"`(\w+)` in `((?:outreach|docs)/[\w./]+\.py)`", page)
    named += [(name, file) for file, name in re.findall(r"^\d+\. `([\w./]+)`, `(\w+)`: ", page, re.MULTILINE)]
    assert len(named) > 20
    defined = r"^(?: *(?:async )?(?:def|class) {0}\b|{0}\b.*=)"
    assert [(n, file) for n, file in named if not re.search(defined.format(n), read(file), re.MULTILINE)] == []


def test_every_other_name_in_the_guide_is_in_the_source() -> None:
    page = read("CONTRIBUTING.md")
    places = [path for folder in ("outreach", "flows", "docs", "tests") for path in (PROJECT / folder).rglob("*.py")]
    source = "".join(path.read_text(encoding="utf-8") for path in places)
    words = {*re.findall(r"\w+", source), *(path.parent.name for path in places)}
    assert set(re.findall(r"`([A-Za-z_]\w+)`", page)) - words == set()
    files = {path.name for path in [*places, *(PROJECT / "outreach").rglob("*.toml")]}
    bare = set(re.findall(r"`(\w+\.(?:py|toml))`", page))
    assert bare - files == set()


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/promises.md"])
def test_every_test_that_a_page_calls_as_a_witness_is_there(page: str) -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "tests").glob("**/test_*.py"))
    tests = set(re.findall(r"def (test_\w+)\(", sources))
    named = set(re.findall(r"`(test_\w+)`", (PROJECT / page).read_text(encoding="utf-8")))
    assert len(named) > 20
    assert named <= tests, sorted(named - tests)
