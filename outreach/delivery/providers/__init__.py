"""The list of the providers that carry messages, one file each, and where they are opened and closed."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import cast

from outreach.delivery.providers.protocol import (
    Cancels,
    Closes,
    ClosesItsDay,
    ComparesRequests,
    Handover,
    LogsIn,
    LookupResult,
    Provider,
    Report,
    WebhookRequest,
)
from outreach.errors import SettingsError
from outreach.settings import Settings, VendorSettings

FILES = ("outbox", "printroom")
VENDORS = ("lob", "postgrid", "stannp", "handwrytten", "sendgrid", "smtp", "twilio")
PROVIDERS = (*FILES, *VENDORS)
# Those that tell by webhooks what becomes of a message.
REPORTERS = ("lob", "postgrid", "stannp", "sendgrid", "twilio")

__all__ = [
    "FILES",
    "PROVIDERS",
    "REPORTERS",
    "VENDORS",
    "Cancels",
    "Closes",
    "ClosesItsDay",
    "ComparesRequests",
    "Handover",
    "LogsIn",
    "LookupResult",
    "Provider",
    "Report",
    "WebhookRequest",
    "open_providers",
    "open_vendor",
    "require_secrets",
    "vendor_settings",
]  # fmt: skip


@contextmanager
def open_providers(settings: Settings, given: Mapping[str, Provider] | None = None) -> Iterator[Mapping[str, Provider]]:
    """The providers that may carry anything today, by name, until the block ends; in rehearsal only `outbox`.

    In live mode those that write files, and each vendor whose secrets are set: one that carries nothing any more may
    still have to be asked about what it carried. `given` ones are used as they are. Raises SettingsError when a vendor
    in use lacks a secret.
    """
    if given is not None:
        yield given
        return
    require_secrets(settings)
    with ExitStack() as closing:
        carriers = {name: open_vendor(name, settings) for name in _names(settings)}
        for carrier in carriers.values():
            if isinstance(carrier, Closes):
                closing.callback(carrier.close)
        yield carriers


def _names(settings: Settings) -> list[str]:
    if settings.mode == "rehearsal":
        return ["outbox"]
    return [*FILES, *(name for name in VENDORS if not vendor_settings(settings, name).missing())]


def open_vendor(name: str, settings: Settings) -> Provider:
    """The provider of that name. Raises SettingsError where its settings do not fit together."""
    # A vendor's package may take a second to import, and most runs need none of them.
    module = import_module(f"outreach.delivery.providers.{name}")
    return cast(Provider, module.open_provider(settings))


def vendor_settings(settings: Settings, name: str) -> VendorSettings:
    return cast(VendorSettings, getattr(settings.providers, name))


def require_secrets(settings: Settings) -> None:
    """Raises SettingsError naming what a vendor in use lacks: its key, or the secret that proves its webhooks."""
    in_use = settings.providers.in_use if settings.mode == "live" else []
    lacking = [
        f"OUTREACH_PROVIDERS__{name}__{secret}".upper()
        for name in in_use
        if name in VENDORS
        for secret in vendor_settings(settings, name).missing()
    ]
    if lacking:
        raise SettingsError(
            f"Nothing is sent before these are set: {', '.join(lacking)}. Secrets come from the environment, or from a "
            "file that the same name with _FILE at its end names; what is no secret may stand in outreach.toml"
        )
