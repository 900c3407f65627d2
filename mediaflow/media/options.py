"""Limits on untrusted media, and what a decode pass may be asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

MIB = 2**20
PREVIEW_VERSION = "1"
"""Another one where the same part of a film is cut otherwise: what is kept of earlier ones counts no more."""


@dataclass(frozen=True)
class Limits:
    """How much one file may ask of a decode worker.

    Parameters
    ----------
    memory_bytes : int
        Address space of the worker; under 350 MiB common decoders fail.
    cpu_s : int
        CPU seconds for one file.
    stall_s : float
        Seconds without any progress after which a worker counts as frozen and is replaced.
    file_bytes, duration_s, pixels, streams, frames : int
        Largest file, longest film, largest picture, most streams and most frames.
    kept_bytes : int
        Most bytes of kept frames (JPEG) that one film may leave.
    text_bytes : int
        Most bytes of embedded text that one film may leave.
    picture_bytes, picture_pixels : int
        Largest still picture, as a file and unpacked.
    clip_bytes, clip_duration_s, clip_pixels, clip_frames, clip_kept_bytes, clip_cpu_s : int
        The same of a clip that somebody searches with, and waits for.
    preview_ms, preview_cpu_s : int
        The longest part that is cut out of a film, and CPU seconds for that.
    """

    memory_bytes: int = 1536 * MIB
    cpu_s: int = 6 * 3600
    stall_s: float = 60.0
    file_bytes: int = 2**40
    duration_s: int = 24 * 3600
    pixels: int = 8192 * 4352
    streams: int = 128
    frames: int = 24 * 3600 * 120
    kept_bytes: int = 2048 * MIB
    text_bytes: int = 64 * MIB
    picture_bytes: int = 64 * MIB
    picture_pixels: int = 64_000_000
    clip_bytes: int = 64 * MIB
    clip_duration_s: int = 30
    clip_pixels: int = 4096 * 2304
    clip_frames: int = 31 * 240
    clip_kept_bytes: int = 128 * MIB
    clip_cpu_s: int = 60
    preview_ms: int = 10_000
    preview_cpu_s: int = 60

    def of_clip(self) -> Limits:
        """Return the limits of a clip."""
        return replace(
            self,
            file_bytes=self.clip_bytes,
            duration_s=self.clip_duration_s,
            pixels=self.clip_pixels,
            frames=self.clip_frames,
            kept_bytes=self.clip_kept_bytes,
            cpu_s=self.clip_cpu_s,
        )

    def of_preview(self) -> Limits:
        """Return the limits of a part that is cut out of a film."""
        return replace(self, cpu_s=self.preview_cpu_s)

    def of(self, task: str) -> Limits:
        """Return the limits of what a worker is asked to do."""
        return {"clip": self.of_clip, "preview": self.of_preview}.get(task, lambda: self)()


@dataclass(frozen=True)
class DecodeOptions:
    """What a decode pass looks for.

    Parameters
    ----------
    threshold : float
        Mean change of hue, saturation and value (0 to 255) from one frame to the next that makes a cut.
    min_shot_ms : int
        Cuts that follow closer than this are taken as one.
    frames_per_shot : int
        Most frames kept of a shot; short shots give fewer.
    """

    threshold: float = 27.0
    min_shot_ms: int = 240
    frames_per_shot: int = 3
