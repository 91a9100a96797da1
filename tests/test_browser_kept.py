"""What the page keeps in a real browser: for the next visit, and for other windows."""

from contextlib import contextmanager

from browser import continue_for, write_takes
from selenium.webdriver.common.keys import Keys

PIECE = "return view.take.notes.map(n => [n.pitch, +n.start.toFixed(3)]);"
NUMBERS = "return view.takeList.map(t => t.number);"


@contextmanager
def two_windows(page):
    """Opens the page in a second window; gives functions that lead to the first and to it."""
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("window")
    second = page.driver.current_window_handle
    to = page.driver.switch_to.window
    try:
        page.open(forget=False)
        yield lambda: to(first), lambda: to(second)
    finally:
        to(second)
        page.driver.close()
        to(first)


def visit_again(page):
    write_takes(page)
    page.open(forget=False)
    page.wait("view.hasArrived")


def test_a_seed_that_was_changed_by_hand_is_there_at_the_next_visit_and_can_be_undone(page):
    page.click("#edit")
    roll = page["#roll"]
    roll.send_keys("n", Keys.DELETE)
    deleted = page.run(PIECE)
    roll.send_keys("n", Keys.ARROW_RIGHT, Keys.ARROW_UP)
    page.run("player.seek(5);")
    page.click("#add-note")
    changed = page.run(PIECE)
    visit_again(page)
    assert page.run(PIECE) == changed
    assert page.run(NUMBERS) == []
    # Each change of the earlier visit can be undone, and what is left is kept again.
    for _ in range(3):
        page.click("#undo-edit")
    assert page.run(PIECE) == deleted
    visit_again(page)
    assert page.run(PIECE) == deleted
    # It is carried on as it is shown, and stays when its take is thrown away.
    continue_for(page)
    assert [note for note in page.run(PIECE) if note[1] < 10] == deleted
    page.click('[data-take="1"] [data-act="throw"]')
    visit_again(page)
    assert page.run(PIECE) == deleted
    page.click("#undo-edit")
    assert page.run("return view.take;") is None
    visit_again(page)
    assert page.run("return view.take;") is None


def test_two_tabs_with_one_seed_keep_the_takes_of_both(page):
    continue_for(page)
    write_takes(page)
    with two_windows(page) as (first, second):
        page.wait("view.takeList.length === 1")
        page.run("player.loop = {start: 0, end: 9}; player.play(0);")
        first()
        continue_for(page, 6)
        second()
        page.wait("view.takeList.length === 2")
        # What is made or thrown away elsewhere disturbs nothing that is heard.
        first()
        page.click('[data-take="1"] [data-act="throw"]')
        second()
        page.wait("view.takeList.length === 1")
        assert page.run("return [view.take.number, player.playing, view.roll.end];") == [
            1,
            True,
            15,
        ]
        assert page.text("#words").startswith("This take was thrown away in another tab.")
        continue_for(page, 7)
        first()
        page.wait("view.takeList.length === 2")
        assert page.run(NUMBERS) == [2, 3]
        assert page.run("return view.take.number;") == 2
        page.click("#bring-back")
        second()
        page.wait("view.takeList.length === 3")
    visit_again(page)
    assert page.run("return view.takeList.map(t => [t.number, t.seconds]);") == [
        [1, 5],
        [2, 6],
        [3, 7],
    ]


def test_a_take_that_two_windows_change_becomes_two(page):
    continue_for(page)
    write_takes(page)
    with two_windows(page) as (first, second):
        page.wait("view.take")
        before = page.run(PIECE)
        first()
        page.click("#edit")
        page["#roll"].send_keys("n", Keys.ARROW_UP)
        page.click('[data-take="1"] [data-act="star"]')
        one = page.run(PIECE)
        assert one != before
        second()
        page.wait("view.take.starred")
        assert page.run(PIECE) == one
        # Here the next change is not written before the other window has written its own.
        page.run("const {keeper} = view.shelf; keeper.later = take => keeper.pending.set(take, 0);")
        page.click("#edit")
        page["#roll"].send_keys("n", Keys.DELETE)
        two = page.run(PIECE)
        first()
        page["#roll"].send_keys(Keys.ARROW_UP)
        three = page.run(PIECE)
        write_takes(page)
        second()
        write_takes(page)
        assert page.run(PIECE) == two
        pieces = "return view.takeList.map(t => t.notes.map(n => [n.pitch, +n.start.toFixed(3)]));"
        assert page.run(pieces) == [two, three]
        first()
        page.wait("view.takeList.length === 2")
        assert page.run(PIECE) == three
        assert page.run(pieces) == [three, two]
        page.click("#forget-takes")
        second()
        page.wait("view.takeList.length === 0")
        assert page.run(PIECE) == two


def test_own_seeds_come_the_latest_first_at_the_next_visit_too(page):
    own = "return [...document.querySelectorAll('.card')].slice(0, 2).map(c => c.dataset.seed);"
    for count in (8, 12):
        page.run("view.picker.takePlayed(view.seed.part.slice(0, arguments[0]));", count)
        continue_for(page)
        page.click('[data-seed="bach-prelude-c-major"] .choose')
        # The keeper orders them by the time at which each was written.
        write_takes(page)
    before = page.run(own)
    visit_again(page)
    assert page.run(own) == before


def test_where_a_browser_keeps_nothing_takes_stay_until_the_visitor_leaves(page):
    none = "Object.defineProperty(window, 'indexedDB', {value: {}});"
    told = page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": none})
    try:
        page.open()
        continue_for(page)
        write_takes(page)
        page.click('[data-take="1"] [data-act="star"]')
        write_takes(page)
        assert page.run("return view.takeList.map(t => [t.number, t.starred]);") == [[1, True]]
    finally:
        page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", told)
