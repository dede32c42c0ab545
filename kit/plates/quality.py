"""wells -> which wells count, corrected signals, and a verdict for every plate.

Checks judge; exclusions are applied here and nowhere else. Z' and SSMD compare control with killed
wells, never with a dropout: between
control and dropout they would measure biology.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kit.config.model import ExperimentConfig
from kit.config.settings import Settings
from kit.core.columns import check, plain_text
from kit.core.findings import band, codes, number, p_text, say, worst
from kit.plates import spatial
from kit.plates.design import untreated_rows
from kit.plates.metrics import (
    MAD_TO_SD,
    Statistic,
    cv_percent,
    robust_z_prime,
    signal_to_background,
    signal_to_noise,
    ssmd,
    z_prime,
)
from kit.stats import pivotal_interval

OUTLIER_SCALE = 0.6745  # Iglewicz & Hoaglin 1993
JUDGED = (
    "plate", "well", "row", "column", "plate_rows", "plate_columns", "cell_line", "medium", "role", "agent", "concentration", "readout", "hours",
    "cells_per_well", "signal", "signal_corrected", "flag", "excluded", "used",
)  # fmt: skip


# ---- wells


def prepare(wells: pd.DataFrame, exclusions: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """The contract's `wells` table: exclusions marked, blanks subtracted, detection limit and
    outliers flagged.

    Further columns: `blank` (median subtracted), `blank_source`, `lod` (on the corrected scale),
    `below_lod`, `outlier` (flag only), `used`.
    """
    left_out = exclusions[["plate", "well", "reason"]].astype(
        {name: wells[name].dtype for name in ("plate", "well")}
    )
    marked = wells.merge(left_out, on=["plate", "well"], how="left", validate="many_to_one")
    marked["excluded"] = marked["reason"].notna()
    marked["exclusion_reason"] = marked.pop("reason").fillna("").astype(str)
    marked["used"] = ~marked["excluded"] & marked["signal"].notna()
    corrected = _subtract_blanks(marked, settings)
    corrected["outlier"] = _outliers(corrected, settings)
    return check(corrected, "wells")


def prepare_again(
    before: pd.DataFrame,
    wells: pd.DataFrame,
    exclusions: pd.DataFrame,
    settings: Settings,
    plates: Collection[str],
) -> pd.DataFrame:
    """`prepare` of the same `wells` by the same settings as gave `before`, where only the
    exclusions of `plates` have changed: no plate hangs on another.
    """
    here = wells["plate"].isin(plates)
    if not here.any():
        return before
    again = prepare(wells[here], exclusions[exclusions["plate"].isin(plates)], settings).set_axis(
        np.flatnonzero(here)
    )
    return pd.concat([before[~here.to_numpy()], again]).sort_index()


def _subtract_blanks(wells: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Per plate and medium the median of its blanks; a medium without blanks takes the plate's, and
    says so.
    """
    blanks = wells["signal"].where(wells["role"].eq("blank") & wells["used"])
    own = _blank_levels(blanks.groupby([wells["plate"], wells["medium"]]), settings)
    plate = _blank_levels(blanks.groupby(wells["plate"]), settings)
    source = np.where(
        own["blank"].notna(), "medium", np.where(plate["blank"].notna(), "plate", "none")
    )
    levels = own.fillna(plate)
    corrected = wells.assign(
        **levels,
        blank_source=source,
        signal_corrected=wells["signal"] - levels["blank"].fillna(0.0),
    )
    corrected["below_lod"] = corrected["role"].eq("sample") & corrected["signal_corrected"].lt(
        corrected["lod"]
    )
    return corrected


def _blank_levels(blanks: pd.api.typing.SeriesGroupBy, settings: Settings) -> pd.DataFrame:
    """For every well its group's median, and mean + k SD - median: the limit of detection on the
    corrected scale (needs 2 blanks).

    One blank with cells in it must not lift the limit over the signals: where the SD is larger
    than `max_blank_sd_over_mad` robust SDs, the limit is k robust SDs above the median.
    """
    median, sd = blanks.transform("median"), blanks.transform("std")
    away = (blanks.obj - median).abs()
    robust = MAD_TO_SD * away.groupby(blanks.keys).transform("median")
    dirty = robust.gt(0) & sd.gt(settings.max_blank_sd_over_mad * robust)
    plain = blanks.transform("mean") + settings.lod_sd * sd - median
    return pd.DataFrame({"blank": median, "lod": plain.mask(dirty, settings.lod_sd * robust)})


