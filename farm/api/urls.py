"""The addresses of the API."""

from __future__ import annotations

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

import farm.api.schema  # noqa: F401 - Spectacular knows of an extension once its module is loaded
from farm.api.errors import nothing_here
from farm.api.views import accounts, agents, invitations, machines, statements

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("accounts/", accounts.Accounts.as_view(), name="api_accounts"),
    path(
        "accounts/<slug:uid>/invitations/",
        invitations.Invitations.as_view(),
        name="api_invitations",
    ),
    path(
        "accounts/<slug:uid>/invitations/<slug:invitation>/",
        invitations.OneInvitation.as_view(),
        name="api_invitation",
    ),
    path("accounts/<slug:uid>/payers/", statements.Payers.as_view(), name="api_payers"),
    path(
        "accounts/<slug:uid>/payers/<slug:payer>/statements/<str:month>/",
        statements.OneStatement.as_view(),
        name="api_statement",
    ),
    path("agents/", agents.Agents.as_view(), name="api_agents"),
    path("agents/<slug:uid>/", agents.OneAgent.as_view(), name="api_agent"),
    path("agents/<slug:uid>/retry/", agents.Retry.as_view(), name="api_retry"),
    path("agents/<slug:uid>/restart/", agents.Restart.as_view(), name="api_restart"),
    path("agents/<slug:uid>/machine/", machines.OneMachine.as_view(), name="api_machine"),
    path("agents/<slug:uid>/machine/back/", machines.TakeBack.as_view(), name="api_take_back"),
    path("agents/<slug:uid>/stop/", machines.Stop.as_view(), name="api_stop"),
    path("agents/<slug:uid>/wake/", machines.Wake.as_view(), name="api_wake"),
    path("agents/<slug:uid>/resize/", machines.Resize.as_view(), name="api_resize"),
    path("agents/<slug:uid>/move/", machines.Move.as_view(), name="api_move"),
    path("agents/<slug:uid>/rebuild/", machines.Rebuild.as_view(), name="api_rebuild"),
    path("agents/<slug:uid>/schedule/", machines.OneSchedule.as_view(), name="api_schedule"),
    path("agents/<slug:uid>/keep/", machines.Keep.as_view(), name="api_keep"),
    path("agents/<slug:uid>/events/", agents.Events.as_view(), name="api_events"),
    path("agents/<slug:uid>/cost/", agents.Costs.as_view(), name="api_cost"),
    re_path("", nothing_here, name="api_nothing"),
]
