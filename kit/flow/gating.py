"""Gates: what `experiment.yaml` says about them, and each step as a function of arrays.

Thresholds are compared on the linear, compensated scale: the logicle transform is monotone, so a
quadrant holds the same events on
either scale, and only figures need the transform.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import flowutils
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Floats = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

ROLES = ("sample", "unstained", "annexin_only", "pi_only", "fmo_annexin", "fmo_pi")
"""What a file of the sample sheet is: `fmo_annexin` holds every stain but Annexin V, `fmo_pi` every
stain but PI.
"""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FromControl(_Frozen):
    """A threshold taken from control tubes: their `percentile` in the channel, after the same gates
    and compensation.
    """

    control: Literal["unstained", "annexin_only", "pi_only", "fmo_annexin", "fmo_pi"]
    """Role of the control tubes, pooled when there are several."""
    percentile: float = Field(default=99.5, gt=50, lt=100)
    """Share of the control's events that lies below, in percent [K]."""


class Logicle(_Frozen):
    """Display scale (Moore & Parks 2012): top, decades, decades of linear region, extra negative
    decades.
    """

    t: float = Field(default=262_144.0, gt=0)
    m: float = Field(default=4.5, gt=0)
    w: float = Field(default=0.5, ge=0)
    a: float = Field(default=0.0, ge=0)


Threshold = Annotated[float | FromControl, Field(union_mode="left_to_right")]


class FlowGates(_Frozen):
    """The `gates:` of a flow entry in experiment.yaml: channels and limits, the same for all of its
    files.
    """

    annexin: str
    """Channel of Annexin V ($PnN, or a $PnS that only one channel carries)."""
    pi: str
    """Channel of PI, 7-AAD, DAPI or another dye that intact cells keep out."""
    fsc_area: str = "FSC-A"
    fsc_height: str | None = "FSC-H"
    """null where the instrument records no height: singlets are then not gated, and the run says
    so.
    """
    ssc: str | None = "SSC-A"
    """Side scatter, for the figure of the debris gate only."""
    time: str | None = "Time"
    annexin_threshold: Threshold = FromControl(control="pi_only")
    """A number on the linear compensated scale, or {control: ..., percentile: ...}; at or above is
    positive.
    """
    pi_threshold: Threshold = FromControl(control="annexin_only")
    debris_fsc_min: float = Field(default=0.0, ge=0)
    """Events below this forward-scatter area are debris. Keep it generous: dying cells scatter
    less.
    """
    singlet_ratio: tuple[float, float] = (0.75, 1.3)
    """Accepted area / height, relative to `singlet_center`."""
    singlet_center: float | None = Field(default=None, gt=0)
    """Area / height of single cells; null: median of all files' events that are not debris."""
    time_start_s: float | None = None
    time_end_s: float | None = None
    """Events outside these seconds since the first event are dropped; null: no limit."""
    max_rate_change: float | None = Field(default=3.0, gt=1)
    """Stretches whose event rate is this many times above or below the median rate are dropped
    (clogs, bubbles); null: none.
    """
    compensate: Literal["auto", "none", "file", "controls"] = "auto"
    """auto: the files' own matrix, else one from single-stain controls, else none, and the run says
    which.
    """
    logicle: Logicle = Logicle()

    @model_validator(mode="after")
    def _ordered(self) -> FlowGates:
        if self.singlet_ratio[0] >= self.singlet_ratio[1]:
            raise ValueError(f"singlet_ratio should be (low, high), is {self.singlet_ratio}")
        if self.annexin == self.pi:
            raise ValueError(f"annexin and pi are both '{self.annexin}'")
        return self


@dataclass(frozen=True)
class Quadrants:
    """Counts of the four quadrants; an event on a threshold counts as positive (GatingML 2.0)."""

    viable: int
    early: int
    late: int
    necrotic: int

    @property
    def total(self) -> int:
        return self.viable + self.early + self.late + self.necrotic


def time_gate(seconds: Floats, gates: FlowGates) -> Mask:
    """Events within the time limits and outside stretches of odd event rate. `seconds`: one value
    per event, any origin.
    """
    since = seconds - np.nanmin(seconds)
    keep = np.isfinite(since)
    if gates.time_start_s is not None:
        keep &= since >= gates.time_start_s
    if gates.time_end_s is not None:
        keep &= since <= gates.time_end_s
    if gates.max_rate_change is not None:
        keep &= steady(since, gates.max_rate_change)
    return keep


def steady(since: Floats, factor: float) -> Mask:
    """False in time bins (up to 100, at least 200 events each on average) whose count is over
    `factor` from the median bin's.
    """
    bins = int(min(100, len(since) // 200))
    span = float(np.nanmax(since, initial=0.0))
    if bins < 5 or span <= 0:
        return np.ones(len(since), dtype=bool)
    place = np.minimum((np.nan_to_num(since) * (bins / span)).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    middle = float(np.median(counts))
    good = (counts <= middle * factor) & (counts >= middle / factor)
    good[-1] |= (
        counts[-1] <= middle * factor
    )  # the last stretch ends with the tube, not with its bin
    return good[place] if middle > 0 else np.ones(len(since), dtype=bool)


def singlets(ratio: Floats, center: float, band: tuple[float, float]) -> Mask:
    """Events whose pulse area / height lies within `band` x `center`: two cells in one pulse make
    it longer, not higher.
    """
    return (ratio >= band[0] * center) & (ratio <= band[1] * center)


def quadrants(
    annexin: Floats, pi: Floats, annexin_threshold: float, pi_threshold: float
) -> Quadrants:
    """Count the four quadrants; values and thresholds on one scale, whichever."""
    right, up = annexin >= annexin_threshold, pi >= pi_threshold
    late, positive, dead = (int(np.count_nonzero(mask)) for mask in (right & up, right, up))
    return Quadrants(
        viable=len(annexin) - positive - dead + late,
        early=positive - late,
        late=late,
        necrotic=dead - late,
    )


def logicle(values: Floats, scale: Logicle) -> NDArray[np.float64]:
    """Logicle display value (0 bottom, 1 top of scale) of linear values."""
    return flowutils.transforms.logicle(
        np.asarray(values, dtype=np.float64), None, t=scale.t, m=scale.m, w=scale.w, a=scale.a
    )
