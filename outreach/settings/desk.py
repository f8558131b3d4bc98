"""What the business decides about the desk: `[desk]` in outreach.toml, who may sign in there and for how long."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import ClassVar

from pydantic import Field, SecretStr

from outreach.settings.parts import Part
from outreach.settings.providers import PartWithSecrets, secret_of


class OidcSettings(PartWithSecrets):
    """Signing in with the account people have elsewhere (OpenID Connect): `issuer` is its address, as in its own words.

    `name` is what the button calls it. `timeout_seconds` bounds each wait on it.
    """

    SECRETS: ClassVar[tuple[str, ...]] = ("client_secret",)

    issuer: str = ""
    client_id: str = ""
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    name: str = "your work account"
    timeout_seconds: float = Field(default=10, gt=0)

    @property
    def is_set(self) -> bool:
        """Whether people can sign in with it: all three are there."""
        return bool(self.issuer and self.client_id and secret_of(self.client_secret))


class DeskSettings(Part):
    """`url` is where staff open the desk, for links to it; without one, `business.public_url` is.

    A sign-in ends `session_hours` after it began, and sooner when it was not used for `idle_minutes`.

    Only the `trusted_proxies` are believed when they say on whose behalf they call.
    """

    url: str = ""
    session_hours: float = Field(default=12, gt=0)
    idle_minutes: float = Field(default=120, gt=0)
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    oidc: OidcSettings = OidcSettings()
