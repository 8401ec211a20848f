"""`farm people`: who is in an account, who is invited, and what they may do."""

from __future__ import annotations

import sys
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from farm.accounts.models import Account, Door, Invitation, Membership, Role, User
from farm.accounts.operators import operators
from farm.accounts.permissions import Action, may
from farm.accounts.selectors import accounts_of, members_of
from farm.accounts.services import (
    NewInvitation,
    account_of,
    change_role,
    name_operator,
    revoke_invitation,
)
from farm.agents import services
from farm.ops.answer import AsJson, Trouble, new_app, print_json
from farm.ops.people import ActingAs, acting, operating
from farm.ops.people_views import people_in, print_people
from farm.ops.refusing import serving

app = new_app("List, invite and remove the people of an account.")

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Their e-mail address.")]
In = Annotated[
    str,
    typer.Option(
        "--account",
        metavar="ACCOUNT",
        help="Its name or uid; yours unless given.",
        show_default=False,
    ),
]


@app.callback()
def people() -> None:
    """List, invite and remove the people of an account."""


@app.command("list")
def list_people(*, account: In = "", email: ActingAs = "", as_json: AsJson = False) -> None:
    """List the members of the account, and who is invited."""
    with serving(as_json=as_json):
        actor = acting(email)
        shown = people_in(actor, _account(actor, account))
        if as_json:
            print_json(shown)
        else:
            print_people(shown)


@app.command()
def invite(  # noqa: PLR0913  (one per field of the offer)
    who: Annotated[
        str, typer.Argument(metavar="[EMAIL]", help="Their address; a link without.")
    ] = "",
    *,
    role: Annotated[Role, typer.Option(help="What they become.")] = Role.MEMBER,
    blueprint: Annotated[str, typer.Option(help="Which kind of agent.")] = "",
    plan: Annotated[str, typer.Option(help="Which size.")] = "",
    region: Annotated[str, typer.Option(help="Where.")] = "",
    payer: Annotated[str, typer.Option(help="Who pays, by uid.")] = "",
    cost_centre: Annotated[str, typer.Option(help="Under which word.")] = "",
    shared_key: Annotated[str, typer.Option(help="Whose model key, by uid; own for theirs.")] = "",
    budget: Annotated[str, typer.Option(help="AI at most a month, as 12.50.")] = "",
    language: Annotated[str, typer.Option(help="en or fr; yours unless given.")] = "",
    days: Annotated[int, typer.Option(help="How long it is good.")] = 14,
    uses: Annotated[int, typer.Option(help="For how many people, a link only.")] = 1,
    account: In = "",
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Invite somebody to the account and to an agent: by mail, or with a link shown once."""
    with serving(as_json=as_json):
        actor = acting(email)
        offer = NewInvitation(
            email=who,
            language=language or actor.language,
            role=role,
            payer_uid=payer,
            cost_centre=cost_centre,
            blueprint=blueprint,
            plan=plan,
            region=region,
            shared_key_uid=shared_key,
            ai_budget_micros=_micros(budget),
            days=days,
            most_uses=uses,
        )
        opened = services.invite(
            actor=actor, door=Door.CLI, account=_account(actor, account), offer=offer
        )
        link = "" if opened.invitation.email else services.link_of(opened)
        if as_json:
            print_json(
                {"uid": opened.invitation.uid, "email": opened.invitation.email, "link": link}
            )
        elif link:
            typer.echo(f"{link}\nIt is shown this once; whoever has it may use it.")
        else:
            typer.echo(f"The invitation is on its way to {opened.invitation.email}.")


@app.command()
def revoke(
    uid: Annotated[str, typer.Argument(metavar="UID", help="The invitation's uid.")],
    *,
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Take an invitation back: its link opens nothing any more."""
    with serving(as_json=as_json):
        actor = acting(email)
        found = Invitation.objects.select_related("account").filter(uid=uid).first()
        if found is None or not may(actor, Action.SEE_ACCOUNT, found.account):
            raise Trouble(f"There is no invitation {uid}.", code="unknown", field="uid")
        revoke_invitation(actor=actor, door=Door.CLI, invitation=found)
        _told(f"Invitation {uid} is taken back.", as_json=as_json)


@app.command()
def role(
    who: Email,
    role: Annotated[Role, typer.Argument(help="What they become.")],
    *,
    account: In = "",
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Give a member of the account another role."""
    with serving(as_json=as_json):
        actor = acting(email)
        membership = _member(_account(actor, account), who)
        change_role(actor=actor, door=Door.CLI, membership=membership, role=role)
        _told(f"{who} is {role.value} now.", as_json=as_json)


@app.command()
def remove(
    who: Email,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    account: In = "",
    email: ActingAs = "",
    as_json: AsJson = False,
) -> None:
    """Take somebody out of the account; their agents stay with it."""
    with serving(as_json=as_json):
        actor = acting(email)
        membership = _member(_account(actor, account), who)
        _confirm(who, yes=yes)
        services.remove_member(actor=actor, door=Door.CLI, membership=membership)
        _told(f"{who} is out of the account.", as_json=as_json)


@app.command()
def operator(who: Email, *, email: ActingAs = "", as_json: AsJson = False) -> None:
    """Have somebody run the whole farm: its clouds, its pool, its morning.

    The first one is named by whoever has the farm's own machine at hand, later ones by one of them.
    """
    with serving(as_json=as_json):
        actor = operating(email) if operators().exists() else None
        name_operator(actor=actor, door=Door.CLI, person=acting(who))
        _told(f"{who} runs the farm now.", as_json=as_json)


def _account(actor: User, which: str) -> Account:
    if not which:
        return account_of(user=actor, door=Door.CLI)
    seen = Account.objects.all() if actor.is_superuser else Account.objects.filter(members=actor)
    found = list(seen.filter(uid=which)) or list(seen.filter(name__iexact=which))
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{one.account.name} ({one.account.uid})" for one in accounts_of(actor))
    sentence = f"Say which account by its uid: {actor} is in {known or 'none'}."
    raise Trouble(sentence, code="account", field="account")


def _member(account: Account, email: str) -> Membership:
    membership = members_of(account).filter(user__email__iexact=email).first()
    if membership is None:
        sentence = f"{email} is no member of {account.name}: `farm people list` names them."
        raise Trouble(sentence, code="unknown", field="email")
    return membership


def _told(sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"done": sentence})
    else:
        typer.echo(sentence)


def _confirm(who: str, *, yes: bool) -> None:
    sentence = f"{who} loses every access; their agents stay with the account."
    if yes:
        return
    if not sys.stdin.isatty():
        raise Trouble(f"{sentence} Say --yes to do it.", code="not_confirmed", field="yes")
    if not typer.confirm(f"{sentence} Do it?"):
        raise Trouble("Nobody was removed.", code="not_confirmed", field="yes")


def _micros(budget: str) -> int | None:
    if not budget:
        return None
    try:
        return int(Decimal(budget) * 1_000_000)
    except (InvalidOperation, ValueError, OverflowError):
        raise Trouble(
            "--budget: give an amount such as 12.50.", code="budget", field="budget"
        ) from None
