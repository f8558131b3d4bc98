"""What is given to the desk is kept apart, privately, under names that lead nowhere else, for a day at most."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.errors import IntakeError, NotFound
from outreach.intake.uploads import (
    LONGEST_NAME,
    MOST_FILES,
    MOST_KEPT,
    Upload,
    add_upload,
    clean_name,
    find_upload,
    list_uploads,
    remove_old,
)

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)


def add(folder: Path, number: int = 0, *names: str, at: datetime = NOW) -> Upload:
    files = [(name, io.BytesIO(b"customer_id\n1\n")) for name in names or ("customers.csv",)]
    return add_upload(folder, f"{number:032x}", "nora", at, files)


@given(st.text())
def test_a_name_is_one_part_of_a_path_and_no_hidden_file(given_name: str) -> None:
    name = clean_name(given_name)
    assert name
    assert "/" not in name
    assert "\\" not in name
    assert not name.startswith(".")
    assert name.isprintable()
    assert len(name) <= LONGEST_NAME


def test_two_files_of_one_name_are_both_kept(tmp_path: Path) -> None:
    upload = add(tmp_path, 1, "a/customers.csv", "b/Customers.csv", "customers.csv.gz")
    assert upload.note.names == ["customers.csv", "Customers-2.csv", "customers.csv.gz"]
    assert sorted(path.name for path in (upload.folder / "files").iterdir()) == sorted(upload.note.names)


def test_an_upload_is_found_by_its_key_alone(tmp_path: Path) -> None:
    upload = add(tmp_path / "uploads", 1)
    assert find_upload(tmp_path / "uploads", upload.key) == upload
    for key in ("", ".", "..", "0" * 32, upload.key.upper() + "0", f"../uploads/{upload.key}"):
        with pytest.raises(NotFound):
            find_upload(tmp_path / "uploads", key)


def test_only_the_first_claim_counts_until_it_is_given_back(tmp_path: Path) -> None:
    upload = add(tmp_path)
    assert [upload.claim(), upload.claim(), upload.is_claimed] == [True, False, True]
    upload.give_back()
    assert upload.claim()


def test_too_many_files_or_uploads_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="put them into one zip"):
        add(tmp_path, 0, *(f"{number}.csv" for number in range(MOST_FILES + 1)))
    for number in range(MOST_KEPT):
        add(tmp_path, number)
    with pytest.raises(IntakeError, match="Too much waits"):
        add(tmp_path, MOST_KEPT)


def test_the_newest_is_listed_first_and_what_came_in_half_not_at_all(tmp_path: Path) -> None:
    add(tmp_path, 1)
    add(tmp_path, 2, at=NOW + timedelta(minutes=1))
    (tmp_path / f"{3:032x}").mkdir()
    (tmp_path / "something else").mkdir()
    assert [upload.key[-1] for upload in list_uploads(tmp_path)] == ["2", "1"]
    assert list_uploads(tmp_path / "nowhere") == []


def test_what_is_a_day_old_is_removed_and_nothing_that_is_not_an_upload(tmp_path: Path) -> None:
    add(tmp_path, 1, at=NOW - timedelta(hours=25))
    add(tmp_path, 2, at=NOW - timedelta(hours=23))
    half = tmp_path / f"{3:032x}"
    half.mkdir()
    (tmp_path / "own").mkdir()
    later = datetime.fromtimestamp(half.stat().st_mtime, UTC) + timedelta(hours=25)
    remove_old(tmp_path, NOW)
    assert {path.name for path in tmp_path.iterdir()} == {f"{2:032x}", half.name, "own"}
    remove_old(tmp_path, max(NOW + timedelta(days=2), later))
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def test_a_name_says_what_was_given_in_a_few_words(tmp_path: Path) -> None:
    assert add(tmp_path, 1).shown == "customers.csv"
    assert add(tmp_path, 2, "a.csv", "b.csv", "c.csv", "d.csv", "e.csv").shown == "a.csv, b.csv, c.csv and 2 more"
    assert add_upload(tmp_path, f"{3:032x}", "nora", NOW, source="The till").shown == "The till"
