"""From a plan to a repository: one commit for all that differs, a tag.

The commit names the one that the plan was made against as its parent, so that a commit by somebody
else in between is never undone: the Hub refuses ours, and publishing again starts from the new
state.
"""

from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from ..checks import show_value
from ..hub.downloads import HubUnreachableError, in_words
from .plans import MANIFEST, Kind, Plan, plan_publication

_STALE = 412


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
    plan: Plan,
    *,
    kind: Kind = "model",
    message: str,
    private: bool = False,
    tag: str | None = None,
    space_sdk: str | None = None,
) -> Published:
    """Does what was planned, in one commit at most.

    Args:
        folder: laid out as the repository shall be.
        repo: NAMESPACE/NAME; made if absent.
        plan: from `plan_publication`, for this folder and repository.
        kind: what it is.
        message: of the commit.
        private: whether a new repository is private; one that exists is left as it is.
        tag: put on the commit; it may not be on another one already.
        space_sdk: of a Space, "gradio".

    Raises:
        ValueError: if the Hub refuses or cannot be reached, somebody else has committed since the
            plan was made, or the tag is on another commit. What was there is left as it was.
    """
    api = HfApi()
    try:
        if plan.parent is None:
            api.create_repo(
                repo, repo_type=kind, private=private, exist_ok=True, space_sdk=space_sdk
            )
            plan = plan_publication(folder, repo, kind)
        check_tag(repo, kind, tag, plan)
        commit, is_new = str(plan.parent), False
        if not plan.is_empty:
            made = api.create_commit(
                repo,
                _operations(folder, plan),
                repo_type=kind,
                commit_message=message,
                parent_commit=plan.parent,
            )
            commit, is_new = made.oid, True
        if tag is not None and tag not in _tags(api, repo, kind):
            api.create_tag(repo, tag=tag, revision=commit, repo_type=kind)
    except (HfHubHTTPError, httpx2.HTTPError, OSError, RuntimeError) as error:
        raise _refusal(error, repo) from error
    prefix = "" if kind == "model" else f"{kind}s/"
    return Published(repo, commit, f"{constants.ENDPOINT}/{prefix}{repo}", is_new)


def check_tag(repo: str, kind: Kind, tag: str | None, plan: Plan) -> None:
    """Returns if a tag may go on what a plan leads to.

    Raises:
        ValueError: if it is on another commit already, or the Hub cannot be asked.
    """
    if tag is None or plan.parent is None:
        return
    try:
        at = _tags(HfApi(), repo, kind).get(tag)
    except RepositoryNotFoundError:
        return
    except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
        raise in_words(error, f"{repo} could not be looked at") from error
    if at is not None and not (plan.is_empty and at == plan.parent):
        raise ValueError(
            f"tag must be a new one, got {show_value(tag)}, which is on commit {at[:12]} of "
            f"{repo} already; "
            "published versions do not move, choose the next one"
        )


def _operations(folder: Path, plan: Plan) -> list[CommitOperationAdd | CommitOperationDelete]:
    return [
        *(CommitOperationAdd(path, folder / path) for path in (*plan.add, *plan.change)),
        CommitOperationAdd(MANIFEST, plan.manifest.encode()),
        *(CommitOperationDelete(path) for path in plan.remove),
    ]


def _tags(api: HfApi, repo: str, kind: Kind) -> dict[str, str]:
    return {t.name: t.target_commit for t in api.list_repo_refs(repo, repo_type=kind).tags}


def _refusal(error: Exception, repo: str) -> ValueError:
    """Returns why the Hub did not take a commit, in words."""
    if isinstance(error, HfHubHTTPError) and error.response.status_code == _STALE:
        return ValueError(
            f"{repo} was changed by somebody else in the meantime; nothing was published, nothing "
            "was lost: look at the change, then publish again"
        )
    reason = in_words(error, f"{repo} was not published")
    return (
        reason if not isinstance(reason, HubUnreachableError) else HubUnreachableError(str(reason))
    )
