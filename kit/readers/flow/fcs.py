"""FCS files (2.0, 3.0, 3.1) as plain arrays.

Keywords are parsed by FlowIO; the events are decoded here in one vectorised step, because the size
of the data segment follows
from $TOT, $PAR and $PnB, which settles most files whose two statements of its position disagree.
What had to be settled is kept
in `Events.notes`; what cannot be settled is refused in words.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any, BinaryIO

import flowio
import flowutils
import numpy as np
from flowio.exceptions import FlowIOException
from numpy.typing import NDArray

from kit.core.errors import InputError, Problem, refused
from kit.readers.flow.events import Events, Spill

_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    TypeError,
    NotImplementedError,
    MemoryError,
    re.error,
    FlowIOException,
)
_BYTE_ORDER = {
    "1,2,3,4": "<",
    "1,2": "<",
    "1,2,3,4,5,6,7,8": "<",
    "4,3,2,1": ">",
    "2,1": ">",
    "8,7,6,5,4,3,2,1": ">",
}
_EXPORT_AGAIN = "Export the file again from the instrument's software as FCS 3.1 list mode."
_MAX_DATA_SETS = 50
_MOST_ODD = 0.02
"""Share of values outside every range that is still taken for a detector's."""
_FLAGS = 64
"""Different values above $PnR that a program may write as flags in bits nobody uses."""
_LEAST = len("/$P1B/8/$P1N/A/$P1R/9")
"""Least bytes of TEXT that a channel takes."""


def read_fcs(path: Path | str, *, name: str | None = None, dataset: int | None = None) -> Events:
    """Read one FCS file; `dataset` (1-based) picks one of several in a file. Raise InputError when
    it cannot be trusted.

    Several data sets with the same number of events are the same acquisition written twice (Beckman
    Coulter LMD: a coarse FCS 2.0 and
    a full FCS 3.0 copy), and the last is taken; with different numbers the sheet has to say which
    one is meant.
    """
    path, name = Path(path), name or Path(path).name
    size = _file_size(path, name)
    sets = _data_sets(path, name)
    offset, flow, notes = _choose(sets, dataset, name)
    start, moved = _data_start(flow, offset, size, name)
    raw = _decode(path, flow, (offset, offset + start), name)
    values, ranges, unclear = _linear(raw, flow)
    spill, spill_notes = _spill(flow)
    if not np.isfinite(values).all():
        unclear = (
            *unclear,
            (
                f"{int((~np.isfinite(values)).any(axis=1).sum())} events hold values that are not"
                " numbers and fall outside every gate"
            ),
        )
    return Events(
        name,
        tuple(flow.pnn_labels),
        tuple(flow.pns_labels),
        values,
        ranges,
        spill,
        dict(flow.text),
        (*notes, *moved, *unclear, *spill_notes),
    )


def _file_size(path: Path, name: str) -> int:
    try:
        size = path.stat().st_size
    except OSError:
        raise refused(
            name,
            "the file does not exist or cannot be opened",
            "Check the path in the sample sheet.",
        ) from None
    if path.is_dir():
        raise refused(name, "is a folder, not an FCS file")
    with path.open("rb") as handle:
        start = handle.read(6)
    if not re.fullmatch(rb"FCS\d\.\d", start):
        what = (
            "the file is empty"
            if not size
            else f"does not begin with an FCS header (it begins with {start!r})"
        )
        raise refused(
            name, what, "Check that the right file was copied, and completely.", place="byte 1"
        )
    return size


