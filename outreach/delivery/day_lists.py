"""Has the providers that write lists over a day's messages, such as the print room's, bring them up to date.

It hands nothing over. A list that cannot be written stays due, and takes no message back.
"""

from collections.abc import Callable, Iterable

from outreach.delivery.providers import ClosesItsDay, Provider


def close_days(providers: Iterable[Provider], tell: Callable[[str], None]) -> tuple[str, ...]:
    """The lists that were written. One that cannot be written stays due, and what was sent stays sent."""
    written: list[str] = []
    for provider in providers:
        if isinstance(provider, ClosesItsDay):
            try:
                written += provider.finish()
            except OSError as error:
                tell(f"{provider.name} cannot write its lists ({error.strerror}); the next run tries again")
    return tuple(written)