def _outliers(wells: pd.DataFrame, settings: Settings) -> pd.Series:
    """|0.6745 (x - median) / MAD| beyond the limit, within groups of at least 5 used wells: a flag,
    never a deletion.
    """
    judged = wells[wells["used"] & wells["role"].ne("empty")]
    alike = judged.groupby(
        ["plate", "cell_line", "medium", "role", "agent", "concentration"], dropna=False
    ).ngroup()
    values = judged["signal_corrected"]
    away = values - values.groupby(alike).transform("median")
    groups = away.abs().groupby(alike)
    mad, enough = groups.transform("median"), groups.transform("size") >= 5
    flagged = (
        enough
        & mad.gt(0)
        & (OUTLIER_SCALE * away / mad.where(mad > 0)).abs().gt(settings.outlier_z)
    )
    return flagged.reindex(wells.index, fill_value=False)


# ---- plates


def plate_qc(
    wells: pd.DataFrame,
    config: ExperimentConfig,
    before: pd.DataFrame | None = None,
    changed: Collection[str] = (),
) -> pd.DataFrame:
    """Every quality metric of every plate with its bootstrap interval and verdict: the contract's
    `plate_qc` table.

    Further columns: `cell_line`, `medium` (where a metric belongs to one of them), `n_control`,
    `n_other`. `before` is the table of an earlier
    call with this very config and the same wells on all plates but those `changed`: the others keep
    their rows, which spares the bootstrap.
    """
    order = {plate.plate: number for number, plate in enumerate(config.plates)}
    kept = None if before is None else before[~before["plate"].isin(changed)]
    judged = _narrow(wells if before is None else wells[wells["plate"].isin(changed)])
    plates = dict(list(judged.groupby("plate", sort=False))) if len(judged) else {}
    rows = [
        row for name in order if name in plates for row in _one_plate(plates[name], name, config)
    ]
    columns = [
        "plate",
        "metric",
        "cell_line",
        "medium",
        "value",
        "ci_low",
        "ci_high",
        "verdict",
        "limit_pass",
        "limit_fail",
        "note",
        "code",
    ]
    table = check(pd.DataFrame(rows, columns=[*columns, "n_control", "n_other"]), "plate_qc")
    if kept is None or kept.empty:
        return table
    return (
        pd.concat([kept, table]).sort_values(
            "plate", key=lambda names: names.map(order), kind="stable", ignore_index=True
        )
        if len(table)
        else kept
    )


def _narrow(wells: pd.DataFrame) -> pd.DataFrame:
    """Only the columns that are judged: a plate is filtered a hundred times."""
    return plain_text(wells[[column for column in JUDGED if column in wells]])


def _one_plate(wells: pd.DataFrame, plate: str, config: ExperimentConfig) -> Iterator[dict]:
    if wells.empty:
        return
    judge = _Judge(plate, config.settings)
    used = wells[wells["used"]]
    for line in dict.fromkeys(used.loc[used["role"].eq("sample"), "cell_line"]):
        control = control_wells(used, line, config)
        yield from _window(used, control, line, judge, config)
        yield from _groups(used, control, line, judge, config)
        yield from _linearity(control, line, judge)
    yield from _saturation(wells, judge, config)
    yield from _blanks(used, judge)
    yield from _position(used, judge)
    yield _missing(wells, judge)
    if config.protocol.volume_loss_percent is not None and wells["hours"].iloc[0] > 0:
        yield judge.at_most(
            "volume_loss_percent",
            config.protocol.volume_loss_percent,
            "volume_loss_percent",
        )


