"""What publishing a folder would do to a repository, worked out before anything is written.

A repository on the Hub has other hands in it: a file added by its owner in the browser, a pull
request that was merged. So each commit of ours leaves a list of the files it wrote and their hashes
beside them (`.published.json`), and the next one compares three states, file by file: as we last
wrote it, as it is on the Hub now, and as the folder has it.

- On the Hub it is as we last wrote it: ours to change and to remove.
- We never wrote it: kept, whatever it is.
- We wrote it and somebody has changed it since: kept. If the folder has something new for it as
  well, a card is kept and named, and for any other file publishing is refused, since weights of one
  version and a config of another are no model; `replace` says which files to write over.

Only an empty repository, or one whose card carries our tag, is written to at all.
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import httpx2
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile

from ..checks import show_value
from ..hub.downloads import in_words
from ..hub.listing import TAG

Kind = Literal["model", "space", "dataset"]

MANIFEST = ".published.json"
"""The list of what we wrote, in the repository itself; the dot hides it from readers of data."""
CARD = "README.md"
_HUBS_OWN = ".gitattributes"
_MAX_TEXT_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class Digest:
    """A file's contents, by both hashes, of which the Hub gives one or the other."""

    git: str
    sha256: str

    def matches(self, entry: RepoFile) -> bool:
        """Returns whether a file on the Hub has these contents."""
        if entry.lfs is not None:
            return entry.lfs.sha256 == self.sha256
        return entry.blob_id == self.git


@dataclass(frozen=True, slots=True)
class Plan:
    """What publishing a folder does to a repository; all are paths in it, sorted.

    Attributes:
        add: files that are new there.
        change: files of ours that get other contents.
        remove: files of ours that the folder no longer has.
        keep: files that somebody else put there.
        edited: files of ours that somebody else has changed since, and that stay as they are.
        parent: the commit compared with, None if there is no such repository yet.
        manifest: the list of what is ours afterwards, as text.
    """

    add: tuple[str, ...]
    change: tuple[str, ...]
    remove: tuple[str, ...]
    keep: tuple[str, ...]
    edited: tuple[str, ...]
    parent: str | None
    manifest: str

    @property
    def is_empty(self) -> bool:
        """Returns whether the repository already holds the folder."""
        return not (self.add or self.change or self.remove)

    def lines(self) -> list[str]:
        """Returns a line for each file that changes, and for each that is left alone, and why."""
        marks = (("add", self.add), ("change", self.change), ("remove", self.remove))
        lines = [f"{mark:<8}{path}" for mark, paths in marks for path in paths]
        if lines:
            lines.append(f"{'write':<8}{MANIFEST} (the list of what is ours)")
        lines += [f"{'keep':<8}{path} (somebody else's)" for path in self.keep]
        for path in self.edited:
            lines.append(
                f"{'keep':<8}{path} (somebody else has changed it; --replace {path} writes over it)"
            )
        return lines


@dataclass(frozen=True, slots=True)
class _Remote:
    """A repository as it is: its files, what of them we wrote, whether it may be written to."""

    files: Mapping[str, RepoFile]
    written: Mapping[str, Digest]
    parent: str | None
    is_blank: bool
    is_tagged: bool

    def is_ours(self, path: str) -> bool:
        """Returns whether a file is as we last wrote it."""
        digest = self.written.get(path)
        return digest is not None and digest.matches(self.files[path])


