"""Gives e-mails to a mail server of one's own, or of a host: the sealed bytes below a Date, to one address each.

What is known changes with each step (RFC 5321): until the final dot is given nothing has left; from then on, only the
server's answer to it says what became of it. Nothing is sent twice, and nothing in the clear unasked.
"""

import io
import re
import select
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from outreach.channels import EMAIL
from outreach.clock import steady_seconds
from outreach.delivery.providers.dead_addresses import says_no_such_address
from outreach.delivery.providers.protocol import NO_KEYS, Handover, Report, WebhookRequest, stand_in
from outreach.delivery.providers.sealed_mail import dated, read_sealed
from outreach.delivery.providers.smtp_login import log_in
from outreach.errors import ContactRefused, NoAnswer, NotNow, NotSent, OutcomeUnknown, Refused, WebhookRefused
from outreach.settings import Settings
from outreach.settings.providers import SmtpSettings
from outreach.settings.secrets import secret_of

# RFC 4954: log in first, or wrongly; RFC 3463: the sender's address, or (as Gmail uses 5.4.5) the day's limit.
OUR_FAULT_CODES = frozenset({530, 534, 535, 538})
OUR_FAULT = frozenset({"5.1.7", "5.1.8", "5.4.5"})
# "Relay access denied" is 5.7.1: answered to a recipient it may speak of our account as well as of them, and passes.
POLICY = "5.7."
# A server that hangs up in the middle is noticed before the final dot, if it does so within so many seconds.
HANGS_UP_WITHIN = 0.05
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?!\d)")


def open_provider(settings: Settings) -> "Smtp":
    return Smtp(settings.providers.smtp, settings.business.email)


class Smtp:
    name = "smtp"
    channels = frozenset({EMAIL.name})
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
            _give_content(server, replace(handover, content=dated(handover)))
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
            return _TlsConversation(*where, local_hostname=ours, timeout=timeout, context=self._tls)
        return _Conversation(*where, local_hostname=ours, timeout=timeout)

    def _enter(self, server: smtplib.SMTP) -> None:
        _greet(server)
        if self.settings.security == "starttls":
            server.starttls(context=self._tls)
            # What it said before the encryption counts for nothing (RFC 3207, 4.2).
            _greet(server)
        if self.settings.username:
            log_in(server, self.settings.username, secret_of(self.settings.password))


