"""Invitations to an account: list, make, take back."""

from __future__ import annotations

from typing import ClassVar

from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from farm.accounts.models import Door, Role
from farm.accounts.permissions import Action, demand
from farm.accounts.selectors import invitations_of
from farm.accounts.services import NewInvitation, revoke_invitation
from farm.accounts.tokens import Scope
from farm.agents import services
from farm.api.asking import account_asked_for, person
from farm.api.pages import Piece, piece_of
from farm.api.scoped import ScopedView
from farm.api.shapes import InvitationPage, InvitationShape, InvitationWish, MadeInvitation
from farm.api.views.agents import REFUSED


class Invitations(ScopedView):
    """/accounts/UID/invitations/"""

    scopes: ClassVar = {"GET": Scope.PEOPLE_READ, "POST": Scope.PEOPLE_WRITE}

    @extend_schema(operation_id="list_invitations", parameters=[Piece], responses=InvitationPage)
    def get(self, request: Request, uid: str) -> Response:
        """Every invitation to the account, the newest first. Scope: people:read."""
        account = account_asked_for(request, uid)
        demand(person(request), Action.MANAGE_PEOPLE, account)
        return Response(InvitationPage(piece_of(invitations_of(account), request, "uid")).data)

    @extend_schema(
        operation_id="invite",
        request=InvitationWish,
        responses={201: MadeInvitation, **REFUSED},
    )
    def post(self, request: Request, uid: str) -> Response:
        """Invite somebody, by mail or by a link that is shown once. Scope: people:write."""
        account = account_asked_for(request, uid)
        asked = InvitationWish(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        opened = services.invite(
            actor=person(request),
            door=Door.API,
            account=account,
            offer=NewInvitation(
                email=wanted.get("email", ""),
                language=wanted["language"],
                role=Role(wanted["role"]),
                payer_uid=wanted.get("payer", ""),
                cost_centre=wanted.get("cost_centre", ""),
                blueprint=wanted.get("blueprint", ""),
                plan=wanted.get("plan", ""),
                region=wanted.get("region", ""),
                shared_key_uid=wanted.get("shared_key", ""),
                ai_budget_micros=wanted["ai_budget_micros"],
                days=wanted["days"],
                most_uses=wanted["most_uses"],
            ),
        )
        # Whoever opens a mailed link has that mailbox, and so is that person: nobody else sees it.
        link = None if opened.invitation.email else services.link_of(opened)
        shown = {**InvitationShape(opened.invitation).data, "link": link}
        return Response(shown, status=status.HTTP_201_CREATED)


class OneInvitation(ScopedView):
    """/accounts/UID/invitations/INVITATION/"""

    scopes: ClassVar = {"DELETE": Scope.PEOPLE_WRITE}

    @extend_schema(
        operation_id="revoke_invitation",
        responses={204: OpenApiResponse(description="Its link opens nothing any more.")},
    )
    def delete(self, request: Request, uid: str, invitation: str) -> Response:
        """Take it back; who took it up stays. Scope: people:write."""
        account = account_asked_for(request, uid)
        demand(person(request), Action.MANAGE_PEOPLE, account)
        found = account.invitations.filter(uid=invitation).first()
        if found is None:
            raise Http404
        revoke_invitation(actor=person(request), door=Door.API, invitation=found)
        return Response(status=status.HTTP_204_NO_CONTENT)