def _text(handle: BinaryIO, offset: int) -> BinaryIO:
    """The file for FlowIO, its keywords as the standard wants them, once they could be true.

    Partec puts spaces before the first delimiter and before keywords. A number of channels that the
    TEXT segment is too short to name would fill the memory.
    """
    handle.seek(offset)
    head = handle.read(58)
    start, stop = int(head[10:18]), int(head[18:26])
    handle.seek(offset + start)
    text = handle.read(max(0, stop - start + 1))
    bare = text.lstrip(b" \0")
    mark = re.escape(bare[:1])
    channels = re.search(mark + rb"\s*\$PAR\s*" + mark + rb"\s*(\d+)", bare, re.IGNORECASE)
    if channels and int(channels[1]) > len(bare) // _LEAST:
        raise ValueError(f"$PAR is {int(channels[1]):,}, more channels than the header can name")
    clean = re.sub(mark + rb"[ \0]+(?=\$)", lambda _: bare[:1], bare)
    if clean == text or not bare:
        return handle
    handle.seek(0)
    data = bytearray(handle.read())
    first = offset + start
    data[first : first + len(text)] = clean.rjust(len(text))
    data[offset + 10 : offset + 18] = b"%8d" % (start + len(text) - len(clean))
    return io.BytesIO(data)


def _header(path: Path, offset: int) -> flowio.FlowData:
    """Keywords and channels of the data set at byte `offset`; TEXT positions first, HEADER
    positions when those are impossible.
    """
    for choice in ({"ignore_offset_discrepancy": True}, {"use_header_offsets": True}):
        with path.open("rb") as file:  # FlowIO leaves files it cannot read open
            try:
                handle = _text(file, offset)
                return flowio.FlowData(handle, only_text=True, nextdata_offset=offset, **choice)
            except _UNREADABLE as error:
                reason = error
    raise reason


def _data_sets(path: Path, name: str) -> list[tuple[int, flowio.FlowData]]:
    """(byte offset, keywords) of every data set in the file."""
    sets: list[tuple[int, flowio.FlowData]] = []
    offset = 0
    while len(sets) < _MAX_DATA_SETS:
        try:
            flow = _header(path, offset)
            step = int(flow.text.get("nextdata", "0"))
        except _UNREADABLE as error:
            raise InputError(_broken_header(error, name, len(sets) + 1)) from None
        _check_channels(flow, name)
        sets.append((offset, flow))
        if step == 0:
            break
        if step < 0:
            raise refused(name, f"points backwards ({step})", _EXPORT_AGAIN, place="$NEXTDATA")
        offset += step
    return sets


def _check_channels(flow: flowio.FlowData, name: str) -> None:
    if sorted(flow.channels) != list(range(1, flow.channel_count + 1)):
        what = f"the keywords $PnN do not name its channels 1 to {flow.channel_count} ($PAR)"
        raise refused(name, what, _EXPORT_AGAIN, place="header")
    for number, channel in flow.channels.items():
        numbers = (*channel["pne"], channel["pnr"], channel["png"])
        if not all(np.isfinite(numbers)) or channel["pnr"] <= 0 or not 0 <= channel["pne"][0] <= 20:
            what = (
                f"range {channel['pnr']:g}, amplification {channel['pne']} and gain"
                f" {channel['png']:g} make no scale"
            )
            raise refused(name, what, _EXPORT_AGAIN, place=f"channel {number}")


def _broken_header(error: BaseException, name: str, number: int) -> Problem:
    if "file size" in str(error):
        what = "is cut short: its header places events beyond its last byte"
        return Problem(name, f"data set {number}", what, "Copy the file from the instrument again.")
    return Problem(
        name, f"data set {number}", f"the header cannot be read ({_reason(error)})", _EXPORT_AGAIN
    )


def _reason(error: BaseException) -> str:
    text = str(error).strip("'\" ")
    return (
        f"keyword ${text.upper()} is missing"
        if isinstance(error, KeyError)
        else (text or type(error).__name__)
    )


