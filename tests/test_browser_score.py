"""The page: the join is heard, a seed on a grid stays on it, and becomes a score."""

from pathlib import Path

import partitura
from browser import MADE, PICTURES, continue_for
from midi_builder import midi, off, on, tempo

QUANTISED = "return view.take.facts.quantise;"


def studio(path: Path) -> Path:
    """Writes eighth notes as a studio does, for 20 s."""
    notes = [one for i in range(66) for one in (on(0, 60 + i % 12), off(240, 60 + i % 12))]
    path.write_bytes(midi([tempo(0, 600_000)], notes))
    return path


def test_playing_starts_two_seconds_before_the_join(page):
    page.run(
        "window.starts = []; const {play} = Object.getPrototypeOf(player);"
        "player.play = function (from) { starts.push(from); return play.call(this, from); };"
    )
    continue_for(page)
    assert page.run("return window.starts[0] - view.take.seedSeconds;") == -2


def test_a_take_on_a_grid_is_drawn_and_saved_as_a_score(page):
    continue_for(page)
    assert page.run(QUANTISED) == 1
    page.click("#save summary")
    page.click('[data-save="score"]')
    page.wait("!document.getElementById('score').hidden")
    page.wait("document.querySelector('#score img').naturalWidth > 300")
    page.screenshot(PICTURES / "score.png")
    page.click("#save summary")
    page.click('[data-save="musicxml"]')
    (part,) = partitura.load_musicxml(page.downloaded("musicxml")).parts
    assert len(part.notes_tied) > 40
    # Another take has no score yet.
    page.click("#go")
    page.wait(MADE)
    assert not page["#score"].is_displayed()


def test_how_far_notes_go_to_the_grid_is_set_and_kept_in_the_link(page):
    page.click("#more summary")
    assert page.text("#quantise-words") == "if it has one"
    page.put("#quantise", 0)
    assert page.text("#quantise-words") == "off"
    continue_for(page)
    assert page.run(QUANTISED) == 0
    page.click("#save summary")
    page.click('[data-save="link"]')
    page.wait("location.hash.includes('quantise=0')")
    page.open(page.run("return location.hash;"))
    page.wait(MADE)
    assert page.run(QUANTISED) == 0
    assert page.run("return view.form.quantise;") == 0


def test_a_file_is_carried_on_on_its_grid_and_a_free_one_is_no_score(page, tmp_path):
    page["#file"].send_keys(str(studio(tmp_path / "studio.mid")))
    page.wait("!document.getElementById('seed-panel').hidden")
    continue_for(page)
    assert page.run(QUANTISED) == 1
    onsets = page.run("return view.take.newNotes.map((note) => note.start / 0.3);")
    assert onsets and max(abs(at - round(at)) for at in onsets) < 1e-6
    # The file travels in the link, and so does its tempo.
    page.click("#save summary")
    page.click('[data-save="link"]')
    page.wait("location.hash.includes('midi=')")
    page.put("#quantise", 0)
    page.click("#go")
    page.wait(MADE)
    assert page.run(QUANTISED) == 0
    free = midi(
        [one for i in range(80) for one in (on(7 * i % 90, 60 + i % 9), off(190 + i, 60 + i % 9))]
    )
    (tmp_path / "free.mid").write_bytes(free)
    page["#file"].send_keys(str(tmp_path / "free.mid"))
    page.wait("document.getElementById('seed-name').textContent === 'free'")
    continue_for(page)
    page.click("#save summary")
    page.click('[data-save="score"]')
    page.wait("document.getElementById('words').textContent.includes('a free performance')")
    assert not page["#score"].is_displayed()


def test_a_threshold_that_plays_nothing_names_one_that_does(page):
    page.click("#more summary")
    page.put("#model", "lstm")
    page.click('[name="way"][value="threshold"]')
    page.put("#threshold", 0.9)
    page.put("#seconds", 5)
    page.click("#go")
    page.wait(
        "document.getElementById('words').textContent.startsWith('The network stayed silent')"
    )
    said = page.text("#words")
    assert said.startswith("The network stayed silent: by the threshold of 0.9 no key sounds; 0.")
