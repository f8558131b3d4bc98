"""The command as a person types it: exit statuses, errors in one line, JSON for programs, and the whole job once."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from approved import add_approved
from csv_practice import SETTINGS, write, write_practice
from forked_command import forked_command
from loopback import loopback
from outreach.database import open_database, writing
from outreach.delivery.outbox import add_attempts, open_attempt
from vendor_case import Answer

NOW = "2026-03-10T15:00Z"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A working folder with settings and a small practice: a present, a check-in, a late payer, an opt-out."""
    write_practice(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def surroundings() -> dict[str, str]:
    return {**os.environ, "OUTREACH_NOW": NOW, "COLUMNS": "160"}


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory, surroundings: dict[str, str]) -> Iterator[Path]:
    with forked_command(tmp_path_factory.mktemp("command"), surroundings) as command:
        yield command


@pytest.fixture
def run(place: Path, command: Path, surroundings: dict[str, str]) -> Run:
    """Calls `outreach` in the working folder at a fixed instant."""

    def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *arguments], cwd=place, capture_output=True, text=True, check=False, timeout=120,
            env={**surroundings, **environment},
        )  # fmt: skip

    return call


def done(result: subprocess.CompletedProcess[str], status: int = 0) -> str:
    assert result.returncode == status, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    return result.stdout


def outbox(place: Path) -> dict[str, bytes]:
    folder = place / "outbox"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


def test_an_older_seal_on_the_command_line_approves_nothing(run: Run, place: Path) -> None:
    done(run("import", "data"))
    done(run("prepare", "--on", "2026-03-10"))
    done(run("staff", "add", "maria", "--name", "Maria Stone"))
    batch, other, *_ = json.loads(done(run("batches", "--json")))
    approve = ("approve", batch["batch_id"], "--by", "maria", "--seal")
    assert "Look at it again" in run(*approve, "f" * 64).stderr
    assert "name that batch alone" in run(*approve, batch["seal"], other["batch_id"]).stderr
    assert len(json.loads(done(run("batches", "--json")))) == 3
    done(run(*approve, batch["seal"]))


def test_what_nobody_can_sign_is_counted_as_waiting_and_its_reason_is_said_once(run: Run, place: Path) -> None:
    done(run("import", "data"))
    (place / "outreach.toml").unlink()
    said = done(run("prepare", "--on", "2026-03-10"))
    assert said.count("Nobody can sign") == 1
    waiting = int(re.findall(r"^(\d+) messages? waits? until that is mended", said, re.MULTILINE)[0])
    assert f"0 of {waiting} messages written; {waiting} wait for what must be mended" in said
    assert f"Planned, and not written yet ({waiting})" in said
    assert "We write to" not in said
    (place / "outreach.toml").write_text(SETTINGS)
    assert f"{waiting} of {waiting} messages written" in done(run("prepare", "--on", "2026-03-10"))


def test_a_day_can_be_tried_and_done_a_part_at_a_time_and_its_approvals_are_announced(run: Run, place: Path) -> None:
    done(run("import", "data"))
    assert "A dry run: nothing was kept." in done(run("prepare", "--dry-run"))
    tried = json.loads(done(run("prepare", "--dry-run", "--moment", "checkin", "--json")))
    assert [(told["moment"], told["count"]) for told in tried["messages"]] == [("checkin", 1)]
    assert "no moment “birthday”" in run("prepare", "--moment", "birthday").stderr
    assert "1 messages stay planned" in done(
        run("prepare", "--moment", "checkin", "--moment", "late_payment", "--limit", "1")
    )
    done(run("prepare"))
    done(run("staff", "add", "maria", "--name", "Maria Stone"))
    waiting = [batch["batch_id"] for batch in json.loads(done(run("batches", "--json")))]
    with loopback() as prefect:
        prefect.will([Answer(204)] * len(waiting))
        done(run("approve", *waiting, "--by", "maria", PREFECT_API_URL=f"{prefect.url}/api"))
        told = [json.loads(asked.body)[0]["payload"] for asked in prefect.asked]
    assert told == [{"batch_id": batch_id, "count": 1, "undo_until": None} for batch_id in waiting]
    assert "3 would be handed over" in done(run("deliver", "--dry-run"))
    due = json.loads(done(run("deliver", "--dry-run", "--limit", "2", "--json")))
    assert (due["leaving"], len(due["due"])) == (2, 3)
    assert not outbox(place)
    assert "1 due, and over the limit of this run" in done(run("deliver", "--limit", "2"))
    assert "Sent 1 now" in done(run("deliver"))


