"""Importing at the desk: who may, what is kept of what they give, and that nothing is taken in twice."""

import io
import re
import socket
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from asgi import new_browser
from conftest import NOW
from intake_data import stored
from outreach.clock import stopped_clock
from outreach.database import writing
from outreach.errors import SourceUnreadable
from outreach.intake.history import NIGHTLY_RUN, Submission, record_failure
from outreach.intake.uploads import remove_old
from outreach.models import AuditEntry, Customer, Import, Intake
from outreach.settings import Settings
from outreach.settings.sources import SavedSource
from outreach.web import server
from outreach.web.app import create_app
from serving import Browser, serving

CUSTOMERS = "customer_id,given_name,family_name,email\nc1,Ada,Quill,ada@example.com\n,Nobody,Here,x@example.com\n"
MEMBERS = "Ref,Called,Surname,Mail\n7,Ada,Quill,ada@example.com\n8,Bo,Dunn,bo@example.com\n"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "till").mkdir()
    (tmp_path / "till" / "customers.csv").write_text(CUSTOMERS)
    places = {
        "uploads": tmp_path / "uploads",
        "mappings": tmp_path / "mappings",
        "sources": (SavedSource(name="The till", place=str(tmp_path / "till")),),
    }
    return settings.model_copy(update=places)


@pytest.fixture
def desk(sqlite_engine: Engine, settings: Settings) -> Iterator[httpx.Client]:
    with serving(sqlite_engine, settings) as client:
        yield client


@pytest.fixture
def wanda(desk: httpx.Client, sqlite_engine: Engine) -> Browser:
    return Browser(desk, sqlite_engine, "wanda", "writer")


def give(browser: Browser, *files: tuple[str, Any], **fields: str) -> httpx.Response:
    """Sends files as the form does."""
    return browser.client.post(
        "/imports/files",
        data={"csrf": browser.csrf} | fields,
        files=[("files", (name, content)) for name, content in files],
        headers=browser.headers,
    )


def open_given(browser: Browser, *files: tuple[str, Any]) -> tuple[str, str]:
    """Where what was given is shown, and that page once the look is through."""
    answer = give(browser, *files)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"], wait_for(browser, answer.headers["location"])


def wait_for(browser: Browser, path: str) -> str:
    """The page at `path`, once nothing is at work on it."""
    for _ in range(600):
        page = browser.get(path)
        assert page.status_code == 200, page.text
        if "data-refresh" not in page.text:
            return page.text
        time.sleep(0.05)
    raise AssertionError(f"something is still at work on {path}")


def press(browser: Browser, path: str, **fields: str) -> str:
    """Presses a button, and gives the page that it leads to, once nothing is at work on it."""
    answer = browser.post(path, **fields)
    assert answer.status_code == 303, answer.text
    return wait_for(browser, answer.headers["location"])


def kept_files(settings: Settings) -> list[Path]:
    return sorted(path for path in settings.uploads.rglob("*") if path.is_file())


# Who may


def test_only_a_writer_sees_the_page_and_its_link(desk: httpx.Client, sqlite_engine: Engine) -> None:
    vic = Browser(desk, sqlite_engine, "vic", "viewer")
    assert 'href="/imports"' not in vic.get("/").text
    for path in ("/imports", "/imports/past/1", f"/imports/{'0' * 32}", f"/imports/{'0' * 32}/matching"):
        assert vic.get(path).status_code == 403, path
    assert give(vic, ("customers.csv", CUSTOMERS)).status_code == 403
    assert 'href="/imports"' in Browser(desk, sqlite_engine, "wanda", "writer").get("/").text


def test_nothing_is_kept_of_what_somebody_gives_who_may_not(
    desk: httpx.Client, sqlite_engine: Engine, settings: Settings, wanda: Browser
) -> None:
    vic = Browser(desk, sqlite_engine, "vic", "viewer")
    give(vic, ("customers.csv", CUSTOMERS))
    assert give(wanda, ("customers.csv", CUSTOMERS), csrf="of another").status_code == 403
    stranger = desk.post(
        "/imports/files",
        files=[("files", ("customers.csv", CUSTOMERS))],
        headers={"Origin": str(desk.base_url).rstrip("/")},
    )
    assert stranger.status_code == 303
    assert stranger.headers["location"].startswith("/signin")
    assert kept_files(settings) == []


# A look, then an import


