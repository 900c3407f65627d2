"""ASS and SSA: dialogue lines, with override codes and drawings taken out."""

from __future__ import annotations

import re
import warnings

from mediaflow.media.subtitles.cue import Cue, Parsed
from mediaflow.media.subtitles.markup import tidy

_DIALOGUE = re.compile(r"Dialogue:[^,]*,\s*(\d+:\d{1,2}:\d{1,2}[.:]\d+)\s*,\s*(\d+:\d{1,2}:\d{1,2}[.:]\d+)\s*,")
_FIELDS = 10


def is_substation(text: str) -> bool:
    """Whether the text has an ASS or SSA section of events."""
    return re.search(r"^\s*\[(?:Script Info|V4\+? Styles|Events)\]", text, re.IGNORECASE | re.MULTILINE) is not None


def read_substation(text: str) -> Parsed:
    """Read ASS or SSA text; line ends must be "\\n". Comments and drawings are no cues."""
    from pysubs2 import SSAFile

    lines = [line.strip() for line in text.split("\n") if line.lstrip().startswith("Dialogue:")]
    whole = [line for line in lines if _DIALOGUE.match(line) and line.count(",") >= _FIELDS - 1]
    parsed = Parsed(broken=len(lines) - len(whole))
    version = "ssa" if re.search(r"^\s*ScriptType\s*:\s*v4\.00\s*$", text, re.IGNORECASE | re.MULTILINE) else "ass"
    with warnings.catch_warnings():
        # Layers and margins that are no numbers are of no interest here.
        warnings.simplefilter("ignore", RuntimeWarning)
        events = SSAFile.from_string("[Events]\n" + "\n".join(whole), format_=version).events
    for event in events:
        if event.end <= event.start:
            parsed.broken += 1
        elif not event.is_drawing and (plain := tidy(event.plaintext)):
            parsed.cues.append(Cue(event.start, event.end, plain, event.name.strip() or None))
    return parsed


def plain_event(event: str) -> tuple[str | None, str]:
    """Read one event as decoders hand it on ("ReadOrder,Layer,Style,Name,…,Text"): (speaker, plain text)."""
    from pysubs2 import SSAEvent

    fields = event.split(",", 8)
    if len(fields) < 9:
        return None, ""
    parsed = SSAEvent(text=fields[8].replace("\r\n", "\\N").replace("\n", "\\N"))
    return fields[3].strip() or None, "" if parsed.is_drawing else tidy(parsed.plaintext)
