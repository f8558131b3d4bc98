"""Gives orders to the process host of a drill, and reads its answers. The process host dies with whoever holds this.

It knows nothing of what the orders do.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from outreach.drill.options import Plan
from outreach.errors import OutreachError

CLOSE_SECONDS = 30


class Orders:
    """The line to one nursery."""

    def __init__(self, to: IO[str], answers: IO[str], errors: Path) -> None:
        self.to, self.answers, self.errors = to, answers, errors

    def give(self, *order: Any) -> Any:
        """What the nursery answers. Raises OutreachError when it is no longer there."""
        return self.send_line(json.dumps(order))

    def send_line(self, line: str) -> Any:
        try:
            self.to.write(line + "\n")
            self.to.flush()
            answer = self.answers.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            last = self.errors.read_text(errors="replace").strip().splitlines()[-1:]
            raise OutreachError(f"The drill's processes could not go on: {' '.join(last) or 'they said nothing'}")
        return json.loads(answer)


@contextmanager
def open_nursery(plan: Plan) -> Iterator[Orders]:
    """A nursery for one drill, until the block ends; all its children are gone by then."""
    errors = plan.folder / "errors.txt"
    command = [sys.executable, "-m", "outreach.drill.process_host"]
    with errors.open("ab") as said:
        nursery = subprocess.Popen(  # noqa: S603 (the command is written above)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        )
    to, answers = cast(IO[str], nursery.stdin), cast(IO[str], nursery.stdout)
    try:
        orders = Orders(to, answers, errors)
        # Not on the command line: a database URL may hold a password, and anyone may list processes.
        orders.send_line(plan.as_json())
        yield orders
    finally:
        # When its orders end, the process host kills its children and ends (`main` in process_host.py).
        to.close()
        answers.close()
        nursery.wait(CLOSE_SECONDS)