def _choose(
    sets: list[tuple[int, flowio.FlowData]], dataset: int | None, name: str
) -> tuple[int, flowio.FlowData, tuple[str, ...]]:
    if dataset is not None:
        if not 1 <= dataset <= len(sets):
            raise refused(
                name,
                f"the file holds {len(sets)} data set(s)",
                f"Give 1 to {len(sets)}.",
                place=f"data set {dataset}",
            )
        return *sets[dataset - 1], ()
    counts = [flow.event_count for _, flow in sets]
    if len(set(counts)) > 1:
        listing = ", ".join(f"{number}: {count} events" for number, count in enumerate(counts, 1))
        raise refused(
            name,
            f"holds {len(sets)} data sets ({listing})",
            "Say which in the sample sheet's column 'dataset'.",
        )
    note = (
        (f"holds {len(sets)} copies of the same {counts[-1]} events; the last was read",)
        if len(sets) > 1
        else ()
    )
    return *sets[-1], note


def _dtype(flow: flowio.FlowData, name: str) -> np.dtype[Any]:
    """NumPy type of one event; raise InputError for what FCS allows but no current instrument
    writes.
    """
    text = flow.text
    order = _BYTE_ORDER.get(text.get("byteord", "").replace(" ", ""))
    kind, mode = flow.data_type.strip().upper(), text.get("mode", "L").strip().upper()
    widths = [text.get(f"p{number}b", "").strip() for number in range(1, flow.channel_count + 1)]
    bits = [int(width) if width.isdecimal() else 0 for width in widths]
    trouble = ""
    if mode != "L":
        trouble = f"$MODE is {mode}: a histogram, not single events"
    elif order is None:
        trouble = f"$BYTEORD is '{text.get('byteord', '')}', which is not supported"
    elif kind in "FD" and kind:
        bits = [32 if kind == "F" else 64] * flow.channel_count
    elif kind != "I":
        trouble = f"$DATATYPE is '{flow.data_type}', which is not supported"
    elif not set(bits) <= {8, 16, 32, 64}:
        trouble = (
            f"integers of {', '.join(sorted({repr(width) for width in widths}))} bits ($PnB) are"
            " not supported"
        )
    if trouble:
        raise refused(name, trouble, _EXPORT_AGAIN, place="header")
    code = "u" if kind == "I" else "f"
    return np.dtype(
        [(f"c{number}", f"{order}{code}{width // 8}") for number, width in enumerate(bits)]
    )


def _data_start(
    flow: flowio.FlowData, offset: int, size: int, name: str
) -> tuple[int, tuple[str, ...]]:
    """Byte (within its data set) at which the events begin, and what was wrong with the statements
    of it.

    $TOT x bytes per event is the length the segment must have; the TEXT statement is taken when it
    fits (a last byte one too far
    is a common slip), else the HEADER's, else the file is refused.
    """
    if flow.channel_count < 1 or flow.event_count < 1:
        raise refused(
            name,
            f"the file holds {flow.event_count} events",
            "Leave the tube out, or record it again.",
            place="$TOT",
        )
    need = flow.event_count * _dtype(flow, name).itemsize
    head = (flow.header["data_start"], flow.header["data_stop"])
    try:
        text = (int(flow.text["begindata"]), int(flow.text["enddata"]))
    except (KeyError, ValueError):
        text = head
    stated = {"TEXT": head if flow.version == "2.0" else text, "HEADER": head}
    fitting = {
        source: start
        for source, (start, stop) in stated.items()
        if start > 0 and stop - start + 1 - need in (0, 1) and offset + start + need <= size
    }
    if len(set(fitting.values())) > 1:
        # Accuri C6 and CyAn files state a wrong place in TEXT: events begin right behind TEXT.
        behind = [s for s, start in fitting.items() if start == flow.header["text_stop"] + 1]
        if len(behind) != 1:
            what = f"HEADER and TEXT place the events at bytes {_span(head)} and {_span(text)}"
            raise refused(name, what, _EXPORT_AGAIN, place="data")
        stated = {behind[0]: stated[behind[0]]}
    for source, (start, stop) in stated.items():
        if start > 0 and stop - start + 1 - need in (0, 1) and offset + start + need <= size:
            notes = (
                (f"{source} says the events end one byte later than they do",)
                if stop - start + 1 > need
                else ()
            )
            if flow.version != "2.0" and text != head and head != (0, 0):
                notes = (
                    *notes,
                    (
                        f"HEADER and TEXT place the events differently ({_span(head)},"
                        f" {_span(text)}); {source} fits $TOT and was used"
                    ),
                )
            return start, notes
    start, stop = stated["TEXT"]
    if offset + start + need > size:
        what = (
            f"is cut short: {flow.event_count} events need {offset + start + need:,} bytes, the"
            f" file has {size:,}"
        )
        raise refused(name, what, "Copy the file from the instrument again.", place="data")
    what = (
        f"the events take {need:,} bytes by $TOT, but HEADER says bytes {_span(head)} and TEXT"
        f" {_span(text)}"
    )
    raise refused(name, what, _EXPORT_AGAIN, place="data")


