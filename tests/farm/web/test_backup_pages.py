"""What the pages say of backups, and what an agent's owner and others can do there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format
from pytest_django.fixtures import Settings

from farm.accounts.models import AuditEntry, Door, Membership, Role
from farm.agents.models import (
    Agent,
    AgentPhase,
    Backup,
    BackupKind,
    BackupState,
    OperationKind,
    OperationState,
)
from tests.farm.web import scenes
from tests.farm.web.conftest import logged_in
from tests.farm.web.test_agent_pages import page


@pytest.fixture
def nino(people: scenes.People, settings: Settings) -> Agent:
    """Alice's agent, running, where a model needs no key."""
    settings.SANDBOX_MODEL_ENDPOINT = "http://127.0.0.1:1/v1"
    settings.SANDBOX_MODEL = "sandbox-1"
    return scenes.running(scenes.agent(people.alice))


def verbs() -> list[str]:
    """What the audit trail holds."""
    return list(AuditEntry.objects.filter(door=Door.WEB).values_list("verb", flat=True))


def test_the_home_says_how_old_the_last_one_is(alice: Client, nino: Agent) -> None:
    assert "There is no backup yet" in page(alice, nino)
    scenes.backup(nino, days=3)
    assert "The last one: 3" in page(alice, nino)


def test_the_home_says_why_the_last_one_failed(alice: Client, nino: Agent) -> None:
    scenes.backup(nino, days=1)
    scenes.failed_backup(nino, BackupKind.NIGHTLY, "backup_too_large")
    for path in ("", "backups/"):
        assert "It is larger than the farm keeps." in page(alice, nino, path)
    scenes.backup(nino)
    assert "larger than the farm" not in page(alice, nino)


def test_the_list_has_age_and_size(alice: Client, nino: Agent) -> None:
    scenes.backup(nino, days=3)
    shown = page(alice, nino, "backups/")
    assert "162\N{NO-BREAK SPACE}kB" in shown
    assert "nightly" in shown


def test_one_is_made_now_and_once(alice: Client, nino: Agent) -> None:
    for _ in range(2):
        assert alice.post(f"/agents/{nino.uid}/backups/new/").status_code == 302
    made = nino.backups.get()
    assert (made.kind, made.state) == (BackupKind.DEMAND, BackupState.ASKED)
    assert verbs().count("back up agent") == 1
    shown = page(alice, nino, "backups/")
    assert "A backup is being made" in shown
    assert 'hx-trigger="every 2s"' in shown


def test_without_a_machine_there_is_nothing_to_back_up(
    alice: Client, people: scenes.People
) -> None:
    row = scenes.waiting(scenes.agent(people.alice), done=1)
    answer = alice.post(f"/agents/{row.uid}/backups/new/")
    assert answer.status_code == 422
    assert "no machine that could be backed up" in answer.content.decode()


def test_a_restore_says_what_is_lost_and_saves_it_first(alice: Client, nino: Agent) -> None:
    kept = scenes.backup(nino, days=3)
    address = f"backups/{kept.uid}/restore/"
    asked = page(alice, nino, address)
    assert "What it did since then goes" in asked
    assert "is saved first" in asked

    assert alice.post(f"/agents/{nino.uid}/{address}").status_code == 302

    nino.refresh_from_db()
    assert nino.restore_from == kept
    assert nino.saving
    assert nino.saving.kind == BackupKind.SAFETY
    assert nino.operations.latest("pk").kind == OperationKind.RESTORE
    assert "restore agent" in verbs()


def test_only_its_keeper_restores_it(people: scenes.People, nino: Agent) -> None:
    kept = scenes.backup(nino)
    Membership.objects.filter(user=people.bob).update(role=Role.ADMIN)
    admin = logged_in(people.bob)
    assert "Bring back" not in page(admin, nino, "backups/")
    answer = admin.post(f"/agents/{nino.uid}/backups/{kept.uid}/restore/")
    assert answer.status_code in (403, 404)
    nino.refresh_from_db()
    assert nino.restore_from is None


