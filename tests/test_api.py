"""The API: a real server on 127.0.0.1, called as programs call it."""

import base64
import json
import time
from pathlib import Path

import httpx
import pytest
from conftest import tune
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

import pyzzicato
from pyzzicato.__main__ import main as command_line
from pyzzicato.midi import midi_bytes, read_midi, write_midi
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.space.posted import notes_from_json

SEED = "bach-prelude-c-major"


@pytest.fixture(scope="module")
def client(page_url):
    return Client(page_url, verbose=False)


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    return write_midi(tune(12), tmp_path_factory.mktemp("mine") / "mine.mid")


def call(client, endpoint="/continue", **options):
    if endpoint.startswith("/continue"):
        options = {"seconds": 5, **options}
    return client.predict(**options, api_name=endpoint)


def post(url, endpoint, **options):
    """Returns the last event of a call by plain HTTP, as curl makes it: its name and its data."""
    started = httpx.post(f"{url}gradio_api/call/v2{endpoint}", json=options)
    assert started.status_code == 200, started.text
    event_id = started.json()["event_id"]
    answer = httpx.get(f"{url}gradio_api/call/v2{endpoint}/{event_id}", timeout=60).text
    event, data = answer.strip().split("\n\n")[-1].split("\n", 1)
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_the_api_the_page_the_shell_and_python_play_the_same_bytes(client, page_url, tmp_path):
    take = call(client, seed=SEED, rng=3)["takes"][0]
    arguments = ["--seconds", "5", "--rng", "3", "--no-audio", "--out", str(tmp_path)]
    assert command_line(["continue", SEED, *arguments]) == 0
    data = (tmp_path / f"{SEED}-rng-3.mid").read_bytes()
    assert len(take["notes"]) > 0
    assert Path(take["midi"]).read_bytes() == data
    settings = GenerationSettings(seconds=5, rng=3)
    piece = pyzzicato.continue_seed(pyzzicato.load_model(), SEED, settings)
    assert piece.save(tmp_path / "python.mid").read_bytes() == data
    assert take["quantise"] == piece.quantise == 1
    event, (answer,) = post(page_url, "/continue", seed=SEED, seconds=5, rng=3)
    assert event == "complete"
    assert httpx.get(answer["takes"][0]["midi"]["url"]).content == data
    # The page draws the notes it is given and has them saved.
    shown = take["seed_notes"], take["notes"], take["seed_seconds"], 5, "a title"
    saved = client.predict("midi", *shown, api_name="/save_take")
    same = zip(read_midi(saved).notes, read_midi(data).notes, strict=True)
    assert all(a.pitch == b.pitch and abs(a.start - b.start) < 0.003 for a, b in same)


def test_a_seed_is_the_same_in_whatever_way_it_is_given(client, mine):
    data = base64.b64encode(mine.read_bytes()).decode()
    # Notes have no tempo, and so no grid.
    seconds = {"seed_start": 1.5, "seed_seconds": 6, "quantise": 0}
    file = call(client, midi=handle_file(mine), **seconds)
    assert file["seed"] == "mine"
    for given in (
        {"midi": data},
        {"midi": f"data:audio/midi;base64,{data}"},
        {"notes": call(client, "/seeds")["seeds"] and as_json(mine)},
    ):
        other = call(client, **given, **seconds)
        assert other["takes"][0]["notes"] == file["takes"][0]["notes"]


def as_json(path):
    return [
        {"pitch": n.pitch, "start": n.start, "end": n.end, "velocity": n.velocity}
        for n in read_midi(path).sounding()
    ]


def test_presets_are_the_same_by_name_and_by_their_notes(client):
    presets = {seed["name"]: seed for seed in call(client, "/seeds")["seeds"]}
    # By its name a preset has a composer and a grid, and its notes alone have neither.
    by_name = call(client, seed=SEED, composer="any", quantise=0)
    by_notes = call(client, notes=presets[SEED]["notes"])
    assert by_name["takes"][0]["notes"] == by_notes["takes"][0]["notes"]


