"""What the business decides: outreach.toml in, one frozen `Settings` out, each value open to an environment variable.

Each moment's knobs have their defaults in its file in outreach/moments/; `moments` is what differs from them.
Secrets are never written in outreach.toml.
"""

import json
import os
from datetime import date
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from outreach.desk_settings import DeskSettings
from outreach.errors import SettingsError
from outreach.limits_settings import CollectingSettings, HoursSettings, TextCapSettings
from outreach.ops_settings import BudgetSettings, OpsSettings
from outreach.paper_settings import PaperSettings, Postage, ProofSettings
from outreach.provider_settings import (
    SECRET_NAMES,
    HandwryttenSettings,
    LetterVendorSettings,
    LobSettings,
    Part,
    PostgridSettings,
    Provider,
    Providers,
    ProviderSettings,
    SendgridSettings,
    SmtpSettings,
    StannpSettings,
    TwilioSettings,
    VendorSettings,
    secret_of,
)
from outreach.reward_settings import RewardsSettings
from outreach.storage_settings import StorageSettings

__all__ = [
    "WEEKDAYS", "Channel", "HandwryttenSettings", "LetterVendorSettings", "LobSettings", "MomentKnobs", "Postage",
    "PostgridSettings", "Provider", "ProviderSettings", "Providers", "SendgridSettings", "Settings", "SmtpSettings",
    "StannpSettings", "TwilioSettings", "VendorSettings", "Weekday", "fixed_knobs", "load_settings", "secret_of",
]  # fmt: skip

Channel = Literal["letter", "email", "text", "call"]
Silence = Literal["opt-in", "opt-out"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PROJECT = Path(__file__).resolve().parent.parent


class Signatory(Part):
    """A member of staff whose name stands under messages. Without `consent_on` nothing is signed for them."""

    name: str
    role: str = ""
    pen: str = "Alder"
    direct_line: str = ""
    from_: date | None = Field(default=None, alias="from")
    until: date | None = None
    away: list[tuple[date, date]] = []
    consent_on: date | None = None


class ReturnAddress(Part):
    """Where a letter comes back to, in the fields that printing houses ask for."""

    line1: str
    line2: str = ""
    city: str
    region: str = ""
    postal_code: str
    country: str = "US"


class Business(Part):
    name: str = ""
    kind: Literal["general", "health", "finance", "utility"] = "general"
    timezone: str = "UTC"
    language: str = "en"
    country: str = "US"
    currency: str = "USD"
    address: list[str] = []
    letterhead: Path | None = None
    return_address: ReturnAddress | None = None
    phone: str = ""
    email: str = ""
    website: str = ""
    public_url: str = "https://outreach.invalid"
    sending_hour: int = Field(default=9, ge=0, le=23)
    signatories: list[Signatory] = []

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"“{value}” is not a time zone; write one like Europe/Berlin")
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Consent(Part):
    """What silence means where a customer has no consent row for a channel."""

    letter: Silence = "opt-out"
    email: Silence = "opt-in"
    text: Silence = "opt-in"
    call: Silence = "opt-out"


class Pacing(Part):
    quiet_days: int = Field(default=14, ge=0)
    mourning_days: int = Field(default=90, ge=0)


class Transit(Part):
    """Business days from hand-over to arrival, by channel."""

    letter: int = Field(default=4, ge=0)
    email: int = Field(default=0, ge=0)
    text: int = Field(default=0, ge=0)
    call: int = Field(default=0, ge=0)


class Delivery(Part):
    """How sending is kept safe. A message that left without an answer goes to a person after `give_up_hours`.

    `generation_file` is a mark outside the database; without it, it lies in the user's state directory, where a
    restored folder does not bring an old one back.
    """

    lease_seconds: float = Field(default=300, gt=0)
    give_up_hours: float = Field(default=72, gt=0)
    generation_file: Path | None = None


class Scaling(Part):
    """What processes share a day's work by: shards of `shard_size` messages."""

    shard_size: int = Field(default=500, ge=1)


class Texts(Part):
    max_segments: int = Field(default=2, ge=1)
    region: str = "US"
    cap: TextCapSettings = TextCapSettings()


class Approval(Part):
    """An approval at the desk can be undone for `undo_minutes`; nothing of it leaves before.

    The member of staff named by `deputy` is reminded of what has waited for `remind_hours`.
    """

    single_person: bool = False
    undo_minutes: int = Field(default=15, ge=0)
    remind_hours: int = Field(default=24, ge=1)
    deputy: str = ""
    usual_size_times: int = Field(default=3, ge=1)


