"""Agents, the servers they live on, and what is under way for them."""

from farm.agents.models.agents import Agent, AgentPhase, MachineWish
from farm.agents.models.backups import (
    Backup,
    BackupKey,
    BackupKind,
    BackupRound,
    BackupState,
)
from farm.agents.models.budgets import BudgetRequest
from farm.agents.models.changes import Change, Placing, PlacingReason
from farm.agents.models.channels import (
    SlackLink,
    TelegramLink,
    TelegramManager,
    WhatsAppLink,
)
from farm.agents.models.clouds import FarmKey, Offer, WorkerBeat
from farm.agents.models.conversation import Message
from farm.agents.models.copies import CopyPhase, DiskCopy
from farm.agents.models.edge import (
    EdgeCode,
    EdgeRound,
    EdgeVisit,
    GatewayAuthority,
    GatewayPass,
)
from farm.agents.models.images import Retirement, ServerImage
from farm.agents.models.keys import SharedKey
from farm.agents.models.meters import Meter
from farm.agents.models.operations import (
    Event,
    Operation,
    OperationKind,
    OperationState,
    OperationStep,
)
from farm.agents.models.orphans import Orphan, OrphanKind
from farm.agents.models.pool import Pool, PooledServer
from farm.agents.models.projects import (
    MAIN,
    AccountProject,
    ProviderProject,
    RequestBudget,
)
from farm.agents.models.rescues import Rescue, RescueKind
from farm.agents.models.rows import Drivable
from farm.agents.models.schedules import LastUse, Schedule
from farm.agents.models.servers import Power, Server, ServerPhase
from farm.agents.models.watch import Watch

__all__ = [
    "MAIN",
    "AccountProject",
    "Agent",
    "AgentPhase",
    "Backup",
    "BackupKey",
    "BackupKind",
    "BackupRound",
    "BackupState",
    "BudgetRequest",
    "Change",
    "CopyPhase",
    "DiskCopy",
    "Drivable",
    "EdgeCode",
    "EdgeRound",
    "EdgeVisit",
    "Event",
    "FarmKey",
    "GatewayAuthority",
    "GatewayPass",
    "LastUse",
    "MachineWish",
    "Message",
    "Meter",
    "Offer",
    "Operation",
    "OperationKind",
    "OperationState",
    "OperationStep",
    "Orphan",
    "OrphanKind",
    "Placing",
    "PlacingReason",
    "Pool",
    "PooledServer",
    "Power",
    "ProviderProject",
    "RequestBudget",
    "Rescue",
    "RescueKind",
    "Retirement",
    "Schedule",
    "Server",
    "ServerImage",
    "ServerPhase",
    "SharedKey",
    "SlackLink",
    "TelegramLink",
    "TelegramManager",
    "Watch",
    "WhatsAppLink",
    "WorkerBeat",
]
