"""What axe finds in the way of screen readers, keyboards and weak eyes, in every view of the page.

Each view is looked at on a wide screen and on a phone, in light and dark.
"""

from browser import continue_for
from selenium.webdriver.common.keys import Keys
from selenium_axe_python import Axe

RULES = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
}
OPTIONS = {"runOnly": RULES, "resultTypes": ["violations"]}


def first_sight(page):
    """Leaves the page as it was opened."""
    page.wait("document.querySelector('footer .settings')")


def learn(page):
    page.click("#tab-learn")
    page.wait("document.querySelectorAll('#composers button').length === 14")
    page.wait("document.getElementById('own-words').textContent")


def compare(page):
    page.click("#tab-compare")
    page.wait("document.querySelectorAll('#lanes .lane').length === 2")


def listen_blind(page):
    page.click("#tab-listen")
    page.click("#listen-go")
    page.wait("document.querySelectorAll('#pair .side').length === 2")


def a_take_with_all_that_opens(page):
    page.click("#tab-continue")
    page.click("#more summary")
    page.click("#open-keyboard")
    page.run("view.picker.takePlayed(view.seed.part);")
    page.click("#edit")
    page.run("player.seek(3); view.bench.select({start: 2, end: 6});")
    page.click("#ask-odds")
    page.wait("document.querySelectorAll('.odds-list li').length >= 5")
    continue_for(page)
    page.run("player.pause();")
    page.click("#facts summary")
    page.click("#save summary")


def api_drawer(page):
    page.click("#api")
    page.wait("document.querySelectorAll('.api-docs .tool-checkbox').length > 9")


def settings_drawer(page):
    page["body"].send_keys(Keys.ESCAPE)
    page.wait("!document.querySelector('.api-docs')")
    page.click("footer .settings")
    page.wait("document.querySelector('.api-docs')?.textContent.length > 100")


VIEWS = (
    first_sight,
    learn,
    compare,
    listen_blind,
    a_take_with_all_that_opens,
    api_drawer,
    settings_drawer,
)


def test_axe_finds_nothing_in_any_view(page):
    axe = Axe(page.driver)
    axe.inject()
    found = []
    for view in VIEWS:
        page.show_on(phone=False)
        view(page)
        for phone in (False, True):
            page.show_on(phone)
            for _ in ("light", "dark"):
                page.run("document.getElementById('theme').click();")
                look = page.run("return document.body.className;")
                violations = axe.run(options=OPTIONS)["violations"]
                if violations:
                    where = f"{view.__name__}, {'phone' if phone else 'window'}, {look}"
                    found.append(f"{where}: {axe.report(violations)}")
    assert not found, "\n".join(found)
    # Any main part would do for axe, gradio's empty one too.
    mains = "return [...document.querySelectorAll('main')].filter(e => e.offsetParent !== null)"
    assert page.run(f"{mains}.map(e => e.id);") == ["pyzzicato-place"]
