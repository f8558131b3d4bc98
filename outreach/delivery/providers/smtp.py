"""Gives e-mails to a mail server of one's own, or of a host: the sealed bytes unchanged, to one address each.

What is known changes with each step (RFC 5321): until DATA is answered nothing has left; from its first byte on, only
the server's answer after the final dot says what became of it. Nothing is sent twice, and nothing in the clear unasked.
"""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from outreach.delivery.providers.mail import read_sealed
from outreach.delivery.providers.protocol import NO_KEYS, Handover, Report, WebhookRequest, stand_in
from outreach.errors import ContactRefused, NoAnswer, NotSent, OutcomeUnknown, Refused, WebhookRefused
from outreach.provider_settings import SmtpSettings, secret_of
from outreach.settings import Settings

# RFC 3463 and RFC 7505: no such mailbox, no such domain, no such syntax, moved away, a domain that takes no mail.
DEAD_CONTACT = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
# RFC 4954: log in first, or wrongly; RFC 3463: the sender's address, or (as Gmail uses 5.4.5) the day's limit.
OUR_FAULT_CODES = frozenset({530, 534, 535, 538})
OUR_FAULT = frozenset({"5.1.7", "5.1.8", "5.4.5"})
# "Relay access denied" is 5.7.1: answered to a recipient it speaks of our account, and of everybody's mail.
POLICY = "5.7."
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?!\d)")


def open_provider(settings: Settings) -> "Smtp":
    return Smtp(settings.providers.smtp, settings.business.email)


class Smtp:
    name = "smtp"
    channels = frozenset({"email"})
    key_life = NO_KEYS
    absent_after = None

    def __init__(self, settings: SmtpSettings, sender: str) -> None:
        self.settings, self.sender = settings, sender
        self.per_second = settings.per_second
        self._tls = None if settings.security == "none" else ssl.create_default_context()

    def send(self, handover: Handover) -> str:
        """The Message-ID, once the server has taken the message; see the module on what each failure says."""
        message, address = read_sealed(handover)
        with self._connected() as server:
            options = _options_for(server, handover)
            handover.require_time()
            _give_envelope(server, self.sender, address, options)
            _give_content(server, handover.content)
        return str(message["Message-ID"] or stand_in(handover.key))

    def log_in(self) -> None:
        """Connects, encrypts and logs in, and gives no message. Raises NotSent, saying which step failed."""
        with self._connected():
            pass

    def find(self, handover: Handover) -> list[str]:
        raise NoAnswer(f"a mail server cannot be asked what it took; look for {handover.reference} in its log")

    def parse_events(self, request: WebhookRequest) -> list[Report]:
        raise WebhookRefused("a mail server sends no webhooks")

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """A connection that is as safe as asked for and logged in; one for each message. Raises NotSent."""
        with _nothing_left():
            server = self._connect()
        try:
            with _nothing_left():
                self._enter(server)
            yield server
        finally:
            # Its goodbye is not waited for: whatever is known by now must be written down soon.
            with suppress(smtplib.SMTPException, OSError):
                server.putcmd("QUIT")
            server.close()

    def _connect(self) -> smtplib.SMTP:
        where = (self.settings.host, self.settings.port)
        # A name is given because smtplib would ask the DNS for ours, with no time-out.
        ours, timeout = self.sender.rpartition("@")[2], self.settings.timeout_seconds
        if self.settings.security == "tls":
            return smtplib.SMTP_SSL(*where, local_hostname=ours, timeout=timeout, context=self._tls)
        return smtplib.SMTP(*where, local_hostname=ours, timeout=timeout)

    def _enter(self, server: smtplib.SMTP) -> None:
        _greet(server)
        if self.settings.security == "starttls":
            server.starttls(context=self._tls)
            # What it said before the encryption counts for nothing (RFC 3207, 4.2).
            _greet(server)
        if self.settings.username:
            server.login(self.settings.username, secret_of(self.settings.password))


def _greet(server: smtplib.SMTP) -> None:
    code, reply = server.ehlo()
    if not _is_yes(code):
        raise smtplib.SMTPHeloError(code, reply)


