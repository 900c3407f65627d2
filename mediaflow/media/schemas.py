"""The tables that the media layer hands on: their columns and types, and the facts of a file."""

from __future__ import annotations

import polars as pl

from mediaflow.media.facts import AudioStream, MediaFacts, TextStream

__all__ = ["CUES", "FRAMES", "SHOTS", "AudioStream", "MediaFacts", "TextStream"]

SHOTS: dict[str, pl.DataType] = {
    "shot_no": pl.Int32(),
    "start_frame": pl.Int32(),
    "end_frame": pl.Int32(),
    "start_ms": pl.Int64(),
    "end_ms": pl.Int64(),
    "fps_num": pl.Int32(),
    "fps_den": pl.Int32(),
    "start_timecode": pl.String(),
}
"""One row a shot: half-open ranges that cover the film from its first frame to its last."""

FRAMES: dict[str, pl.DataType] = {
    "shot_no": pl.Int32(),
    "frame_no": pl.Int32(),
    "time_ms": pl.Int64(),
    "width": pl.Int32(),
    "height": pl.Int32(),
    "jpeg": pl.Binary(),
}
"""One row a kept frame: upright, square pixels; `frame_no` counts from 0 in decode order."""

CUES: dict[str, pl.DataType] = {
    "cue_no": pl.Int32(),
    "start_ms": pl.Int64(),
    "end_ms": pl.Int64(),
    "kind": pl.String(),
    "language": pl.String(),
    "speaker": pl.String(),
    "text": pl.String(),
    "track": pl.String(),
    "forced": pl.Boolean(),
    "sdh": pl.Boolean(),
}
"""One row a text line with time: `kind` is dialogue, description or chapter, `language` is BCP 47."""
