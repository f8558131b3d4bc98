"""Every address of the app, asked with whatever its own description allows and more: it never falls over."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import Phase, given, seed
from hypothesis import strategies as st
from schemathesis import Case
from sqlalchemy import Engine

from budget import IS_LONG, limits
from conftest import NOW
from outreach.clock import stopped_clock
from outreach.settings import Settings
from outreach.web.app import create_app
from prepared import prepare_few, prepared
from serving import Browser, serving

# What would end the sign-in, or open another: the tests of signing in see to those.
LEFT_OUT = {"/signout", "/account/signout", "/account/password", "/signin"}
TIMES = {"admin": 4 if IS_LONG else 1, "viewer": 1, None: 1}
# Names of what is there, so that a request comes further than “there is no such page”, and names that are trouble.
KNOWN = [
    "2026-03-10-anniversary-letter", "ANNI-LETTER-C0", "CHEC-EMAIL-C1", "c0", "anniversary", "letters",
    "anniversary.en.html", "lob", "style.css",
]  # fmt: skip
TROUBLE = ["%00", "..%2F..%2Fetc%2Fpasswd", "é", "‮", "0" * 300, "-1", "'; DROP TABLE messages; --", "<b>"]
SURNAME = "Lopez"


practice = prepared(prepare_few(2))


@pytest.fixture
def desk(practice: Engine, settings: Settings) -> Iterator[httpx.Client]:
    with serving(practice, settings) as client:
        yield client


def cases(engine: Engine, settings: Settings) -> st.SearchStrategy[Case]:
    """A request to any operation, with ids of ours, ids that are trouble, or whatever fits the description."""
    app = create_app(engine, settings, stopped_clock(NOW))
    schema = schemathesis.openapi.from_dict(app.openapi())
    operations = [found.ok() for found in schema.get_all_operations() if found.ok().path not in LEFT_OUT]
    assert len(operations) > 50

    @st.composite
    def draw_case(draw: Any, operation: Any) -> Case:
        case: Case = draw(operation.as_strategy())
        named = st.one_of(st.sampled_from(KNOWN), st.sampled_from(TROUBLE))
        case.path_parameters = {name: draw(named) for name in case.path_parameters or {}}
        return case

    return st.tuples(*(draw_case(operation) for operation in operations)).map(list)


@pytest.mark.longer
@pytest.mark.parametrize("role", TIMES)
def test_whatever_is_asked_no_address_falls_over(
    practice: Engine, desk: httpx.Client, settings: Settings, role: str | None
) -> None:
    browser = Browser(desk, practice, role, role) if role else None
    headers = {"Origin": str(desk.base_url).rstrip("/"), **(browser.headers if browser else {})}
    if browser:
        headers["X-CSRF"] = browser.csrf

    @seed(7)
    @given(cases(practice, settings))
    @limits(TIMES[role], database=None, phases=[Phase.generate])
    def ask(every: list[Case]) -> None:
        for case in every:
            answer = case.call(base_url=str(desk.base_url).rstrip("/"), headers=headers, allow_redirects=False)
            words = answer.content.decode("utf-8", "replace")
            said = f"{case.method} {case.formatted_path}: {answer.status_code}"
            assert answer.status_code < 500, said
            assert "Traceback" not in words, said
            assert role or SURNAME not in words, f"{said}: a customer's name for somebody not signed in"

    ask()
