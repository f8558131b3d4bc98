"""What an export is taken for, as an import asks it."""

from pathlib import Path

from outreach.intake.recognition import choose_mapping
from outreach.intake.sources.origins import Origin


def find_preset(origin: Origin) -> str | None:
    """The preset that is chosen where no mapping was saved; None for our own format."""
    mapping = choose_mapping(origin, lambda _line: None, Path("no mappings here"))
    return Path(mapping.written_in).stem if mapping else None
