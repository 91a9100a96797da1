"""The page's other views in a real browser, in light and dark, and on a phone."""

from browser import MADE, PICTURES, continue_for
from random_music import random_music
from selenium.webdriver.common.keys import Keys

from pyzzicato.hub import list_models
from pyzzicato.midi import write_midi
from pyzzicato.seeds import list_seeds
from pyzzicato.space import blind

MODELS = [info.name for info in list_models()]


def test_all_models_on_one_seed(page):
    page.click("#tab-compare")
    page.click("#compare-go")
    page.wait("views.compare.takes.length && !views.compare.making")
    shown = page.run(
        "return [...document.querySelectorAll('#lanes .lane')].map(l => l.dataset.system);"
    )
    assert shown == ["seed", "composer", *MODELS]
    counts = page.run("return views.compare.takes.map(t => t.newNotes.length);")
    assert all(count > 0 for count in counts)
    page.click('[data-system="seed"] .play')
    page.wait("player.playing && player.time > 0.1")
    page.screenshot(PICTURES / "compare.png")
    # A shorter seed leaves more of the piece: the composer's next notes begin where it ends.
    page.put("#compare-length", 6)
    rest = page.run("return views.compare.rows[1].notes.map(n => [n.pitch, n.start]);")
    seed = list_seeds()[0]
    assert rest == [[n.pitch, n.start - 6] for n in seed.notes if n.start >= 6]
    assert page.text('[data-system="composer"] strong') == seed.composer
    page.click('[data-system="composer"] .play')
    page.wait("player.playing && piano.peak() > 0.01")
    page.click('[data-system="composer"] [data-act="save"]')
    assert page.downloaded("mid").name.endswith("-continued-composer.mid")


def test_a_vote_needs_both_played_and_then_shows_the_names(page, monkeypatch):
    monkeypatch.setattr(blind, "LISTEN_S", 1.5)
    page.click("#tab-listen")
    page.wait("document.querySelector('#leaderboard .hint')")
    votes = "return [...document.querySelectorAll('#leaderboard .votes')].map(e => +e.textContent);"
    before = page.run(votes)
    page.click("#listen-go")
    page.wait("document.querySelectorAll('#pair .side').length === 2")
    assert page.text('[data-side="0"] .side-name') == "First"
    # Nothing on the page or in what it was sent says who plays.
    told = page.run("return JSON.stringify(views.listen.told);")
    assert not any(f'"{name}"' in told for name in [*MODELS, "composer", "rng"])
    for mark in ("musicality-0", "fidelity-1"):
        page.click(f'[name="{mark}"][value="4"]')
    page.click('[name="verdict"][value="1"]')
    assert page.text("#listen-words").endswith(
        "listen past the seed: to 1.5 s of the first and 1.5 s of the second."
    )
    page.click('[data-side="0"] .play')
    # The seeds are the same: it begins shortly before they end, and no second of them counts.
    assert page.run("return views.listen.stage.player.time;") >= 8
    page.run("views.listen.stage.player.seek(0); views.listen.count(5);")
    assert page.run("return views.listen.played[0];") == 0
    page.run("views.listen.stage.player.seek(9.5);")
    page.wait("!views.listen.missing.includes(0)")
    page.click('[data-side="1"] .play')
    page.wait("views.listen.heard[1]")
    assert not page["#vote"].is_enabled()
    page.wait("!document.getElementById('vote').disabled")
    page.screenshot(PICTURES / "listen.png")
    # As soon as the page takes a vote, the server does.
    page.click("#vote")
    page.wait("document.querySelector('#listen-words').textContent.includes('counted')")
    assert sum(page.run(votes)) == sum(before) + 2
    assert page.text('[data-side="0"] .side-name').startswith("First: ")


def test_compare_follows_the_seed_and_one_is_carried_on_from(page):
    page.click('[data-seed="chopin-mazurka-a-minor"] .choose')
    page.click("#tab-compare")
    assert page["#compare-seed"].get_property("value") == "chopin-mazurka-a-minor"
    page.click('[data-system="composer"] [data-act="on"]')
    page.wait("!document.getElementById('view-continue').hidden && view.take")
    assert page.run("return [view.take.how, location.hash];") == ["as it was written", "#continue"]
    # The browser's Back leads through what was shown, and not off the page.
    page.driver.back()
    page.wait("location.hash === '#compare' && !document.getElementById('view-compare').hidden")
    page.driver.back()
    page.wait("view.seed.name === 'chopin-mazurka-a-minor' && location.hash === '#continue'")
    page.driver.back()
    page.wait("view.seed.name !== 'chopin-mazurka-a-minor'")


def test_the_data_and_the_models_are_shown(page):
    page.click("#tab-learn")
    page.wait("document.querySelectorAll('#composers button').length === 14")
    page.click('[data-count="hours"]')
    hours = page.run(
        "return [...document.querySelectorAll('#composers b')].map(e => +e.textContent);"
    )
    assert hours == sorted(hours, reverse=True)
    assert hours[0] > 20
    page.run("document.querySelector('#composers button').focus();")
    assert "performances of" in page.text("#composer-words")
    page.screenshot(PICTURES / "learn.png")


