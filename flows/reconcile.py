"""Brings Prefect's server to what prefect.yaml and flows/automations.yaml say, but for what staff changed there.

Prefect's own `deploy` would delete the schedules that staff made and switch on what they switched off.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate, WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyOptions, DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectException
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker
from sqlalchemy import Engine

from flows.automations import Recipient, automation_pieces, gone_automation
from flows.deployed_parts import Change, Memory, Piece, gone_from, settle, settle_gone
from outreach.contacts import load_key
from outreach.delivery.staff_mail.alarms import alarm_token
from outreach.errors import OutreachError, SettingsError
from outreach.settings import Settings

FILE = Path("prefect.yaml")
Declared = dict[str, Any]


def deploy(settings: Settings, address: str, recipient: Recipient | None, reset: bool = False) -> list[Change]:
    """Creates and updates everything on the server at `address`, and says what became of each piece.

    `recipient` is told of alarms; without one the automations that tell are left out. With `reset` the files win over
    what staff changed. Raises OutreachError where the server does not answer or does not take something.
    """
    plan = read_plan()
    with connected(address) as client:
        memory = Memory.load(client)
        for pool in sorted({each["work_pool"]["name"] for each in plan["deployments"]}):
            ensure_pool(client, pool)
        changes: list[Change] = []
        for declared in plan["deployments"]:
            changes += deploy_one(client, memory, settings, plan, declared, reset)
        changes += deploy_automations(client, memory, plan, recipient, reset)
        memory.save(client)
        return changes


def find_recipient(engine: Engine, settings: Settings, desk: str = "") -> Recipient | None:
    """Whom alarms are told, as the settings say: an address on the web, or our own desk, which sends an e-mail."""
    if settings.ops.alarms_go_by == "web":
        return Recipient(settings.ops.alarms_to)
    if settings.ops.alarms_go_by == "email":
        address = desk or settings.desk.url or settings.business.public_url
        return Recipient(f"{address.rstrip('/')}/alarms", alarm_token(load_key(engine, settings)))
    return None


def read_plan() -> Declared:
    """What the installation's prefect.yaml declares."""
    if not FILE.is_file():
        raise SettingsError(f"There is no {FILE} in {Path.cwd()}; outreach new FOLDER makes an installation with one")
    plan: Declared = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return plan


@contextmanager
def connected(address: str) -> Iterator[SyncPrefectClient]:
    """A client of the server at `address`, whose API need not be named."""
    api = address.rstrip("/") + ("" if address.rstrip("/").endswith("/api") else "/api")
    try:
        with temporary_settings({PREFECT_API_URL: api}), get_client(sync_client=True) as client:
            yield client
    except (httpx.HTTPError, PrefectException) as error:
        raise OutreachError(
            f"Prefect's server at {address} did not take it ({type(error).__name__}: {error}). Is it running? "
            "outreach doctor --prefect says what is missing"
        ) from error


def ensure_pool(client: SyncPrefectClient, name: str) -> None:
    try:
        client.read_work_pool(name)
    except ObjectNotFound:
        # `prefect work-pool create` would ask another host for its list of pool types.
        template = ProcessWorker.get_default_base_job_template()
        with_template = WorkPoolCreate(name=name, type="process", base_job_template=template)
        # Somebody else may deploy at the same moment.
        with suppress(ObjectAlreadyExists):
            client.create_work_pool(with_template)


def deploy_one(
    client: SyncPrefectClient, memory: Memory, settings: Settings, plan: Declared, declared: Declared, reset: bool
) -> list[Change]:
    """One deployment: its code always follows the files, each other field and each schedule is a piece of its own."""
    name = name_of(declared)
    code = code_of(plan, declared)
    standing = find_deployment(client, name)
    if standing is None:
        deployment_id = create(client, declared, code)
    else:
        deployment_id = standing.id
        client.update_deployment(deployment_id, DeploymentUpdate(**code))
    pieces = [field_piece(client, deployment_id, name, key, value) for key, value in fields_of(declared).items()]
    if standing is None:
        # It was created with these, so they stand as the files have them.
        for piece in pieces:
            memory.keep(piece)
    changes = [settle(piece, memory, reset) for piece in pieces] if standing else [Change(name, "created")]
    zone = settings.business.timezone
    scheduled = [schedule_piece(client, deployment_id, name, each, zone) for each in declared.get("schedules", [])]
    changes += [settle(piece, memory, reset) for piece in scheduled]
    prefix = f"{name} schedule "
    for gone in gone_from([piece.name for piece in scheduled], memory, prefix):
        slug = gone.removeprefix(prefix)
        changes.append(settle_gone(schedule_piece(client, deployment_id, name, {"slug": slug}, zone), memory))
    return changes


def name_of(declared: Declared) -> str:
    """`prepare/daily`, as Prefect names a deployment."""
    # A module's, as flows.prepare.prepare; or a file's, as flows/prepare.py:prepare.
    return f"{re.split('[.:]', declared['entrypoint'])[-1]}/{declared['name']}"


