"""One PostgreSQL database for many tests, brought back to how it was after each: to copy one takes a third of a second.

Whatever a test left is found by the database itself: rows, numbers of sequences, connections, tables. Where a test
changed the tables, the database is made anew.
"""

from collections.abc import Callable

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

# What the migrations wrote is kept in a schema of its own, and put back.
_KEEP = """
CREATE SCHEMA kept;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('CREATE TABLE kept.%I AS SELECT * FROM public.%I', name, name);
    END LOOP;
END $$;
"""
_PUT_BACK = """
DO $$ DECLARE name text; is_filled boolean; was_filled boolean; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO is_filled;
        EXECUTE format('SELECT EXISTS (SELECT FROM kept.%I)', name) INTO was_filled;
        IF is_filled THEN EXECUTE format('DELETE FROM public.%I', name); END IF;
        IF was_filled THEN EXECUTE format('INSERT INTO public.%I SELECT * FROM kept.%I', name, name); END IF;
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE public.%I RESTART', name);
    END LOOP;
END $$;
"""
# Everything that has a shape: tables, columns, indexes, constraints, functions and triggers.
_SHAPE = """
SELECT (SELECT md5(string_agg(format('%s %s %s', attrelid::regclass, attname, atttypid), ',' ORDER BY attrelid, attnum))
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0)
    || (SELECT count(*) FROM pg_constraint WHERE connamespace = 'public'::regnamespace)
    || ' ' || (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
    || ' ' || (SELECT count(*) FROM pg_trigger) || ' ' || (SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_')
"""
_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class SharedPostgres:
    """A database with today's tables that is as new before each test."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._engine: Engine | None = None
        self._shape = ""
        self.url = ""

    def open(self) -> str:
        """Its URL; it is as new."""
        if self._engine is None:
            self.url = self._make()
            plain = self.url.replace("postgresql://", "postgresql+psycopg://")
            self._engine = create_engine(plain, poolclass=NullPool)
            with self._engine.begin() as connection:
                connection.execute(text(_KEEP))
                self._shape = _shape_of(connection)
        return self.url

    def put_back(self) -> None:
        """Takes away what a test left."""
        assert self._engine is not None
        with self._engine.begin() as connection:
            connection.execute(text(_OTHERS))
            if _shape_of(connection) == self._shape:
                connection.execute(text(_PUT_BACK))
            else:
                self._engine = None


def _shape_of(connection: Connection) -> str:
    return str(connection.execute(text(_SHAPE)).scalar_one())
