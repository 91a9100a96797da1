"""From a folder to a repository: what differs, one commit for it, a tag.

A repository is made to hold what the folder holds and nothing else. The commit names the one it was
compared with as its parent, so that a commit by somebody else in between is never undone: the Hub
refuses ours, and publishing again starts from the new state.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx2
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    constants,
)
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile

from ..hub.downloads import HubUnreachableError, in_words

Kind = Literal["model", "space", "dataset"]

# The Hub writes this one itself.
_KEPT = {".gitattributes"}
_STALE = 412


@dataclass(frozen=True, slots=True)
class Difference:
    """What publishing a folder changes in a repository, as paths in it."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    parent: str | None

    @property
    def is_empty(self) -> bool:
        """Returns whether the repository already holds the folder."""
        return not (self.new or self.changed or self.gone)

    def lines(self) -> list[str]:
        """Returns a line for each file that changes."""
        marks = (("new", self.new), ("changed", self.changed), ("removed", self.gone))
        return [f"{mark:<8} {path}" for mark, paths in marks for path in paths]


@dataclass(frozen=True, slots=True)
class Published:
    """Where a folder went: the repository, its commit, and whether that is a new one."""

    repo: str
    commit: str
    url: str
    is_new: bool


def publish_folder(
    folder: Path,
    repo: str,
    *,
    kind: Kind = "model",
    message: str,
    private: bool = False,
    tag: str | None = None,
    space_sdk: str | None = None,
) -> Published:
    """Makes a repository hold what a folder holds, in one commit at most.

    Args:
        folder: laid out as the repository shall be.
        repo: NAMESPACE/NAME; made if absent.
        kind: what it is.
        message: of the commit.
        private: whether a new repository is private; one that exists is left as it is.
        tag: put on the commit; it may not be on another one already.
        space_sdk: of a Space, "gradio".

    Raises:
        ValueError: if the Hub refuses or cannot be reached, somebody else has committed meanwhile,
            or the tag is on another commit. What was there is left as it was.
    """
    api = HfApi()
    try:
        api.create_repo(repo, repo_type=kind, private=private, exist_ok=True, space_sdk=space_sdk)
        found = compare_folder(folder, repo, kind)
        _check_tag(api, repo, kind, tag, found)
        commit, is_new = str(found.parent), False
        if not found.is_empty:
            told = api.create_commit(
                repo,
                _operations(folder, found),
                repo_type=kind,
                commit_message=message,
                parent_commit=found.parent,
            )
            commit, is_new = told.oid, True
        if tag is not None and tag not in _tags(api, repo, kind):
            api.create_tag(repo, tag=tag, revision=commit, repo_type=kind)
    except ValueError as error:
        if not isinstance(error, HfHubHTTPError):
            raise
        raise _refusal(error, repo) from error
    except (HfHubHTTPError, httpx2.HTTPError, OSError, RuntimeError) as error:
        raise _refusal(error, repo) from error
    prefix = "" if kind == "model" else f"{kind}s/"
    return Published(repo, commit, f"{constants.ENDPOINT}/{prefix}{repo}", is_new)


def compare_folder(folder: Path, repo: str, kind: Kind = "model") -> Difference:
    """Returns how a repository differs from a folder; one that does not exist holds nothing.

    Raises:
        ValueError: if the Hub cannot be asked.
    """
    api = HfApi()
    local = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    remote: dict[str, RepoFile] = {}
    parent = None
    try:
        parent = api.repo_info(repo, repo_type=kind).sha
        for entry in api.list_repo_tree(repo, recursive=True, repo_type=kind, revision=parent):
            if isinstance(entry, RepoFile) and entry.path not in _KEPT:
                remote[entry.path] = entry
    except RepositoryNotFoundError:
        pass
    except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
        raise in_words(error, f"{repo} could not be looked at") from error
    return Difference(
        new=tuple(sorted(local.keys() - remote.keys())),
        changed=tuple(
            p for p in sorted(local.keys() & remote.keys()) if _differs(local[p], remote[p])
        ),
        gone=tuple(sorted(remote.keys() - local.keys())),
        parent=parent,
    )


def _differs(path: Path, entry: RepoFile) -> bool:
    data = path.read_bytes()
    if entry.lfs is not None:
        return hashlib.sha256(data).hexdigest() != entry.lfs.sha256
    return hashlib.sha1(b"blob %d\x00" % len(data) + data).hexdigest() != entry.blob_id


def _operations(
    folder: Path, found: Difference
) -> list[CommitOperationAdd | CommitOperationDelete]:
    add = [CommitOperationAdd(p, folder / p) for p in (*found.new, *found.changed)]
    return [*add, *(CommitOperationDelete(p) for p in found.gone)]


def _tags(api: HfApi, repo: str, kind: Kind) -> dict[str, str]:
    return {t.name: t.target_commit for t in api.list_repo_refs(repo, repo_type=kind).tags}


def _check_tag(api: HfApi, repo: str, kind: Kind, tag: str | None, found: Difference) -> None:
    """Raises ValueError if a tag is on a commit that holds something else."""
    at = None if tag is None else _tags(api, repo, kind).get(tag)
    if at is not None and not (found.is_empty and at == found.parent):
        raise ValueError(
            f"tag must be a new one, got {tag!r}, which is on commit {at[:12]} of {repo} already; "
            "published versions do not move, choose the next one"
        )


def _refusal(error: Exception, repo: str) -> ValueError:
    """Returns why the Hub did not take a commit, in words."""
    if isinstance(error, HfHubHTTPError) and error.response.status_code == _STALE:
        return ValueError(
            f"{repo} was changed by somebody else in the meantime; nothing was published, nothing "
            "was lost: look at the change, then publish again"
        )
    said = in_words(error, f"{repo} was not published")
    return said if not isinstance(said, HubUnreachableError) else HubUnreachableError(str(said))
