"""The picture of the rooms in docs/architecture.md and the guide in CONTRIBUTING.md: both are what the code says."""

import re
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import select

from checkout import PROJECT
from conftest import NOW, TODAY
from intake_data import import_folder
from loopback import loopback
from outreach.approval.approving import approve_batch
from outreach.approval.staff import add_staff
from outreach.database import reading, writing
from outreach.day import deliver_day, prepare_day
from outreach.models import Message
from outreach.moments import select_any_day
from outreach.planning import due_moments
from outreach.settings import ReturnAddress, Settings
from outreach.settings.providers import LobSettings
from outreach.tracking.lookup import track_open
from outreach.tracking.webhooks import store_webhook
from vendor_lob import LETTER_ID, SECRET, event, in_json, letter, sign

DRAW: dict[str, Any] = runpy.run_path(str(PROJECT / "docs" / "architecture.py"))
HOUSE: dict[str, Any] = runpy.run_path(str(PROJECT / "tests" / "project" / "test_house.py"))


def test_the_picture_of_the_rooms_is_what_the_imports_say() -> None:
    assert DRAW["picture"]() == (PROJECT / "docs" / "imports.svg").read_text(encoding="utf-8"), "run make docs"


def test_every_room_of_the_house_is_in_the_picture() -> None:
    assert set(DRAW["rooms"]()) == {*HOUSE["ROOMS"], *HOUSE["TOP"]}


def test_no_arrow_points_up() -> None:
    drawn = (PROJECT / "docs" / "imports.svg").read_text(encoding="utf-8")
    straight = re.findall(r'<path d="M\d+ (\d+)L\d+ (\d+)"', drawn)
    around = re.findall(r'<path d="M\d+ (\d+)H\d+V(\d+)H', drawn)
    assert len(straight) + len(around) == len(DRAW["arrows"](DRAW["rooms"]()))
    assert [ends for ends in straight + around if int(ends[0]) >= int(ends[1])] == []


def test_no_import_of_a_room_points_up_in_the_picture_either() -> None:
    needs = DRAW["rooms"]()
    levels = DRAW["layers"](needs)
    assert [(room, other) for room in needs for other in needs[room] if levels[other] >= levels[room]] == []


def test_rooms_that_need_each_other_in_a_circle_are_not_drawn() -> None:
    with pytest.raises(ValueError, match="in a circle: intake → planning → intake|planning → intake → planning"):
        DRAW["layers"]({"intake": {"planning"}, "planning": {"intake"}})


def test_an_arrow_that_follows_from_others_is_left_out() -> None:
    needs = {"web": {"planning", "intake"}, "planning": {"intake"}, "intake": set()}
    assert DRAW["arrows"](needs) == [("planning", "intake"), ("web", "planning")]


GUIDE = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_guide_names_every_room_and_every_room_within_one_with_files_that_are_there() -> None:
    rows = re.findall(r"^\| `([a-z_/]+)` \| [^|]+ \| ([^|]+) \|$", GUIDE, re.MULTILINE)
    within = {f"{room}/{part}" for room in DRAW["rooms"]() for part in DRAW["parts_of"](room)}
    single = {room for room in DRAW["rooms"]() if (PROJECT / "outreach" / f"{room}.py").exists()}
    assert {room for room, _ in rows} == (set(DRAW["rooms"]()) - single) | within
    folders = {room: PROJECT / room if room == "flows" else PROJECT / "outreach" / room for room, _ in rows}
    named = [folders[room] / name for room, names in rows for name in re.findall(r"`([\w.]+)`", names)]
    assert len(named) == 3 * len(rows)
    assert [str(path) for path in named if not path.is_file()] == []


def test_the_guide_lists_the_lowest_room_first() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \| [^|]+ \|$", GUIDE, re.MULTILINE)
    assert rows == [room for room in (*HOUSE["ROOMS"], *HOUSE["TOP"]) if room in rows]


def steps_of_the_guide() -> list[tuple[str, str]]:
    """The files and functions of “Follow one letter from CSV row to letterbox”, in their order."""
    return re.findall(r"^\d+\. `([\w./]+)`, `(\w+)`: ", GUIDE, re.MULTILINE)


@contextmanager
def first_calls() -> Iterator[list[tuple[str, str]]]:
    """Our functions that are called inside the block, each once with its file, in the order of their first calls."""
    seen: dict[CodeType, None] = {}
    calls: list[tuple[str, str]] = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        # Millions of calls pass here while fonts and pages are made.
        seen.setdefault(frame.f_code)

    # The statements of a day that another test of this process has looked at are kept, and their clauses not called.
    due_moments._gather.cache_clear()
    select_any_day.cache_clear()
    before = sys.gettrace()
    sys.settrace(note)
    try:
        yield calls
    finally:
        sys.settrace(before)
        files = {code: Path(code.co_filename).resolve() for code in seen}
        ours = [code for code in seen if files[code].is_relative_to(PROJECT / "outreach")]
        calls += [(files[code].relative_to(PROJECT).as_posix(), code.co_name) for code in ours]


def by_lob(settings: Settings, url: str) -> Settings:
    """The practice in live mode, whose letters Lob prints."""
    lob = LobSettings(url=url, api_key=SecretStr("key"), webhook_secret=SecretStr(SECRET))
    back_to = ReturnAddress(line1="14 Alder Lane", city="Burlington", region="VT", postal_code="05401")
    business = {"return_address": back_to, "public_url": "https://outreach.alderlane.example"}
    return settings.model_copy(
        update={
            "mode": "live",
            "start_on": TODAY,
            "secret": SecretStr("for tests only"),
            "business": settings.business.model_copy(update=business),
            "providers": settings.providers.model_copy(update={"letter": "lob", "lob": lob}),
        }
    )


def test_one_letter_walks_through_the_files_of_the_guide_in_their_order(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "customers.csv").write_text(
        "customer_id,given_name,customer_since,address_line1,city,region,postal_code,country\n"
        f"C1,Maria,{TODAY.replace(year=2023)},27 Orchard Terrace,Winooski,VT,05404,US\n"
    )
    steps = steps_of_the_guide()
    assert len(steps) <= 15
    with writing(sqlite_engine) as session:
        add_staff(session, "sam", "Sam", "approver", NOW)
    with loopback() as vendor, first_calls() as called:
        live = by_lob(settings, vendor.url)
        vendor.will([in_json({"id": LETTER_ID})])
        import_folder(sqlite_engine, tmp_path / "data", live, NOW)
        (batch,) = prepare_day(sqlite_engine, live, TODAY, lambda: NOW, lambda _: None).batches
        approve_batch(sqlite_engine, live, batch.batch_id, "sam", NOW, "command line")
        report = deliver_day(sqlite_engine, live, lambda: NOW, "the test", lambda _: None)
        assert report.sent == {"letter": 1}
        with reading(sqlite_engine) as session:
            reference = session.exec(select(Message.reference)).one()
        marks = {"reference": reference, "key": f"{reference}.1"}
        store_webhook(sqlite_engine, "lob", sign(event("letter.delivered", letter(metadata=marks)), NOW))
        track_open(sqlite_engine, live, lambda: NOW)
    with reading(sqlite_engine) as session:
        assert session.get_one(Message, reference).status == "delivered"
    assert [call for call in called if call in steps] == steps
