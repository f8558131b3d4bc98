"""Says in one line what is wrong with the database and what to do about it.

Never repeats a statement, a parameter or a row: what a database's driver says of a refused row holds people's data.
"""

import sqlite3

from sqlalchemy.exc import SQLAlchemyError

DATABASE_ERRORS = (SQLAlchemyError, sqlite3.Error)
_FULL = "The disk of the database is full. Make room on it, then run this again: what was not finished is done then"
_READ_ONLY = "The database cannot be written. Let this user write the file and the folder that it lies in"
WRONG_SHAPE = "The database does not have the shape that this version works with. Bring it there with: outreach init"
_CROSSED = "Two programs that wrote at the same time got in each other's way. Run this again; nothing of it was kept"
_GONE = "PostgreSQL ended the connection: it stopped or started again. Run this again once it answers"
_ABSENT = "PostgreSQL does not answer. Check that it runs, and the host and port in the URL"
_NOT_YET = "PostgreSQL is starting or stopping. Run this again once it answers"
_NOT_LET_IN = "PostgreSQL does not let us in. Check the user, the password and the database's name in the URL"
_MANY = "PostgreSQL takes no more connections. End some, or raise max_connections, then run this again"
_MAY_NOT = "The database's user may not do this. Give the user of the URL all rights on its own tables"
# By the name of SQLite's result code, or of the code that it is a case of (https://www.sqlite.org/rescode.html).
_OF_SQLITE = {
    "SQLITE_BUSY": "Another program has been writing the database for too long. Wait until it has ended, or end it, "
    "then run this again",
    "SQLITE_LOCKED": _CROSSED,
    "SQLITE_FULL": _FULL,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_PERM": _READ_ONLY,
    "SQLITE_CANTOPEN": "The database file cannot be opened. Check that its folder is there and that this user may "
    "write in it",
    "SQLITE_NOTADB": "The database file is no SQLite database. Check its path, or restore a backup of it",
    "SQLITE_CORRUPT": "The database file is damaged. Send nothing, and restore a backup of it",
    "SQLITE_IOERR": "The disk of the database cannot be read or written. Look at the disk and whether it is full, then "
    "run this again",
    "SQLITE_TOOBIG": "A value is larger than the database takes. Take it out of the data, then run this again",
}
# By the beginning of PostgreSQL's code (https://www.postgresql.org/docs/current/errcodes-appendix.html), longest first.
_OF_POSTGRESQL = {
    "25006": "The database may only be read: it is a standby, or set to read only. Name the server that is written to",
    "28": _NOT_LET_IN,
    "3D000": _NOT_LET_IN,
    "40": _CROSSED,
    "42501": _MAY_NOT,
    "42P01": WRONG_SHAPE,
    "42703": WRONG_SHAPE,
    "53100": _FULL,
    "53200": "PostgreSQL is out of memory. End what uses it, or give it more, then run this again",
    "53300": _MANY,
    "54": "A value is larger than the database takes. Take it out of the data, then run this again",
    "55P03": _CROSSED,
    "57": _GONE,
    "08": _GONE,
    "58": "PostgreSQL cannot read or write its disk. Look at the disk and at PostgreSQL's log, then run this again",
    "XX001": "PostgreSQL says that its data is damaged. Send nothing, and restore a backup of it",
}
# While we connect, and where a connection breaks, PostgreSQL's driver has words and no code.
_IN_WORDS = {
    "password authentication failed": _NOT_LET_IN,
    "no password supplied": _NOT_LET_IN,
    "does not exist": _NOT_LET_IN,
    "pg_hba.conf": _NOT_LET_IN,
    "too many": _MANY,
    "connection slots": _MANY,
    "starting up": _NOT_YET,
    "shutting down": _NOT_YET,
    "recovery mode": _NOT_YET,
    "connection failed": _ABSENT,
    "connection is bad": _ABSENT,
    "connection to server": _ABSENT,
    "could not translate host": _ABSENT,
    "failed to resolve host": _ABSENT,
    "connection timeout": _ABSENT,
    "connection": _GONE,
    "consuming input failed": _GONE,
    "ssl": _GONE,
}


def find_trouble(error: Exception) -> str | None:
    """What is wrong with the database itself and what to do, in one line; None where a statement or a row is."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.Error):
        name = getattr(cause, "sqlite_errorname", None) or ""
        if name == "SQLITE_ERROR":  # a statement's own fault, but for tables that are not there yet
            return WRONG_SHAPE if str(cause).startswith("no such") else None
        return _OF_SQLITE.get("_".join(name.split("_")[:2]))
    if code := getattr(cause, "sqlstate", None):
        return next((_OF_POSTGRESQL[code[:long]] for long in (5, 2) if code[:long] in _OF_POSTGRESQL), None)
    # Of errors that are no driver's the words may be a person's.
    if type(cause).__module__.partition(".")[0] != "psycopg":
        return None
    message = str(cause).casefold()
    return next((line for words, line in _IN_WORDS.items() if words in message), None)


def explain_database_error(error: Exception) -> str:
    """One line for a person, whatever the database's error: its kind and code, where nothing better is known."""
    if line := find_trouble(error):
        return line
    cause = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    named = f"{type(error).__name__}, {code}" if code else type(error).__name__
    return (
        f"The database refused what we asked of it ({named}), and nothing of that step was kept. Run: outreach doctor"
    )
