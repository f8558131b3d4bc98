"""Decides which tables and functions a query of a person's own may use, by the database's own reading of it.

The words of a query are never searched: SQLite asks an authorizer for each column, and PostgreSQL's parse tree names
each table and function by its number. No query may read accounts, secrets or the database's own insides.
"""

import re
import sqlite3
from collections.abc import Callable, Collection

from sqlalchemy import Connection, text

from outreach.errors import IntakeError

#: What a query may ask: what customers brought with them, and what was written to them. Whatever is added later is
#: closed until it stands here.
READABLE = frozenset({
    "customers", "treatments", "visits", "invoices", "payments", "feedback", "referrals", "consents", "flags", "dates",
    "moments", "decisions", "messages", "goodwill", "rewards",
})  # fmt: skip
_ACTS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE})
# Functions of SQLite that make values of any length, load code, or tell of the database itself.
_SQLITE_FUNCTIONS_KEPT = frozenset({
    "load_extension", "randomblob", "zeroblob", "fts3_tokenizer", "sqlite_source_id", "sqlite_compileoption_get",
    "sqlite_compileoption_used", "sqlite_log", "readfile", "writefile", "edit", "eval",
})  # fmt: skip
# In PostgreSQL a function that cannot change its answer (“immutable”) reads no table, nor does one that an operator or
# a cast stands for. Of the others only these may be called.
_OF_THE_CLOCK_AND_WORDS = (
    "now", "statement_timestamp", "transaction_timestamp", "clock_timestamp", "timezone", "date_trunc", "date_part",
    "extract", "date_bin", "age", "to_char", "to_date", "to_timestamp", "to_number", "make_timestamptz",
    "generate_series", "concat", "concat_ws", "format", "array_to_string", "random",
)  # fmt: skip
_TREE = "SELECT string_agg(ev_action::text, ' ') FROM pg_rewrite WHERE ev_class = CAST(:view AS regclass)"
# A table of ours is one in the schema in which “customers” is found, so that another of its name is none.
_TABLES = """
SELECT relname FROM pg_class WHERE oid = ANY(:ids) AND oid <> CAST(:view AS regclass) AND NOT (
    relname = ANY(:names) AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('customers'))
)
"""
_FUNCTIONS = """
SELECT proname FROM pg_proc
WHERE (oid = ANY(:ids) OR oid IN (SELECT oprcode FROM pg_operator WHERE oid = ANY(:operators)))
AND NOT (pronamespace = CAST('pg_catalog' AS regnamespace) AND (
    provolatile = 'i' OR proname = ANY(:names)
    OR EXISTS (SELECT FROM pg_operator WHERE oprcode = pg_proc.oid)
    OR EXISTS (SELECT FROM pg_cast WHERE castfunc = pg_proc.oid)
))
"""


def new_authorizer(connection: sqlite3.Connection) -> Callable[..., int]:
    """An authorizer for this SQLite connection that allows reading READABLE and nothing else."""
    tables = {name.lower() for (name,) in connection.execute("SELECT name FROM sqlite_master")}

    def allow(act: int, first: str | None, second: str | None, *_: str | None) -> int:
        if act == sqlite3.SQLITE_READ:
            is_allowed = _may_read((first or "").lower(), second or "", tables)
        elif act == sqlite3.SQLITE_FUNCTION:
            is_allowed = (second or "").lower() not in _SQLITE_FUNCTIONS_KEPT
        else:
            is_allowed = act in _ACTS
        return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY

    return allow


def _may_read(name: str, column: str, tables: Collection[str]) -> bool:
    """Whether a column may be read. Without one, the name is as it was written, and may be that of a WITH part."""
    if name in READABLE:
        return True
    return not column and name not in tables and not name.startswith(("sqlite_", "pragma_", "dbstat", "json_"))


def require_readable(connection: Connection, view: str) -> None:
    """Raises IntakeError unless the PostgreSQL view named `view` uses only READABLE tables and harmless functions.

    Reads the parse tree that PostgreSQL itself made of it, in which no spelling hides what is called.
    """
    tree = connection.execute(text(_TREE), {"view": view}).scalar_one()
    tables = {"ids": _numbers(tree, "relid"), "view": view, "names": sorted(READABLE)}
    called = _numbers(tree, "(?:op)?funcid", "aggfnoid", "winfnoid")
    functions = {"ids": called, "operators": _numbers(tree, "opno"), "names": list(_OF_THE_CLOCK_AND_WORDS)}
    for statement, given in ((_TABLES, tables), (_FUNCTIONS, functions)):
        if name := connection.execute(text(statement), given).scalars().first():
            raise IntakeError(f"A query may not ask for {name}; ask the tables of docs/data.md")


def _numbers(tree: str, *fields: str) -> list[int]:
    return sorted({int(number) for field in fields for number in re.findall(rf":{field} (\d+)", tree)})
