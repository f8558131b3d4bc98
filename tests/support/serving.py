"""The pages on a port of this machine, as `outreach serve` serves them, and a member of staff signed in there."""

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import Engine

import pages_once  # noqa: F401
from outreach.approval.accounts import sign_in
from outreach.approval.staff import add_staff
from outreach.clock import Clock, stopped_clock
from outreach.database import writing
from outreach.settings import Settings
from outreach.web.access import COOKIE, csrf_token
from outreach.web.server import Server, pages_server

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)


@contextmanager
def serving(
    engine: Engine, settings: Settings, clock: Clock | None = None, port: int = 0, prefect: str = ""
) -> Iterator[httpx.Client]:
    """A client of the pages that nobody has signed in with."""
    server = pages_server(engine, settings, clock or stopped_clock(NOW), "127.0.0.1", port, prefect)
    server.main_loop = lambda: _serve_until_told(server)  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        # Patient, so that no test depends on this machine being quick; without the world's certificates, which take
        # longer to read than most pages.
        address, no_tls = f"http://127.0.0.1:{port}", ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with httpx.Client(base_url=address, trust_env=False, timeout=60, verify=no_tls) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


async def _serve_until_told(server: Server) -> None:
    """As the server's own, which looks only ten times a second whether it shall end."""
    ticks = 0
    while not await server.on_tick(ticks):
        ticks += 1
        await asyncio.sleep(0.01)


class Browser:
    """A browser with somebody signed in: it sends the cookie, the origin and the token of the forms, as theirs does."""

    def __init__(self, client: httpx.Client, engine: Engine, who: str, role: str, now: datetime = NOW) -> None:
        self.client, self.who, token = client, who, f"cookie-of-{who}"
        with writing(engine) as session:
            add_staff(session, who, f"{who.capitalize()} Whitcomb", role, now)
            session.flush()
            sign_in(session, who, token, 12, now)
        self.csrf = csrf_token(token)
        self.headers = {
            "Cookie": f"{COOKIE}={token}",
            "Origin": str(client.base_url).rstrip("/"),
        }

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path, headers=self.headers)

    def post(self, path: str, **fields: Any) -> httpx.Response:
        """Presses a button of a page; the answer is that to the POST itself."""
        return self.client.post(path, data={"csrf": self.csrf} | fields, headers=self.headers)

    def press(self, path: str, **fields: Any) -> httpx.Response:
        """Presses a button, and goes on to the page that it leads to, with what is said there."""
        answer = self.post(path, **fields)
        assert answer.status_code == 303, answer.text
        said = answer.headers.get("set-cookie", "").partition(";")[0]
        headers = self.headers | {"Cookie": f"{self.headers['Cookie']}; {said}"}
        return self.client.get(answer.headers["location"], headers=headers)
