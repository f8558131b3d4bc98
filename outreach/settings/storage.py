"""What the business decides about where the bytes of its letters are kept: `[storage]` in outreach.toml."""

from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from outreach.settings.providers import PartWithSecrets


class StorageSettings(PartWithSecrets):
    """`url` is a folder, or an address that fsspec opens (s3://bucket/prefix); without one, they are in the database.

    `options` is a JSON object of what fsspec needs to open it, such as keys and an endpoint.
    """

    SECRETS: ClassVar[tuple[str, ...]] = ("options",)

    url: str = ""
    options: SecretStr | None = None
    options_file: Path | None = None
