"""Many reach for the last use of an invitation at the same moment: one gets it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.accounts.models import Door, Invitation, InvitationUse, Membership, Role, User
from farm.accounts.refusals import Refused
from farm.accounts.services import NewInvitation, account_of, change_role
from farm.agents.models import Agent
from farm.agents.services import Answer, accept_invitation, invite, remove_member
from tests.farm.web import scenes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(settings: Settings) -> scenes.People:
    """The three, on a database whose transactions are real."""
    settings.SANDBOX_MODEL_ENDPOINT = "http://127.0.0.1:1/v1"
    settings.SANDBOX_MODEL = "sandbox-1"
    scenes.prices()
    return scenes.people()


def link(people: scenes.People, most_uses: int) -> Invitation:
    """An invitation for so many."""
    offer = NewInvitation(most_uses=most_uses)
    opened = invite(actor=people.alice, door=Door.WEB, account=people.account, offer=offer)
    return opened.invitation


def at_once(deeds: Sequence[Callable[[], object]]) -> list[str]:
    """Do all of it in threads that start together; the codes of what was refused, sorted."""
    start, refused = threading.Barrier(len(deeds)), list[str]()

    def run(deed: Callable[[], object]) -> None:
        start.wait()
        try:
            deed()
        except Refused as no:
            refused.append(no.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(refused)


def taking(user: User, invitation: Invitation) -> Callable[[], object]:
    """That person takes it up."""

    def take() -> object:
        answer = Answer(name="Iris")
        return accept_invitation(actor=user, door=Door.WEB, invitation=invitation, answer=answer)

    return take


def test_one_of_many_gets_the_last_use(people: scenes.People) -> None:
    invitation = link(people, most_uses=2)
    guests = [scenes.person(name) for name in ("dora", "emil", "fritz", "greta", "hans")]
    refused = at_once([taking(guest, invitation) for guest in guests])
    assert refused == ["invitation_used_up"] * 3
    invitation.refresh_from_db()
    assert invitation.taken == 2
    assert InvitationUse.objects.count() == Agent.objects.count() == 2
    assert Membership.objects.filter(account=people.account).count() == 4


def test_one_person_takes_it_up_once(people: scenes.People) -> None:
    invitation, dora = link(people, most_uses=5), scenes.person("dora")
    refused = at_once([taking(dora, invitation)] * 4)
    assert refused == ["invitation_taken_up"] * 3
    invitation.refresh_from_db()
    assert (invitation.taken, Agent.objects.count()) == (1, 1)


def test_two_invitations_make_one_member(people: scenes.People) -> None:
    both, dora = [link(people, most_uses=1) for _ in range(2)], scenes.person("dora")
    refused = at_once([taking(dora, invitation) for invitation in both])
    assert refused == ["invitation_member"]
    assert sum(Invitation.objects.values_list("taken", flat=True)) == 1


def test_what_is_taken_back_is_not_taken_up(people: scenes.People) -> None:
    invitation = link(people, most_uses=1)
    Invitation.objects.update(revoked_at=timezone.now())
    assert at_once([taking(scenes.person("dora"), invitation)]) == ["invitation_revoked"]
    assert not InvitationUse.objects.exists()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MEMBER])
def test_it_ends_with_its_inviters_right_to_give_it(people: scenes.People, role: Role) -> None:
    bobs = Membership.objects.get(user=people.bob)
    change_role(actor=people.alice, door=Door.WEB, membership=bobs, role=Role.ADMIN)
    offer = NewInvitation(most_uses=9, role=role)
    kept = invite(actor=people.bob, door=Door.WEB, account=people.account, offer=offer)
    change_role(actor=people.alice, door=Door.WEB, membership=bobs, role=Role.MEMBER)
    assert at_once([taking(scenes.person("dora"), kept.invitation)]) == ["invitation_revoked"]
    remove_member(actor=people.alice, door=Door.WEB, membership=bobs)
    assert at_once([taking(people.bob, kept.invitation)]) == ["invitation_revoked"]


def test_of_two_owners_who_both_step_down_one_stays(people: scenes.People) -> None:
    bobs = Membership.objects.get(user=people.bob)
    change_role(actor=people.alice, door=Door.WEB, membership=bobs, role=Role.OWNER)
    alices = Membership.objects.get(user=people.alice)

    def step_down(actor: User, membership: Membership) -> Callable[[], object]:
        return lambda: change_role(
            actor=actor, door=Door.WEB, membership=membership, role=Role.MEMBER
        )

    refused = at_once([step_down(people.alice, alices), step_down(people.bob, bobs)])
    assert refused == ["last_owner"]
    assert Membership.objects.filter(account=people.account, role=Role.OWNER).count() == 1


def test_two_at_once_do_not_pass_the_measure(people: scenes.People, settings: Settings) -> None:
    settings.AGENTS_PER_PERSON = 1
    both, dora = [link(people, most_uses=1) for _ in range(2)], scenes.person("dora")
    other = account_of(user=people.charlie)
    elsewhere = Invitation.objects.filter(pk=both[1].pk)
    elsewhere.update(account=other, inviter=people.charlie, payer_uid="")
    both[1].refresh_from_db()
    refused = at_once([taking(dora, invitation) for invitation in both])
    assert refused == ["too_many_agents"]
    assert Agent.objects.count() == 1
