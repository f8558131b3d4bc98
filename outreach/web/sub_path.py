"""Serves the desk under a path of its host, such as https://practice.example/outreach. No page and no rule knows of it.

The path is taken off what comes in, and put before the links, forms and redirects that go out. The way in is the same
whether or not the proxy in front of us has taken the path off already.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from outreach.settings import Settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
# Attributes that hold an address of ours. What people wrote stands between quotes that are escaped, and never matches.
_ADDRESS = re.compile(rb'(\s(?:href|src|action|formaction|data-preview|data-place)=")/(?!/)')


class SubPath:
    """`app`, as it is seen from outside: under the path of `public_url`, or of `desk.url` on the host of that one."""

    def __init__(self, app: App, settings: Settings) -> None:
        self.app = app
        public, desk = urlsplit(settings.business.public_url), urlsplit(settings.desk.url)
        self.public = public.path.rstrip("/")
        self.desk = {desk.netloc.lower(): desk.path.rstrip("/")} if desk.netloc else {}
        self.paths = [path for path in dict.fromkeys([self.public, *self.desk.values()]) if path]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.paths or scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        host = _header(scope["headers"], b"host").decode("latin-1").lower()
        path = self.desk.get(host, self.public)
        await self.app(self._as_at_the_root(scope), receive, _Prefixed(send, path, host) if path else send)

    def _as_at_the_root(self, scope: Scope) -> Scope:
        raw = bytes(scope.get("raw_path") or scope["path"].encode())
        headers = [
            (name, self._without(value.decode("latin-1")).encode("latin-1") if name == b"referer" else value)
            for name, value in scope["headers"]
        ]
        shorter = {
            "path": self._take_off(scope["path"]),
            "raw_path": self._take_off(raw.decode("latin-1")).encode("latin-1"),
        }
        return {**scope, **shorter, "headers": headers}

    def _without(self, address: str) -> str:
        """The address of a page of ours as it would be without the path."""
        try:
            parts = urlsplit(address)
        except ValueError:
            return address
        return urlunsplit(parts._replace(path=self._take_off(parts.path)))

    def _take_off(self, path: str) -> str:
        for taken in self.paths:
            if path == taken or path.startswith(f"{taken}/"):
                return path[len(taken) :] or "/"
        return path


class _Prefixed:
    """Sends an answer on, with `path` before its addresses; a page is held back until it is whole."""

    def __init__(self, send: Send, path: str, host: str) -> None:
        self.send, self.path, self.host = send, path, host
        self.start: Message | None = None
        self.body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name, self._led(value) if name == b"location" else value) for name, value in message["headers"]]
            message = {**message, "headers": headers}
            if _header(headers, b"content-type").startswith(b"text/html"):
                self.start = message
                return
        if self.start is None or message["type"] != "http.response.body":
            await self.send(message)
            return
        self.body += message.get("body", b"")
        if not message.get("more_body"):
            await self._send_page(self.start)

    async def _send_page(self, start: Message) -> None:
        page = _ADDRESS.sub(rb"\g<1>" + self.path.encode() + b"/", bytes(self.body))
        # An answer to HEAD says how long the page would be, and has none.
        headers = [
            (name, str(len(page)).encode() if name == b"content-length" and self.body else value)
            for name, value in start["headers"]
        ]
        await self.send({**start, "headers": headers})
        await self.send({"type": "http.response.body", "body": page})

    def _led(self, location: bytes) -> bytes:
        """Where a redirect leads, if it leads to a page of ours."""
        parts = urlsplit(location.decode("latin-1"))
        is_ours = parts.path.startswith("/") and parts.netloc.lower() in {"", self.host}
        return urlunsplit(parts._replace(path=self.path + parts.path)).encode("latin-1") if is_ours else location


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    return next((value for known, value in headers if known == name), b"")
