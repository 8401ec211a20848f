"""The audit trail: who did what through which door."""

from __future__ import annotations

from farm.accounts.models import Account, AuditEntry, Door, User
from farm.bell import ring


def record(
    *, account: Account | None, actor: User | None, door: Door, verb: str, subject: str
) -> AuditEntry:
    """One line of the audit trail, to be written in the transaction of the deed.

    Whatever was wished, somebody looks for what is due once it is committed.
    """
    ring()
    return AuditEntry.objects.create(
        account=account, actor=actor, door=door, verb=verb, subject=subject
    )
