"""Starts runs for the shard workers, for work that one process should not do alone, and never waits for them.

Help that does not come changes nothing: whoever calls for it does the whole work alone, and nothing here may fail them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import WorkerFilter, WorkerFilterStatus
from prefect.exceptions import PrefectException
from prefect.runtime import deployment
from prefect.states import Cancelled

from flows.runs import SHARDS

POOL = "outreach-shards"
Tell = Callable[[str], None]


@contextmanager
def spreading(flow_name: str, tell: Tell, **parameters: str) -> Iterator[Callable[[int], None]]:
    """Gives the function to call with the number of shards before the work begins.

    It starts a run of the deployment `<flow_name>/shards` for each shard worker that is online, at most one for each
    shard beyond the first. Runs that no worker has begun when the block ends are called off.
    """
    started: list[UUID] = []

    def call_help(shards: int) -> None:
        if shards < 2:
            return
        with forgiving(tell), get_client(sync_client=True) as client:
            # A run that helps must not call for help itself.
            if deployment.name != SHARDS:
                started.extend(start_runs(client, flow_name, shards - 1, dict(parameters)))
                tell(f"{shards} shards; {len(started)} shard workers were asked to help")

    try:
        yield call_help
    finally:
        if started:
            with forgiving(tell), get_client(sync_client=True) as client:
                call_off(client, started)


@contextmanager
def forgiving(tell: Tell) -> Iterator[None]:
    """Says what Prefect could not do, and goes on."""
    try:
        yield
    except (PrefectException, httpx.HTTPError) as error:
        # Its text may repeat what was asked for; the kind is enough.
        tell(f"No help from shard workers: {type(error).__name__}")


def start_runs(client: SyncPrefectClient, flow_name: str, most: int, parameters: dict[str, str]) -> list[UUID]:
    """The ids of the runs that were started: one for each shard worker that is online, `most` at most."""
    online = WorkerFilter(status=WorkerFilterStatus(any_=["ONLINE"]))
    workers = client.read_workers_for_work_pool(POOL, worker_filter=online, limit=most)
    if not workers:
        return []
    helper = client.read_deployment_by_name(f"{flow_name}/{SHARDS}")
    return [client.create_flow_run_from_deployment(helper.id, parameters=dict(parameters)).id for _ in workers]


def call_off(client: SyncPrefectClient, runs: list[UUID]) -> None:
    """Cancels those of `runs` that have not begun, so that they do not pile up for a worker that went away."""
    for run in runs:
        state = client.read_flow_run(run).state
        if state is not None and state.is_scheduled():
            client.set_flow_run_state(run, Cancelled(message="Not needed any more: the work was done"))