def test_a_file_is_looked_at_before_anything_counts(wanda: Browser, sqlite_engine: Engine) -> None:
    _, page = open_given(wanda, ("customers.csv", CUSTOMERS))
    assert "1 row can come in, 1 cannot" in page
    assert "Of 1 customers 1 could be written to today." in page
    assert "line 3" in page
    assert stored(sqlite_engine, Customer) == []
    assert stored(sqlite_engine, Intake) == []


def test_what_is_imported_is_deleted_here_and_stands_in_the_history_under_who_did_it(
    wanda: Browser, sqlite_engine: Engine, settings: Settings
) -> None:
    path, _ = open_given(wanda, ("customers.csv", CUSTOMERS))
    assert "1 row came in, 1 did not" in press(wanda, f"{path}/import")
    [customer] = stored(sqlite_engine, Customer)
    assert customer.given_name == "Ada"
    [intake] = stored(sqlite_engine, Intake)
    assert (intake.by, intake.source, intake.finished) == ("wanda", "customers.csv", True)
    history = wanda.get("/imports").text
    assert "Wanda Whitcomb" in history
    assert "customers.csv" in history
    assert "It is empty" in wanda.get(f"/imports/past/{intake.intake_id}").text
    names = {file.name for file in kept_files(settings)}
    assert "customers.csv" not in names
    assert "look.json" not in names


def test_two_presses_import_once(wanda: Browser, sqlite_engine: Engine) -> None:
    path, _ = open_given(wanda, ("customers.csv", CUSTOMERS))
    for _ in range(2):
        assert wanda.post(f"{path}/import").status_code == 303
    wait_for(wanda, path)
    assert wanda.post(f"{path}/import").status_code == 303
    assert len(stored(sqlite_engine, Intake)) == 1
    assert [entry.act for entry in stored(sqlite_engine, AuditEntry)].count("import begun") == 1


def test_refused_rows_can_be_saved_before_and_after(wanda: Browser) -> None:
    path, _ = open_given(wanda, ("customers.csv", CUSTOMERS))
    for _ in range(2):
        saved = wanda.get(f"{path}/refused/0")
        assert saved.headers["content-disposition"] == 'attachment; filename="refused.csv"'
        assert ',Nobody,Here,x@example.com,"customer_id: it is empty' in saved.text
        assert wanda.get(f"{path}/refused/1").status_code == 404
        press(wanda, f"{path}/import")


def test_what_is_put_away_is_gone(wanda: Browser, sqlite_engine: Engine, settings: Settings) -> None:
    path, _ = open_given(wanda, ("customers.csv", CUSTOMERS))
    assert "Nothing of it was kept." in wanda.press(f"{path}/away").text
    assert kept_files(settings) == []
    assert wanda.get(path).status_code == 404
    assert wanda.post(f"{path}/import").status_code == 404
    assert stored(sqlite_engine, Import) == []


def test_a_saved_source_is_looked_at_and_imported_and_stays_where_it_is(
    wanda: Browser, sqlite_engine: Engine, settings: Settings
) -> None:
    assert "The till" in wanda.get("/imports").text
    path = wanda.post("/imports/source", source="The till").headers["location"]
    assert "1 row can come in" in wait_for(wanda, path)
    press(wanda, f"{path}/import")
    [intake] = stored(sqlite_engine, Intake)
    assert intake.source == "The till"
    assert Path(settings.sources[0].place, "customers.csv").exists()
    assert wanda.post("/imports/source", source="/etc").status_code == 404


def test_an_import_that_was_cut_off_can_be_begun_again(
    wanda: Browser, sqlite_engine: Engine, settings: Settings
) -> None:
    path, _ = open_given(wanda, ("customers.csv", CUSTOMERS))
    # As a desk leaves it that is killed after it began.
    (settings.uploads / path.rsplit("/", 1)[1] / "claim").touch()
    assert "It broke off" in wait_for(wanda, path)
    assert "1 row came in" in press(wanda, f"{path}/import")


# What nobody recognises