class _Judge:
    """Builds rows of `plate_qc`: value, interval, limits, verdict."""

    def __init__(self, plate: str, settings: Settings) -> None:
        self.plate, self.settings = plate, settings

    def interval(self, metric: str, groups: tuple, statistic: Statistic) -> tuple[float, float]:
        key = zlib.crc32(f"{self.plate}/{metric}".encode())
        low, high = pivotal_interval(
            groups,
            statistic,
            self.settings.bootstrap_draws,
            seed=self.settings.seed ^ key,
            level=0.95,
        )
        return float(low), float(high)

    def row(
        self,
        metric: str,
        value: float,
        verdict: str,
        code: str = "",
        words: Mapping[str, object] | None = None,
        **fields: object,
    ) -> dict:
        """`code` is the metric's own where the value was judged; `words` fill its note."""
        code = code or metric.upper()
        blank = dict.fromkeys(
            ("ci_low", "ci_high", "limit_pass", "limit_fail", "n_control", "n_other"), np.nan
        )
        filled = {**self.settings.model_dump(), **fields, **(words or {})}
        base = {
            "plate": self.plate,
            "metric": metric,
            "value": float(value),
            "verdict": verdict,
            "cell_line": "",
            "medium": "",
            "note": say(codes()[code].note, values=filled),
            "code": code,
        }
        return {**blank, **base, **fields}

    def unknown(self, metric: str, code: str, verdict: str = "warn", **fields: object) -> dict:
        """A row without a value, for the reason that the code names."""
        return self.row(metric, np.nan, verdict, code, **fields)

    def at_least(self, metric: str, value: float, setting: str, **fields: object) -> dict:
        ok, bad = (
            getattr(self.settings, f"min_{setting}"),
            getattr(self.settings, f"fail_{setting}"),
        )
        verdict = "warn" if np.isnan(value) else band(value >= ok, not value >= bad)
        return self.row(metric, value, verdict, limit_pass=ok, limit_fail=bad, **fields)

    def at_most(self, metric: str, value: float, setting: str, **fields: object) -> dict:
        ok, bad = (
            getattr(self.settings, f"max_{setting}"),
            getattr(self.settings, f"fail_{setting}", np.inf),
        )
        verdict = "warn" if np.isnan(value) else band(value <= ok, not value <= bad)
        return self.row(
            metric,
            value,
            verdict,
            limit_pass=ok,
            limit_fail=bad if np.isfinite(bad) else np.nan,
            **fields,
        )


def control_wells(used: pd.DataFrame, line: str, config: ExperimentConfig) -> pd.DataFrame:
    """Sample wells of `line` in the control medium without an agent."""
    return untreated_rows(
        used[
            used["role"].eq("sample")
            & used["cell_line"].eq(line)
            & used["medium"].eq(config.control_name)
        ]
    )


def _window(
    used: pd.DataFrame, wells: pd.DataFrame, line: str, judge: _Judge, config: ExperimentConfig
) -> Iterator[dict]:
    """Z', robust Z', SSMD, S/B, S/N and CV of one line's control `wells`."""
    control = wells["signal"].to_numpy(float)
    kill = used[used["role"].eq("kill") & used["cell_line"].isin([line, ""])]["signal"].to_numpy(
        float
    )
    blanks = used[used["role"].eq("blank")]
    blank = blanks[blanks["medium"].eq(config.control_name)]["signal"].to_numpy(float)
    blank = blank if len(blank) else blanks["signal"].to_numpy(float)
    low, against = (kill, "killed wells") if len(kill) else (blank, "blanks")
    if not len(control) and used["hours"].iloc[0] == 0:
        # a 0 h plate may carry the cells of another medium; growth says what it takes as its start
        return
    yield from _separation(control, low, against, line, judge, bool(len(kill)))
    yield from _background(control, blank, line, judge, used["readout"].iloc[0])
    fields = {"cell_line": line, "n_control": len(control)}
    if len(control) < 2:
        yield judge.unknown("cv_control_percent", "FEW_CONTROL_WELLS", **fields)
    else:
        low_ci, high_ci = judge.interval(f"cv_control_percent/{line}", (control,), cv_percent)
        value = float(cv_percent(control))
        yield judge.at_most(
            "cv_control_percent",
            value,
            "cv_control_percent",
            ci_low=low_ci,
            ci_high=high_ci,
            **fields,
        )


