"""Checkpoints from the Hub, by way of the client's own cache.

Only the files of a checkpoint are fetched, each of a bounded size, and never code unless it was
asked for. Whoever waits, waits for a bounded time: the Hub is asked in a thread of its own, since
neither name look-up nor a slow download can be held to a time-out otherwise. A download that
outlasts its wait goes on in that thread while the program does, and the next load finds it in the
cache.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import httpx2
from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    get_token,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import (  # type: ignore[attr-defined]
    build_hf_headers,
    get_session,
    hf_raise_for_status,
    validate_repo_id,
)

from ..playing.graph_check import MAX_GRAPH_BYTES
from .checkpoints import (
    CONFIG,
    GRAPH,
    MAX_CONFIG_BYTES,
    MAX_RECORD_BYTES,
    MAX_WEIGHT_BYTES,
    RECORD,
    VALUES,
    WEIGHTS,
)

T = TypeVar("T")

ANSWER_S = 2.0
"""How long the Hub has to answer where there is a copy at hand to use instead."""
PATIENT_ANSWER_S = 5.0
"""How long it has where there is none."""
DOWNLOAD_S = 60.0
"""How long a download may take before a copy at hand is used instead."""
PATIENT_DOWNLOAD_S = 900.0
MAX_ANSWER_BYTES = 10_000_000
"""Of an answer that describes repositories."""
# Headers of an answer that describe how its bytes came, and not what they are.
_OF_THE_WAY = {"content-encoding", "content-length", "transfer-encoding"}
_QUIET_S = 60.0
_NOT_THE_HUB = (
    "what answers at the Hub's address is not the Hub; a network that wants a log-in first does "
    "so: open a page in a browser, or set HF_HUB_OFFLINE=1"
)
_MAX_BYTES = {
    CONFIG: MAX_CONFIG_BYTES,
    RECORD: MAX_RECORD_BYTES,
    WEIGHTS: MAX_WEIGHT_BYTES,
    GRAPH: MAX_GRAPH_BYTES,
    VALUES: MAX_CONFIG_BYTES,
}
_MAX_CODE_BYTES = 1_000_000

# When the Hub last failed to answer, by address: nobody waits for it twice in a minute.
_silent_since: dict[str, float] = {}


class HubUnreachableError(ValueError):
    """The Hub did not answer, or not in time, or has a fault of its own."""


class NotOnHubError(ValueError):
    """The Hub answered, and what was asked for is not there or not for us."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A checkpoint's files in the cache, the commit they are from, and whether they were there."""

    folder: Path
    commit: str
    source: Literal["Hub", "cache"]


def fetch_checkpoint(
    repo: str, revision: str | None = None, *, patient: bool = True, with_code: bool = False
) -> Fetched:
    """Returns the files of a checkpoint, downloaded unless the cache has them.

    A whole commit that is in the cache is taken from there without asking the Hub. So is a branch
    or tag when the Hub cannot be reached, as it last was.

    Args:
        repo: NAMESPACE/NAME.
        revision: commit, tag or branch; the main branch by default.
        patient: whether to wait longer, there being no other copy to use.
        with_code: whether to fetch the repository's Python files too.

    Raises:
        HubUnreachableError: if the Hub does not answer in time and the cache does not have them.
        NotOnHubError: if there is no such repository, revision or checkpoint, or none for us.
        ValueError: if a file is larger than a checkpoint's may be.
    """
    kept = _from_cache(repo, revision, with_code)
    if kept is not None and kept.commit == revision:
        return kept
    try:
        found = ask_hub(
            lambda: _describe(repo, revision),
            PATIENT_ANSWER_S if patient else ANSWER_S,
            f"the Hub did not answer for {repo}",
        )
        if kept is not None and kept.commit == found.commit:
            return kept
        names = [n for n in found.sizes if n in _MAX_BYTES or (with_code and _is_code(n))]
        folder = _in_time(
            lambda: _download(repo, revision, found.commit, names),
            PATIENT_DOWNLOAD_S if patient else DOWNLOAD_S,
            f"{repo} was not downloaded",
        )
        return Fetched(folder, found.commit, "Hub")
    except HubUnreachableError:
        if kept is None:
            raise
        return kept


