"""What a run leaves behind for ops to read: counts as Markdown, how far long work is, and the way to the desk.

Ids, dates and counts only: Prefect keeps all of it in plain text, and shows it to whoever opens its pages.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast
from uuid import UUID

from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact
from prefect.runtime import flow_run

from flows.runs import Run, telling
from outreach.clock import steady_seconds
from outreach.models import Batch
from outreach.settings import Settings

# An update costs ten milliseconds, so long work shows itself no oftener; what is over sooner needs none.
PROGRESS_SECONDS = 2.0


def as_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; “none” where there are no rows."""
    # A bar would end its cell.
    listed = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    if not listed:
        return "none\n"
    lines = [columns, ["---"] * len(columns), *listed]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def as_page(title: str, sections: Mapping[str, str]) -> str:
    """A Markdown page with a heading for each section."""
    return "\n".join([f"# {title}\n", *(f"## {heading}\n\n{text}" for heading, text in sections.items())])


def publish(run: Run, markdown: str) -> None:
    """Leaves one Markdown artifact on the run, under the flow's own key so that the UI shows one after the other."""
    with telling(run):
        create_markdown_artifact(key=cast(str, flow_run.flow_name), markdown=markdown)


def desk_of(settings: Settings) -> str:
    """Where staff open the desk, without a slash at its end; empty where the settings do not say."""
    public = settings.business.public_url
    # The default of business.public_url ends in .invalid, and leads nowhere (RFC 2606).
    return (settings.desk.url or ("" if ".invalid" in public else public)).rstrip("/")


def link_to(desk: str, path: str, words: str) -> str:
    """A Markdown link to a page of the desk; only the words where it is not known where that is."""
    return f"[{words}]({desk}/{path})" if desk else words


def as_batches(desk: str, batches: Iterable[Batch]) -> str:
    """A table of batches, each leading to its contact sheet on the desk."""
    rows = [
        (link_to(desk, f"batches/{b.batch_id}", b.batch_id), b.kind, b.channel, b.count, b.status, b.why_waiting)
        for b in batches
    ]
    return as_table(["batch", "moment", "channel", "messages", "status", "why it waits"], rows)


def as_pictures(desk: str, letters: Mapping[str, Sequence[str]]) -> str:
    """Links to the first pages of some letters of each batch: pictures that the desk shows to who is signed in there.

    Links, since the desk's headers forbid other pages to show its pictures, and they should.
    """
    if not desk:
        return "Set `desk.url` in outreach.toml, and links to the letters stand here.\n"
    lines = [
        f"- {batch_id}: " + ", ".join(link_to(desk, f"messages/{ref}/pages/1.png", ref) for ref in references)
        for batch_id, references in letters.items()
        if references
    ]
    return "\n".join([*lines, "", link_to(desk, "", "The desk")]) + "\n"


class ProgressBar:
    """Shows on the run, and in its log, how many of how many are done, once that takes longer than a moment.

    A server that does not take it is left alone: the work goes on.
    """

    def __init__(self, run: Run, what: str) -> None:
        self.run, self.what, self.shown_at = run, what, steady_seconds()
        self.artifact: UUID | None = None
        self.is_lost = False

    def __call__(self, done: int, of: int) -> None:
        is_end = self.artifact is not None and done >= of
        if self.is_lost or not of or (steady_seconds() - self.shown_at < PROGRESS_SECONDS and not is_end):
            return
        try:
            self._show(min(100.0 * done / of, 100.0), f"{done} of {of} {self.what}")
        except Exception:
            self.is_lost = True
        self.shown_at = steady_seconds()

    def _show(self, percent: float, words: str) -> None:
        self.run.log.info(words)
        if self.artifact is None:
            made = create_progress_artifact(percent, f"{flow_run.flow_name}-progress", words)
            self.artifact = cast(UUID, made)  # Prefect's type also allows for its asynchronous twin
        else:
            update_progress_artifact(self.artifact, percent, words)