def test_the_whole_job_from_a_folder_of_csv_files_to_the_outbox(run: Run, place: Path) -> None:
    assert "accepted" in done(run("import", "data"))
    assert "Ann Lee" in done(run("prepare", "--on", "2026-03-10"))
    done(run("staff", "add", "maria", "--name", "Maria Stone"))
    waiting = json.loads(done(run("batches", "--json")))
    assert {batch["kind"] for batch in waiting} == {"anniversary", "checkin", "late_payment"}
    done(run("approve", *(batch["batch_id"] for batch in waiting), "--by", "maria"))
    done(run("deliver"))
    sent = outbox(place)
    assert sorted(Path(name).suffix for name in sent if not name.endswith(".csv")) == [".eml", ".pdf", ".pdf"]
    done(run("deliver"))
    done(run("prepare", "--on", "2026-03-10"))
    assert outbox(place) == sent
    answers = {a["kind"]: a for a in json.loads(done(run("why", "c1", "--on", "2026-03-10", "--json")))}
    assert answers["anniversary"]["status"] == "accepted"
    assert json.loads(done(run("why", "c4", "--on", "2026-03-10", "--json")))[0]["rule"] == "no_channel"
    assert "moments found" in done(run("status"))
    status = json.loads(done(run("status", "--json")))
    assert {"moment": "checkin", "channel": "email", "status": "accepted", "count": 1} in status["messages"]
    assert sum(row["count"] for row in status["rules"]) == status["moments"] == sum(status["decisions"].values())
    assert done(run("track"))


def _count_written(place: Path) -> int:
    """How many messages of the day have their words."""
    with closing(sqlite3.connect(place / "outreach.db", timeout=60)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM messages WHERE status <> 'planned'").fetchone()
    return int(count)


def test_prepare_by_four_processes_at_once_and_killed_leaves_what_one_run_leaves(
    run: Run, place: Path, command: Path, surroundings: dict[str, str]
) -> None:
    done(run("import", "data"))

    def start() -> subprocess.Popen[bytes]:
        words = [command, "prepare", "--on", "2026-03-10"]
        return subprocess.Popen(words, cwd=place, env=surroundings, stdout=subprocess.DEVNULL)

    endings = []
    for written in range(3):
        process = start()
        while process.poll() is None and _count_written(place) <= written:
            time.sleep(0.01)
        process.kill()
        endings.append(process.wait())
    assert -signal.SIGKILL in endings, "every one had ended before it could be killed"
    four = [start() for _ in range(4)]
    assert [process.wait(120) for process in four] == [0, 0, 0, 0]
    together = json.loads(done(run("batches", "--json")))
    (place / "outreach.db").rename(place / "first.db")
    for suffix in ("-wal", "-shm"):
        (place / f"outreach.db{suffix}").unlink(missing_ok=True)
    done(run("import", "data"))
    done(run("prepare", "--on", "2026-03-10"))
    assert json.loads(done(run("batches", "--json"))) == together


def test_moments_as_json_is_one_object_a_line_with_four_keys(run: Run) -> None:
    done(run("import", "data"))
    lines = done(run("moments", "--from", "2026-03-10", "--to", "2026-03-12", "--json")).splitlines()
    found = [json.loads(line) for line in lines]
    assert {"on": "2026-03-12", "moment": "anniversary", "customer_id": "c1", "occasion": "2026-03-12"} in found
    only = done(run("moments", "--on", "2026-03-10", "--kind", "checkin", "--json")).splitlines()
    assert [json.loads(line)["customer_id"] for line in only] == ["c2"]


def test_refused_rows_are_listed_and_exit_2(run: Run, place: Path) -> None:
    write(place / "data", "referrals.csv", [{"referral_id": "r1", "customer_id": "c1", "made_on": "31 Feb"}])
    shown = done(run("import", "data"), status=2)
    assert "referrals.csv" in shown
    assert "made_on" in shown
    report = json.loads(done(run("import", "data", "--json"), status=2))
    assert [(row["file"], row["line"], row["column"]) for row in report["refusals"]] == [
        ("referrals.csv", 2, "made_on")
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["prepare"], "outreach import FOLDER"),
        (["why", "nobody"], "outreach import FOLDER"),
        (["import", "nowhere"], "nowhere"),
        (["approve", "b1", "--by", "x", "--database", "mysql://x/y"], "sqlite:///outreach.db"),
        (["no-such-command"], "No such command"),
    ],
)
def test_an_error_is_one_line_that_says_what_to_do_and_exits_1(run: Run, arguments: list[str], says: str) -> None:
    result = run(*arguments)
    done(result, status=1)
    assert says in result.stderr


def test_a_day_or_instant_that_is_none_is_refused_with_how_to_write_it(run: Run) -> None:
    done(run("init"))
    for arguments in (["moments", "--on", "soon"], ["status", "--now", "noon"]):
        result = run(*arguments)
        done(result, status=1)
        assert "2026-11-22" in result.stderr


def test_a_setting_in_the_environment_overrides_the_file_and_a_wrong_one_is_named(run: Run) -> None:
    result = run("init", OUTREACH_BUSINESS__TIMEZONE="Mars/Olympus")
    done(result, status=1)
    assert "business.timezone" in result.stderr
    assert "Europe/Berlin" in result.stderr


