"""Sets one end for each whole answer of a vendor: every wait of a connection is cut to what remains until then.

The time-outs of an HTTP client begin anew with every byte, so that a vendor that drips them would hold a sender for
ever. Nothing is read after the deadline has passed.
"""

from typing import Any

from outreach.clock import steady_seconds


class Deadline:
    """When the answer that is waited for must be there, whole: `seconds` after `begin`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.begin()

    def begin(self) -> None:
        self.at = steady_seconds() + self.seconds

    def within(self, timeout: float | None) -> float:
        """What may be waited at most now. Raises TimeoutError once the deadline has passed."""
        remaining = self.at - steady_seconds()
        if remaining <= 0:
            raise TimeoutError("the answer came too slowly")
        return remaining if timeout is None else min(timeout, remaining)


class _Stream:
    """A connection of httpcore (its NetworkStream) whose waits keep to a deadline."""

    def __init__(self, stream: Any, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        return self._stream.read(max_bytes, self._deadline.within(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.within(timeout))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> "_Stream":
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.within(timeout))
        return _Stream(secured, self._deadline)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Connections:
    """What opens connections for httpcore (its NetworkBackend), each of them with the deadline."""

    def __init__(self, backend: Any, deadline: Deadline) -> None:
        self._backend, self._deadline = backend, deadline

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *more: Any, **others: Any) -> _Stream:
        stream = self._backend.connect_tcp(host, port, self._deadline.within(timeout), *more, **others)
        return _Stream(stream, self._deadline)

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


def bound_connections(client: Any, deadline: Deadline) -> None:
    """Has every connection that an httpx client opens keep to `deadline`.

    httpx has no setting for it: it hands none of httpcore's own (network_backend) on. A transport of another kind has
    no connections.
    """
    pool = getattr(client._transport, "_pool", None)
    if pool is not None:
        pool._network_backend = _Connections(pool._network_backend, deadline)
