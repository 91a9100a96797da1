"""The bench of the page in a real browser: takes, moments, spans, single notes, playing along."""

import io
import zipfile

import pytest
from browser import MADE, PICTURES, continue_for, write_takes
from midi_builder import meta, midi, off, on
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from pyzzicato.midi import read_midi

PIECE = "return view.take.notes.map(n => [n.pitch, +n.start.toFixed(3)]);"


def at(page, seconds):
    """Puts the playhead at a moment, as a click there does."""
    page.run("player.pause(); view.roll.tell('seek', arguments[0]);", seconds)


def select(page, start, end):
    """Selects a span by the fields beside it."""
    page.run("view.bench.select({start: 0, end: 1});")
    page.put("#span-from", start)
    page.put("#span-to", end)


def test_takes_are_starred_zipped_thrown_away_brought_back_and_kept_for_the_next_visit(page):
    page.put("#takes", 3)
    assert page.text("#go") == "3 takes"
    continue_for(page)
    page.wait("view.takeList.length === 3 && !view.busy")
    for number in (1, 3):
        page.click(f'[data-take="{number}"] [data-act="star"]')
    page.click("#save-starred")
    held = zipfile.ZipFile(io.BytesIO(page.downloaded("zip").read_bytes()))
    assert held.testzip() is None
    assert len(held.namelist()) == 2
    counts = [len(read_midi(held.read(name)).notes) for name in held.namelist()]
    assert counts == page.run("return [0, 2].map(i => view.takeList[i].notes.length);")
    page.click('[data-take="2"] [data-act="throw"]')
    assert page.run("return view.takeList.map(t => t.number);") == [1, 3]
    page.click("#bring-back")
    assert page.run("return view.takeList.map(t => t.number);") == [1, 2, 3]
    # Another card and back: they are still there, and so they are at the next visit.
    page.click('[data-seed="mozart-sonata-a-major"] .choose')
    assert page.run("return view.takeList.length;") == 0
    page.click('[data-seed="bach-chromatic-fantasia"] .choose')
    notes = page.run(PIECE)
    page.screenshot(PICTURES / "takes.png")
    write_takes(page)
    page.open(forget=False)
    page.wait("view.takeList.length === 3")
    assert page.run(PIECE) == notes
    assert page.run("return view.takeList.map(t => t.starred);") == [True, False, True]
    page.click("#forget-takes")
    page.open(forget=False)
    page.wait("view.hasArrived")
    assert page.run("return view.takeList.length;") == 0


def test_play_on_from_a_moment_keeps_what_is_before_and_marks_it(page):
    continue_for(page, 6)
    before = [note for note in page.run(PIECE) if note[1] < 12]
    # Where nothing sounds at 12 s, it goes on from the end of what did.
    ends = page.run("return view.take.notes.filter(n => n.start < 12).map(n => n.end);")
    begins = min(12, max(ends))
    at(page, 12)
    page.put("#rng", 77)
    page.click("#play-on")
    page.wait("view.takeList.length === 2 && " + MADE)
    after = page.run(PIECE)
    assert [note for note in after if note[1] < begins] == before
    assert page.run("return view.roll.marks;") == [begins]
    assert page.run("return view.take.end;") == pytest.approx(begins + 6, abs=0.02)
    assert page.run("return view.take.notes.filter(n => n.start >= 12).length;") > 0
    # It can go on, and be brought to a close, which is not cut.
    page.click("#close")
    page.wait("view.takeList.length === 3 && " + MADE)
    assert page.run("return view.take.isClosed && view.take.end > 17 && view.take.end <= 24.5;")