class MomentKnobs(Part):
    """Planning writes a moment on its `weekdays` only, and at most `most_a_day` messages of it on one run date.

    With a `ladder`, the next channel follows where `wait_days` have brought no answer.
    """

    enabled: bool = True
    weekdays: list[Weekday] = Field(default=list(WEEKDAYS), min_length=1)
    most_a_day: int | None = Field(default=None, ge=1)
    approval: Literal["rule", "person"] = "rule"
    channels: list[Channel] = ["letter", "email", "text", "call"]
    ladder: bool = False
    wait_days: int = Field(default=7, ge=1)
    grace_days: int = Field(default=7, ge=0)
    lead_days: int = Field(default=0, ge=0)


class Environment(EnvSettingsSource):
    """The environment's values, those of `[moments]` read as JSON where they are: their types are the moments' own."""

    def __call__(self) -> dict[str, Any]:
        values = super().__call__()
        return values | {"moments": _read_json(values["moments"])} if "moments" in values else values


def _read_json(value: Any) -> Any:
    """What was written as JSON; any other text, such as a bare word, as it is."""
    if isinstance(value, dict):
        return {name: _read_json(inner) for name, inner in value.items()}
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


class Settings(BaseSettings):
    """All of outreach.toml. `OUTREACH_BUSINESS__TIMEZONE=UTC` overrides `[business] timezone`, and so on."""

    model_config = SettingsConfigDict(
        env_prefix="OUTREACH_", env_nested_delimiter="__", frozen=True, extra="forbid", validate_default=True
    )

    mode: Literal["rehearsal", "live"] = "rehearsal"
    start_on: date | None = None
    daily_cap: int = Field(default=200, ge=0)
    database_url: str = "sqlite:///outreach.db"
    now: str | None = None
    config: Path | None = None
    templates: Path = PROJECT / "templates"
    pens: Path = Path("pens")
    fallback_pen: str = ""
    secret: SecretStr | None = None
    secret_file: Path = Path("outreach.secret")
    business: Business = Business()
    consent: Consent = Consent()
    pacing: Pacing = Pacing()
    hours: HoursSettings = HoursSettings()
    collecting: CollectingSettings = CollectingSettings()
    providers: Providers = Providers()
    transit: Transit = Transit()
    postage: Postage = Postage()
    paper: PaperSettings = PaperSettings()
    proof: ProofSettings = ProofSettings()
    delivery: Delivery = Delivery()
    scaling: Scaling = Scaling()
    texts: Texts = Texts()
    approval: Approval = Approval()
    desk: DeskSettings = DeskSettings()
    ops: OpsSettings = OpsSettings()
    budget: BudgetSettings = BudgetSettings()
    rewards: RewardsSettings = RewardsSettings()
    storage: StorageSettings = StorageSettings()
    moments: dict[str, dict[str, Any]] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = Path(os.environ.get("OUTREACH_CONFIG", "outreach.toml"))
        from_file = TomlConfigSettingsSource(settings_cls, toml)
        if written := _secrets_in(from_file.toml_data):
            raise SettingsError(
                f"{written} is a secret and stands in {toml}, which people share; take it out, and set "
                f"OUTREACH_{written.upper().replace('.', '__')} in the environment"
            )
        return init_settings, Environment(settings_cls), from_file

    def provider_for(self, channel: Channel) -> Provider:
        """The provider that carries `channel` today: always `outbox` in rehearsal."""
        return "outbox" if self.mode == "rehearsal" else getattr(self.providers, channel)


def _secrets_in(data: dict[str, Any], above: str = "") -> str | None:
    """The name of the first secret that is written in outreach.toml, as providers.lob.api_key."""
    for name, value in data.items():
        if name in SECRET_NAMES:
            return f"{above}{name}"
        if isinstance(value, dict) and (found := _secrets_in(value, f"{above}{name}.")):
            return found
    return None


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment, then OUTREACH_CONFIG or ./outreach.toml, then the defaults.

    Raises SettingsError naming each value that does not fit.
    """
    named = os.environ.get("OUTREACH_CONFIG")
    if named and not Path(named).is_file():
        raise SettingsError(f"OUTREACH_CONFIG names {named}, and there is no such file")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [f"  {'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise SettingsError("These settings do not fit (outreach.toml or OUTREACH_…):\n" + "\n".join(lines)) from error
    except ValueError as error:
        raise SettingsError(f"outreach.toml cannot be read: {error}") from error


def fixed_knobs(moment: str) -> frozenset[str]:
    """The knobs of a moment that the environment fixes: neither outreach.toml nor the desk changes these."""
    fixed = Environment(Settings)().get("moments", {})
    return frozenset(fixed.get(moment, {}))
