"""Every wish that a door may carry to an agent: one function each, with actor and audit row."""

from farm.agents.services.agents import create_agent, delete_agent, restart_agent, retry_agent
from farm.agents.services.backups import (
    back_up,
    bring_back,
    restore_agent,
    save_again,
)
from farm.agents.services.budgets import ask_for_budget, decide_budget, set_budget
from farm.agents.services.changes import (
    move_agent_to,
    rebuild_agent,
    resize_agent,
    take_back_change,
)
from farm.agents.services.edge import CodeRefused, Entrance, come_in, hash_of, new_secret, open_door
from farm.agents.services.handing_over import leave_account, remove_member, transfer_agent
from farm.agents.services.invitations import OWN_KEY, invite, link_of
from farm.agents.services.invited_agents import Answer, accept_invitation, join_account
from farm.agents.services.looking import note_look
from farm.agents.services.messages import send_again, send_message
from farm.agents.services.newcomers import create_agent_for
from farm.agents.services.orphans import remove_orphans
from farm.agents.services.paying import change_payer
from farm.agents.services.schedules import (
    ScheduleWish,
    clear_schedule,
    keep_running,
    note_console_use,
    set_schedule,
)
from farm.agents.services.shared_keys import (
    KeyWish,
    add_shared_key,
    renew_relay_key,
    revoke_shared_key,
    use_shared_key,
)
from farm.agents.services.slack import link_slack, unlink_slack
from farm.agents.services.sleep import stop_agent, wake_agent
from farm.agents.services.telegram import link_telegram, offer_telegram, unlink_telegram
from farm.agents.services.whatsapp import link_whatsapp, renew_whatsapp, unlink_whatsapp
from farm.agents.services.wishes import AgentWish

__all__ = [
    "OWN_KEY",
    "AgentWish",
    "Answer",
    "CodeRefused",
    "Entrance",
    "KeyWish",
    "ScheduleWish",
    "accept_invitation",
    "add_shared_key",
    "ask_for_budget",
    "back_up",
    "bring_back",
    "change_payer",
    "clear_schedule",
    "come_in",
    "create_agent",
    "create_agent_for",
    "decide_budget",
    "delete_agent",
    "hash_of",
    "invite",
    "join_account",
    "keep_running",
    "leave_account",
    "link_of",
    "link_slack",
    "link_telegram",
    "link_whatsapp",
    "move_agent_to",
    "new_secret",
    "note_console_use",
    "note_look",
    "offer_telegram",
    "open_door",
    "rebuild_agent",
    "remove_member",
    "remove_orphans",
    "renew_relay_key",
    "renew_whatsapp",
    "resize_agent",
    "restart_agent",
    "restore_agent",
    "retry_agent",
    "revoke_shared_key",
    "save_again",
    "send_again",
    "send_message",
    "set_budget",
    "set_schedule",
    "stop_agent",
    "take_back_change",
    "transfer_agent",
    "unlink_slack",
    "unlink_telegram",
    "unlink_whatsapp",
    "use_shared_key",
    "wake_agent",
]
