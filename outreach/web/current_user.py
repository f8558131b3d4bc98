"""Who is signed in at a browser: what pages may know of them. No rules of signing in."""

from dataclasses import dataclass

from outreach.models import ROLES


@dataclass(frozen=True)
class Signed:
    """The person at this browser. `said` is what their last act had to say."""

    staff_id: str
    name: str
    role: str
    csrf: str
    said: str = ""
    must_choose: bool = False

    def may(self, role: str) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)