def _separation(
    control: NDArray, low: NDArray, against: str, line: str, judge: _Judge, killed: bool
) -> Iterator[dict]:
    fields = {"cell_line": line, "n_control": len(control), "n_other": len(low)}
    needed = judge.settings.min_control_wells
    for metric, statistic, setting in (
        ("z_prime", z_prime, "z_prime"),
        ("robust_z_prime", robust_z_prime, ""),
        ("ssmd", ssmd, "ssmd"),
    ):
        if min(len(control), len(low)) < needed:
            verdict = "warn" if setting else "info"
            words = {"against": against, "needed": needed}
            yield judge.unknown(metric, "FEW_KILLED_WELLS", verdict, words=words, **fields)
            continue
        value = float(statistic(control, low))
        ci_low, ci_high = np.nan, np.nan  # no interval of a robust Z' covers what it promises
        if setting:
            ci_low, ci_high = judge.interval(f"{metric}/{line}", (control, low), statistic)
        common = {"ci_low": ci_low, "ci_high": ci_high, "words": {"against": against}, **fields}
        limits = judge.settings.min_z_prime, judge.settings.fail_z_prime
        if not setting:
            code = "" if killed else "AGAINST_BLANKS"
            yield judge.row(
                metric, value, "info", code, limit_pass=limits[0], limit_fail=limits[1], **common
            )
            continue
        row = judge.at_least(metric, value, setting, **common)
        if not killed:
            kept = row["verdict"] == "pass"
            code = "AGAINST_BLANKS" if kept else "LOW_AGAINST_BLANKS"
            row = judge.at_least(metric, value, setting, code=code, **common)
            row["verdict"] = "warn" if kept else row["verdict"]
        yield row


def _background(
    control: NDArray, blank: NDArray, line: str, judge: _Judge, readout: str
) -> Iterator[dict]:
    fields = {"cell_line": line, "n_control": len(control), "n_other": len(blank)}
    for metric, statistic in (
        ("signal_to_background", signal_to_background),
        ("signal_to_noise", signal_to_noise),
    ):
        if not len(control) or len(blank) < 2:
            yield judge.unknown(metric, "FEW_BLANK_WELLS", **fields)
            continue
        value = float(statistic(control, blank))
        ci_low, ci_high = judge.interval(f"{metric}/{line}", (control, blank), statistic)
        common = {"ci_low": ci_low, "ci_high": ci_high, **fields}
        if metric == "signal_to_background" and is_incorporation(readout):
            limit = judge.settings.min_signal_to_background_brdu
            verdict = band(value >= limit, not value >= (1 + limit) / 2)
            yield judge.row(
                metric, value, verdict, limit_pass=limit, limit_fail=(1 + limit) / 2, **common
            )
        else:
            code = "BLANKS_DO_NOT_VARY" if np.isnan(value) else ""
            yield judge.at_least(metric, value, metric, code=code, **common)


def is_incorporation(readout: str) -> bool:
    """BrdU or EdU: S-phase incorporation, not biomass."""
    return any(name in readout.casefold() for name in ("brdu", "edu"))


def _groups(
    used: pd.DataFrame, wells: pd.DataFrame, line: str, judge: _Judge, config: ExperimentConfig
) -> Iterator[dict]:
    """CV of each other group's wells, or their SD in points of control (`wells`) where the signal
    is low.
    """
    settings = judge.settings
    control = wells["signal_corrected"].mean()
    groups = used[
        used["role"].eq("sample")
        & used["cell_line"].eq(line)
        & used["medium"].ne(config.control_name)
    ]
    for (medium, agent, dose), group in groups.groupby(
        ["medium", "agent", "concentration"], dropna=False, sort=False
    ):
        values = group["signal_corrected"].to_numpy(float)
        fields = {"cell_line": line, "medium": medium, "n_other": len(values)}
        words = {"treated": f"{agent} {dose:g}; " if agent else ""}
        if len(values) < 2:
            yield judge.unknown("cv_group_percent", "ONE_WELL", "info", words=words, **fields)
        elif values.mean() < settings.low_group_percent / 100 * control:
            points = 100 * values.std(ddof=1) / control
            yield judge.at_most(
                "sd_group_points", points, "sd_low_group_points", words=words, **fields
            )
        else:
            value, few = float(cv_percent(values)), len(values) < 4
            row = judge.at_most(
                "cv_group_percent", value, "cv_group_percent", words=words, **fields
            )
            if few and row["verdict"] == "pass":
                row = judge.at_most(
                    "cv_group_percent",
                    value,
                    "cv_group_percent",
                    code="FEW_WELLS",
                    words=words,
                    **fields,
                )
                row["verdict"] = "warn"
            yield row


