"""Names as people mean them: letters that print alike are one letter."""

from __future__ import annotations

import unicodedata

_ALIKE = str.maketrans(
    {
        "\u03bc": "\u00b5",  # Greek mu for the micro sign
        "\u00a0": " ",
        "\u2007": " ",
        "\u2009": " ",
        "\u202f": " ",
        "\u200b": None,
        "\u2060": None,
        "\ufeff": None,
    }
)


def plain_name(text: str) -> str:
    """A name composed (NFC), with one kind of space and one micro sign, none at its ends.

    >>> plain_name("mu\u0308\u00a0\u03bcM ") == "mü \u00b5M"
    True
    """
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", text).translate(_ALIKE).strip()
