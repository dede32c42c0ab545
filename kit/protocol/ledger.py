"""What each medium really holds, and whether it lasts: recipe, serum, carry-over and decay against
what the cells take.

    C = [C0·Vr·(Vr/(Vr+Vw))^n + Vadd·((1−s)·C_recipe + s·C_serum + C_added)] / (Vr+Vadd)
    C(t) = C·e^{−kt}·V0/V(t)

A medium that runs out of an amino acid before the read-out has become a dropout medium.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kit.config.model import AMINO_ACIDS, CALLED, ExperimentConfig
from kit.core.columns import check, empty
from kit.core.findings import Finding, codes, say
from kit.core.protein import protein_demand_fmol
from kit.exchange.rates import Growth, runs_out_at
from kit.plates.design import nearest, untreated
from kit.protocol.carryover import (
    before_wash_uM,
    cells_per_well,
    from_serum_uM,
    observed_doublings,
    wash_plan,
)

FMOL_PER_UMOL = 1e9


@dataclass(frozen=True)
class Entry:
    """One medium and amino acid of one line, µM at the start by origin; `k` 1/h, `assumed` in
    words.
    """

    recipe: float
    serum: float
    carried: float
    start: float
    k: float
    volume_uL: float
    assumed: tuple[str, ...]

    def at(self, hours: float, volume_loss_percent: float = 0.0) -> float:
        """µM after so many hours without cells."""
        return self.start * math.exp(-self.k * hours) / (1 - volume_loss_percent / 100)


def entry(config: ExperimentConfig, line: str, medium: str, amino_acid: str) -> Entry | None:
    """The ledger of one line, medium and amino acid; None where the recipe does not tell."""
    made = _recipe(config, medium, amino_acid)
    if made is None:
        return None
    plan = wash_plan(config, line)
    before, assumed = before_wash_uM(config, amino_acid)
    free, more, _ = from_serum_uM(config, medium, amino_acid)
    assumed += more
    share = _serum_share(config, medium)
    if not math.isfinite(free):
        free = 0.0
        assumed.append(f"no {amino_acid} from serum")
    base = share if config.protocol.concentrations_stated_for != "with_serum" else 0.0
    if config.protocol.concentrations_stated_for is None and share:
        assumed.append("concentrations are those of the medium before serum is added")
    kept, added = plan.residual_uL, plan.added_uL
    if plan.missing or plan.washes is None:
        kept, before = 0.0, 0.0
        assumed.append("nothing left of the previous medium")
    elif not math.isfinite(before):
        before = 0.0
        assumed.append(f"no {amino_acid} on the cells before the wash")
    left = before * (kept / (kept + plan.wash_uL)) ** (plan.washes or 0) if kept else 0.0
    fresh, whole = added / (kept + added), kept + added
    recipe = fresh * (made * (1 - base) + (config.protocol.serum_impurity_uM or 0.0))
    serum, carried = fresh * free, left * kept / whole
    bulk = plan.kind == "bulk"
    well = config.protocol.well_volume_uL or config.settings.assumed_well_volume_uL
    return Entry(
        recipe,
        serum,
        carried,
        recipe + serum + carried,
        _decay(config, medium, amino_acid),
        well if bulk else whole,
        tuple(dict.fromkeys([*plan.assumed, *assumed])),
    )


def _serum_share(config: ExperimentConfig, medium: str) -> float:
    name = config.media[medium].serum
    if name is None:
        return 0.0
    percent = config.sera[name].percent
    return (config.settings.assumed_serum_percent if percent is None else percent) / 100


def _recipe(config: ExperimentConfig, medium: str, amino_acid: str) -> float | None:
    own = config.media[medium]
    if own.amount_uM(amino_acid) is None and amino_acid in str(own.removes or "").split("+"):
        return 0.0
    return own.amount_uM(amino_acid)


def _decay(config: ExperimentConfig, medium: str, amino_acid: str) -> float:
    stable = config.media[medium].glutamine_form == "GlutaMAX"
    decays = amino_acid == "glutamine" and not stable
    return config.settings.glutamine_decay_per_h if decays else 0.0


def readout_hours(config: ExperimentConfig) -> float:
    """The last read-out of the plates; without plates that of flow, else the usual one."""
    plates = [plate.hours for plate in config.plates]
    flow = [item.hours for item in config.flow]
    return max(plates or flow or [config.settings.proliferation_h])


def medium_ledger(config: ExperimentConfig) -> pd.DataFrame:
    """The contract's `medium_ledger`: one row per medium and amino acid whose concentration is
    known. Where lines are washed differently the row is of the line with most left over, named in
    `cell_line`.
    """
    hours, loss = readout_hours(config), config.protocol.volume_loss_percent or 0.0
    rows = []
    for medium in config.media:
        for amino_acid in AMINO_ACIDS:
            found = {line: entry(config, line, medium, amino_acid) for line in config.cell_lines}
            known = {line: item for line, item in found.items() if item is not None}
            if not known:
                continue
            line = max(known, key=lambda name: known[name].carried)
            worst = known[line]
            differ = len({round(item.carried, 9) for item in known.values()}) > 1
            code = "LEDGER_ASSUMED" if worst.assumed else "LEDGER_GIVEN"
            values = {"count": len(worst.assumed)}
            rows.append(
                {
                    "medium": medium,
                    "amino_acid": amino_acid,
                    "recipe_uM": worst.recipe,
                    "serum_uM": worst.serum,
                    "carry_over_uM": worst.carried,
                    "decay_48h_uM": worst.start * -math.expm1(-48 * worst.k),
                    "at_start_uM": worst.start,
                    "at_readout_uM": worst.at(hours, loss),
                    "assumed": "; ".join(worst.assumed),
                    "note": say(codes()[code].sentence, line, values),
                    "code": code,
                    "cell_line": line if differ else "",
                    "readout_h": hours,
                    "k_decay_per_h": worst.k,
                }
            )
    return check(pd.DataFrame(rows), "medium_ledger") if rows else empty("medium_ledger")


def exhaustion(
    config: ExperimentConfig,
    growth: pd.DataFrame | None = None,
    uptake: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The contract's `exhaustion`: what the cells of a well take until the read-out against what
    the medium holds, control first.

    `growth` and `uptake` are the contract's tables (`growth`, `uptake_rates`): without them the
    doublings and the uptake are assumed, which `assumed` says. Further columns: `v_fmol_per_cell_h`,
    `mu_per_h`, `cells_at_start`, `readout_h`, `k_decay_per_h`, `measured`, `code`.
    """
    hours = readout_hours(config)
    media = [config.control_name, *(name for name in config.media if name != config.control_name)]
    rows = []
    for line in config.cell_lines:
        for medium in (name for name in media if name and not config.media[name].inducer):
            mu, grown = _growth_rate(config, growth, line, medium)
            for amino_acid in AMINO_ACIDS:
                found = entry(config, line, medium, amino_acid)
                if found is not None:
                    v, source = _uptake(config, uptake, line, medium, amino_acid, mu)
                    row = {"cell_line": line, "medium": medium, "amino_acid": amino_acid}
                    rows.append(
                        row
                        | _lasts(config, line, medium, row, found, mu, v, hours)
                        | {
                            "assumed": "; ".join([*found.assumed, *grown, *source]),
                            "measured": not source,
                        }
                    )
    return check(pd.DataFrame(rows), "exhaustion") if rows else empty("exhaustion")


