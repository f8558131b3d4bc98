"""What a drill is asked to do, and the settings that its processes work with.

Nothing of the user's own settings, secrets or vendors ever reaches a drill: it speaks to 127.0.0.1 alone.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from outreach.channels import LETTER, TEXT
from outreach.clock import business_date, steady_seconds, system_clock
from outreach.settings import Settings

KEYED, KEYLESS = "lob", "twilio"
CHANNEL_OF = {KEYED: LETTER.name, KEYLESS: TEXT.name}
# Made up for the simulators, which know them too.
LOB_KEY, LOB_SECRET = "test_drill", "a webhook secret for drills"
TWILIO_ACCOUNT, TWILIO_TOKEN = "AC" + "d1" * 16, "a token for drills"
TWILIO_NUMBER = "+15005550006"
PUBLIC_URL = "https://drill.invalid"

TIMEOUT_SECONDS = 0.3
LEASE_SECONDS = 1.5
# How late a vendor takes a message whose sender has given up waiting, and by how much its search lags behind.
LATE_SECONDS, LAG_SECONDS = 0.8, 0.3
# More than the two together: what is not found by then was never taken.
ABSENT_AFTER = timedelta(seconds=2.5)
# For so long a processor is used to see how busy the machine is, and no machine is taken to be busier than this.
MEASURED_SECONDS, MOST_PACE = 0.2, 6.0


@dataclass(frozen=True)
class DrillOptions:
    """What a drill is asked to do."""

    #: SIGKILL and SIGSTOP together.
    kills: int = 200
    seed: int = 7
    #: None for a SQLite file in a folder of the drill's own.
    database: str | None = None
    #: True for the vendor that takes our keys, False for the one that does not, None for both.
    keyed: bool | None = None
    #: Has the senders retry as a general job queue does.
    naive: bool = False
    senders: int = 3
    #: Restores backups while two machines send.
    restore: bool = False
    #: Has the senders' clocks jump.
    clocks: bool = False

    @property
    def vendors(self) -> list[str]:
        return [name for name, keyed in ((KEYED, True), (KEYLESS, False)) if self.keyed in (None, keyed)]


@dataclass(frozen=True)
class Plan:
    """What every process of one drill knows."""

    #: Where the drill's files lie.
    folder: Path
    database_url: str
    seed: int
    vendors: tuple[str, ...]
    naive: bool
    senders: int
    #: On how many machines the senders are, each with a mark of its own.
    machines: int = 1
    #: Every time-out is so many times what it is on a machine with nothing else to do.
    pace: float = 1.0

    @property
    def lease_seconds(self) -> float:
        return LEASE_SECONDS * self.pace

    def as_json(self) -> str:
        return json.dumps({**asdict(self), "folder": str(self.folder)})

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        values = json.loads(text)
        return cls(**{**values, "folder": Path(values["folder"]), "vendors": tuple(values["vendors"])})

    def log_of(self, vendor: str) -> Path:
        """The vendor's own record of all it was asked, which is what the ledger is counted from."""
        return self.folder / f"{vendor}.log"

    def mark_of(self, machine: int) -> Path:
        """The mark that one machine keeps of the database: outside it, and in no backup."""
        return self.folder / f"machine {machine}" / "outreach.generation"


def measure_pace() -> float:
    """How many times as long as alone a process takes here just now, because others are at work too."""
    began, used = steady_seconds(), time.process_time()
    while time.process_time() - used < MEASURED_SECONDS:
        sum(range(1000))
    return min(max(1.0, (steady_seconds() - began) / MEASURED_SECONDS), MOST_PACE)


class _DrillSettings(Settings):
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # Neither the environment nor outreach.toml: a real vendor's key must not come near a live drill.
        return (init_settings,)


def make_settings(plan: Plan, ports: Mapping[str, int], machine: int = 0) -> Settings:
    """Live settings of one machine whose vendors are the simulators on `ports`, with short leases and time-outs."""
    return _DrillSettings(
        mode="live",
        start_on=business_date(system_clock(), "UTC"),
        # No cap here, and no rate of the vendors below: nothing but kills shall hold messages up.
        daily_cap=1_000_000,
        database_url=plan.database_url,
        secret=SecretStr("a secret for drills"),
        business=_business(),
        consent={"text": "opt-out"},
        delivery={"lease_seconds": plan.lease_seconds, "generation_file": plan.mark_of(machine)},
        providers={
            "letter": "lob" if "lob" in plan.vendors else "outbox",
            "text": "twilio" if "twilio" in plan.vendors else "outbox",
            "outbox": {"folder": plan.folder / "outbox", "health": True, "debt": True},
            "printroom": {"folder": plan.folder / "printroom", "health": True, "debt": True},
        }
        | {name: _vendor(name, ports[name], plan.pace) for name in plan.vendors},
    )


def _business() -> dict[str, Any]:
    return {
        "name": "Drill",
        "address": ["1 Elm St", "Burlington, VT 05401"],
        "return_address": {"line1": "1 Elm St", "city": "Burlington", "region": "VT", "postal_code": "05401"},
        "phone": "+1 802 555 0140",
        "email": "hello@drill.example",
        "public_url": PUBLIC_URL,
    }


def _vendor(name: str, port: int, pace: float) -> dict[str, Any]:
    common = {
        "timeout_seconds": TIMEOUT_SECONDS * pace,
        "per_second": None,
        "absent_after_minutes": ABSENT_AFTER * pace / timedelta(minutes=1),
    }
    if name == KEYED:
        keys = {"api_key": LOB_KEY, "webhook_secret": LOB_SECRET}
        return common | keys | {"url": f"http://127.0.0.1:{port}/v1", "cancel_hours": 0}
    account = {"account_sid": TWILIO_ACCOUNT, "auth_token": TWILIO_TOKEN, "sender": TWILIO_NUMBER}
    return common | account | {"url": f"http://127.0.0.1:{port}", "campaign": "drill", "campaign_use": "mixed"}
