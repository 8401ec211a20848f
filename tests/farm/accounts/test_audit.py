"""The audit trail names what was acted on, whole."""

from __future__ import annotations

import pytest

from farm.accounts.models import AuditEntry, Door
from farm.accounts.services import record

pytestmark = pytest.mark.django_db

LONGEST_ADDRESS = f"{'a' * 64}@{'b' * 185}.org"


def test_the_longest_address_is_named_whole() -> None:
    record(account=None, actor=None, door=Door.CLI, verb="invite", subject=LONGEST_ADDRESS)
    assert AuditEntry.objects.get().subject == LONGEST_ADDRESS