def test_files_are_taken_to_learn_from(page, tmp_path):
    page.click("#tab-learn")
    page.wait("document.getElementById('own-go')")
    assert page["#own-go"].get_attribute("disabled")
    paths = [write_midi(random_music(i, 20), tmp_path / f"song {i}.mid") for i in range(2)]
    (tmp_path / "no music.mid").write_bytes(b"MThd and no more")
    # One that cannot be read keeps none after it back, and is told of.
    chosen = [paths[0], tmp_path / "no music.mid", paths[1]]
    page["#own-files"].send_keys("\n".join(map(str, chosen)))
    page.wait("document.getElementById('own-words').textContent === '2 files to learn from'")
    assert page.text("#own-left-out").startswith("no music.mid is left out: ")
    assert page.text("#own-left-out").count("\n") == 0
    # The browser itself complains of the answer.
    assert all("own-music/add" in told for told in page.complaints())
    assert not page["#own-go"].get_attribute("disabled")
    page.screenshot(PICTURES / "own-music.png")


def test_the_drawer_of_the_api_logs_no_error_and_its_buttons_have_names(page):
    page.click("#api")
    page.wait("document.querySelectorAll('.api-docs .tool-checkbox').length > 9")
    nameless = (
        "[...document.querySelectorAll('.api-docs :is(button, input)')].filter(e => "
        "!e.textContent.trim() && !e.ariaLabel && !e.labels?.length).length"
    )
    page.wait(f"{nameless} === 0")
    assert page.run("return document.querySelector('.api-docs pre').tabIndex;") == 0
    page["body"].send_keys(Keys.ESCAPE)
    page.wait("!document.querySelector('.api-docs')")
    assert page.complaints() == []


def test_dark_is_remembered(page):
    page.click("#theme")
    assert page.run("return document.body.classList.contains('dark');")
    page.screenshot(PICTURES / "dark.png")
    page.open()
    assert page.run("return document.body.classList.contains('dark');")
    page.click("#theme")
    assert not page.run("return document.body.classList.contains('dark');")


def test_a_phone_shows_everything_in_one_column(opened):
    opened.open(phone=True)
    try:
        for view in ("learn", "listen", "compare", "continue"):
            opened.run("document.getElementById(arguments[0]).click();", f"tab-{view}")
            opened.wait(f"!document.getElementById('view-{view}').hidden")
            assert opened.run("return document.documentElement.scrollWidth;") <= 390
        assert opened.run("return document.querySelector('#roll').clientHeight;") <= 242
        low = opened.run("return document.querySelector('#go').getBoundingClientRect().bottom;")
        assert 600 < low <= 844
        # A third card shows that the row goes on.
        third = "return document.querySelectorAll('.card')[2].getBoundingClientRect().left;"
        assert opened.run(third) < 360
        opened.run("view.continueSeed(1);")
        opened.wait(MADE)
        # Nothing lies over the keys under the roll.
        for key in ("#play", "#keep-going", "#save summary"):
            opened.run("document.querySelector(arguments[0]).scrollIntoView({block: 'end'});", key)
            covered = opened.run(
                "const key = document.querySelector(arguments[0]);"
                "const {x, y, width, height} = key.getBoundingClientRect();"
                "return !key.contains(document.elementFromPoint(x + width / 2, y + height / 2));",
                key,
            )
            assert not covered, key
        opened.run("player.pause(); document.getElementById('tab-listen').click();")
        opened.click("#listen-go")
        opened.wait("document.querySelectorAll('#pair .side').length === 2")
        widest = opened.run(
            "return Math.max(...[...document.querySelectorAll('#pair *')]"
            ".map(element => element.getBoundingClientRect().right));"
        )
        assert widest <= 390
        opened.run("document.getElementById('tab-continue').click();")
        opened.click("#open-keyboard")
        white = "return document.querySelector('.key.white').getBoundingClientRect().width;"
        assert opened.run(white) >= 32
        assert opened.run("return document.documentElement.scrollWidth;") <= 390
        # The button lies over nothing of what is played with.
        assert (
            opened.run("return getComputedStyle(document.querySelector('#go')).position;")
            == "static"
        )
        opened.screenshot(PICTURES / "phone.png")
        assert opened.complaints() == []
    finally:
        opened.open()


def test_every_preset_has_a_card_and_none_has_one_too(page):
    cards = page.run("return [...document.querySelectorAll('.card')].map(c => c.dataset.seed);")
    assert cards == [*(seed.name for seed in list_seeds()), "none"]
    page.click('[data-seed="none"] .choose')
    continue_for(page)
    assert page.run("return view.take.newNotes.length;") > 0
    assert "silent" in page.text("#facts")
