"""The addresses of the API."""

from __future__ import annotations

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

import farm.api.schema  # noqa: F401 - Spectacular knows of an extension once its module is loaded
from farm.api.errors import nothing_here
from farm.api.views import accounts, agents, invitations, machines, money, statements, wallets

# A payer's money, below the address of the payer.
OF_PAYER = [
    path("balance/", money.Balance.as_view(), name="api_balance"),
    path("days/<str:month>/", money.Days.as_view(), name="api_days"),
    path("lines/<str:month>/", money.Lines.as_view(), name="api_lines"),
    path("papers/", money.Papers.as_view(), name="api_papers"),
    path("limits/", money.Limits.as_view(), name="api_limits"),
    path("top-ups/", wallets.TopUps.as_view(), name="api_top_ups"),
    path("top-ups/<slug:top_up>/", wallets.OneTopUp.as_view(), name="api_top_up"),
    path("card/", wallets.Card.as_view(), name="api_card"),
    path("automatic/", wallets.Automatic.as_view(), name="api_automatic"),
    path("vat-id/", wallets.VatId.as_view(), name="api_vat_id"),
]
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
    path("accounts/<slug:uid>/payers/<slug:payer>/", include(OF_PAYER)),
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
    path(
        "agents/<slug:uid>/lines/<str:month>/", money.AgentLines.as_view(), name="api_agent_lines"
    ),
    path("agents/<slug:uid>/cost/", agents.Costs.as_view(), name="api_cost"),
    re_path("", nothing_here, name="api_nothing"),
]
