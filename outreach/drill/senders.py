"""What a sender of a drill does until it is killed, and where it stands just then.

The hand-overs are the real ones; here is only the loop around them and a byte that says how far they have come.
"""

import mmap
import os
import struct
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from outreach.clock import Clock, system_clock
from outreach.delivery.providers import open_providers
from outreach.delivery.sender import deliver_due
from outreach.drill.naive import send_naively
from outreach.settings import Settings
from outreach.tracking.lookup import track_open

# In the order of a round. The first stands until a sender has begun, and nobody is killed there.
POINTS = (
    "starting", "tidying", "claiming", "claimed", "beginning", "begun", "sending", "answered", "settling", "settled",
    "tracking", "idle",
)  # fmt: skip
STARTING = 0
CLOCK = struct.Struct("d")
LOOK_SECONDS = 0.002
# Where a round sent nothing, the next is later: what is open then waits for a time-out, and others need the processors.
IDLE_SECONDS, QUIET_SECONDS = 0.05, 0.4


class Board:
    """A page of memory that all processes of a drill share: whether it is over, where each sender stands, where it is
    to wait to be killed, and by how much its clock is wrong.

    It outlives whoever writes to it, at whatever instant that one is killed.
    """

    def __init__(self, path: Path, senders: int) -> None:
        if not path.exists():
            path.write_bytes(bytes(1 + 2 * senders + CLOCK.size * senders))
        self.clocks_at = 1 + 2 * senders
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

    def set_clock(self, sender: int, seconds: float) -> None:
        """Has a sender's clock be `seconds` ahead of the machine's, or behind it."""
        CLOCK.pack_into(self.memory, self.clocks_at + CLOCK.size * sender, seconds)

    def clock_of(self, sender: int) -> Clock:
        at = self.clocks_at + CLOCK.size * sender
        return lambda: system_clock() + timedelta(seconds=CLOCK.unpack_from(self.memory, at)[0])


def warm_up(engine: Engine, settings: Settings) -> None:
    """Has everything that a sender needs imported and compiled, on a database that holds no message yet."""
    deliver_due(engine, settings, system_clock, "warming up")
    track_open(engine, settings, system_clock)


def send_until_over(engine: Engine, settings: Settings, board: Board, sender: int, naive: bool) -> None:
    """Delivers and tracks, again and again, until the drill is over or this process is killed."""
    # A process id may be given again after a kill, and two senders must never pass for one.
    owner, clock = f"sender {sender} {os.getpid()} {os.urandom(4).hex()}", board.clock_of(sender)

    passed: set[str] = set()

    def stand(point: str) -> None:
        passed.add(point)
        board.stand(sender, point)

    with open_providers(settings) as carriers:
        while not board.is_over:
            if naive:
                send_naively(engine, settings, clock, owner, carriers, stand)
            else:
                deliver_due(engine, settings, clock, owner, providers=carriers, at_point=stand)
                stand("tracking")
                track_open(engine, settings, clock, providers=carriers)
            stand("idle")
            time.sleep(IDLE_SECONDS if "sending" in passed else QUIET_SECONDS)
            passed.clear()
            # What `deliver_due` does before it claims: its own first point is “claiming”.
            stand("tidying")
