"""The desk's pages, compiled once in a test process: each test opens a desk of its own, which would compile them anew.

Whoever imports this has it so.
"""

from functools import partial

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from outreach.web import desk


class CompiledPages(BytecodeCache):
    """Jinja's own cache, in memory; it looks itself whether a page still says what was compiled."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


if not isinstance(desk.Environment, partial):
    desk.Environment = partial(desk.Environment, bytecode_cache=CompiledPages())  # type: ignore[assignment,misc]
