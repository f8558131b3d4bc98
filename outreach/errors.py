"""Every error this program raises on purpose, in one tree. Each text tells a person what to do next.

OutreachError
├── SettingsError                 outreach.toml, a knob or a secret is missing or wrong
├── DatabaseError                 the database is not there, not upgraded, or not safe to send from
│   └── MarkNotWritten            the mark that tells a restored backup cannot be written: nothing may leave
├── NotFound                      a customer, batch, message, staff record or template that does not exist
├── IntakeError                   customer data cannot be read at all (single bad rows are refusals, not errors)
│   ├── SourceUnreadable
│   │   ├── NotRecognised         nothing says whose export the files are, or several systems' exports look so
│   │   └── EncodingUnclear       several encodings fit the file: carries how each would read a word of it
│   └── MappingRefused
├── ComposingError                a message cannot be written
│   ├── TemplateRefused           the template itself: carries its name and line
│   ├── FieldMissing              the customer's data lacks what the template needs
│   ├── CannotWrite               the pen cannot write a character
│   ├── ContactChanged            the recipient's contact was corrected since: the message is planned anew
│   ├── FailedCheck               what was printed is not fit to be approved: a word, a place or a person is wrong
│   ├── TooLong                   over the pages or segments allowed
│   └── ScanUnreadable            a scanned form of a person's hand whose pages cannot be found or read
├── StorageError                  the bytes of a letter cannot be kept or read now
│   └── ContentLost               they are gone, or are not what they were: waiting does not help
├── ApprovalError                 the decision does not fit what is there now
│   ├── ChangedSince              the batch is not what the approver saw
│   │   └── NowFewer              … because some of it is gone, and what is left is as they saw it
│   ├── NotWaiting                the batch or message is no longer waiting for a person
│   ├── SamePerson                whoever wrote it cannot approve it
│   ├── TooMuchGiven              its gifts would come to more than [rewards] allows
│   └── NotAllowed                their role is too low for it
├── SignInError                   somebody is not let in at the desk
│   ├── NotLetIn                  the name and the password, or what a provider says of them, do not fit
│   ├── TooManyTries              too many failed of late: wait
│   └── PasswordRefused           a new password that is too short or easily guessed
├── DeliveryError                 what is known of one hand-over to a provider
│   ├── Refused                   refused for good: the provider surely has nothing and never will
│   │   └── ContactRefused        … because the contact itself is dead or has opted out: it is never used again
│   ├── NotSent                   surely not accepted: it may be tried again
│   │   ├── NotNow                 … because of this one recipient or message: it says nothing of the provider
│   │   └── HeldUp                 … because this sender must not start it: nothing was asked of the provider
│   ├── OutcomeUnknown            it may have been accepted: never send again without evidence
│   ├── AlreadyAccepted           the provider has it from an earlier try
│   └── NoAnswer                  a look-up or a cancelling that was not answered: nothing follows from it
└── WebhookRefused                a webhook that does not prove who sent it, is stale, or is not in their format
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal


class OutreachError(Exception):
    """The root; its text is fit to show to the person at the keyboard."""


class SettingsError(OutreachError): ...


class DatabaseError(OutreachError): ...


class MarkNotWritten(DatabaseError): ...


class NotFound(OutreachError): ...


class IntakeError(OutreachError): ...


class SourceUnreadable(IntakeError): ...


class NotRecognised(SourceUnreadable): ...


class EncodingUnclear(SourceUnreadable):
    """Several encodings fit a file; `readings` has each with a word as it would read it, for whoever knows the people.

    The text itself repeats no word of the file.
    """

    def __init__(self, readings: list[tuple[str, str]]) -> None:
        names = " or ".join(page for page, _ in readings)
        super().__init__(
            f"its letters are not UTF-8, and fit {names} alike; save it as CSV UTF-8, or name its encoding in a "
            f"mapping file, or for this import: --encoding {readings[0][0]}"
        )
        self.readings = readings


class MappingRefused(IntakeError): ...


class ComposingError(OutreachError): ...


class TemplateRefused(ComposingError):
    """A template that must not be used; `line` counts from 1 (0 when the whole file is at fault)."""

    def __init__(self, template: str, line: int, reason: str) -> None:
        super().__init__(f"{template}, line {line}: {reason}")
        self.template, self.line, self.reason = template, line, reason


class FieldMissing(ComposingError):
    """A value the words need is missing or empty; `field` is its name in the template."""

    def __init__(self, field: str, template: str) -> None:
        super().__init__(f"{template} needs “{field}”, and it is missing or empty; fill it in the customer data")
        self.field, self.template = field, template


class CannotWrite(ComposingError): ...


class ContactChanged(ComposingError):
    """The recipient's contact was corrected after the message was planned: it is planned anew, to the new one."""


class FailedCheck(ComposingError): ...


class TooLong(ComposingError): ...


class ScanUnreadable(ComposingError): ...


class StorageError(OutreachError): ...


class ContentLost(StorageError): ...


class ApprovalError(OutreachError): ...


class ChangedSince(ApprovalError): ...


class NowFewer(ChangedSince):
    """A batch that only shrank: `count`, `cost` and `seal` are of what is left; `gone` says why, by reference."""

    def __init__(self, text: str, count: int, cost: int, seal: str, gone: Mapping[str, str]) -> None:
        super().__init__(text)
        self.count, self.cost, self.seal, self.gone = count, cost, seal, gone


class NotWaiting(ApprovalError): ...


class SamePerson(ApprovalError): ...


class TooMuchGiven(ApprovalError): ...


class NotAllowed(ApprovalError): ...


class SignInError(OutreachError): ...


class NotLetIn(SignInError): ...


class TooManyTries(SignInError):
    """`wait` is how long no further try is looked at."""

    def __init__(self, wait: timedelta) -> None:
        minutes = -(-wait // timedelta(minutes=1))
        duration = "a minute" if minutes <= 1 else f"{minutes} minutes"
        super().__init__(f"Too many tries have failed. Wait {duration}, then try again")
        self.wait = wait


class PasswordRefused(SignInError): ...


class DeliveryError(OutreachError): ...


class Refused(DeliveryError): ...


class ContactRefused(Refused):
    """`source` is what the contact is suppressed for: "bounced" or "unsubscribed"."""

    def __init__(self, text: str, source: Literal["bounced", "unsubscribed"]) -> None:
        super().__init__(text)
        self.source = source


class NotSent(DeliveryError):
    """`after` is how long the provider asks us to wait before the next try, where it says."""

    def __init__(self, text: str, after: timedelta | None = None) -> None:
        super().__init__(text)
        self.after = after


class NotNow(NotSent): ...


class HeldUp(NotSent): ...


class OutcomeUnknown(DeliveryError): ...


class AlreadyAccepted(DeliveryError):
    def __init__(self, provider_id: str) -> None:
        super().__init__(f"the provider has had it as {provider_id} since an earlier try")
        self.provider_id = provider_id


class NoAnswer(DeliveryError): ...


class WebhookRefused(OutreachError): ...
