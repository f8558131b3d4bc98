"""A new provider is one file, a name in two lists, and its settings: one is added to a copy of the program.

It follows CONTRIBUTING's table, and then carries an e-mail in live mode, once.
"""

import json
import shutil
from pathlib import Path

from checkout import PROJECT
from forked_command import changed_program

COURIER = '''"""Hands e-mails to a courier, who finds them in a folder."""

from datetime import timedelta
from pathlib import Path

from outreach.delivery.providers.protocol import FOR_EVER, Handover, Report, WebhookRequest
from outreach.errors import NotSent, WebhookRefused
from outreach.settings import Settings


def open_provider(settings: Settings) -> "Courier":
    return Courier(settings.providers.courier.bag)


class Courier:
    name = "courier"
    channels = frozenset({"email"})
    key_life = FOR_EVER
    absent_after = timedelta(0)
    per_second = None

    def __init__(self, bag: Path) -> None:
        self.bag = bag

    def send(self, handover: Handover) -> str:
        handover.require_time()
        try:
            self.bag.mkdir(exist_ok=True)
            (self.bag / f"{handover.reference}.eml").write_bytes(handover.content)
        except OSError as error:
            raise NotSent(f"the bag cannot be written ({error.strerror})") from error
        return handover.reference

    def find(self, handover: Handover) -> list[str]:
        return [path.stem for path in self.bag.glob(f"{handover.reference}.eml")]

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        raise WebhookRefused("a courier sends no webhooks")
'''
CUSTOMERS = "customer_id,given_name,email\nC1,Maria,maria@home.example\n"
CONSENTS = "customer_id,channel,purpose,state,at\nC1,email,service,granted,2025-01-01T00:00Z\n"
SETTINGS = """mode = "live"
start_on = 2026-01-01
[business]
name = "Alder Lane"
address = ["14 Alder Lane", "Burlington, VT 05401"]
phone = "+1 802 555 0140"
email = "hello@alderlane.example"
public_url = "https://outreach.alderlane.example"
[[business.signatories]]
name = "Nora Whitcomb"
consent_on = 2025-01-01
[providers]
email = "courier"
[providers.courier]
bag = "bag"
"""


def add_provider(copy: Path) -> None:
    """What CONTRIBUTING's table says: the file, the list of providers, and the settings."""
    shutil.copytree(PROJECT / "outreach", copy / "outreach", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECT / "templates", copy / "templates")
    (copy / "outreach" / "delivery" / "providers" / "courier.py").write_text(COURIER)
    change(copy, "delivery/providers/__init__.py", 'FILES = ("outbox", ', 'FILES = ("courier", "outbox", ')
    settings = "settings/providers.py"
    change(copy, settings, 'EmailProvider = Literal["outbox", ', 'EmailProvider = Literal["courier", "outbox", ')
    part = 'class CourierSettings(ProviderSettings):\n    bag: Path = Path("bag")\n\n\nclass Providers(Part):'
    change(copy, settings, "class Providers(Part):", part)
    field = "    courier: CourierSettings = CourierSettings()\n    outbox: OutboxSettings"
    change(copy, settings, "    outbox: OutboxSettings", field)


def change(copy: Path, name: str, before: str, after: str) -> None:
    path = copy / "outreach" / name
    source = path.read_text()
    assert before in source, name
    path.write_text(source.replace(before, after, 1))


def test_a_new_provider_carries_a_message_once_and_names_it(tmp_path: Path) -> None:
    add_provider(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "customers.csv").write_text(CUSTOMERS)
    (tmp_path / "data" / "consents.csv").write_text(CONSENTS)
    (tmp_path / "hit.csv").write_text("customer_id\nC1\n")
    (tmp_path / "outreach.toml").write_text(SETTINGS)

    with changed_program(tmp_path) as outreach:
        outreach("import", "data")
        outreach("staff", "add", "ann", "--name", "Ann", "--role", "admin")
        outreach("staff", "add", "ben", "--name", "Ben", "--role", "approver")
        outreach("goodwill", "--file", "hit.csv", "--event", "the storm", "--by", "ann")
        outreach("prepare", "--on", "2026-03-10", "--moment", "goodwill")
        (batch,) = json.loads(outreach("batches", "--json"))
        outreach("approve", batch["batch_id"], "--by", "ben")
        assert json.loads(outreach("deliver", "--json"))["sent"] == {"email": 1}
        outreach("deliver")
    (letter,) = (tmp_path / "bag").iterdir()
    assert b"maria@home.example" in letter.read_bytes()