def _span(pair: tuple[int, int]) -> str:
    return f"{pair[0]}-{pair[1]}"


def _decode(path: Path, flow: flowio.FlowData, at: tuple[int, int], name: str) -> NDArray[Any]:
    """Events x channels as stored; integers masked to the bits $PnR uses (FCS 3.1 section
    3.2.20).
    """
    dtype = _dtype(flow, name)
    offset, start = at
    record = np.fromfile(path, dtype=dtype, count=flow.event_count, offset=start)
    kinds = {dtype[number] for number in range(flow.channel_count)}
    if len(kinds) == 1:
        raw = record.view(kinds.pop()).reshape(len(record), -1)
    else:
        raw = np.column_stack([record[column].astype(np.uint64) for column in dtype.names or ()])
    _check_values(raw, flow, name)
    _check_rest(path, flow, offset, start + len(record) * dtype.itemsize, name)
    if dtype[0].kind == "u":
        masks = [
            _mask(top, 8 * dtype[number].itemsize) for number, top in enumerate(flow.pnr_values)
        ]
        raw = raw & np.array(masks, dtype=raw.dtype.newbyteorder("="))
    return raw


_LOST = "Bytes before the events were lost or put in: copy the file from the instrument again."


def _check_values(raw: NDArray[Any], flow: flowio.FlowData, name: str) -> None:
    """Refuse values that no detector gives: events read some bytes beside where they begin."""
    for number, top in enumerate(flow.pnr_values):
        if number == flow.time_index:
            continue
        column = raw[:, number]
        if column.dtype.kind == "u":
            above = column[column > _mask(top, 8 * column.dtype.itemsize)]
            odd = len(above) / len(column) if len(np.unique(above)) > _FLAGS else 0.0
        else:
            size = np.abs(column[np.isfinite(column)].astype(np.float64))
            odd = float(
                ((size > 1e6 * max(top, 1e4)) | ((size > 0) & (size < 1e-20))).mean()
                if len(size)
                else 0
            )
        if odd > _MOST_ODD:
            what = f"{odd:.0%} of the values of {flow.pnn_labels[number]} lie far outside its range"
            raise refused(name, what, _LOST, place=f"$P{number + 1}R {top:g}")


def _check_rest(path: Path, flow: flowio.FlowData, offset: int, end: int, name: str) -> None:
    """Refuse bytes behind the events that are no checksum (8 digits) and no filling, where they are
    few or the keywords do not end where the header says.
    """
    with path.open("rb") as handle:
        handle.seek(end)
        rest = handle.read(8)
        handle.seek(offset + flow.header["text_start"])
        mark = handle.read(1)
        handle.seek(offset + flow.header["text_stop"])
        closing = handle.read(2)
    filling = not rest.strip(b" \0\r\n\x1a") or rest.startswith(b"FCS")
    if filling or (len(rest) == 8 and rest.isdigit()) or len(rest) == 1:
        return
    if len(rest) < 8 or (mark not in closing and closing.strip(b" \0")):
        what = "the events do not fill the file: other bytes stand behind the last"
        raise refused(name, what, _LOST, place="data")


