"""Draws the thumbnails of waiting letters in a thread of its own, while nobody waits for them."""

import logging
from threading import Event, Thread

from sqlalchemy import Engine

from outreach.composing.store.storage import open_storage
from outreach.composing.store.thumbnails import draw_missing
from outreach.settings.storage import StorageSettings

log = logging.getLogger("outreach.web")
AT_ONCE, REST_SECONDS = 5, 5.0


class ThumbnailDrawer:
    """Works from `open` to `close`. A page that is opened sooner has its pictures drawn as it asks for them."""

    def __init__(self, engine: Engine, settings: StorageSettings) -> None:
        self.engine, self.settings, self.closing = engine, settings, Event()
        self.thread = Thread(target=self._work, name="darkroom", daemon=True)

    def open(self) -> None:
        self.thread.start()

    def close(self) -> None:
        self.closing.set()
        self.thread.join()

    def _work(self) -> None:
        while not self.closing.is_set():
            try:
                # Opened anew each time: a storage that once gave no answer is not asked again (storage.py).
                drawn = draw_missing(self.engine, open_storage(self.settings), AT_ONCE)
            except Exception as error:
                # A letter's words may stand in the text of the error; the next round tries again.
                log.error("thumbnails wait: %s", type(error).__name__)
                drawn = 0
            self.closing.wait(0 if drawn else REST_SECONDS)