def test_unknown_columns_are_matched_once_and_the_next_file_is_known(
    wanda: Browser, sqlite_engine: Engine, settings: Settings
) -> None:
    path, page = open_given(wanda, ("members.csv", MEMBERS))
    assert "Match the columns" in page
    form = wanda.get(f"{path}/matching").text
    assert "ada@example.com" in form
    assert re.search(r'<option value="customers.family_name" selected>', form)
    chosen = {"c0-0": "customers.customer_id", "c0-1": "customers.given_name", "c0-2": "customers.family_name",
              "c0-3": "customers.email"}  # fmt: skip
    said = wanda.press(f"{path}/matching", title="Members", **chosen).text
    assert "Kept as “Members”" in said
    assert "This looks like Members." in wait_for(wanda, path)
    press(wanda, f"{path}/import")
    assert [each.customer_id for each in stored(sqlite_engine, Customer)] == ["7", "8"]
    assert "This looks like Members." in open_given(wanda, ("members of April.csv", MEMBERS))[1]
    assert [file.name for file in settings.mappings.iterdir()] == ["members.toml"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": "Members"}, "Nothing is chosen yet"),
        ({"title": "", "c0-0": "customers.customer_id"}, "Give it a name"),
        ({"title": "M", "c0-0": "customers.customer_id", "c0-1": "customers.customer_id"}, "both said to be the same"),
        ({"title": "M", "c0-0": "staff.password_hash"}, "no column of ours"),
    ],
)
def test_a_matching_that_cannot_be_meant_is_shown_again_with_the_reason(
    wanda: Browser, settings: Settings, fields: dict[str, str], said: str
) -> None:
    path, _ = open_given(wanda, ("members.csv", MEMBERS))
    answer = wanda.post(f"{path}/matching", **fields)
    assert answer.status_code == 400
    assert said in answer.text
    assert not settings.mappings.exists() or list(settings.mappings.iterdir()) == []


def test_somebody_who_knows_better_says_how_files_are_read(wanda: Browser) -> None:
    path, _ = open_given(wanda, ("members.csv", MEMBERS))
    assert "It cannot be read" in press(wanda, f"{path}/reading", how="preset:shopify")
    assert wanda.post(f"{path}/reading", how="mapping:../../outreach.toml").status_code == 404
    assert "Match the columns" in press(wanda, f"{path}/reading", how="")


def test_of_letters_that_can_be_read_in_two_ways_one_is_chosen_by_its_word(wanda: Browser) -> None:
    content = "customer_id,given_name\n1,Ľuboš\n2,Jiří\n".encode("cp1250")
    path, page = open_given(wanda, ("customers.csv", content))
    if "Which of these is right?" in page:
        page = press(wanda, f"{path}/reading", encoding="cp1250")
    assert "2 rows can come in" in page


# What is given


@pytest.mark.parametrize(
    "name", ["../../customers.csv", "..\\..\\customers.csv", "/etc/customers.csv", ".customers.csv"]
)
def test_a_name_leads_nowhere(wanda: Browser, settings: Settings, name: str) -> None:
    _, page = open_given(wanda, (name, CUSTOMERS))
    assert "1 row can come in" in page
    assert [file.parent.name for file in kept_files(settings) if file.name == "customers.csv"] == ["files"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "Choose at least one file"),
        ([("outreach.db", b"SQLite format 3\0")], "is of a kind that cannot be read here"),
        ([("customers.csv", CUSTOMERS), ("run.exe", b"MZ")], "is of a kind that cannot be read here"),
    ],
)
def test_what_nobody_can_read_is_refused_with_the_reason(
    wanda: Browser, settings: Settings, files: list[tuple[str, Any]], said: str
) -> None:
    answer = give(wanda, *files)
    assert answer.status_code == 400
    assert said in answer.text
    assert kept_files(settings) == []


def test_a_zip_is_looked_into_and_one_that_would_burst_is_refused(wanda: Browser) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("customers.csv", CUSTOMERS)
    assert "1 row can come in" in open_given(wanda, ("export.zip", packed.getvalue()))[1]
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("customers.csv", b"customer_id\n" + b"\n" * 300_000_000)
    assert "0 rows can come in, 1 cannot" in open_given(wanda, ("bomb.zip", bomb.getvalue()))[1]


def test_more_than_the_settings_allow_is_refused_before_anybody_is_asked_for(
    sqlite_engine: Engine, settings: Settings
) -> None:
    small = settings.model_copy(update={"desk": settings.desk.model_copy(update={"upload_megabytes": 2})})
    with new_browser(create_app(sqlite_engine, small, stopped_clock(NOW)), "https://desk.example") as browser:
        sizes = {path: [_status(browser, path, size) for size in (1_500_000, 2_500_000)]
                 for path in ("/imports/files", "/imports/source", "/goodwill")}  # fmt: skip
    # Who is not signed in is sent to the sign-in page, and what they send is not read.
    assert sizes == {"/imports/files": [303, 413], "/imports/source": [413, 413], "/goodwill": [413, 413]}


