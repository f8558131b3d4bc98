"""The settings of those who carry the messages: `[providers]` in outreach.toml, with a part for each provider.

Keys and secrets come from the environment, or from a file that a `…_file` setting names; never from outreach.toml.
"""

from pathlib import Path
from typing import ClassVar, Literal, get_args

from pydantic import Field, SecretStr, field_validator

from outreach.settings.parts import Part
from outreach.settings.secrets import PartWithSecrets, secret_of

LetterProvider = Literal["outbox", "printroom", "lob", "postgrid", "stannp", "handwrytten"]
EmailProvider = Literal["outbox", "sendgrid", "smtp"]
TextProvider = Literal["outbox", "twilio"]
CallProvider = Literal["outbox"]
#: Who may carry what, by channel.
CARRIERS: dict[str, tuple[str, ...]] = {
    "letter": get_args(LetterProvider),
    "email": get_args(EmailProvider),
    "text": get_args(TextProvider),
    "call": get_args(CallProvider),
}
Provider = LetterProvider | EmailProvider | TextProvider | CallProvider


class ProviderSettings(Part):
    """A provider that writes files."""

    #: Where it puts its files.
    folder: Path | None = None
    #: Whether it may carry messages about health, and about debt: data that the law protects.
    health: bool = False
    debt: bool = False


class OutboxSettings(ProviderSettings):
    """Files of our own: they leave only by a person's hand, so that they may hold what the law protects."""

    folder: Path | None = Path("outbox")
    health: bool = True
    debt: bool = True


class PrintroomSettings(OutboxSettings):
    folder: Path | None = Path("printroom")


class VendorSettings(PartWithSecrets):
    """What every vendor has."""

    SECRETS: ClassVar[tuple[str, ...]] = ("api_key", "webhook_secret")

    #: Whether there is an agreement for messages about health, and for those about debt.
    health: bool = False
    debt: bool = False
    #: The address of its API.
    url: str = ""
    #: How long each wait on the network may last.
    timeout_seconds: float = Field(default=20, gt=0)
    #: Hand-overs in a second, by all senders together.
    per_second: float | None = Field(default=None, gt=0)
    #: A look-up that finds nothing so long after the last try proves that nothing arrived.
    absent_after_minutes: float = Field(default=60, ge=0)


class LetterVendorSettings(VendorSettings):
    """A vendor that prints."""

    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    #: It proves that a webhook is the vendor's own.
    webhook_secret: SecretStr | None = None
    webhook_secret_file: Path | None = None
    #: Letters are held back at the vendor for so long, and can be cancelled until then.
    cancel_hours: float = Field(default=4, ge=0)


class LobSettings(LetterVendorSettings):
    url: str = "https://api.lob.com/v1"
    # Lob allows 150 requests in five seconds.
    per_second: float | None = 25
    color: bool = True
    double_sided: bool = False


class PostgridSettings(LetterVendorSettings):
    url: str = "https://api.postgrid.com/print-mail/v1"
    # Not published for letters; PostGrid's check of addresses allows five a second.
    per_second: float | None = 5
    color: bool = True
    double_sided: bool = False


class StannpSettings(LetterVendorSettings):
    url: str = "https://api-us1.stannp.com/v1"
    # Stannp allows 300 requests a minute.
    per_second: float | None = 4
    #: Stannp cannot hold a letter back, so that no time to cancel is promised.
    cancel_hours: float = Field(default=0, ge=0)
    double_sided: bool = False


class HandwryttenSettings(VendorSettings):
    """Handwrytten writes the words with its own pens."""

    SECRETS: ClassVar[tuple[str, ...]] = ("api_key",)

    url: str = "https://api.handwrytten.com/v2"
    per_second: float | None = 1
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    #: The card to write on, from its list.
    card_id: str = ""
    #: The hand to write in, from its list.
    font: str = ""
    #: What the card holds; 500 to 800, says the vendor (handwrytten/mcp-server, DOCUMENTATION.md).
    most_characters: int = Field(default=800, ge=1)


class SendgridSettings(VendorSettings):
    SECRETS: ClassVar[tuple[str, ...]] = ("api_key",)

    url: str = "https://api.sendgrid.com"
    per_second: float | None = 100
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    #: The key that its signed webhooks are verified with.
    webhook_public_key: str = ""
    #: The account has the e-mail activity add-on, so that messages can be looked up.
    activity: bool = False
    #: The name of the key in the DNS that it signs with; s1 is the one that SendGrid gives first.
    dkim_selector: str = "s1"

    def missing(self) -> list[str]:
        # Without it no report of theirs is believed, and what is lost on the way to us stays uncertain.
        return super().missing() + ([] if self.webhook_public_key else ["webhook_public_key"])


class SmtpSettings(VendorSettings):
    """A mail server of one's own or of a host."""

    SECRETS: ClassVar[tuple[str, ...]] = ("password",)

    host: str = ""
    port: int = Field(default=587, ge=1, le=65535)
    #: How the connection is encrypted.
    security: Literal["starttls", "tls", "none"] = "starttls"
    #: The account, where the server asks for one.
    username: str = ""
    password: SecretStr | None = None
    password_file: Path | None = None
    per_second: float | None = 2
    #: The name of the key in the DNS that the server signs with, for `outreach doctor` to look at.
    dkim_selector: str = ""

    @field_validator("host")
    @classmethod
    def _without_brackets(cls, value: str) -> str:
        # An IPv6 address has them in a URL, and sockets do not know them.
        value = value.strip()
        return value[1:-1] if value.startswith("[") and value.endswith("]") else value

    def missing(self) -> list[str]:
        # Not what every vendor needs: a server in the house may take mail without an account.
        without_password = ["password"] if self.username and not secret_of(self.password) else []
        return without_password + ([] if self.host else ["host"])


class TwilioSettings(VendorSettings):
    SECRETS: ClassVar[tuple[str, ...]] = ("auth_token",)

    url: str = "https://api.twilio.com"
    per_second: float | None = 1
    account_sid: str = ""
    #: It also proves that a webhook is Twilio's own.
    auth_token: SecretStr | None = None
    auth_token_file: Path | None = None
    #: The number that texts come from, in E.164, or the id of a messaging service (MG…).
    sender: str = ""
    #: The id of an approved A2P 10DLC campaign, which a US long code needs, and what it was registered for.
    campaign: str = ""
    campaign_use: Literal["", "service", "marketing", "mixed"] = ""

    def missing(self) -> list[str]:
        return super().missing() + [name for name in ("account_sid", "sender") if not getattr(self, name)]


class Providers(Part):
    """Which provider carries each channel in live mode. In rehearsal everything goes to `outbox`.

    A part's defaults stand in its class, so that whoever writes one of its settings keeps the others.
    """

    letter: LetterProvider = "outbox"
    email: EmailProvider = "outbox"
    text: TextProvider = "outbox"
    call: CallProvider = "outbox"
    outbox: OutboxSettings = OutboxSettings()
    printroom: PrintroomSettings = PrintroomSettings()
    lob: LobSettings = LobSettings()
    postgrid: PostgridSettings = PostgridSettings()
    stannp: StannpSettings = StannpSettings()
    handwrytten: HandwryttenSettings = HandwryttenSettings()
    sendgrid: SendgridSettings = SendgridSettings()
    smtp: SmtpSettings = SmtpSettings()
    twilio: TwilioSettings = TwilioSettings()

    @property
    def in_use(self) -> list[str]:
        """The providers that carry some channel in live mode."""
        return sorted({self.letter, self.email, self.text, self.call})
