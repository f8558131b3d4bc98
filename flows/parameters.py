"""What people may fill in on a run's form in Prefect's UI: each field with its type, its title and what it means.

Prefect keeps what is typed in plain text, so no field asks for anything about a customer.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from outreach.moments import MOMENTS


# No module with a flow may have “from __future__ import annotations”: Prefect's check of these can break over it.
def shown(title: str, description: str, **more: Any) -> Any:
    """How a field looks on the form; `more` is what else pydantic may hold it to."""
    # Prefect writes a title and a description of its own over all but these.
    return Field(json_schema_extra={"title": title, "description": description}, **more)


Kind = Annotated[str, Field(json_schema_extra={"enum": list(MOMENTS)})]
On = Annotated[date | None, shown("Day", "The business's date to prepare, as 2026-11-22. Nothing means today.")]
Moments = Annotated[
    list[Kind],
    shown("Moments", "Plan only these today; the others are left untouched for a later run. None means all."),
]
DryRun = Annotated[bool, shown("Dry run", "Say in counts what would be done, and do none of it.")]
Writing = Annotated[
    int | None,
    shown("At most", "Write at most so many messages in this run; the rest stays planned for a later one.", ge=1),
]
Sending = Annotated[int | None, shown("At most", "Hand over at most so many messages in this run.", ge=1)]
Folder = Annotated[
    str, shown("Folder", "The folder with the files on the worker's machine, or the name of a saved source.")
]
MappingFile = Annotated[
    str | None, shown("Mapping file", "On the worker's machine too; only for files that nothing recognises.")
]
BatchId = Annotated[
    str, shown("Batch", "Its id, such as 2026-11-22-anniversary-letter: see the artifact of the run that opened it.")
]
By = Annotated[
    str,
    shown(
        "Decided by",
        "The id of a staff record. Anybody can type it here, and the audit says so; the desk knows who is signed in.",
    ),
]
Choice = Annotated[Literal["approve", "reject"], shown("Decision", "Approved messages leave by themselves.")]
Reason = Annotated[
    str, shown("Reason", "Why it is rejected, for those who wrote it. No names: Prefect keeps this text.")
]
