"""A DNS server on 127.0.0.1 that gives the TXT records it was told of; no other name exists there."""

import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset


@contextmanager
def dns_server(records: Mapping[str, Sequence[str]], fault: str = "") -> Iterator[dns.resolver.Resolver]:
    """A resolver that asks it, until the block ends. `fault` "silence" answers nothing, "servfail" that it failed."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            raw, answering = self.request
            if fault == "silence":
                return
            asked = dns.message.from_wire(raw)
            answer = dns.message.make_response(asked)
            name = asked.question[0].name
            texts = records.get(name.to_text(omit_final_dot=True))
            if fault == "servfail":
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif texts is None:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            elif texts:
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *map(_quoted, texts)))
            answering.sendto(answer.to_wire(), self.client_address)

    with socketserver.UDPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.server_address[1]
        try:
            yield resolver
        finally:
            server.shutdown()
            thread.join()


def _quoted(text: str) -> str:
    """A record longer than 255 bytes is several strings, which belong together without a space."""
    return " ".join(f'"{text[start : start + 200]}"' for start in range(0, len(text), 200)) or '""'
