"""The command line, as a user types it."""

import json
import re
import subprocess
import sys

import pytest
import soundfile
from conftest import ROOT

from pyzzicato.__main__ import build_parser, main
from pyzzicato.hub import DEFAULT_MODEL
from pyzzicato.midi import read_midi, write_midi
from pyzzicato.notes import Note
from pyzzicato.playing.decoding import PART_NAMES
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.seeds import list_seeds

SEED = "bach-prelude-c-major"
NAME = f"{SEED}-rng-0"


def play(folder, *options):
    arguments = ["continue", SEED, "--seconds", "5", "--rng", "0", "--out", str(folder)]
    return main([*arguments, *options])


def test_continue_writes_music_sound_picture_and_figures(tmp_path, capsys):
    assert play(tmp_path) == 0
    facts = json.loads((tmp_path / "result.json").read_text())
    notes = read_midi(tmp_path / f"{NAME}.mid").notes
    assert len(notes) == facts["notes"] + facts["seed_notes"]
    assert facts["model"] == DEFAULT_MODEL
    assert facts["settings"]["seconds"] == 5
    assert facts["real_time_factor"] == pytest.approx(5 / facts["wall_seconds"], rel=0.05)
    samples, rate = soundfile.read(tmp_path / f"{NAME}.wav")
    assert rate == 44_100
    assert abs(samples).max() > 0.05
    assert len(samples) / rate > 10
    assert (tmp_path / f"{NAME}.png").read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr()
    for name in (f"{NAME}.mid", f"{NAME}.wav", f"{NAME}.png", "result.json"):
        assert str(tmp_path / name) in said.out
    assert "playing" in said.err