def test_takes_are_what_their_numbers_give_alone(client):
    takes = call(client, seed=SEED, rng=2**32 - 1, takes=2)["takes"]
    assert [take["settings"]["rng"] for take in takes] == [2**32 - 1, 0]
    alone = call(client, seed=SEED, rng=0)["takes"]
    assert takes[1]["notes"] == alone[0]["notes"]
    assert takes[0]["notes"] != takes[1]["notes"]


def test_what_is_said_of_a_take_is_true(client):
    answer = call(client, seed=SEED, seconds=20)
    take = answer["takes"][0]
    assert answer["version"] == pyzzicato.__version__
    assert answer["model"]["revision"] == pyzzicato.list_models()[0].revision
    seed, new = notes_from_json(take["seed_notes"]), notes_from_json(take["notes"])
    like = pyzzicato.load_seed(SEED).performance
    written = midi_bytes([*seed, *new], like=like, seed_seconds=take["seed_seconds"])
    assert Path(take["midi"]).read_bytes() == written
    assert all(take["seed_seconds"] <= note.start for note in new)
    assert take["measures"]["stability"]["n_notes"] == len(new)
    assert take["measures"]["in_words"]["density"] == f"{len(new) / 20:.1f} notes a second"
    assert sum(take["measures"]["style"].values()) == pytest.approx(1)
    assert take["settings"]["seconds"] == 20


def test_a_take_says_in_whose_style_it_was_played(client):
    played = {
        asked: call(client, seed=SEED, seconds=1, composer=asked)["takes"][0]["composer"]
        for asked in (None, "any", "liszt")
    }
    assert (played["any"], played["liszt"]) == (None, "liszt")
    known = {row["name"]: row["composers"] for row in call(client, "/models")["models"]}
    # Whom the model hears in the seed is its own affair.
    assert played[None] is None or played[None] in known["lstm-events"]


def test_the_stream_is_the_continuation_in_parts(client):
    parts = list(client.submit(seed=SEED, seconds=6, takes=2, api_name="/continue_stream"))
    whole = call(client, seed=SEED, seconds=6, takes=2)
    assert [part["result"] is not None for part in parts] == [False] * (len(parts) - 1) + [True]
    result = parts[-1]["result"]
    # A client that is given the last part twice has no note twice.
    assert parts[-1]["notes"] == parts[-1]["sounding"] == []
    assert [t["notes"] for t in result["takes"]] == [t["notes"] for t in whole["takes"]]
    for n, take in enumerate(whole["takes"]):
        mine = [part for part in parts if part["take"] == n]
        streamed = [note for part in mine for note in part["notes"]]
        assert len(streamed) == len(take["notes"])
        offset = take["seed_seconds"]
        started = sorted(round(note["start"] + offset, 3) for note in streamed)
        assert started == sorted(round(note["start"], 3) for note in take["notes"])
        assert len([part for part in mine if part["notes"]]) > 2


def test_a_piece_is_measured(client, mine):
    answer = call(client, "/evaluate", midi=handle_file(mine), skip=4)
    assert answer["title"] == "mine"
    assert answer["notes"] == sum(note.start >= 4 for note in read_midi(mine).notes)
    assert answer["measures"]["stability"]["n_notes"] == answer["notes"]
    short = call(client, "/evaluate", midi=handle_file(mine), skip=4, seconds=2)
    assert short["seconds"] == 2
    assert short["notes"] < answer["notes"]


@pytest.mark.parametrize(("audio_format", "magic"), [("wav", b"RIFF"), ("mp3", b"\xff\xfb")])
def test_a_piece_is_rendered(client, mine, audio_format, magic):
    answer = call(client, "/render", midi=handle_file(mine), audio_format=audio_format)
    data = Path(answer["audio"]).read_bytes()
    assert data.startswith(magic) or (audio_format == "mp3" and data.startswith(b"ID3"))
    assert 12 < answer["seconds"] < 25
    assert answer["engine"]


def test_models_and_seeds_are_listed(client):
    models = call(client, "/models")
    assert [m["name"] for m in models["models"]] == [m.name for m in pyzzicato.list_models()]
    assert models["default"] in [m["name"] for m in models["models"]]
    seeds = call(client, "/seeds")["seeds"]
    assert [seed["name"] for seed in seeds] == [seed.name for seed in pyzzicato.list_seeds()]


