"""From a JPEG or a picture to the square that a model looks at: the model's own preprocessing, done cheaply."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from torchvision.transforms import Compose

from mediaflow.errors import TitleError

# A JPEG can be decoded at 1/2, 1/4 or 1/8 at a fraction of the cost. As long as it stays twice as large as the
# target, the antialiased resize that follows still removes what the two ways of decoding differ in.
_SPARE = 2


class Preprocessor:
    """Decodes, resizes and crops for one model; equal to open_clip's own transform up to rounding.

    Parameters
    ----------
    config : dict
        The model's final preprocessing (`model.visual.preprocess_cfg` of open_clip): size, resize mode,
        interpolation, fill colour, mean and standard deviation in [0, 1].

    Attributes
    ----------
    size : tuple of int
        Height and width of the pictures that the model takes.
    mean, std : np.ndarray
        (3,) float32, of RGB values in [0, 1].
    interpolation, resize_mode : str
        How a picture is resized, in the words of open_clip.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        cfg = PreprocessCfg(**config)
        _, height, width = cfg.input_size
        self.size: tuple[int, int] = (int(height), int(width))
        self.mean = np.broadcast_to(np.asarray(cfg.mean, np.float32), (3,))
        self.std = np.broadcast_to(np.asarray(cfg.std, np.float32), (3,))
        self.interpolation: str = cfg.interpolation
        self.resize_mode: str = cfg.resize_mode
        # All of the reference but its last two steps, which make floats and normalise them.
        self._reference: Callable[[Image.Image], Image.Image] = Compose(
            image_transform_v2(cfg, is_train=False).transforms[:-2]
        )
        self._crops = cfg.resize_mode == "shortest" and height == width
        self._squashes = cfg.resize_mode == "squash"
        self._filter = Image.Resampling.BILINEAR if cfg.interpolation == "bilinear" else Image.Resampling.BICUBIC

    def jpeg(self, data: bytes, number: int) -> np.ndarray:
        """Return the square of a JPEG.

        Parameters
        ----------
        data : bytes
            A JPEG file.
        number : int
            Its place in the batch, for the error.

        Returns
        -------
        np.ndarray
            (height, width, 3) uint8, RGB.

        Raises
        ------
        TitleError
            The bytes are no whole JPEG.
        """
        try:
            with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
                width, height = image.size
                enough = (_SPARE * self.size[1], _SPARE * self.size[0])
                reduced = image.draft("RGB", enough) if self._crops or self._squashes else None
                # A reduced decode rounds its size up; what the picture covers of it is not whole pixels.
                covered = reduced[1][2:] if reduced else (width, height)
                rgb = image if image.mode == "RGB" else image.convert("RGB")
                return self._square(rgb, (width, height), covered)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise TitleError(
                f"Picture {number} of the batch ({len(data)} bytes) is no whole JPEG: {error}; "
                "force the title's frames to be computed again.",
                number=number,
                reason=str(error),
            ) from error

    def picture(self, pixels: np.ndarray) -> np.ndarray:
        """Return the (height, width, 3) uint8 RGB square of a picture (h, w, 3) uint8 RGB."""
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
            raise ValueError(f"a picture is (h, w, 3) uint8 RGB, this is {pixels.shape} {pixels.dtype}")
        image = Image.fromarray(np.ascontiguousarray(pixels))
        return self._square(image, image.size, image.size)

    def _square(self, image: Image.Image, whole: tuple[int, int], covered: tuple[float, float]) -> np.ndarray:
        """Resize and crop a picture of the size `whole` that covers `covered` of the pixels of `image`."""
        if self._squashes:
            box = (0.0, 0.0, *covered)
        elif self._crops:
            box = self._crop(whole, covered)
        else:
            return np.asarray(self._reference(image))
        return np.asarray(image.resize(self.size[::-1], self._filter, box))

    def _crop(self, whole: tuple[int, int], covered: tuple[float, float]) -> tuple[float, float, float, float]:
        """Return what the central square covers; only that is computed, half the work for a wide film."""
        side, short = self.size[0], min(whole)
        scaled = [int(side * length / short) for length in whole]
        across, down = (length / pixels for length, pixels in zip(covered, scaled, strict=True))
        left, top = (round((length - side) / 2.0) for length in scaled)
        return left * across, top * down, (left + side) * across, (top + side) * down
