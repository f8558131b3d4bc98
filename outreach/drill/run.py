"""A drill: senders at work on a database of the drill's own, killed at random, and what the vendors had in the end.

Nothing outside this machine is spoken to, and no database that holds anybody's messages is touched.
"""

import json
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from outreach.clock import steady_seconds, system_clock
from outreach.database import open_database
from outreach.drill.database import OwnDatabase, make_database
from outreach.drill.ledger import Line, Tally, count, read_log
from outreach.drill.messages import OPEN, Feeder
from outreach.drill.options import LATE_SECONDS, LEASE_SECONDS, DrillOptions, Plan, make_settings
from outreach.drill.orders import Orders, open_nursery
from outreach.drill.postman import result_file
from outreach.drill.senders import POINTS, Board
from outreach.errors import OutreachError
from outreach.settings import Settings
from outreach.tracking import track_open

Tell = Callable[[str], None]
# A kill comes so long after the last at the most; of a hundred, so many are stops, of so many leases.
KILL_SECONDS = 0.35
# Left to chance alone, nearly all would hit while a sender waits for a vendor: half are aimed at a point.
AIMED_IN_A_HUNDRED, AIM_SECONDS, LOOK_SECONDS = 50, 1.5, 0.005
SHORT = [point for point in POINTS if point not in ("starting", "sending")]
STOPS_IN_A_HUNDRED, STOPPED_LEASES = 15, (1.2, 3.0)
OPT_OUTS_IN_A_HUNDRED = 30
# Below so many approved messages, so many more are handed in.
FEW, FED = 30, 40
START_SECONDS, END_SECONDS, TELL_SECONDS = 60.0, 180.0, 3.0


@dataclass(frozen=True)
class DrillResult:
    """What a drill showed. `killed` and `stopped` count by the point that senders stood at.

    `fell_over` counts processes that ended by themselves, and `webhooks` by what the pages answered. `folder` holds
    the logs of a drill that failed; `database` is where its tables are.
    """

    options: DrillOptions
    database: str
    tally: Tally
    killed: Counter[str]
    stopped: Counter[str]
    fell_over: int
    webhooks: dict[str, int]
    seconds: float
    folder: Path | None

    @property
    def passed(self) -> bool:
        """Whether nothing was doubled or lost, and everything else that must be 0 is 0."""
        return self.tally.is_clean and not self.fell_over


def run_drill(options: DrillOptions, tell: Tell = lambda _: None) -> DrillResult:
    """Kills senders `options.kills` times and counts, from the vendors' logs, what became of every message.

    Raises DatabaseError where `options.database` cannot be used, and OutreachError when the drill cannot be held.
    """
    folder = Path(tempfile.mkdtemp(prefix="outreach-drill-"))
    is_kept = False
    try:
        database = make_database(options.database, folder)
        try:
            result = _hold(options, database, folder, tell)
            is_kept = result.folder is not None
            return result
        finally:
            if not is_kept:
                database.drop()
    finally:
        if not is_kept:
            shutil.rmtree(folder)


def _hold(options: DrillOptions, database: OwnDatabase, folder: Path, tell: Tell) -> DrillResult:
    began = steady_seconds()
    plan = Plan(folder, database.url, options.seed, tuple(options.vendors), options.naive, options.senders)
    with open_nursery(plan) as nursery:
        settings = make_settings(plan, nursery.give("start_vendors"))
        drill = Drill(options, plan, settings, nursery, tell)
        drill.begin()
        drill.disturb()
        drill.end()
        tally, webhooks = drill.tally(), drill.webhooks()
    fails = not (tally.is_clean and not drill.fell_over)
    return DrillResult(
        options, database.shown, tally, drill.killed, drill.stopped, drill.fell_over, webhooks,
        steady_seconds() - began, folder if fails and not options.naive else None,
    )  # fmt: skip


