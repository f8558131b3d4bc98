"""What the business decides, in outreach.toml and in the environment. Each table has its class in a module here.

The defaults of a moment's knobs stand in its file in outreach/moments/; `moments` holds only what differs from them.
Secrets are never written in outreach.toml.
"""

from outreach.settings.business import Business, ReturnAddress, Signatory
from outreach.settings.loader import Settings, fixed_knobs, load_settings, today_of
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
)
from outreach.settings.secrets import secret_of

__all__ = [
    "WEEKDAYS", "Business", "HandwryttenSettings", "LetterVendorSettings", "LobSettings", "MomentKnobs",
    "Postage", "PostgridSettings", "Provider", "ProviderSettings", "Providers", "ReturnAddress", "Scaling",
    "SendgridSettings", "Settings", "Signatory", "SmtpSettings", "StannpSettings", "TwilioSettings", "VendorSettings",
    "Weekday", "fixed_knobs", "load_settings", "secret_of", "today_of",
]  # fmt: skip
