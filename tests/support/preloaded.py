"""What processes are forked with: the rooms and this suite imported, and fonts, pens and templates read.

A process that reads them for itself takes three seconds longer before it does what a test is about.
"""

import gc
import sys
from datetime import date
from pathlib import Path

# The server that forks was not told where the tests look for their modules.
TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "support")]

import conftest  # noqa: F401 - every module of tests imports it
import outreach.approval.accounts
import outreach.composing.run
import outreach.delivery.sender
import outreach.planning.run  # noqa: F401
from outreach.composing.templating.templates import Templates
from outreach.doctor.specimens import compose_specimen
from outreach.settings import Business, Signatory, load_settings


def write_letter() -> None:
    """One letter, which nobody gets."""
    signs = Signatory(name="Nora Whitcomb", role="front desk", consent_on=date(2025, 1, 1))
    business = Business(
        name="Alder Lane", address=["14 Alder Lane"], phone="+1 802 555 0140", email="us@x.example", signatories=[signs]
    )
    settings = load_settings(secret="a secret for tests only", business=business)
    words = Templates(settings.templates).find("anniversary", "letter", ["en"])
    compose_specimen(settings, b"key", words, date(2026, 3, 10))


write_letter()
# Else each child copies all of this, only to look through it for rubbish.
gc.freeze()