def test_doctor_says_what_is_missing_and_how_to_mend_it(run: Run, place: Path) -> None:
    done(run("doctor"))
    written = (place / "outreach.toml").read_text()
    (place / "outreach.toml").write_text(written.replace("consent_on", 'pen = "Adler"\nconsent_on', 1))
    assert "There is no pen “Adler”" in done(run("doctor"), status=1)
    (place / "outreach.toml").write_text("mode = 'rehearsal'\n")
    assert "[business]" in done(run("doctor"), status=1)


def test_pausing_stops_delivery_until_it_is_resumed(run: Run, place: Path) -> None:
    done(run("import", "data"))
    done(run("prepare"))
    done(run("staff", "add", "maria"))
    waiting = json.loads(done(run("batches", "--json")))
    done(run("approve", *(batch["batch_id"] for batch in waiting), "--by", "maria"))
    done(run("pause"))
    assert "PAUSED since 2026-03-10" in done(run("status"))
    done(run("deliver"))
    assert outbox(place) == {}
    done(run("resume"))
    done(run("deliver"))
    assert outbox(place) != {}


def test_somebody_new_gets_a_first_password_that_is_shown_once_and_another_when_it_is_lost(
    run: Run, place: Path
) -> None:
    added = done(run("staff", "add", "maria", "--name", "Maria Stone", "--email", "Maria@practice.example"))
    assert added.startswith("maria is Maria Stone, approver\n")
    [first] = re.findall(r"First password: ((?:[0-9a-z]{4}-?){4})\n", added)
    assert "password" not in done(run("staff", "add", "maria", "--name", "Maria Stone", "--role", "admin"))
    [second] = re.findall(r"First password: (\S+)\n", done(run("staff", "password", "maria")))
    assert first != second
    listed = done(run("staff", "list", "--json"))
    [maria] = json.loads(listed)
    assert (maria["role"], maria["email"]) == ("admin", "Maria@practice.example")
    assert maria["password"] == "first, to be changed"
    assert "argon2" not in listed
    assert run("staff", "password", "nobody").returncode == 1


def test_a_script_gives_a_password_in_a_file_and_a_weak_one_is_refused_whole(run: Run, place: Path) -> None:
    (place / "password").write_text("copper violin and seven plums\r\nnot this line\n")
    done(run("staff", "add", "jon", "--password-file", "password"))
    assert json.loads(done(run("staff", "list", "--json")))[0]["password"] == "set"
    (place / "password").write_text("AlderLaneDental\n")
    refused = run("staff", "add", "eve", "--password-file", "password")
    assert (refused.returncode, "easily guessed" in refused.stderr) == (1, True)
    assert [one["staff_id"] for one in json.loads(done(run("staff", "list", "--json")))] == ["jon"]
    missing = run("staff", "password", "jon", "--password-file", "no-such-file")
    assert (missing.returncode, "--password-file" in missing.stderr) == (1, True)


def test_an_open_case_is_closed_by_hand_and_every_wrong_word_is_one_line(run: Run, place: Path) -> None:
    run("import", "data")
    run("staff", "add", "maria")
    engine = open_database(f"sqlite:///{place / 'outreach.db'}")
    at = datetime.fromisoformat(NOW)
    with writing(engine) as session:
        message = add_approved(session, "K7QF-2M9X-TB4D", "text", status="needs_person")
        attempt = open_attempt(message, [], at, at.date())
        attempt.outcome = "unknown"
        add_attempts(session, [attempt])
    close = ("close", "k7qf-2m9x-tb4d", "--by", "maria", "--reason", "their support found it")
    assert "one of accepted, failed, approved" in run(*close, "--as", "delivered").stderr
    done = run(*close, "--as", "accepted")
    assert done.stdout == "K7QF-2M9X-TB4D is accepted: their support found it (maria)\n"
    again = run(*close, "--as", "accepted")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "only what left without an answer is closed by hand" in again.stderr


def test_track_after_a_restore_says_what_it_put_in_doubt(run: Run) -> None:
    run("import", "data")
    report = json.loads(run("track", "--after-restore", "--json").stdout)
    assert (report["doubted"], report["needs_person"], report["saved"]) == (0, 0, 0)
    assert "nothing was open" in run("track", "--after-restore").stdout


def test_run_does_the_days_work_with_no_server(run: Run) -> None:
    done(run("import", "data"))
    report = json.loads(done(run("run", "--json")))
    assert set(report) == {"prepared", "delivered", "tracked"}


def test_preview_writes_what_one_customer_would_get(run: Run, place: Path) -> None:
    done(run("import", "data"))
    done(run("preview", "letters/anniversary.en.html", "--customer", "c1", "--out", "a.pdf", "--on", "2026-03-12"))
    assert (place / "a.pdf").read_bytes().startswith(b"%PDF")
