"""What an agent's machine is told: its runtime settings, and the first words asked of it."""

from __future__ import annotations

from django.conf import settings

from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, BackupKind, SlackLink, TelegramLink, WhatsAppLink
from farm.agents.passes import edge_of
from farm.agents.relay_paths import RELAY_PATHS
from farm.agents.selectors import origin_of
from farm.agents.selectors.channels import is_ready
from farm.agents.selectors.choices import SANDBOX_PROVIDER
from farm.agents.sizes import heap_mb_of
from farm.agents.slack import SLACK
from farm.catalog import Words, catalog
from provisioning.runtime import (
    ModelAccess,
    RuntimeSettings,
    Slack,
    Telegram,
    Tools,
    WhatsApp,
)
from provisioning.runtime_files import BUNDLED

COMPLETIONS = "openai-completions"
GREETING = Words(
    en="Greet {member} now with exactly these words:\n```\n{hello}\n```",
    fr="Salue {member} maintenant avec exactement ces mots :\n```\n{hello}\n```",
)

RETURN = Words(
    en="Tell {member} now with exactly these words:\n```\nI am back, as I was on {day}.\n```",
    fr=(
        "Dis maintenant à {member} exactement ces mots :\n"
        "```\nMe revoilà, comme j'étais le {day}.\n```"
    ),
)
MOVED = Words(
    en=(
        "Tell {member} now with exactly these words:\n"
        "```\nI am on another machine now, {place}, with all that I had.\n```"
    ),
    fr=(
        "Dis maintenant à {member} exactement ces mots :\n"
        "```\nJe suis maintenant sur une autre machine, {place}, avec tout ce que j'avais.\n```"
    ),
)


def settings_of(agent: Agent) -> RuntimeSettings:
    """What the agent shall run, from its spec, the catalogue and a linked bot."""
    blueprint = catalog().blueprints.get(agent.blueprint)
    return RuntimeSettings(
        agent_name=agent.name,
        member=member_of(agent),
        language=agent.language,
        soul=_filled(blueprint.soul, agent),
        tools=Tools(blueprint.tools),
        model=_model_of(agent),
        gateway_token=agent.gateway_token,
        control_ui_origin=origin_of(agent),
        heap_mb=heap_mb_of(machine_of(agent), agent),
        runtime_version=agent.runtime_version,
        telegram=_telegram_of(agent),
        slack=_slack_of(agent),
        whatsapp=_whatsapp_of(agent),
        edge=edge_of(agent),
    )


def greeting_prompt(agent: Agent) -> str:
    """Asks the agent to speak first, in its language and in its blueprint's words."""
    hello = _filled(catalog().blueprints.get(agent.blueprint).hello, agent).replace("```", "'''")
    words = GREETING.in_language(agent.language)
    return words.format(member=member_of(agent), hello=hello)


def return_prompt(agent: Agent) -> str:
    """Asks an agent that was restored to say so, with the day of what it has."""
    if agent.restore_from and agent.restore_from.kind == BackupKind.MOVE:
        return _filled(MOVED, agent)
    made = agent.restore_from.made_at if agent.restore_from else None
    words = RETURN.in_language(agent.language)
    return words.format(member=member_of(agent), day=f"{made:%Y-%m-%d %H:%M} UTC" if made else "")


def member_of(agent: Agent) -> str:
    """How the agent addresses its owner, on one line."""
    return " ".join(agent.owner.called.split())


def _filled(words: Words, agent: Agent) -> str:
    place = catalog().regions.get(agent.region).where.in_language(agent.language)
    text = words.in_language(agent.language)
    return text.format(agent=agent.name, member=member_of(agent), place=place)


def _model_of(agent: Agent) -> ModelAccess:
    if agent.model_provider == SANDBOX_PROVIDER:
        return ModelAccess(
            provider=SANDBOX_PROVIDER,
            model=agent.model,
            key=settings.SANDBOX_MODEL_KEY,
            base_url=settings.SANDBOX_MODEL_ENDPOINT,
        )
    if agent.shared_key:
        return _through_relay(agent)
    base_url = settings.MODEL_ENDPOINTS.get(agent.model_provider)
    if base_url and agent.model_provider == "anthropic":
        # Its SDK adds the version to the base address itself.
        base_url = base_url.rstrip("/").removesuffix("/v1")
    if agent.model_provider not in BUNDLED:
        base_url = base_url or catalog().models.get(agent.model_provider).endpoint
    return ModelAccess(
        provider=agent.model_provider,
        model=agent.model,
        key=agent.model_key,
        base_url=base_url,
    )


def _through_relay(agent: Agent) -> ModelAccess:
    """The machine holds a key of its own, and the relay's address instead of the provider's."""
    base_url = settings.RELAY_URL + RELAY_PATHS[agent.model_provider]
    if agent.model_provider == "anthropic":
        base_url = base_url.removesuffix("/v1")
    return ModelAccess(
        provider=agent.model_provider,
        model=agent.model,
        key=agent.relay_key,
        base_url=base_url,
        api=COMPLETIONS if agent.model_provider == "openrouter" else None,
    )


def _telegram_of(agent: Agent) -> Telegram | None:
    link = TelegramLink.objects.filter(agent=agent, state=TelegramLink.State.LINKED).first()
    if link is None:
        return None
    own = settings.TELEGRAM_ENDPOINT != "https://api.telegram.org"
    return Telegram(
        bot_token=link.bot_token,
        allowed_ids=(int(link.user_id),),
        api_root=settings.TELEGRAM_ENDPOINT if own else None,
    )


def _slack_of(agent: Agent) -> Slack | None:
    """Only once its machine has the software: until then it answers without it, and sooner."""
    link = SlackLink.objects.filter(agent=agent, state=SlackLink.State.LINKED).first()
    if link is None or not is_ready(link):
        return None
    return Slack(
        bot_token=link.bot_token,
        app_token=link.app_token,
        allowed_ids=(link.user_id,),
        api_url=f"{settings.SLACK_ENDPOINT}/" if settings.SLACK_ENDPOINT != SLACK else None,
    )


def _whatsapp_of(agent: Agent) -> WhatsApp | None:
    link = WhatsAppLink.objects.filter(agent=agent).first()
    return WhatsApp(allowed_numbers=(link.number,)) if link and is_ready(link) else None
