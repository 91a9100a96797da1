"""Names and texts of a file: its title, its composer, its hands."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from .track_events import COPYRIGHT, INSTRUMENT_NAME, TEXT, TRACK_NAME, Track

_SURNAMES = {
    "bach": "bach",
    "beethoven": "beethoven",
    "brahms": "brahms",
    "chopin": "chopin|szopen",
    "debussy": "debussy",
    "haydn": "haydn",
    "liszt": "liszt",
    "mendelssohn": "mendelssohn",
    "mozart": "mozart",
    "rachmaninoff": "ra(?:ch|kh)manino(?:ff|v|w)",
    "scarlatti": "scarlatti",
    "schubert": "schubert",
    "schumann": "schumann",
    "scriabin": r"s[ck]r[iy]?j?abine?",
}
"""Short name of each composer that models know -> how his surname is spelt, without accents."""
# Of the same surname, and not meant by the short names.
_OTHERS = re.compile(
    r"\b(?:c\. ?p\. ?e\.|cpe|carl philipp(?: emanuel)?|j\. ?c\.|johann christian|w\. ?f\.|"
    r"wilhelm friedemann|anna magdalena|clara|fanny|michael|alessandro|leopold)\s+"
    r"(?:wieck[- ]|hensel[- ])?(?:bach|schumann|mendelssohn|haydn|scarlatti|mozart)\b"
)
_INSTRUMENT_WORDS = (
    "untitled unnamed new track tempo conductor control master midi song sequence seq staff grand "
    "acoustic steinway concert yamaha piano pianoforte pno klavier clavier keyboard instrument "
    "right left hand rh lh r h l upper lower treble bass part channel out port file export solo"
)
_NO_TITLE = frozenset(_INSTRUMENT_WORDS.split())


def decode(data: bytes) -> str:
    """Returns a text of a file: UTF-8, else Western European, without control characters."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    shown = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(shown.split())


def find_title(tracks: Sequence[Track]) -> bytes:
    """Returns the piece's title as the file spells it; empty if it has none.

    It is the name of the first track, unless that is the name of an instrument or a hand.
    """
    if not tracks:
        return b""
    names = [text for kind, text in tracks[0].texts if kind == TRACK_NAME]
    return next((name for name in names if _is_title(decode(name))), b"")


def _is_title(text: str) -> bool:
    words = {word.lower() for word in re.findall(r"[^\W\d_]+", text)}
    return not words <= _NO_TITLE


def track_name(track: Track) -> str:
    """Returns a track's own name, or its instrument's; empty if it has none."""
    for wanted in (TRACK_NAME, INSTRUMENT_NAME):
        for kind, text in track.texts:
            if kind == wanted and decode(text):
                return decode(text)
    return ""


def find_composer(tracks: Iterable[Track]) -> str | None:
    """Returns the short name of the composer that a file's texts name; None for none or several."""
    found = set()
    for track in tracks:
        for kind, text in track.texts:
            if kind in (TEXT, COPYRIGHT, TRACK_NAME):
                found |= composers_in(decode(text))
    return found.pop() if len(found) == 1 else None


def composers_in(text: str) -> set[str]:
    """Returns the short names of the composers that a text names by their surnames."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    plain = _OTHERS.sub(" ", plain.replace("_", " "))
    return {
        name
        for name, spelling in _SURNAMES.items()
        if re.search(rf"(?<![a-z])(?:{spelling})(?![a-z])", plain)
    }
