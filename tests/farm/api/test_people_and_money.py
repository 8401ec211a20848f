"""Invitations and statements through the API."""

from __future__ import annotations

from django.core import mail
from django.test import Client

from farm.accounts.models import AuditEntry, Door, Invitation
from farm.accounts.tokens import Scope
from farm.billing.payers import default_payer
from tests.farm.api.conftest import Caller, caller
from tests.farm.web import scenes


def test_a_link_is_made_shown_once_and_works(people: scenes.People, alice: Caller) -> None:
    path = f"accounts/{people.account.uid}/invitations/"
    made = alice.post(path, {"role": "admin", "most_uses": 3})
    assert made.status_code == 201, made.data
    listed = alice.get(path).data["items"]
    assert [row["uid"] for row in listed] == [made.data["uid"]]
    assert "link" not in listed[0]
    assert Client().get(made.data["link"], follow=True).status_code == 200
    entry = AuditEntry.objects.get(verb="invite", subject=made.data["uid"])
    assert (entry.actor, entry.door) == (people.alice, Door.API)


def test_a_mailed_invitation_is_mailed(people: scenes.People, alice: Caller) -> None:
    path = f"accounts/{people.account.uid}/invitations/"
    made = alice.post(path, {"email": "dora@example.org"})
    # Who opens it comes in as Dora: the one who invited her must not.
    assert (made.status_code, made.data["link"]) == (201, None)
    assert [message.to for message in mail.outbox] == [["dora@example.org"]]
    refused = alice.post(path, {"email": "bob@example.org"})
    assert (refused.status_code, refused.data["field"]) == (422, "email")


def test_an_invitation_is_taken_back(people: scenes.People, alice: Caller) -> None:
    path = f"accounts/{people.account.uid}/invitations/"
    made = alice.post(path, {}).data
    assert alice.delete(f"{path}{made['uid']}/").status_code == 204
    assert Invitation.objects.get(uid=made["uid"]).revoked_at is not None


def test_members_invite_nobody_and_strangers_see_no_account(
    people: scenes.People, bob: Caller, charlie: Caller
) -> None:
    for path in ("invitations/", "payers/"):
        whole = f"accounts/{people.account.uid}/{path}"
        assert bob.get(whole).status_code == 403
        assert charlie.get(whole).status_code == 404
    assert bob.post(f"accounts/{people.account.uid}/invitations/", {}).status_code == 403
    assert charlie.post(f"accounts/{people.account.uid}/invitations/", {}).status_code == 404
    assert not Invitation.objects.exists()


def test_a_statement_is_told_to_who_manages_money(
    people: scenes.People, alice: Caller, bob: Caller, charlie: Caller
) -> None:
    payer = default_payer(people.account)
    base = f"accounts/{people.account.uid}/payers/"
    assert [row["uid"] for row in alice.get(base).data] == [payer.uid]
    path = f"{base}{payer.uid}/statements/2026-11/"
    stated = alice.get(path).data
    assert (stated["payer"], stated["month"], stated["total_micros"]) == (
        payer.uid,
        "2026-11-01",
        0,
    )
    assert bob.get(path).status_code == 403
    assert charlie.get(path).status_code == 404
    for wrong in ("2026-13", "yesterday", "9999-12", "0001-01"):
        assert alice.get(f"{base}{payer.uid}/statements/{wrong}/").status_code == 404
    assert caller(people.alice, Scope.AGENTS_READ).get(path).status_code == 403


def test_another_accounts_payer_is_nobodys_here(
    people: scenes.People, alice: Caller, charlie: Caller
) -> None:
    theirs = default_payer(people.charlie.accounts.get())
    path = f"accounts/{people.account.uid}/payers/{theirs.uid}/statements/2026-11/"
    assert alice.get(path).status_code == 404
