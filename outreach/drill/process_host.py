"""Forks, stops and kills a drill's simulators, senders and postman, as orders on standard input say.

Each order gets one answer. Importing the program takes seconds and a fork milliseconds: this process has imported all,
runs no thread, holds no connection, and does nothing but fork. When the one who gives the orders is gone, it takes its
children with it.
"""

import json
import os
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from outreach.clock import steady_seconds
from outreach.database import open_database
from outreach.drill.options import Plan, make_settings
from outreach.drill.postman import SPEECHES, post_until_over
from outreach.drill.senders import Board, send_until_over, warm_up
from outreach.drill.vendors import Vendor, serve
from outreach.settings import Settings

LAST_SECONDS = 30.0
ORDERS = {"start_vendors", "warm_up", "start_postman", "start_sender", "kill", "stop", "stop_all", "finish"}


class ProcessHost:
    """The children of one drill. Only their own parent signals them, so no process of anyone else's is ever hit."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.board = plan, Board(plan.folder / "board", plan.senders)
        self.pids: dict[str, int] = {}
        self.resume_at: dict[str, float] = {}
        # Its children take this along, with all that it has compiled; none of them finds a connection open in it.
        self.engine = open_database(plan.database_url)
        self.ports: dict[str, int] = {}

    def settings_of(self, machine: int) -> Settings:
        return make_settings(self.plan, self.ports, machine)

    def warm_up(self) -> None:
        warm_up(self.engine, self.settings_of(0))

    def start_vendors(self) -> dict[str, int]:
        """Starts the simulators, in a process of their own; returns their ports."""
        reader, writer = os.pipe()

        def serve_all() -> None:
            plan = self.plan
            vendors = [Vendor(SPEECHES[name](), plan.log_of(name), plan.seed, plan.pace) for name in plan.vendors]
            os.write(writer, json.dumps({vendor.speech.name: serve(vendor).server_port for vendor in vendors}).encode())
            os.close(writer)
            # The simulators serve from threads, which would end with this process.
            signal.pause()

        self._fork("vendors", serve_all)
        # The child has its own: with this one open, the reading below would never come to an end.
        os.close(writer)
        with os.fdopen(reader) as said:
            self.ports = json.loads(said.read())
        return self.ports

    def start_postman(self) -> None:
        self._fork("postman", lambda: post_until_over(self.plan, self.engine, self.settings_of(0), self.board))

    def start_sender(self, sender: int) -> None:
        self.board.stand(sender, "starting")
        settings = self.settings_of(sender % self.plan.machines)
        work = lambda: send_until_over(self.engine, settings, self.board, sender, self.plan.naive)  # noqa: E731
        self._fork(f"sender {sender}", work)

    def _fork(self, name: str, work: Callable[[], None]) -> None:
        pid = os.fork()
        if pid:
            self.pids[name] = pid
            return
        status = 1
        try:
            # Orders are the nursery's to read, and answers its to give.
            os.dup2(os.open(os.devnull, os.O_RDWR), 0)
            os.dup2(2, 1)
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            # Not sys.exit: whatever the parent has left to do at its own end is not for a child to do.
            os._exit(status)

    def kill(self, sender: int) -> str:
        """Kills a sender; returns the point it stood at, or "fell over" when it had died by itself."""
        name = f"sender {sender}"
        pid = self.pids.pop(name)
        self.resume_at.pop(name, None)
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        return self.board.where(sender) if os.WIFSIGNALED(status) else "fell over"

    def stop(self, sender: int, seconds: float) -> str:
        """Stops a sender, to go on after `seconds`; returns as `kill` does."""
        name = f"sender {sender}"
        os.kill(self.pids[name], signal.SIGSTOP)
        _, status = os.waitpid(self.pids[name], os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            del self.pids[name]
            return "fell over"
        self.resume_at[name] = steady_seconds() + seconds
        return self.board.where(sender)

    def stop_all(self) -> None:
        """Kills whoever uses the database, so that a backup can be put in its place."""
        self.resume_at.clear()
        for name in [name for name in self.pids if name != "vendors"]:
            pid = self.pids.pop(name)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def resume_due(self) -> float | None:
        """Lets those go on whose time it is; returns the seconds until the next one."""
        for name, at in list(self.resume_at.items()):
            if at <= steady_seconds():
                os.kill(self.pids[name], signal.SIGCONT)
                del self.resume_at[name]
        return max(0.0, min(self.resume_at.values()) - steady_seconds()) if self.resume_at else None

    def finish(self) -> list[str]:
        """Lets senders and postman come to their end; returns the names of those that did not, or fell over."""
        for name in list(self.resume_at):
            os.kill(self.pids[name], signal.SIGCONT)
            del self.resume_at[name]
        self.board.end()
        waiting_until = steady_seconds() + LAST_SECONDS * self.plan.pace
        children = [name for name in self.pids if name != "vendors"]
        return [name for name in children if not self._ends_by(name, waiting_until)]

    def _ends_by(self, name: str, until: float) -> bool:
        pid = self.pids[name]
        while steady_seconds() < until:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self.pids[name]
                return status == 0
            time.sleep(0.05)
        return False

    def close(self) -> None:
        for pid in self.pids.values():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def obey(self, order: list[Any]) -> Any:
        """Does what an order says: the name of one of the methods above, and what it takes."""
        name, *given = order
        if name not in ORDERS:
            raise ValueError(name)
        return getattr(self, name)(*given)


def main() -> None:
    """Obeys one order a line until there are no more."""
    # Without a buffer: the selector must see what has not been read.
    orders = os.fdopen(0, "rb", buffering=0, closefd=False)
    selector = selectors.DefaultSelector()
    selector.register(orders, selectors.EVENT_READ)
    text, nursery = b"", None
    try:
        while True:
            if not selector.select(nursery.resume_due() if nursery else None):
                continue
            read = orders.read(1 << 16)
            if not read:
                return
            *lines, text = (text + read).split(b"\n")
            for line in lines:
                if nursery is None:
                    nursery, answer = ProcessHost(Plan.from_json(line.decode())), None
                else:
                    answer = nursery.obey(json.loads(line))
                print(json.dumps(answer), flush=True)
    finally:
        if nursery:
            nursery.close()


if __name__ == "__main__":
    main()