class Drill:
    """One drill while it is held."""

    def __init__(self, options: DrillOptions, plan: Plan, settings: Settings, nursery: Orders, tell: Tell) -> None:
        self.options, self.plan, self.settings, self.nursery, self.tell = options, plan, settings, nursery, tell
        self.engine = open_database(plan.database_url)
        self.rng = random.Random(f"drill {options.seed}")  # noqa: S311
        self.feeder = Feeder(self.engine, settings, list(plan.vendors), self.rng)
        self.board = Board(plan.folder / "board", plan.senders)
        self.killed: Counter[str] = Counter()
        self.stopped: Counter[str] = Counter()
        self.fell_over = 0
        self.stopped_until: dict[int, float] = {}
        self.told_at = steady_seconds()

    @property
    def done(self) -> int:
        return self.killed.total() + self.stopped.total()

    def begin(self) -> None:
        self.nursery.give("warm_up")
        self.feeder.feed(FED)
        for sender in range(self.options.senders):
            self.nursery.give("start_sender", sender)
        # A job queue knows nothing of what vendors say later.
        if not self.options.naive:
            self.nursery.give("start_postman")

    def disturb(self) -> None:
        """Kills and stops senders at random, while messages come in and people opt out."""
        while self.done < self.options.kills:
            if self.feeder.count("approved") < FEW:
                self.feeder.feed(FED)
            if self.rng.randrange(100) < OPT_OUTS_IN_A_HUNDRED:
                self.feeder.opt_out()
            self._hit(self._choose())
            self._tell_progress(f"{self.done} of {self.options.kills} kills")

    def _choose(self) -> int:
        """A sender that is at work; waits where all are stopped."""
        while not (awake := [n for n in range(self.options.senders) if self._is_awake(n)]):
            time.sleep(0.05)
        return self.rng.choice(awake)

    def _is_awake(self, sender: int) -> bool:
        return self.stopped_until.get(sender, 0.0) < steady_seconds()

    def _hit(self, sender: int) -> None:
        self._await_start(sender)
        self._await_moment(sender)
        is_stop = self.rng.randrange(100) < STOPS_IN_A_HUNDRED
        seconds = self.rng.uniform(*STOPPED_LEASES) * LEASE_SECONDS
        point = self.nursery.give("stop", sender, seconds) if is_stop else self.nursery.give("kill", sender)
        self.board.await_at(sender, "starting")
        if point == "fell over":
            self.fell_over += 1
        else:
            (self.stopped if is_stop else self.killed)[point] += 1
        if is_stop and point != "fell over":
            self.stopped_until[sender] = steady_seconds() + seconds
        else:
            self.nursery.give("start_sender", sender)

    def _await_moment(self, sender: int) -> None:
        """Waits for a moment to strike: any, or the next at which the sender comes to a certain point."""
        if self.rng.randrange(100) >= AIMED_IN_A_HUNDRED:
            time.sleep(self.rng.uniform(0, KILL_SECONDS))
            return
        point, patient_until = self.rng.choice(SHORT), steady_seconds() + AIM_SECONDS
        self.board.await_at(sender, point)
        while self.board.where(sender) != point and steady_seconds() < patient_until:
            time.sleep(LOOK_SECONDS)

    def _await_start(self, sender: int) -> None:
        patient_until = steady_seconds() + START_SECONDS
        while self.board.where(sender) == "starting":
            if steady_seconds() > patient_until:
                raise OutreachError("A sender of the drill does not start; this machine may be too busy")
            time.sleep(LOOK_SECONDS)

    def end(self) -> None:
        """Lets the senders finish undisturbed, and tracks once more; what is open after that stays open."""
        patient_until = steady_seconds() + END_SECONDS
        while (left := self.feeder.count(*OPEN)) and steady_seconds() < patient_until:
            self._tell_progress(f"{left} messages are still open")
            time.sleep(0.2)
        # What a vendor takes late would be counted too late.
        time.sleep(LATE_SECONDS * 1.5)
        self.fell_over += len(self.nursery.give("finish"))
        if not self.options.naive:
            track_open(self.engine, self.settings, system_clock)

    def _tell_progress(self, what: str) -> None:
        if steady_seconds() - self.told_at >= TELL_SECONDS:
            self.told_at = steady_seconds()
            taken = sum(line.outcome == "taken" for line in self._lines())
            self.tell(f"{what}; {self.feeder.made} messages handed in, {taken} taken by the vendors")

    def _lines(self) -> list[Line]:
        return [line for name in self.plan.vendors for line in read_log(self.plan.log_of(name))[0]]

    def tally(self) -> Tally:
        return count(self._lines(), self.feeder.records(), self.feeder.tries())

    def webhooks(self) -> dict[str, int]:
        file = result_file(self.plan)
        return dict(json.loads(file.read_text())) if file.exists() else {}
