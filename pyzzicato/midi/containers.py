"""Where in a file the MIDI begins, and what the file is if there is none.

A Standard MIDI File may lie inside a RIFF file of kind RMID (as Windows keeps them) or behind a
header of an old file system. Anything else is named, so that a person knows what to do.

Sources: RP-029, "Bundling SMF and DLS data in an RMID file" (MIDI Association); the first bytes of
each kind of file as its own specification gives them.
"""

HEADER = b"MThd"
_LONGEST_PREFIX = 65_536
_HEADER_SIZES = range(6, 65)
# (what a file begins with, at which byte, what it is)
_KINDS = (
    (b"SMF2CLIP", 0, "this is a MIDI 2.0 clip; export it as a Standard MIDI File"),
    (b"ID3", 0, "this is an MP3, a sound recording; choose a MIDI file"),
    (b"OggS", 0, "this is an Ogg sound recording; choose a MIDI file"),
    (b"fLaC", 0, "this is a FLAC sound recording; choose a MIDI file"),
    (b"WAVE", 8, "this is a WAV sound recording; choose a MIDI file"),
    (b"AIF", 8, "this is an AIFF sound recording; choose a MIDI file"),
    (b"ftyp", 4, "this is an MP4 recording (sound or film); choose a MIDI file"),
    (b"XDIR", 8, "this is XMIDI, a form that old games use; convert it to MIDI first"),
    (b"sfbk", 8, "this is a soundfont, the sounds without the music; choose a MIDI file"),
    (b"RMID", 8, "this is a RIFF file made for MIDI, but there is no MIDI inside; export it again"),
    (b"RIFF", 0, "this is a RIFF file, and there is no MIDI inside; choose a MIDI file"),
    (b"%PDF", 0, "this is a PDF document; choose a MIDI file"),
    (b"\x89PNG", 0, "this is a picture (PNG); choose a MIDI file"),
    (b"\xff\xd8\xff", 0, "this is a picture (JPEG); choose a MIDI file"),
    (b"GIF8", 0, "this is a picture (GIF); choose a MIDI file"),
    (b"PK\x03\x04", 0, "this is a ZIP archive, as .mscz and .mxl scores are; unpack it, or export"),
    (b"\x1f\x8b", 0, "this is a gzip archive; unpack it first"),
    (b"Rar!", 0, "this is a RAR archive; unpack it first"),
    (b"7z\xbc\xaf", 0, "this is a 7z archive; unpack it first"),
    (b"MUS\x1a", 0, "this is MUS, a form that old games use; convert it to MIDI first"),
)
_TEXT_KINDS = (
    ("<html", "this is a web page; open it and fetch the MIDI file from there"),
    ("<!doctype html", "this is a web page; open it and fetch the MIDI file from there"),
    ("<score-partwise", "this is a MusicXML score; open it in a score editor and export MIDI"),
    ("<score-timewise", "this is a MusicXML score; open it in a score editor and export MIDI"),
    ("<musescore", "this is a MuseScore score; open it there and export MIDI"),
    ("version https://git-lfs", "this is a pointer to a file kept elsewhere (Git LFS); fetch it"),
)


def find_midi(data: bytes) -> int:
    """Returns where in `data` a Standard MIDI File begins; 0 for an ordinary file.

    Raises:
        ValueError: if there is none; the message says what the file is.
    """
    if data.startswith(HEADER):
        return 0
    start = data.find(HEADER, 0, _LONGEST_PREFIX)
    while start > 0:
        if int.from_bytes(data[start + 4 : start + 8]) in _HEADER_SIZES:
            return start
        start = data.find(HEADER, start + 1, _LONGEST_PREFIX)
    raise ValueError(_describe(data))


def _describe(data: bytes) -> str:
    """Returns what a file without MIDI is, and what to do."""
    if not data:
        return "the file is empty (0 bytes); choose a MIDI file"
    if HEADER.startswith(data):
        return "the MIDI header is cut short; the file is incomplete, fetch it again"
    for magic, place, words in _KINDS:
        if data.startswith(magic, place):
            return words
    if _is_mp3(data):
        return "this is an MP3, a sound recording; choose a MIDI file"
    if not any(data):
        return f"the file holds {len(data)} zeros and nothing else; fetch it again"
    # The last character may be cut in two.
    beginning = data[:2000].decode("utf-8-sig", errors="replace")[
        : -1 if len(data) > 2000 else None
    ]
    for mark, words in _TEXT_KINDS:
        if mark.lower() in beginning.lower():
            return words
    if "�" not in beginning and "".join(beginning.split()).isprintable():
        return f"this is text ({_shown(beginning)}), there is no MIDI inside; choose a MIDI file"
    return f"there is no MIDI inside (it begins with {data[:8].hex(' ')}); choose a MIDI file"


def _is_mp3(data: bytes) -> bool:
    """Returns whether a frame of MPEG sound, layer 1 to 3, begins the file."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return False
    version, layer, bitrate, rate = data[1] >> 3 & 3, data[1] >> 1 & 3, data[2] >> 4, data[2] >> 2
    return version != 1 and layer != 0 and bitrate not in (0, 15) and rate & 3 != 3


def _shown(text: str) -> str:
    words = " ".join(text.split())
    return repr(words if len(words) <= 30 else words[:29] + "…")
