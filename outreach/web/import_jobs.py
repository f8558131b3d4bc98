"""Runs the steps of imports at the desk in threads, one at a time, so that no page waits for them.

It knows which uploads are at work in this process, and nothing else: all that comes of a step stands in its folder.
"""

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread

from sqlalchemy import Engine

from outreach.clock import Clock
from outreach.import_steps import Stage, import_claimed, stage_of, take_look
from outreach.intake.uploads import Upload, remove_old
from outreach.settings import Settings

log = logging.getLogger("outreach.web")
SWEEP_SECONDS = 3600.0
# A small file is through by then, and its page follows at once.
PATIENCE_SECONDS = 2.0


class ImportJobs:
    """The imports of one desk. A step that is at work when the desk ends is cut off: the next start finds it so."""

    def __init__(self, engine: Engine, settings: Settings, clock: Clock) -> None:
        self.engine, self.settings, self.clock = engine, settings, clock
        self.closing, self._turn, self._guard = Event(), Lock(), Lock()
        self._threads: dict[str, Thread] = {}
        self._sweeper = Thread(target=self._sweep, name="old uploads", daemon=True)

    def open(self) -> None:
        self._sweeper.start()

    def close(self) -> None:
        self.closing.set()
        self._sweeper.join()

    def stage_of(self, upload: Upload) -> Stage:
        return stage_of(upload, self.is_at_work(upload.key))

    def is_at_work(self, key: str) -> bool:
        thread = self._threads.get(key)
        return thread is not None and thread.is_alive()

    def start_look(self, upload: Upload, settings: Settings) -> None:
        """Begins a look, unless a step of this upload is at work; waits a moment for small files."""
        self._start(upload, lambda: take_look(upload, self.engine, settings, self.clock()))

    def start_import(self, upload: Upload, settings: Settings, by: str) -> None:
        """Begins the import of an upload that was claimed, likewise."""
        self._start(upload, lambda: import_claimed(upload, self.engine, settings, self.clock(), by))

    def _start(self, upload: Upload, step: Callable[[], None]) -> None:
        with self._guard:
            if self.is_at_work(upload.key):
                return
            # As a daemon it does not keep the desk from ending; what it was storing then is taken back.
            thread = Thread(target=self._in_turn, args=(step,), name="import", daemon=True)
            self._threads = {key: each for key, each in self._threads.items() if each.is_alive()}
            self._threads[upload.key] = thread
            thread.start()
        thread.join(PATIENCE_SECONDS)

    def _in_turn(self, step: Callable[[], None]) -> None:
        # One at a time: each holds pages of rows in memory, and would wait for the other's writing anyway.
        with self._turn:
            step()

    def _sweep(self) -> None:
        while not self.closing.is_set():
            try:
                busy = [key for key in self._threads if self.is_at_work(key)]
                remove_old(self.settings.uploads, self.clock(), busy)
            except OSError as error:
                log.error("old uploads stay: %s", type(error).__name__)
            self.closing.wait(SWEEP_SECONDS)
