"""Reads outreach.toml and the environment into one frozen `Settings`. An environment variable stands above the file.

It refuses a setting that it does not know, and a secret that is written in outreach.toml.
"""

import json
import os
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from outreach.channels import ChannelName
from outreach.clock import business_date
from outreach.errors import SettingsError
from outreach.installation import EXAMPLE
from outreach.settings.business import Business
from outreach.settings.desk import DeskSettings
from outreach.settings.limits import CollectingSettings, HoursSettings, Texts
from outreach.settings.ops import BudgetSettings, OpsSettings
from outreach.settings.paper import PaperSettings, Postage, ProofSettings
from outreach.settings.parts import Approval, ConsentSettings, Delivery, Pacing, Scaling, Transit
from outreach.settings.providers import Provider, Providers
from outreach.settings.rewards import RewardsSettings
from outreach.settings.secrets import SECRET_NAMES
from outreach.settings.sources import SavedSources
from outreach.settings.storage import StorageSettings


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

    #: In rehearsal everything goes to files through `outbox`; live uses `providers`.
    mode: Literal["rehearsal", "live"] = "rehearsal"
    #: No moment whose day lies before it is acted on; live and without it, the first import's day is taken.
    start_on: date | None = None
    #: At most so many messages are handed over in a day; the others wait for the next.
    daily_cap: int = Field(default=200, ge=0)
    #: sqlite:///path or postgresql://…
    database_url: str = "sqlite:///outreach.db"
    #: An instant to take for now, such as 2026-11-22T10:00Z; for rehearsals only.
    now: str | None = None
    #: Read only as OUTREACH_CONFIG: the settings file, where it is not ./outreach.toml.
    config: Path | None = None
    #: The folder of the words; without one in the installation, those that come with the program.
    templates: Path = Field(default_factory=lambda: _templates_here())
    #: The folder of the business's own pens, made by `outreach pen make`.
    pens: Path = Path("pens")
    #: The folder of the mappings that were made at the desk.
    mappings: Path = Path("mappings")
    #: The folder of files that were given to the desk, until they are imported or a day old.
    uploads: Path = Path("uploads")
    #: The pen for a letter whose signatory's pen lacks one of its characters; without it the letter is held back.
    fallback_pen: str = ""
    #: The key that hashes contacts and signs unsubscribe links; `secret_file` keeps it where this is not set.
    secret: SecretStr | None = None
    secret_file: Path = Path("outreach.secret")
    business: Business = Business()
    consent: ConsentSettings = ConsentSettings()
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
    sources: SavedSources = ()
    #: What differs from the moments' own knobs. The types are theirs, and the moments' room checks them.
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
        # Not taken from the settings: it names the file that they are read from.
        toml = Path(os.environ.get("OUTREACH_CONFIG", "outreach.toml"))
        from_file = TomlConfigSettingsSource(settings_cls, toml)
        if written := _secrets_in(from_file.toml_data):
            raise SettingsError(
                f"{written} is a secret and stands in {toml}, which people share; take it out, and set "
                f"OUTREACH_{written.upper().replace('.', '__')} in the environment"
            )
        # In pydantic-settings the first source that has a value stands above those after it.
        return init_settings, Environment(settings_cls), from_file

    def provider_for(self, channel: ChannelName) -> Provider:
        """The provider that carries `channel` today: always `outbox` in rehearsal."""
        return "outbox" if self.mode == "rehearsal" else getattr(self.providers, channel)


def _templates_here() -> Path:
    here = Path("templates")
    return here if here.is_dir() else EXAMPLE / "templates"


def _secrets_in(data: dict[str, Any], above: str = "") -> str | None:
    """The name of the first secret that is written in outreach.toml, as providers.lob.api_key."""
    for name, value in data.items():
        if name in SECRET_NAMES:
            return f"{above}{name}"
        if isinstance(value, dict) and (inner := _secrets_in(value, f"{above}{name}.")):
            return inner
    return None


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment, then OUTREACH_CONFIG or ./outreach.toml, then the defaults.

    Raises SettingsError naming each value that does not fit.
    """
    named = os.environ.get("OUTREACH_CONFIG")
    # pydantic-settings takes a file that is not there for an empty one: a slip in its name would run on the defaults.
    if named and not Path(named).is_file():
        raise SettingsError(f"OUTREACH_CONFIG names {named}, and there is no such file")
    try:
        return Settings(**overrides)
    # Asked first, for it is a ValueError too; so is what tomllib raises of a file that is no TOML.
    except ValidationError as error:
        lines = [f"  {'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise SettingsError("These settings do not fit (outreach.toml or OUTREACH_…):\n" + "\n".join(lines)) from error
    except ValueError as error:
        raise SettingsError(f"outreach.toml cannot be read: {error}") from error


def fixed_knobs(moment: str) -> frozenset[str]:
    """The knobs of a moment that the environment fixes: neither outreach.toml nor the desk changes these."""
    fixed = Environment(Settings)().get("moments", {})
    return frozenset(fixed.get(moment, {}))


def today_of(settings: Settings, now: datetime) -> date:
    """The business's date at `now`."""
    return business_date(now, settings.business.timezone)