def plan_publication(
    folder: Path, repo: str, kind: Kind = "model", replace: Collection[str] = ()
) -> Plan:
    """Returns what publishing a folder would do to a repository; nothing is written.

    Args:
        folder: laid out as the repository shall be.
        repo: NAMESPACE/NAME; it need not exist.
        kind: what it is.
        replace: files to write over although somebody else has changed them.

    Raises:
        ValueError: if the Hub cannot be asked, the repository holds something else than we publish,
            a file that must fit the others was changed on both sides, or `replace` names a file
            that the folder does not have.
    """
    local = {
        path.relative_to(folder).as_posix(): _digest(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    for path in replace:
        if path not in local:
            raise ValueError(
                f"--replace must name files that are published, got {show_value(path)}"
            )
    remote = _read_remote(repo, kind)
    _check_ours(remote, repo, kind)
    differing = [p for p in local if p in remote.files and not local[p].matches(remote.files[p])]
    change = [p for p in differing if remote.is_blank or remote.is_ours(p) or p in replace]
    edited = [p for p in differing if p not in change]
    _check_clashes(edited, local, remote, repo)
    gone = sorted(remote.files.keys() - local.keys())
    ours = {p: d for p, d in local.items() if p not in edited}
    ours |= {p: remote.written[p] for p in edited if p in remote.written}
    return Plan(
        add=tuple(p for p in local if p not in remote.files),
        change=tuple(change),
        remove=tuple(p for p in gone if remote.is_ours(p)),
        keep=tuple(p for p in gone if not remote.is_ours(p)),
        edited=tuple(edited),
        parent=remote.parent,
        manifest=_manifest(ours),
    )


def check_target(repo: str, kind: Kind = "model") -> None:
    """Returns if a repository may be written to: it is not there yet, is empty, or is ours.

    Raises:
        ValueError: if the Hub cannot be asked, or the repository holds something else.
    """
    _check_ours(_read_remote(repo, kind), repo, kind)


def _check_ours(remote: _Remote, repo: str, kind: Kind) -> None:
    if remote.is_blank or remote.is_tagged:
        return
    shown = ", ".join(sorted(remote.files)[:5])
    raise ValueError(
        f"{repo} must be an empty {kind} repository or one whose card carries the tag {TAG!r}, it "
        f"holds {len(remote.files)} files of something else ({shown}); nothing was changed, choose "
        "another name"
    )


def _check_clashes(
    edited: Collection[str], local: Mapping[str, Digest], remote: _Remote, repo: str
) -> None:
    """Raises ValueError if a file other than the card was changed on both sides."""
    clashing = [p for p in edited if p != CARD and local[p] != remote.written.get(p)]
    if clashing:
        raise ValueError(
            f"somebody else put or changed {', '.join(clashing)} in {repo}, and publishing would "
            "change it too; nothing was published: take the change over into what you publish, or "
            f"write over it with --replace {' '.join(clashing)}"
        )


def _read_remote(repo: str, kind: Kind) -> _Remote:
    api = HfApi()
    files: dict[str, RepoFile] = {}
    try:
        info = api.repo_info(repo, repo_type=kind)
        for entry in api.list_repo_tree(repo, recursive=True, repo_type=kind, revision=info.sha):
            if isinstance(entry, RepoFile) and entry.path != _HUBS_OWN:
                files[entry.path] = entry
        listed, card = files.pop(MANIFEST, None), files.get(CARD)
        is_tagged = TAG in _tags(info)
        is_blank = not is_tagged and files.keys() <= {CARD}
        if is_blank and card is not None and card.size:
            is_blank = _is_blank(_text(repo, kind, info.sha, card))
        written = {} if listed is None else _written(_text(repo, kind, info.sha, listed))
    except RepositoryNotFoundError:
        return _Remote({}, {}, None, is_blank=True, is_tagged=False)
    except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
        raise in_words(error, f"{repo} could not be looked at") from error
    return _Remote(files, written, info.sha, is_blank, is_tagged)


def _tags(info: Any) -> list[str]:
    """Returns the tags of a repository, those that the Hub adds and those of its card."""
    card = getattr(info, "card_data", None) or {}
    tags = card.get("tags") or []
    return [*(getattr(info, "tags", None) or ()), *(tags if isinstance(tags, list) else [tags])]


def _text(repo: str, kind: Kind, commit: str | None, entry: RepoFile) -> str:
    if entry.size > _MAX_TEXT_BYTES:
        raise ValueError(f"{entry.path} in {repo} must be at most {_MAX_TEXT_BYTES} bytes long")
    path = hf_hub_download(repo, entry.path, repo_type=kind, revision=commit)
    return Path(path).read_text(encoding="utf-8", errors="replace")


def _is_blank(card: str) -> bool:
    """Returns whether a card says no more than the Hub itself writes into a new repository."""
    text = re.sub(r"\A---\n.*?\n---", "", card, flags=re.S)
    lines = [line for line in text.splitlines() if line.strip()]
    return all(line.startswith("Check out the configuration reference at") for line in lines)


def _digest(data: bytes) -> Digest:
    git = hashlib.sha1(b"blob %d\x00" % len(data) + data)
    return Digest(git.hexdigest(), hashlib.sha256(data).hexdigest())


def _manifest(ours: Mapping[str, Digest]) -> str:
    files = {path: asdict(ours[path]) for path in sorted(ours)}
    return json.dumps({"files": files}, ensure_ascii=False, indent=1) + "\n"


def _written(manifest: str) -> dict[str, Digest]:
    """Returns the files that a manifest lists; none if it is damaged: then nothing is ours."""
    try:
        files = json.loads(manifest)["files"]
        return {path: Digest(its["git"], its["sha256"]) for path, its in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
