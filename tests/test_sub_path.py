"""The page under a path of a site, behind a proxy that takes the path off, or does not."""

import re
from contextlib import ExitStack

import httpx
import pytest
from browser import Browser, continue_for, find_programs
from gradio_client import Client
from served_app import served_app
from sub_path_proxy import proxied

from pyzzicato.midi import read_midi
from pyzzicato.space.link_preview import own_head, public_address

PATH = "/music"


@pytest.fixture(scope="module")
def under_a_path(tmp_path_factory):
    """Returns the address of an app that is given its path."""
    with ExitStack() as stack:
        # For its own process alone.
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GRADIO_ROOT_PATH", PATH)
            app = stack.enter_context(served_app(tmp_path_factory.mktemp("under")))
        yield app.url


def play_and_save(url, tmp_path):
    programs = find_programs()
    if programs is None:
        pytest.skip("no Chromium here: install chromium and chromium-driver (make system-packages)")
    page = Browser(url, tmp_path, programs)
    try:
        page.open()
        continue_for(page)
        page.wait("piano.tones.length")
        n_notes = page.run("return view.take.notes.length;")
        page.click("#save summary")
        page.click('[data-save="midi"]')
        assert len(read_midi(page.downloaded("mid")).notes) == n_notes
        page.click("#save summary")
        page.click('[data-save="png"]')
        assert page.downloaded("png").read_bytes().startswith(b"\x89PNG")
        assert page.hosts() <= {"127.0.0.1"}
    finally:
        page.close()


@pytest.mark.parametrize("strips", [True, False])
def test_the_page_and_downloads_work_where_the_path_is_set(under_a_path, strips, tmp_path):
    with proxied(under_a_path, PATH, strips) as url:
        play_and_save(url, tmp_path)


def test_the_page_and_downloads_work_where_the_path_is_not_set(page_url, tmp_path):
    with proxied(page_url.rstrip("/"), PATH, True) as url:
        play_and_save(url, tmp_path)


def test_programs_get_files_under_the_path(under_a_path):
    with proxied(under_a_path, PATH, True) as url:
        client = Client(url, verbose=False)
        answer = client.predict(seed="bach-prelude-c-major", seconds=2, api_name="/continue")
        assert read_midi(answer["takes"][0]["midi"]).notes


def test_a_link_shows_our_own_title_words_and_picture(page_url):
    head = httpx.get(page_url).text.partition("</head>")[0]
    titles = re.findall(r'<meta (?:property|name)="(?:og|twitter):title" content="([^"]*)"', head)
    assert titles == ["Pyzzicato", "Pyzzicato"]
    assert re.findall(r"<title>(.*?)</title>", head) == ["Pyzzicato"]
    assert "gradio.app" not in re.sub(r"<script.*?</script>", "", head, flags=re.S)
    (picture,) = re.findall(r'property="og:image" content="([^"]*)"', head)
    assert httpx.get(picture).content.startswith(b"\x89PNG")
    assert httpx.get(f"{page_url}favicon.ico").content.startswith(b"\x89PNG")


def test_the_address_in_a_preview_is_the_visitors(monkeypatch):
    def address(**headers):
        pairs = [(name.replace("_", "-").encode(), v.encode()) for name, v in headers.items()]
        return public_address({"headers": pairs, "scheme": "http"})

    assert address(host="127.0.0.1:7860") == "http://127.0.0.1:7860/"
    forwarded = {"host": "inner", "x_forwarded_host": "a.org", "x_forwarded_proto": "https"}
    assert address(**forwarded) == "https://a.org/"
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/music/")
    assert address(**forwarded) == "https://a.org/music/"
    monkeypatch.setenv("GRADIO_ROOT_PATH", "https://b.org/x")
    assert address(**forwarded) == "https://b.org/x/"
    page = b'<head><meta property="og:title" content="Other" /></head>'
    assert b"Other" not in own_head(page, "https://b.org/x/")
