"""Says what is well on Prefect's server and what is not, and how to mend it. Changes nothing."""

from collections.abc import Iterator
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import WorkerFilter, WorkerFilterStatus
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings

from flows.automations import OURS, read_automations
from flows.reconcile import connected, find_deployment, name_of, read_plan
from outreach.doctor.findings import Finding
from outreach.errors import OutreachError

# As pyproject.toml bounds Prefect here: a server and its clients go together.
OLDEST, BEFORE = (3, 8, 8), (3, 10)
DEPLOY = "Create what is missing: outreach deploy"


def examine_prefect(address: str) -> list[Finding]:
    """Every check of the server, in the order in which one would mend them."""
    what = f"Prefect's server at {address}"
    try:
        with connected(address) as client:
            version = str(client.request("GET", "/admin/version").json())
            findings = [_version(what, version), *_pools(client), *_deployments(client), *_automations(client)]
            return [*findings, _results()]
    except OutreachError:
        mend = "Start it: outreach up, or prefect server start; elsewhere, name it in PREFECT_API_URL"
        return [Finding(what, False, mend)]


def _version(what: str, version: str) -> Finding:
    numbers = tuple(int(part) for part in version.split("+")[0].split(".")[:3] if part.isdigit())
    is_well = OLDEST <= numbers < BEFORE
    return Finding(f"{what}, {version}", is_well, "" if is_well else "Run a server from 3.8.8 on, and before 3.10")


def _pools(client: SyncPrefectClient) -> Iterator[Finding]:
    online = WorkerFilter(status=WorkerFilterStatus(any_=["ONLINE"]))
    for name in sorted({each["work_pool"]["name"] for each in read_plan()["deployments"]}):
        try:
            pool = client.read_work_pool(name)
        except ObjectNotFound:
            yield Finding(f"work pool {name}", False, DEPLOY)
            continue
        if pool.is_paused:
            yield Finding(f"work pool {name}", False, f"It is paused: prefect work-pool resume {name}")
            continue
        workers = len(client.read_workers_for_work_pool(name, worker_filter=online))
        # Shard workers are help for large days; the others do the work itself.
        is_needed = not name.endswith("-shards")
        start = f"Start one: prefect worker start --pool {name} --type process"
        yield Finding(f"work pool {name}: {workers} workers", bool(workers) or not is_needed, "" if workers else start)


def _deployments(client: SyncPrefectClient) -> Iterator[Finding]:
    for declared in read_plan()["deployments"]:
        name = name_of(declared)
        standing = find_deployment(client, name)
        if standing is None:
            yield Finding(f"deployment {name}", False, DEPLOY)
        elif standing.paused:
            yield Finding(
                f"deployment {name}", False, f"It is paused: prefect deployment resume {name}, if that is over"
            )
        else:
            yield Finding(f"deployment {name}", *_schedules(declared, standing))


def _schedules(declared: dict[str, Any], standing: Any) -> tuple[bool, str]:
    """Whether something that should start by itself does, and what to do where it does not."""
    wanted = any(each.get("active", True) for each in declared.get("schedules", []))
    if not wanted or any(each.active for each in standing.schedules):
        return True, ""
    return False, "None of its schedules is switched on: switch one on in Prefect's UI, or outreach deploy --reset"


def _automations(client: SyncPrefectClient) -> Iterator[Finding]:
    standing = {each.name: each for each in client.read_automations()}
    triggers = [trigger for each in read_plan()["deployments"] for trigger in each.get("triggers", [])]
    for declared in [*triggers, *read_automations()]:
        what, automation = f"automation {declared['name']}", standing.get(f"{OURS}{declared['name']}")
        if automation is None and "tell" in declared:
            yield Finding(what, False, "Nobody is told: set ops.alarms_to in outreach.toml, then outreach deploy")
        elif automation is None:
            yield Finding(what, False, DEPLOY)
        else:
            mend = "" if automation.enabled else "It is switched off: switch it on in Prefect's UI, if that is over"
            yield Finding(what, automation.enabled, mend)


def _results() -> Finding:
    # What flows/__init__.py sets is a default: an environment may say otherwise, and results are pickles on disk that
    # others may read.
    kept = get_current_settings().results.persist_by_default
    return Finding(
        "what Prefect keeps of results", not kept, "Set PREFECT_RESULTS_PERSIST_BY_DEFAULT=false" if kept else ""
    )
