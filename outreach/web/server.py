"""Listens on a port with the pages, and lets nobody hold a connection who does not use it.

The only file that knows the web server's program. It holds no rule of the pages themselves.
"""

import asyncio
import socket
from typing import Any, Literal

from sqlalchemy import Engine
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from outreach.clock import Clock
from outreach.errors import SettingsError
from outreach.settings import Settings
from outreach.web.access import LONG_BODY
from outreach.web.app import create_app

__all__ = ["Server", "address_of", "bare_host", "pages_server", "refuse_taken"]

Waits = Literal["for a request", "for its body", "for a reader", "for us"]
# Seconds that a client may take to ask, to send the rest of what it asks with, and to read all of the answer.
PATIENCE: dict[Waits, float] = {"for a request": 10, "for its body": 30, "for a reader": 60}
LOOK_EVERY = 1.0
# The line of somebody who may send a large file may be this slow, in bytes a second.
SLOWEST_LINE = 32 * 1024


class BoundedProtocol(H11Protocol):
    """A connection that is cut off when the other side is too slow; the web server itself would wait for ever.

    What we take to answer counts for nothing, and neither does a byte now and then.
    """

    _waits: tuple[Waits, object]
    _since: float
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._waits, self._since = ("for a request", None), self.loop.time()
        self._look = self.loop.call_later(LOOK_EVERY, self._look_after)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._look:
            self._look.cancel()
        super().connection_lost(exc)

    def _look_after(self) -> None:
        # With the request it is of: the next one on the same connection has its own time.
        waits = (self._waits_for(), self.cycle)
        if waits != self._waits:
            self._waits, self._since = waits, self.loop.time()
        elif self.loop.time() - self._since > self._patience(waits[0]):
            self.transport.abort()
            return
        self._look = self.loop.call_later(LOOK_EVERY, self._look_after)

    def _patience(self, waits: Waits) -> float:
        seconds = PATIENCE.get(waits, float("inf"))
        if waits == "for its body" and self.cycle and (length := self.cycle.scope["state"].get(LONG_BODY)):
            return seconds + float(length) / SLOWEST_LINE
        return seconds

    def _waits_for(self) -> Waits:
        if self.transport.get_write_buffer_size():
            return "for a reader"
        if self.cycle is None or self.cycle.response_complete:
            return "for a request"
        # Where it is we who stopped reading, the other side cannot go on.
        return "for its body" if self.cycle.more_body and not self.flow.read_paused else "for us"


def pages_server(engine: Engine, settings: Settings, clock: Clock, host: str, port: int, prefect: str) -> Server:
    app: Any = create_app(engine, settings, clock, prefect)
    # No access log: the addresses of unsubscribe pages hold tokens. No proxy is believed but those in the settings.
    return Server(
        Config(
            app,
            host=bare_host(host),
            port=port,
            http=BoundedProtocol,
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
    )


def bare_host(host: str) -> str:
    """A host as sockets take it: an IPv6 address without the brackets that it has in a URL."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def address_of(host: str, port: int) -> str:
    """The address that a browser opens."""
    bare = bare_host(host).replace("%", "%25")  # RFC 6874: the zone of a link-local address
    return f"http://[{bare}]:{port}" if ":" in bare else f"http://{bare}:{port}"


def refuse_taken(host: str, port: int, option: str) -> None:
    """Raises SettingsError where nobody can listen on that port of that host."""
    bare = bare_host(host)
    try:
        addresses = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, OverflowError, UnicodeError) as error:
        raise SettingsError(f"“{host}” is no address of this machine; name another with --host") from error
    family, _, _, _, place = addresses[0]
    with socket.socket(family) as probe:
        # As the server itself does it: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
        except (OSError, OverflowError) as error:
            raise SettingsError(f"Port {port} is taken (or not ours to use); choose another with {option}") from error