def test_a_span_is_looped_redone_and_played_around_a_part_that_stays(page):
    continue_for(page, 8)
    before = page.run(PIECE)
    select(page, 11, 14)
    page.click("#loop")
    page.wait("player.playing && player.time >= 11")
    page.run("player.play(13.5);")
    page.wait("player.time < 12.5")
    assert page.run("return player.playing && player.time >= 11;")
    page.click("#loop")
    page.click("#redo")
    page.wait("view.takeList.length === 2 && !view.busy")
    after = page.run(PIECE)
    outside = [note for note in before if not 11 <= note[1] < 14]
    assert [note for note in after if not 11 <= note[1] < 14] == outside
    assert [note for note in after if 11 <= note[1] < 14] != [n for n in before if n not in outside]
    page.put("#keep-part", "bottom")
    page.click("#keep")
    page.wait("view.takeList.length === 3 && !view.busy")
    assert page.run("return view.take.how;") == "the lowest voice kept"
    page.run("player.pause();")
    page.screenshot(PICTURES / "bench.png")
    # A shorter take ends playhead and span where it ends.
    continue_for(page, 5)
    page.click('[data-take="1"] .choose')
    select(page, 14, 18)
    at(page, 17)
    page.click('[data-take="4"] .choose')
    assert page.run("return [player.time, view.roll.region];") == [15, {"start": 14, "end": 15}]


def test_a_track_of_a_file_stays(page, tmp_path):
    tracks = [
        [
            meta(0, 3, name),
            *(e for i in range(40) for e in (on(0, low + i % 5), off(240, low + i % 5))),
        ]
        for name, low in ((b"Left", 48), (b"Right", 72))
    ]
    path = tmp_path / "two tracks.mid"
    path.write_bytes(midi(*tracks))
    page["#file"].send_keys(str(path))
    page.wait("view.seed.kind === 'file'")
    assert page.run("return view.bench.parts.map(([name]) => name).slice(4, 6);") == [
        "track:1",
        "track:2",
    ]
    select(page, 2, 6)
    page.put("#keep-part", "track:2")
    page.click("#keep")
    page.wait("view.take && !view.busy")
    assert page.run("return view.take.how;") == "track 2, Right kept"
    inside = page.run("return view.take.seedNotes.filter(n => n.start >= 2 && n.start < 6);")
    assert inside and {note["pitch"] >= 72 for note in inside} == {True}


def test_notes_are_moved_added_and_deleted_by_hand_and_each_change_undone(page):
    continue_for(page, 5)
    before = page.run(PIECE)
    page.click("#edit")
    at(page, 11)
    roll = page["#roll"]
    roll.send_keys("n", Keys.ARROW_UP)
    moved = page.run(PIECE)
    assert moved != before
    assert sorted(p for p, _ in moved)[0] >= 21
    roll.send_keys(Keys.DELETE)
    assert len(page.run(PIECE)) == len(before) - 1
    page.click("#add-note")
    assert [60, 11] in page.run(PIECE)
    # By hand: a note is drawn to another place.
    place = page.run(
        "const n = view.take.notes.find(n => n.pitch === 60 && n.start === 11), {roll} = view;"
        "const box = roll.holder.getBoundingClientRect();"
        "return [roll.x(n.start + 0.2) - box.width / 2, roll.y(n.pitch) + roll.rowHeight / 2"
        " - box.height / 2, roll.rowHeight];"
    )
    hand = ActionChains(page.driver)
    hand.move_to_element_with_offset(roll, round(place[0]), round(place[1])).click_and_hold()
    hand.move_by_offset(30, round(-2 * place[2])).release().perform()
    assert [60, 11] not in page.run(PIECE)
    for _ in range(4):
        page.click("#undo-edit")
    assert page.run(PIECE) == before
    # What was changed is carried on from as it is.
    roll.send_keys("n", Keys.DELETE)
    changed = page.run(PIECE)
    page.click("#keep-going")
    page.wait("view.making")
    page.wait(MADE)
    after = page.run(PIECE)
    assert [note for note in after if note[1] < 15] == [note for note in changed if note[1] < 15]
    assert len(after) > len(changed)