def test_another_agents_backup_is_not_this_ones(
    people: scenes.People, alice: Client, nino: Agent
) -> None:
    other = scenes.backup(scenes.running(scenes.agent(people.alice, "Iris")))
    assert alice.post(f"/agents/{nino.uid}/backups/{other.uid}/restore/").status_code == 404


def test_a_restore_that_came_to_nothing_is_told(alice: Client, nino: Agent) -> None:
    kept = scenes.backup(nino, days=1)
    alice.post(f"/agents/{nino.uid}/backups/{kept.uid}/restore/")
    nino.operations.filter(kind=OperationKind.RESTORE).update(state=OperationState.FAILED)
    nino.events.create(code="restore_refused", at=timezone.now())
    assert "The backup could not be read" in page(alice, nino)


def test_a_deletion_says_what_is_saved(alice: Client, nino: Agent) -> None:
    shown = page(alice, nino, "delete/")
    days = django_settings.BACKUP_AFTER_DELETION_DAYS
    assert f"For {days} days you can bring it back" in shown

    assert alice.post(f"/agents/{nino.uid}/delete/", {"sure": "yes"}).status_code == 302

    nino.refresh_from_db()
    assert nino.saving
    assert nino.saving.kind == BackupKind.FINAL
    assert "I save what it has" in page(alice, nino)


def test_a_deletion_without_a_machine_says_what_there_is(
    alice: Client, people: scenes.People
) -> None:
    row = scenes.failed(scenes.agent(people.alice))
    assert "nothing that could be saved" in page(alice, row, "delete/")
    scenes.backup(row, days=2)
    assert "The last backup is from 2" in page(alice, row, "delete/")
    alice.post(f"/agents/{row.uid}/delete/", {"sure": "yes"})
    row.refresh_from_db()
    assert row.saving is None


@pytest.fixture
def unsaved(alice: Client, nino: Agent) -> Agent:
    """Its owner wants it gone, and it could not be saved."""
    alice.post(f"/agents/{nino.uid}/delete/", {"sure": "yes"})
    Backup.objects.update(state=BackupState.FAILED, reason="backup_failed")
    Agent.objects.update(reason="final_backup_failed")
    nino.refresh_from_db()
    return nino


def test_who_cannot_be_saved_is_asked_about(alice: Client, unsaved: Agent) -> None:
    for shown in (page(alice, unsaved), page(alice, unsaved, "progress/", on="leaving")):
        assert "could not be saved, so it is not deleted yet" in shown
        assert "Delete it without a backup" in shown
        assert "Try to save it again" in shown


def test_its_owner_may_delete_it_unsaved(alice: Client, unsaved: Agent) -> None:
    assert alice.post(f"/agents/{unsaved.uid}/delete/unsaved/").status_code == 302
    unsaved.refresh_from_db()
    assert unsaved.saving is None
    assert "delete agent without a backup" in verbs()


def test_its_owner_may_have_it_tried_again(alice: Client, unsaved: Agent) -> None:
    assert alice.post(f"/agents/{unsaved.uid}/delete/again/").status_code == 302
    unsaved.refresh_from_db()
    assert unsaved.saving
    assert unsaved.saving.state == BackupState.ASKED


def test_nothing_is_deleted_unsaved_that_was_not_asked_about(alice: Client, nino: Agent) -> None:
    for path in ("delete/unsaved/", "delete/again/"):
        alice.post(f"/agents/{nino.uid}/{path}")
    nino.refresh_from_db()
    assert (nino.wanted, nino.backups.count()) == (Agent.Wanted.RUNNING, 0)


@pytest.fixture
def gone(nino: Agent) -> Agent:
    """A deleted agent whose last backup is kept."""
    scenes.backup(nino, BackupKind.FINAL)
    return scenes.gone(nino)


