"""Tries templates out in a child process that may use 5 seconds of CPU and 512 MB for each: the second fence.

Templates that pass `check_template` cannot come near these limits; one that does is refused before a customer is read.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache

from outreach.composing.templating.engine import LONGEST_FIELD, Dress, Fields, Value, render_template, try_branches
from outreach.errors import ComposingError, TemplateRefused

CPU_SECONDS = 5
MEMORY_BYTES = 512 * 2**20
WALL_SECONDS = 60
READY = "ready"
_OUTGREW = f"it used more than {CPU_SECONDS} seconds or {MEMORY_BYTES >> 20} MB; simplify it"


@dataclass(frozen=True)
class TemplateTrial:
    """One template and the fields, as (name, value) pairs, to try it with."""

    name: str
    source: str
    dress: Dress
    fields: tuple[tuple[str, Value], ...]


def job_for(name: str, source: str, dress: Dress, fields: Fields) -> TemplateTrial:
    """A job with every text field as long as a field can be, and made of what grows most when it is escaped."""
    worst = {field: "&" * LONGEST_FIELD if isinstance(value, str) else value for field, value in fields.items()}
    return TemplateTrial(name, source, dress, tuple(sorted((worst | {"currency": "USD", "locale": "en_US"}).items())))


@dataclass(frozen=True)
class TemplateFault:
    """Why a template fails, and its line: 0 where the whole of it is at fault."""

    line: int
    reason: str


@lru_cache(maxsize=8)
def try_out(jobs: tuple[TemplateTrial, ...]) -> Mapping[str, TemplateFault]:
    """What is wrong with each template, by name, that fails or outgrows its limits; empty when all are well.

    Each is rendered once as it is, and once through every branch of it.
    """
    refused: dict[str, TemplateFault] = {}
    left = list(jobs)
    while left:
        answers = _run_child(left)
        refused |= {name: fault for name, fault in answers.items() if fault.reason}
        left = left[len(answers) :]
        if left:
            # The child died over the first that has no answer; the rest is tried in another.
            refused[left.pop(0).name] = TemplateFault(0, _OUTGREW)
    return refused


def _run_child(jobs: Sequence[TemplateTrial]) -> dict[str, TemplateFault]:
    """What the child answered before it ended, for each template: a fault, or one without a reason where it is well."""
    asked = json.dumps([asdict(job) for job in jobs], default=lambda day: {"date": day.isoformat()})
    command = [sys.executable, "-m", "outreach.composing.templating.sandbox"]
    try:
        ended = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=WALL_SECONDS)  # noqa: S603
        said, why = ended.stdout, ended.stderr.strip().rpartition("\n")[2]
    except subprocess.TimeoutExpired as expired:
        said, why = (expired.stdout or b"").decode(), "it took too long"
    ready, *answers = said.splitlines() or [""]
    if ready != READY:
        raise ComposingError(f"The process that tries templates out did not start ({why}); run: outreach doctor")
    return {name: TemplateFault(line, reason) for name, line, reason in map(json.loads, answers)}


def _answer(asked: str) -> Iterator[tuple[str, int, str]]:
    for job in json.loads(
        asked, object_hook=lambda found: date.fromisoformat(found["date"]) if "date" in found else found
    ):
        used = resource.getrusage(resource.RUSAGE_SELF)
        # RLIMIT_CPU counts from the start of the process, so each template gets its seconds on top of those before it.
        seconds = int(used.ru_utime + used.ru_stime) + CPU_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        fault = _try(job["name"], job["source"], job["dress"], dict(job["fields"]))
        yield job["name"], fault.line, fault.reason


def _try(name: str, source: str, dress: Dress, fields: Fields) -> TemplateFault:
    try:
        render_template(name, source, fields, dress)
        try_branches(name, source, fields, dress)
    except TemplateRefused as refused:
        return TemplateFault(refused.line, refused.reason)
    except ComposingError as error:
        return TemplateFault(0, str(error))
    except MemoryError:
        return TemplateFault(0, _OUTGREW)
    return TemplateFault(0, "")


def main() -> None:
    # macOS does not hold a process to its address space; there the CPU limit stands alone.
    if sys.platform != "darwin":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sys.stdout.write(READY + "\n")
    for answer in _answer(sys.stdin.read()):
        sys.stdout.write(json.dumps(answer) + "\n")
        # What was answered must have left before a limit ends the process.
        sys.stdout.flush()


if __name__ == "__main__":
    main()