def _linearity(control: pd.DataFrame, line: str, judge: _Judge) -> Iterator[dict]:
    """Where the layout has `cells_per_well` at 4 levels or more: slope and R2 of log signal on log
    cells.
    """
    if "cells_per_well" not in control:
        return
    cells = pd.to_numeric(control["cells_per_well"], errors="coerce")
    series = control[cells.gt(0) & control["signal_corrected"].gt(0)].assign(cells=cells)
    if series["cells"].nunique() < 4:
        return
    x, y = (
        np.log2(series["cells"].to_numpy(float)),
        np.log2(series["signal_corrected"].to_numpy(float)),
    )
    slope, r2 = np.polyfit(x, y, 1)[0], np.corrcoef(x, y)[0, 1] ** 2
    settings = judge.settings
    good = settings.min_linearity_slope <= slope <= settings.max_linearity_slope
    yield judge.row(
        "linearity_slope",
        slope,
        "pass" if good else "warn",
        cell_line=line,
        limit_pass=settings.min_linearity_slope,
    )
    yield judge.row(
        "linearity_r2",
        r2,
        "pass" if r2 >= settings.min_linearity_r2 else "warn",
        cell_line=line,
        limit_pass=settings.min_linearity_r2,
    )


def _saturation(wells: pd.DataFrame, judge: _Judge, config: ExperimentConfig) -> Iterator[dict]:
    """Saturated control wells: compression raises Z', so one is enough to fail the plate."""
    maximum = next(plate.saturation for plate in config.plates if plate.plate == judge.plate)
    limit = np.inf if maximum is None else maximum * judge.settings.saturation_fraction
    for line in dict.fromkeys(wells.loc[wells["role"].eq("sample"), "cell_line"]):
        control = control_wells(wells[~wells["excluded"]], line, config)
        hot = control[control["flag"].eq("saturated") | control["signal"].ge(limit)]
        tied = _tied(control, wells) if hot.empty else hot
        if len(tied) or maximum is not None:
            wells_ = (
                f"wells {', '.join(tied['well'])}"
                if len(tied)
                else f"none at or above {number(limit)}"
            )
            code = "DETECTOR_CEILING" if len(tied) and hot.empty else ""
            yield judge.row(
                "saturated_control_wells",
                len(tied),
                "fail" if len(tied) else "pass",
                code,
                words={"wells": wells_, "top": float(wells["signal"].max())},
                cell_line=line,
                limit_pass=0,
                limit_fail=0,
                n_control=len(control),
            )


CHANCE_TIES = 3
SMALL_COUNT = 1000.0


def _tied(control: pd.DataFrame, wells: pd.DataFrame) -> pd.DataFrame:
    """Control wells that share the plate's very maximum (P31): a detector's ceiling that nobody
    declared. Small counts may tie by chance, so there it takes three.
    """
    top = wells["signal"].max()
    tied = control[control["signal"].eq(top)]
    return tied if len(tied) >= (2 if top >= SMALL_COUNT else CHANCE_TIES) else tied.iloc[:0]


def _blanks(used: pd.DataFrame, judge: _Judge) -> Iterator[dict]:
    """CV of each medium's blanks, and how far the media's blanks lie apart."""
    blanks = used[used["role"].eq("blank")]
    if blanks.empty:
        yield judge.unknown("cv_blank_percent", "NO_BLANKS")
        return
    for medium, group in blanks.groupby("medium", sort=False):
        values = group["signal"].to_numpy(float)
        fields = {"medium": medium, "n_other": len(values)}
        if len(values) < 2:
            yield judge.unknown("cv_blank_percent", "FEW_BLANKS", **fields)
        else:
            ci_low, ci_high = judge.interval(f"cv_blank_percent/{medium}", (values,), cv_percent)
            words = {"few": "3 blanks advised" if len(values) < 3 else ""}
            yield judge.at_most(
                "cv_blank_percent",
                float(cv_percent(values)),
                "cv_blank_percent",
                ci_low=ci_low,
                ci_high=ci_high,
                words=words,
                **fields,
            )
    uncovered = sorted(set(used.loc[used["role"].eq("sample"), "medium"]) - set(blanks["medium"]))
    if uncovered:
        yield judge.row(
            "media_without_blank",
            len(uncovered),
            "warn",
            limit_pass=0,
            words={"media": uncovered},
        )
    means = blanks.groupby("medium")["signal"].mean()
    if len(means) > 1:
        yield _disagreement(means, judge)


