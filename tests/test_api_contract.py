"""The contract of the API: programs rely on these names. A change here is a change for them all.

If a test fails because a field was added, add it here and to the endpoint's docstring. If one was
renamed or has gone, think again: programs written against the last release stop working.
"""

import pytest
from gradio_client import Client
from test_api import SEED, call

TEXT, NUMBER, WHOLE = "None | str", "float", "int"
FILE = "filepath | str | None"
NOTES = "None | list[dict(str, float)]"
PIECE = [("seed", TEXT, None), ("midi", FILE, None), ("notes", NOTES, None)]
SETTINGS = [
    *PIECE,
    ("model", "str", "attention-events"),
    ("composer", TEXT, None),
    ("seconds", NUMBER, 30.0),
    ("temperature", NUMBER, 1.0),
    ("threshold", "None | float", None),
    ("guidance", NUMBER, 1.0),
    ("density", NUMBER, 1.0),
    ("takes", WHOLE, 1),
    ("rng", WHOLE, 0),
    ("seed_start", NUMBER, 0.0),
    ("seed_seconds", NUMBER, 10.0),
    ("quantise", "None | float", None),
    ("from_seconds", "None | float", None),
    ("ending", "bool", False),
]
PARAMETERS = {
    "/continue": SETTINGS,
    "/continue_stream": SETTINGS,
    "/evaluate": [*PIECE, ("skip", NUMBER, 0.0), ("seconds", "None | float", None)],
    "/render": [*PIECE, ("audio_format", "Literal['wav', 'mp3']", "mp3")],
    "/score": [("seed", TEXT, None), ("midi", FILE, None), ("division", "None | int", None)],
    "/models": [],
    "/seeds": [("notes", "bool", True)],
    "/vote": [
        ("seed", "str", None),
        ("systems", "list[str]", None),
        ("winner", "None | int", None),
        ("marks", "None | list[dict(str, int)]", None),
    ],
}
MAYBE = "None | float"
HOW = [("model", "str", "attention-events"), ("composer", TEXT, None), ("temperature", NUMBER, 1.0)]
TAKES = [("takes", WHOLE, 1), ("rng", WHOLE, 0)]
PARAMETERS |= {
    "/redo": [
        ("start", NUMBER, None),
        ("end", NUMBER, None),
        *PIECE,
        *HOW,
        ("density", NUMBER, 1.0),
        ("tries", WHOLE, 20),
        *TAKES,
    ],
    "/keep": [
        *PIECE,
        ("keep", "str", "top"),
        ("kept", NOTES, None),
        ("start", NUMBER, 0.0),
        ("end", MAYBE, None),
        *HOW,
        ("density", NUMBER, 1.0),
        ("tries", WHOLE, 6),
        *TAKES,
    ],
    "/odds": [("at", NUMBER, None), *PIECE, *HOW],
    "/along_begin": [*HOW, ("density", NUMBER, 1.0), ("rng", WHOLE, 0)],
    "/along_hear": [("session", "str", None), ("notes", NOTES, None), ("until", MAYBE, None)],
    "/along_answer": [
        ("session", "str", None),
        ("now", NUMBER, None),
        ("notes", NOTES, None),
        ("seconds", MAYBE, None),
    ],
    "/along_stop": [("session", "str", None), ("at", MAYBE, None)],
}
REQUIRED = {
    ("/vote", "seed"),
    ("/vote", "systems"),
    ("/redo", "start"),
    ("/redo", "end"),
    ("/odds", "at"),
    ("/along_hear", "session"),
    ("/along_answer", "session"),
    ("/along_answer", "now"),
    ("/along_stop", "session"),
}

NOTE = {"pitch", "start", "end", "velocity"}
TAKE = {
    "midi",
    "seed_notes",
    "notes",
    "seed_seconds",
    "remarks",
    "settings",
    "composer",
    "quantise",
    "measures",
    "rescues",
    "wall_seconds",
    "real_time_factor",
}
SETTING = {
    "seconds",
    "seed_start",
    "seed_seconds",
    "temperature",
    "threshold",
    "rng",
    "composer",
    "guidance",
    "density",
    "quantise",
    "ending",
    "without",
}
ANSWER = {"version", "model", "seed", "remarks", "takes"}
MEASURES = {"stability", "tonality", "features", "originality", "style", "in_words"}
MODEL = {
    "name",
    "revision",
    "backbone",
    "representation",
    "head",
    "weights",
    "size_mb",
    "data",
    "licence",
    "hours",
    "validation_loss",
    "baseline_losses",
    "composers",
}
RATING = {"system", "strength", "low", "high", "n_votes", "marks"}
CRITERIA = {"musicality", "fidelity", "expressiveness"}


@pytest.fixture(scope="module")
def client(page_url):
    return Client(page_url, verbose=False)


@pytest.fixture(scope="module")
def endpoints(client):
    return client.view_api(return_format="dict")["named_endpoints"]


def test_no_endpoint_has_gone_and_none_is_public_unawares(endpoints):
    assert set(endpoints) == set(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_keep_their_names_types_and_defaults(endpoints, name):
    values = endpoints[name]["parameters"]
    found = [
        (p["parameter_name"], p["python_type"]["type"], p["parameter_default"]) for p in values
    ]
    assert found == PARAMETERS[name]
    required = {(name, p["parameter_name"]) for p in values if not p["parameter_has_default"]}
    assert required == {pair for pair in REQUIRED if pair[0] == name}


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_endpoint_says_what_it_does_takes_and_answers(endpoints, name):
    words = endpoints[name]["description"]
    assert len(words) > 20


def test_answers_keep_their_fields(client):
    answer = call(client, seed=SEED)
    assert set(answer) == ANSWER
    assert set(answer["model"]) == {"name", "revision", "backbone"}
    take = answer["takes"][0]
    assert set(take) == TAKE
    assert set(take["settings"]) == SETTING
    assert set(take["measures"]) == MEASURES
    assert set(take["measures"]["in_words"]) == {"density", "originality", "style"}
    assert set(take["notes"][0]) == set(take["seed_notes"][0]) == NOTE

    part, *_, last = client.submit(seed=SEED, seconds=2, api_name="/continue_stream")
    assert set(part) == set(last) == {"take", "seconds", "notes", "sounding", "result"}
    assert set(last["result"]) == ANSWER

    score = call(client, "/score", seed=SEED)
    assert set(score) == {"version", "title", "remarks", "musicxml", "svg"}

    measured = call(client, "/evaluate", seed=SEED)
    assert set(measured) == {"version", "title", "remarks", "notes", "seconds", "measures"}
    assert set(measured["measures"]) == MEASURES

    sound = call(client, "/render", notes=[{"pitch": 60, "start": 0, "end": 1, "velocity": 64}])
    fields = {"version", "title", "remarks", "audio", "seconds", "engine", "soundfont"}
    assert set(sound) == fields

    models = call(client, "/models")
    assert set(models) == {"version", "default", "composers", "models"}
    # What the registry knows besides may grow.
    assert set(models["models"][0]) >= MODEL

    seeds = call(client, "/seeds")
    assert set(seeds) == {"version", "seeds"}
    seed = {"name", "composer", "title", "key", "year", "seconds", "notes"}
    assert set(seeds["seeds"][0]) == seed

    vote = call(client, "/vote", seed=SEED, systems=["lstm", "conv1d"])
    assert set(vote) == {"version", "votes", "leaderboard"}
    assert set(vote["leaderboard"][0]) == RATING
    assert set(vote["leaderboard"][0]["marks"]) == CRITERIA
