"""Simulates vendors on 127.0.0.1: they answer hand-overs and look-ups, or stay silent, and keep logs of their own.

They take, drop, answer late and forget as the real ones do. Nothing they know is ever taken from our tables.
"""

import hashlib
import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from outreach.clock import system_clock
from outreach.drill.ledger import Line
from outreach.drill.options import LAG_SECONDS, LATE_SECONDS, TIMEOUT_SECONDS

# What becomes of a hand-over, with how often in a hundred; what is "taken" is theirs whatever the sender hears.
FAULTS = {
    "none": 58,
    "taken, then dropped": 8,
    "taken, then silence": 4,
    "taken, then 500": 4,
    "taken late": 4,
    "500": 6,
    "429": 6,
    "silence": 4,
    "dropped": 4,
    "refused": 2,
}
SEARCH_FAULTS = {"none": 84, "503": 10, "nonsense": 3, "silence": 3}
SILENCE_SECONDS = TIMEOUT_SECONDS * 1.5


@dataclass(frozen=True)
class Order:
    """One message as a vendor is asked to take it."""

    reference: str
    key: str
    content: bytes
    #: What the vendor's search finds it by.
    sought_by: str
    #: What its webhooks need.
    about: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Held:
    """One message that a vendor took."""

    provider_id: str
    order: Order
    at: float


@dataclass(frozen=True)
class Reply:
    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WebhookCall:
    """A webhook as a vendor posts it, signed."""

    url: str
    headers: dict[str, str]
    body: bytes


class Speech(Protocol):
    """How one vendor talks: all that is particular to it, as its contract has it."""

    name: str
    keyed: bool

    def read_order(self, headers: Mapping[str, str], body: bytes) -> Order: ...
    def new_id(self, number: int) -> str: ...
    def accepted(self, held: Held) -> Reply: ...
    def failed(self, fault: str) -> Reply: ...
    def sought(self, query: Mapping[str, list[str]]) -> str: ...
    def found(self, held: list[Held]) -> Reply: ...
    def webhooks(self, line: Line, rng: random.Random) -> list[WebhookCall]: ...


class Vendor:
    """What one vendor holds and remembers. Used by many threads at once."""

    def __init__(self, speech: Speech, log: Path, seed: int, pace: float = 1.0) -> None:
        self.speech, self.log, self.pace = speech, log, pace
        # Faults repeat with the seed as far as the order of requests does.
        self.rng = random.Random(f"{speech.name} {seed}")  # noqa: S311
        self.lock = threading.Lock()
        self.by_key: dict[str, Held] = {}
        self.by_sought: dict[str, list[Held]] = defaultdict(list)
        self.number = 0

    def draw(self, faults: Mapping[str, int]) -> str:
        with self.lock:
            return self.rng.choices(list(faults), list(faults.values()))[0]

    def take_over(self, order: Order) -> Reply | None:
        """The answer to a hand-over, or None to hang up without one."""
        fault = self.draw(FAULTS)
        if fault == "taken late":
            time.sleep(LATE_SECONDS * self.pace)
        if fault == "none" or fault.startswith("taken"):
            held = self._take(order, fault)
            if fault == "none":
                return self.speech.accepted(held)
        else:
            self._write(order, fault, "refused" if fault == "refused" else "nothing")
        if fault.endswith("silence"):
            time.sleep(SILENCE_SECONDS * self.pace)
        if fault.endswith(("silence", "dropped", "late")):
            return None
        return self.speech.failed("500" if fault.endswith("500") else fault)

    def _take(self, order: Order, fault: str) -> Held:
        with self.lock:
            if self.speech.keyed and order.key in self.by_key:
                held = self.by_key[order.key]
                self._write_line(order, fault, "known", held.provider_id)
                return held
            self.number += 1
            held = Held(self.speech.new_id(self.number), order, system_clock().timestamp())
            self.by_key[order.key] = held
            self.by_sought[order.sought_by].append(held)
            # On record before anybody is answered: the log is what the ledger believes.
            self._write_line(order, fault, "taken", held.provider_id)
            return held

    def _write(self, order: Order, fault: str, outcome: str) -> None:
        with self.lock:
            self._write_line(order, fault, outcome)

    def _write_line(self, order: Order, fault: str, outcome: str, provider_id: str = "") -> None:
        sha256 = hashlib.sha256(order.content).hexdigest()
        at, name = system_clock().timestamp(), self.speech.name
        line = Line(at, name, order.reference, order.key, fault, outcome, provider_id, sha256, order.about)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(line.as_json() + "\n")

    def look_up(self, query: Mapping[str, list[str]]) -> Reply | None:
        """What the search finds, which is not yet what was taken a moment ago; or None to hang up."""
        fault = self.draw(SEARCH_FAULTS)
        if fault == "silence":
            time.sleep(SILENCE_SECONDS * self.pace)
            return None
        if fault != "none":
            return Reply(503, {}) if fault == "503" else Reply(200, {"answer": 42})
        # A real search lags behind as well: who trusts it too soon must be seen failing.
        indexed = system_clock().timestamp() - LAG_SECONDS
        with self.lock:
            held = list(self.by_sought.get(self.speech.sought(query), []))
        return self.speech.found([one for one in held if one.at < indexed])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Python's own is 5: of more that connect at once, the machine would keep some waiting until they give up, and that
    # is none of the faults above.
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        """A sender that was killed in the middle of a request is what a drill is about."""


def serve(vendor: Vendor) -> ThreadingHTTPServer:
    """Serves a vendor from threads of this process until it ends or the server is shut down."""

    class Handler(_Handler):
        serves = vendor

    server = _Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    serves: Vendor

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        order = self.serves.speech.read_order(dict(self.headers.items()), body)
        self._reply(self.serves.take_over(order))

    def do_GET(self) -> None:
        self._reply(self.serves.look_up(parse_qs(urlsplit(self.path).query)))

    def _reply(self, reply: Reply | None) -> None:
        if reply is None:
            self.close_connection = True
            return
        body = json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **reply.headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Its log is the vendor's own."""
