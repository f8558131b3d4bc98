"""The track flow on a Prefect server: the alarms that stand are on its artifact, in its message, and come as events."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness

from approved import add_approved, add_batch
from conftest import NOW
from flows.track import track
from outreach.database import open_database, upgrade_database, writing
from outreach.models import Import
from outreach.settings import PROJECT

pytestmark = pytest.mark.xdist_group("prefect")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Prefect's server, and the database of a practice whose worker has slept since yesterday."""
    folder = tmp_path_factory.mktemp("practice")
    url = f"sqlite:///{folder / 'outreach.db'}"
    engine = open_database(url)
    upgrade_database(engine)
    with writing(engine) as session:
        add_batch(session, "B1", decided_at=NOW - timedelta(hours=20), decided_by="maria")
        for reference in ("A", "B"):
            add_approved(session, reference, to={"name": "Zephyrine Quackenbush", "lines": ["9 Marmalade Row"]})
        long_ago = NOW - timedelta(hours=50)
        session.add(Import(at=long_ago, file="c.csv", table_name="customers", read=1, accepted=1, refused=0))
    with pytest.MonkeyPatch.context() as patch, prefect_test_harness(120):
        patch.chdir(folder)
        for name, value in {
            "OUTREACH_CONFIG": str(PROJECT / "outreach.toml"), "OUTREACH_DATABASE_URL": url,
            "OUTREACH_NOW": NOW.isoformat(), "OUTREACH_SECRET": "a secret for tests only",
            # A worker gives it to what it runs.
            "PREFECT_API_URL": str(PREFECT_API_URL.value()),
        }.items():  # fmt: skip
            patch.setenv(name, value)
        yield folder


def test_a_tracking_run_says_which_alarms_stand(server: Path) -> None:
    state = track(return_state=True)
    assert state.type.value == "COMPLETED"
    assert state.message == "Nothing to do: nothing is open. 2 alarms stand: backlog, stale-import"
    with get_client(sync_client=True) as client:
        wanted = ArtifactFilter(key=ArtifactFilterKey(any_=["track"]))
        page = str(client.read_artifacts(artifact_filter=wanted)[0].data)
        assert "| backlog | 2 messages are approved and due, and nothing holds them: 2 for outbox." in page
        assert "docs/runbook.md#stale-import" in page
        events = alarm_events(client)
    assert {event["event"]: event["resource"]["prefect.resource.id"] for event in events} == {
        "outreach.alarm.backlog": "outreach.alarm.backlog",
        "outreach.alarm.stale-import": "outreach.alarm.stale-import",
    }
    payload = next(event["payload"] for event in events if event["event"].endswith("backlog"))
    assert (payload["count"], payload["runbook"]) == (2, "docs/runbook.md#backlog")
    assert "Zephyrine" not in f"{events}{page}"
    assert "customer of" not in f"{events}{page}"


def alarm_events(client: Any) -> list[dict[str, Any]]:
    """The server writes events down a moment after it took them."""
    listed: list[dict[str, Any]] = []
    ends = time.monotonic() + 30
    while len(listed) < 2 and time.monotonic() < ends:
        time.sleep(0.2)
        wanted = {"filter": {"event": {"prefix": ["outreach.alarm."]}}}
        listed = client._client.post("/events/filter", json=wanted).json()["events"]
    return listed
