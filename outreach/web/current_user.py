"""Who is signed in at a browser, as far as pages may know. It holds no rules of signing in."""

from dataclasses import dataclass

from outreach.models import ROLES


@dataclass(frozen=True)
class Signed:
    """The person at this browser."""

    staff_id: str
    name: str
    role: str
    #: The token that their forms carry.
    csrf: str
    #: What their last act had to say.
    said: str = ""
    #: Whether they must choose a password before anything else.
    must_choose: bool = False

    def may(self, role: str) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)
