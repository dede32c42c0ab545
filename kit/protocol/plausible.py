"""Checks of what is possible: P26 to P30. They find mistakes that every other check passes, such
as a unit typed wrongly, plates exchanged, a toxic medium, or a replicate that was copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from kit.config.model import CALLED
from kit.core.findings import band
from kit.core.wells import PLATES, plate_shape
from kit.protocol.base import Check, Evidence, Ruling, scope_of

USUAL_UM = {"asparagine": (100.0, 378.0), "glutamine": (2000.0, 4000.0), "serine": (286.0, 400.0)}
"""Lowest and highest of DMEM, RPMI 1640 and the source protocol, zero apart."""
COMPARED = ("control", "dropout", "rescue")
TREATED = ["cell_line", "medium", "agent", "concentration"]
MIN_SPARE_WELLS = 20
"""Fewer wells beyond the fitted means correlate at 0.8 by chance."""


def usual_concentrations(evidence: Evidence) -> Iterator[Ruling]:
    """P26: a value far from every usual recipe was probably typed in another unit."""
    config, factor = evidence.config, evidence.settings.max_concentration_factor
    for amino_acid in CALLED:
        low, high = USUAL_UM[amino_acid]
        odd: dict[float, list[str]] = {}
        for name, medium in config.media.items():
            made = getattr(medium, f"{amino_acid}_uM", None)
            if medium.role in COMPARED and made and not low / factor < made < high * factor:
                odd.setdefault(float(made), []).append(name)
        for made, media in odd.items():
            values = {"made": made, "amino_acid": amino_acid, "usual": f"{low:g} to {high:g}"}
            scopes = {scope_of(config, name) for name in media}
            scope = scopes.pop() if len(scopes) == 1 else "all"
            yield Ruling("P26_UNUSUAL", ", ".join(media), "warn", values, scope)


def doublings_possible(evidence: Evidence) -> Iterator[Ruling]:
    """P27: the growth of control against the stated doubling time, the other replicates, and what
    cells can do.
    """
    rows = _control_rows(evidence)
    for line, group in rows.groupby("cell_line", sort=False):
        yield from _against_stated(evidence, str(line), group)
        yield from _against_each_other(evidence, str(line), group)
    yield from _faster_than_control(evidence)


def _control_rows(evidence: Evidence) -> pd.DataFrame:
    arms = evidence.arms
    if arms is None or "control_doublings" not in arms:
        return pd.DataFrame(columns=["cell_line", "control_doublings", "gr_basis"])
    control = arms["medium"].eq(evidence.config.control_medium)
    return arms[control & arms["control_doublings"].notna()]


def _against_stated(evidence: Evidence, line: str, rows: pd.DataFrame) -> Iterator[Ruling]:
    settings, stated = evidence.settings, evidence.config.cell_lines[line].doubling_time_h
    slow, fast = settings.min_growth_rate_ratio, settings.max_growth_rate_ratio
    wrong, measured = False, rows[rows["gr_basis"].eq("0 h plate")]
    for row in rows.itertuples():
        got, most = float(row.control_doublings), row.hours / settings.min_possible_doubling_h
        values = {"got": got, "which": f"replicate {row.replicate:g}", "hours": float(row.hours)}
        if got < 0:
            wrong = True
            yield Ruling("P27_NEGATIVE", line, "warn", values, line)
        elif got > most:
            wrong = True
            out = bool(getattr(row, "left_out", False))
            code = "P27_LEFT_OUT" if out else "P27_IMPOSSIBLE"
            yield Ruling(code, line, "warn" if out else "fail", values, line)
        elif stated and row.gr_basis == "0 h plate":
            values["wanted"] = float(row.hours / stated)
            if not slow <= got * stated / row.hours <= fast:
                wrong = True
                yield Ruling("P27_DOUBLINGS", line, "warn", values, line)
    if stated and len(measured) and not wrong:
        values = {
            "got": float(measured["control_doublings"].mean()),
            "wanted": float(measured["hours"].mean() / stated),
            "which": "the mean of the replicates",
        }
        yield Ruling("P27_DOUBLINGS", line, "pass", values, line)


def _against_each_other(evidence: Evidence, line: str, rows: pd.DataFrame) -> Iterator[Ruling]:
    measured = rows[rows["gr_basis"].eq("0 h plate")]
    if "left_out" in measured:
        measured = measured[~measured["left_out"].astype(bool)]
    got = measured.groupby("replicate")["control_doublings"].mean()
    got = got[got > 0]
    if len(got) > 1:
        good = got.max() / got.min() <= evidence.settings.max_doublings_ratio
        values = {"least": float(got.min()), "most": float(got.max())}
        yield Ruling("P27_REPLICATES", line, band(good, False), values, line)


def _faster_than_control(evidence: Evidence) -> Iterator[Ruling]:
    limit = evidence.settings.max_gr
    for (line, medium), gr in _mean_by_medium(evidence, "gr").items():
        if gr > limit:
            values = {"gr": float(gr), "medium": medium}
            yield Ruling("P27_GR", line, "warn", values, _scope(evidence, line, medium))


def _mean_by_medium(evidence: Evidence, column: str) -> pd.Series:
    """Mean over biological replicates, by line and medium."""
    if evidence.arms is None or column not in evidence.arms:
        return pd.Series(dtype=float)
    means = evidence.arms.groupby(["cell_line", "medium", "replicate"], sort=False)[column].mean()
    return means.groupby(["cell_line", "medium"], sort=False).mean().dropna()


def _scope(evidence: Evidence, line: str, medium: str) -> str:
    scope = scope_of(evidence.config, medium)
    return line if scope == "all" else f"{line}|{scope}"


def someone_grows(evidence: Evidence) -> Iterator[Ruling]:
    """P28: where every line loses growth in a medium, the medium itself may be toxic or wrong."""
    enough = evidence.settings.gr_prototroph
    means = _mean_by_medium(evidence, "gr")
    for amino_acid in evidence.dropped:
        media = evidence.config.dropouts(amino_acid)
        gr = means[means.index.get_level_values("medium").isin(media)] if len(means) else means
        if len(gr):
            grows = gr[gr >= enough]
            lines = list(dict.fromkeys(grows.index.get_level_values("cell_line")))
            values = {"amino_acid": amino_acid, "best": float(gr.max()), "lines": lines}
            code, verdict = ("P28_GROWS", "pass") if lines else ("P28_ALL_LOSE", "warn")
            yield Ruling(code, amino_acid, verdict, values, amino_acid)


def replicates_differ(evidence: Evidence) -> Iterator[Ruling]:
    """P29: two biological replicates whose wells stray together are one measurement, copied.

    Honest plates share edge effects and drift, so a curve along rows and columns and the
    distance from the edge are removed beside the treatment means.
    """
    if evidence.wells is None or evidence.wells.empty:
        return
    residuals, copies, judged = _residuals(evidence.wells), [], False
    for _, group in residuals.groupby(["hours", "readout"], sort=False):
        one = group.groupby("plate", sort=False)[["cell_line", "replicate"]].first()
        whose = dict(zip(one.index, one.itertuples(index=False, name=None), strict=True))
        spare = group.groupby("plate")["fitted"].max()
        wide = group.pivot_table(index="well", columns="plate", values="residual", sort=False)
        if wide.shape[1] < 2:
            continue
        r = wide.corr(min_periods=MIN_SPARE_WELLS)
        shared = wide.notna().astype(int).T @ wide.notna().astype(int)
        for first, second in combinations(wide.columns, 2):
            left = shared.loc[first, second] - max(spare[first], spare[second])
            if whose[first] == whose[second] or left < MIN_SPARE_WELLS:
                continue
            judged = True
            if r.loc[first, second] >= evidence.settings.max_residual_correlation:
                copies.append((str(first), str(second), float(r.loc[first, second])))
    for first, second, found in copies:
        values = {"r": found, "first": first, "second": second}
        yield Ruling("P29_COPY", f"{first}, {second}", "fail", values)
    if judged and not copies:
        yield Ruling("P29_OWN_WELLS", "replicates", "pass")


def _residuals(wells: pd.DataFrame) -> pd.DataFrame:
    """log2 signal of each used sample well that treatment and position do not explain, with the
    number of parameters `fitted` on its plate.
    """
    used = wells["used"] if "used" in wells else ~wells["excluded"].astype(bool)
    rows = wells[wells["role"].eq("sample") & used & wells["signal"].gt(0)]
    plates = [_unexplained(plate) for _, plate in rows.groupby("plate", sort=False)]
    return pd.concat(plates) if plates else rows.assign(residual=0.0, fitted=0)


def _unexplained(plate: pd.DataFrame) -> pd.DataFrame:
    rows, columns = plate["row"].to_numpy(int), plate["column"].to_numpy(int)
    shape = plate_shape([*zip(rows, columns, strict=True)]) or PLATES[-1]
    to_edge = np.minimum.reduce([rows - 1, columns - 1, shape[0] - rows, shape[1] - columns])
    treatment = plate.groupby(TREATED, dropna=False).ngroup().to_numpy()
    groups = (treatment, np.minimum(to_edge, 2))
    steps = [(g[:, None] == np.unique(g)).astype(float) for g in groups]
    across, down = columns / shape[1] - 0.5, rows / shape[0] - 0.5
    design = np.hstack([*steps, np.stack([across, across**2, down, down**2], axis=1)])
    logged = np.log2(plate["signal"].to_numpy(float))
    fit, _, rank, _ = np.linalg.lstsq(design, logged, rcond=None)
    residual = logged - design @ fit
    return plate.assign(residual=np.where(np.abs(residual) < 1e-9, np.nan, residual), fitted=rank)


def rescue_like_control(evidence: Evidence) -> Iterator[Ruling]:
    """P30: a rescue medium that is chemically the control has to do what control does."""
    margin = evidence.settings.equivalence_margin_log2
    means = _mean_by_medium(evidence, "log2_fc")
    for (line, medium), change in means.items():
        if evidence.config.media[medium].role == "rescue" and _same_recipe(evidence, medium):
            values = {"fold": float(2**change), "medium": medium}
            verdict = band(abs(change) <= margin, False)
            yield Ruling("P30_RESCUE", line, verdict, values, _scope(evidence, line, medium))


def _same_recipe(evidence: Evidence, medium: str) -> bool:
    """Whether the called amino acids of a rescue are those of control, as they were given."""
    media, control = evidence.config.media, evidence.config.control_medium
    near = evidence.settings.max_medium_deviation_percent / 100
    for amino_acid in CALLED:
        made, wanted = (
            getattr(media[name], f"{amino_acid}_uM", None) if name else None
            for name in (medium, control)
        )
        if made is None or wanted is None or abs(made - wanted) > near * wanted + 1e-9:
            return False
    return True


PLAUSIBLE_CHECKS = (
    Check("P26", "warn", usual_concentrations),
    Check("P27", "fail", doublings_possible),
    Check("P28", "warn", someone_grows),
    Check("P29", "fail", replicates_differ),
    Check("P30", "warn", rescue_like_control),
)
