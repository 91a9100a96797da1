"""The page as it is served: its files, what it is given, and nothing beside."""

import json
import re
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from pyzzicato import __version__
from pyzzicato.hub import list_models
from pyzzicato.seeds import list_seeds
from pyzzicato.space.first_sight import STATIC, STYLES


def fetch(url):
    with urlopen(url, timeout=120) as answer:
        return answer.read(), answer.headers


def test_the_page_is_given_its_seeds_models_and_endpoints(page_url):
    html = json.loads(fetch(f"{page_url}config")[0])["head"]
    text = re.search(r'id="pyzzicato-data">(.*?)</script>', html, flags=re.S).group(1)
    answer = json.loads(text.replace("<\\/", "</"))
    assert answer["version"] == __version__
    assert [seed["name"] for seed in answer["seeds"]] == [seed.name for seed in list_seeds()]
    assert {model["name"] for model in answer["models"]} == {info.name for info in list_models()}
    assert len({model["title"] for model in answer["models"]}) == len(answer["models"])
    used = {"continue_stream", "read_midi", "save_take", "listen", "judge", "leaderboard"}
    assert used <= set(answer["endpoints"])
    names = [name for name, _ in answer["endpoints"]["save_take"]["parameters"]]
    assert names == ["form", "seed_notes", "new_notes", "seed_seconds", "seconds", "title"]


def test_the_page_is_seen_before_any_script_has_come(page_url):
    html = fetch(page_url)[0].decode()
    head, _, body = html.partition("<body")
    assert "<script" not in head
    assert all(f"page/{name}.css" in head for name in STYLES)
    seen, _, _ = body.partition("window.gradio_config")
    assert 'aria-busy="true" inert' in seen
    assert 'id="go">Continue</button>' in seen


def test_every_script_of_the_page_and_all_it_imports_are_served(page_url):
    wanted, seen = ["main.js", *(f"{name}.css" for name in STYLES)], set()
    while wanted:
        name = wanted.pop()
        seen.add(name)
        text, headers = fetch(f"{page_url}page/{name}")
        assert headers["Cache-Control"] == "no-cache"
        imported = re.findall(r'from "\./([a-z]+\.js)";', text.decode())
        wanted += [other for other in imported if other not in seen]
    assert seen == {path.name for path in STATIC.iterdir() if path.suffix in (".js", ".css")}


def test_the_page_names_no_other_host(page_url):
    # Links that a visitor may follow, and the names that SVG and the like are called by.
    followed = {
        "http://www.w3.org/2000/svg",
        "https://towardsdatascience.com/",
        "https://magenta.tensorflow.org/datasets/maestro",
    }
    for path in STATIC.iterdir():
        text = path.read_bytes().decode("utf-8", errors="replace")
        addresses = set(re.findall(r"https?://[^\s\"'`)]+", text))
        assert addresses <= followed, path.name


def test_the_tones_of_the_piano_are_served(page_url):
    places = json.loads(fetch(f"{page_url}piano/tones.json")[0])
    sound, headers = fetch(f"{page_url}piano/tones.mp3")
    assert headers["Content-Type"] == "audio/mpeg"
    assert 200_000 < len(sound) < 3_000_000
    assert {tone["velocity"] for tone in places["tones"]} == {48, 96}


def test_the_drawer_of_the_api_learns_that_nobody_counts_calls(page_url):
    assert json.loads(fetch(f"{page_url}monitoring/summary")[0]) == {"functions": {}}


@pytest.mark.parametrize("path", ["page/../page.py", "page/%2e%2e/api.py", "piano/secret.mp3"])
def test_nothing_else_is_served(page_url, path):
    with pytest.raises(HTTPError) as raised:
        fetch(page_url + path)
    assert raised.value.code == 404


def colours_of(selector):
    """Returns the colours that a rule of the style sheet names, as red, green and blue, 0 to 1."""
    style = (STATIC / "page.css").read_text(encoding="utf-8")
    rule = re.search(rf"^{re.escape(selector)} {{(.*?)}}", style, flags=re.S | re.M).group(1)
    found = re.findall(r"--([a-z-]+): #([0-9a-f]{6});", rule)
    return {name: [int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)] for name, code in found}


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", ["#pyzzicato", "body.dark #pyzzicato"])
def test_text_stands_out_from_its_ground(theme):
    """By 4.5 to 1, as the Web Content Accessibility Guidelines 2.2 ask for (1.4.3)."""
    colours = colours_of(theme)
    pairs = [
        (text, ground)
        for text in ("ink", "muted", "accent-text")
        for ground in ("paper", "roll", "panel")
    ]
    for text, ground in [*pairs, ("on-accent", "accent"), ("paper", "ink")]:
        dark, light = sorted(luminance(colours[name]) for name in (text, ground))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)
