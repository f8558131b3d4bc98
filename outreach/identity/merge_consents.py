"""Carries what a person said, and what is known of them, under one of their numbers over to the number that is kept.

Of both numbers the stricter word stands: a withdrawal under either counts. The rows themselves stay where they are.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from sqlmodel import Session, col, select

from outreach.database import insert_new, upsert
from outreach.identity.aliases import copied_keys, copy_row, key_of, list_rows
from outreach.models import Consent, Flag, Goodwill, Merge, Repointed
from outreach.models.precedence import keep_flags_of_the_desk

WITHDRAWN, GRANTED = "withdrawn", "granted"
# The basis and the source of a withdrawal that stands because the same person said it under another number.
BASIS, SOURCE = "said under another number of theirs", "merge"
Row = Mapping[str, Any]


def carry(session: Session, merge: Merge, changed_flags: Collection[str] = ()) -> None:
    """Copies what the merged number has to the kept one; `changed_flags` are keys of flags that data brought anew."""
    _carry_consents(session, merge)
    _carry_flags(session, merge, changed_flags)
    for row in list_rows(session, Goodwill, merge.merged_id):
        copy_row(session, merge, Goodwill, row | {"customer_id": merge.kept_id})


def _carry_consents(session: Session, merge: Merge) -> None:
    copies = copied_keys(session, merge, Consent)
    own = [row for row in list_rows(session, Consent, merge.kept_id) if key_of(Consent, row) not in copies]
    theirs = list_rows(session, Consent, merge.merged_id)
    for row in theirs:
        copy_row(session, merge, Consent, row | {"customer_id": merge.kept_id})
    for channel, purpose in sorted(find_refused(merge, own, theirs)):
        refusal = {
            "customer_id": merge.kept_id, "channel": channel, "purpose": purpose, "at": merge.at, "state": WITHDRAWN,
            "basis": BASIS, "source": SOURCE,
        }  # fmt: skip
        copy_row(session, merge, Consent, refusal)


def find_refused(merge: Merge, own: Iterable[Row], theirs: Iterable[Row]) -> set[tuple[str, str]]:
    """Each (channel, purpose) that one of the two had withdrawn at the merge, while the other's word was later."""
    last = [_last_words(row for row in rows if row["at"] <= merge.at) for rows in (own, theirs)]
    states = [{about: row["state"] for about, row in words.items()} for words in last]
    return {about for one, other in (states, states[::-1]) for about in one
            if one[about] == WITHDRAWN and other.get(about) == GRANTED}  # fmt: skip


def _last_words(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
    # Of two words of one instant, the withdrawal stands.
    in_order = sorted(rows, key=lambda row: (row["at"], row["state"] == WITHDRAWN))
    return {(row["channel"], row["purpose"]): row for row in in_order}


def _carry_flags(session: Session, merge: Merge, changed: Collection[str]) -> None:
    for row in list_rows(session, Flag, merge.merged_id):
        _carry_flag(session, merge, row, key_of(Flag, row) in changed)


def _carry_flag(session: Session, merge: Merge, row: Row, is_changed: bool) -> None:
    new = dict(row) | {"customer_id": merge.kept_id}
    own = session.get(Flag, (merge.kept_id, row["kind"], row["from_on"]))
    is_copy = own is not None and key_of(Flag, new) in copied_keys(session, merge, Flag)
    if own is not None and not is_copy and _lasts_longer(row["until_on"], own.until_on):
        # A flag has one row a day: the longer of two that began together begins a day before.
        new["from_on"] = row["from_on"] - timedelta(days=1)
        is_copy = key_of(Flag, new) in copied_keys(session, merge, Flag)
    if is_copy and is_changed:
        upsert(session, Flag, [new], keep_flags_of_the_desk)
    elif not is_copy:
        copy_row(session, merge, Flag, new)


def _lasts_longer(until: date | None, other: date | None) -> bool:
    return other is not None and (until is None or until > other)


def keep_stops(session: Session, merge: Merge) -> None:
    """Before a merge is taken back: what the person withdrew meanwhile counts for both, since nobody knows for whom.

    What another number of theirs had said, and a merge copied here, is that number's.
    """
    since = select(Consent).where(
        Consent.customer_id == merge.kept_id, Consent.state == WITHDRAWN, col(Consent.at) > merge.at
    )
    rows = {key_of(Consent, row.model_dump()): row.model_dump() for row in session.exec(since)}
    copied = select(Repointed.row_key).where(
        Repointed.table_name == "consents", Repointed.column_name == "", col(Repointed.row_key).in_(rows)
    )
    own = [rows[key] for key in rows.keys() - set(session.exec(copied))]
    insert_new(session, Consent, [row | {"customer_id": merge.merged_id} for row in own])
