"""An invited person on a phone: from the link to the agent on its way, or to what to do."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import Look, browsing, fits, picture
from tests.browser.site import Site

pytestmark = pytest.mark.browser

PHONE = Look("phone", "fr")
LOOKS = [Look("phone", "fr"), Look("desktop", "en"), Look("phone", "en", "dark")]
# Each look has an invitation by mail of its own: it opens the door once.
MAILS = [(look, f"mail_{number}") for number, look in enumerate(LOOKS)]
WORDS = {
    "fr": ("Créer mon agent", "Créer - 0 EUR pour vous", "IA fournie par Alice"),
    "en": ("Create my agent", "Create - 0 EUR for you", "AI from Alice"),
}


def shown(page: Page, look: Look, name: str) -> None:
    """What every page promises, and a picture of it."""
    picture(page, look, name)
    assert fits(page), f"{name} is wider than {look.size}"
    assert page.locator("h1").count() == 1, name


@pytest.mark.parametrize(("look", "mail"), MAILS, ids=str)
def test_from_the_mail_to_one_question(
    chromium: Browser, still: Site, look: Look, mail: str
) -> None:
    begin, create, whose = WORDS[look.language]
    with browsing(chromium, still, look) as (page, complaints):
        page.goto(still.invitations[mail])
        assert page.url.endswith("/invitation/")
        shown(page, look, "invitation")
        page.get_by_role("button", name=begin).click()
        shown(page, look, "invitation-question")
        assert whose in page.locator(".fold summary").inner_text()
        page.locator(".fold summary").click()
        shown(page, look, "invitation-behind-the-fold")
        page.locator("#id_name").fill("Iris")
        page.get_by_role("button", name=create).click()
        expect(page.locator(".steps")).to_be_visible()
        expect(page.locator("h1")).to_have_text("Iris")
    assert complaints == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_link_asks_who_one_is(chromium: Browser, still: Site, look: Look) -> None:
    with browsing(chromium, still, look) as (page, complaints):
        page.goto(still.invitations["link"])
        page.get_by_role("button", name=WORDS[look.language][0]).click()
        expect(page.locator("#id_email")).to_be_visible()
        shown(page, look, "invitation-who")
    assert complaints == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("name", ["expired", "revoked"])
def test_what_opens_nothing(chromium: Browser, still: Site, look: Look, name: str) -> None:
    with browsing(chromium, still, look) as (page, _):
        page.goto(still.invitations[name])
        shown(page, look, f"invitation-{name}")


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_wrong_name_loses_nothing(chromium: Browser, still: Site, look: Look) -> None:
    with browsing(chromium, still, look, "zoe") as (page, _):
        page.goto(still.invitations["link"])
        page.get_by_role("button", name=WORDS[look.language][0]).click()
        page.locator("input[name=blueprint][value=developer]").check()
        page.locator("#id_name").fill("admin")
        page.get_by_role("button", name=WORDS[look.language][1]).click()
        expect(page.locator("#name_error")).to_be_visible()
        expect(page.locator("input[name=blueprint][value=developer]")).to_be_checked()
        shown(page, look, "invitation-refused")


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_pages_of_who_invites(chromium: Browser, still: Site, look: Look) -> None:
    team = f"/accounts/{still.account}/"
    with browsing(chromium, still, look, "alice") as (page, complaints):
        for name, path in {
            "team": team,
            "team-invite": f"{team}invitations/new/",
            "team-leave": f"{team}leave/",
            "team-account": "/account/",
            "team-transfer": f"/agents/{still.agents['hello_fr']}/transfer/",
        }.items():
            page.goto(path)
            shown(page, look, name)
        page.goto(f"{team}invitations/new/")
        page.locator(".fold summary").click()
        shown(page, look, "team-invite-open")
        page.locator("#id_email").evaluate("field => field.form.requestSubmit()")
        expect(page.locator("#id_link")).to_be_visible()
        shown(page, look, "team-link")
    assert complaints == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_member_and_their_agent_seen_by_another(
    chromium: Browser, still: Site, look: Look
) -> None:
    with browsing(chromium, still, look, "bob") as (page, _):
        page.goto(f"/accounts/{still.account}/")
        shown(page, look, "team-member")
    with browsing(chromium, still, look, "alice") as (page, complaints):
        page.goto(f"/agents/{still.agents['bobs']}/")
        shown(page, look, "overseen")
    assert complaints == []
