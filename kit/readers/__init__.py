"""Instrument files in; tables out. One package for each kind of file, formats recognised by
content.
"""

from kit.core.wells import parse_well, well_name
from kit.readers.plates.plates import FORMATS, read_plates
from kit.readers.plates.reads import Read, choose

__all__ = ["FORMATS", "Read", "choose", "parse_well", "read_plates", "well_name"]