def code_of(plan: Declared, declared: Declared) -> Declared:
    """What follows the code and the files whatever staff do: how a worker runs it, and what its form asks."""
    # With a placeholder, Prefect would go on without a flow that cannot be imported, and its form would ask nothing.
    flow: Flow[Any, Any] = load_flow_from_entrypoint(declared["entrypoint"], use_placeholder_flow=False)
    return {
        "entrypoint": declared["entrypoint"],
        "pull_steps": plan["pull"],
        "parameter_openapi_schema": parameter_schema(flow).model_dump_for_openapi(),
        "enforce_parameter_schema": True,
        "work_pool_name": declared["work_pool"]["name"],
        "job_variables": declared["work_pool"].get("job_variables", {}),
    }


def fields_of(declared: Declared) -> Declared:
    """What staff may change of a deployment itself."""
    limit = declared.get("concurrency_limit")
    return {
        "description": declared["description"],
        "tags": sorted(declared["tags"]),
        "parameters": declared.get("parameters", {}),
        "concurrency": [limit["limit"], limit["collision_strategy"]] if limit else None,
    }


def find_deployment(client: SyncPrefectClient, name: str) -> DeploymentResponse | None:
    try:
        return client.read_deployment_by_name(name)
    except ObjectNotFound:
        return None


def create(client: SyncPrefectClient, declared: Declared, code: Declared) -> UUID:
    flow_id = client.create_flow_from_name(name_of(declared).split("/")[0])
    fields = fields_of(declared)
    made = {key: fields[key] for key in ("description", "tags", "parameters")}
    return client.create_deployment(
        flow_id=flow_id, name=declared["name"], **code, **made, **as_limit(fields["concurrency"])
    )


def as_limit(concurrency: list[Any] | None) -> Declared:
    if concurrency is None:
        return {}
    limit, strategy = concurrency
    return {"concurrency_limit": limit, "concurrency_options": ConcurrencyOptions(collision_strategy=strategy)}


def field_piece(client: SyncPrefectClient, deployment_id: UUID, name: str, key: str, value: Any) -> Piece:
    def read() -> Any:
        # Never None: a field that is empty stands as much as one that is not.
        return {key: read_fields(client.read_deployment(deployment_id))[key]}

    def write() -> None:
        values = as_limit(value) if key == "concurrency" else {key: value}
        client.update_deployment(deployment_id, DeploymentUpdate(**values))

    return Piece(f"{name} {key}", {key: value}, read, write)


def read_fields(standing: DeploymentResponse) -> Declared:
    limit, options = standing.global_concurrency_limit, standing.concurrency_options
    strategy = options.collision_strategy.value if options else None
    return {
        "description": standing.description,
        "tags": sorted(standing.tags),
        "parameters": standing.parameters,
        "concurrency": [limit.limit, strategy] if limit else None,
    }


def schedule_piece(client: SyncPrefectClient, deployment_id: UUID, name: str, declared: Declared, zone: str) -> Piece:
    """A schedule, known by its slug; without a zone of its own it runs in the business's time, `zone`."""
    slug = declared["slug"]
    # No parameters: a schedule loses them when staff switch it off and on in Prefect's UI.
    value = {
        "cron": declared.get("cron"),
        "timezone": declared.get("timezone", zone),
        "active": declared.get("active", True),
    }

    def find() -> DeploymentSchedule | None:
        standing = client.read_deployment_schedules(deployment_id)
        return next((each for each in standing if each.slug == slug), None)

    def read() -> Any:
        found = find()
        return found and read_schedule(found)

    def write() -> None:
        cron = CronSchedule(cron=value["cron"], timezone=value["timezone"])
        if found := find():
            client.update_deployment_schedule(deployment_id, found.id, active=value["active"], schedule=cron)
        else:
            made = DeploymentScheduleCreate(schedule=cron, active=value["active"], slug=slug)
            client.create_deployment_schedules(deployment_id, [made])

    def remove() -> None:
        if found := find():
            client.delete_deployment_schedule(deployment_id, found.id)

    return Piece(f"{name} schedule {slug}", value, read, write, remove)


def read_schedule(standing: DeploymentSchedule) -> Declared:
    """What a schedule says, in our words where it is of our kind."""
    if isinstance(standing.schedule, CronSchedule):
        cron, zone = standing.schedule.cron, standing.schedule.timezone
        return {"cron": cron, "timezone": zone, "active": standing.active}
    return {"other": standing.schedule.model_dump(mode="json"), "active": standing.active}


def deploy_automations(
    client: SyncPrefectClient, memory: Memory, plan: Declared, recipient: Recipient | None, reset: bool
) -> list[Change]:
    started = {
        trigger["name"]: (trigger, deployment.id)
        for declared in plan["deployments"]
        for trigger in declared.get("triggers", [])
        if (deployment := find_deployment(client, name_of(declared)))
    }
    pieces, left_out = automation_pieces(client, started, recipient)
    changes = [settle(piece, memory, reset) for piece in pieces]
    changes += [Change(name, "left out", "nobody is told: set ops.alarms_to in outreach.toml") for name in left_out]
    for gone in gone_from([*(piece.name for piece in pieces), *left_out], memory, "automation "):
        changes.append(settle_gone(gone_automation(client, gone), memory))
    return changes
