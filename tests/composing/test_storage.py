"""Letters outside the database: the same bytes come back or a clear error does, on a folder, in memory and on S3."""

import hashlib
import json
import os
import signal
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import Engine
from sqlmodel import select

from approved import add_approved, content_for
from conftest import NOW, TODAY
from outreach.approval.approving import approve_batch
from outreach.approval.edits import edit_message
from outreach.approval.open_batches import open_batches
from outreach.clock import stopped_clock
from outreach.composing import run
from outreach.composing.run import compose_planned
from outreach.composing.store import storage as storing
from outreach.composing.store.contents import LETTER, open_to_write, read_letter
from outreach.composing.store.storage import LABEL, Storage, open_storage
from outreach.database import open_database, reading, writing
from outreach.delivery.reports import DeliverReport
from outreach.delivery.sender import deliver_due
from outreach.doctor.examination import examine
from outreach.errors import ChangedSince, ContentLost, SettingsError, StorageError
from outreach.models import Content, Message, Thumbnail
from outreach.settings import Settings, load_settings
from outreach.settings.storage import StorageSettings
from planned import add_customer, compose, know_contacts, plan
from processes import PROCESSES
from serving import Browser, serving
from waiting import hire

# Where letters lie is the subject here, and every test has the same few.
pytestmark = pytest.mark.usefixtures("printed_once")
BODY = b"%PDF-1.7 a letter"
SHA256 = hashlib.sha256(BODY).hexdigest()
BATCH = "2026-03-10-anniversary-letter"
KEYS = {"key": "AKIAOUTREACHTEST", "secret": "not-a-secret"}


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, Any]]:
    """The options of an S3 server on loopback."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {**KEYS, "endpoint_url": f"http://{host}:{port}"}
    server.stop()


@pytest.fixture(params=["folder", "memory", "s3"])
def kept_in(request: pytest.FixtureRequest, tmp_path: Path) -> StorageSettings:
    """A storage of each kind, which nothing was put into yet."""
    if request.param == "folder":
        return StorageSettings(url=str(tmp_path / "letters"))
    if request.param == "memory":
        return StorageSettings(url=f"memory://{tmp_path.name}/letters")
    options = request.getfixturevalue("s3")
    url = f"s3://bucket-{tmp_path.name.replace('_', '-')[-40:].strip('-').lower()}/letters"
    storage = open_storage(StorageSettings(url=url, options=json.dumps(options)))
    storage.files.mkdir(storage.root.partition("/")[0])
    return StorageSettings(url=url, options=json.dumps(options))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "letters"


@pytest.fixture
def own(settings: Settings, folder: Path) -> Settings:
    """Settings with a folder for letters."""
    return settings.model_copy(update={"storage": StorageSettings(url=str(folder))})


def begun(settings: StorageSettings) -> Storage:
    """The storage with a letter in it."""
    storage = open_storage(settings)
    storage.begin()
    assert storage.fault is None
    assert storage.put_all({SHA256: BODY}) == {}
    return storage


def overwrite(storage: Storage, sha256: str, body: bytes) -> None:
    storage.files.pipe_file(f"{storage.root}/{sha256[:2]}/{sha256}", body)


def remove(storage: Storage, name: str) -> None:
    path = name if name == LABEL else f"{name[:2]}/{name}"
    storage.files.rm_file(f"{storage.root}/{path}")


def get(settings: StorageSettings, sha256: str = SHA256) -> bytes | StorageError:
    return open_storage(settings).get_all([sha256])[sha256]


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != LABEL)


def test_the_bytes_come_back_as_they_were_put(kept_in: StorageSettings) -> None:
    begun(kept_in)
    many = {hashlib.sha256(body).hexdigest(): body for body in (f"letter {n}".encode() for n in range(40))}
    assert open_storage(kept_in).put_all(many) == {}
    assert open_storage(kept_in).get_all([*many, SHA256]) == many | {SHA256: BODY}


def test_changed_bytes_and_missing_ones_are_lost_and_say_where_to_look(kept_in: StorageSettings) -> None:
    storage = begun(kept_in)
    overwrite(storage, SHA256, BODY[:-1] + b"!")
    changed = get(kept_in)
    remove(storage, SHA256)
    gone = get(kept_in)
    for error, what in ((changed, "not what it was"), (gone, "gone")):
        assert isinstance(error, ContentLost)
        assert what in str(error)
        assert f"bring {SHA256[:2]}/{SHA256} back from a backup" in str(error)


def test_where_even_the_label_is_missing_nothing_is_taken_for_lost(kept_in: StorageSettings) -> None:
    storage = begun(kept_in)
    remove(storage, SHA256)
    remove(storage, LABEL)
    error = get(kept_in)
    assert isinstance(error, StorageError)
    assert not isinstance(error, ContentLost)
    assert "Is its disk mounted" in str(error)


def test_what_is_whole_is_not_written_again_and_what_is_torn_is(
    kept_in: StorageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, written = begun(kept_in), []
    write = Storage._write
    monkeypatch.setattr(Storage, "_write", lambda self, path, body: (written.append(path), write(self, path, body)))
    assert storage.put_all({SHA256: BODY}) == {}
    assert written == []
    overwrite(storage, SHA256, BODY[:5])
    assert storage.put_all({SHA256: BODY}) == {}
    assert len(written) == 1
    assert get(kept_in) == BODY


def test_a_storage_that_cannot_be_reached_is_asked_once_and_nothing_is_lost() -> None:
    nowhere = {"endpoint_url": "http://127.0.0.1:9", "config_kwargs": {"retries": {"max_attempts": 1}}}
    storage = open_storage(StorageSettings(url="s3://letters", options=json.dumps(KEYS | nowhere)))
    assert not storage.is_there()
    assert not storage.is_bare
    error = storage.get_all([SHA256])[SHA256]
    assert error is storage.fault
    assert error is storage.put_all({SHA256: BODY})[SHA256]
    assert "does not work (EndpointConnectionError)" in str(error)
    assert KEYS["secret"] not in str(error)


def put_often(url: str, bodies: list[bytes], start: Any) -> None:
    storage = open_storage(StorageSettings(url=url))
    start.wait()
    for body in bodies:
        assert storage.put_all({hashlib.sha256(body).hexdigest(): body}) == {}


def test_writers_of_the_same_letters_at_the_same_time_leave_each_once_and_whole(folder: Path) -> None:
    begun(StorageSettings(url=str(folder)))
    bodies = [bytes([n]) * 200_000 for n in range(10)]
    start = PROCESSES.Barrier(3)
    writers = [PROCESSES.Process(target=put_often, args=(str(folder), bodies, start)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    hashes = {hashlib.sha256(body).hexdigest(): body for body in bodies}
    assert open_storage(StorageSettings(url=str(folder))).get_all(hashes) == hashes
    assert {path.name for path in files_in(folder)} == {*hashes, SHA256}


def test_only_its_owner_can_read_the_folder(folder: Path) -> None:
    before = os.umask(0o002)
    try:
        begun(StorageSettings(url=str(folder)))
    finally:
        os.umask(before)
    modes = {path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert modes == {True: 0o700, False: 0o600}
    assert stat.S_IMODE((folder / LABEL).stat().st_mode) == 0o600


def test_a_disk_that_fails_midway_leaves_nothing_under_the_letters_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = begun(StorageSettings(url=str(folder)))
    other = b"another letter"
    sha256 = hashlib.sha256(other).hexdigest()

    def fail(_file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(storing.os, "fsync", fail)
        failed = storage.put_all({sha256: other})
    assert "does not work (OSError)" in str(failed[sha256])
    assert [path.name for path in files_in(folder)] == [SHA256]
    assert isinstance(get(StorageSettings(url=str(folder)), sha256), ContentLost)


@pytest.mark.parametrize(
    "wrong",
    [{"url": "nonsense://x"}, {"url": "s3://b", "options": "not json"}, {"url": "memory://x", "options": "[1]"}],
)
def test_an_address_or_options_that_cannot_be_used_are_refused_without_showing_them(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"storage\.url cannot be opened") as refused:
        open_storage(StorageSettings(**wrong))
    assert wrong.get("options", "nothing") not in str(refused.value)


def test_options_come_from_the_environment_or_a_file_and_never_from_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTREACH_STORAGE__OPTIONS", '{"key": "K", "secret": "hidden"}')
    loaded = load_settings(storage={"url": "memory://x"})
    assert "hidden" not in repr(loaded)
    monkeypatch.delenv("OUTREACH_STORAGE__OPTIONS")
    (tmp_path / "options").write_text('{"key": "K"}\n', encoding="utf-8")
    from_file = StorageSettings(url="memory://x", options_file=tmp_path / "options")
    assert from_file.options
    assert from_file.options.get_secret_value() == '{"key": "K"}'
    (tmp_path / "o.toml").write_text('[storage]\nurl = "s3://b"\noptions = "{}"\n', encoding="utf-8")
    monkeypatch.setenv("OUTREACH_CONFIG", str(tmp_path / "o.toml"))
    with pytest.raises(SettingsError, match="set OUTREACH_STORAGE__OPTIONS in the environment"):
        load_settings()


def practice(engine: Engine, settings: Settings, letters: int = 2) -> None:
    """Letters and an e-mail, composed."""
    for number in range(letters):
        add_customer(engine, f"c{number}", address_line1=f"{number + 1} Orchard Terrace")
        plan(engine, "anniversary", "letter", f"c{number}")
    plan(engine, "checkin", "email", "c0")
    compose(engine, settings)


def contents(engine: Engine) -> list[Content]:
    with reading(engine) as session:
        return list(session.exec(select(Content).order_by(Content.media_type, Content.sha256)))


def message(engine: Engine, reference: str) -> Message:
    with reading(engine) as session:
        return session.get_one(Message, reference)


def statuses(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        return dict(session.exec(select(Message.reference, Message.status)).all())


def deliver(engine: Engine, settings: Settings) -> DeliverReport:
    return deliver_due(engine, settings, stopped_clock(NOW), "sender")


def test_from_composing_to_the_file_that_leaves_a_letter_is_the_same_bytes(
    engine: Engine, settings: Settings, kept_in: StorageSettings
) -> None:
    own = settings.model_copy(update={"storage": kept_in})
    practice(engine, own)
    letters = [content for content in contents(engine) if content.media_type == LETTER]
    assert [content.body for content in letters] == [None, None]
    (mail,) = (content for content in contents(engine) if content.media_type != LETTER)
    assert mail.body
    assert mail.length == len(mail.body)
    know_contacts(engine)
    open_batches(engine, own, TODAY, NOW)
    hire(engine)
    approve_batch(engine, own, BATCH, "maria", NOW, "command line")
    assert deliver(engine, own).sent["letter"] == 2
    sent = [path.read_bytes() for path in (settings.providers.outbox.folder or Path()).rglob("*.pdf")]
    assert {(hashlib.sha256(body).hexdigest(), len(body)) for body in sent} == {(c.sha256, c.length) for c in letters}


def approved_letters(engine: Engine, settings: Settings, *references: str) -> Storage:
    """Approved letters whose bytes are in the storage."""
    storage = open_to_write(engine, settings)
    for reference in references:
        with writing(engine) as session:
            add_approved(session, reference)
            content = session.get_one(Content, hash_of(reference))
            assert storage.put_all({content.sha256: content.body or b""}) == {}
            content.body = None
    return storage


def hash_of(reference: str) -> str:
    return hashlib.sha256(content_for(reference, "letter")).hexdigest()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda storage: overwrite(storage, hash_of("A"), b"%PDF another letter"), "not what it was"),
        (lambda storage: remove(storage, hash_of("A")), "gone"),
    ],
    ids=["tampered with", "missing"],
)
def test_a_letter_that_is_not_what_was_approved_is_blocked_alone(
    engine: Engine, own: Settings, spoil: Callable[[Storage], None], why: str
) -> None:
    spoil(approved_letters(engine, own, "A", "B"))
    report = deliver(engine, own)
    assert (report.blocked, report.sent.total(), report.again) == (1, 1, 0)
    assert statuses(engine) == {"A": "blocked", "B": "accepted"}
    assert f"Its letter in the storage is {why}" in (message(engine, "A").status_reason or "")


def test_while_the_storage_is_away_its_letters_wait_and_all_else_leaves(
    engine: Engine, own: Settings, folder: Path
) -> None:
    approved_letters(engine, own, "A", "B")
    with writing(engine) as session:
        add_approved(session, "C", "email")
        add_approved(session, "D")
    away = folder.rename(folder.with_name("elsewhere"))
    heard: list[str] = []
    report = deliver_due(engine, own, stopped_clock(NOW), "sender", heard.append)
    assert (report.sent.total(), report.blocked, report.again) == (2, 0, 2)
    assert statuses(engine) == {"A": "approved", "B": "approved", "C": "accepted", "D": "accepted"}
    assert any("outreach doctor says why" in line for line in heard)
    away.rename(folder)
    assert deliver(engine, own).sent.total() == 2


def test_a_storage_that_the_settings_no_longer_name_blocks_nothing(engine: Engine, own: Settings) -> None:
    approved_letters(engine, own, "A")
    without = own.model_copy(update={"storage": StorageSettings()})
    assert deliver(engine, without).again == 1
    assert deliver(engine, own).sent.total() == 1


def test_nobody_who_writes_waits_while_the_storage_is_read(
    sqlite_engine: Engine, own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    approved_letters(sqlite_engine, own, "A", "B")
    get_all, others = Storage.get_all, []

    def look(self: Storage, hashes: list[str]) -> dict[str, bytes | StorageError]:
        others.append(len(hashes))
        with writing(sqlite_engine) as session:  # waits for a minute, and fails, while another transaction writes
            session.connection()
        return get_all(self, hashes)

    monkeypatch.setattr(Storage, "get_all", look)
    assert deliver(sqlite_engine, own).sent.total() == 2
    assert sum(others) == 2


def test_an_approver_is_told_of_a_letter_that_is_lost_and_of_a_storage_that_is_away(
    engine: Engine, own: Settings, folder: Path
) -> None:
    practice(engine, own)
    know_contacts(engine)
    open_batches(engine, own, TODAY, NOW)
    hire(engine)
    away = folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(StorageError, match="Is its disk mounted"):
        approve_batch(engine, own, BATCH, "maria", NOW, "command line")
    away.rename(folder)
    lost = message(engine, "ANNI-LETTER-C1").content_sha256 or ""
    remove(open_storage(own.storage), lost)
    with pytest.raises(ChangedSince, match="^ANNI-LETTER-C1 in .* its bytes are lost"):
        approve_batch(engine, own, BATCH, "maria", NOW, "command line")


def test_letters_from_before_there_was_a_storage_are_read_from_their_rows(
    engine: Engine, settings: Settings, own: Settings
) -> None:
    practice(engine, settings, letters=1)
    add_customer(engine, "later", address_line1="9 Orchard Terrace")
    plan(engine, "anniversary", "letter", "later")
    compose(engine, own)
    letters = [content for content in contents(engine) if content.media_type == LETTER]
    assert sorted(content.body is None for content in letters) == [False, True]
    for content in letters:
        body = read_letter(engine, open_storage(own.storage), content.sha256)
        assert hashlib.sha256(body or b"").hexdigest() == content.sha256


def test_an_empty_folder_is_not_begun_anew_while_letters_are_in_another(
    engine: Engine, own: Settings, folder: Path
) -> None:
    practice(engine, own, letters=1)
    away = folder.rename(folder.with_name("elsewhere"))
    add_customer(engine, "later", address_line1="9 Orchard Terrace")
    plan(engine, "anniversary", "letter", "later")
    plan(engine, "checkin", "email", "later")
    report = compose(engine, own)
    assert report.waiting == {("anniversary", "letter"): 1}
    assert report.composed == {("checkin", "email"): 1}
    assert any("Is its disk mounted" in problem for problem in report.to_mend)
    assert not folder.exists()
    away.rename(folder)
    assert compose(engine, own).composed == {("anniversary", "letter"): 1}


def die_before_the_commit(url: str, settings: Settings) -> None:
    run.insert_new = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    compose_planned(open_database(url), settings, TODAY, NOW)


def test_a_kill_between_the_storage_and_the_commit_leaves_only_bytes_that_nothing_points_at(
    engine: Engine, own: Settings, folder: Path, tmp_path: Path
) -> None:
    own = own.model_copy(update={"secret": None, "secret_file": tmp_path / "secret"})
    add_customer(engine)
    reference = plan(engine, "anniversary", "letter", "c1")
    url = engine.url.render_as_string(hide_password=False)
    dying = PROCESSES.Process(target=die_before_the_commit, args=(url, own))
    dying.start()
    dying.join(120)
    assert dying.exitcode == -signal.SIGKILL
    assert statuses(engine) == {reference: "planned"}
    assert contents(engine) == []
    (left,) = files_in(folder)
    written = left.stat().st_mtime_ns
    compose(engine, own)
    assert statuses(engine) == {reference: "composed"}
    assert [content.sha256 for content in contents(engine)] == [left.name]
    assert files_in(folder) == [left]
    assert left.stat().st_mtime_ns == written


def test_an_edit_puts_the_new_letter_beside_the_old_one(engine: Engine, own: Settings, folder: Path) -> None:
    practice(engine, own, letters=1)
    know_contacts(engine)
    open_batches(engine, own, TODAY, NOW)
    hire(engine, "nora", "writer")
    before = message(engine, "ANNI-LETTER-C0").content_sha256
    edit_message(engine, own, "ANNI-LETTER-C0", "Dear Maria,\n\nthank you.", "nora", NOW)
    after = message(engine, "ANNI-LETTER-C0").content_sha256
    assert {path.name for path in files_in(folder)} == {before, after}
    assert before != after
    assert all(content.body is None for content in contents(engine) if content.media_type == LETTER)


def test_the_desk_shows_letters_from_the_storage_and_says_when_one_is_lost(
    sqlite_engine: Engine, own: Settings
) -> None:
    practice(sqlite_engine, own)
    know_contacts(sqlite_engine)
    open_batches(sqlite_engine, own, TODAY, NOW)
    lost = message(sqlite_engine, "ANNI-LETTER-C1").content_sha256 or ""
    remove(open_storage(own.storage), lost)
    with serving(sqlite_engine, own) as client:
        nora = Browser(client, sqlite_engine, "nora", "approver")
        letter = nora.get("/messages/ANNI-LETTER-C0/letter.pdf").content
        assert hashlib.sha256(letter).hexdigest() == message(sqlite_engine, "ANNI-LETTER-C0").content_sha256
        assert nora.get("/messages/ANNI-LETTER-C0/pages/1.png").status_code == 200
        assert nora.get(f"/thumbnails/{hashlib.sha256(letter).hexdigest()}.png").status_code == 200
        assert nora.get(f"/batches/{BATCH}").status_code == 200
        page = nora.get("/messages/ANNI-LETTER-C1")
        assert page.status_code == 200
        assert "Its letter in the storage is gone" in page.text
        assert "is gone" in nora.get("/messages/ANNI-LETTER-C1/letter.pdf").text
    with reading(sqlite_engine) as session:
        assert session.get(Thumbnail, lost) is None


def finding(database: str) -> Any:
    (found,) = (finding for finding in examine(database, None) if finding.what == "the storage of letters")
    return found


def test_doctor_writes_to_the_storage_and_reads_it_back(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, folder = str(sqlite_engine.url), tmp_path / "letters"
    monkeypatch.chdir(tmp_path)
    assert finding(url).is_well
    monkeypatch.setenv("OUTREACH_STORAGE__URL", str(folder))
    assert finding(url).is_well
    assert (folder / LABEL).is_file()
    monkeypatch.setattr(storing, "_write_file", lambda root, path, body: path.write_bytes(body[:-1]))
    assert "does not come back as it was" in finding(url).mend
    monkeypatch.setenv("OUTREACH_STORAGE__URL", "nonsense://x")
    assert "storage.url cannot be opened" in finding(url).mend


def test_threads_that_put_the_same_letter_at_once_leave_it_whole(kept_in: StorageSettings) -> None:
    begun(kept_in)
    body = b"x" * 100_000
    sha256 = hashlib.sha256(body).hexdigest()
    failed: list[Any] = []
    threads = [
        threading.Thread(target=lambda: failed.append(open_storage(kept_in).put_all({sha256: body}))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [{}] * 6
    assert get(kept_in, sha256) == body
