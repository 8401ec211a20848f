"""A cloud that needs the operator: told once, by mail too, until it is mended."""

from __future__ import annotations

import pytest
from django.core import mail
from django.utils import timezone

from farm.accounts.models import User
from farm.agents.models import ProviderProject
from farm.agents.reconciler.pauses import may_change_again, mended, pause_for_operator
from provisioning.errors import NeedsOperator

FULL = "The Hetzner account is full (server_limit): ask for more in the Hetzner Console."


@pytest.fixture
def project(db: None) -> ProviderProject:
    """Hetzner's, on a farm with an operator who reads French, and a member."""
    for name, runs in (("olga", True), ("bob", False)):
        User.objects.create(
            username=name, email=f"{name}@example.org", is_superuser=runs, language="fr"
        )
    return ProviderProject.objects.create(provider="hetzner", due_at=timezone.now())


def refused(project: ProviderProject, code: str, sentence: str = FULL) -> str:
    """A call that the cloud refused."""
    return pause_for_operator(project, NeedsOperator(code, sentence), timezone.now())


def test_a_full_account_is_told_once_and_says_what_to_do(project: ProviderProject) -> None:
    for sentence in (FULL, f"{FULL} Again."):
        assert refused(project, "resource_limit_exceeded", sentence) == "farm_full"
        mended(project, created=False)
    (letter,) = mail.outbox
    assert letter.to == ["olga@example.org"]
    assert letter.subject.startswith("La ferme est pleine chez hetzner")
    assert FULL in letter.body
    assert "farm doctor" in letter.body
    assert "http://" in letter.body
    mended(project, created=True)
    refused(project, "resource_limit_exceeded")
    assert len(mail.outbox) == 2


def test_a_key_that_may_only_look_is_told_once_until_it_may_change(
    project: ProviderProject,
) -> None:
    for _ in range(3):
        assert refused(project, "token_readonly") == "cloud_read_only"
        mended(project, created=False)
    assert len(mail.outbox) == 1
    may_change_again(project)
    project.refresh_from_db()
    assert (project.reason, project.paused_until) == ("", None)
    refused(project, "token_readonly")
    assert len(mail.outbox) == 2


def test_a_key_that_is_refused_is_mended_by_any_answer(project: ProviderProject) -> None:
    assert refused(project, "unauthorized", "Hetzner refuses the token.") == "provider_paused"
    mended(project, created=False)
    project.refresh_from_db()
    assert project.reason == ""
    assert "hetzner a besoin de vous" in mail.outbox[0].subject
