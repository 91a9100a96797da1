"""Publishing with manners: whose repositories are written to, and whose files in them."""

import io
import json
import sys

import publish
import pytest

from pyzzicato.publishing.access import check_token
from pyzzicato.publishing.commits import publish_folder
from pyzzicato.publishing.plans import MANIFEST, check_target, plan_publication

REPO = "me/tiny"
CARD = "---\nsdk: gradio\ntags:\n- pyzzicato\n---\n# Tiny\n"
SDK = {"space": "gradio"}
KINDS = {"model": "models", "dataset": "datasets", "space": "spaces"}


@pytest.fixture
def folder(tmp_path):
    """Returns a folder laid out as a repository."""
    place = tmp_path / "folder"
    (place / "code").mkdir(parents=True)
    write(place, {"README.md": CARD, "config.json": "{}", "model.safetensors": "weights"})
    write(place, {"code/play.py": "play"})
    return place


def write(folder, files):
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def publish_now(folder, kind="model", replace=()):
    plan = plan_publication(folder, REPO, kind, replace)
    published = publish_folder(folder, REPO, plan, kind=kind, message="m", space_sdk=SDK.get(kind))
    return plan, published


def held(hub, kind="model"):
    """Returns the files of the newest commit, and of our own list of them."""
    files = hub.repos[KINDS[kind], REPO].commits[-1]["files"]
    listed = json.loads(hub.read(REPO, MANIFEST, kind=KINDS[kind]))["files"]
    return set(files) - {".gitattributes", MANIFEST}, set(listed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_ours_goes_and_one_of_others_stays(hub, folder, kind):
    plan, _ = publish_now(folder, kind)
    assert plan.parent is None
    assert set(plan.add) == {"README.md", "config.json", "model.safetensors", "code/play.py"}
    hub.put(REPO, {"NOTES.md": b"theirs", "code/their.py": b"theirs"}, kind=KINDS[kind])
    (folder / "code" / "play.py").unlink()
    write(folder, {"config.json": "{1}", "new.txt": "new"})
    plan, _ = publish_now(folder, kind)
    assert (plan.add, plan.change, plan.remove) == (
        ("new.txt",),
        ("config.json",),
        ("code/play.py",),
    )
    assert plan.keep == ("NOTES.md", "code/their.py")
    files, listed = held(hub, kind)
    assert files == listed | {"NOTES.md", "code/their.py"}
    assert listed == {"README.md", "config.json", "model.safetensors", "new.txt"}
    assert [line.split()[:2] for line in plan.lines()] == [
        ["add", "new.txt"],
        ["change", "config.json"],
        ["remove", "code/play.py"],
        ["write", MANIFEST],
        ["keep", "NOTES.md"],
        ["keep", "code/their.py"],
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_repository_of_something_else_is_refused_and_left_alone(hub, folder, kind):
    hub.put(REPO, {"README.md": b"# Mine", "weights.bin": b"1"}, kind=KINDS[kind])
    for refuse in (lambda: publish_now(folder, kind), lambda: check_target(REPO, kind)):
        with pytest.raises(ValueError, match="must be an empty .* nothing was changed"):
            refuse()
    assert hub.read(REPO, "README.md", kind=KINDS[kind]) == b"# Mine"
    assert len(hub.repos[KINDS[kind], REPO].commits) == 1


@pytest.mark.parametrize(
    "card",
    ["", "---\nlicense: mit\n---\n", "---\nsdk: gradio\n---\n\nCheck out the configuration "
     "reference at https://huggingface.co/docs/hub/spaces-config-reference\n"],
)  # fmt: skip
def test_a_repository_as_the_hub_makes_it_counts_as_empty(hub, folder, card):
    hub.put(REPO, {"README.md": card.encode()})
    plan, _ = publish_now(folder)
    assert plan.change == ("README.md",)
    assert hub.read(REPO, "README.md").decode() == CARD


def test_our_tag_alone_makes_no_file_ours(hub, folder):
    hub.put(REPO, {"README.md": CARD.encode() + b"theirs", "old.txt": b"theirs"})
    plan, _ = publish_now(folder)
    assert (plan.change, plan.remove, plan.keep) == ((), (), ("old.txt",))
    assert plan.edited == ("README.md",)
    assert hub.read(REPO, "README.md").endswith(b"theirs")


def test_what_must_fit_the_rest_is_not_mixed_with_it(hub, folder):
    hub.put(REPO, {"README.md": CARD.encode(), "config.json": b"theirs"})
    with pytest.raises(ValueError, match=r"config\.json .*--replace config\.json"):
        publish_now(folder)
    assert len(hub.repos["models", REPO].commits) == 1


def test_a_merged_pull_request_stays_until_it_is_written_over(hub, folder):
    publish_now(folder)
    hub.put(REPO, {"README.md": CARD.encode() + b"A word by a reader.", "code/play.py": b"faster"})
    plan, published = publish_now(folder)
    assert plan.edited == ("README.md", "code/play.py")
    assert not published.is_new  # nothing of ours is new either
    write(folder, {"README.md": CARD + "A second version.", "config.json": "{2}"})
    plan, published = publish_now(folder)
    assert plan.change == ("config.json",)
    assert published.is_new
    assert hub.read(REPO, "README.md").endswith(b"by a reader.")
    assert "--replace README.md writes over it" in "\n".join(plan.lines())
    publish_now(folder, replace=("README.md",))
    assert hub.read(REPO, "README.md").endswith(b"A second version.")
    assert hub.read(REPO, "code/play.py") == b"faster"
    with pytest.raises(ValueError, match=r"must name files that are published, got 'old\.md'"):
        plan_publication(folder, REPO, replace=("old.md",))


def test_a_file_changed_on_both_sides_is_refused(hub, folder):
    publish_now(folder)
    hub.put(REPO, {"config.json": b"theirs"})
    write(folder, {"config.json": "ours", "model.safetensors": "other weights"})
    with pytest.raises(ValueError, match=r"somebody else put or changed config\.json"):
        publish_now(folder)
    assert hub.read(REPO, "model.safetensors") == b"weights"
    publish_now(folder, replace=("config.json",))
    assert hub.read(REPO, "config.json") == b"ours"


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"files": 1}', b'{"files": {"config.json": 1}}'])
def test_with_a_damaged_list_nothing_is_removed(hub, folder, damage):
    publish_now(folder)
    hub.put(REPO, {MANIFEST: damage})
    (folder / "code" / "play.py").unlink()
    plan, _ = publish_now(folder)
    assert plan.keep == ("code/play.py",)
    assert plan.is_empty


def ask(monkeypatch, answer):
    terminal = io.StringIO(answer)
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", terminal)


@pytest.mark.parametrize(("answer", "goes"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_it_asks_before_it_writes(hub, store_folder, monkeypatch, capsys, answer, goes):
    ask(monkeypatch, answer)
    publish.main(publish.PublishConfig(dataset=REPO, data=store_folder))
    said = capsys.readouterr().out
    assert "  add     README.md" in said
    assert (("datasets", REPO) in hub.repos) == goes
    assert ("nothing was published" in said) != goes


def test_without_a_terminal_it_wants_yes(hub, store_folder, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(ValueError, match="no terminal to ask at; .* --yes"):
        publish.main(publish.PublishConfig(dataset=REPO, data=store_folder))
    assert not hub.requests


def test_the_token_is_checked_before_anything_is_laid_out(hub, store_folder, tmp_path):
    hub.account = {"name": "me", "auth": {"accessToken": {"role": "read"}}}
    config = publish.PublishConfig(dataset=REPO, data=store_folder, yes=True, out=tmp_path / "out")
    with pytest.raises(ValueError, match="may not write"):
        publish.main(config)
    assert not (tmp_path / "out").exists()
    assert hub.requests == ["GET /api/whoami-v2"]


def scoped(name, *permissions):
    rights = {"scoped": [{"entity": {"type": "user", "name": name}, "permissions": permissions}]}
    return {"role": "fineGrained", "fineGrained": rights}


@pytest.mark.parametrize(
    "token",
    [{"role": "write"}, scoped("band", "repo.write"), scoped("band/tiny", "repo.write"), {}],
)
def test_tokens_that_may_write(hub, token):
    orgs = [{"name": "band", "roleInOrg": "admin"}]
    hub.account = {"name": "me", "orgs": orgs, "auth": {"accessToken": token}}
    assert check_token("band/tiny") == "me"


@pytest.mark.parametrize(
    ("repo", "token", "said"),
    [
        ("me/tiny", {"role": "read"}, "may not write to me/tiny"),
        ("me/tiny", scoped("me", "repo.content.read"), "may not write"),
        ("me/tiny", scoped("band", "repo.write"), "may not write"),
        ("you/tiny", {"role": "write"}, "must be of me, band, .* got 'you'"),
        ("band/tiny", {"role": "write"}, "may only read in band"),
    ],
)
def test_tokens_that_may_not(hub, repo, token, said):
    orgs = [{"name": "band", "roleInOrg": "read"}]
    hub.account = {"name": "me", "orgs": orgs, "auth": {"accessToken": token}}
    with pytest.raises(ValueError, match=said):
        check_token(repo)


def test_without_a_token_it_says_how_to_log_in(hub, monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    with pytest.raises(ValueError, match="needs a token; log in with `hf auth login`"):
        check_token("me/tiny")
    assert not hub.requests
