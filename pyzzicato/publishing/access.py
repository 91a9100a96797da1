"""Whether the token at hand may write, asked before anything that takes long."""

from collections.abc import Mapping
from typing import Any

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

from ..checks import show_value
from ..hub.downloads import in_words

_WRITES = "repo.write"


def check_token(repo: str) -> str:
    """Returns the account that the token belongs to, if the token may write to a repository.

    Args:
        repo: NAMESPACE/NAME; it need not exist.

    Raises:
        ValueError: if there is no token, it is not valid, it may only read, or the namespace is
            neither the account nor one of its organisations.
    """
    namespace = repo.partition("/")[0]
    try:
        answer = HfApi().whoami()
    except LocalTokenNotFoundError:
        raise ValueError("publishing needs a token; log in with `hf auth login`") from None
    except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
        raise in_words(error, "the token could not be checked") from error
    account = str(answer.get("name"))
    roles = {str(its.get("name")): its.get("roleInOrg") for its in answer.get("orgs") or []}
    if namespace not in (account, *roles):
        raise ValueError(
            f"the namespace of {repo} must be of {', '.join((account, *roles))}, to whom the token "
            f"belongs, got {show_value(namespace)}"
        )
    if roles.get(namespace) == "read":
        raise ValueError(f"{account} may only read in {namespace}; ask its owner for more")
    token = (answer.get("auth") or {}).get("accessToken") or {}
    if not _may_write(token, namespace, repo):
        raise ValueError(
            f"the token of {account} may not write to {repo}; make one that may at "
            "https://huggingface.co/settings/tokens, then `hf auth login`"
        )
    return account


def _may_write(token: Mapping[str, Any], namespace: str, repo: str) -> bool:
    """Returns whether a token's role, or one of its fine-grained permissions, is to write."""
    if token.get("role") != "fineGrained":
        return token.get("role") != "read"
    scopes = (token.get("fineGrained") or {}).get("scoped") or []
    return any(
        _WRITES in (scope.get("permissions") or [])
        and (scope.get("entity") or {}).get("name") in (namespace, repo)
        for scope in scopes
    )
