"""What a sender of a drill does until it is killed, and where it stands just then.

The hand-overs are the real ones; here is only the loop around them and a byte that says how far they have come.
"""

import mmap
import os
import time
from pathlib import Path

from sqlalchemy import Engine

from outreach.clock import system_clock
from outreach.delivery import deliver_due
from outreach.delivery.providers import open_providers
from outreach.drill.naive import send_naively
from outreach.settings import Settings
from outreach.tracking import track_open

# In the order of a round. The first stands until a sender has begun, and nobody is killed there.
POINTS = (
    "starting", "tidying", "claiming", "claimed", "beginning", "begun", "sending", "answered", "settling", "settled",
    "tracking", "idle",
)  # fmt: skip
STARTING = 0
LOOK_SECONDS = 0.002
IDLE_SECONDS = 0.05


class Board:
    """A page of memory that all processes of a drill share: whether it is over, where each sender stands, and where it
    is to wait to be killed.

    It outlives whoever writes to it, at whatever instant that one is killed.
    """

    def __init__(self, path: Path, senders: int) -> None:
        if not path.exists():
            path.write_bytes(bytes(1 + 2 * senders))
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)

    @property
    def is_over(self) -> bool:
        return self.memory[0] == 1

    def end(self) -> None:
        self.memory[0] = 1

    def stand(self, sender: int, point: str) -> None:
        """Says where a sender stands. One that is awaited there waits, to be killed or let go."""
        self.memory[1 + 2 * sender] = number = POINTS.index(point)
        while self.memory[2 + 2 * sender] == number != STARTING:
            time.sleep(LOOK_SECONDS)

    def where(self, sender: int) -> str:
        return POINTS[self.memory[1 + 2 * sender]]

    def await_at(self, sender: int, point: str) -> None:
        """Has a sender wait when it comes to `point`; "starting" lets it go."""
        self.memory[2 + 2 * sender] = POINTS.index(point)


def warm_up(engine: Engine, settings: Settings) -> None:
    """Has everything that a sender needs imported and compiled, on a database that holds no message yet."""
    deliver_due(engine, settings, system_clock, "warming up")
    track_open(engine, settings, system_clock)


def send_until_over(engine: Engine, settings: Settings, board: Board, sender: int, naive: bool) -> None:
    """Delivers and tracks, again and again, until the drill is over or this process is killed."""
    owner = f"sender {sender} {os.getpid()} {os.urandom(4).hex()}"

    def stand(point: str) -> None:
        board.stand(sender, point)

    with open_providers(settings) as carriers:
        while not board.is_over:
            if naive:
                send_naively(engine, settings, system_clock, owner, carriers, stand)
            else:
                deliver_due(engine, settings, system_clock, owner, providers=carriers, at_point=stand)
                stand("tracking")
                track_open(engine, settings, system_clock, providers=carriers)
            stand("idle")
            time.sleep(IDLE_SECONDS)
            stand("tidying")
