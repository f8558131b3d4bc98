"""A real SMTP server on 127.0.0.1 (aiosmtpd) that keeps what it is given, and misbehaves where it is told to."""

import asyncio
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from outreach.settings.providers import SmtpSettings

USER, PASSWORD = "front-desk", "a password for tests only"


@dataclass(frozen=True)
class Taken:
    sender: str
    recipients: list[str]
    options: list[str]
    content: bytes
    was_encrypted: bool

    @property
    def sealed(self) -> bytes:
        """All but the Date: what is true only when it leaves is outside the seal."""
        dated, _, sealed = self.content.partition(b"\r\n")
        assert dated.startswith(b"Date: ")
        return sealed


@dataclass
class MailServer:
    """`faults`: at a step (a verb, or "." for the end of the data) "drop" hangs up, "hang" says nothing for as long as
    the client waits, and anything else is the answer. "RCPT ada@x.example" and ". ada@x.example" are of one recipient;
    a step of `slow` is answered so many seconds later.
    """

    faults: dict[str, str] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    port: int = 0
    slow: dict[str, float] = field(default_factory=dict)

    async def handle_DATA(self, server: "_Server", session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        encrypted = server.transport.get_extra_info("sslcontext") is not None
        self.taken.append(
            Taken(envelope.mail_from or "", list(envelope.rcpt_tos), list(envelope.mail_options), content, encrypted)
        )
        fault = self.faults.get(f". {envelope.rcpt_tos[0]}") or self.faults.get(".", "250 2.0.0 taken")
        return "250 never said" if await server.misbehave(fault) else fault


class _Server(SMTP):
    event_handler: MailServer

    async def misbehave(self, fault: str) -> bool:
        if fault == "drop":
            self.transport.abort()
        elif fault == "hang":
            await asyncio.sleep(60)
        return fault in {"drop", "hang"}

    async def _answered(self, step: str) -> bool:
        """Whether a fault took the place of what the server would do."""
        verb = step.partition(" ")[0]
        self.event_handler.commands.append(verb)
        await asyncio.sleep(self.event_handler.slow.get(verb, 0))
        fault = self.event_handler.faults.get(step) or self.event_handler.faults.get(verb)
        if fault is None:
            return False
        if not await self.misbehave(fault):
            await self.push(fault)
        return True

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        if not await self._answered("EHLO"):
            await super().smtp_EHLO(hostname)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802
        if not await self._answered("STARTTLS"):
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        if not await self._answered("AUTH"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        if not await self._answered("MAIL"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        if not await self._answered(f"RCPT {(arg or '').partition('<')[2].partition('>')[0]}"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if not await self._answered("DATA"):
            await super().smtp_DATA(arg)


def _knows(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and data == LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


@contextmanager
def mail_server(
    faults: dict[str, str] | None = None, *, starttls: Path | None = None, tls: Path | None = None, login: bool = False,
    utf8: bool = True,
) -> Iterator[MailServer]:  # fmt: skip
    """The server while the block runs; `starttls` or `tls` is the file of its certificate and key."""
    kept = MailServer(faults or {})
    options: dict[str, Any] = {"hostname": "mail.example", "enable_SMTPUTF8": utf8, "timeout": 60}
    if starttls:
        options |= {"tls_context": _context(starttls), "require_starttls": True}
    if login:
        options |= {"authenticator": _knows, "auth_required": True, "auth_require_tls": True}
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    listening = loop.create_server(
        lambda: _Server(kept, loop=loop, **options), "127.0.0.1", 0, ssl=_context(tls) if tls else None
    )
    server = asyncio.run_coroutine_threadsafe(listening, loop).result()
    kept.port = server.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    # Lets the transports notice that they are closed.
    await asyncio.sleep(0.01)


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def write_certificate(path: Path, address: str = "127.0.0.1") -> Path:
    """A certificate for an address, signed by itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(made.public_bytes(encoding) + key.private_bytes(encoding, form, serialization.NoEncryption()))
    return path


def smtp_settings(server: MailServer, **changes: Any) -> SmtpSettings:
    plain = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout_seconds": 5}
    return SmtpSettings(**(plain | changes))
