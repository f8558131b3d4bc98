"""The public sets of hostile and awkward inputs as rows of customers' data and as words of templates.

Every string walks as an e-mail. A letter takes a third of a second, so that of each set only some are printed.
"""

import csv
import io
import json
import shutil
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import yaml

from hostile_templates import walk_templates
from hostile_walk import Row, Tally, walk
from outreach.database import open_database
from outreach.settings import Settings

# So many rows are one day of one practice.
AT_ONCE = 2000
LETTERS_OF_A_SET = 30
FOR_TEMPLATES = ("ssti", "html_xss", "css", "ssrf", "xxe", "bleach_html_cases", "encoding", "crlf_header")
# A field of the data is a line; what is longer is refused for its length, and that is tried once.
SHORT = 120


def walk_public_sets(data: Path, settings: Settings, folder: Path, pattern: Path) -> Iterator[Tally]:
    """One tally for each set and channel. `pattern` is an empty SQLite database with today's tables."""
    number = 0
    for name, rows in (*_name_sets(data), *_text_sets(data), *_contact_sets(data), *_long_lists(data)):
        for channel, some in _channels(name, rows):
            for start in range(0, len(some), AT_ONCE):
                number += 1
                own = folder / str(number)
                own.mkdir()
                shutil.copyfile(pattern, own / "outreach.db")
                engine = open_database(f"sqlite:///{own / 'outreach.db'}")
                yield walk(name, engine, settings, own / "data", channel, some[start : start + AT_ONCE])
                engine.dispose()
    shutil.copyfile(pattern, folder / "outreach.db")
    engine = open_database(f"sqlite:///{folder / 'outreach.db'}")
    for name in FOR_TEMPLATES:
        payloads = _values(data / "injection" / f"{name}.jsonl", "payload")
        yield walk_templates(f"templates of {name}", engine, settings, payloads, max(1, len(payloads) // 20))
    naughty = _values(data / "naughty_strings/blns.jsonl", "s")
    yield walk_templates("templates of naughty strings", engine, settings, naughty, 20)
    engine.dispose()


def _channels(name: str, rows: Sequence[Row]) -> Iterator[tuple[str, Sequence[Row]]]:
    if name == "phones":
        yield from (("text", rows), ("call", rows))
        return
    yield "email", rows
    yield "letter", rows[:: max(1, len(rows) // LETTERS_OF_A_SET)]


def _as_names(texts: Sequence[str]) -> list[Row]:
    """Each text alone as the name to greet by, and beside a name in every other field that words may carry."""
    alone: list[Row] = [{"given_name": text} for text in texts]
    beside: list[Row] = [
        {"given_name": "Ann", "family_name": text, "practitioner": text, "address_line2": text, "honorific": text[:20]}
        for text in texts
    ]
    return alone + beside


def _name_sets(data: Path) -> Iterator[tuple[str, list[Row]]]:
    cldr = _entries(data / "names/cldr48_sample_names.jsonl")
    yield (
        "names of CLDR",
        [
            {
                "given_name": one.get("given", ""),
                "family_name": one.get("surname", ""),
                "honorific": one.get("title", ""),
            }
            for one in cldr
        ],
    )
    people = _values(data / "names/probablepeople_labeled.jsonl", "name")
    yield "names of probablepeople", [{"given_name": "Ann", "family_name": name} for name in people]
    for name in ("header_names", "rich"):
        with (data / f"cases/hostile/{name}_customers.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        yield name, [{"given_name": row["given_name"] or "", "family_name": row["family_name"] or ""} for row in rows]


def _long_lists(data: Path) -> Iterator[tuple[str, list[Row]]]:
    faker = _entries(data / "names/faker_name_lists.jsonl")
    names = [one["name"] for one in faker]
    yield (
        "names of Faker",
        [
            {"given_name": given, "family_name": family}
            for given, family in zip_longest(names[::2], names[1::2], fillvalue="Ann")
        ],
    )


def _text_sets(data: Path) -> Iterator[tuple[str, list[Row]]]:
    yield "naughty strings", _as_names(_values(data / "naughty_strings/blns.jsonl", "s"))
    mojibake = data / "naughty_strings/mojibake_ftfy.jsonl"
    yield "mojibake", _as_names([*_values(mojibake, "original"), *_values(mojibake, "fixed")])
    for path in sorted((data / "injection").glob("*.jsonl")):
        payloads = _values(path, "payload")
        yield path.stem, _as_names([*(text[:SHORT] for text in payloads), *payloads[:3]])
    yield "cells of csv_torture", _as_names(sorted(set(_cells(data / "csv_torture"))))
    yield "emoji", [{"given_name": f"Ann {text}"} for text in _values(data / "unicode/emoji.jsonl", "s")]
    controls = [one["c"] for one in json.loads((data / "unicode/bidi_and_invisible_controls.json").read_text("utf-8"))]
    yield "invisible controls", _as_names([f"An{one}n" for one in controls])
    confusables = json.loads((data / "unicode/confusables_ascii.json").read_text("utf-8"))
    yield "confusables", _as_names([f"Ann{text}" for several in confusables.values() for text in several])
    yield "graphemes", [{"given_name": f"Ann{text}"} for text in _code_points(data / "unicode/GraphemeBreakTest.txt")]
    bidi = _code_points(data / "unicode/BidiCharacterTest_every40th.txt")
    yield "directions", [{"given_name": "Ann", "family_name": text} for text in bidi]


def _contact_sets(data: Path) -> Iterator[tuple[str, list[Row]]]:
    emails = [text for path in sorted((data / "emails").glob("*.jsonl")) for text in _values(path, "email")]
    yield "e-mail addresses", [{"given_name": "Ann", "email": text} for text in emails]
    phones = _entries(data / "phones/libphonenumber_examples.jsonl")
    yield "phones", [{"given_name": "Ann", "phone": one["e164"]} for one in phones if one.get("e164")]
    for name in ("usaddress_unparseable", "usaddress_labeled_text"):
        raw = _values(data / f"addresses/{name}.jsonl", "raw")
        yield name, [{"given_name": "Ann", "address_line1": text} for text in raw]
    yield "addresses of OpenCage", list(_addresses(data / "addresses"))


def _addresses(folder: Path) -> Iterator[Row]:
    for path in sorted(folder.glob("opencage_*/*.yaml")):
        for case in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            parts = {name: str(value) for name, value in ((case or {}).get("components") or {}).items()}
            street = " ".join(filter(None, [parts.get("road"), parts.get("house_number")]))
            yield {
                "given_name": "Ann",
                "address_line1": street or parts.get("building", ""),
                "city": parts.get("city") or parts.get("town") or parts.get("village") or "",
                "region": parts.get("state", ""),
                "postal_code": parts.get("postcode", ""),
                "country": parts.get("country_code", "").upper(),
            }


def _entries(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _values(path: Path, name: str) -> list[str]:
    return [text for one in _entries(path) if isinstance(text := one.get(name), str)]


def _cells(folder: Path) -> Iterator[str]:
    """Every cell of every file, as far as Python's own reader can tell cells."""
    for path in sorted(folder.rglob("*.csv")):
        text = path.read_bytes().decode("utf-8", "replace").replace("\0", "")
        for row in csv.reader(io.StringIO(text, newline="")):
            yield from (cell for cell in row if cell.strip())


def _code_points(path: Path) -> list[str]:
    """The texts of a test file of Unicode: code points in hexadecimal, with marks between them that are none."""
    texts = []
    for line in path.read_text(encoding="utf-8").splitlines():
        points = line.partition("#")[0].partition(";")[0].split()
        letters = [chr(int(one, 16)) for one in points if len(one) >= 4]
        texts.append("".join(one for one in letters if not "\ud800" <= one <= "\udfff"))
    return [text for text in texts if text]
