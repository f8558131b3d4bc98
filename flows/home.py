"""The first step of every deployed run: enters the installation, wherever it lies on the worker's machine."""

from outreach.installation import enter_own_installation


def enter_installation() -> dict[str, str]:
    """Makes the installation the current folder, where outreach.toml and a relative database URL are looked for.

    Raises SettingsError where the worker does not tell which one it is.
    """
    return {"directory": str(enter_own_installation())}


# As prefect.yaml called it before installations were made apart from the project: theirs may say so still.
enter_project = enter_installation
