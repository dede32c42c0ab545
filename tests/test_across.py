"""Many experiments together: control charts by theory and simulation, agreement by published
examples, the notebook over planted stores.
"""

import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from papermill import inspect_notebook
from scipy import stats

from kit.across import charts as across
from kit.across.gather import GROWTH, OPTIMISTIC, Z_PRIME, gather
from kit.batch import across_page
from kit.cli.main import main
from kit.core.columns import TABLES
from kit.report.sections import across as sections
from kit.store import store
from kit.store.outfolder import OutputError

LINES = {"MOLT-4": ("T-ALL", -5.0, -0.1), "Jurkat": ("T-ALL", -4.0, -0.2), "A549": ("lung", 0.0, 0.8), "HeLa": ("cervix", 0.3, 0.9), "MDA-MB-231": ("breast", -1.8, 0.4),
         "U937": ("myeloid", -4.6, 0.1), "HCT116": ("colon", -0.4, 0.75), "K562": ("myeloid", -1.0, 0.6), "PC-3": ("prostate", -0.6, 0.65)}  # fmt: skip
"""line -> lineage, log2 ASNS protein, GR without asparagine: planted so that protein and
sensitivity go together.
"""
ACIDS = {"asparagine": 0.0, "glutamine": 0.1, "serine": 0.5}
N, GR_SD, Z_SD, GROWTH_SD = 60, 0.06, 0.03, 0.04


def call_of(gr):
    return "auxotrophic" if gr < 0.2 else "prototrophic" if gr > 0.6 else "partially_dependent"


def write_report(folder: Path, name: str, frames: dict, *, date="2025-01-01", simulated=False):
    """A report as far as the store and this notebook read it: tables, wells, results.parquet by the
    store's own writer, manifest.
    """
    (folder / name / "tables").mkdir(parents=True)
    frames = {
        table: frame.reindex(columns=[*dict.fromkeys([*TABLES[table], *frame.columns])])
        for table, frame in frames.items()
    }
    for table, frame in frames.items():
        frame.to_csv(folder / name / "tables" / f"{table}.csv", index=False)
    store.write(folder / name, name, frames)
    manifest = {
        "experiment_id": name,
        "status": "ok",
        "verdict": "pass",
        "reasons": [],
        "date": date,
        "simulated": simulated,
    }
    (folder / name / "manifest.json").write_text(json.dumps(manifest))


