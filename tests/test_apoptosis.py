"""Specific Annexin V+ by hand, intervals and tests against scipy, error rates by simulation,
figures by their content.
"""

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

from kit.config.settings import Settings
from kit.core import columns
from kit.core.errors import InputError
from kit.flow.apoptosis import (
    apoptosis,
    apoptosis_effects,
    logit,
    specific_death,
)
from kit.flow.gating import Logicle, logicle
from kit.plots import apoptosis as plots


def medium(
    role: str, removes: str | None = None, restores: str | None = None, inducer: bool = False
) -> SimpleNamespace:
    return SimpleNamespace(role=role, removes=removes, restores=restores, inducer=inducer)


MEDIA = {
    "complete": medium("control"),
    "no_asn": medium("dropout", removes="asparagine"),
    "no_gln": medium("dropout", removes="glutamine"),
    "no_asn_rescue": medium("rescue", restores="asparagine"),
    "sts": medium("other", inducer=True),
}
SETTINGS = Settings()


def row(
    medium: str,
    annexin: float,
    *,
    line: str = "MOLT-4",
    replicate: int = 1,
    events: float = 12_000,
    necrotic: float = 1.0,
    **more: float,
) -> dict:
    late = annexin / 3
    viable = 100 - annexin - necrotic
    values = {
        "viable_percent": viable,
        "early_percent": annexin - late,
        "late_percent": late,
        "necrotic_percent": necrotic,
    }
    return {
        "cell_line": line,
        "medium": medium,
        "replicate": replicate,
        **values,
        "events": events,
        **more,
    }


def judged(*rows: dict, settings: Settings = SETTINGS) -> pd.DataFrame:
    return apoptosis(pd.DataFrame(rows), MEDIA, settings)


# ---- samples
# -----------------------------------------------------------------------------------------------------------


def test_specific_death_by_hand() -> None:
    assert specific_death([40, 5, 10, 100], [10, 10, 10, 20]) == pytest.approx(
        [30 / 90, -5 / 90, 0, 1]
    )
    assert np.isnan(specific_death(100, 100))


def test_control_is_that_of_the_same_line_and_replicate() -> None:
    table = judged(
        row("complete", 4), row("no_asn", 40), row("complete", 8, replicate=2), row("no_asn", 40, replicate=2),
        row("complete", 2, line="A549"), row("no_asn", 3, line="A549"),
    )  # fmt: skip
    by = table.set_index(["cell_line", "medium", "replicate"])["specific_apoptosis"]
    assert by["MOLT-4", "no_asn", 1] == pytest.approx(36 / 96)
    assert by["MOLT-4", "no_asn", 2] == pytest.approx(32 / 92)
    assert by["A549", "no_asn", 1] == pytest.approx(1 / 98)
    assert by["MOLT-4", "complete", 2] == 0
    assert list(table.columns[:12]) == list(columns.TABLES["apoptosis"])
    assert set(table["verdict"]) == {"pass"} and set(table["note"]) == {""}


def test_control_of_the_same_time_where_times_differ() -> None:
    rows = [
        row(name, value, hours=hours)
        for name, value, hours in (
            ("complete", 4, 24),
            ("no_asn", 10, 24),
            ("complete", 6, 72),
            ("no_asn", 40, 72),
        )
    ]
    assert judged(*rows)["specific_apoptosis"].tolist() == pytest.approx([0, 6 / 96, 0, 34 / 94])


def test_a_missing_control_fails_with_its_reason() -> None:
    table = judged(row("complete", 4), row("no_asn", 40, replicate=2))
    lone = table.iloc[1]
    assert np.isnan(lone["specific_apoptosis"]) and lone["verdict"] == "fail"
    assert lone["code"] == "FLOW_NO_CONTROL"