@contextmanager
def _nothing_left() -> Iterator[None]:
    """Any failure in this block came before a byte of the message: NotSent. Never tells the server's own words."""
    try:
        yield
    except smtplib.SMTPNotSupportedError as error:
        raise NotSent("the mail server lacks the encryption or the login that is set under [providers.smtp]") from error
    except smtplib.SMTPAuthenticationError as error:
        what = f"the mail server refuses the name or the password ({error.smtp_code})"
        raise NotSent(f"{what}: set providers.smtp.username and its password anew") from error
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"the mail server does not let us in ({error.smtp_code}); check the name and password") from error
    except ssl.SSLError as error:
        raise NotSent("the mail server cannot be trusted: its certificate is wrong") from error
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        what = f"the mail server did not answer ({type(error).__name__})"
        raise NotSent(f"{what} before anything had left; the next run tries again") from error


def _options_for(server: smtplib.SMTP, handover: Handover) -> list[str]:
    """The MAIL options without which the bytes could not pass unchanged. Raises Refused where the server lacks one."""
    head = handover.content.partition(b"\r\n\r\n")[0]
    needed = {
        "SMTPUTF8": not (head.isascii() and handover.recipient["email"].isascii()),
        "8BITMIME": not handover.content.isascii(),
    }
    if missing := [name for name, is_needed in needed.items() if is_needed and not server.has_extn(name)]:
        what = f"{handover.reference} has letters that this mail server cannot carry ({', '.join(missing)})"
        raise Refused(f"{what}; send it another way")
    options = {"SMTPUTF8": "SMTPUTF8", "8BITMIME": "BODY=8BITMIME"}
    return [options[name] for name, is_needed in needed.items() if is_needed]


def _give_envelope(server: smtplib.SMTP, sender: str, address: str, options: list[str]) -> None:
    """Names the sender and the one recipient. Raises NotSent, or Refused where the recipient is what is wrong."""
    with _nothing_left():
        code, _ = server.mail(sender, options)
        if not _is_yes(code):
            raise NotSent(f"the mail server does not take our mail ({code}); check business.email and its account")
        code, reply = server.rcpt(address)
    if _is_yes(code):
        return
    enhanced = _enhanced(reply)
    said = f"{code} {enhanced}".strip()
    if not _is_no(code) or _is_our_fault(code, enhanced) or enhanced.startswith(POLICY):
        raise NotSent(f"the mail server does not take mail for this address now ({said}); the next run tries again")
    if enhanced in DEAD_CONTACT:
        raise ContactRefused(f"the e-mail address does not exist ({said}); ask the customer for another", "bounced")
    raise Refused(f"the mail server refuses the e-mail address ({said}); ask the customer for another")


def _give_content(server: smtplib.SMTP, content: bytes) -> None:
    """The message and the dot that ends it; returns once it is taken, and else raises what the answer says."""
    with _nothing_left():
        code, reply = server.docmd("DATA")
    if code != 354:
        raise _refusal(code, reply)
    # A line's first dot is doubled and undoubled on the way (RFC 5321, 4.5.2): the bytes arrive as they were sealed.
    lines = re.sub(rb"(?m)^\.", b"..", content)
    ending = b".\r\n" if lines.endswith(b"\r\n") else b"\r\n.\r\n"
    try:
        server.send(lines + ending)
        code, reply = server.getreply()
    except (smtplib.SMTPException, OSError) as error:
        what = f"the mail server did not answer ({type(error).__name__}) after the message had left"
        raise OutcomeUnknown(f"{what}; look in its log before anything is sent again") from error
    if not _is_yes(code):
        raise _refusal(code, reply)


def _refusal(code: int, reply: bytes) -> Exception:
    """What an answer to DATA other than yes says: 4xx is not now, 5xx is never, and anything else says nothing."""
    enhanced = _enhanced(reply)
    said = f"{code} {enhanced}".strip()
    if 400 <= code < 500 or _is_our_fault(code, enhanced):
        return NotSent(f"the mail server does not take it now ({said}); the next run tries again")
    if _is_no(code):
        return Refused(f"the mail server refuses the message ({said}); ask whoever runs it why")
    return OutcomeUnknown("the mail server gave no answer that can be read; look in its log before it is sent again")


def _is_yes(code: int) -> bool:
    return 200 <= code < 300


def _is_no(code: int) -> bool:
    return 500 <= code < 600


def _is_our_fault(code: int, enhanced: str) -> bool:
    return code in OUR_FAULT_CODES or enhanced in OUR_FAULT


def _enhanced(reply: bytes) -> str:
    """The enhanced status code an answer opens with (RFC 2034), or nothing; its words may hold an address."""
    found = _ENHANCED.match(reply)
    return found[0].decode() if found else ""