def _status(browser: httpx.Client, path: str, size: int) -> int:
    files = {"files": ("customers.csv", b"x" * size)}
    return browser.post(path, files=files, headers={"Origin": "https://desk.example"}).status_code


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_only_somebody_who_may_send_files_may_take_long_over_it(
    sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, is_signed_in: bool
) -> None:
    monkeypatch.setattr(server, "PATIENCE", {"for a request": 1.0, "for its body": 3.0, "for a reader": 60.0})
    monkeypatch.setattr(server, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(server, "SLOWEST_LINE", 1)
    with serving(sqlite_engine, settings) as client:
        wanda = Browser(client, sqlite_engine, "wanda", "writer")
        headers = wanda.headers if is_signed_in else {"Origin": wanda.headers["Origin"]}
        request = client.build_request("POST", "/imports/files", data={"csrf": wanda.csrf}, headers=headers,
                                       files=[("files", ("customers.csv", CUSTOMERS))])  # fmt: skip
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        body = request.read()
        with socket.create_connection((client.base_url.host, client.base_url.port), timeout=60) as line:
            line.sendall(f"POST /imports/files HTTP/1.1\r\n{head}\r\n".encode() + body[:100])
            time.sleep(6)
            # Where the other side has closed it, this may fail at once or only be lost.
            with suppress(OSError):
                line.sendall(body[100:])
            answer = line.recv(1 << 16)
    assert (b"location: /imports/" in answer) is is_signed_in
    assert bool(kept_files(settings)) is is_signed_in


def test_files_and_folders_are_readable_by_their_owner_alone(wanda: Browser, settings: Settings) -> None:
    open_given(wanda, ("customers.csv", CUSTOMERS))
    assert {file.stat().st_mode & 0o777 for file in kept_files(settings)} == {0o600}
    folders = [settings.uploads, *(path for path in settings.uploads.rglob("*") if path.is_dir())]
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}


def test_what_nobody_imports_is_deleted_after_a_day(wanda: Browser, settings: Settings) -> None:
    path, _ = open_given(wanda, ("customers.csv", CUSTOMERS))
    key = path.rsplit("/", 1)[1]
    remove_old(settings.uploads, NOW + timedelta(hours=23))
    assert kept_files(settings)
    remove_old(settings.uploads, NOW + timedelta(hours=25), busy=[key])
    assert kept_files(settings)
    remove_old(settings.uploads, NOW + timedelta(hours=25))
    assert kept_files(settings) == []


@pytest.mark.parametrize("key", ["0" * 32, "%2e%2e", "files", "G" * 32])
def test_a_key_that_was_never_given_leads_nowhere(wanda: Browser, key: str) -> None:
    assert wanda.get(f"/imports/{key}").status_code == 404


# Today


def add_past(engine: Engine, read: int, refused: int, finished: bool = True) -> None:
    at = NOW - timedelta(hours=10, minutes=30)
    with writing(engine) as session:
        intake = Intake(at=at, by=NIGHTLY_RUN, source="data", finished=finished)
        session.add(intake)
        session.flush()
        session.add(Import(at=at, intake_id=intake.intake_id, file="c.csv", table_name="customers", read=read,
                           accepted=read - refused, refused=refused))  # fmt: skip


def test_today_says_what_came_in_last_night(desk: httpx.Client, sqlite_engine: Engine, wanda: Browser) -> None:
    assert "came in" not in wanda.get("/").text
    add_past(sqlite_engine, 2326, 12)
    page = wanda.get("/").text
    assert '<p class="quiet">2,314 rows came in last night, 12 were refused. <a href="/imports/past/1">' in page
    assert 'href="/imports' not in Browser(desk, sqlite_engine, "vic", "viewer").get("/").text


@pytest.mark.parametrize(
    ("read", "refused", "finished", "said"),
    [
        (100, 40, True, "60 rows came in last night, 40 were refused"),
        (0, 0, False, "An import broke off last night, before its end"),
    ],
)
def test_today_warns_of_an_import_that_broke_off_or_refused_much(
    sqlite_engine: Engine, wanda: Browser, read: int, refused: int, finished: bool, said: str
) -> None:
    add_past(sqlite_engine, read, refused, finished)
    assert re.search(rf'<p class="notice">{said}', wanda.get("/").text)


def test_today_warns_of_a_night_in_which_nothing_could_be_read(sqlite_engine: Engine, wanda: Browser) -> None:
    record_failure(sqlite_engine, Submission(NIGHTLY_RUN, "data"), NOW, SourceUnreadable("The folder is not there"))
    assert "No customer data came in today at 11:00: it could not be read." in wanda.get("/").text
    assert "The folder is not there" in wanda.get("/imports/past/1").text
