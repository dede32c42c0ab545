"""Blot and gel images (8 or 16 bit TIFF, PNG) as a 2-D array; lossy images are refused."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from kit.core.errors import InputError, refused

_LOSSY_TIFF = {
    6,
    7,
    33003,
    33005,
    34712,
}  # old JPEG, JPEG, JPEG 2000 variants (TIFF compression tag)
_WHY_LOSSY = (
    "JPEG is lossy and 8 bit: compression changes the pixels around every band and hides"
    " saturation, so their sum is no longer a signal"
)
_EXPORT = "Export the raw 16-bit TIFF from the imager."
_MAX_PIXELS = 50_000_000
_MAX_PAGES = 100
_MOST_PACKED = 200
"""Bytes of pixels per byte of file: a camera's noise packs far less; above a few million pixels
such a file is no measurement.
"""


@dataclass(frozen=True)
class BlotImage:
    """Grey levels as the detector wrote them.

    `pixels` float array of rows x columns, bands BRIGHT (an image with dark bands is turned over:
    `inverted`);
    `maximum` the largest value the file can hold; `bits` 8 or 16; `name` the file as the user knows
    it.
    """

    pixels: np.ndarray
    maximum: float
    bits: int
    inverted: bool
    name: str


def read_blot_image(
    path: Path | str, *, name: str = "", dark_bands: bool | None = None
) -> BlotImage:
    """Read one image; `dark_bands` None: told from the image (bands are rarer than background).

    Raises InputError for lossy, colour, multi-page, floating-point, unreadable or empty images.
    """
    path = Path(path)
    name = name or path.name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise refused(name, f"cannot be read ({error.strerror or 'no such file'})") from None
    raw = _decode(data, name)
    if raw.dtype not in (np.uint8, np.uint16) or raw.ndim != 2 or min(raw.shape) < 16:
        raise refused(
            name,
            (
                f"is an image of {raw.dtype}, {' x '.join(map(str, raw.shape))}, not a grey image"
                " of 8 or 16 bit"
            ),
            _EXPORT,
        )
    maximum = float(np.iinfo(raw.dtype).max)
    pixels = raw.astype(float)
    inverted = _looks_dark(pixels) if dark_bands is None else dark_bands
    return BlotImage(
        maximum - pixels if inverted else pixels, maximum, raw.dtype.itemsize * 8, inverted, name
    )


def _decode(data: bytes, name: str) -> np.ndarray:
    if data[:2] == b"\xff\xd8" or data[4:8] == b"jP  ":
        disguise = (
            ""
            if name.lower().endswith(("jpg", "jpeg", "jp2"))
            else "is a JPEG whatever its name says; "
        )
        raise refused(name, disguise + _WHY_LOSSY, _EXPORT)
    try:
        if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            return _grey(_tiff(data, name), name)
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            return _grey(_png(data, name), name)
    except InputError:
        raise
    except (
        Exception
    ) as error:  # any of a dozen codecs may fail on a damaged file, each with its own exception
        raise refused(
            name, f"is damaged or not an image this kit reads ({error})", _EXPORT
        ) from None
    raise refused(name, "is neither TIFF nor PNG", _EXPORT)


def _tiff(data: bytes, name: str) -> np.ndarray:
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page: Any = tiff.pages[0]
        if int(page.compression) in _LOSSY_TIFF:
            raise refused(name, f"holds JPEG inside a TIFF: {_WHY_LOSSY}", _EXPORT)
        pages = list(islice(iter(tiff.pages), _MAX_PAGES + 1))
        if len(pages) > _MAX_PAGES:
            what = (
                f"holds more than {_MAX_PAGES} pages, or pages that follow each other in a circle"
            )
            raise refused(name, what, _EXPORT)
        full = [other for other in pages if other.shape == page.shape]
        if len(full) > 1:
            raise refused(
                name,
                f"holds {len(full)} images",
                "Save the channel to be measured as its own file.",
            )
        _check_size(math.prod(page.shape), page.dtype.itemsize if page.dtype else 1, data, name)
        pixels: np.ndarray = page.asarray()
        return (
            np.iinfo(pixels.dtype).max - pixels
            if int(page.photometric) == 0 and pixels.dtype.kind == "u"
            else pixels
        )


def _check_size(pixels: int, size: int, data: bytes, name: str) -> None:
    """Refuse what would fill the memory, before it is unpacked."""
    if pixels > _MAX_PIXELS:
        what = f"has {pixels:,} pixels, more than {_MAX_PIXELS:,}"
        raise refused(name, what, "Crop it to the membrane.")
    if pixels > 4_000_000 and pixels * size > _MOST_PACKED * len(data):
        what = f"has {pixels:,} pixels in {len(data):,} bytes, which no camera writes"
        raise refused(name, what, _EXPORT)


def _png(data: bytes, name: str) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        _check_size(image.size[0] * image.size[1], 2, data, name)
        if image.mode.startswith("I"):
            return np.asarray(image.convert("I")).astype(np.uint16)
        if image.mode in ("P", "1"):
            image = image.convert("RGB")  # type: ignore[assignment]
        return np.asarray(image)


def _grey(pixels: np.ndarray, name: str) -> np.ndarray:
    """One channel; a grey image saved as RGB has three equal ones, a colour image has no one
    signal.
    """
    if pixels.ndim == 3 and pixels.shape[-1] in (2, 4):
        pixels = pixels[..., :-1]  # alpha
    if pixels.ndim == 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim != 3 or pixels.shape[-1] != 3:
        return pixels
    if (pixels.max(axis=-1) != pixels.min(axis=-1)).any():
        raise refused(name, "is a colour image: its grey levels are not the detector's", _EXPORT)
    return pixels[..., 0]


def _looks_dark(pixels: np.ndarray) -> bool:
    """Dark bands on bright background: the border, which holds no band, is brighter than the middle
    of the range.
    """
    border: Any = np.concatenate(
        [pixels[:3].ravel(), pixels[-3:].ravel(), pixels[:, :3].ravel(), pixels[:, -3:].ravel()]
    )
    return bool(np.median(border) > (np.percentile(pixels, 0.5) + np.percentile(pixels, 99.5)) / 2)