def test_a_renamed_model_plays_by_its_old_name(client, page_url):
    answer = call(client, seed=SEED, model="lstm-free")
    assert answer["model"]["name"] == "lstm-events-open"
    systems = ["lstm-free", "composer"]
    board = call(client, "/vote", seed=SEED, systems=systems, winner=0)["leaderboard"]
    assert "lstm-events-open" in [row["system"] for row in board]


def test_votes_are_counted_and_change_the_leaderboard(client):
    lstm = {"seed": SEED, "systems": ["lstm", "conv1d"], "winner": 0}
    before = call(client, "/vote", **lstm)
    marks = [{"musicality": 4, "fidelity": 5}, {"expressiveness": 1}]
    after = call(client, "/vote", **lstm, marks=marks)
    assert after["votes"] == before["votes"] + 1

    def strength(answer):
        return {row["system"]: row["strength"] for row in answer["leaderboard"]}

    assert strength(after)["lstm"] > strength(before)["lstm"]
    other = call(client, "/vote", seed=SEED, systems=["composer", "conv1d"], winner=None)
    assert {row["system"] for row in other["leaderboard"]} >= {"composer", "lstm", "conv1d"}


@pytest.mark.parametrize(
    ("endpoint", "posted", "said"),
    [
        ("/continue", {"seed": "moonlight"}, "seed must be one of .*beethoven-moonlight"),
        ("/continue", {"seed": "../../etc/passwd"}, "seed must be one of"),
        ("/continue", {"seed": SEED, "midi": "AAAA"}, "one of seed, midi and notes"),
        ("/continue", {"seed": SEED, "model": "../lstm"}, "model must be one of .*wavenet"),
        ("/continue", {"seed": SEED, "model": "/tmp"}, "model must be one of"),
        ("/continue", {"seed": SEED, "seconds": 0}, "seconds must be 1 to 600, got 0"),
        ("/continue", {"seed": SEED, "seconds": 1e9}, "seconds must be 1 to 600"),
        ("/continue", {"seed": SEED, "seconds": "30"}, "seconds must be a number"),
        ("/continue", {"seed": SEED, "seconds": 400, "takes": 2}, "at most 720, got 2 times 400"),
        (
            "/continue",
            {"seed": SEED, "takes": 5},
            "a whole number from 1 to 4, got 5",
        ),
        ("/continue", {"seed": SEED, "takes": 1.5}, "takes must be a whole number"),
        ("/continue", {"seed": SEED, "rng": -1}, "rng must be a whole number from 0 to"),
        ("/continue", {"seed": SEED, "temperature": 0}, "temperature must be"),
        ("/continue", {"seed": SEED, "threshold": 1}, "threshold must be"),
        ("/continue", {"seed": SEED, "seed_start": 99}, "seed_start must be below"),
        ("/continue", {"seed": SEED, "seed_seconds": 0.5}, "seed_seconds must be 1 to 120"),
        ("/continue", {"midi": "TVRoZA=="}, "MIDI data cannot be read"),
        ("/continue_stream", {"seed": "x"}, "seed must be one of"),
        ("/evaluate", {}, "a piece must be given"),
        ("/evaluate", {"seed": SEED, "skip": 99}, "skip must be below"),
        ("/evaluate", {"seed": SEED, "seconds": -1}, "seconds must be 1 to"),
        ("/render", {}, "notes must hold at least one note"),
        ("/render", {"seed": SEED, "audio_format": "exe"}, "audio_format must be one of wav, mp3"),
        ("/vote", {"seed": "x", "systems": ["lstm", "conv1d"]}, "seed must be one of"),
        ("/vote", {"seed": SEED, "systems": ["lstm", "lstm"]}, "two different ones"),
        ("/vote", {"seed": SEED, "systems": ["lstm", "<b>"]}, "systems must be one of"),
        ("/vote", {"seed": SEED, "systems": "lstm"}, "systems must be a list of two"),
        ("/vote", {"seed": SEED, "systems": ["lstm", "conv1d"], "winner": 7}, "winner must be"),
        (
            "/vote",
            {"seed": SEED, "systems": ["lstm", "conv1d"], "marks": [{"fidelity": 9}, {}]},
            "fidelity must be a whole number, 1 to 5, got 9",
        ),
    ],
)
def test_bad_values_come_back_as_one_clear_sentence(client, endpoint, posted, said):
    with pytest.raises(AppError, match=said) as raised:
        call(client, endpoint, **posted)
    assert "Traceback" not in str(raised.value)


