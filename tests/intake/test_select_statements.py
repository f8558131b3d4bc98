"""Which queries of a mapping are asked of a database, and which are refused unasked."""

import pytest

from outreach.intake.mapping.files import list_presets, read_preset
from outreach.intake.sources.select_statements import why_not_select

BOTH = ("mysql", "postgresql")


@pytest.mark.parametrize("dialect", [*BOTH, "sqlite"])
@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM t ORDER BY id", "  select 1 as id;  ", "WITH a AS (SELECT 1 AS id) SELECT id FROM a",
        "-- who\nSELECT id FROM t", "/* who; INTO */ SELECT id FROM t", "(SELECT 1 AS id) UNION ALL (SELECT 2)",
        "SELECT id FROM t WHERE note = 'sold into; it''s DELETE FROM'", "SELECT updated, `into` FROM t",
        "SELECT replace(name, 'a', 'b') AS n, for_sale FROM t", "SELECT 'x;y' AS \"a;b\" FROM t",
    ],
)  # fmt: skip
def test_one_select_is_asked_whatever_stands_in_its_quotes_and_comments(query: str, dialect: str) -> None:
    assert why_not_select(query, dialect) == ""


@pytest.mark.parametrize("dialect", BOTH)
@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM t", "SET SESSION TRANSACTION READ WRITE", "CALL wipe()", "", "COPY t TO '/x'", "EXPLAIN SELECT 1",
        "SELECT 1; DELETE FROM t", "SELECT 1 /* ; */ ; SELECT 2", "SELECT 1 INTO OUTFILE '/x'",
        "SELECT * INTO new FROM t",
        "SELECT 1\nINTO\tDUMPFILE '/x'", "SELECT LOAD_FILE('/etc/passwd')", "select load_file ('/etc/passwd')",
        "SELECT pg_read_file('/etc/passwd')", "SELECT id FROM t FOR UPDATE", "SELECT id FROM t LOCK IN SHARE MODE",
        "WITH gone AS (DELETE FROM t RETURNING id) SELECT id FROM gone", "SELECT dblink_exec('x', 'y')",
        "SELECT 1 /*! INTO OUTFILE '/x' */", "SELECT 1 /*M!100000 INTO OUTFILE '/x' */", "SELECT pg_sleep(9)",
        "SELECT 'a", "SELECT lo_import('/x')", "SELECT set_config('a', 'b', false)",
    ],
)  # fmt: skip
def test_what_does_more_than_read_tables_is_refused(query: str, dialect: str) -> None:
    assert why_not_select(query, dialect) != ""


@pytest.mark.parametrize(
    ("dialect", "query"),
    [
        ("mysql", r"SELECT 'a\'' = 'b' INTO OUTFILE '/x' -- '"), ("mysql", "SELECT 1 # it's\nINTO OUTFILE '/x'"),
        ("mysql", "SELECT \"a\\\"\" INTO OUTFILE '/x' -- \""),
        ("postgresql", r"SELECT '\' INTO x FROM t -- '"), ("postgresql", r"SELECT E'\'' INTO x FROM t WHERE a = ''"),
        ("postgresql", "SELECT \"pg_read_file\"('/etc/passwd')"), ("mysql", "SELECT load_file/**/('/etc/passwd')"),
        ("postgresql", "SELECT 1 /* /* */ */ INTO x"), ("postgresql", "SELECT $$'$$ INTO x FROM t WHERE a = $$'$$"),
    ],
)  # fmt: skip
def test_no_quote_or_comment_of_its_dialect_hides_a_word(dialect: str, query: str) -> None:
    assert why_not_select(query, dialect) != ""


@pytest.mark.parametrize("dialect", ["mysql", "postgresql", "sqlite"])
@pytest.mark.parametrize("preset", list_presets())
def test_the_queries_of_every_preset_are_asked(preset: str, dialect: str) -> None:
    queries = [file.query for file in read_preset(preset).file if file.query]
    assert [why_not_select(query, dialect) for query in queries] == [""] * len(queries)