@dataclass(frozen=True, slots=True)
class _Found:
    commit: str
    sizes: dict[str, int]


def _describe(repo: str, revision: str | None) -> _Found:
    """Returns the commit of a revision and its files; refuses what no checkpoint is."""
    validate_repo_id(repo)
    path = f"models/{repo}" + (f"/revision/{quote(revision, safe='')}" if revision else "")
    answer = fetch_json(path, {"blobs": True}, ANSWER_S * 2)
    if not isinstance(answer, dict):
        raise HubUnreachableError(_NOT_THE_HUB)
    sizes = {file["rfilename"]: file.get("size") or 0 for file in answer.get("siblings") or []}
    if CONFIG not in sizes:
        raise NotOnHubError(f"{repo} holds no {CONFIG}; it is not a model of this kind")
    if WEIGHTS not in sizes:
        raise NotOnHubError(
            f"{repo} holds no {WEIGHTS}; weights in other formats are not loaded, ask its owner "
            "for safetensors"
        )
    for name, size in sizes.items():
        limit = _MAX_BYTES.get(name, _MAX_CODE_BYTES if _is_code(name) else size)
        if size > limit:
            raise ValueError(f"{name} in {repo} must be at most {limit} bytes long, got {size}")
    commit = answer.get("sha")
    if not commit:
        raise NotOnHubError(f"{repo} has no commit")
    # Files come from another server than answers. Where it cannot be reached, the client would try
    # for half a minute before it reports so.
    weights = hf_hub_url(repo, WEIGHTS, revision=commit)
    get_hf_file_metadata(weights, timeout=ANSWER_S * 2, token=get_token())
    return _Found(commit, sizes)


def fetch_json(path: str, asked: Mapping[str, Any], seconds: float) -> Any:
    """Returns an answer of the Hub's API, of a bounded size.

    Args:
        path: of the address, after `/api/`.
        asked: parameters of the address.
        seconds: how long the answer may take, from the first byte to the last.

    Raises:
        HubUnreachableError: if what answers is not the Hub, or does not come to an end.
        huggingface_hub.errors.HfHubHTTPError: if the Hub refuses.
    """
    until = time.monotonic() + seconds
    address, headers = f"{constants.ENDPOINT}/api/{path}", build_hf_headers()
    body = bytearray()
    with get_session().stream(
        "GET", address, params=asked, headers=headers, timeout=seconds, follow_redirects=True
    ) as response:
        for part in response.iter_bytes():
            body += part
            if len(body) > MAX_ANSWER_BYTES or time.monotonic() > until:
                raise HubUnreachableError(f"the answer does not end; {_NOT_THE_HUB}")
    # The client's own reading of a refusal wants an answer that has been read as a whole.
    kept = {k: v for k, v in response.headers.items() if k.lower() not in _OF_THE_WAY}
    hf_raise_for_status(
        type(response)(
            response.status_code, headers=kept, content=bytes(body), request=response.request
        )
    )
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HubUnreachableError(_NOT_THE_HUB) from error


def _download(repo: str, revision: str | None, commit: str, names: list[str]) -> Path:
    """Returns the folder of a commit in the cache once it holds the files."""
    # By the revision's own name, so that the cache knows what it stood for when asked offline.
    folder = Path(hf_hub_download(repo, CONFIG, revision=revision)).parent
    if folder.name != commit:
        raise HubUnreachableError(f"{repo} is being changed just now; try again")
    # The weights last: where they are, the rest is.
    for name in sorted(names, key=lambda name: name == WEIGHTS):
        hf_hub_download(repo, name, revision=commit)
    return folder


