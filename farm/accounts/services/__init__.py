"""What changes people, accounts, memberships and invitations: one function each."""

from farm.accounts.services.audit import record
from farm.accounts.services.invitations import (
    NewInvitation,
    Opened,
    add_invitation,
    invitation_refused,
    prove_by_mail,
    revoke_invitation,
    take_up,
)
from farm.accounts.services.members import change_role, leave_account, remove_member
from farm.accounts.services.own import account_of, open_account, rename_account
from farm.accounts.services.people import choose_language, make_person, name_operator, rename_person

__all__ = [
    "NewInvitation",
    "Opened",
    "account_of",
    "add_invitation",
    "change_role",
    "choose_language",
    "invitation_refused",
    "leave_account",
    "make_person",
    "name_operator",
    "open_account",
    "prove_by_mail",
    "record",
    "remove_member",
    "rename_account",
    "rename_person",
    "revoke_invitation",
    "take_up",
]