def one_experiment(random, lines, index, drift=0.0):
    """Tables of an experiment: two plates per line and time, three biological replicates; `drift`
    lowers Z' and growth of MOLT-4 with the index.
    """
    calls, qc, wells, growth, asns = [], [], [], [], []
    for line in lines:
        lineage, protein, base = LINES[line]
        own = base + random.normal(0, GR_SD)
        slope = drift * index if line == "MOLT-4" else 0.0
        for acid, more in ACIDS.items():
            gr = own if acid == "asparagine" else base / 2 + more + random.normal(0, GR_SD)
            calls.append(
                {
                    "cell_line": line,
                    "amino_acid": acid,
                    "call": call_of(gr),
                    "confidence": "confident",
                    "gr": gr,
                    "gr_ci_low": gr - 0.1,
                    "gr_ci_high": gr + 0.1,
                }
            )
        for hours in (0.0, 48.0):
            for plate in (f"{line}-{hours:g}-R1", f"{line}-{hours:g}-R2"):
                value = 0.8 + random.normal(0, Z_SD * math.sqrt(2)) - (slope if hours else 0)
                qc.append(
                    {
                        "plate": plate,
                        "metric": "z_prime",
                        "value": value,
                        "verdict": "pass",
                        "note": "control against killed wells",
                        "code": "Z_PRIME",
                        "cell_line": line,
                    }
                )
                wells += [
                    {"plate": plate, "well": well, "readout": "CellTiter-Glo", "hours": hours}
                    for well in ("A01", "A02")
                ]
        for replicate in (1, 2, 3):
            for medium in ("complete", "no_asn"):
                growth.append({"cell_line": line, "medium": medium, "replicate": replicate, "hours": 48.0, "readout": "CellTiter-Glo", "gr_basis": "0 h plate",
                               "control_doublings": 2.0 + 2 * random.normal(0, GROWTH_SD) - 2 * slope if medium == "complete" else math.nan})  # fmt: skip
                growth[-1]["control_doublings"] = (
                    growth[-2]["control_doublings"]
                    if medium == "no_asn"
                    else growth[-1]["control_doublings"]
                )
        asns.append({"cell_line": line, "lineage": lineage, "protein": protein + random.normal(0, 0.2), "mRNA": random.normal(), "line_key": line,
                     "auxotroph": own < 0.2, "1 - GR without asparagine": 1 - own})  # fmt: skip
    named = {"calls": calls, "plate_qc": qc, "wells": wells, "growth": growth, "asns_lines": asns}
    return {name: pd.DataFrame(rows) for name, rows in named.items()}


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Sixty experiments of nine lines; MOLT-4 loses 0.004 in Z' and in doublings per day with each,
    the others stay.
    """
    folder, random = tmp_path_factory.mktemp("reports"), np.random.default_rng(7)
    for index in range(N):
        date = pd.Timestamp("2025-01-06") + pd.Timedelta(days=7 * index)
        # ids run against time, so that order by name would be the wrong one
        write_report(
            folder,
            f"EXP-{N - index:03d}",
            one_experiment(random, LINES, index, drift=0.004),
            date=f"{date:%Y-%m-%d}",
        )
    return folder


@pytest.fixture(scope="module")
def view(planted):
    return gather(planted)


# ---- control charts
# ----------------------------------------------------------------------------------------------------------------


def test_constants_are_those_of_the_tables():
    """d2, d3, D4 = 1 + 3 d3/d2 and E2 = 3/d2 for two values, as printed in tables of control-chart
    constants.
    """
    assert across.D2 == pytest.approx(1.128, abs=5e-4) and across.D3 == pytest.approx(
        0.853, abs=5e-4
    )
    assert 1 + 3 * across.D3 / across.D2 == pytest.approx(
        3.267, abs=1e-3
    ) and 3 / across.D2 == pytest.approx(2.660, abs=2e-3)


def test_chart_by_hand():
    values = [10, 12, 11, 13, 11, 10, 12, 11, 30, 11]
    chart = across.control_chart(values)
    mean_range = (2 + 1 + 2 + 2 + 1 + 2 + 1 + 19 + 19) / 9
    assert chart.centre == pytest.approx(13.1) and chart.upper == pytest.approx(
        13.1 + 3 * mean_range / 1.1284, rel=1e-3
    )
    assert chart.lower == pytest.approx(
        13.1 - 3 * mean_range / 1.1284, rel=1e-3
    ) and chart.range_upper == pytest.approx(3.267 * mean_range, rel=1e-3)
    assert np.isnan(chart.moving_range[0]) and chart.moving_range[1:].tolist() == [
        2,
        1,
        2,
        2,
        1,
        2,
        1,
        19,
        19,
    ]
    assert np.flatnonzero(chart.beyond).tolist() == [8] and np.flatnonzero(chart.jump).tolist() == [
        8,
        9,
    ]


@pytest.mark.parametrize("values, marked", [
    ([1] * 9 + [-1] * 9, [8, 17]), ([1] * 8 + [-1] * 9 + [1], [16]), ([1] * 8 + [0] + [1] * 8 + [-16], []), ([1] * 11 + [-11], [8, 9, 10]),
], ids=["two runs", "eight are too few", "the centre itself ends a run", "every further one"])  # fmt: skip
def test_runs_on_one_side(values, marked):
    assert np.flatnonzero(across.control_chart(values).run).tolist() == marked


def test_too_few_points_give_no_limits_and_gaps_are_refused():
    few = across.control_chart([1.0, 2, 3, 4, 5, 6, 70])
    assert math.isnan(few.upper) and not few.beyond.any() and few.centre == pytest.approx(13)
    assert not across.control_chart([]).beyond.size
    with pytest.raises(ValueError, match="finite"):
        across.control_chart([1.0, math.nan, 2.0])


def test_in_control_flags_as_normal_theory_says():
    """2 (1 - Phi(3)) = 0.27 % of points beyond known limits; a long chart knows its limits."""
    flagged = sum(
        across.control_chart(np.random.default_rng(seed).normal(5, 2, 20_000)).beyond.sum()
        for seed in range(20)
    )
    expected, n = 2 * stats.norm.sf(3), 400_000
    assert expected == pytest.approx(0.0027, abs=1e-4)
    assert abs(flagged / n - expected) < 4 * math.sqrt(expected / n)


def test_in_control_charts_of_sixty_flag_about_as_many():
    """Limits estimated from the 60 points themselves, to second order: they vary (Var(mean moving
    range)/d2^2 = 0.826/(n - 1), Cryer & Ryan
    1990), which flags more; and a point three sigma out lifts them by its own two ranges, |3 - u|
    each for |u_1 - u_2|, which flags fewer."""
    charts, n = 4000, 60
    random = np.random.default_rng(3)
    flagged = np.mean(
        [across.control_chart(random.normal(size=n)).beyond.mean() for _ in range(charts)]
    )
    d2 = 2 / math.sqrt(math.pi)
    lifted = 1 + 2 * (3 - d2) / ((n - 1) * d2)
    limit = 3 * lifted / math.sqrt(1 - 1 / n)  # a point also pulls the centre towards itself
    curvature = 2 * limit**3 * stats.norm.pdf(limit) / lifted**2
    assert flagged == pytest.approx(
        2 * stats.norm.sf(limit) + curvature * 0.826 / (n - 1) / 2, rel=0.15
    )
    assert flagged == pytest.approx(0.0027, rel=0.25)


def test_planted_drift_is_flagged_and_nothing_else(view):
    for measure, hours in ((Z_PRIME, 48.0), (GROWTH, 48.0)):
        own = view.points[view.points["measure"].eq(measure) & view.points["hours"].eq(hours)]
        summary = across.chart_summary(across.charts(own)).set_index("cell_line")
        assert len(summary) == len(LINES) and (summary["n_experiments"] == N).all()
        drifting, steady = summary.loc["MOLT-4"], summary.drop(index="MOLT-4")
        assert (
            drifting["n_beyond"] >= 3 and drifting["n_run"] >= 20 and "drift" in drifting["finding"]
        )
        assert summary.index[0] == "MOLT-4"
        assert steady["n_beyond"].sum() <= 5  # of 480 points 1.3 are expected
        assert steady["n_run"].max() < drifting["n_run"] / 2


def test_drift_starts_high_and_ends_low_in_order_of_time_not_of_name(view):
    own = view.points[
        view.points["measure"].eq(Z_PRIME)
        & view.points["cell_line"].eq("MOLT-4")
        & view.points["hours"].eq(48.0)
    ]
    assert own["date"].is_monotonic_increasing and own["experiment_id"].iloc[0] == "EXP-060"
    assert stats.spearmanr(np.arange(N), own["value"]).statistic < -0.8
    charted = across.charts(own)
    late, early = charted["value"].iloc[-5:].mean(), charted["value"].iloc[:5].mean()
    assert early - late == pytest.approx(0.004 * 55, abs=4 * Z_SD * math.sqrt(2 / 5))


def test_points_average_plates_and_replicates(planted, view):
    frame = pd.read_csv(planted / "EXP-060" / "tables" / "plate_qc.csv")
    point = view.points.query(
        "experiment_id == 'EXP-060' and cell_line == 'A549' and hours == 48 and measure == @Z_PRIME"
    ).iloc[0]
    assert point["n"] == 2 and point["value"] == pytest.approx(
        frame[frame["plate"].str.startswith("A549-48")]["value"].mean()
    )
    growth = pd.read_csv(planted / "EXP-060" / "tables" / "growth.csv").query(
        "cell_line == 'A549' and medium == 'complete'"
    )
    point = view.points.query(
        "experiment_id == 'EXP-060' and cell_line == 'A549' and measure == @GROWTH"
    ).iloc[0]
    assert point["n"] == 3 and point["value"] == pytest.approx(
        growth["control_doublings"].mean() / 2
    )


# ---- agreement
# ---------------------------------------------------------------------------------------------------------------------

FLEISS = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]
SHROUT = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def test_kappa_of_the_textbook_example():
    """Ten subjects, fourteen raters, five classes: agreement 0.378, kappa 0.210 (the worked example
    of Fleiss' kappa).
    """
    found = across.fleiss_kappa(FLEISS)
    assert (round(found.share, 3), round(found.kappa, 3), found.n_subjects, found.n_ratings) == (
        0.378,
        0.21,
        10,
        140,
    )


@pytest.mark.parametrize("counts, share, kappa", [
    ([[3, 0], [0, 3]], 1.0, 1.0), ([[1, 1], [1, 1]], 0.0, -1.0), ([[2, 0], [4, 0]], 1.0, math.nan), ([[1, 0], [0, 1]], math.nan, math.nan), ([[2, 1], [0, 5]], (1 / 3 + 1) / 2, None),
], ids=["all agree", "none agrees", "one class only", "single calls", "unequal numbers"])  # fmt: skip
def test_kappa_closed_forms(counts, share, kappa):
    found = across.fleiss_kappa(counts)
    assert found.share == pytest.approx(share, nan_ok=True)
    if kappa is None:
        chance = (2 / 8) ** 2 + (6 / 8) ** 2
        kappa = (share - chance) / (1 - chance)
    assert found.kappa == pytest.approx(kappa, nan_ok=True)


def test_icc_of_shrout_and_fleiss():
    """Their six subjects and four judges: ICC(1,1) = 0.17, 95 % -0.13 to 0.72; MS between 11.24,
    within 6.26.
    """
    data = np.array(SHROUT, float)
    found = across.repeatability(data.ravel(), np.repeat(np.arange(6), 4))
    assert (round(found.icc, 2), round(found.icc_low, 2), round(found.icc_high, 2)) == (
        0.17,
        -0.13,
        0.72,
    )
    assert found.sd_within**2 == pytest.approx(6.26, abs=5e-3) and found.limit == pytest.approx(
        2.77 * found.sd_within, rel=1e-3
    )


def test_two_repeats_by_their_differences():
    """With two values a subject s_w^2 is the mean of d^2 / 2, and 95 % of differences lie within
    1.96 sqrt(2) s_w (Bland & Altman).
    """
    random = np.random.default_rng(5)
    pairs = random.normal(0, 1, (4000, 1)) + random.normal(0, 0.3, (4000, 2))
    found = across.repeatability(pairs.ravel(), np.repeat(np.arange(4000), 2))
    difference = np.diff(pairs, axis=1).ravel()
    assert found.sd_within == pytest.approx(math.sqrt((difference**2).mean() / 2), rel=1e-12)
    assert np.mean(np.abs(difference) < found.limit) == pytest.approx(0.95, abs=0.012)
    assert found.icc == pytest.approx(1 / 1.09, abs=0.01)


def test_interval_of_the_sd_covers():
    random, inside = np.random.default_rng(11), 0
    for _ in range(400):
        found = across.repeatability(random.normal(size=12), np.repeat(["a", "b", "c"], [5, 4, 3]))
        inside += found.sd_low < 1 < found.sd_high
    assert inside / 400 == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 400))


def test_single_repeats_say_nothing():
    found = across.repeatability([1.0, 2.0, math.nan], ["a", "b", "b"])
    assert found.n_values == 0 and math.isnan(found.sd_within)


def test_planted_spread_of_gr_is_found(view):
    table = across.agreement(view.calls).set_index("scope")
    found = table.loc["all"]
    assert found["gr_n_subjects"] == 27 and found["gr_n_values"] == 27 * N
    assert found["gr_sd_low"] < GR_SD < found["gr_sd_high"] and found[
        "gr_sd_within"
    ] == pytest.approx(GR_SD, rel=0.06)


def test_agreement_of_calls_follows_from_the_planted_spread(view):
    """A line at distance d from a cut-off gets its class with p = Phi(d/sd); pairs agree with p^2 +
    (1 - p)^2.
    """
    table = across.repeats(view.calls).set_index(["cell_line", "amino_acid"])
    p = stats.norm.cdf((0.65 - 0.6) / GR_SD)  # PC-3 without asparagine
    row = table.loc["PC-3", "asparagine"]
    assert (
        row["agreement"] == pytest.approx(p**2 + (1 - p) ** 2, abs=0.15)
        and row["call"] == "prototrophic"
    )
    assert table.loc["MOLT-4", "asparagine"]["agreement"] == 1.0


def test_two_media_with_two_calls_make_no_call_and_spellings_meet(tmp_path):
    calls = pd.DataFrame(
        {
            "cell_line": ["Molt 4"] * 2,
            "amino_acid": "asparagine",
            "medium": ["no_asn", "no_asn_2"],
            "call": ["auxotrophic", "prototrophic"],
            "gr": [0.0, 0.8],
        }
    )
    write_report(tmp_path, "EXP-1", {"calls": calls}, date="2025-02-01")
    write_report(
        tmp_path, "EXP-2", {"calls": calls.iloc[:1].assign(cell_line="MOLT-4")}, date="2025-01-01"
    )
    found = gather(tmp_path).calls
    assert found["experiment_id"].tolist() == ["EXP-2", "EXP-1"] and found["call"].tolist() == [
        "auxotrophic",
        "inconclusive",
    ]
    assert found["cell_line"].tolist() == ["MOLT-4"] * 2 and found["gr"].tolist() == [0.0, 0.4]


# ---- the folder
# --------------------------------------------------------------------------------------------------------------------


def test_simulated_and_real_are_not_mixed(tmp_path):
    random = np.random.default_rng(1)
    for name, simulated in (("EXP-R", False), ("EXP-S", True)):
        write_report(tmp_path, name, one_experiment(random, ["A549"], 0), simulated=simulated)
    found = gather(tmp_path)
    assert found.experiments["experiment_id"].tolist() == ["EXP-R"] and (
        found.left_out,
        found.simulated,
    ) == (1, False)
    assert set(found.points["experiment_id"]) == {"EXP-R"} and any(
        "left out" in said for said in sections.standing(found)
    )
    (tmp_path / "EXP-R" / "results.parquet").unlink()
    assert gather(tmp_path).simulated


def test_a_window_against_blanks_is_a_chart_of_its_own(tmp_path):
    frames = one_experiment(np.random.default_rng(1), ["A549"], 0)
    frames["plate_qc"]["code"] = "AGAINST_BLANKS"
    write_report(tmp_path, "EXP-1", frames)
    assert set(gather(tmp_path).points["measure"]) == {OPTIMISTIC, GROWTH}


def test_asns_correlates_as_planted(view):
    """Nine lines; Spearman by ranks and np.corrcoef over the lines' means."""
    stored = store.read(view.folder, "asns_lines").assign(
        outcome=lambda rows: rows["1 - GR without asparagine"].astype(float)
    )
    means = stored.groupby("cell_line")[["protein", "outcome"]].mean()
    rho = np.corrcoef(means.rank().to_numpy().T)[0, 1]
    row = (
        next(
            exhibit.table
            for exhibit in sections.asns_tables(view)
            if exhibit.name == "asns_across_correlation"
        )
        .query("source == 'all experiments' and predictor == 'protein'")
        .iloc[0]
    )
    assert row["n_lines"] == 9 and row["spearman"] == pytest.approx(rho) and rho < -0.8
    assert sections.asns_warning(view).startswith("Lines of all experiments")


NOTEBOOK = "04_across_experiments"


def test_the_notebook_is_thin_stripped_and_parameterised(root):
    path = root / f"notebooks/{NOTEBOOK}.ipynb"
    for cell in json.loads(path.read_text())["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
            assert source.count("\n") < 12 and "def " not in source
    parameters = inspect_notebook(str(path))
    assert list(parameters) == ["reports", "out"] and all(
        item["help"] and item["inferred_type_name"] == "str" for item in parameters.values()
    )


def run_notebook(root, reports, out):
    """Every code cell in order, in one namespace, with `reports` and `out` instead of the
    defaults.
    """
    cells = [
        cell
        for cell in json.loads((root / f"notebooks/{NOTEBOOK}.ipynb").read_text())["cells"]
        if cell["cell_type"] == "code"
    ]
    namespace: dict = {}
    for index, cell in enumerate(cells):
        exec(
            "".join(cell["source"]) if index else f"reports, out = {str(reports)!r}, {str(out)!r}",
            namespace,
        )
    return namespace["view"]


def test_the_notebook_over_sixty_experiments(root, planted, tmp_path):
    run_notebook(root, planted, tmp_path)
    figures = {path.stem for path in (tmp_path / "figures").glob("*.svg")}
    assert figures == {"calls_in_time", "repeats", "chart_z_prime", "chart_growth", "asns_across"}
    tables = {path.stem for path in (tmp_path / "tables").glob("*.csv")}
    assert {
        "call_history",
        "repeats",
        "agreement",
        "asns_across_correlation",
        "asns_across_comparison",
        "chart_z_prime_summary",
        "chart_growth_summary",
    } <= tables
    chart = pd.read_csv(tmp_path / "tables" / "chart_growth.csv")
    assert len(chart) == N * len(LINES) and {"centre", "lower", "upper", "beyond"} <= set(chart)
    assert len(pd.read_csv(tmp_path / "tables" / "calls_in_time.csv")) == N * len(LINES) * len(
        ACIDS
    )


def test_the_notebook_where_there_is_little_or_nothing(root, tmp_path, capsys):
    assert "No reports" in sections.standing(run_notebook(root, tmp_path / "missing", ""))[0]
    write_report(tmp_path, "EXP-1", {"compliance": pd.DataFrame({"check": ["P01"]})})
    assert len(run_notebook(root, tmp_path, "").experiments) == 1
    write_report(
        tmp_path, "EXP-2", one_experiment(np.random.default_rng(0), ["A549"], 0), date=None
    )
    assert any(
        "1 without a date" in said for said in sections.standing(run_notebook(root, tmp_path, ""))
    )


# ---- the page
# ----------------------------------------------------------------------------------------------------------------------


def test_the_command_makes_a_page_whose_links_lead_somewhere(tmp_path, capsys):
    for index, name in enumerate(("EXP-1", "EXP-2")):
        write_report(
            tmp_path,
            name,
            one_experiment(np.random.default_rng(index), ["A549", "MOLT-4"], 0),
            simulated=True,
        )
    assert main(["index", str(tmp_path)]) == 0 and not (tmp_path / "across.html").exists()
    assert main(["index", str(tmp_path), "--across"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "across.html")
    page = (tmp_path / "across.html").read_text()
    links = re.findall(r'href="([^"]*)"', page)
    assert "index.html" in links and all(
        link.startswith("#") or (tmp_path / link).exists() for link in links
    )
    assert all(f'id="{link[1:]}"' in page for link in links if link.startswith("#"))
    assert (
        "2 simulated experiments" in page
        and 'class="simulated-mark"' in page
        and page.count("<figure") == 5
    )
    assert 'href="across.html"' in (tmp_path / "index.html").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "EXP-1",
        "EXP-2",
        "across.html",
        "index.html",
        "index.json",
    ]


def test_a_notebook_that_stops_leaves_the_earlier_page(root, tmp_path):
    notebook = json.loads((root / f"notebooks/{NOTEBOOK}.ipynb").read_text())
    notebook["cells"][3]["source"] = ["raise ValueError('on purpose')"]
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / f"{NOTEBOOK}.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "across.html").write_text("earlier")
    with pytest.raises(
        OutputError, match=r"04_across_experiments.ipynb: code cell 3 raised ValueError: on purpose"
    ):
        across_page.write(tmp_path / "reports", tmp_path / "broken")
    assert [path.read_text() for path in (tmp_path / "reports").iterdir()] == ["earlier"]
