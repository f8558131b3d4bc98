"""Hostile names, addresses, cells and templates walk from import to sealed bytes in live mode, and are read back."""

import io
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from pypdf import PdfWriter
from pypdf.annotations import Link
from pypdf.generic import DictionaryObject, NameObject, TextStringObject
from sqlalchemy import Engine

from hostile_rows import ADDRESSES, IN_HEADERS, LINES, MARKUP, SCRIPTS, TEMPLATES
from hostile_templates import walk_templates
from hostile_walk import Row, Tally, walk, watching
from outreach.settings import Settings
from public_sets import walk_public_sets
from sealed_reader import letter_faults


def as_names(texts: Sequence[str]) -> list[Row]:
    """Each text where a greeting stands, and where a family name, a practitioner and a street stand."""
    given: list[Row] = [{"given_name": text} for text in texts]
    beside: list[Row] = [
        {"given_name": "Ann", "family_name": text, "practitioner": text, "address_line1": f"{number} {text}"}
        for number, text in enumerate(texts, start=1)
    ]
    return given + beside


Record = Callable[[str, object], None]


def require_sound(record: Record, tally: Tally, rows: int, least: int) -> None:
    """Every row was judged, none is wrong, and so many went out."""
    record("tally", str(tally))
    print(*tally.faults, sep="\n  ")
    assert tally.right + tally.refused + tally.wrong >= rows
    assert (tally.wrong, tally.traceback, tally.fetch) == (0, 0, 0), tally.faults
    # Holding everybody back would be no answer.
    assert tally.right >= least


# --- templates ---


def test_hostile_words_of_a_template_are_refused_or_sealed_as_the_words_they_are(
    sqlite_engine: Engine, settings: Settings, record_property: Record
) -> None:
    tally = walk_templates("templates", sqlite_engine, settings, TEMPLATES, letters=2)
    require_sound(record_property, tally, len(TEMPLATES), 5)


# --- customers' data ---


@pytest.mark.parametrize("channel", ["email", "text", "call"])
def test_hostile_names_are_sealed_as_they_are_on_record_or_refused(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, record_property: Record, channel: str
) -> None:
    rows = as_names([*MARKUP, *LINES, *SCRIPTS])
    require_sound(
        record_property, walk("names", sqlite_engine, settings, tmp_path / "data", channel, rows), len(rows), 80
    )


def test_hostile_names_and_streets_are_printed_as_they_are_on_record_or_refused(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, record_property: Record
) -> None:
    rows = as_names([*MARKUP[::3], *LINES[::4], *SCRIPTS[::4]])
    require_sound(
        record_property, walk("letters", sqlite_engine, settings, tmp_path / "data", "letter", rows), len(rows), 10
    )


def test_an_address_gets_one_message_or_none(
    engine: Engine, settings: Settings, tmp_path: Path, record_property: Record
) -> None:
    rows: list[Row] = [{"given_name": "Ann"} | address for address in ADDRESSES]
    require_sound(record_property, walk("addresses", engine, settings, tmp_path / "data", "email", rows), len(rows), 3)


def test_names_that_mean_something_in_a_header_reach_one_recipient_under_their_own_name(
    engine: Engine, settings: Settings, tmp_path: Path, record_property: Record
) -> None:
    rows: list[Row] = [{"given_name": given, "family_name": family} for given, family in IN_HEADERS]
    require_sound(
        record_property, walk("headers", engine, settings, tmp_path / "data", "email", rows), len(rows), len(rows)
    )


# --- the reader itself ---


def test_the_reader_notices_what_a_letter_must_not_carry(tmp_path: Path) -> None:
    pdf = PdfWriter()
    pdf.add_blank_page(595, 842)
    assert letter_faults(_bytes_of(pdf)) == []
    script = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
    pdf.root_object[NameObject("/OpenAction")] = DictionaryObject(script)
    pdf.add_annotation(0, Link(rect=(0, 0, 9, 9), url="http://192.0.2.1/"))
    pdf.add_attachment("x.txt", b"x")
    assert {"it carries /JS", "it carries /URI", "it carries /EmbeddedFile"} <= set(letter_faults(_bytes_of(pdf)))


def _bytes_of(pdf: PdfWriter) -> bytes:
    written = io.BytesIO()
    pdf.write(written)
    return written.getvalue()


def test_the_walk_counts_what_reaches_out_runs_or_falls() -> None:
    tally = Tally("watched")
    with watching(tally):
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    with watching(tally):
        subprocess.run(["true"], check=True)
    with watching(tally), suppress(OSError):
        Path("/etc/passwd").read_text()
    with watching(tally):
        raise ZeroDivisionError
    assert (tally.traceback, tally.fetch >= 3) == (2, True)
    assert any(fault.startswith("open /etc/passwd") for fault in tally.faults)


# --- all public sets: minutes, and only where they are ---


@pytest.mark.drill
def test_every_public_set_walks_to_sealed_bytes_and_none_is_wrong(
    shared: Path, settings: Settings, tmp_path: Path, sqlite_pattern: Path, record_property: Record
) -> None:
    whole, names = Tally("all sets"), list[str]()
    for tally in walk_public_sets(shared / "data", settings, tmp_path, sqlite_pattern):
        record_property("tally", str(tally))
        print(tally, *dict.fromkeys(tally.faults), sep="\n    ", flush=True)
        whole.add(tally)
        names.append(tally.name)
    record_property("tally", str(whole))
    assert len(set(names)) > 30
    assert (whole.wrong, whole.traceback, whole.fetch) == (0, 0, 0)