CASES = {
    "all well": ({}, {}, {}, "pass", ""),
    "few events": ({}, {"events": 9_999}, {}, "warn", "FLOW_FEW_EVENTS"),
    "enough events": ({}, {"events": 10_000}, {}, "pass", ""),
    "too few events": ({}, {"events": 1_999}, {}, "fail", "FLOW_FEW_EVENTS"),
    "just enough events": ({}, {"events": 2_000}, {}, "warn", "FLOW_FEW_EVENTS"),
    "unknown events": ({}, {"events": np.nan}, {}, "warn", "FLOW_EVENTS_UNKNOWN"),
    "control at 10 %": ({"annexin": 10}, {}, {}, "pass", ""),
    "control above 10 %": ({"annexin": 10.1}, {}, {}, "warn", "FLOW_CONTROL_DYING"),
    "control above 20 %": ({"annexin": 20.1}, {}, {}, "fail", "FLOW_CONTROL_DYING"),
    "harvest damage": ({"necrotic": 5.1}, {}, {}, "warn", "FLOW_CONTROL_NECROTIC"),
    "weak inducer": ({}, {}, {"annexin": 30}, "fail", "FLOW_INDUCER_WEAK"),
    "strong inducer": ({}, {}, {"annexin": 40}, "pass", ""),
    "debris": ({"debris_percent": 10}, {"debris_percent": 21}, {}, "warn", "FLOW_DEBRIS"),
    "little debris": ({"debris_percent": 10}, {"debris_percent": 20}, {}, "pass", ""),
    "worst wins": (
        {"annexin": 15},
        {"events": 100},
        {},
        "fail",
        "FLOW_FEW_EVENTS FLOW_CONTROL_DYING",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_verdict_and_reason(case: str) -> None:
    control, sample, inducer, verdict, codes = CASES[case]
    rows = [
        row("complete", **{"annexin": 5, **control}),
        row("no_asn", **{"annexin": 30, **sample}),
    ]
    rows += [row("sts", **inducer)] if inducer else []
    found = judged(*rows).iloc[1]
    assert found["verdict"] == verdict
    assert found["code"] == codes and bool(found["note"]) == bool(codes)


def test_no_event_gives_no_percent_whatever_the_file_says() -> None:
    table = judged(
        row("complete", 5),
        row("no_asn", 30, events=0),
        row("complete", 5, replicate=2, events=0),
        row("no_asn", 30, replicate=2),
    )
    empty, beside_empty = table.iloc[1], table.iloc[3]
    percents = [
        "viable_percent",
        "early_percent",
        "late_percent",
        "necrotic_percent",
        "annexin_percent",
        "specific_apoptosis",
    ]
    assert (
        empty[percents].isna().all()
        and empty["verdict"] == "fail"
        and "0 singlets" in empty["note"]
    )
    assert (
        np.isnan(beside_empty["specific_apoptosis"])
        and "control has 0 singlets" in beside_empty["note"]
    )
    assert table.loc[2, ["annexin_percent", "specific_apoptosis"]].isna().all()


def test_a_control_of_too_few_events_fails_the_samples_that_lean_on_it() -> None:
    table = judged(row("complete", 5, events=500), row("no_asn", 30))
    assert table["verdict"].tolist() == ["fail", "fail"]
    assert table["code"].tolist() == ["FLOW_FEW_EVENTS", "FLOW_CONTROL_FEW_EVENTS"]


def test_an_inducer_judges_only_its_own_line_and_replicate() -> None:
    rows = [
        row("complete", 5),
        row("sts", 10),
        row("complete", 5, replicate=2),
        row("no_asn", 30, replicate=2),
    ]
    assert judged(*rows)["verdict"].tolist() == ["fail", "fail", "pass", "pass"]


def test_limits_follow_the_settings() -> None:
    rows = [row("complete", 15), row("no_asn", 40, events=500)]
    lenient = Settings(max_control_annexin_percent=16, min_events=400, fail_events=300)
    assert set(judged(*rows, settings=lenient)["verdict"]) == {"pass"}


def test_unknown_media_and_doubles_are_refused_together() -> None:
    with pytest.raises(InputError) as caught:
        judged(row("complete", 4), row("complete", 5), row("no_ans", 5))
    assert "Did you mean 'no_asn'?" in str(caught.value)
    assert "stands more than once" in str(caught.value)


def test_the_interval_of_a_sample_is_wilsons() -> None:
    table = judged(row("complete", 4, events=10_000), row("no_asn", 30, events=1000))
    for _, sample in table.iterrows():
        n = int(sample["events"])
        k = round(sample["annexin_percent"] / 100 * n)
        want = stats.binomtest(k, n).proportion_ci(method="wilson")
        found = (sample["annexin_ci_low"] / 100, sample["annexin_ci_high"] / 100)
        assert found == pytest.approx((want.low, want.high), abs=1e-12)


def test_an_empty_flow_table_gives_empty_tables() -> None:
    table = apoptosis(pd.DataFrame(columns=list(row("complete", 4))), MEDIA, SETTINGS)
    assert table.empty and set(columns.TABLES["apoptosis"]) <= set(table.columns)
    assert apoptosis_effects(table, MEDIA, SETTINGS).empty


# ---- contrasts
# ---------------------------------------------------------------------------------------------------------


def experiment(
    effects: dict[str, float],
    *,
    replicates: int,
    seed: int,
    line: str = "MOLT-4",
    sd: float = 0.2,
    events: int = 10_000,
) -> list[dict]:
    """Logit-normal replicates around 5 % in control, with a day effect shared by all media of a
    replicate.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for replicate in range(1, replicates + 1):
        day = rng.normal(0, 0.3)
        for name, effect in effects.items():
            share = 1 / (1 + np.exp(-(np.log(0.05 / 0.95) + day + effect + rng.normal(0, sd))))
            rows.append(
                row(
                    name,
                    100 * rng.binomial(events, share) / events,
                    replicate=replicate,
                    line=line,
                    events=events,
                )
            )
    return rows


def test_contrast_is_the_paired_t_test_of_logits() -> None:
    rows = experiment({"complete": 0, "no_asn": 1.5, "no_gln": 0.3}, replicates=4, seed=1)
    effects = apoptosis_effects(judged(*rows), MEDIA, SETTINGS).set_index("medium")
    frame = pd.DataFrame(rows)
    k = (frame["early_percent"] + frame["late_percent"]) / 100 * 10_000
    wide = frame.assign(logit=np.log((k + 0.5) / (10_000 - k + 0.5))).pivot_table(
        index="replicate", columns="medium", values="logit"
    )
    for name in ("no_asn", "no_gln"):
        want = stats.ttest_rel(wide[name], wide["complete"])
        interval = want.confidence_interval()
        got = effects.loc[name]
        assert got["p"] == pytest.approx(want.pvalue)
        assert (got["ci_low"], got["ci_high"]) == pytest.approx((interval.low, interval.high))
        assert got["odds_ratio"] == pytest.approx(np.exp((wide[name] - wide["complete"]).mean()))
    assert effects["n_replicates"].tolist() == [4, 4]


def closed_holm(p: np.ndarray) -> list[float]:
    """Holm as the closed test of Bonferroni: each p adjusted is the largest Bonferroni p of all
    sets of hypotheses that hold it.
    """
    sets = [s for size in range(1, len(p) + 1) for s in itertools.combinations(range(len(p)), size)]
    return [max(min(1.0, len(s) * min(p[list(s)])) for s in sets if i in s) for i in range(len(p))]


def test_holm_within_each_line_and_family() -> None:
    media = {**MEDIA, "no_ser": medium("dropout", removes="serine")}
    rows = []
    for seed, line in enumerate(("MOLT-4", "A549")):
        rows += experiment(
            {"complete": 0, "no_asn": 1.0, "no_gln": 0.5, "no_ser": 0.3, "no_asn_rescue": 0.1},
            replicates=4,
            seed=seed,
            line=line,
        )
    effects = apoptosis_effects(apoptosis(pd.DataFrame(rows), media, SETTINGS), media, SETTINGS)
    assert len(effects) == 8
    for _, part in effects.groupby("cell_line"):
        dropouts = part[part["contrast"].str.endswith("complete")]
        assert dropouts["p_adjusted"].to_numpy() == pytest.approx(
            closed_holm(dropouts["p"].to_numpy())
        )
        rescue = part[part["contrast"] == "no_asn_rescue - no_asn"]
        assert rescue["p_adjusted"].tolist() == rescue["p"].tolist()


def test_fewer_than_three_replicates_are_exploratory() -> None:
    effects = apoptosis_effects(
        judged(*experiment({"complete": 0, "no_asn": 2}, replicates=2, seed=0)), MEDIA, SETTINGS
    ).iloc[0]
    assert (
        np.isnan(effects["p"])
        and np.isnan(effects["p_adjusted"])
        and effects["adjustment"] == "none"
    )
    assert np.isfinite(effects["estimate"]) and effects["n_replicates"] == 2
    assert effects["note"].startswith("exploratory")


def test_replicates_without_a_partner_are_left_out() -> None:
    rows = [
        r
        for r in experiment({"complete": 0, "no_asn": 2}, replicates=4, seed=0)
        if (r["medium"], r["replicate"]) != ("complete", 2)
    ]
    assert apoptosis_effects(judged(*rows), MEDIA, SETTINGS).iloc[0]["n_replicates"] == 3


@pytest.mark.parametrize("spoilt", [{"events": 0}, {"events": 500}], ids=["no event", "few events"])
@pytest.mark.parametrize("where", ["no_asn", "complete"])
def test_failed_samples_take_no_part_in_a_contrast(spoilt: dict, where: str) -> None:
    """Replicate 4 failed: the contrast is that of the other three, to the last digit, and says
    so.
    """
    rows = experiment({"complete": 0, "no_asn": 2}, replicates=4, seed=0)
    bad = [{**r, **spoilt} if (r["medium"], r["replicate"]) == (where, 4) else r for r in rows]
    names = [
        "estimate",
        "se",
        "df",
        "ci_low",
        "ci_high",
        "p",
        "p_adjusted",
        "n_replicates",
        "odds_ratio",
        "mean_specific_apoptosis",
    ]
    found, want = (
        apoptosis_effects(judged(*each), MEDIA, SETTINGS).iloc[0]
        for each in (bad, [r for r in rows if r["replicate"] != 4])
    )
    assert found[names].tolist() == want[names].tolist() and found["n_replicates"] == 3
    assert "failed and stayed out" in found["note"]


def test_where_every_sample_failed_there_is_no_estimate() -> None:
    rows = [
        {**r, "events": 0} if r["medium"] == "no_asn" else r
        for r in experiment({"complete": 0, "no_asn": 2}, replicates=3, seed=0)
    ]
    found = apoptosis_effects(judged(*rows), MEDIA, SETTINGS).iloc[0]
    assert found["n_replicates"] == 0 and found[["estimate", "se", "p", "ci_low"]].isna().all()


def test_false_positives_stay_at_five_percent_where_cells_as_n_would_not() -> None:
    """No effect, replicates that vary: the paired test keeps its level, a chi-square on the events
    does not.
    """
    hits = naive = 0
    runs = 400
    for seed in range(runs):
        rows = experiment({"complete": 0, "no_asn": 0}, replicates=4, seed=seed)
        table = pd.DataFrame(rows).assign(
            annexin_percent=lambda t: t["early_percent"] + t["late_percent"],
            verdict="pass",
            specific_apoptosis=0.0,
        )
        hits += apoptosis_effects(table, MEDIA, SETTINGS)["p"][0] < 0.05
        counts = (table["annexin_percent"] * 100).groupby(table["medium"]).sum().round()
        naive += stats.chi2_contingency(np.array([counts, 40_000 - counts]))[1] < 0.05
    assert stats.binomtest(int(hits), runs, 0.05).pvalue > 0.001
    assert naive / runs > 0.3


def test_logit_is_finite_at_the_ends_and_odd() -> None:
    low, high = logit([0, 100], [1000, 1000])
    assert low == pytest.approx(np.log(0.5 / 1000.5)) and high == pytest.approx(-low)
    assert np.isfinite(logit(0, np.nan))


# ---- figures
# -----------------------------------------------------------------------------------------------------------


def axes() -> plots.Axes:
    return Figure(figsize=(5, 4)).subplots()


def words(ax: plots.Axes) -> str:
    legend = ax.get_legend()
    named = [text.get_text() for text in legend.get_texts()] if legend else []
    return "\n".join(
        [*(text.get_text() for text in ax.texts), *named, ax.get_title(), ax.get_title(loc="left")]
    )


def test_density_draws_thresholds_and_percentages() -> None:
    points = np.array(
        [[100, 100]] * 50 + [[9000, 100]] * 30 + [[9000, 9000]] * 15 + [[100, 9000]] * 5,
        dtype=float,
    )
    ax = plots.density(axes(), points, 1000, 2000)
    said = words(ax)
    assert all(
        f"{name}\n{share}" in said
        for name, share in {
            "viable": "50.0",
            "early": "30.0",
            "late": "15.0",
            "necrotic": "5.0",
        }.items()
    )
    across, up = ax.lines
    assert [across.get_xdata()[0], up.get_ydata()[0]] == pytest.approx(
        logicle(np.array([1000.0, 2000.0]), Logicle())
    )
    ticks = dict(zip((t.get_text() for t in ax.get_xticklabels()), ax.get_xticks()))
    assert ticks["10$^{4}$"] == pytest.approx(float(logicle(np.array([1e4]), Logicle())[0]))


def test_stacked_quadrants_show_every_replicate_to_the_top() -> None:
    table = judged(*experiment({"complete": 0, "no_asn": 2}, replicates=3, seed=0))
    ax = plots.quadrants(axes(), table, media=list(MEDIA))
    bars = [patch for patch in ax.patches if np.isfinite(patch.get_x())]
    assert len(bars) == 6 * 4
    tops = {
        round(patch.get_x(), 6): max(
            p.get_y() + p.get_height() for p in bars if p.get_x() == patch.get_x()
        )
        for patch in bars
    }
    assert list(tops.values()) == pytest.approx([100] * 6)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["complete", "no_asn"]


def test_specific_apoptosis_draws_named_limits_and_each_replicate() -> None:
    rows = experiment({"complete": 0, "no_asn": 2}, replicates=3, seed=0)
    rows[-1]["events"] = 100  # fails
    table = judged(*rows)
    ax = plots.specific_apoptosis(axes(), table)
    assert "(sa_low)" in words(ax) and "(sa_high)" in words(ax) and "EXPLORATORY" not in words(ax)
    shown = np.concatenate([dots.get_offsets()[:, 1] for dots in ax.collections])
    want = table.loc[table["medium"] == "no_asn", "specific_apoptosis"]
    assert sorted(shown) == pytest.approx(sorted(want))
    assert any(
        np.allclose(line.get_ydata(), want[table["verdict"] != "fail"].mean())
        for line in ax.lines
        if len(line.get_ydata()) == 2
    )
    assert "EXPLORATORY" in words(plots.specific_apoptosis(axes(), table[table["replicate"] == 1]))


def test_empty_data_say_why() -> None:
    none = judged(row("complete", 4)).iloc[:0]
    for ax in (
        plots.density(axes(), np.zeros((0, 2)), 1, 1),
        plots.quadrants(axes(), none),
        plots.specific_apoptosis(axes(), none),
    ):
        assert words(ax).startswith("no data: ")


def test_forest_of_odds_shows_each_contrast_and_its_interval() -> None:
    rows = experiment({"complete": 0, "no_asn": 1.5, "no_gln": 0.3}, replicates=4, seed=1)
    effects = apoptosis_effects(judged(*rows), MEDIA, SETTINGS)
    ax = plots.odds_forest(Figure().subplots(), effects)
    spans = sorted(
        (segment[0][0], segment[1][0])
        for lines in ax.collections
        if hasattr(lines, "get_segments")
        for segment in lines.get_segments()
    )
    assert np.allclose(
        spans, sorted(zip(effects["odds_ratio_low"], effects["odds_ratio_high"], strict=True))
    )
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "MOLT-4: no_asn - complete",
        "MOLT-4: no_gln - complete",
    ]
