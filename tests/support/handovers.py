"""Hand-overs to providers that write files, and what those files then hold."""

from dataclasses import replace
from pathlib import Path

from approved import content_for, recipient_for
from conftest import NOW, TODAY
from outreach.channels import CHANNELS
from outreach.delivery.providers import Handover


def handover_of(reference: str, channel: str = "letter", **changes: object) -> Handover:
    plain = Handover(
        reference=reference,
        key=f"{reference}.1",
        channel=channel,
        recipient=recipient_for(reference, channel),
        content=content_for(reference, channel),
        media_type=CHANNELS[channel].media_type,
        on=TODAY,
        batch_id="B1",
        begun_at=NOW,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def visible_files(folder: Path) -> dict[str, bytes]:
    """Every file that a person sees, by its path, with its bytes."""
    paths = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): (folder / path).read_bytes() for path in paths if not any(p.startswith(".") for p in path.parts)}
