"""Every wish that a door may carry to an agent: one function each, with actor and audit row."""

from farm.agents.services.agents import create_agent, delete_agent, restart_agent, retry_agent
from farm.agents.services.messages import send_again, send_message
from farm.agents.services.telegram import link_telegram, unlink_telegram
from farm.agents.services.wishes import AgentWish

__all__ = [
    "AgentWish",
    "create_agent",
    "delete_agent",
    "link_telegram",
    "restart_agent",
    "retry_agent",
    "send_again",
    "send_message",
    "unlink_telegram",
]
