"""Wells and growth -> the points of each dose series, one per dose and biological replicate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from kit.config.model import ExperimentConfig
from kit.core.columns import check, empty
from kit.core.errors import Problem, Problems

SCALES = ("gr", "relative_viability")
PLACE = ["cell_line", "medium", "readout", "hours", "replicate"]
SERIES = ["cell_line", "agent", "medium", "readout", "hours", "replicate"]
MICRO = {"um": "µM", "µm": "µM", "μm": "µM"}


def unit_text(unit: str) -> str:
    """A unit as people read it: µM, not uM.

    >>> unit_text("uM"), unit_text("IU/mL")
    ('µM', 'IU/mL')
    """
    return MICRO.get(unit.casefold(), unit)


def is_nutrient(agent: str, config: ExperimentConfig) -> bool:
    """Whether an agent is a nutrient whose return lets cells grow (a rising curve)."""
    known = config.agents.get(agent)
    if known is not None:
        return known.kind == "nutrient"
    return agent.casefold() in ("asparagine", "glutamine", "serine")


def series_problems(wells: pd.DataFrame, config: ExperimentConfig) -> list[Problem]:
    """What of the dose series cannot be used: an agent without unit, units mixed, doses missing."""
    problems = Problems()
    agents = wells["agent"].fillna("").astype(str).str.strip()
    rows = wells[agents.ne("") & wells["role"].eq("sample")]
    for agent, group in rows.groupby(agents, sort=True):
        place, known = f"agent '{agent}'", config.agents.get(str(agent))
        given = group["concentration_unit"].fillna("").astype(str).str.strip()
        units = sorted({unit_text(unit) for unit in given if unit})
        own = unit_text(known.unit) if known is not None and known.unit else ""
        if own:
            units = sorted({*units, own})
        if len(units) > 1:
            text = f"its doses stand in several units: {', '.join(units)}"
            problems.say("layouts", place, text, "Give all doses of an agent in one unit.")
        elif not units:
            text = "its doses have no unit"
            remedy = "Fill concentration_unit in the layout, or give agents its unit."
            problems.say("layouts", place, text, remedy)
        missing = group.loc[group["concentration"].isna()]
        for plate, lost in missing.groupby("plate", sort=True):
            names = ", ".join(lost["well"].astype(str).head(6))
            problems.say(
                f"plate {plate}",
                f"wells {names}",
                f"agent '{agent}' without a concentration",
                "Write the dose of each well; 0 for wells without agent.",
            )
    return list(problems)


def dose_points(
    growth: pd.DataFrame,
    wells: pd.DataFrame,
    config: ExperimentConfig,
    residual: Mapping[tuple[str, str, str], float] | None = None,
) -> pd.DataFrame:
    """The contract's `dose_points` from `growth` and its wells, `kit.plates.growth.per_well`.

    A drug or enzyme is read against the wells without it in the same medium, so that the response
    at dose zero is 1; a nutrient against the control medium. `residual` gives what carry-over
    leaves of (line, medium, amino acid) in µM: a nutrient's `dose` is the concentration plus this.

    Further columns: `dose`, `sd_gr`, `sd_relative_viability` (between wells).
    """
    named = growth["agent"].fillna("").astype(str).str.strip()
    treated = growth[named.ne("") & growth["concentration"].notna()]
    if treated.empty:
        return empty("dose_points")
    spread = _wells_about_zero(wells, config)
    frames = []
    for (line, agent, medium, readout, hours, replicate), rows in treated.groupby(
        SERIES, sort=False
    ):
        place = dict(zip(PLACE, (line, medium, readout, hours, replicate), strict=True))
        here = growth[
            np.logical_and.reduce([growth[key].eq(value) for key, value in place.items()])
        ]
        names = here["agent"].fillna("").astype(str).str.strip()
        nothing = here[names.eq("") | (names.eq(str(agent)) & here["concentration"].eq(0))]
        nutrient = is_nutrient(str(agent), config)
        rows = rows[rows["concentration"].gt(0)]
        if len(nothing):
            rows = pd.concat([_merged(nothing), rows], ignore_index=True)
        found = rows[["concentration", "n_wells", "log2_fc", "control_doublings", "gr"]].copy()
        found["relative_viability"] = rows["relative_viability"]
        if not nutrient:
            found = _against_zero(found, config.settings.undefined_control_doublings)
        own = spread[np.logical_and.reduce([spread[key].eq(value) for key, value in place.items()])]
        own = own[own["agent"].isin(["", str(agent)])]
        for scale in SCALES:
            sds = own.groupby("concentration")[f"{scale}{'' if nutrient else '_zero'}"].std()
            found[f"sd_{scale}"] = found["concentration"].map(sds)
        left = (residual or {}).get((str(line), str(medium), str(agent).casefold()), 0.0)
        known = config.agents.get(str(agent))
        units = [unit for unit in rows["concentration_unit"].fillna("").astype(str) if unit]
        frames.append(
            found.assign(
                **place,
                agent=agent,
                unit=units[0] if units else (known.unit if known and known.unit else ""),
                dose=found["concentration"] + (left if nutrient and np.isfinite(left) else 0.0),
                excluded=found["n_wells"].eq(0),
            )
        )
    table = pd.concat(frames, ignore_index=True)
    order = pd.Categorical(table["cell_line"], list(config.cell_lines)).codes
    table = table.assign(_line=order).sort_values(
        ["_line", "agent", "medium", "readout", "hours", "replicate", "concentration"],
        kind="stable",
        ignore_index=True,
    )
    keep = [*SERIES, "concentration", "unit", *SCALES, "n_wells", "excluded", "dose"]
    return check(table[[*keep, *(f"sd_{scale}" for scale in SCALES)]], "dose_points")


def _merged(nothing: pd.DataFrame) -> pd.DataFrame:
    """Rows without agent, and rows at dose zero, as one row weighted by wells."""
    used = nothing[nothing["n_wells"].gt(0)]
    first = nothing.iloc[[0]].assign(concentration=0.0, agent="", concentration_unit="")
    if used.empty:
        return first
    for name in ("relative_viability", "log2_fc", "gr", "control_doublings"):
        first[name] = np.average(used[name], weights=used["n_wells"])
    return first.assign(n_wells=int(used["n_wells"].sum()))


def _against_zero(rows: pd.DataFrame, undefined: float) -> pd.DataFrame:
    """Both scales against the wells without agent; GR by their own doublings."""
    zero = rows[rows["concentration"].eq(0) & rows["n_wells"].gt(0)]
    if zero.empty:
        return rows
    base = zero.iloc[0]
    doublings = rows["control_doublings"] + base["log2_fc"]
    with np.errstate(all="ignore"):
        gr = 2 ** (1 + (rows["log2_fc"] - base["log2_fc"]) / doublings) - 1
    return rows.assign(
        gr=gr.where(doublings >= undefined),
        relative_viability=rows["relative_viability"] / base["relative_viability"],
    )


def _wells_about_zero(wells: pd.DataFrame, config: ExperimentConfig) -> pd.DataFrame:
    """Each well on both scales, against control and (`_zero`) against the wells without agent."""
    table = wells.assign(agent=wells["agent"].fillna("").astype(str).str.strip())
    table["concentration"] = table["concentration"].fillna(0.0)
    zero = table[table["concentration"].eq(0)].groupby(PLACE)["relative_viability"].mean()
    table = table.merge(zero.rename("base"), left_on=PLACE, right_index=True, how="left")
    with np.errstate(all="ignore"):
        table["relative_viability_zero"] = table["relative_viability"] / table["base"]
        doublings = np.log2(table["signal_control"] * table["base"] / table["signal_0h"])
        gr = 2 ** (1 + np.log2(table["relative_viability_zero"]) / doublings) - 1
    table["gr_zero"] = gr.where(doublings >= config.settings.undefined_control_doublings)
    return table