def _from_cache(repo: str, revision: str | None, with_code: bool) -> Fetched | None:
    """Returns a checkpoint that the cache has whole, or None."""
    config = try_to_load_from_cache(repo, CONFIG, revision=revision)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    if not (folder / WEIGHTS).is_file() or (with_code and not list(folder.glob("*.py"))):
        return None
    return Fetched(folder, folder.name, "cache")


def _is_code(name: str) -> bool:
    return name.endswith(".py") and "/" not in name


def _check_reachable() -> None:
    if constants.is_offline_mode():
        raise HubUnreachableError("HF_HUB_OFFLINE is set; the Hub is not asked")
    silent = _silent_since.get(constants.ENDPOINT)
    if silent is not None and time.monotonic() - silent < _QUIET_S:
        raise HubUnreachableError("the Hub did not answer a moment ago")


def forget_silence() -> None:
    """Asks the Hub again at the next call, however lately it failed to answer."""
    _silent_since.clear()


def _in_time(ask: Callable[[], T], seconds: float, what: str) -> T:
    """Returns what `ask` returns, or raises within `seconds`."""
    answer: list[T] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(ask())
        except BaseException as error:
            faults.append(error)

    thread = threading.Thread(target=run, daemon=True, name="pyzzicato-hub")
    thread.start()
    thread.join(seconds)
    if answer:
        return answer[0]
    if not faults:
        _silent_since[constants.ENDPOINT] = time.monotonic()
        raise HubUnreachableError(f"{what} within {seconds:g} s")
    raise in_words(faults[0], what) from faults[0]


def ask_hub(ask: Callable[[], T], seconds: float, what: str) -> T:
    """Returns what a call of the Hub's client returns, or raises within `seconds`.

    Args:
        ask: the call.
        seconds: how long to wait for it.
        what: what failed if it fails, in words.

    Raises:
        HubUnreachableError: if there is no answer in time, or the Hub is offline or at fault.
        NotOnHubError: if the Hub refuses.
    """
    _check_reachable()
    return _in_time(ask, seconds, what)


def in_words(error: BaseException, what: str) -> ValueError:
    """Returns an error of the Hub's client as one of ours: what happened and what to do."""
    if isinstance(error, LocalEntryNotFoundError):
        # What the client says when the Hub failed it and the cache has nothing either.
        return in_words(error.__cause__ or ConnectionError("no answer"), what)
    if isinstance(error, json.JSONDecodeError):
        return HubUnreachableError(f"{what}: {_NOT_THE_HUB}")
    if isinstance(error, ValueError) and not isinstance(error, HfHubHTTPError):
        return error
    if isinstance(error, GatedRepoError):
        return NotOnHubError(f"{what}: access must be granted by its owner first (gated)")
    if isinstance(error, RevisionNotFoundError):
        return NotOnHubError(f"{what}: there is no such revision; leave it out for the newest")
    if isinstance(error, EntryNotFoundError):
        return NotOnHubError(f"{what}: a file is missing from it")
    if isinstance(error, RepositoryNotFoundError):
        return NotOnHubError(
            f"{what}: there is no such repository, or it is private; check its name, or log in "
            "with `hf auth login`"
        )
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        if status in (401, 403):
            return NotOnHubError(f"{what}: not allowed ({status}); log in with `hf auth login`")
        _silent_since[constants.ENDPOINT] = time.monotonic()
        later = "too many requests (429)" if status == 429 else f"it has a fault ({status})"
        return HubUnreachableError(f"{what}: {later}; try again later")
    if isinstance(error, OfflineModeIsEnabled | httpx2.HTTPError | OSError):
        _silent_since[constants.ENDPOINT] = time.monotonic()
        return HubUnreachableError(f"{what}: no connection ({type(error).__name__}: {error})"[:300])
    return HubUnreachableError(f"{what}: {type(error).__name__}: {error}"[:300])
