"""Live-imaging and kinetic exports in; one row per well, time and metric out.

Formats are recognised by their content and declared in one table (`formats.FORMATS`).
"""

from kit.readers.livecell.formats import LiveCell, read_livecell

__all__ = ["LiveCell", "read_livecell"]
