"""The settings of the desk: `[desk]` in outreach.toml. They say who may sign in there and for how long."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import ClassVar

from pydantic import Field, SecretStr

from outreach.settings.parts import Part
from outreach.settings.secrets import PartWithSecrets, secret_of


class OidcSettings(PartWithSecrets):
    """Sign-in with an account that staff have elsewhere (OpenID Connect)."""

    SECRETS: ClassVar[tuple[str, ...]] = ("client_secret",)

    #: The address of the service, written exactly as the service writes it.
    issuer: str = ""
    #: The id that the service gave to this desk.
    client_id: str = ""
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    #: What the button calls the account.
    name: str = "your work account"
    #: How long each wait on the service may last.
    timeout_seconds: float = Field(default=10, gt=0)

    @property
    def is_set(self) -> bool:
        """Whether people can sign in with it: all three are there."""
        return bool(self.issuer and self.client_id and secret_of(self.client_secret))


class DeskSettings(Part):
    """Where the desk is and how long a sign-in lasts there."""

    #: Where staff open the desk, for links to it; without it, `business.public_url` is.
    url: str = ""
    #: A sign-in ends so long after it began …
    session_hours: float = Field(default=12, gt=0)
    #: … and sooner when it was not used for so long.
    idle_minutes: float = Field(default=120, gt=0)
    # Nobody by default: any caller can write such a header, and would get around the wait after failed sign-ins.
    #: Only these are believed when they say on whose behalf they call.
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    #: What is given to the desk to import may have so many megabytes at once.
    upload_megabytes: int = Field(default=200, ge=1, le=10_000)
    oidc: OidcSettings = OidcSettings()
