"""Names, types and meaning of every table the kit writes: the one vocabulary of code, tables,
figures and docs.

A table may carry further columns; it may never lack one named here. `NaN`, `None` or an empty cell
means "not known".
"""

from __future__ import annotations

import pandas as pd

Table = dict[str, tuple[str, str]]
"""column -> (kind, meaning); kind is `text`, `number`, `whole` or `flag`."""


def _table(**columns: str) -> Table:
    """`name="kind: meaning"` pairs as a Table."""
    split = (entry.split(": ", 1) for entry in columns.values())
    return {name: (kind, meaning) for name, (kind, meaning) in zip(columns, split, strict=True)}


_LINE = "text: cell line as named in experiment.yaml"
_MEDIUM = "text: medium as named in experiment.yaml"
_VERDICT = "text: pass, warn, fail or info"
_CODE = "text: what was found, as a code that `kit explain` puts in words; several with a space"

TABLES: dict[str, Table] = {
    "wells": _table(
        plate="text: plate name",
        well="text: well name, A01",
        row="whole: 1-based row",
        column="whole: 1-based column",
        cell_line=_LINE,
        medium=_MEDIUM,
        role="text: sample, blank, kill or empty",
        readout="text: assay, e.g. CellTiter-Glo",
        hours="number: hours after the medium switch",
        replicate="whole: biological replicate",
        signal="number: what the reader wrote",
        signal_corrected="number: signal less the median of the matched blanks",
        excluded="flag: left out by exclusions.csv",
        exclusion_reason="text: why",
    ),
    "plate_qc": _table(
        plate="text: plate name",
        metric="text: name of the quality metric",
        value="number: estimate, in the unit the metric's name ends with",
        ci_low="number: lower end of the bootstrap 95 % interval",
        ci_high="number: upper end",
        verdict=_VERDICT,
        limit_pass="number: at or better passes",
        limit_fail="number: worse fails",
        note="text: what was compared, or why there is no estimate",
        code=_CODE,
    ),
    "compliance": _table(
        check="text: P01 to P30",
        subject="text: line, medium, serum or plate judged",
        value="text: what was found",
        rule="text: what is asked",
        severity="text: worst outcome of this check: fail, warn or info",
        verdict=_VERDICT,
        advice="text: what to do",
        code=_CODE,
    ),
    "carryover": _table(
        cell_line=_LINE,
        medium=_MEDIUM,
        amino_acid="text: the amino acid taken away",
        residual_uM="number: concentration left over at the start",
        masked_doublings="number: doublings the residue can pay for (D_cap)",
        gr_mask="number: GR an absolute auxotroph could show from the residue alone",
        verdict=_VERDICT,
        code=_CODE,
    ),
    "medium_ledger": _table(
        medium=_MEDIUM,
        amino_acid="text: amino acid",
        recipe_uM="number: from the recipe, in the well",
        serum_uM="number: from serum, in the well",
        carry_over_uM="number: left over from the previous medium",
        decay_48h_uM="number: what decay alone takes in 48 h",
        at_start_uM="number: concentration at the medium switch",
        at_readout_uM="number: concentration at the last read-out if no cell took any",
        assumed="text: inputs that were not given",
        note="text: what to know of the row",
        code=_CODE,
    ),
    "exhaustion": _table(
        cell_line=_LINE,
        medium=_MEDIUM,
        amino_acid="text: amino acid",
        demand_umol="number: what the cells of a well take until the read-out if there is enough",
        supply_umol="number: what the medium of a well holds at the start",
        share_used="number: demand over supply",
        runs_out_at_h="number: hours until nothing is left; empty where that is never",
        verdict=_VERDICT,
        note="text: what it means",
        code=_CODE,
    ),
    "growth": _table(
        cell_line=_LINE,
        medium=_MEDIUM,
        replicate="whole: biological replicate",
        hours="number: hours after the medium switch",
        readout="text: assay",
        relative_viability="number: signal over the control's",
        log2_fc="number: log2 of relative_viability",
        gr="number: GR value",
        control_doublings="number: doublings of the control since 0 h",
        n_wells="whole: wells averaged",
        code=_CODE,
    ),
    "uptake_rates": _table(
        cell_line=_LINE,
        medium=_MEDIUM,
        replicate="text: biological replicate, or all",
        amino_acid="text: amino acid",
        v_fmol_per_cell_h="number: uptake per cell and hour; positive is taken up",
        v_per_new_cell_fmol="number: the same over the growth rate: uptake per new cell",
        mu_per_h="number: growth rate",
        k_decay_per_h="number: loss without cells that was taken off",
        ci_low="number: lower end of the 95 % t interval over experiments of v",
        ci_high="number: upper end",
        gate="text: pass, provisional or fail",
        method="text: regression, two_points or none",
        n_points="whole: samples in the fit; experiments where replicate is all",
        note="text: which gate, in words",
        code=_CODE,
    ),
    "exchange": _table(
        cell_line=_LINE,
        amino_acid="text: amino acid under test",
        slope="number: slope of log2 uptake per new cell on log2 intracellular asparagine",
        ci_low="number: lower end of its 95 % t interval over experiments",
        ci_high="number: upper end",
        p="number: one-sided p that the slope, and that over negative controls, are above zero",
        n_experiments="whole: experiments",
        grade=(
            "text: correlative, growth_corrected, trans_stimulated, transporter_dependent or none"
        ),
        note="text: the verdict in words",
        code=_CODE,
    ),
    "uptake_samples": _table(
        replicate="whole: biological replicate",
        cell_line="text: cell line; empty for a blank",
        medium=_MEDIUM,
        condition="text: genotype or treatment of the arm",
        sample="text: sample as the instrument names it",
        kind="text: cells or blank",
        hours="number: hours after the medium switch",
        amino_acid="text: compound",
        conc_uM="number: concentration",
        volume_mL="number: volume in the well at that time",
        amount_nmol="number: concentration times volume",
        code=_CODE,
    ),
    "lcms_qc": _table(
        replicate="whole: biological replicate",
        amino_acid="text: compound",
        check="text: what was looked at",
        value="number: what was found, percent",
        limit="number: up to here passes",
        verdict=_VERDICT,
        code=_CODE,
    ),
    "readout_agreement": _table(
        cell_line=_LINE,
        medium=_MEDIUM,
        replicate="whole: biological replicate",
        hours="number: hours after the medium switch",
        readout_signal="text: ATP or its like",
        readout_count="text: count of cells or nuclei",
        gr_signal="number: GR of the signal",
        gr_count="number: GR of the count",
        difference="number: GR of the signal less GR of the count",
        mean_difference="number: its mean over the replicates of the line and medium",
        agrees="flag: the mean difference is within max_readout_disagreement_gr",
    ),
    "effects": _table(
        cell_line=_LINE,
        medium=_MEDIUM,
        contrast="text: what is compared with what",
        scale="text: log2_fc or gr",
        estimate="number: difference of means over biological replicates",
        se="number: its standard error",
        df="number: degrees of freedom",
        ci_low="number: lower end of the simultaneous 95 % interval",
        ci_high="number: upper end",
        p="number: two-sided p of the contrast alone",
        p_adjusted="number: p adjusted within its family",
        adjustment="text: how, and over which family",
        n_replicates="whole: biological replicates",
    ),
    "rescue": _table(
        cell_line=_LINE,
        medium="text: the rescue medium",
        restores="text: amino acid added back",
        superiority_p="number: one-sided p, rescue above dropout",
        tost_p="number: p of equivalence with control",
        rescue_index="number: share of the loss in GR that the rescue restores",
        ci_low="number: lower end of its 95 % interval",
        ci_high="number: upper end",
        **{"class": "text: full, likely_full, partial, failed, indeterminate or not_applicable"},
        code=_CODE,
    ),
    "apoptosis": _table(
        cell_line=_LINE,
        medium=_MEDIUM,
        replicate="whole: biological replicate",
        viable_percent="number: Annexin V-/PI-",
        early_percent="number: Annexin V+/PI-",
        late_percent="number: Annexin V+/PI+",
        necrotic_percent="number: Annexin V-/PI+",
        annexin_percent="number: early plus late",
        specific_apoptosis="number: fraction of the control's annexin-negative cells lost",
        events="number: singlets",
        verdict=_VERDICT,
        code=_CODE,
    ),
    "apoptosis_effects": _table(
        cell_line=_LINE,
        medium=_MEDIUM,
        contrast="text: what is compared with what",
        scale="text: logit_annexin",
        estimate=(
            "number: mean over biological replicates of the paired difference of logits of the"
            " Annexin V positive share"
        ),
        se="number: its standard error",
        df="number: degrees of freedom, pairs less one",
        ci_low="number: lower end of the contrast's own 95 % t interval, one at a time",
        ci_high="number: upper end",
        p="number: two-sided p of the paired t test",
        p_adjusted="number: p adjusted within its family",
        adjustment="text: how, and over which family",
        n_replicates="whole: biological replicates in which both samples passed",
        odds_ratio="number: odds of being Annexin V positive over those of the reference",
        odds_ratio_low="number: lower end of its 95 % interval",
        odds_ratio_high="number: upper end",
        mean_specific_apoptosis="number: mean over these replicates, against control",
        note="text: why nothing was tested, or what stayed out",
    ),
    "calls": _table(
        cell_line=_LINE,
        amino_acid="text: asparagine, glutamine or serine",
        call="text: auxotrophic, dependent, partially_dependent, prototrophic or inconclusive",
        subtype="text: cytotoxic, cytostatic, slowed, death_not_assessed or empty",
        confidence="text: confident, provisional or none",
        probability="number: posterior probability of the call",
        gr="number: mean GR over biological replicates",
        gr_ci_low="number: lower end of its 95 % interval",
        gr_ci_high="number: upper end",
        specific_apoptosis="number: mean over biological replicates",
        rescue="text: rescue class",
        reasons="text: sentences",
        code=_CODE,
        prior="text: class the source expects",
        prior_disputed="flag: the literature contradicts the source",
        matches_prior="flag: call equals prior; empty where there is none",
        p_near_cutoff="number: probability that the true GR lies within cutoff_shift of a cut-off",
        p_subtype="number: posterior probability of the subtype cytotoxic or cytostatic",
    ),
    "asns_protein": _table(
        cell_line=_LINE,
        replicate="whole: independent lysate",
        asns_relative="number: normalised ASNS over the membrane's reference lanes",
        percent_of_reference="number: the same in percent",
        **{"class": "text: low, moderate or high"},
        mw_kDa="number: apparent mass",
        verdict=_VERDICT,
        note="text: why",
        code=_CODE,
    ),
    "asns_lines": _table(
        cell_line=_LINE,
        lineage="text: tissue or lineage",
        protein="number: log2 of ASNS protein over the reference lanes, mean over lysates",
        percent_of_reference="number: the same in percent",
        ci_low_percent="number: lower end of its 95 % interval over lysates",
        ci_high_percent="number: upper end",
        n_lysates="number: independent lysates that count",
        **{"class": "text: low, moderate or high"},
        class_range="text: the class, or both where the interval spans a cut-off",
        class_probability=(
            "number: share of the t distribution over lysates that lies within the class"
        ),
        mRNA="number: log2 of ASNS mRNA, mean over lysates",
        auxotroph="flag: called auxotrophic for asparagine; empty where not called",
        mRNA_scale=(
            "text: unit, or calibrator and reference genes, of mRNA; experiments are pooled only"
            " within one"
        ),
        floored="flag: no lysate is above the floor, so percent_of_reference is an upper bound",
    ),
    "asns_induction": _table(
        cell_line=_LINE,
        replicate="whole: independent lysate",
        condition="text: condition of the lane as the blot table names it",
        starved="flag: the condition takes asparagine away",
        induction_log2="number: log2 of ASNS over the line's basal lane on the same membrane",
        atf4_log2="number: the same of ATF4; empty where it was not blotted",
        response=(
            "text: competent (ATF4 and ASNS up), silenced (ATF4 up, ASNS flat), stimulus failed"
            " (ATF4 flat) or not assessed"
        ),
        membrane="text: membrane that holds both lanes",
    ),
    "western_qc": _table(
        check="text: W01 to W14",
        subject="text: membrane, lane or line judged",
        value="text: what was found",
        rule="text: what is asked",
        severity="text: worst outcome of this check: fail, warn or info",
        verdict=_VERDICT,
        advice="text: what to do",
        code=_CODE,
    ),
    "asns_correlation": _table(
        predictor="text: protein, mRNA or another",
        outcome="text: measure of sensitivity",
        source="text: where the lines come from",
        n_lines="whole: lines, replicates averaged first",
        pearson="number: r",
        pearson_ci_low="number: lower end of the 95 % interval",
        pearson_ci_high="number: upper end",
        spearman="number: rho",
        spearman_ci_low="number: lower end of the 95 % interval",
        spearman_ci_high="number: upper end",
        p="number: two-sided p of spearman",
        max_leave_one_out_change="number: largest change of rho when one line is left out",
        note="text: what may be said",
        code=_CODE,
    ),
    "correlation_comparison": _table(
        predictor_a="text: first predictor",
        predictor_b="text: second predictor",
        outcome="text: measure of sensitivity",
        n_lines="whole: lines with all three values",
        r_a="number: correlation of predictor a",
        r_b="number: correlation of predictor b",
        r_ab="number: correlation of the predictors",
        williams_t="number: Williams' t",
        williams_p="number: its two-sided p",
        steiger_z="number: Steiger's Z",
        steiger_p="number: its two-sided p",
        zou_ci_low="number: lower end of Zou's 95 % interval of the difference",
        zou_ci_high="number: upper end",
        note="text: what it shows and does not",
        code=_CODE,
    ),
    "dose_points": _table(
        cell_line=_LINE,
        agent="text: what was titrated",
        medium=_MEDIUM,
        readout="text: assay",
        hours="number: hours after the medium switch",
        replicate="whole: biological replicate",
        concentration="number: dose as made, 0 for wells without agent",
        unit="text: unit of dose",
        gr="number: GR value; of a drug or enzyme against the wells without it in the same medium",
        relative_viability="number: signal over that of the same wells",
        n_wells="whole: wells averaged",
        excluded="flag: no well of this point is used",
    ),
    "dose_response": _table(
        cell_line=_LINE,
        agent="text: what was titrated",
        medium=_MEDIUM,
        readout="text: assay",
        hours="number: hours after the medium switch",
        scale="text: gr or relative_viability",
        replicate="text: biological replicate, or all",
        status="text: ok, or the first code that keeps the IC50 from being reported",
        reportable="flag: the IC50 may be reported",
        model="text: 4pl, constant or biphasic",
        direction="text: falling or rising",
        ic50_relative="number: dose halfway between the plateaus (EC50)",
        ic50_absolute="number: dose at a response of 0.5",
        ci_low="number: lower end of the 95 % interval of ic50_relative",
        ci_high="number: upper end",
        ci_method="text: where the interval comes from",
        ic50_text="text: the IC50 as it may be printed",
        censored="text: none, left (below the lowest dose) or right (above the highest)",
        hill="number: slope",
        top="number: upper plateau",
        bottom="number: lower plateau",
        se_log10_ic50="number: standard error of log10 of ic50_relative",
        aoc="number: area over the measured curve per decade of dose",
        aoc_low_c="number: lowest dose of that area",
        aoc_high_c="number: highest dose of that area",
        max_effect="number: largest change from the response at the lowest dose",
        n_doses="whole: distinct doses",
        n_replicates="whole: biological replicates",
        p_flat="number: F test of the curve against a constant",
        unit="text: unit of dose",
        code="text: every code that applies",
        note="text: what they mean",
    ),
    "signaling_ratios": _table(
        experiment="whole: independent experiment",
        membrane="text: gel or membrane of the phosphorylated band",
        genotype="text: WT, RagAB_KO, reference, or a name of the user's own",
        drug="text: vehicle, BFA, ARF1_si or Torin",
        stimulus="text: starved, an amino acid, all, or reference",
        target="text: the phosphorylated target",
        log2_ratio="number: log2 of phospho over total, both net of background",
        normaliser="text: the total it was divided by, and its membrane where that is another",
        excluded="flag: the lane takes no part",
        note="text: why",
        lane="text: lane of the membrane",
        lane_role="text: sample or reference",
        phospho="number: net volume of the phosphorylated band",
        total="number: net volume of its total",
        total_protein="number: net total protein of the lane",
        log2_scaled="number: log2_ratio with the gels of one experiment on one scale",
        code="text: code of the reason",
    ),
    "mtorc1_validity": _table(
        rule="text: rule of the assay",
        value="number: what was found, in the unit of the limit",
        limit="number: limit of the rule",
        verdict=_VERDICT,
        note="text: what was found, in words",
        subject="text: genotype, drug, lane or experiment judged",
        concerns="text: whose class is lost where it fails: all, a stimulus, or independence",
        code="text: code of the finding",
        advice="text: what to do, and which lane to repeat",
    ),
    "mtorc1_activation": _table(
        target="text: the phosphorylated target",
        genotype="text: genotype",
        drug="text: drug",
        stimulus="text: an amino acid or all",
        a="number: activation, log2 over starved of the same genotype and drug",
        ci_low="number: lower end of its 95 % interval",
        ci_high="number: upper end",
        se="number: its standard error, blocked by experiment",
        df="number: degrees of freedom",
        p="number: two-sided p of no activation",
        n_experiments="whole: experiments that hold both lanes",
        paired_se="number: standard error of the paired contrast",
        method="text: pooled or paired, whichever counts",
    ),
    "mtorc1_divergence": _table(
        stimulus="text: amino acid",
        a_wt="number: activation of wild type, log2",
        rdi="number: Rag dependence, 1 - A_KO/A_WT",
        rdi_low="number: lower end of its 95 % Fieller interval",
        rdi_high="number: upper end",
        adi="number: Arf1 dependence of what is left without Rag, 1 - A_KO,drug/A_KO",
        adi_low="number: lower end of its 95 % Fieller interval",
        adi_high="number: upper end",
        p_rag="number: one-sided p of A_WT above A_KO",
        p_arf1="number: one-sided p of A_KO above A_KO,drug",
        p_adjusted="number: p_rag by Holm over the stimuli",
        **{
            "class": "text: rag_dependent, rag_independent_arf1, rag_independent, mixed or"
            " inconclusive; empty where the status allows none"
        },
        expected="text: class that the literature expects",
        matches_expected="flag: the class is the expected one; empty where either is open",
        n_experiments="whole: experiments that hold the lanes of the Rag contrast",
        note="text: what was found, in words",
        status="text: classed, not_activating or invalid",
        a_ko="number: activation of the knock-out, log2",
        a_ko_drug="number: activation of the knock-out under the Arf1 drug, log2",
        drug="text: the Arf1 drug",
        p_arf1_adjusted="number: p_arf1 by Holm over the stimuli",
        rdi_high_90="number: upper 90 % bound of rdi, which shows independence below rdi_half",
        residual_sd="number: SD of a lane's log2 ratio about the blocked model",
        n_needed="number: experiments for the expected class with 80 % power at this spread",
        code="text: code of the rule that decided",
        citation="text: source of the expected class",
    ),
    "mtorc1_sensitivity": _table(
        choice="text: how the bands were scaled, background and denominator taken",
        quantity="text: activation, contrast or baseline",
        stimulus="text: amino acid; empty for the baseline",
        estimate="number: mean over experiments, log2",
        sd="number: SD over experiments",
        n_experiments="whole: experiments that hold its lanes",
        change="number: estimate less that of the choice used",
        verdict=_VERDICT,
        code="text: code of the verdict",
    ),
    "timecourse": _table(
        plate="text: plate name",
        well="text: well name, A01",
        hours="number: hours in the time of the file",
        metric="text: what was measured, as the file names it",
        value="number: what the instrument wrote",
        cell_line=_LINE,
        medium=_MEDIUM,
        replicate="whole: biological replicate",
        excluded="flag: the scan does not count",
        note="text: why",
    ),
    "growth_rates": _table(
        cell_line=_LINE,
        medium=_MEDIUM,
        replicate="whole: biological replicate",
        metric="text: what stands for cell number",
        phase="text: before, withdrawn or after_addback",
        rate_per_h="number: growth rate, natural logarithm, 1/h; divide by ln 2 for doublings",
        ci_low="number: lower end of the curve's own 95 % interval",
        ci_high="number: upper end",
        from_h="number: first scan used",
        to_h="number: last scan used",
        n_points="whole: scans used",
        note="text: why there is no rate",
    ),
    "onset": _table(
        cell_line=_LINE,
        medium=_MEDIUM,
        replicate="text: biological replicate, or all",
        amino_acid="text: what the medium lacks",
        onset_h="number: hours from the withdrawal to the first effect on growth",
        ci_low="number: lower end of the 95 % interval (all: over experiments)",
        ci_high="number: upper end",
        rate_before="number: growth rate before the onset, 1/h",
        rate_after="number: growth rate between the onset and the add-back, 1/h",
        recovery_share="number: rate after add-back over the control's in the same hours",
        **{"class": "text: reversible, partly_reversible, irreversible, no_effect, indeterminate"},
        note="text: what limits the class, and where an end point would mislead",
    ),
    "interaction": _table(
        cell_line=_LINE,
        amino_acid_a="text: the amino acid that may explain the other",
        amino_acid_b="text: the amino acid whose loss may act through the first",
        scale="text: log2_fc",
        estimate="number: effect of the first without the second less that with it, doublings",
        se="number: standard error",
        df="number: degrees of freedom",
        ci_low="number: lower end of the 95 % interval",
        ci_high="number: upper end",
        p="number: two-sided",
        p_adjusted="number: by Holm over the lines",
        **{"class": "text: additive, synergistic, antagonistic or indeterminate"},
        n_replicates="whole: biological replicates with all four arms",
        note="text: the verdict in words",
    ),
}


def empty(name: str) -> pd.DataFrame:
    """The table `name` with no rows."""
    return pd.DataFrame(columns=list(TABLES[name]))


def known(table: pd.DataFrame | None, name: str) -> pd.DataFrame:
    """`table`, or the empty table of that name where there is none."""
    return empty(name) if table is None else table


def check(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return `table` with its contract columns first; raise ValueError when one is missing or of
    the wrong kind.
    """
    contract = TABLES[name]
    missing = [column for column in contract if column not in table]
    if missing:
        raise ValueError(f"table {name!r} lacks {', '.join(missing)}")
    for column, (kind, _) in contract.items():
        if kind in ("number", "whole") and not _numeric(table[column]):
            raise ValueError(
                f"table {name!r}: column {column!r} should hold numbers, is {table[column].dtype}"
            )
    extra = [column for column in table if column not in contract]
    return table[[*contract, *extra]].reset_index(drop=True)


def plain_text(table: pd.DataFrame) -> pd.DataFrame:
    """`table` with text as plain Python strings: small tables that are filtered again and again are
    slow as Arrow text.
    """
    return table.astype(
        {column: object for column in table if not pd.api.types.is_numeric_dtype(table[column])}
    )


def _numeric(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) or bool(values.isna().all())
