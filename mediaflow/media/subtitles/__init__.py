"""Subtitle files as rows: SRT, WebVTT, ASS/SSA and TTML/IMSC text."""

from mediaflow.media.subtitles.track import Track, read_track

__all__ = ["Track", "read_track"]
