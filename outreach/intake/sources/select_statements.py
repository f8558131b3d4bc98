"""Says why a mapping's query is not one SELECT that only reads, before a database sees it.

The connection cannot write tables either; but no transaction keeps MySQL from writing a file, or PostgreSQL from
reading one. So a query is taken apart as its database would, and what could reach beyond its tables is refused.
"""

import re

# What stands in quotes, and comments, are no words of the statement. A comment that MySQL runs is none.
_SHARED = r"""/\*(?![!M])[\s\S]*?\*/ | `[^`]*`"""
_ESCAPED = r"""'(?:[^'\\]|\\[\s\S]|'')*'"""
_QUOTED_BY_MYSQL = re.compile(
    rf"""{_SHARED} | \#[^\n]* | --(?=\s|$)[^\n]* | {_ESCAPED} | "(?:[^"\\]|\\[\s\S]|"")*" """, re.VERBOSE
)
_QUOTED_BY_OTHERS = re.compile(
    rf"""{_SHARED} | --[^\n]* | \$(?P<tag>\w*)\$[\s\S]*?\$(?P=tag)\$
    | \b[eE]{_ESCAPED} | '(?:[^']|'')*' | "(?:[^"]|"")*" """,
    re.VERBOSE,
)
_BEYOND_TABLES = re.compile(
    r"""
    (?: \binto\b | \bfor\s+(?:no\s+key\s+)?update\b | \bfor\s+(?:key\s+)?share\b | \block\s+in\s+share\b
        | \b(?:insert|update|delete|merge|replace)\s+(?:into|from|only)\b )
    | \b(?: load_file | load_extension | readfile | writefile | sleep | benchmark | get_lock | sys_eval
        | sys_exec | pg_sleep\w* | pg_read_\w+ | pg_ls_\w+ | pg_stat_file | pg_file_\w+ | pg_(?:try_)?advisory_\w+
        | pg_(?:terminate|cancel)_backend | pg_reload_conf | pg_logical_\w+ | lo_\w+ | dblink\w* | query_to_xml\w*
        | set_config | nextval | setval ) \s* \(
    """,
    re.VERBOSE | re.IGNORECASE,
)


def why_not_select(query: str, dialect: str) -> str:
    """Why `query` may not be asked of a database of this `dialect`, and what to do; empty where it may."""
    quoted = _QUOTED_BY_MYSQL if dialect in {"mysql", "mariadb"} else _QUOTED_BY_OTHERS
    # A mark in the place of each, so that no two words become one.
    bare = quoted.sub(lambda part: " " if part[0][0] in "/-#" else " '' ", query).strip().removesuffix(";")
    if not re.match(r"\(*\s*(?:select|with)\b", bare, re.IGNORECASE):
        return "it is no SELECT; write one that begins with SELECT or WITH"
    if ";" in bare:
        return "it is more than one statement; write one SELECT"
    if re.search(r"/\*[!M]|['\"`]", bare.replace("''", "")):
        return "it has a comment that is run, or a quote that never closes; take it out"
    if re.search(r"''\s*\(", bare):
        return "it calls a function by a name in quotes; write the name without them"
    if found := _BEYOND_TABLES.search(bare):
        return f"it says “{' '.join(found[0].split())}”, which does more than read tables; take it out"
    return ""