def test_the_same_command_gives_the_same_midi_bytes(tmp_path):
    for name in ("first", "second"):
        assert play(tmp_path / name, "--no-audio", "--rng", "7") == 0
    first, second = (tmp_path / n / f"{SEED}-rng-7.mid" for n in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
    assert play(tmp_path / "third", "--no-audio", "--rng", "8") == 0
    assert (tmp_path / "third" / f"{SEED}-rng-8.mid").read_bytes() != first.read_bytes()
    assert not (tmp_path / "first" / f"{SEED}-rng-7.wav").exists()


def test_a_fresh_process_plays_the_same_from_a_midi_file(tmp_path):
    seed = next(seed for seed in list_seeds() if seed.name == SEED)
    write_midi(seed.notes, tmp_path / "seed.mid")
    arguments = ["continue", str(tmp_path / "seed.mid"), "--no-audio", "--json", "--seconds", "4"]
    arguments += ["--rng", "3"]
    assert main([*arguments, "--out", str(tmp_path / "here")]) == 0
    done = subprocess.run(
        [sys.executable, "-m", "pyzzicato", *arguments, "--out", str(tmp_path / "there")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["seed"] == "seed"
    here, there = (tmp_path / n / "seed-rng-3.mid" for n in ("here", "there"))
    assert here.read_bytes() == there.read_bytes()


def test_continuation_only_leaves_the_seed_out(tmp_path, capsys):
    assert play(tmp_path, "--no-audio", "--continuation-only", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    notes = read_midi(tmp_path / f"{NAME}.mid").notes
    assert len(notes) == facts["notes"] > 0
    assert max(note.start for note in notes) < 5


def test_the_articles_threshold_is_a_setting(tmp_path, capsys):
    assert play(tmp_path, "--no-audio", "--model", "lstm", "--threshold", "0.4", "--json") == 0
    assert json.loads(capsys.readouterr().out)["settings"]["threshold"] == 0.4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seconds", "0"], "seconds must be 1 to 600, got 0.0"),
        (["--seconds", "601"], "seconds must be 1 to 600"),
        (["--seconds", "nan"], "seconds must be 1 to 600"),
        (["--temperature", "0"], "temperature must be 0.1 to 4"),
        (["--threshold", "1.5"], "threshold must be 0.001 to 0.999"),
        (["--rng", "-1"], "rng must be a whole number from 0 to"),
        (["--seed-start", "99"], "seed_start must be below"),
        (["--seed-seconds", "0.1"], "seed_seconds must be 1 to 120"),
        (["--model", "gru"], "model must be one of"),
    ],
)
def test_bad_options_name_value_and_range(tmp_path, capsys, options, said):
    assert play(tmp_path, *options) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_unknown_seed_lists_the_presets(tmp_path, capsys):
    assert main(["continue", "bach-preludium", "--out", str(tmp_path)]) == 2
    assert SEED in capsys.readouterr().err


def test_a_file_that_is_not_midi_is_one_clear_line(tmp_path, capsys):
    bad = tmp_path / "bad.mid"
    bad.write_bytes(b"not midi")
    assert main(["continue", str(bad), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "Traceback" not in said


def test_a_silent_seed_begins_a_new_piece_and_says_so(tmp_path, capsys):
    write_midi([Note(60, 0.0, 1.0, 64), Note(60, 30.0, 31.0, 64)], tmp_path / "late.mid")
    arguments = ["continue", str(tmp_path / "late.mid"), "--seconds", "5", "--no-audio"]
    arguments += ["--seed-start", "10"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert "the seed is silent" in capsys.readouterr().err
    facts = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (facts["seed_notes"], facts["seed_seconds"]) == (0, 0)
    assert facts["notes"] > 0
    assert "the seed is silent" in facts["remarks"][0]


def test_a_seed_begins_with_the_first_note_of_its_file_and_says_so(tmp_path, capsys):
    write_midi([Note(60, 10.5, 11.5, 64), Note(62, 11.5, 12.5, 64)], tmp_path / "late.mid")
    arguments = ["continue", str(tmp_path / "late.mid"), "--seconds", "5", "--no-audio"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert "after 10.5 s of silence" in capsys.readouterr().err
    facts = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (facts["seed_notes"], facts["seed_seconds"]) == (2, 2.0)
    assert "after 10.5 s of silence" in facts["remarks"][0]


def test_a_composer_can_be_asked_for(tmp_path, capsys):
    midi = []
    for options in ("any",), ("bach",), ("bach", "--guidance", "3"):
        assert play(tmp_path, "--no-audio", "--composer", *options) == 0
        midi.append((tmp_path / f"{NAME}.mid").read_bytes())
    assert len(set(midi)) == 3
    capsys.readouterr()
    assert play(tmp_path, "--composer", "satie") == 2
    assert "composer must be one of bach, beethoven" in capsys.readouterr().err


def test_models_and_seeds_are_listed(capsys):
    assert main(["models", "--json"]) == 0
    models = {facts["name"]: facts for facts in json.loads(capsys.readouterr().out)}
    assert {"conv1d", "wavenet", "lstm"} <= models.keys()
    assert main(["seeds", "--json"]) == 0
    seeds = json.loads(capsys.readouterr().out)
    assert len(seeds) >= 9
    assert main(["models"]) == 0
    assert main(["seeds"]) == 0
    said = capsys.readouterr().out
    assert SEED in said
    assert "wavenet" in said


def test_parts_of_decoding_can_be_switched_off(tmp_path, capsys):
    midi = []
    for options in (), ("--without", "density", "guard"), ("--without", *PART_NAMES):
        assert play(tmp_path, "--no-audio", "--json", *options) == 0
        found = json.loads(capsys.readouterr().out)["settings"]["without"]
        assert found == list(options[1:])
        midi.append((tmp_path / f"{NAME}.mid").read_bytes())
    assert midi[0] != midi[2]
    with pytest.raises(SystemExit):
        play(tmp_path, "--without", "everything")
    assert "invalid choice: 'everything'" in capsys.readouterr().err


def test_defaults_come_from_one_place():
    options = build_parser().parse_args(["continue", SEED])
    default = GenerationSettings()
    for name in vars(default):
        if name != "rng":
            assert getattr(options, name) == getattr(default, name), name


def test_without_a_number_each_run_draws_another_and_says_which(tmp_path, capsys):
    arguments = ["continue", SEED, "--seconds", "2", "--no-audio", "--out"]
    drawn = []
    for name in ("first", "second"):
        assert main([*arguments, str(tmp_path / name)]) == 0
        facts = json.loads((tmp_path / name / "result.json").read_text())
        drawn.append(facts["settings"]["rng"])
        assert f"--rng {drawn[-1]}," in capsys.readouterr().out
    assert drawn[0] != drawn[1]
    assert main([*arguments, str(tmp_path / "again"), "--rng", str(drawn[0])]) == 0
    file = f"{SEED}-rng-{drawn[0]}.mid"
    first, again = (tmp_path / name / file for name in ("first", "again"))
    assert first.read_bytes() == again.read_bytes()


def test_takes_are_those_of_the_numbers_that_follow(tmp_path, capsys):
    assert play(tmp_path, "--no-audio", "--takes", "2", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert [take["files"]["midi"] for take in answer] == [f"{NAME}.mid", f"{SEED}-rng-1.mid"]
    assert len(json.loads((tmp_path / "result.json").read_text())["takes"]) == 2
    assert play(tmp_path / "one", "--no-audio", "--rng", "1") == 0
    one, second = (folder / f"{SEED}-rng-1.mid" for folder in (tmp_path / "one", tmp_path))
    assert one.read_bytes() == second.read_bytes()
    assert play(tmp_path, "--takes", "0") == 2
    assert "takes must be a whole number from 1 to 64" in capsys.readouterr().err


def test_a_score_an_mp3_and_a_grid_can_be_asked_for(tmp_path, capsys):
    options = ("--quantise", "1", "--mp3", "--musicxml", "--no-audio", "--json")
    assert play(tmp_path, *options) == 0
    facts = json.loads(capsys.readouterr().out)
    assert set(facts["files"]) == {"midi", "picture", "score", "mp3"}
    assert facts["quantise"] == 1
    assert (tmp_path / f"{NAME}.mp3").stat().st_size > 10_000
    assert play(tmp_path, "--quantise", "2") == 2
    assert "quantise must be 0 to 1, got 2.0" in capsys.readouterr().err


def test_a_threshold_that_plays_nothing_names_one_that_does(tmp_path, capsys):
    assert play(tmp_path, "--no-audio", "--model", "lstm", "--threshold", "0.9", "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["notes"] == 0
    found = re.search(r"by the threshold of 0.9 no key sounds; (0\.\d+) plays", said.err)
    assert found
    assert play(tmp_path, "--no-audio", "--model", "lstm", "--threshold", found[1], "--json") == 0
    assert json.loads(capsys.readouterr().out)["notes"] > 0


def test_a_reader_who_stops_early_is_no_fault():
    command = [sys.executable, "-m", "pyzzicato", "seeds"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as listing:
        listing.stdout.close()
        assert (listing.stderr.read(), listing.wait(60)) == (b"", 0)
