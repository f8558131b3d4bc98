"""Makes a database that holds nothing but one drill, at a URL or in a file of its own.

A SQLite file must not exist yet. On PostgreSQL the drill has a schema of its own, and never looks at any other.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from outreach.database import open_database, upgrade_database
from outreach.errors import DatabaseError


@dataclass(frozen=True)
class OwnDatabase:
    """The database of one drill."""

    #: For the drill's processes.
    url: str
    #: For people: it holds no password.
    shown: str
    #: The drill's own, on PostgreSQL.
    schema: str = ""

    def drop(self) -> None:
        """Takes the drill's schema away again; a SQLite file stays with whoever named it."""
        if self.schema:
            _execute(open_database(self.url), f"DROP SCHEMA {self.schema} CASCADE")


def make_database(url: str | None, folder: Path) -> OwnDatabase:
    """Today's tables with nothing in them. Raises DatabaseError where they cannot be made without touching others."""
    own = _name(url or f"sqlite:///{folder / 'drill.db'}")
    upgrade_database(open_database(own.url))
    return own


def _name(url: str) -> OwnDatabase:
    engine = open_database(url)
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        if path.exists():
            raise DatabaseError(f"{path} is there already, and a drill works on nobody's data: name a new file")
        return OwnDatabase(url, url)
    # By chance and not by the seed: two drills with one seed may be held on one server at once.
    schema = f"outreach_drill_{secrets.token_hex(4)}"
    _execute(engine, f"CREATE SCHEMA {schema}")
    given = make_url(url)
    # What the URL already asks of the server stands; of two search paths the last counts.
    asked = [*_options_in(given.query.get("options")), f"-csearch_path={schema}"]
    own = given.update_query_dict({"options": " ".join(asked)})
    shown = f"{given.render_as_string(hide_password=True)}, schema {schema}"
    return OwnDatabase(own.render_as_string(hide_password=False), shown, schema)


def _options_in(said: str | tuple[str, ...] | None) -> list[str]:
    return [said] if isinstance(said, str) else list(said or ())


def _execute(engine: Engine, statement: str) -> None:
    try:
        with engine.begin() as connection:
            connection.execute(text(statement))
    except SQLAlchemyError as error:
        raise DatabaseError(
            f"The drill cannot have a schema of its own there ({type(error).__name__}); check the URL, and that its "
            "user may create schemas"
        ) from error
