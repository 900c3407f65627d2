"""An untrusted still picture to upright RGB, within limits."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mediaflow.errors import UsageError
from mediaflow.media.options import Limits

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")


def decode_picture(data: bytes, limits: Limits) -> NDArray[np.uint8]:
    """Decode a picture of a common format; of an animation, the first frame.

    Returns
    -------
    ndarray, shape (height, width, 3), uint8, RGB
        Upright as its EXIF data says; transparent parts lie on white.

    Raises
    ------
    UsageError
        Too large, damaged, or no picture of a format that is read.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    # The limit below is the one that counts; the library's own would only warn.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            warnings.simplefilter("ignore")
            width, height = image.size
            if width * height > limits.picture_pixels:
                raise _bad(f"has {width} x {height} pixels, more than the limit of {limits.picture_pixels:,}; scale it")
            upright = ImageOps.exif_transpose(image)
            return np.asarray(_on_white(upright), dtype=np.uint8)
    except UnidentifiedImageError:
        names = ", ".join(_FORMATS)
        raise _bad(f"is of no format that is read ({names}), or damaged at its beginning") from None
    except MemoryError:
        raise _bad("needs more memory to decode than the limit allows; scale it down") from None
    except (OSError, SyntaxError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as bad:
        # Decoders of pictures raise whatever a damaged header leads them into.
        raise _bad(f"is damaged ({type(bad).__name__}); save it again") from None


def _on_white(image: Image) -> Image:
    from PIL import Image as images

    if image.mode.startswith(("I", "F")):
        return _scaled_depth(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        white = images.new("RGBA", clear.size, "white")
        return images.alpha_composite(white, clear).convert("RGB")
    return image.convert("RGB")


def _scaled_depth(image: Image) -> Image:
    """Bring 16-bit and floating-point grey to 8 bits over the range of values that the picture uses."""
    from PIL import Image as images

    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    top = 65535.0 if image.mode.startswith("I") and values.max(initial=0) > 255 else max(values.max(initial=0), 1.0)
    return images.fromarray((values.clip(0, top) * (255.0 / top)).astype(np.uint8))


def _bad(what: str) -> UsageError:
    return UsageError(f"The picture {what}.", stage="picture")