def test_who_does_not_pay_reads_who_does_before_bringing_back(
    people: scenes.People, bob: Client
) -> None:
    ada = scenes.agent(people.bob, "Ada")
    assert ">Delete Ada for good</button>" in page(bob, ada, "delete/")
    scenes.running(ada)
    scenes.backup(ada, BackupKind.FINAL)
    assert ">Delete Ada</button>" in page(bob, ada, "delete/")
    offered = page(bob, scenes.gone(ada), "back/")
    assert "Bring it back - 0 EUR for you" in offered
    assert "Alice pays 0.0079\xa0EUR/h for its machine" in offered
    assert "No agent at the moment" in bob.get("/agents/").content.decode()


def test_a_deleted_agent_can_come_back_until_the_date(alice: Client, gone: Agent) -> None:
    until = gone.backups.get().expires_at
    assert until
    assert date_format(until, "j F Y") in page(alice, gone)
    offered = page(alice, gone, "back/")
    assert "an hour, never more than" in offered

    assert alice.post(f"/agents/{gone.uid}/back/").status_code == 302

    gone.refresh_from_db()
    assert (gone.wanted, gone.phase) == (Agent.Wanted.RUNNING, AgentPhase.DELETED)
    assert gone.gateway_token
    assert "bring agent back" in verbs()
    assert "I bring back what was saved" in page(alice, gone)


def test_one_whose_backups_are_gone_cannot(alice: Client, gone: Agent) -> None:
    gone.backups.update(state=BackupState.REMOVED)
    assert "It can come back" not in page(alice, gone)
    assert alice.post(f"/agents/{gone.uid}/back/").status_code == 302
    gone.refresh_from_db()
    assert gone.wanted == Agent.Wanted.DELETED


def test_its_model_key_is_asked_for_at_its_field(alice: Client, gone: Agent) -> None:
    gone.model_provider = "anthropic"
    gone.save()
    assert "Your key of Anthropic" in page(alice, gone, "back/")
    answer = alice.post(f"/agents/{gone.uid}/back/", {"model_key": "two words"})
    assert answer.status_code == 422
    assert 'id="model_key_error"' in answer.content.decode()


def test_strangers_bring_nothing_back(bob: Client, charlie: Client, gone: Agent) -> None:
    for stranger in (bob, charlie):
        assert stranger.post(f"/agents/{gone.uid}/back/").status_code == 404
    gone.refresh_from_db()
    assert gone.wanted == Agent.Wanted.DELETED


def test_a_new_agent_starts_with_the_files_of_another(alice: Client, nino: Agent) -> None:
    kept = scenes.backup(nino)
    shown = alice.get("/agents/new/", {"backup": kept.uid}).content.decode()
    assert f'name="backup_uid" value="{kept.uid}"' in shown
    alice.post("/agents/new/", {"name": "Iris", "backup_uid": kept.uid})
    assert Agent.objects.get(name="Iris").restore_from == kept


def test_a_strangers_backup_makes_no_agent(charlie: Client, nino: Agent) -> None:
    kept = scenes.backup(nino)
    answer = charlie.post("/agents/new/", {"name": "Iris", "backup_uid": kept.uid})
    assert answer.status_code == 422
    assert "There is no such backup" in answer.content.decode()
    assert not Agent.objects.filter(name="Iris").exists()


def test_a_newer_versions_backup_is_refused(alice: Client, nino: Agent) -> None:
    kept = scenes.backup(nino)
    Backup.objects.update(runtime_version="2099.1.1")
    answer = alice.post(f"/agents/{nino.uid}/backups/{kept.uid}/restore/", follow=True)
    assert "of a newer version" in answer.content.decode()


def test_how_old_is_told_in_days(alice: Client, nino: Agent) -> None:
    kept = scenes.backup(nino)
    kept.made_at = timezone.now() - timedelta(minutes=5)
    kept.save()
    assert "5\N{NO-BREAK SPACE}min" in page(alice, nino, "backups/")
