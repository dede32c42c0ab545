"""Flow table -> specific Annexin V positivity per sample, its verdict, and contrasts over
biological replicates.

`A = early + late`; `SA = (A_drop - A_ctrl) / (100 - A_ctrl)`, the share of the cells that were
negative in control and turned positive
(the form of Abbott 1925). A sample's events say how precisely that sample was measured and nothing
about biology, so intervals from them
stay with the sample and every test is on biological replicates.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from kit.config.settings import Settings
from kit.core import columns
from kit.core.errors import InputError, Problem, did_you_mean
from kit.core.findings import Finding, judged
from kit.stats import holm, wilson_interval

KEYS = ["cell_line", "medium", "replicate", "hours"]
QUADRANTS = ["viable_percent", "early_percent", "late_percent", "necrotic_percent"]
# [K] for the continuity correction only, where a table does not say how many events there were
ASSUMED_EVENTS = 10_000


class Medium(Protocol):
    """What this module asks of a medium: its role (control, dropout, rescue, other) and what it
    removes or restores.
    """

    @property
    def role(self) -> str: ...

    @property
    def removes(self) -> Any: ...

    @property
    def restores(self) -> Any: ...


def specific_death(annexin_percent: ArrayLike, control_percent: ArrayLike) -> NDArray[np.float64]:
    """SA as a fraction (may be below 0) from percents of Annexin V+ cells; NaN where all of the
    control is positive.
    """
    sample, control = (
        np.asarray(annexin_percent, dtype=float),
        np.asarray(control_percent, dtype=float),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(control < 100, (sample - control) / (100 - control), np.nan)


def is_inducer(medium: Medium) -> bool:
    """Whether a medium holds the inducer of death that shows the assay can see it."""
    return medium.role == "inducer" or bool(getattr(medium, "inducer", False))


# ---- one row per sample


def apoptosis(flow: pd.DataFrame, media: Mapping[str, Medium], settings: Settings) -> pd.DataFrame:
    """TABLES["apoptosis"] plus hours (where given), role, annexin_ci_low/high (Wilson, percent),
    control_annexin_percent and note.

    Each sample is set against the control of its own line, replicate and time; without one, or
    where it holds too few events, the verdict
    is fail. The control's own SA is 0. Percents of no event at all are NaN, whatever the file says.
    Raises InputError for a medium that `media` does not hold or a sample that stands twice.
    """
    table = flow.copy().reset_index(drop=True)
    _check(table, media)
    if table.empty:
        return columns.empty("apoptosis").assign(
            note=pd.Series(dtype=object), code=pd.Series(dtype=object)
        )
    table.loc[table["events"].eq(0), QUADRANTS] = np.nan
    table["role"] = [
        "inducer" if is_inducer(media[name]) else media[name].role for name in table["medium"]
    ]
    table["annexin_percent"] = table["early_percent"] + table["late_percent"]
    positive = table["annexin_percent"].clip(0, 100) / 100 * table["events"]
    limits = wilson_interval(positive, table["events"])
    table["annexin_ci_low"], table["annexin_ci_high"] = (100 * limits.low, 100 * limits.high)
    table = _with_control(table)
    table["specific_apoptosis"] = specific_death(
        table["annexin_percent"], table["control_annexin_percent"]
    )
    table.loc[
        table["role"].eq("control") & table["annexin_percent"].notna(), "specific_apoptosis"
    ] = 0.0
    weak = _weak_inducers(table, settings)
    found = [_judge(row, weak, settings) for row in table.to_dict("records")]
    for name in ("verdict", "note", "code"):
        table[name] = [each[name] for each in found]
    return columns.check(
        table.drop(columns=[name for name in table if str(name).startswith("_")]), "apoptosis"
    )


def _keys(table: pd.DataFrame, *names: str) -> list[str]:
    """Those of KEYS (or of `names`) that the table has: hours are optional."""
    return [key for key in names or KEYS if key in table]


def _check(table: pd.DataFrame, media: Mapping[str, Medium]) -> None:
    strangers = [name for name in dict.fromkeys(table["medium"]) if name not in media]
    problems = [
        Problem(
            "flow table", "medium", f"'{name}' is not in experiment.yaml", did_you_mean(name, media)
        )
        for name in strangers
    ]
    for row in (
        table.loc[table.duplicated(_keys(table)), _keys(table)].drop_duplicates().to_dict("records")
    ):
        place = ", ".join(f"{key} {value}" for key, value in row.items())
        problems.append(
            Problem(
                "flow table",
                place,
                "stands more than once",
                "Give each biological replicate its own number.",
            )
        )
    if problems:
        raise InputError(problems)


def _with_control(table: pd.DataFrame) -> pd.DataFrame:
    """The matched control's Annexin V+ and necrotic percents, events (and debris, where measured)
    beside each sample.
    """
    match = _keys(table, "cell_line", "replicate", "hours")
    debris = (
        table["debris_percent"]
        if "debris_percent" in table
        else pd.Series(np.nan, index=table.index)
    )
    table = table.assign(_debris=debris)
    control = table.loc[
        table["role"] == "control",
        [*match, "annexin_percent", "necrotic_percent", "events", "_debris"],
    ]
    control = control.drop_duplicates(match)
    names = {"annexin_percent": "control_annexin_percent", "necrotic_percent": "_control_necrotic"}
    names |= {"events": "_control_events", "_debris": "_control_debris"}
    return table.merge(control.rename(columns=names), on=match, how="left", validate="many_to_one")


def _weak_inducers(table: pd.DataFrame, settings: Settings) -> dict[tuple[Any, ...], float]:
    """(line, replicate, hours) -> SA of its inducer, where that is below the limit."""
    limit = settings.min_inducer_specific_apoptosis
    inducers = table[(table["role"] == "inducer") & (table["specific_apoptosis"] < limit)]
    return {_run(row): row["specific_apoptosis"] for row in inducers.to_dict("records")}


def _run(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    return row["cell_line"], row["replicate"], str(row.get("hours"))


def _judge(
    row: dict[Any, Any], weak: Mapping[tuple[Any, ...], float], settings: Settings
) -> dict[str, str]:
    """Verdict, reasons and codes of one sample: its own events, its control, its inducer."""
    found = [*_events(row, settings), *_control(row, settings), *_debris(row, settings)]
    if _run(row) in weak:
        values = {
            "death": weak[_run(row)],
            "limit": settings.min_inducer_specific_apoptosis,
        }
        found.append(Finding("FLOW_INDUCER_WEAK", "fail", values=values))
    return judged(found)


def _events(row: dict[Any, Any], settings: Settings) -> list[Finding]:
    events, unsure = row["events"], settings.min_events
    if not np.isfinite(events):
        return [Finding("FLOW_EVENTS_UNKNOWN", "warn")]
    few = _few(events, settings)
    values = {"events": round(events), "least": settings.fail_events, "unsure": unsure}
    return [Finding("FLOW_FEW_EVENTS", few, values=values)] if few else []


def _few(events: float, settings: Settings) -> str:
    return (
        "fail" if events < settings.fail_events else "warn" if events < settings.min_events else ""
    )


def _control(row: dict[Any, Any], settings: Settings) -> list[Finding]:
    control, events, treated = (
        row["control_annexin_percent"],
        row["_control_events"],
        row["role"] != "control",
    )
    found = []
    if treated and events < settings.fail_events:
        values = {"events": round(events), "least": settings.fail_events}
        found.append(Finding("FLOW_CONTROL_FEW_EVENTS", "fail", values=values))
    if not np.isfinite(control):
        alone = treated and not found
        return [Finding("FLOW_NO_CONTROL", "fail")] if alone else found
    most, usual = settings.fail_control_annexin_percent, settings.max_control_annexin_percent
    if control > usual:
        values = {"percent": control, "most": most, "usual": usual}
        dying = "fail" if control > most else "warn"
        found.append(Finding("FLOW_CONTROL_DYING", dying, values=values))
    if row["_control_necrotic"] > settings.max_control_necrotic_percent:
        values = {
            "percent": row["_control_necrotic"],
            "most": settings.max_control_necrotic_percent,
        }
        found.append(Finding("FLOW_CONTROL_NECROTIC", "warn", values=values))
    return found


def _debris(row: dict[Any, Any], settings: Settings) -> list[Finding]:
    most = float(getattr(settings, "max_debris_ratio", 2.0))
    if row["role"] == "control" or not row["_debris"] > most * row["_control_debris"]:
        return []
    values = {"percent": row["_debris"], "control": row["_control_debris"], "most": most}
    return [Finding("FLOW_DEBRIS", "warn", values=values)]


# ---- contrasts over biological replicates


def logit(percent: ArrayLike, events: ArrayLike) -> NDArray[np.float64]:
    """log((k + 1/2) / (n - k + 1/2)) of k positives among n events (Haldane, Anscombe): finite at 0
    and 100 %.
    """
    n = np.where(
        np.isfinite(np.asarray(events, dtype=float)),
        np.asarray(events, dtype=float),
        ASSUMED_EVENTS,
    )
    k = np.asarray(percent, dtype=float) / 100 * n
    return np.log((k + 0.5) / (n - k + 0.5))


def apoptosis_effects(
    table: pd.DataFrame, media: Mapping[str, Medium], settings: Settings
) -> pd.DataFrame:
    """Contrasts of Annexin V+ on the logit scale, paired by experiment (line, replicate, hours):
    one row per line and contrast.

    TABLES["apoptosis_effects"] plus hours (where given). Samples whose verdict is fail stay out,
    with the pair they belong to. Families, Holm-adjusted within each line: dropout (and other)
    media against control; rescue against the dropout of
    what it restores. The interval is the contrast's own t interval. Below `min_replicates` pairs
    the estimate
    stands alone.
    """
    if table.empty:
        return columns.empty("apoptosis_effects")
    table = table.assign(_logit=logit(table["annexin_percent"], table["events"]))
    rows: list[dict[str, Any]] = []
    for keys, part in table.groupby(_keys(table, "cell_line", "hours"), sort=False):
        named = dict(
            zip(_keys(table, "cell_line", "hours"), keys if isinstance(keys, tuple) else (keys,))
        )
        for family in _families(part, media):
            members = (
                "rescues against their dropout"
                if media[family[0][0]].role == "rescue"
                else "media against control"
            )
            rows += _holm(
                [{**named, **_contrast(part, *pair, settings)} for pair in family], members
            )
    return (
        columns.check(pd.DataFrame(rows), "apoptosis_effects")
        if rows
        else columns.empty("apoptosis_effects")
    )


def _families(part: pd.DataFrame, media: Mapping[str, Medium]) -> list[list[tuple[str, str]]]:
    """(medium, reference) pairs of each family of tests of one line; inducers are a check of the
    assay and not tested.
    """
    present = [
        name for name in media if name in set(part["medium"]) and not is_inducer(media[name])
    ]
    controls = [name for name in present if media[name].role == "control"]
    against_control = [
        (name, control)
        for control in controls[:1]
        for name in present
        if media[name].role in ("dropout", "other")
    ]
    rescues = [
        (name, dropout)
        for name in present
        for dropout in present
        if media[name].role == "rescue"
        and media[dropout].role == "dropout"
        and media[dropout].removes == media[name].restores
    ]
    return [family for family in (against_control, rescues) if family]


def _contrast(
    part: pd.DataFrame, medium: str, reference: str, settings: Settings
) -> dict[str, Any]:
    """Paired difference of logits of two media of one line: estimate, t interval, two-sided paired
    t.
    """
    pair = part[part["medium"].isin([medium, reference])]
    usable = pair[pair["verdict"].ne("fail") & pair["_logit"].notna()]
    wide = (
        usable.pivot_table(index="replicate", columns="medium", values="_logit")
        .reindex(columns=[medium, reference])
        .dropna()
    )
    difference = (wide[medium] - wide[reference]).to_numpy(float)
    n = len(difference)
    estimate = float(difference.mean()) if n else np.nan
    enough = n >= max(2, settings.min_replicates)
    se = float(difference.std(ddof=1) / np.sqrt(n)) if enough else np.nan
    tested = enough and se > 0
    half = stats.t.ppf(0.975, n - 1) * se if tested else np.nan
    p = float(2 * stats.t.sf(abs(estimate) / se, n - 1)) if tested else np.nan
    chosen = usable[usable["medium"].eq(medium) & usable["replicate"].isin(wide.index)]
    failed = len(pair) - len(usable)
    values: dict[str, Any] = {"n": n, "min_replicates": settings.min_replicates}
    values |= {"samples": f"{failed} sample{'s' * (failed > 1)}"}
    amiss = {
        "DEATH_CONTRAST_EXPLORATORY": not enough,
        "DEATH_CONTRAST_WITHOUT_SPREAD": enough and not tested,
        "DEATH_CONTRAST_FAILED_SAMPLES": failed > 0,
    }
    told = judged([Finding(code, "info", "", values) for code, so in amiss.items() if so])
    return {
        "medium": medium,
        "contrast": f"{medium} - {reference}",
        "scale": "logit_annexin",
        "estimate": estimate,
        "se": se,
        "df": float(n - 1) if enough else np.nan,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
        "p": p,
        "n_replicates": n,
        "odds_ratio": np.exp(estimate),
        "odds_ratio_low": np.exp(estimate - half),
        "odds_ratio_high": np.exp(estimate + half),
        "mean_specific_apoptosis": float(chosen["specific_apoptosis"].mean()),
        "note": told["note"],
        "code": told["code"],
    }


def _holm(rows: list[dict[str, Any]], members: str) -> list[dict[str, Any]]:
    """The contrasts of one family with Holm's p over those that were tested."""
    adjusted = holm([row["p"] for row in rows])
    tested = int(np.isfinite(adjusted).sum())
    text = f"paired t on logits, Holm over {tested} {members}, intervals one at a time"
    return [
        {**row, "p_adjusted": float(p), "adjustment": text if np.isfinite(p) else "none"}
        for row, p in zip(rows, adjusted)
    ]
