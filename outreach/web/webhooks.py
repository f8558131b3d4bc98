"""Takes the webhooks of providers: those that prove who sent them are kept and acted on.

Anything else is refused, and leaves nothing but a count, with the reason in our own words, and a line in the log
without anybody's data. The count is written down at once, and then once a minute at most, whoever calls how often.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol, runtime_checkable

from fastapi import HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from outreach.clock import Clock
from outreach.delivery.providers import (
    VENDORS,
    Closes,
    Provider,
    Report,
    WebhookRequest,
    open_vendor,
    vendor_settings,
)
from outreach.errors import SettingsError, WebhookRefused
from outreach.settings import Settings
from outreach.tracking.replies import answer_help
from outreach.tracking.webhooks import apply_webhook, record_refused, store_webhook

log = logging.getLogger("outreach.web")
MAX_BODY = 1024 * 1024
COUNTED_EVERY = timedelta(minutes=1)


@runtime_checkable
class Answers(Protocol):
    """A provider that is told in our answer what to text back."""

    def answer(self, request: WebhookRequest, words: str | None) -> tuple[bytes, str]:
        """The answer's body and its media type."""
        ...


class Webhooks:
    """The providers that may report to us: those whose secrets are set, in rehearsal too. `refused` counts by name."""

    def __init__(
        self, engine: Engine, settings: Settings, clock: Clock, providers: Mapping[str, Provider] | None = None
    ) -> None:
        self.engine, self.settings, self.clock, self.given = engine, settings, clock, providers
        self.refused: Counter[str] = Counter()
        self.written: Counter[str] = Counter()
        self.written_at: dict[str, datetime] = {}
        self.opened: dict[str, Provider] = {}
        self.opening = Lock()

    async def take(self, provider: str, request: Request) -> Response:
        """Keeps a genuine request and acts on it; 401 for any other, 413 for one that is too long."""
        if provider not in (self.given if self.given is not None else VENDORS):
            raise HTTPException(404)
        body = await read_body(request, MAX_BODY)
        if body is None:
            return Response(status_code=413)
        called = WebhookRequest(
            url=_called_address(self.settings.business.public_url, request),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            received_at=self.clock(),
        )
        return await run_in_threadpool(self._take, provider, called)

    def _take(self, name: str, request: WebhookRequest) -> Response:
        try:
            carrier = self._open(name)
            reports = carrier.parse_events(request)
        except WebhookRefused as error:
            log.warning("a webhook for %s was refused: %s", name, error)
            self._count_refused(name, str(error), request.received_at)
            return Response(status_code=401)
        except SettingsError as error:
            # It may well be genuine: once the settings are mended, the vendor can say it again.
            log.error("webhooks for %s cannot be read: %s", name, error)
            return Response(status_code=503)
        words = self._act(store_webhook(self.engine, name, request), reports)
        if not isinstance(carrier, Answers):
            return Response(status_code=200)
        content, media_type = carrier.answer(request, words)
        return Response(content, media_type=media_type)

    def _count_refused(self, name: str, reason: str, at: datetime) -> None:
        with self.opening:
            self.refused[name] += 1
            number = self.refused[name] - self.written[name]
            last = self.written_at.get(name)
            # A clock that was set back must not keep the count from being written down.
            if last is not None and last <= at < last + COUNTED_EVERY:
                return
            # At most one write a minute: whoever floods us with forged requests must not keep the database busy.
            self.written[name], self.written_at[name] = self.refused[name], at
        try:
            record_refused(self.engine, name, number, reason, at)
        except SQLAlchemyError as error:
            log.error("refused webhooks for %s cannot be counted (%s)", name, type(error).__name__)

    def _act(self, webhook_id: int, reports: list[Report]) -> str | None:
        """What to text back, if anything. The request is kept already: a failure here is made good by `outreach track`.

        STOP and START get no words of ours: Twilio confirms them itself, and one confirmation is the most there may be.
        """
        try:
            meanings = apply_webhook(self.engine, self.settings, webhook_id, reports, self.clock())
        except Exception as error:
            log.error("webhook %s waits for the next tracking run (%s)", webhook_id, type(error).__name__)
            return None
        return answer_help(self.settings.business) if "help" in meanings else None

    def _open(self, name: str) -> Provider:
        """The provider, opened once. Raises WebhookRefused where the secret that proves its webhooks is not set."""
        if self.given is not None:
            return self.given[name]
        if vendor_settings(self.settings, name).missing():
            raise WebhookRefused("its secrets are not set, so nothing can be proved")
        with self.opening:
            if name not in self.opened:
                self.opened[name] = open_vendor(name, self.settings)
            return self.opened[name]

    def close(self) -> None:
        for carrier in self.opened.values():
            if isinstance(carrier, Closes):
                carrier.close()


async def read_body(request: Request, most: int) -> bytes | None:
    """The body, or None as soon as it is longer than `most` bytes; what is too long is not even read to its end."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            return None
    return bytes(body)


def _called_address(public_url: str, request: Request) -> str:
    """The address as the provider called and signed it: a proxy in front of us has put its own host in its place."""
    # Byte for byte: a signature is over the address as it was called, before anything in it was decoded.
    path = bytes(request.scope.get("raw_path") or request.url.path.encode()).decode("latin-1")
    query = bytes(request.scope["query_string"]).decode("latin-1")
    return f"{public_url.rstrip('/')}{path}{'?' if query else ''}{query}"
