"""One message on the desk: the letter large, the window drawn over it, and beside it the person's story."""

from outreach.web.guard import new_router

router = new_router()
