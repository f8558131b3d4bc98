"""The settings that say where the bytes of letters are kept: `[storage]` in outreach.toml."""

from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from outreach.settings.secrets import PartWithSecrets


class StorageSettings(PartWithSecrets):
    SECRETS: ClassVar[tuple[str, ...]] = ("options",)

    #: A folder, or an address that fsspec opens (s3://bucket/prefix); without one, they are in the database.
    url: str = ""
    #: A JSON object of what fsspec needs to open it, such as keys and an endpoint. Keys make it a secret.
    options: SecretStr | None = None
    options_file: Path | None = None
