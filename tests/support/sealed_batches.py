"""A batch with one message in it."""

from outreach.settings import Settings


def alone(settings: Settings) -> Settings:
    return settings.model_copy(update={"approval": settings.approval.model_copy(update={"single_person": True})})