def _lasts(
    config: ExperimentConfig,
    line: str,
    medium: str,
    row: dict[str, str],
    found: Entry,
    mu: float,
    v: float,
    hours: float,
) -> dict[str, object]:
    cells = cells_per_well(config, line)
    cells = config.settings.assumed_cells_per_well if math.isnan(cells) else cells
    demand = max(v, 0.0) * Growth(mu, cells, None).cell_hours(hours) / FMOL_PER_UMOL  # type: ignore[arg-type]
    supply = found.start * found.volume_uL * 1e-6
    share = demand / supply if supply > 0 else math.nan
    empty_at = runs_out_at(supply * 1000, v, mu, cells, found.k)
    removed = row["amino_acid"] in str(config.media[medium].removes or "").split("+")
    code, verdict = _judge(share, removed, config)
    values = {"medium": medium, "hours": empty_at, "readout": hours, "percent": 100 * share}
    note = say(codes()[code].sentence, row["amino_acid"], values)
    return {
        "demand_umol": demand,
        "supply_umol": supply,
        "share_used": share,
        "runs_out_at_h": empty_at if math.isfinite(empty_at) else math.nan,
        "verdict": verdict,
        "note": note,
        "code": code,
        "v_fmol_per_cell_h": v,
        "mu_per_h": mu,
        "cells_at_start": cells,
        "readout_h": hours,
        "k_decay_per_h": found.k,
    }