def test_bad_values_are_reported_to_plain_http_too(page_url):
    event, answer = post(page_url, "/continue", seed=SEED, seconds=-3)
    assert event == "error"
    assert answer["error"] == "seconds must be 1 to 600, got -3; for more, carry the result on"


def test_no_request_passes_the_queue_by(page_url):
    answer = httpx.post(f"{page_url}gradio_api/run/continue", json={"data": [SEED]})
    assert answer.status_code == 404


def test_no_visitor_reaches_a_file_of_another(page_url):
    paths = [take_file(page_url, rng)["path"] for rng in (0, 0, 1)]
    folders = {Path(path).parent for path in paths}
    # Each in a folder of its own, whose name of 122 random bits only the answer tells.
    assert len(folders) == 3
    assert all(len(folder.name) == 32 for folder in folders)
    for folder in folders:
        for place in (folder, f"{folder}/", folder.parent, f"{folder.parent}/", folder.parents[1]):
            answer = httpx.get(f"{page_url}gradio_api/file={place}")
            assert answer.status_code in (403, 404)
            assert folder.name not in answer.text.replace(str(place), "")


def take_file(page_url, rng):
    event, (answer,) = post(page_url, "/continue", seed=SEED, seconds=1, rng=rng)
    assert event == "complete"
    return answer["takes"][0]["midi"]


def patience(client):
    """Returns how long a short request may take, seconds.

    With six requests of ten minutes each before it, on two workers, it would take ninety times as
    long as twenty seconds of music take. A machine that is busy with other work is slow with these
    too.
    """
    began = time.monotonic()
    call(client, seed=SEED, seconds=20)
    return 4 + 20 * (time.monotonic() - began)


@pytest.mark.parametrize("endpoint", ["/continue", "/continue_stream"])
def test_a_cancelled_request_frees_its_worker(client, endpoint):
    longest = patience(client)
    jobs = [client.submit(seed=SEED, seconds=600, rng=i, api_name=endpoint) for i in range(6)]
    deadline = time.monotonic() + 60
    while not any(job.status().code.name in ("PROCESSING", "ITERATING") for job in jobs):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for job in jobs:
        job.cancel()
    began = time.monotonic()
    call(client, seed=SEED, seconds=2)
    assert time.monotonic() - began < longest


def test_a_closed_connection_frees_its_worker(page_url, client):
    longest = patience(client)
    for i in range(6):
        started = httpx.post(
            f"{page_url}gradio_api/call/v2/continue",
            json={"seed": SEED, "seconds": 600, "rng": i},
        ).json()
        address = f"{page_url}gradio_api/call/v2/continue/{started['event_id']}"
        with pytest.raises(httpx.ReadTimeout), httpx.stream("GET", address, timeout=0.4) as stream:
            list(stream.iter_lines())
    began = time.monotonic()
    call(client, seed=SEED, seconds=2)
    assert time.monotonic() - began < longest


def test_a_take_on_a_grid_is_a_score(client):
    take = call(client, seed=SEED)["takes"][0]
    data = base64.b64encode(Path(take["midi"]).read_bytes()).decode()
    score = client.predict(midi=data, api_name="/score")
    assert "<score-partwise" in Path(score["musicxml"]).read_text(encoding="utf-8")
    assert score["svg"].startswith("<svg") and "<script" not in score["svg"]
    free = call(client, notes=[{"pitch": 60 + i % 9, "start": 0.37 * i, "end": 0.37 * i + 0.3}
                               for i in range(40)])["takes"][0]  # fmt: skip
    free_data = base64.b64encode(Path(free["midi"]).read_bytes()).decode()
    with pytest.raises(AppError, match="a score needs notes on a grid, got a free performance"):
        client.predict(midi=free_data, api_name="/score")
    with pytest.raises(AppError, match="division must be a divisor of 24, got 5"):
        client.predict(midi=data, division=5, api_name="/score")
    with pytest.raises(AppError, match="a piece must be given"):
        client.predict(api_name="/score")