def _mask(top: float, bits: int) -> int:
    used = min(max(int(top) - 1, 0).bit_length(), bits) or bits
    return (1 << used) - 1


def _linear(
    raw: NDArray[Any], flow: flowio.FlowData
) -> tuple[NDArray[np.float32], tuple[float, ...], tuple[str, ...]]:
    """Undo log amplification ($PnE, integers only: FCS 3.1 requires 0,0 for floats) and gain
    ($PnG), scale time by $TIMESTEP.
    """
    values = np.ascontiguousarray(raw, dtype=np.float32)
    values = values.copy() if np.shares_memory(values, raw) else values
    ranges: list[float] = []
    notes: tuple[str, ...] = ()
    for column in range(flow.channel_count):
        channel = flow.channels[column + 1]
        (decades, floor), top = channel["pne"], channel["pnr"]
        if decades > 0 and flow.data_type.upper() == "I":
            values[:, column] = floor * 10.0 ** (decades * raw[:, column].astype(np.float64) / top)
            top = floor * 10.0**decades
        elif decades > 0:
            notes = (
                (
                    "a channel of floats claims log amplification ($PnE), which the standard"
                    " forbids; its values were taken as linear"
                ),
            )
        if column == flow.time_index:
            values[:, column] *= _time_step(flow)
        elif channel["png"] not in (0.0, 1.0):
            values[:, column] /= channel["png"]
            top /= channel["png"]
        ranges.append(float(top))
    return values, tuple(ranges), notes


def _time_step(flow: flowio.FlowData) -> float:
    try:
        return float(flow.text.get("timestep", "1").strip() or 1)
    except ValueError:
        return 1.0


def _spill(flow: flowio.FlowData) -> tuple[Spill | None, tuple[str, ...]]:
    """The matrix of $SPILLOVER, $SPILL or, in FCS 2.0 and 3.0, $COMP; None, and a note, when it is
    malformed or names channels the file
    lacks."""
    key = next(
        (key for key in ("spillover", "spill", "comp") if flow.text.get(key, "").strip()), None
    )
    if key is None:
        return None, ()
    label = f"${key.upper()}"
    try:
        matrix, names = (
            _comp(flow) if key == "comp" else flowutils.compensate.get_spill(flow.text[key])
        )
    except (ValueError, IndexError):
        return None, (f"its {label} cannot be read: it was not compensated",)
    strangers = [name for name in names if name not in flow.pnn_labels]
    if strangers:
        return None, (f"its {label} names unknown channels: {', '.join(strangers)}",)
    if not np.isfinite(matrix).all() or np.linalg.cond(matrix) > 1e6:
        return None, (f"its {label} cannot be inverted",)
    return Spill(tuple(names), np.asarray(matrix, dtype=np.float64)), ()


def _comp(flow: flowio.FlowData) -> tuple[NDArray[np.float64], list[str]]:
    """$COMP: n, then n x n values row by row (row: dye, column: detector) over all n parameters in
    their order; some programs name the
    channels as in $SPILLOVER.

    Raises ValueError where the values do not fit the parameters, or the diagonal is not 1
    (percents, or another matrix).
    """
    first, *rest = flow.text["comp"].split(",")
    if rest and not re.fullmatch(r"\s*[-+.\de]+\s*", rest[0], flags=re.IGNORECASE):
        matrix, names = flowutils.compensate.get_spill(flow.text["comp"])
    else:
        names = list(flow.pnn_labels)
        if int(first) != len(names) or len(rest) != len(names) ** 2:
            raise ValueError("not one value for each pair of parameters")
        matrix = np.array([float(value) for value in rest]).reshape(len(names), len(names))
    if not np.allclose(np.diag(matrix), 1):
        raise ValueError("the diagonal is not 1")
    return np.asarray(matrix, dtype=np.float64), list(names)
