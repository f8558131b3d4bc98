"""Makes the automations of Prefect's server from flows/automations.yaml and the triggers of prefect.yaml.

What they tell is a sentence, counts and a link: no event of ours holds anything about a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.actions import RunDeployment, SendNotification
from prefect.events.schemas.automations import Automation, AutomationCore

from flows.deployed_parts import Piece

FILE = Path(__file__).with_name("automations.yaml")
BLOCK = "outreach-alarms"
PREFIX = "automation "
OURS = "Outreach: "
Declared = dict[str, Any]


@dataclass(frozen=True)
class Recipient:
    """Who is told of alarms."""

    #: Where notifications are posted, as {"subject", "body"}.
    url: str
    #: It proves to our own desk that they are ours.
    token: str = ""


def read_automations() -> list[Declared]:
    """What flows/automations.yaml declares."""
    declared: list[Declared] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return declared


def automation_pieces(
    client: SyncPrefectClient, started: Mapping[str, tuple[Declared, UUID]], recipient: Recipient | None
) -> tuple[list[Piece], list[str]]:
    """A piece for each automation, and the names of those left out because nobody is to be told.

    `started` are the triggers that start a deployment, by name, with its id.
    """
    block = save_block(recipient) if recipient else None
    pieces = [piece_for(client, start_on(trigger, deployment)) for trigger, deployment in started.values()]
    left_out = []
    for declared in read_automations():
        if "tell" in declared and block is None:
            left_out.append(f"{PREFIX}{declared['name']}")
        else:
            pieces.append(piece_for(client, automation_of(declared, block)))
    return pieces, left_out


def save_block(recipient: Recipient) -> UUID:
    """Keeps on the server whom notifications go to, always as the settings say; returns the block's id."""
    block = CustomWebhookNotificationBlock(
        name="Outreach",
        url=recipient.url,
        json_data={"subject": "{{subject}}", "body": "{{body}}"},
        headers={"Authorization": "Bearer {{token}}"} if recipient.token else None,
        # As a secret: Prefect's API and pages do not show it, and the headers, which they do, have only its name.
        secrets={"token": recipient.token} if recipient.token else {},
    )
    saved = block.save(BLOCK, overwrite=True)
    assert isinstance(saved, UUID)  # noqa: S101 - called without an event loop, it does not return a coroutine
    return saved


def start_on(trigger: Declared, deployment_id: UUID) -> AutomationCore:
    """An automation that runs a deployment when the trigger's event comes."""
    rest = {key: value for key, value in trigger.items() if key not in {"name", "enabled", "expect", "match"}}
    return AutomationCore(
        name=f"{OURS}{trigger['name']}",
        description="Starts a delivery as soon as a batch is approved.",
        enabled=trigger.get("enabled", True),
        trigger={**rest, "posture": "Reactive", "threshold": 1, "match": trigger["match"], "expect": trigger["expect"]},
        actions=[RunDeployment(source="selected", deployment_id=deployment_id)],
    )


def automation_of(declared: Declared, block: UUID | None) -> AutomationCore:
    notification = declared.get("tell")
    actions = (
        [SendNotification(block_document_id=block, **notification)] if notification and block else declared["actions"]
    )
    return AutomationCore(
        name=f"{OURS}{declared['name']}",
        description=declared["description"],
        # Said, because the client leaves out what is not, and the server then keeps what was.
        enabled=True,
        trigger=declared["trigger"],
        actions=actions,
    )


def piece_for(client: SyncPrefectClient, made: AutomationCore) -> Piece:
    def write() -> None:
        if found := find(client, made.name):
            client.update_automation(found.id, made)
        else:
            client.create_automation(made)

    plain = gone_automation(client, PREFIX + made.name.removeprefix(OURS))
    return Piece(plain.name, as_plain(made), plain.read, write, plain.remove)


def gone_automation(client: SyncPrefectClient, name: str) -> Piece:
    """The piece of an automation that is only to be read, or removed."""
    full = OURS + name.removeprefix(PREFIX)

    def read() -> Any:
        found = find(client, full)
        return found and as_plain(found)

    def remove() -> None:
        if found := find(client, full):
            client.delete_automation(found.id)

    return Piece(name, None, read, lambda: None, remove)


def find(client: SyncPrefectClient, name: str) -> Automation | None:
    return next(iter(client.read_automations_by_name(name)), None)


def as_plain(automation: AutomationCore) -> Declared:
    """An automation without what the server adds to it."""
    dumped = automation.model_dump(mode="json", exclude={"id", "created", "updated", "account", "workspace"})
    plain: Declared = without_ids(dumped)
    return plain


def without_ids(value: Any) -> Any:
    """Triggers are given an id of their own each time they are written."""
    if isinstance(value, dict):
        return {key: without_ids(each) for key, each in value.items() if key != "id"}
    return [without_ids(each) for each in value] if isinstance(value, list) else value
