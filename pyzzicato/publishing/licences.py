"""Licences in the Hub's words, with links, and what they ask of whoever uses the weights."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..hub.data_licences import DataLicence
from ..training.catalogue import find_collection

CODE_LICENCE = "Apache-2.0"
LICENCE_FILE = "LICENSE.md"
"""Lies beside the weights; `license_link` leads there."""
_HUB_WORDS = ("cc0-1.0", "mit", "apache-2.0", "pddl")
_CREATIVE_COMMONS = re.compile(r"CC (BY(?:-NC)?(?:-SA|-ND)?) (\d\.\d)(?: ([A-Z]{2}))?")
_LINKS = {
    "CC0 1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "Public Domain": "https://creativecommons.org/publicdomain/mark/1.0/",
    "MIT": "https://opensource.org/license/mit",
    "Apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
}


def licence_id(licence: str | None) -> str:
    """Returns the Hub's word for a licence: `cc-by-nc-sa-4.0` for CC BY-NC-SA 4.0.

    It is "other" for several licences and for those that the Hub has no word for, and "unknown"
    without any.
    """
    if not licence:
        return "unknown"
    word = licence.strip().lower().replace(" ", "-")
    known = word in _HUB_WORDS or re.fullmatch(r"cc-by(-nc)?(-sa|-nd)?-[234]\.0", word)
    return word if known else "other"


def licence_link(licence: str) -> str | None:
    """Returns the address of a licence's text, None if it is not known."""
    found = _CREATIVE_COMMONS.fullmatch(licence)
    if found is None:
        return _LINKS.get(licence)
    place = f"{found[3].lower()}/" if found[3] else ""
    return f"https://creativecommons.org/licenses/{found[1].lower()}/{found[2]}/{place}"


def spdx_id(licence: str) -> str | None:
    """Returns the identifier of a licence in a package's metadata: CC-BY-4.0 for CC BY 4.0.

    None for the public domain, which needs no licence. See https://spdx.org/licenses.
    """
    return None if licence == "Public Domain" else licence.replace(" ", "-")


def licence_metadata(licences: Sequence[str], link: str = LICENCE_FILE) -> dict[str, str]:
    """Returns what a card's metadata says of licences: `license`, and if that is "other" more.

    Args:
        licences: of all parts; none if they are not known.
        link: where the text lies that describes them one by one.
    """
    word = licence_id(licences[0] if len(licences) == 1 else ", ".join(licences))
    if word != "other":
        return {"license": word}
    name = "-and-".join(re.sub(r"[^a-z0-9.]+", "-", its.lower()).strip("-") for its in licences)
    return {"license": word, "license_name": name, "license_link": link}


def licence_facts(licences: Sequence[DataLicence]) -> dict[str, Any]:
    """Returns what the templates say of licences: a row for each, and what all of them ask for.

    Args:
        licences: of the data, see `pyzzicato.hub.licences.data_licences`.
    """
    names = [its.licence for its in licences]
    return {
        "code": {"licence": CODE_LICENCE, "link": _LINKS[CODE_LICENCE]},
        "weights": [
            {
                "licence": its.licence,
                "link": licence_link(its.licence),
                "sources": [asdict(find_collection(source)) for source in its.sources],
            }
            for its in licences
        ],
        "names_makers": [name for name in names if "CC BY" in name],
        "non_commercial": [name for name in names if "-NC" in name],
        "share_alike": [name for name in names if "-SA" in name],
    }
