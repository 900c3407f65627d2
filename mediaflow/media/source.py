"""Opening untrusted media, a file or the bytes of one: local bytes only, known formats only, within limits."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error

from mediaflow.errors import SystemFault, TitleError
from mediaflow.media.options import Limits

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Containers only: no playlists or manifests (HLS, DASH, concat), nothing that reads other files or devices.
_FORMATS = (
    "aac,ac3,aiff,asf,avi,caf,dv,eac3,flac,flv,gif,h264,hevc,ivf,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,"
    "mpegts,mpegvideo,m4v,mxf,nut,obu,av1,ogg,rm,vc1,wav,w64,wtv,xwma"
)
_START = Fraction(1, 1_000_000)
SLACK_S = 1
"""So much past the limit a film may be: sound may outlast the picture, and who cuts does not count frames."""


def title_error(path: Path, stage: str, what: str) -> TitleError:
    """Build the error that blames the file; the sentence names the file, never the machine's folders."""
    return TitleError(f"{path.name!r} {what}", stage=stage, file=path.name)


@contextmanager
def opened(path: Path, stage: str, limits: Limits, data: bytes | None = None) -> Iterator[InputContainer]:
    """Open a media file within limits.

    Parameters
    ----------
    path : Path
        A local file; with `data` only its name.
    data : bytes, optional
        What is in the file, where there is none.

    Raises
    ------
    TitleError
        Empty, too large, too long, too many streams, not permitted, or no media format that is read.
    SystemFault
        The file is not there.
    """
    if data is None:
        _check_file(path, stage, limits)
    else:
        _check_size(len(data), path, stage, limits)
    # Bytes that are no file have no business with any.
    protocols = "file" if data is None else "none"
    options = {"protocol_whitelist": protocols, "format_whitelist": _FORMATS, "max_streams": str(limits.streams)}
    try:
        # The prefix keeps a name such as "concat:x" from being taken for a protocol.
        source = f"file:{path}" if data is None else io.BytesIO(data)
        container = av.open(source, mode="r", options=options, metadata_errors="replace")
    except (av.error.FFmpegError, OSError, ValueError) as bad:
        raise unreadable(path, stage, bad) from None
    with container:
        if len(container.streams) > limits.streams:
            raise title_error(path, stage, f"has {len(container.streams)} streams, more than {limits.streams}.")
        seconds = (container.duration or 0) / 1_000_000
        if seconds > limits.duration_s + SLACK_S:
            said = f"says it lasts {length(seconds)}, more than the limit of {length(limits.duration_s)}."
            raise title_error(path, stage, said)
        yield container


def _check_file(path: Path, stage: str, limits: Limits) -> None:
    try:
        status = path.stat()
    except PermissionError:
        raise title_error(path, stage, "may not be read; change its permissions.") from None
    except OSError as bad:
        # A file that is gone says nothing of its bytes: the library may be away.
        reason = os.strerror(bad.errno or 0)
        what = f"{path.name!r} cannot be opened ({reason}); is the library still there?"
        raise SystemFault(what, stage=stage, file=path.name) from None
    if not stat.S_ISREG(status.st_mode):
        raise title_error(path, stage, "is no regular file.")
    _check_size(status.st_size, path, stage, limits)


def _check_size(size: int, path: Path, stage: str, limits: Limits) -> None:
    if size == 0:
        raise title_error(path, stage, "is empty; copy it again.")
    if size > limits.file_bytes:
        raise title_error(path, stage, f"has {size:,} bytes, more than the limit of {limits.file_bytes:,}.")


def length(seconds: float) -> str:
    """Return how long a film is, for people: in seconds, or in hours where it is longer than two."""
    return f"{seconds:.4g} s" if seconds <= 7200 else f"{seconds / 3600:.3g} hours"


def unreadable(path: Path, stage: str, bad: Exception) -> TitleError:
    """Turn what the media library said into the sentence for the user."""
    number = getattr(bad, "errno", None)
    if number == errno.ENOMEM or isinstance(bad, MemoryError):
        return too_large(path, stage)
    if number == errno.EINVAL:
        return title_error(path, stage, "is no media file of a format that is read; playlists are not followed.")
    reason = getattr(bad, "strerror", None) or type(bad).__name__
    return title_error(path, stage, f"cannot be read as media ({reason}); it may be damaged: copy or encode it again.")


def too_large(path: Path, stage: str) -> TitleError:
    """Build the error for a file that needs more memory than a worker has."""
    return title_error(path, stage, "needs more memory to decode than the limit allows; encode it smaller.")


def picture_stream(container: InputContainer, path: Path, stage: str, limits: Limits) -> VideoStream:
    """Return the stream that is the film: the first that is no cover picture, set up to decode with one thread.

    Raises
    ------
    TitleError
        There is none, it has no decoder, or its pictures are too large.
    """
    from av.stream import Disposition

    films = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not films:
        holds = "only sound" if container.streams.audio else "no video stream"
        raise title_error(path, stage, f"has no picture: it holds {holds}.")
    stream = films[0]
    if stream.codec_context is None:
        raise title_error(path, stage, "has no picture: there is no decoder for its video; encode it as H.264 or AV1.")
    check_pixels(stream.codec_context.width, stream.codec_context.height, path, stage, limits)
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"max_pixels": str(limits.pixels)}
    return stream


def check_pixels(width: int, height: int, path: Path, stage: str, limits: Limits) -> None:
    """Refuse pictures larger than the limit (TitleError)."""
    if width * height > limits.pixels:
        raise title_error(path, stage, f"has pictures of {width} x {height}, more than {limits.pixels:,} pixels.")


def start_of(container: InputContainer) -> Fraction | None:
    """Return the container's start in seconds: time 0 of everything in it. None where it states none."""
    return None if container.start_time is None else container.start_time * _START


def half_up_ms(seconds: Fraction) -> int:
    """Round seconds to whole milliseconds, halves up."""
    return int((seconds * 1000 + Fraction(1, 2)).__floor__())


def rotation_of(frame: VideoFrame) -> int:
    """Return by how many degrees anticlockwise the frame must be turned to stand upright: 0, 90, 180 or 270."""
    return round(frame.rotation / 90) % 4 * 90


def upright_size(width: int, height: int, aspect: Fraction | None, rotation: int) -> tuple[int, int]:
    """Return (width, height) of the picture with square pixels, standing upright.

    Pixels are made square by stretching the shorter way, so no detail is lost. Aspects past 1:16 are taken as errors.
    """
    if aspect and Fraction(1, 16) <= aspect <= 16:
        width, height = (
            (max(1, int(width * aspect + Fraction(1, 2))), height)
            if aspect > 1
            else (width, max(1, int(height / aspect + Fraction(1, 2))))
        )
    return (height, width) if rotation in (90, 270) else (width, height)
