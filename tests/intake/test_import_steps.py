"""The steps of an import at the desk: what each leaves behind, also where it fails or is stopped midway."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from intake_data import stored
from outreach import import_steps
from outreach.import_steps import (
    LOOK,
    OUR_FAULT,
    PROBLEM,
    PROGRESS,
    Stage,
    import_claimed,
    read_anew,
    read_report,
    read_seen,
    stage_of,
    take_look,
)
from outreach.intake.uploads import Upload, add_upload
from outreach.models import Customer, Intake
from outreach.settings import Settings

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
CUSTOMERS = "customer_id,given_name\nc1,Ada\n,Nobody\n"


def upload_of(tmp_path: Path, text: str = CUSTOMERS, name: str = "customers.csv") -> Upload:
    return add_upload(tmp_path / "uploads", "0" * 32, "nora", NOW, [(name, io.BytesIO(text.encode()))])


def test_a_look_and_an_import_lead_from_stage_to_stage(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    upload = upload_of(tmp_path)
    stages = [stage_of(upload, False), stage_of(upload, True)]
    take_look(upload, engine, settings, NOW)
    stages.append(stage_of(upload, False))
    assert upload.claim()
    stages += [stage_of(upload, True), stage_of(upload, False)]
    import_claimed(upload, engine, settings, NOW, "nora")
    stages.append(stage_of(upload, False))
    assert stages == [Stage.NEW, Stage.LOOKING, Stage.SEEN, Stage.IMPORTING, Stage.BROKEN_OFF, Stage.DONE]
    assert [each.customer_id for each in stored(engine, Customer)] == ["c1"]


def test_what_a_look_found_is_read_back_as_it_was(sqlite_engine: Engine, settings: Settings, tmp_path: Path) -> None:
    upload = upload_of(tmp_path)
    take_look(upload, sqlite_engine, settings, NOW)
    seen = read_seen(upload)
    assert seen is not None
    assert (seen.title, seen.look.report.accepted, seen.look.report.refused) == ("", 1, 1)
    assert seen.look.reach.customers == 1
    assert [path.name for path in upload.refused_files] == ["refused.csv"]
    assert stored(sqlite_engine, Intake) == []


def test_after_an_import_nothing_of_the_file_is_left_but_its_refused_rows(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    upload = upload_of(tmp_path)
    take_look(upload, sqlite_engine, settings, NOW)
    upload.claim()
    import_claimed(upload, sqlite_engine, settings, NOW, "nora")
    left = [path for path in upload.folder.rglob("*") if path.is_file()]
    assert [path.name for path in left if b"Ada" in path.read_bytes()] == []
    assert [path.name for path in left if b"Nobody" in path.read_bytes()] == ["refused.csv"]
    report = read_report(upload)
    assert report is not None
    assert [each.intake_id for each in stored(sqlite_engine, Intake)] == [report.intake_id]


def test_what_nobody_recognises_and_what_cannot_be_read_are_told_apart(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    upload = upload_of(tmp_path, "Ref,Called,Lives\n1,Ada,here\n", "list.csv")
    take_look(upload, sqlite_engine, settings, NOW)
    assert stage_of(upload, False) == Stage.UNKNOWN
    read_anew(upload, preset="shopify")
    assert stage_of(upload, False) == Stage.NEW
    take_look(upload, sqlite_engine, settings, NOW)
    assert stage_of(upload, False) == Stage.PROBLEM
    assert "is what the mapping knows" in (upload.read(PROBLEM) or "")


def test_an_error_that_may_repeat_a_row_is_told_without_its_text(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall_over(*_: object, **__: object) -> None:
        raise ValueError("Ada Quill")

    monkeypatch.setattr(import_steps, "import_data", fall_over)
    upload = upload_of(tmp_path)
    take_look(upload, sqlite_engine, settings, NOW)
    upload.claim()
    import_claimed(upload, sqlite_engine, settings, NOW, "nora")
    assert upload.read(PROBLEM) == OUR_FAULT
    assert not upload.is_claimed, "it can be imported again"
    assert (upload.folder / "files" / "customers.csv").exists()


def test_a_new_look_forgets_the_one_before(sqlite_engine: Engine, settings: Settings, tmp_path: Path) -> None:
    upload = upload_of(tmp_path)
    for _ in range(2):
        take_look(upload, sqlite_engine, settings, NOW)
        assert stage_of(upload, False) == Stage.SEEN
    read_anew(upload, encoding="cp1250")
    assert (upload.read(LOOK), upload.read(PROGRESS), upload.note.encoding) == (None, None, "cp1250")