class _ReplyLines(io.RawIOBase):
    """What a server says, as long as its answer has not taken longer than the time-out in all.

    A time-out of the socket alone begins anew with every byte, and a server that drips them would hold us for ever.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection, self.timeout = connection, connection.gettimeout() or 0.0
        self.answer_by = steady_seconds() + self.timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        remaining = self.answer_by - steady_seconds()
        if remaining <= 0:
            raise TimeoutError("the answer came too slowly")
        self.connection.settimeout(remaining)
        try:
            return self.connection.recv_into(buffer)
        finally:
            self.connection.settimeout(self.timeout)


class _Conversation(smtplib.SMTP):
    """One connection, with one time for each whole answer."""

    lines: _ReplyLines | None = None

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.lines = _ReplyLines(self.sock)
            self.file = io.BufferedReader(self.lines)
        if self.lines is not None:
            self.lines.answer_by = steady_seconds() + self.lines.timeout
        return super().getreply()


class _TlsConversation(_Conversation, smtplib.SMTP_SSL):
    """The same, encrypted from its first byte."""


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
    """Names the sender and the one recipient. Raises NotSent; NotNow or Refused where it is about the recipient."""
    with _nothing_left():
        code, _ = server.mail(sender, options)
        if not _is_yes(code):
            raise NotSent(f"the mail server does not take our mail ({code}); check business.email and its account")
        code, reply = server.rcpt(address)
    if _is_yes(code):
        return
    enhanced = _enhanced(reply)
    codes = f"{code} {enhanced}".strip()
    if _is_our_fault(code, enhanced):
        raise NotSent(f"the mail server takes nothing from us just now ({codes}); check its account")
    if not _is_no(code) or enhanced.startswith(POLICY):
        raise NotNow(f"the mail server does not take mail for this address now ({codes})")
    if _is_dead(code, reply):
        raise _no_such_address(codes)
    raise Refused(f"the mail server refuses the e-mail address ({codes}); ask the customer for another")


def _give_content(server: smtplib.SMTP, handover: Handover) -> None:
    """The message and the dot that ends it; returns once it is taken, and else raises what the answer says."""
    with _nothing_left():
        code, reply = server.docmd("DATA")
    if code != 354:
        raise _refusal(code, reply)
    _require_time(server, handover)
    # A line's first dot is doubled and undoubled on the way (RFC 5321, 4.5.2): the bytes arrive as they were sealed.
    lines = re.sub(rb"(?m)^\.", b"..", handover.content)
    ending = b".\r\n" if lines.endswith(b"\r\n") else b"\r\n.\r\n"
    # Without the final dot a server has no message (RFC 5321, 4.1.1.4): what breaks before it has sent nothing.
    with _nothing_left():
        server.send(lines)
        _require_open(server)
    try:
        server.send(ending)
        code, reply = server.getreply()
    except (smtplib.SMTPException, OSError) as error:
        what = f"the mail server did not answer ({type(error).__name__}) after the message had left"
        raise OutcomeUnknown(f"{what}; look in its log before anything is sent again") from error
    if not _is_yes(code):
        raise _refusal(code, reply)


def _require_open(server: smtplib.SMTP) -> None:
    """Raises SMTPServerDisconnected where the server has hung up on the content; waits a moment for it to do so."""
    connection = server.sock
    if connection is None:
        raise smtplib.SMTPServerDisconnected("the connection is closed")
    if not select.select([connection], [], [], HANGS_UP_WITHIN)[0]:
        return
    # Looked at beneath any encryption, and taken from nobody: only whether it is the end matters.
    if not socket.socket.recv(connection, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
        raise smtplib.SMTPServerDisconnected("the connection is closed")


def _require_time(server: smtplib.SMTP, handover: Handover) -> None:
    """Asks whether the message may still leave; where not, nothing that follows may be taken for its words."""
    try:
        handover.require_time()
    except NotSent:
        server.close()
        raise


def _refusal(code: int, reply: bytes) -> Exception:
    """What an answer to DATA other than yes says: 4xx is not now, 5xx is never, and anything else says nothing."""
    enhanced = _enhanced(reply)
    codes = f"{code} {enhanced}".strip()
    if _is_our_fault(code, enhanced):
        return NotSent(f"the mail server takes nothing from us just now ({codes}); check its account")
    if 400 <= code < 500:
        return NotNow(f"the mail server does not take it now ({codes})")
    if _is_dead(code, reply):
        return _no_such_address(codes)
    if _is_no(code):
        return Refused(f"the mail server refuses the message ({codes}); ask whoever runs it why")
    return OutcomeUnknown("the mail server gave no answer that can be read; look in its log before it is sent again")


def _is_dead(code: int, reply: bytes) -> bool:
    """Whether the recipient is refused for good because there is no such address; servers say so after DATA as well."""
    return _is_no(code) and says_no_such_address(_enhanced(reply), reply.decode("utf-8", "replace"), code)


def _no_such_address(said: str) -> ContactRefused:
    return ContactRefused(f"the e-mail address does not exist ({said}); ask the customer for another", "bounced")


def _is_yes(code: int) -> bool:
    return 200 <= code < 300


def _is_no(code: int) -> bool:
    return 500 <= code < 600


def _is_our_fault(code: int, enhanced: str) -> bool:
    return code in OUR_FAULT_CODES or enhanced in OUR_FAULT


def _enhanced(reply: bytes) -> str:
    """The enhanced status code an answer opens with (RFC 2034), or nothing; its words may hold an address."""
    code = _ENHANCED.match(reply)
    return code[0].decode() if code else ""
