"""What every reason and event means to people: what happened, and what happens next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from farm.accounts.operators import operators_name


@dataclass(frozen=True, slots=True)
class Sentence:
    """`what` happened, and what comes `next` ("" where nothing does); translated when shown."""

    what: str | Promise
    next: str | Promise = ""


def sentence_for(code: str, *, serves: bool = False) -> Sentence:
    """The words for a code; an unknown one is shown as it is.

    With `serves`, a machine of the agent is there and counted, whatever became of a change to it.
    """
    words = SENTENCES.get(code, Sentence(code))
    if code == "farm_full":
        words = replace(words, what=str(words.what).format(operator=operators_name()))
    return replace(words, next=_WHILE_SERVING.get(code, words.next)) if serves else words


_ELSEWHERE = _("I start again elsewhere. Nothing is counted.")
_RETRY = _("Press “Try again” for a fresh machine, or delete the agent. Nothing is counted.")
_RETRY_SERVING = _(
    "Press “Try again”, or delete the agent. Its machine is there, so its hours are counted."
)

_HISTORY = {
    "asked": Sentence(_("The agent was asked for")),
    "machine_requested": Sentence(_("A place for its machine was chosen")),
    "machine_claimed": Sentence(_("A machine that stood ready became its own")),
    "machine_created": Sentence(_("Its machine was made")),
    "machine_running": Sentence(_("Its machine is on")),
    "runtime_installed": Sentence(_("Its software is installed")),
    "host_key_rotated": Sentence(_("Its machine made a key of its own")),
    "machine_ready": Sentence(_("Its machine is ready")),
    "configured": Sentence(_("Its personality was given")),
    "started": Sentence(_("It was woken")),
    "taken_up": Sentence(_("It was awake already and took up its personality")),
    "gate_passed": Sentence(_("It is awake and well")),
    "running": Sentence(_("It answered for the first time: the meter runs from here")),
    "reconfigured": Sentence(_("The changes are in place")),
    "reconfigure_asked": Sentence(_("Changes are being made"), _("It answers again in a minute.")),
    "restart_asked": Sentence(_("A restart was asked for"), _("It answers again in a minute.")),
    "restarted": Sentence(_("It was restarted and is well")),
    "restart_tried": Sentence(_("It did not answer, so it was restarted")),
    "restart_impossible": Sentence(_("Its machine could not be reached for a restart")),
    "silence_told": Sentence(_("Its owner and the operator were told that it does not answer")),
    "answers_again": Sentence(_("It answers again")),
    "log_read": Sentence(_("The operator read its machine's log")),
    "logged_in": Sentence(_("The operator logged in to its machine")),
    "keeper_left": Sentence(
        _("The person it is for left the account"), _("It stays with the account.")
    ),
    "budget_asked": Sentence(_("More AI was asked for")),
    "budget_granted": Sentence(_("More AI was granted")),
    "budget_declined": Sentence(_("More AI was declined")),
    "budget_set": Sentence(_("Its AI budget was set anew")),
    "relay_key_renewed": Sentence(
        _("Its key to the relay was renewed"), _("It answers again in a minute.")
    ),
    "shared_key_taken": Sentence(_("It thinks with a shared key from now on")),
    "payer_changed": Sentence(_("Somebody else pays for it from the next full hour")),
    "transferred": Sentence(_("It was handed over")),
    "retry_asked": Sentence(_("Another try was asked for")),
    "resize_asked": Sentence(_("Another size was asked for")),
    "move_asked": Sentence(
        _("Another place was asked for"), _("It goes on answering until it is ready there.")
    ),
    "rebuild_asked": Sentence(_("A fresh machine was asked for")),
    "resize_elsewhere": Sentence(
        _("Its cloud has no machine of this size to be had where it is"),
        _("Another machine takes its place; it goes on answering until that is ready."),
    ),
    "machine_resized": Sentence(_("Its machine has the other size")),
    "resized": Sentence(_("Its machine is on again, with the other size")),
    "switching": Sentence(_("Its other machine is ready"), _("It answers again in minutes.")),
    "gateway_ended": Sentence(_("Its program ended, so that nothing it has changes any more")),
    "took_over": Sentence(_("Its other machine takes over")),
    "plug_pulled": Sentence(_("Its machine could not be spoken to, so it is switched off")),
    "went_back": Sentence(_("It goes on where it was"), _("It answers again in a minute.")),
    "change_taken_back": Sentence(_("The change of its machine was taken back")),
    "delete_asked": Sentence(_("Its deletion was asked for")),
    "machine_removed": Sentence(_("Its machine is being deleted")),
    "machine_found": Sentence(
        _("Its cloud shows its machine again, with all that was on it"),
        _("Press “Try again” to wake it there."),
    ),
    "machine_gone": Sentence(_("Its cloud shows its machine no more")),
    "deleted": Sentence(_("The agent is gone")),
    "backup_kept": Sentence(_("A backup was made")),
    "backup_failed": Sentence(_("A backup could not be made")),
    "restore_asked": Sentence(_("An older state of it was asked for")),
    "bring_back_asked": Sentence(_("It was asked for again after its deletion")),
    "restored": Sentence(_("What was saved is in place")),
    "restore_refused": Sentence(
        _("The backup could not be read, so it goes on with what it has."),
        _("Choose another backup, or write to who runs this farm."),
    ),
    "restore_given_up": Sentence(
        _("What it has now could not be saved, so the older state was not brought back."),
        _("Try again in a while."),
    ),
    "schedule_set": Sentence(_("When it sleeps was set")),
    "schedule_cleared": Sentence(_("It sleeps by nobody's wish but a person's again")),
    "kept_running": Sentence(_("It was asked to stay awake for a while")),
    "kept_no_more": Sentence(_("It need not stay awake any longer")),
    "slept_by_hours": Sentence(_("Its hours ended, so it falls asleep")),
    "slept_when_idle": Sentence(_("Nobody used it, so it falls asleep")),
    "slept_for_money": Sentence(_("Its payer cannot pay for it now, so it falls asleep")),
    "woken_for_money": Sentence(_("Its payer can pay for it again, so it is woken")),
    "woken_by_hours": Sentence(_("Its hours begin, so it is woken")),
    "stop_asked": Sentence(_("It was asked to sleep")),
    "stop_unsaved": Sentence(
        _("What it has could not be backed up before its sleep."),
        _("It falls asleep all the same: its whole disk is kept."),
    ),
    "program_ended": Sentence(_("Its program ended, and its keys left the machine")),
    "program_cut_off": Sentence(_("Its program did not end in time and is cut off")),
    "machine_halting": Sentence(_("Its machine is being switched off")),
    "machine_off": Sentence(_("Its machine is off")),
    "machine_waking": Sentence(_("Its machine is being switched on")),
    "copy_asked": Sentence(_("A copy of its disk was ordered")),
    "copy_ready": Sentence(_("The copy of its disk is ready")),
    "copy_broken": Sentence(_("The copy of its disk came to nothing"), _("I order another one.")),
    "copy_vanished": Sentence(_("Its cloud shows the copy of its disk no more")),
    "copy_gone": Sentence(_("The copy of its disk was removed")),
    "asleep": Sentence(_("It sleeps"), _("Its machine is not paid for any more.")),
    "wake_asked": Sentence(_("It was asked to wake")),
    "wake_from_backup": Sentence(
        _("No machine takes its disk now."),
        _("I bring what was saved before its sleep onto another one."),
    ),
    "awake": Sentence(_("It is awake again")),
    "telegram_asked": Sentence(_("A Telegram bot was given to it")),
    "telegram_linked": Sentence(_("Telegram is linked")),
    "telegram_greeted": Sentence(_("It said hello in Telegram")),
    "telegram_unlinked": Sentence(_("Telegram was unlinked")),
    "telegram_offered": Sentence(_("A bot of its own was offered in Telegram")),
    "slack_asked": Sentence(_("A Slack app was given to it")),
    "slack_linked": Sentence(_("Slack is linked")),
    "slack_greeted": Sentence(_("It said hello in Slack")),
    "slack_unlinked": Sentence(_("Slack was unlinked")),
    "whatsapp_asked": Sentence(_("WhatsApp was asked for")),
    "whatsapp_linked": Sentence(_("WhatsApp is linked")),
    "whatsapp_unlinked": Sentence(_("WhatsApp was unlinked")),
}
_TOLD = _("The operator has been told; I go on by myself after that. Nothing is counted.")
_WAITS = {
    "no_capacity": Sentence(
        _("There is no machine of this size there any more."),
        _("I try the next place, at no higher price."),
    ),
    "cloud_full": Sentence(
        _("The farm's account at this cloud is full."),
        _("I take another cloud, at no higher price."),
    ),
    "cloud_refused": Sentence(
        _("The cloud refuses to make a machine for the farm; the operator has been told."),
        _("I take another cloud, at no higher price."),
    ),
    "sold_out": Sentence(
        _("No machine of this size is free in this place."),
        _("I try again every 5 minutes and go on as soon as there is one. Nothing is counted."),
    ),
    "price_rose": Sentence(
        _("A machine for it costs more now than what was agreed to."),
        _("It sleeps on until you agree to the new price; you can also download its backup."),
    ),
    "farm_full": Sentence(
        _("The farm is full, {operator} has been told."),
        _("I go on by myself after that. Nothing is counted."),
    ),
    "provider_paused": Sentence(_("The farm cannot reach its account at the cloud."), _TOLD),
    "cloud_read_only": Sentence(
        _("The farm may look at its account at the cloud, but change nothing there."), _TOLD
    ),
    "cloud_no_image": Sentence(
        _("The cloud does not know what the farm's machines start from."), _TOLD
    ),
    "cloud_refuses": Sentence(
        _("The cloud refuses to make machines as the farm orders them."), _TOLD
    ),
    "cloud_other_project": Sentence(
        _("The farm's key at the cloud opens another project than the one with its machines."),
        _("The operator has been told; nothing is lost, and I go on by myself after that."),
    ),
    "machine_protected": Sentence(
        _("Its machine is protected against deletion at the cloud."),
        _("The operator has been told; I go on by myself after that."),
    ),
    "pool_waits": Sentence(
        _("No machine for the pool is free at its price, or the last places are kept for members."),
        _("I look again by myself."),
    ),
    "rate_limited": Sentence(
        _("The cloud asks the farm to wait a moment."), _("I go on by myself within minutes.")
    ),
    "provider_unreachable": Sentence(
        _("The cloud does not answer as it should."), _("I ask again by myself, nothing is lost.")
    ),
    "machine_unreachable": Sentence(
        _("The machine does not answer yet."), _("I ask again by myself.")
    ),
    "model_silent": Sentence(
        _("It is awake, but its model does not answer yet."), _("I ask again by myself.")
    ),
    "credit_awaited": Sentence(
        _("Your agent is ready; it answers as soon as your account there has credit."),
        _("I look every minute. Nothing is counted."),
    ),
    "machine_unlit": Sentence(
        _("The machine was switched on, and is off."),
        _("I look once more; if it stays so I take another one."),
    ),
    "slow_boot": Sentence(
        _("It takes longer than usual."),
        _("If it is not done within minutes I start again elsewhere, at no cost."),
    ),
    "final_backup_failed": Sentence(
        _("What it has could not be saved, so it is not deleted yet. It goes on costing money."),
        _("Try to save it again, or delete it without a backup."),
    ),
    "halting": Sentence(
        _("Its machine is switching itself off."), _("If that takes too long I pull its plug.")
    ),
    "wake_sold_out": Sentence(
        _("No machine that could wake it is free now."),
        _("I try again every 5 minutes. It sleeps on, at the price of its sleep."),
    ),
    "price_unknown": Sentence(
        _("The price of its machine is not known."),
        _("I ask the cloud again. Nothing is bought before."),
    ),
}
_FAILURES = {
    "boot_timeout": Sentence(_("The machine did not come up in time."), _ELSEWHERE),
    "create_timeout": Sentence(_("The cloud did not make the machine in time."), _ELSEWHERE),
    "create_failed": Sentence(_("The cloud could not make the machine."), _ELSEWHERE),
    "install_failed": Sentence(
        _("The software could not be installed on the machine."), _ELSEWHERE
    ),
    "machine_vanished": Sentence(_("The machine vanished while it was made."), _ELSEWHERE),
    "machines_do_not_start": Sentence(
        _("Several machines in a row did not come up, so I stopped trying."), _RETRY
    ),
    "rejected": Sentence(_("The cloud refuses to make such a machine."), _RETRY),
    "host_key_mismatch": Sentence(
        _("ALARM: its machine identifies itself with another key than the one it was given."),
        _(
            "Nothing is sent to it any more and the operator has been told."
            " Delete the agent, or try again with a fresh machine."
        ),
    ),
    "config_refused": Sentence(_("The agent's software refuses its configuration."), _RETRY),
    "not_ready": Sentence(_("The agent's software did not become ready in time."), _RETRY),
    "no_answer": Sentence(
        _("The agent woke up, but its model gave no answer."),
        _("Check the model key and its credit, then press “Try again”. Nothing is counted."),
    ),
    "configure_timeout": Sentence(_("The agent could not be set up in time."), _RETRY),
    "backup_unusable": Sentence(
        _("What was saved could not be brought to its machine."),
        _("Press “Try again”, or delete it: what was saved stays. Nothing is counted."),
    ),
    "wake_timeout": Sentence(
        _("Its machine is on, but does not answer."),
        _("Press “Try again”. What is on it stays, and its hours are counted."),
    ),
    "copy_lost": Sentence(
        _("What it slept with is no longer at the cloud: somebody deleted it there."),
        _("Press “Try again” to have its last backup on a fresh machine, or delete it."),
    ),
    "copy_lost_unsaved": Sentence(
        _("What it slept with is no longer at the cloud, and there is no backup of it."),
        _("Press “Try again” for a fresh machine without its files, or delete the agent."),
    ),
    "server_lost": Sentence(
        _("Its machine is no longer at the cloud: somebody deleted it there."),
        _("What was on it is lost. Press “Try again” for a fresh machine, or delete the agent."),
    ),
}
_AS_IT_WAS = _("It goes on as it was, at the price of before. Try again in a while.")
_CHANGES = {
    "change_machines": Sentence(
        _("The other machine did not come up, so the change was given up."), _AS_IT_WAS
    ),
    "change_unsaved": Sentence(
        _("What it has could not be saved, so the change was given up."), _AS_IT_WAS
    ),
    "change_lost": Sentence(
        _("The other machine was lost before it answered, so the change was given up."), _AS_IT_WAS
    ),
    "change_late": Sentence(
        _("It took longer than any change that ends well, so it was given up."), _AS_IT_WAS
    ),
    "resize_failed": Sentence(_("Its machine did not get the other size."), _AS_IT_WAS),
    "resize_sold_out": Sentence(_("The other size was sold out a moment ago")),
    "resize_refused": Sentence(_("The cloud refuses the other size")),
    "resize_full": Sentence(_("The farm's account at this cloud is too full for the other size")),
    "resize_timeout": Sentence(_("The cloud did not change the size in time")),
}
WHY_GIVEN_UP = tuple(_CHANGES)
"""What is noted when a change of a machine has failed."""
_BACKUPS = {
    "backup_no_machine": Sentence(_("There is no machine of it that could be backed up.")),
    "backup_too_large": Sentence(
        _("It is larger than the farm keeps."), _("Have your agent delete what it can do without.")
    ),
    "store_unreachable": Sentence(_("The place where the farm keeps backups does not answer.")),
}
_MESSAGES = {
    "turn_interrupted": Sentence(
        _("The line broke while the agent was answering: perhaps it received this."),
        _("Send it again if it matters."),
    ),
    "turn_failed": Sentence(_("The agent could not answer this."), _("Send it again in a moment.")),
    "model_refused_key": Sentence(
        _("The model's provider refuses the key."),
        _("Create an agent with a good key, then delete this one."),
    ),
    "model_no_credit": Sentence(
        _("The model's account has no credit."), _("Add some at its provider, then send it again.")
    ),
    "model_refused": Sentence(
        _("The model's provider refuses this request."), _("Say it in other words.")
    ),
    "agent_gone": Sentence(_("The agent was deleted before it could answer.")),
    "agent_failed": Sentence(_("The agent is not running."), _("Send it again once it is.")),
    "telegram_token_refused": Sentence(
        _("Telegram no longer takes this bot's token."),
        _("Ask @BotFather for a new token and link it again."),
    ),
    "slack_refused": Sentence(
        _("Slack no longer takes the app's tokens, or it lacks a permission."),
        _("Look at the app's scopes, install it again and link it with fresh tokens."),
    ),
    "slack_expired": Sentence(
        _("The code was not sent to the bot within half an hour."),
        _("Link the app again for a new code."),
    ),
    "whatsapp_expired": Sentence(
        _("The code was not scanned in time."), _("Ask for a new one when your phone is at hand.")
    ),
    "whatsapp_no_code": Sentence(
        _("WhatsApp gave no code to scan."), _("Ask again in a few minutes.")
    ),
    "whatsapp_logged_out": Sentence(
        _("WhatsApp logged the agent out: its phone lists it no more."),
        _("Scan a new code to link it again."),
    ),
    "whatsapp_not_logged_out": Sentence(
        _("The agent could not log out of WhatsApp itself."),
        _("Remove it on the phone, under “Linked devices”."),
    ),
    "telegram_expired": Sentence(
        _("The code was not sent to the bot within half an hour."),
        _("Link the bot again for a new code."),
    ),
}
_STAYS = _("I go on by myself after that. Until then it stays as it is.")
_WHILE_SERVING: Mapping[str, str | Promise] = {
    "config_refused": _RETRY_SERVING,
    "not_ready": _RETRY_SERVING,
    "no_answer": _(
        "Check the model key and its credit, then press “Try again”. Its machine is there, so its"
        " hours are counted."
    ),
    "configure_timeout": _RETRY_SERVING,
    "backup_unusable": _RETRY_SERVING,
    "credit_awaited": _("I look every minute. Its machine is there, so its hours are counted."),
    "sold_out": _(
        "I try again every 5 minutes and go on as soon as there is one. Until then it stays as it"
        " is."
    ),
    "farm_full": _STAYS,
    "provider_paused": _STAYS,
    "cloud_read_only": _STAYS,
    "cloud_no_image": _STAYS,
    "cloud_refuses": _STAYS,
}
SENTENCES: Mapping[str, Sentence] = {
    **_HISTORY,
    **_WAITS,
    **_FAILURES,
    **_CHANGES,
    **_BACKUPS,
    **_MESSAGES,
}