def _judge(share: float, removed: bool, config: ExperimentConfig) -> tuple[str, str]:
    if removed:
        return "EXHAUSTION_BY_DESIGN", "info"
    if math.isnan(share):
        return "EXHAUSTION_ABSENT", "info"
    if share > 1:
        return "EXHAUSTION_EMPTY", "fail"
    if share > config.settings.fail_share_used:
        return "EXHAUSTION_NEARLY", "fail"
    if share > config.settings.max_share_used:
        return "EXHAUSTION_HALF", "warn"
    return "EXHAUSTION_ENOUGH", "pass"


def _growth_rate(
    config: ExperimentConfig, growth: pd.DataFrame | None, line: str, medium: str
) -> tuple[float, list[str]]:
    """μ of the line in the medium: measured, else of control, else by the doubling time."""
    settings = config.settings
    if growth is not None and not growth.empty:
        rows = growth[growth["cell_line"].eq(line) & growth["medium"].eq(medium)]
        rows = untreated(rows.dropna(subset=["gr", "control_doublings"]))
        if len(rows):
            rows = nearest(rows, settings.proliferation_h)
            fold = np.log2(np.maximum(rows["gr"].mean() + 1, 1e-3))
            mean = float(rows["control_doublings"].mean() * fold)
            return mean * math.log(2) / float(rows["hours"].mean()), []
    observed = observed_doublings(growth, settings).get(line)
    if observed is not None:
        return observed * math.log(2) / settings.proliferation_h, ["growth as in control"]
    given = config.cell_lines[line].doubling_time_h
    if given:
        return math.log(2) / given, [f"a doubling time of {given:g} h"]
    doublings = settings.assumed_control_doublings
    rate = doublings * math.log(2) / settings.proliferation_h
    return rate, [f"{doublings:g} doublings in {settings.proliferation_h:g} h"]


def _uptake(
    config: ExperimentConfig,
    uptake: pd.DataFrame | None,
    line: str,
    medium: str,
    amino_acid: str,
    mu: float,
) -> tuple[float, list[str]]:
    """Uptake, fmol per cell and hour: measured in this medium, else in control, else assumed."""
    if uptake is not None and not uptake.empty:
        rows = uptake[uptake["cell_line"].eq(line) & uptake["amino_acid"].eq(amino_acid)]
        rows = rows[rows["replicate"].eq("all") & rows["v_fmol_per_cell_h"].notna()]
        for name in (medium, config.control_name):
            own = rows[rows["medium"].eq(name)]
            if len(own):
                return float(own["v_fmol_per_cell_h"].mean()), []
    if amino_acid in CALLED:
        rate = float(getattr(config.settings, f"assumed_uptake_{amino_acid}_fmol"))
        return rate, [f"an uptake of {rate:g} fmol per cell and hour"]
    settings, cell = config.settings, config.cell_lines[line]
    adherent = cell.growth_mode == "adherent"
    usual = settings.protein_pg_adherent if adherent else settings.protein_pg_suspension
    need = protein_demand_fmol(amino_acid, cell.protein_pg_per_cell or usual)
    return need * max(mu, 0.0), ["uptake for the protein of new cells alone"]


def runs_out_findings(table: pd.DataFrame, config: ExperimentConfig) -> list[Finding]:
    """For the first screen: the medium, not short by design, that runs out first. A warning where
    the uptake is assumed, a failure where it was measured; of media with role other (a titration's
    low doses) only where it was measured.
    """
    if table.empty:
        return []
    judged = [name for name, medium in config.media.items() if medium.role != "other"]
    told = table["medium"].isin(judged) | table["measured"].astype(bool)
    short = table[table["code"].eq("EXHAUSTION_EMPTY") & told]
    if short.empty:
        return []
    control = short["medium"].eq(config.control_name)
    ranked = short.assign(other=~control).sort_values(["other", "runs_out_at_h"], kind="stable")
    worst = ranked.iloc[0]
    others = len(short) - 1
    values = {
        "medium": f"The medium {worst.medium}",
        "amino_acid": worst.amino_acid,
        "hours": float(worst.runs_out_at_h),
        "readout": float(worst.readout_h),
        "more": f"; so do {others} other lines, media or amino acids" if others > 1 else "",
        "basis": "measured" if worst.measured else "assumed",
    }
    severity = "fail" if worst.measured else "warn"
    return [Finding("MEDIUM_RUNS_OUT", severity, str(worst.cell_line), values)]
