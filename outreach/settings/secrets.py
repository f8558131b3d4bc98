"""Settings that are secret: from the environment, or from a file that a `…_file` setting names, never outreach.toml."""

from pathlib import Path
from typing import Any, ClassVar

from pydantic import SecretStr, model_validator

from outreach.local_files import read_text
from outreach.settings.parts import Part

# Every name in a SECRETS of some part must be here as well: by these loader.py finds a secret in outreach.toml.
SECRET_NAMES = frozenset({"secret", "api_key", "webhook_secret", "auth_token", "password", "client_secret", "options"})

# More than any key has; a larger file was named by mistake.
LARGEST_SECRET = 1024 * 1024


def _read(path: Any) -> str:
    try:
        return read_text(Path(path), LARGEST_SECRET).strip()
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError:  # its text holds the secret
        raise ValueError(f"{path} is not text in UTF-8; save it anew as UTF-8") from None


def secret_of(value: SecretStr | None) -> str:
    """The secret itself, for the moment of its use; empty when it is not set."""
    return value.get_secret_value() if value else ""


class PartWithSecrets(Part):
    """A part some of whose settings are secret."""

    #: The names of its secret settings; each may be read from the file that `<name>_file` names.
    SECRETS: ClassVar[tuple[str, ...]] = ()

    # Before the part is made: it is frozen, and no setting of it can be changed afterwards.
    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        read = {name: values.get(f"{name}_file") for name in cls.SECRETS}
        return {**values, **{name: _read(path) for name, path in read.items() if path and not values.get(name)}}

    def missing(self) -> list[str]:
        """The secrets that it cannot do without and that are not set."""
        return [name for name in self.SECRETS if not secret_of(getattr(self, name))]
