"""A vendor on this machine that answers as it is told, one answer a request, and remembers every request as it came."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from vendor_case import Answer


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Loopback:
    """`url` is its address. It gives `answers` in order; a request without one is answered with 599."""

    url: str
    answers: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def will(self, answers: Sequence[Answer]) -> None:
        self.answers[:] = answers
        self.asked.clear()


@contextmanager
def loopback() -> Iterator[Loopback]:
    """The vendor, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            vendor.asked.append(Asked(self.command, self.path, headers, body))
            answer = vendor.answers.pop(0) if vendor.answers else Answer(599)
            if answer.fault == "hang":
                vendor.over.wait(30)
            if answer.fault:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names that the standard library looks for

        def log_message(self, format: str, *args: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None: ...

    server = Server(("127.0.0.1", 0), Handler)
    vendor = Loopback(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield vendor
    finally:
        vendor.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
