"""Whether a subject stands on one line: what goes on below it would be sent as the first of the words, unnoticed."""

from outreach.errors import TemplateRefused

_GOES_ON_AFTER = (",", ";", "-", "–", "—", "(")
_GREETING = "{{ greeting"


def require_whole_subject(name: str, source: str) -> None:
    """Raises TemplateRefused where the first line is empty or alone, or the second reads as the rest of the subject.

    An empty line below the subject says that it is whole.
    """
    first, second, third = [*source.split("\n"), "", ""][:3]
    if not first.strip() or not source.partition("\n")[2].strip():
        raise TemplateRefused(name, 1, "the first line is the subject; then comes the rest")
    if second.strip() and (_reads_on(first.rstrip(), second.lstrip()) or _is_before_greeting(second, third)):
        reason = "this reads as the rest of the subject: write that on one line, and leave the line below it empty"
        raise TemplateRefused(name, 2, reason)


def _reads_on(first: str, second: str) -> bool:
    return first.endswith(_GOES_ON_AFTER) or second[:1].islower()


def _is_before_greeting(second: str, third: str) -> bool:
    """Whether the words begin on the third line, with whom they greet."""
    return _GREETING in third and _GREETING not in second
