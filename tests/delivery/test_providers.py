"""What every provider must do, run over each of them; then what is particular to the files and to the printroom."""

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader

from approved import content_for, pdf_saying
from conftest import TODAY
from handovers import handover_of, visible_files
from outreach.delivery.providers import ClosesItsDay, Provider, open_providers
from outreach.delivery.providers.outbox import Outbox
from outreach.delivery.providers.printroom import Printroom
from outreach.delivery.providers.protocol import FOR_EVER
from outreach.errors import NotSent, Refused
from outreach.settings import Settings
from processes import PROCESSES

MAKERS: dict[str, Callable[[Path], Provider]] = {"outbox": Outbox, "printroom": Printroom}
CARRIED = [(name, channel) for name, make in MAKERS.items() for channel in sorted(make(Path()).channels)]
DAY = TODAY.isoformat()


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


# --- every provider ---


@pytest.mark.parametrize(("name", "channel"), CARRIED)
class TestEveryProvider:
    def test_is_found_under_its_id_once_it_is_handed_over(self, name: str, channel: str, tmp_path: Path) -> None:
        provider = MAKERS[name](tmp_path)
        assert provider.name == name
        assert provider.find(handover_of("A", channel)) == []
        provider_id = provider.send(handover_of("A", channel))
        assert provider.find(handover_of("A", channel)) == [provider_id]
        assert provider.find(handover_of("B", channel)) == []

    def test_takes_one_key_once(self, name: str, channel: str, tmp_path: Path) -> None:
        provider = MAKERS[name](tmp_path)
        assert provider.key_life == FOR_EVER
        first = provider.send(handover_of("A", channel))
        once = visible_files(tmp_path)
        assert provider.send(handover_of("A", channel)) == first
        assert visible_files(tmp_path) == once

    def test_refuses_other_content_under_the_same_reference(self, name: str, channel: str, tmp_path: Path) -> None:
        provider = MAKERS[name](tmp_path)
        provider.send(handover_of("A", channel))
        before = visible_files(tmp_path)
        with pytest.raises(Refused, match="already there"):
            provider.send(handover_of("A", channel, content=content_for("other", channel)))
        assert visible_files(tmp_path) == before

    def test_says_surely_not_sent_when_it_cannot_take_it(self, name: str, channel: str, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        provider = MAKERS[name](tmp_path / "file")
        with pytest.raises(NotSent, match="deliver again"):
            provider.send(handover_of("A", channel))
        (tmp_path / "file").unlink()
        assert provider.send(handover_of("A", channel))

    @pytest.mark.parametrize("reference", ["../A", "a/b", ".hidden", ""])
    def test_never_follows_a_reference_out_of_its_folder(
        self, name: str, channel: str, tmp_path: Path, reference: str
    ) -> None:
        with pytest.raises(Refused, match="name of a file"):
            MAKERS[name](tmp_path / "inside").send(handover_of(reference, channel))
        assert visible_files(tmp_path) == {}

    def test_replaces_what_a_killed_writer_left_behind(self, name: str, channel: str, tmp_path: Path) -> None:
        whole, torn = MAKERS[name](tmp_path / "whole"), MAKERS[name](tmp_path / "torn")
        provider_id = whole.send(handover_of("A", channel))
        path = tmp_path / "torn" / provider_id
        path.parent.mkdir(parents=True)
        path.with_name(f".{path.name}.part").write_bytes(b"%PDF-1")
        assert torn.find(handover_of("A", channel)) == []
        torn.send(handover_of("A", channel))
        assert visible_files(tmp_path / "torn") == visible_files(tmp_path / "whole")
        assert list((tmp_path / "torn").rglob("*.part")) == []


def test_in_rehearsal_only_the_files_are_open(settings: Settings) -> None:
    with open_providers(settings) as carriers:
        assert list(carriers) == ["outbox"]
    with open_providers(settings.model_copy(update={"mode": "live"})) as carriers:
        assert list(carriers) == ["outbox", "printroom"]


# --- calls.csv and texts.csv ---


def test_calls_are_listed_by_reference_with_the_words_to_say(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    for reference in ("B", "A"):
        outbox.send(handover_of(reference, "call"))
    assert outbox.finish() == [f"{DAY}/calls.csv"]
    rows = rows_of(tmp_path / DAY / "calls.csv")
    assert [row["reference"] for row in rows] == ["A", "B"]
    assert (rows[0]["name"], rows[0]["script"], rows[0]["about"]) == ("Ada A", "Good morning, A", "how it feels")


def test_a_call_that_comes_later_joins_the_list_of_its_day(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    for reference in ("B", "A"):
        outbox.send(handover_of(reference, "call"))
        outbox.finish()
    outbox.send(handover_of("C", "call", on=TODAY + timedelta(days=1)))
    assert outbox.finish() == ["2026-03-11/calls.csv"]
    assert len(rows_of(tmp_path / DAY / "calls.csv")) == 2


def test_a_list_that_was_not_written_before_a_crash_is_written_by_the_next_run(tmp_path: Path) -> None:
    Outbox(tmp_path).send(handover_of("A", "text"))
    assert Outbox(tmp_path).finish() == [f"{DAY}/texts.csv"]
    assert Outbox(tmp_path).finish() == []


@pytest.mark.parametrize("cell", ["=cmd()", "+1", "-1", "@x", "\t=1", "＝1", " =1"])
def test_row_36_a_cell_that_a_spreadsheet_would_run_is_quoted_in_every_list(tmp_path: Path, cell: str) -> None:
    outbox, printroom = Outbox(tmp_path / "o"), Printroom(tmp_path / "p")
    script = json.dumps({"script": cell, "about": cell}).encode()
    outbox.send(handover_of("A", "call", recipient={"name": cell, "phone": cell}, content=script))
    outbox.send(handover_of("A", "text", recipient={"name": cell, "phone": cell}))
    letter = {"name": cell, "lines": [cell, "Bath"], "postal_code": cell, "country": cell}
    printroom.send(handover_of("A", recipient=letter))
    outbox.finish()
    printroom.finish()
    lists = [*(tmp_path / "o" / DAY).glob("*.csv"), *(tmp_path / "p" / DAY / "B1").glob("*.csv")]
    assert len(lists) == 3
    for row in [row for path in lists for row in rows_of(path)]:
        for column in {"name", "phone", "script", "about", "address", "postal_code", "country"} & row.keys():
            assert row[column].startswith(f"'{cell}"), column


def test_names_of_every_script_come_back_letter_for_letter(tmp_path: Path) -> None:
    names = ["Łukasz Żółć", "عمر", "愛子", 'Ann "Nan" O’Hara, Jr.', "two\nlines"]
    outbox = Outbox(tmp_path)
    for number, name in enumerate(names):
        outbox.send(handover_of(f"A{number}", "text", recipient={"name": name, "phone": "1"}))
    outbox.finish()
    assert [row["name"] for row in rows_of(tmp_path / DAY / "texts.csv")] == names


# --- the printroom ---

ADDRESSES = [
    ("A", "Zoe", "05402", "US", 2),
    ("B", "Ann", "05401", "US", 1),
    ("C", "Bob", "05401", "US", 3),
    ("D", "Cleo", "K1A 0B1", "CA", 1),
    ("E", "Ann", "05401", "US", 1),
]


def hand_over_letters(folder: Path, references: str = "ABCDE") -> None:
    printroom = Printroom(folder)
    for reference, name, postal_code, country, pages in ADDRESSES:
        if reference in references:
            to = {"name": name, "lines": ["1 Elm St", "Town"], "postal_code": postal_code, "country": country}
            printroom.send(handover_of(reference, recipient=to, content=pdf_saying(f"letter {reference}", pages)))


def test_the_printroom_merges_a_batch_in_postal_order_and_lists_it(tmp_path: Path) -> None:
    hand_over_letters(tmp_path)
    assert Printroom(tmp_path).finish() == [f"{DAY}/B1/B1.pdf"]
    batch = tmp_path / DAY / "B1"
    pages = [page.extract_text().strip() for page in PdfReader(batch / "B1.pdf").pages]
    assert pages == [f"letter {r}" for r in ["D", "B", "E", "C", "C", "C", "A", "A"]]
    rows = rows_of(batch / "manifest.csv")
    assert [(row["position"], row["reference"], row["pages"]) for row in rows] == [
        ("1", "D", "1"), ("2", "B", "1"), ("3", "E", "1"), ("4", "C", "3"), ("5", "A", "2"),
    ]  # fmt: skip
    assert (rows[0]["name"], rows[0]["address"], rows[0]["postal_code"]) == ("Cleo", "1 Elm St, Town", "K1A 0B1")
    assert (batch / "A.pdf").read_bytes() == pdf_saying("letter A", 2)


def test_the_merged_letters_are_the_same_bytes_however_often_and_in_whatever_order_they_came(tmp_path: Path) -> None:
    hand_over_letters(tmp_path / "at once")
    Printroom(tmp_path / "at once").finish()
    for references in ("CA", "E", "DB"):
        hand_over_letters(tmp_path / "bit by bit", references)
        Printroom(tmp_path / "bit by bit").finish()
    assert visible_files(tmp_path / "at once") == visible_files(tmp_path / "bit by bit")


def test_each_batch_and_day_has_its_own_pile(tmp_path: Path) -> None:
    printroom = Printroom(tmp_path)
    for batch_id, on in [("B1", TODAY), ("B2", TODAY), ("B1", TODAY + timedelta(days=1))]:
        printroom.send(handover_of("A", batch_id=batch_id, on=on))
    assert printroom.finish() == [f"{DAY}/B1/B1.pdf", f"{DAY}/B2/B2.pdf", "2026-03-11/B1/B1.pdf"]
    assert printroom.finish() == []


def test_a_letter_that_cannot_be_read_as_pdf_is_refused_at_the_door(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="not a PDF"):
        Printroom(tmp_path).send(handover_of("A", content=b"words"))
    assert Printroom(tmp_path).finish() == []


def _hand_over_and_close(folder: Path, name: str, references: list[str]) -> None:
    provider = MAKERS[name](folder)
    for reference in references:
        for channel in sorted(provider.channels):
            provider.send(handover_of(reference + channel, channel))
        if isinstance(provider, ClosesItsDay):
            provider.finish()


@pytest.mark.parametrize("name", MAKERS)
def test_four_processes_that_hand_over_the_same_at_once_leave_the_files_of_one(name: str, tmp_path: Path) -> None:
    references = [f"R{number:02}" for number in range(12)]
    _hand_over_and_close(tmp_path / "one", name, references)
    orders = [references, references[::-1], references[6:] + references[:6], references[3:] + references[:3]]
    workers = [
        PROCESSES.Process(target=_hand_over_and_close, args=(tmp_path / "four", name, order)) for order in orders
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert visible_files(tmp_path / "four") == visible_files(tmp_path / "one")
