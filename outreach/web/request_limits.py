"""Refuses a request whose cookies are longer than any of ours, before anything reads them.

Pythons that lack a correction read a cookie of 60 kB for 44 seconds, and nobody else is answered meanwhile.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
LONGEST_COOKIES = 8 * 1024
ANSWER = b"Your browser sends more cookies than this desk takes. Delete the cookies of this site, and try again.\n"


class RequestLimits:
    """Stands in front of the pages and of everything that parses a header. It never writes down what was sent."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        """`headers` are those that every answer has."""
        self.app = app
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or _length_of_cookies(scope) <= LONGEST_COOKIES:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            # 1009 is “too big” (RFC 6455, 7.4.1).
            await send({"type": "websocket.close", "code": 1009})
        else:
            await self._refuse(send)

    async def _refuse(self, send: Send) -> None:
        about = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(ANSWER)).encode())]
        await send({"type": "http.response.start", "status": 431, "headers": [*about, *self.headers]})
        await send({"type": "http.response.body", "body": ANSWER})


def _length_of_cookies(scope: Scope) -> int:
    return sum(len(value) for name, value in scope["headers"] if name.lower() == b"cookie")
