"""The addresses of the site."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from farm.web.entrance import ConfirmEmail
from farm.web.views import (
    account,
    accounts,
    agent,
    agents,
    backups,
    budget,
    conversation,
    deletion,
    edge,
    invitation,
    invitations,
    keys,
    landing,
    machine,
    members,
    money,
    money_card,
    money_lines,
    money_papers,
    money_top_up,
    money_wallet,
    new_agent,
    operator,
    payers,
    schedule,
    slack,
    sleep,
    stripe,
    telegram,
    tokens,
    transfer,
    whatsapp,
)

# A guest on their way.
INVITED: list[URLPattern | URLResolver] = [
    path("invitations/<str:token>/", invitation.open_link, name="open_invitation"),
    path("invitation/", invitation.invitation, name="invitation"),
    path("invitation/who/", invitation.who, name="invitation_who"),
    path("invitation/agent/", invitation.agent, name="invitation_agent"),
]
# An account and the people in it.
TEAM: list[URLPattern | URLResolver] = [
    path("accounts/new/", accounts.new_account, name="new_account"),
    path("accounts/<slug:uid>/", accounts.team, name="team"),
    path("accounts/<slug:uid>/switch/", accounts.switch, name="switch_account"),
    path("accounts/<slug:uid>/name/", accounts.rename, name="rename_account"),
    path("accounts/<slug:uid>/leave/", members.leave, name="leave_account"),
    path("accounts/<slug:uid>/members/<slug:username>/role/", members.role, name="change_role"),
    path(
        "accounts/<slug:uid>/members/<slug:username>/remove/", members.remove, name="remove_member"
    ),
    path("accounts/<slug:uid>/invitations/new/", invitations.new_invitation, name="new_invitation"),
    path(
        "accounts/<slug:uid>/invitations/<slug:invitation>/revoke/",
        invitations.revoke,
        name="revoke_invitation",
    ),
]
# Money.
MONEY: list[URLPattern | URLResolver] = [
    path("money/", money.mine, name="money"),
    path("accounts/<slug:uid>/money/", money.account_money, name="account_money"),
    path("accounts/<slug:uid>/payers/", payers.new_payer, name="new_payer"),
    path("payers/<slug:uid>/limit/", payers.limit_for_all, name="limit_for_all"),
    path("payers/<slug:uid>/limits/<slug:username>/", payers.limit, name="limit"),
    path("payers/<slug:uid>/wallet/", money_wallet.wallet, name="wallet"),
    path("payers/<slug:uid>/top-ups/", money_wallet.new_top_up, name="new_top_up"),
    path("payers/<slug:uid>/top-ups/<slug:top_up_uid>/", money_top_up.top_up, name="top_up"),
    path("payers/<slug:uid>/automatic/", money_wallet.automatic, name="automatic_top_up"),
    path("payers/<slug:uid>/card/", money_card.add_card, name="add_card"),
    path("payers/<slug:uid>/card/back/", money_card.card_back, name="card_back"),
    path("payers/<slug:uid>/card/forget/", money_card.forget_card, name="forget_card"),
    path("payers/<slug:uid>/portal/", money_card.portal, name="portal"),
    path("payers/<slug:uid>/vat-id/", money_card.vat_id, name="vat_id"),
    path("payers/<slug:uid>/papers/", money_papers.papers, name="papers"),
    path("payers/<slug:uid>/papers/<slug:paper>/", money_papers.paper, name="paper"),
    path("payers/<slug:uid>/<str:month>/", money.statement, name="statement"),
    path("payers/<slug:uid>/<str:month>/hours/<slug:agent_uid>/", money_lines.hours, name="hours"),
    path("agents/<slug:uid>/hours/<str:month>/", money_lines.agent_hours, name="agent_hours"),
    path("payers/<slug:uid>/<str:month>/<str:form>", money.export, name="export_statement"),
    path("agents/<slug:uid>/payer/", payers.agent_payer, name="agent_payer"),
]
# AI: shared keys and budgets.
AI: list[URLPattern | URLResolver] = [
    path("accounts/<slug:uid>/keys/", keys.keys, name="keys"),
    path("accounts/<slug:uid>/keys/<slug:key>/revoke/", keys.revoke, name="revoke_key"),
    path("agents/<slug:uid>/budget/", budget.budget, name="budget"),
    path("agents/<slug:uid>/budget/ask/", budget.ask, name="ask_budget"),
    path("agents/<slug:uid>/relay-key/", budget.renew_key, name="renew_relay_key"),
    path("agents/<slug:uid>/shared-key/", budget.use_key, name="use_key"),
    path("budget-requests/<slug:uid>/", budget.decide, name="decide_budget"),
]
# Chat apps.
CHANNELS: list[URLPattern | URLResolver] = [
    path("agents/<slug:uid>/telegram/", telegram.telegram, name="telegram"),
    path("agents/<slug:uid>/telegram/offer/", telegram.offer, name="offer_telegram"),
    path("agents/<slug:uid>/telegram/link/", telegram.link, name="link_telegram"),
    path("agents/<slug:uid>/telegram/unlink/", telegram.unlink, name="unlink_telegram"),
    path("agents/<slug:uid>/slack/", slack.slack, name="slack"),
    path("agents/<slug:uid>/slack/link/", slack.link, name="link_slack"),
    path("agents/<slug:uid>/slack/unlink/", slack.unlink, name="unlink_slack"),
    path("agents/<slug:uid>/whatsapp/", whatsapp.whatsapp, name="whatsapp"),
    path("agents/<slug:uid>/whatsapp/code/", whatsapp.code, name="whatsapp_code"),
    path("agents/<slug:uid>/whatsapp/link/", whatsapp.link, name="link_whatsapp"),
    path("agents/<slug:uid>/whatsapp/renew/", whatsapp.renew, name="renew_whatsapp"),
    path("agents/<slug:uid>/whatsapp/unlink/", whatsapp.unlink, name="unlink_whatsapp"),
]
# An agent's machine, and its sleep.
MACHINE: list[URLPattern | URLResolver] = [
    path("agents/<slug:uid>/stop/", sleep.stop, name="stop_agent"),
    path("agents/<slug:uid>/wake/", sleep.wake, name="wake_agent"),
    path("agents/<slug:uid>/machine/", machine.machine, name="machine"),
    path("agents/<slug:uid>/resize/", machine.resize, name="resize_agent"),
    path("agents/<slug:uid>/move/", machine.move, name="move_agent"),
    path("agents/<slug:uid>/rebuild/", machine.rebuild, name="rebuild_agent"),
    path("agents/<slug:uid>/machine/back/", machine.take_back, name="take_back_change"),
    path("agents/<slug:uid>/schedule/", schedule.schedule, name="schedule"),
    path("agents/<slug:uid>/keep/", schedule.keep, name="keep_running"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("", landing.landing, name="landing"),
    path("healthz", landing.healthz, name="healthz"),
    path("language/", landing.choose_language, name="language"),
    path("account/", account.account, name="account"),
    path("account/tokens/", tokens.tokens, name="tokens"),
    path("account/tokens/<slug:token>/revoke/", tokens.revoke, name="revoke_token"),
    path("account/confirm-email/", ConfirmEmail.as_view(), name="account_email_verification_sent"),
    path("account/", include("allauth.account.urls")),
    path("edge/auth", edge.auth, name="edge_auth"),
    path("edge/enter", edge.enter, name="edge_enter"),
    path("edge/ask", edge.ask, name="edge_ask"),
    path("edge/open/", edge.open_edge, name="open_edge"),
    *INVITED,
    *TEAM,
    *MONEY,
    *AI,
    path("stripe/webhook", stripe.webhook, name="stripe_webhook"),
    path("operator/", operator.operator, name="operator"),
    path("agents/", agents.agents, name="agents"),
    path("agents/new/", new_agent.new_agent, name="new_agent"),
    path("agents/new/offer/", new_agent.offer, name="offer"),
    path("agents/<slug:uid>/", agent.agent, name="agent"),
    path("agents/<slug:uid>/progress/", agent.progress, name="progress"),
    path("agents/<slug:uid>/retry/", agent.retry, name="retry"),
    path("agents/<slug:uid>/restart/", agent.restart, name="restart_agent"),
    path("agents/<slug:uid>/open/", agent.open_agent, name="open_agent"),
    path("agents/<slug:uid>/delete/", deletion.delete_agent, name="delete_agent"),
    path("agents/<slug:uid>/transfer/", transfer.transfer_agent, name="transfer_agent"),
    path("agents/<slug:uid>/backups/", backups.backups, name="backups"),
    path("agents/<slug:uid>/backups/new/", backups.back_up, name="back_up"),
    path("agents/<slug:uid>/backups/<slug:backup>/restore/", backups.restore, name="restore"),
    path("agents/<slug:uid>/back/", backups.bring_back, name="bring_back"),
    path("agents/<slug:uid>/delete/again/", deletion.save_again, name="save_again"),
    path("agents/<slug:uid>/delete/unsaved/", deletion.delete_unsaved, name="delete_unsaved"),
    path("agents/<slug:uid>/conversation/", conversation.conversation, name="conversation"),
    path("agents/<slug:uid>/say/", conversation.say, name="say"),
    path("agents/<slug:uid>/say/<int:pk>/again/", conversation.say_again, name="say_again"),
    *CHANNELS,
    *MACHINE,
]
