"""The set-up for many workers, read as files: what it names must exist. No container is started here."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from prefect.settings import Settings as PrefectSettings
from pydantic import BaseModel

from checkout import PROJECT
from flows.shard_runs import POOL
from outreach.commands.main import app
from outreach.settings import Settings

sys.path.insert(0, str(PROJECT / "setup"))
from libraries import LIBRARIES

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "setup" / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (PROJECT / "setup" / "Dockerfile").read_text(encoding="utf-8")
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("outreach:")}
# A plain image name with a tag that says a version: no host before it, nothing that means “whatever is newest”.
IMAGE = re.compile(r"[a-z]+:\d+(\.\d+)+(-[a-z-]+)?")


def variables() -> Iterator[tuple[str, str, str]]:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            yield name, variable, value


def test_the_parts_of_the_set_up_are_all_there() -> None:
    assert SERVICES.keys() == {
        "postgres", "init", "prefect", "deployments", "desk", "worker", "shard-worker",
    }  # fmt: skip


@pytest.mark.parametrize("image", [*(service["image"] for service in SERVICES.values()), DOCKERFILE.split("FROM ")[1]])
def test_every_image_is_a_plain_name_pinned_to_a_version(image: str) -> None:
    assert IMAGE.fullmatch(image.split()[0])


@pytest.mark.parametrize("name", [name for name, service in OURS.items() if service["command"][0] == "outreach"])
def test_every_command_of_ours_exists_with_its_options(name: str) -> None:
    group: Any = typer.main.get_command(app)
    rest = SERVICES[name]["command"][1:]
    command = group.get_command(None, rest[0])
    assert command
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= known


@pytest.mark.parametrize("name", ["prefect", "shard-worker"])
def test_every_command_of_prefect_exists_with_its_options(name: str) -> None:
    first, *words = SERVICES[name]["command"]
    help_ = [sys.executable, "-m", first, *words[:2], "--help"]
    told = subprocess.run(help_, capture_output=True, text=True, check=True, timeout=120).stdout
    assert [word for word in words if word.startswith("--") and word not in told] == []


def test_the_workers_take_the_pools_that_the_flows_name() -> None:
    workers = ("worker", "shard-worker")
    pools = {name: SERVICES[name]["command"][SERVICES[name]["command"].index("--pool") + 1] for name in workers}
    assert pools == {"worker": "outreach", "shard-worker": POOL}
    assert SERVICES["shard-worker"]["command"][-2:] == ["--limit", "1"]


def leaf_of(part: type[BaseModel], path: list[str]) -> bool:
    """Whether a setting lies at the path."""
    if not path or path[0] not in part.model_fields:
        return False
    inner = part.model_fields[path[0]].annotation
    is_part = isinstance(inner, type) and issubclass(inner, BaseModel)
    return leaf_of(inner, path[1:]) if is_part and len(path) > 1 else len(path) == 1


OF_OURS = sorted({variable for _, variable, _ in variables() if variable.startswith("OUTREACH_")})
OF_PREFECT = sorted({variable for _, variable, _ in variables() if variable.startswith("PREFECT_")})


@pytest.mark.parametrize("variable", OF_OURS)
def test_every_variable_of_ours_is_a_setting(variable: str) -> None:
    assert leaf_of(Settings, variable.removeprefix("OUTREACH_").lower().split("__"))


def prefect_variables(part: type[BaseModel]) -> Iterator[str]:
    for field in part.model_fields.values():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from prefect_variables(inner)
    prefix = getattr(part, "model_config", {}).get("env_prefix", "")
    for name, field in part.model_fields.items():
        yield f"{prefix}{name}".upper()
        choices = getattr(field.validation_alias, "choices", [])
        yield from (str(choice).upper() for choice in choices)


@pytest.mark.parametrize("variable", OF_PREFECT)
def test_every_variable_of_prefect_is_a_setting(variable: str) -> None:
    assert variable in set(prefect_variables(PrefectSettings))


def test_a_secret_comes_from_the_environment_and_has_no_default() -> None:
    secret = re.compile(r"PASSWORD|SECRET|_URL$")
    asked = [value for _, variable, value in variables() if secret.search(variable) and "://" not in value]
    asked += [value for _, _, value in variables() if "@" in value]
    assert asked
    assert all(re.search(r"\$\{OUTREACH_[A-Z_]+:\?[^}]+\}", value) for value in asked)


def test_prefects_server_is_given_nothing_of_ours_but_a_database_of_its_own() -> None:
    given = SERVICES["prefect"]["environment"]
    assert [name for name in given if name.startswith("OUTREACH_")] == []
    assert given["PREFECT_SERVER_DATABASE_CONNECTION_URL"].endswith("/prefect")
    assert (SERVICES["prefect"]["env_file"], SERVICES["prefect"]["volumes"]) == ([], [])


def test_nothing_is_published_beyond_the_machine_itself() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_what_a_service_waits_for_exists_and_ends_or_says_that_it_is_well() -> None:
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            awaited = SERVICES[other]
            ends = how["condition"] == "service_completed_successfully"
            assert awaited["restart"] == "on-failure" if ends else "healthcheck" in awaited


def test_the_image_has_every_library_that_letters_need_and_the_files_that_it_copies_exist() -> None:
    assert [one.debian for one in LIBRARIES if f" {one.debian} " not in DOCKERFILE] == []
    copied = (PROJECT / "setup" / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    names = [line[1:] for line in copied.splitlines() if line.startswith("!")]
    assert names
    assert [name for name in names if not (PROJECT / name).exists()] == []
    assert Path(PROJECT / COMPOSE["x-ours"]["build"]["dockerfile"]).is_file()
