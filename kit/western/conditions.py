"""Which lanes are basal and which starved, and what starvation did to ASNS: induction beside ATF4
tells a competent line from a silenced one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from kit.config.settings import Settings
from kit.western.rows import row

BASAL = "basal"
_BASAL_WORDS = {"", "nan", "none", BASAL, "control", "untreated"}
_STARVED = re.compile(
    r"(no|minus|without|free|-|\u2212|0)[ _]*(l[ -])?(asn|asparagine)(?![a-z])|asn(ase)?["
    r" _-]*free|asparagine[ _-]*free|asparaginase|asnase"
)
_COLUMNS = (
    "cell_line",
    "replicate",
    "condition",
    "starved",
    "induction_log2",
    "atf4_log2",
    "response",
    "membrane",
    "code",
)
RESPONSE_CODES = {
    "competent": "W14_COMPETENT",
    "silenced": "W14_SILENCED",
    "stimulus failed": "W14_STIMULUS_FAILED",
    "not assessed": "W14_NOT_ASSESSED",
}


def with_conditions(bands: pd.DataFrame, media: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """`bands` with `condition` basal where it is missing or names the control medium, and `starved`
    where the lysate lacked asparagine.
    """
    roles = {_plain(name): medium for name, medium in (media or {}).items()}
    basal = _BASAL_WORDS | {name for name, medium in roles.items() if medium.role == "control"}
    without = {
        name
        for name, medium in roles.items()
        if medium.role == "dropout" and "asparagine" in str(medium.removes)
    }
    given = bands["condition"] if "condition" in bands else pd.Series(BASAL, index=bands.index)
    words = {name: _plain(name) for name in given.unique()}
    condition = given.map(lambda name: BASAL if words[name] in basal else str(name).strip())
    starved = given.map(
        lambda name: (
            words[name] not in basal
            and (words[name] in without or bool(_STARVED.search(words[name])))
        )
    )
    return bands.assign(condition=condition, starved=starved.astype(bool))


def _plain(name: object) -> str:
    return "" if pd.isna(name) else str(name).strip().casefold()  # type: ignore[call-overload]


def induction(lanes: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """ASNS and ATF4 (log2) of each line, lysate and condition against its own basal lane on the
    same membrane, and the `response`.

    Levels at or below the floor (a share of the reference; of the higher of the two for ATF4) stand
    at it, so that a band that appears
    from nothing is a rise and no infinity.
    """
    samples = lanes[
        (lanes["lane_role"] == "sample") & lanes["asns_relative"].notna() & ~lanes["not_linear"]
    ]
    keys = ["membrane", "cell_line", "replicate"]
    level = samples.groupby([*keys, "condition", "starved"], as_index=False)[
        ["asns_relative", "atf4"]
    ].mean()
    basal = level[level["condition"] == BASAL].drop(columns=["condition", "starved"])
    both = level[level["condition"] != BASAL].merge(
        basal, on=keys, how="inner", suffixes=("", "_basal"), validate="many_to_one"
    )
    floor = settings.asns_floor_percent / 100
    both["induction_log2"] = np.log2(
        both["asns_relative"].clip(lower=floor) / both["asns_relative_basal"].clip(lower=floor)
    )
    least = floor * both[["atf4", "atf4_basal"]].max(axis=1)
    known = both[["atf4", "atf4_basal"]].notna().all(axis=1) & (least > 0)
    both["atf4_log2"] = np.log2(
        (both["atf4"].clip(lower=least) / both["atf4_basal"].clip(lower=least)).where(known)
    )
    pairs = zip(both["induction_log2"], both["atf4_log2"])
    both["response"] = [
        response_of(asns, atf4, threshold=settings.min_induction_log2) for asns, atf4 in pairs
    ]
    both["code"] = both["response"].map(RESPONSE_CODES)
    return both[list(_COLUMNS)]


def response_of(asns_log2: float, atf4_log2: float, *, threshold: float = 1.0) -> str:
    """What amino-acid starvation tells: ATF4 and ASNS up: competent; ATF4 up, ASNS flat: silenced
    (predicts auxotrophy); ATF4 flat: no stimulus.
    """
    if math.isnan(atf4_log2) or math.isnan(asns_log2):
        return "not assessed"
    if atf4_log2 < threshold:
        return "stimulus failed"
    return "competent" if asns_log2 >= threshold else "silenced"


def induction_rows(
    lanes: pd.DataFrame, induced: pd.DataFrame, settings: Settings
) -> Iterator[dict[str, Any]]:
    """W14: basal and starved lanes of a line on one membrane, with ATF4; lines without a basal lane
    by name.
    """
    samples = lanes[lanes["lane_role"] == "sample"]
    for found in induced.to_dict("records"):
        subject = (
            f"{found['membrane']}, {found['cell_line']}, lysate {found['replicate']},"
            f" {found['condition']}"
        )
        atf4 = (
            "ATF4 not measured"
            if math.isnan(found["atf4_log2"])
            else f"ATF4 {found['atf4_log2']:+.1f} log2"
        )
        values = {
            "asns": f"{found['induction_log2']:+.1f}",
            "atf4": atf4,
            "response": found["response"],
        }
        verdict = {"competent": "pass", "silenced": "info"}.get(found["response"], "warn")
        yield row(RESPONSE_CODES[found["response"]], subject, verdict, settings, **values)
    basal = {
        (lane["membrane"], lane["cell_line"])
        for lane in samples[samples["condition"].eq(BASAL)].to_dict("records")
    }
    for membrane, own in samples.groupby("membrane", sort=False):
        lacking = [
            str(line) for line in dict.fromkeys(own["cell_line"]) if (membrane, line) not in basal
        ]
        if lacking:
            names = ", ".join(
                f"'{name}'"
                for name in dict.fromkeys(own.loc[own["cell_line"].isin(lacking), "condition"])
            )
            values = {"lines": ", ".join(lacking), "conditions": names}
            yield row("W14_NO_BASAL", membrane, "warn", settings, **values)
    if induced.empty and samples["condition"].eq(BASAL).all():
        yield row("W14_NOT_MEASURED", "all membranes", "info", settings)
