"""What the page and the API take, checked on the server whatever is posted.

The ranges of the settings of a continuation are `GenerationSettings`' own.
"""

from ..midi import MidiLimits

MAX_UPLOAD_BYTES = 1_000_000
"""Of a MIDI file: 1 MB. The longest performances of MAESTRO, 45 minutes, are half of that."""
MAX_NOTES = 20_000
MAX_MUSIC_SECONDS = 1800.0
"""Of the piece a seed is taken from: 30 minutes."""
MIDI_LIMITS = MidiLimits(
    max_bytes=MAX_UPLOAD_BYTES, max_notes=MAX_NOTES, max_seconds=MAX_MUSIC_SECONDS
)
MAX_SEED_NOTES = 4_000
"""That a model is given before it carries on; dense performances have 3,000 in two minutes."""
MAX_TAKES = 4
MAX_TOTAL_SECONDS = 720.0
"""Of all takes of one request: four of three minutes, or one of ten."""
MAX_RENDERED_SECONDS = 600.0
"""Of music turned into sound by one request; the memory it needs grows with the length."""
MAX_RENDERED_NOTES = 10_000
"""Of music turned into sound: dense playing for ten minutes."""
MAX_POST_BYTES = 4_000_000
"""Of one request's body: `MAX_NOTES` notes as JSON are 2 MB."""
MAX_DEPTH = 20
"""Of lists and objects in each other."""
MAX_TITLE = 80
"""Characters of a title shown."""
