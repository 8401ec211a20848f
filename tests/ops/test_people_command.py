"""`farm people`: the same services as the pages, and the same refusals."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from django.core import mail
from pytest_django.fixtures import Settings
from typer.testing import CliRunner

from farm.accounts.models import AuditEntry, Door, Invitation, Membership, User
from farm.agents.models import Agent
from farm.ops import agents, people_commands
from tests.farm.web import scenes

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str


def say(*words: str, by: str = "alice@example.org") -> Said:
    """Type a command as somebody."""
    environ = {"FARM_USER": by, "COLUMNS": "200"}
    done = CliRunner().invoke(people_commands.app, list(words), env=environ)
    return Said(done.exit_code, done.stdout, done.stderr)


@pytest.fixture(autouse=True)
def people(settings: Settings) -> scenes.People:
    """The three, at a farm whose sandbox's model needs no key."""
    settings.SANDBOX_MODEL_ENDPOINT = "http://127.0.0.1:1/v1"
    settings.SANDBOX_MODEL = "sandbox-1"
    scenes.prices()
    return scenes.people()


def test_a_link_is_shown_once_and_a_mail_is_sent() -> None:
    made = json.loads(say("invite", "--uses", "3", "--json").out)
    assert "/invitations/" in made["link"]
    assert say("invite", "dora@example.org", "--role", "admin").code == 0
    assert mail.outbox[-1].to == ["dora@example.org"]
    listed = say("list", "--json").out
    assert made["link"].split("/")[-2] not in listed
    shown = json.loads(listed)
    assert [row["email"] for row in shown["members"]] == ["alice@example.org", "bob@example.org"]
    assert [(row["email"], row["state"]) for row in shown["invitations"]] == [
        ("dora@example.org", "open"),
        ("", "open"),
    ]
    assert AuditEntry.objects.filter(verb="invite", door=Door.CLI).count() == 2
    assert "dora@example.org" in say("list").out


def test_a_wrong_word_is_told_at_its_option() -> None:
    for words, told in (
        (("no address",), "EMAIL: This is not an e-mail address"),
        (("--plan", "huge"), "--plan: There is no"),
        (("--uses", "0"), "--uses: Take a number"),
        (("--budget", "much"), "--budget: give an amount"),
        (("--payer", "nobody"), "--payer: There is no such payer"),
    ):
        said = say("invite", *words)
        assert (said.code, told in said.err) == (1, True), said
    assert not Invitation.objects.exists()


def test_roles_and_removal(people: scenes.People) -> None:
    assert say("role", "bob@example.org", "admin").code == 0
    assert Membership.objects.get(user=people.bob).role == "admin"
    refused = say("remove", "alice@example.org", "--yes")
    assert "keeps at least one owner" in refused.err
    assert "Say --yes" in say("remove", "bob@example.org").err
    assert say("remove", "bob@example.org", "--yes").code == 0
    assert not Membership.objects.filter(user=people.bob).exists()
    assert "no member of" in say("role", "bob@example.org", "member").err


def test_taken_back() -> None:
    made = json.loads(say("invite", "--json").out)
    assert "no invitation" in say("revoke", made["uid"], by="charlie@example.org").err
    assert say("revoke", made["uid"]).code == 0
    assert json.loads(say("list", "--json").out)["invitations"][0]["state"] == "revoked"


def test_a_member_and_a_stranger_may_not(people: scenes.People) -> None:
    account = ("--account", people.account.uid)
    assert "not yours to do" in say("invite", *account, by="bob@example.org").err
    assert json.loads(say("list", "--json", by="bob@example.org").out)["invitations"] == []
    assert "Say which account" in say("list", *account, by="charlie@example.org").err
    User.objects.filter(email="charlie@example.org").update(is_superuser=True)
    assert say("invite", *account, by="charlie@example.org").code == 0


def test_a_refused_wish_leaves_no_new_person_behind() -> None:
    def create(*words: str) -> int:
        argv = ["create", *words, "--yes", "--as", "new@example.org", "--no-wait"]
        done = CliRunner().invoke(agents.app, argv)
        return done.exit_code

    assert create("admin") == 1
    assert create("Ada", "--plan", "huge") == 1
    assert not User.objects.filter(email="new@example.org").exists()
    assert create("Ada") == 0
    assert Agent.objects.get().owner.email == "new@example.org"
