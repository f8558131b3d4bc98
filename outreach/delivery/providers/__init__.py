"""Who carries messages, one file each. This is the list of those that are built."""

from collections.abc import Mapping
from pathlib import Path

from outreach.delivery.providers.outbox import Outbox
from outreach.delivery.providers.printroom import Printroom
from outreach.delivery.providers.protocol import ClosesItsDay, Handover, Provider
from outreach.settings import Settings

PROVIDERS = ("outbox", "printroom")

__all__ = ["PROVIDERS", "ClosesItsDay", "Handover", "Provider", "open_providers"]


def open_providers(settings: Settings) -> Mapping[str, Provider]:
    """The providers that may carry anything today, by name: in rehearsal only the files of `outbox`."""
    chosen = settings.providers
    outbox = Outbox(chosen.outbox.folder or Path("outbox"))
    if settings.mode == "rehearsal":
        return {outbox.name: outbox}
    printroom = Printroom(chosen.printroom.folder or Path("printroom"))
    return {outbox.name: outbox, printroom.name: printroom}
