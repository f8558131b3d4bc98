"""What the business decides, in outreach.toml and the environment. This is the one import for the whole of it.

Each moment's knobs have their defaults in its file in outreach/moments/; `moments` is what differs from them.
Secrets are never written in outreach.toml.
"""

from outreach.settings.business import Business, ReturnAddress, Signatory
from outreach.settings.loader import PROJECT, Settings, fixed_knobs, load_settings, today_of
from outreach.settings.paper import Postage
from outreach.settings.parts import WEEKDAYS, MomentKnobs, Scaling, Weekday
from outreach.settings.providers import (
    HandwryttenSettings,
    LetterVendorSettings,
    LobSettings,
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

__all__ = [
    "PROJECT", "WEEKDAYS", "Business", "HandwryttenSettings", "LetterVendorSettings", "LobSettings", "MomentKnobs",
    "Postage", "PostgridSettings", "Provider", "ProviderSettings", "Providers", "ReturnAddress", "Scaling",
    "SendgridSettings", "Settings", "Signatory", "SmtpSettings", "StannpSettings", "TwilioSettings", "VendorSettings",
    "Weekday", "fixed_knobs", "load_settings", "secret_of", "today_of",
]  # fmt: skip