def test_a_seed_that_is_changed_by_hand_is_carried_on_as_it_is_shown(page):
    page.put("#seconds", 5)
    before = page.run("return view.seed.part.length;")
    page.click("#edit")
    page["#roll"].send_keys("n", Keys.DELETE)
    changed = page.run(PIECE)
    assert len(changed) == before - 1
    assert page.text("#go") == "Continue"
    assert page.run("return view.takeList.length;") == 0
    at(page, 5)
    assert page["#play-on"].is_enabled()
    for words in ("Continue", "Another take"):
        assert page.text("#go") == words
        page.click("#go")
        page.wait("view.making")
        page.wait(MADE)
        assert [note for note in page.run(PIECE) if note[1] < 10] == changed
    page.click("#keep-going")
    page.wait("view.making")
    page.wait(MADE)
    assert [note for note in page.run(PIECE) if note[1] < 10] == changed
    assert page.run("return [view.takeList.length, view.take.seconds];") == [2, 10]
    # All undone, it is the seed again.
    page.click('[data-seed="mozart-sonata-a-major"] .choose')
    page["#roll"].send_keys("n", Keys.DELETE)
    page.click("#undo-edit")
    assert page.run("return view.take;") is None


def test_the_odds_of_the_next_keys_follow_the_moment_and_the_temperature(page):
    at(page, 5)
    page.click("#ask-odds")
    page.wait("document.querySelectorAll('.odds-list li').length >= 5")
    first = page.text(".odds-list")
    page.put("#odds-temperature", 0.5)
    page.wait(f"document.querySelector('.odds-list').innerText !== {first!r}")
    at(page, 7)
    page.wait("document.querySelector('#odds-words').textContent.includes('0:07.0')")


def test_the_moment_and_its_odds_go_along_with_the_sound(page):
    at(page, 0.6)
    assert not page["#play-on"].is_enabled()
    page.click("#ask-odds")
    page.click("#play")
    page.wait("document.querySelector('#bench strong').textContent >= 'At 0:01.5'")
    assert page["#play-on"].is_enabled()
    page.click("#play")
    page.wait("!view.player.playing")
    moment = page.text("#bench strong").removeprefix("At ")
    page.wait(f"document.querySelector('#odds-words').textContent.includes('{moment}')")


def test_the_model_answers_when_the_player_pauses_and_stops_at_once(page):
    page.click("#open-keyboard")
    page.click("#play-along")
    page.wait("view.along.isOn")
    phrase = """
        const keys = view.picker.keyboard;
        [60, 64, 67, 72, 67].forEach((pitch, i) => {
          setTimeout(() => keys.press(pitch, 70, "a port"), 200 * i);
          setTimeout(() => keys.up(pitch), 200 * i + 120);
        });
    """
    page.run(phrase)
    page.wait("Boolean(view.along.answer?.notes.length)")
    assert page.run("return view.along.latencyMs;") < 2000
    page.wait("view.along.answer?.heard.length > 0 || !view.along.answer")
    page.run(phrase)
    page.wait("view.along.answer === null && view.along.phrase.count > 0")
    # Nothing of the answer goes on sounding, and the next phrase is answered too.
    page.wait("Boolean(view.along.answer?.notes.length)")
    # A keyboard that is unplugged with a key down lets it go.
    page.run("view.picker.keyboard.press(50, 70, 'a port'); view.picker.keyboard.unplug('a port');")
    assert page.run("return view.picker.keyboard.isHeld;") is False
    page.click("#keep-along")
    assert page.text("#seed-name") == "What you played"
    assert page.run("return view.seed.notes.length;") >= 10


def test_what_is_played_is_sent_to_a_midi_port_and_let_go_there(page):
    page.run(
        "window.sent = []; piano.wake();"
        "piano.out.choose({send: ([status, pitch], at) => sent.push([status, pitch, at])});"
    )
    page.click("#play")
    page.wait("sent.length > 6")
    page.click("#play")
    page.wait("!player.playing")
    left = page.run(
        "const down = new Map();"
        "for (const [status, pitch, at] of [...sent].sort((a, b) => a[2] - b[2])) {"
        "  down.set(pitch, (down.get(pitch) ?? 0) + (status === 0x90 ? 1 : -1)); }"
        "return [...down.values()].filter(n => n !== 0).length;"
    )
    assert left == 0
    page.run("piano.out.choose(null);")