def _disagreement(means: pd.Series, judge: _Judge) -> dict:
    """How far the media's mean blanks lie from their common mean; where all means are alike, they
    agree, whatever the mean.
    """
    metric, away = "blank_disagreement_percent", (means - means.mean()).abs()
    if means.mean() <= 0 and away.gt(0).any():
        mean = {"mean": float(means.mean())}
        return judge.at_most(metric, np.nan, metric, code="BLANKS_WITHOUT_SIGNAL", words=mean)
    percent = 100 * away.max() / means.mean() if away.gt(0).any() else 0.0
    alike = f"every medium's blanks have the mean {means.mean():g}"
    words = {"which": f"furthest: {away.idxmax()}" if percent else alike}
    return judge.at_most(metric, percent, metric, words=words)


def _position(used: pd.DataFrame, judge: _Judge) -> Iterator[dict]:
    """Edge effect and row and column drift, on signals over their treatment's mean."""
    samples = used[used["role"].eq("sample")]
    samples = samples.assign(relative=spatial.relative_to_treatment(samples))
    settings = judge.settings
    edge = spatial.edge_effect(
        samples, settings.bootstrap_draws, settings.seed ^ zlib.crc32(judge.plate.encode())
    )
    if edge.note:
        why = {"why": edge.note}
        yield judge.unknown("edge_effect_percent", "POSITION_UNKNOWN", "info", words=why)
    else:
        words = {"shift": f"{edge.percent:+.1f}", "p": p_text(edge.p)}
        row = judge.at_most(
            "edge_effect_percent", abs(edge.percent), "edge_effect_percent", words=words
        )
        chance = row["verdict"] == "warn" and edge.p >= settings.alpha
        yield {
            **row,
            "value": edge.percent,
            "verdict": "pass" if chance else row["verdict"],
            "ci_low": edge.low,
            "ci_high": edge.high,
        }
    for metric, axis in (("row_drift_percent", "row"), ("column_drift_percent", "column")):
        drift = spatial.drift(
            samples,
            axis,
            settings.bootstrap_draws,
            settings.seed ^ zlib.crc32(f"{judge.plate}/{axis}".encode()),
        )
        if drift.note:
            why = {"why": drift.note}
            yield judge.unknown(metric, "POSITION_UNKNOWN", "info", words=why)
        else:
            yield judge.at_most(
                metric, drift.percent, "drift_percent", ci_low=drift.low, ci_high=drift.high
            )


def _missing(wells: pd.DataFrame, judge: _Judge) -> dict:
    """Wells without a usable value: missed, saturated, below range or excluded. Above the limit
    fails.
    """
    expected = wells[wells["role"].ne("empty")]
    lost = expected[~expected["used"]]
    share = 100 * len(lost) / max(len(expected), 1)
    limit = judge.settings.max_missing_wells_percent
    excluded, flags = (
        int(lost["excluded"].sum()),
        lost.loc[~lost["excluded"], "flag"].replace("", "missing").value_counts(),
    )
    parts = [f"{count} {flag}" for flag, count in flags.items()] + (
        [f"{excluded} excluded"] if excluded else []
    )
    verdict = "fail" if share > limit else "pass"
    return judge.row(
        "missing_wells_percent",
        share,
        verdict,
        limit_pass=limit,
        limit_fail=limit,
        words={"lost": ", ".join(parts)},
        n_other=len(expected),
    )


def plate_verdicts(qc: pd.DataFrame) -> pd.DataFrame:
    """One row per plate: its worst verdict and the metrics that caused it (`plate`, `verdict`,
    `because`).
    """
    rows = []
    for plate, group in qc.groupby("plate", sort=False):
        verdict = worst(group["verdict"])
        causes = (
            group[group["verdict"].eq(verdict)] if verdict in ("warn", "fail") else group.iloc[:0]
        )
        rows.append(
            {
                "plate": plate,
                "verdict": verdict,
                "because": "; ".join(dict.fromkeys(causes["metric"])),
            }
        )
    return pd.DataFrame(rows, columns=["plate", "verdict", "because"])
