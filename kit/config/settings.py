"""Every threshold and constant of the analysis, by name, with its meaning and source.

`[K]` marks the kit's own convention: no published threshold exists. A report prints all of them
with their values; an experiment
changes one under `settings:` in experiment.yaml, a run with `--set NAME=VALUE`.
"""

from __future__ import annotations

from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

SEED = 20260302


def _limit(default: Any, meaning: str, source: str = "[K]", **bounds: Any) -> Any:
    """A documented setting: default, one sentence, where it comes from, and its bounds."""
    return Field(default, description=meaning, json_schema_extra={"source": source}, **bounds)


def _percent(default: float, meaning: str, source: str = "[K]") -> Any:
    return _limit(default, meaning, source, ge=0, le=1000)


def _fraction(default: float, meaning: str, source: str = "[K]") -> Any:
    return _limit(default, meaning, source, ge=0, le=1)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class QualitySettings(_Frozen):
    """Plate quality (SPEC: plate QC). `min_`/`max_` passes, `fail_` fails, between them warns."""

    min_z_prime: float = _limit(0.5, "Z' at or above passes", "Zhang 1999", le=1)
    fail_z_prime: float = _limit(0.2, "Z' below fails", "[K]", le=1)
    min_ssmd: float = _limit(
        5.0, "SSMD of control against kill wells at or above passes", "Zhang XHD 2007", ge=0
    )
    fail_ssmd: float = _limit(3.0, "SSMD below fails", "Zhang XHD 2007", ge=0)
    min_signal_to_background: float = _limit(
        10.0, "signal to background (ATP) at or above passes", ge=1
    )
    fail_signal_to_background: float = _limit(5.0, "signal to background (ATP) below fails", ge=1)
    min_signal_to_background_brdu: float = _limit(
        3.0, "signal to background (BrdU) at or above passes; half of its excess over 1 fails", ge=1
    )
    min_signal_to_noise: float = _limit(10.0, "signal to noise at or above passes", ge=0)
    fail_signal_to_noise: float = _limit(5.0, "signal to noise below fails", ge=0)
    max_cv_control_percent: float = _percent(10, "CV of the control wells up to here passes", "[K]")
    fail_cv_control_percent: float = _percent(
        20, "CV of the control wells above fails", "Assay Guidance Manual"
    )
    max_cv_group_percent: float = _percent(
        20, "CV of a dropout or rescue group's wells up to here passes"
    )
    fail_cv_group_percent: float = _percent(
        40, "CV of a dropout or rescue group's wells above fails"
    )
    low_group_percent: float = _percent(
        25, "groups below this percentage of control are judged by SD, not CV"
    )
    max_sd_low_group_points: float = _percent(
        5, "SD, in points of control, up to which a low group passes"
    )
    max_cv_blank_percent: float = _percent(
        20, "CV of the blank wells of a medium up to here passes"
    )
    max_blank_sd_over_mad: float = _limit(
        6.0,
        "blanks whose SD is larger than so many robust SDs (MAD) hold a stray well: the limit of"
        " detection then rests on the MAD",
        gt=1,
    )
    fail_blank_disagreement_percent: float = _percent(
        100, "largest deviation of a medium's blank from the mean blank above fails"
    )
    max_blank_disagreement_percent: float = _percent(
        10, "largest deviation of a medium's blank from the mean blank up to here passes"
    )
    max_edge_effect_percent: float = _percent(
        10, "edge effect up to here passes", "Assay Guidance Manual"
    )
    fail_edge_effect_percent: float = _percent(
        20, "edge effect above fails", "Assay Guidance Manual"
    )
    max_drift_percent: float = _percent(
        10, "row or column drift up to here passes", "Assay Guidance Manual"
    )
    fail_drift_percent: float = _percent(
        20, "row or column drift above fails", "Assay Guidance Manual"
    )
    max_missing_wells_percent: float = _percent(
        10, "wells missing, saturated or excluded above fails the plate"
    )
    max_volume_loss_percent: float = _percent(5, "volume lost by evaporation up to here passes")
    fail_volume_loss_percent: float = _percent(10, "volume lost by evaporation above fails")
    min_linearity_slope: float = _limit(
        0.9, "log-log slope of signal against cells from here passes"
    )
    max_linearity_slope: float = _limit(
        1.1, "log-log slope of signal against cells up to here passes"
    )
    min_linearity_r2: float = _fraction(0.98, "R2 of that line from here passes")
    saturation_fraction: float = _fraction(
        0.95, "a control well at or above this share of the detector's maximum fails the plate"
    )
    min_control_wells: int = _limit(
        4, "control and kill wells needed for Z' and SSMD; fewer: not estimable", ge=2
    )
    outlier_z: float = _limit(
        3.5,
        "modified z-score above which a well is flagged (never dropped), from 5 wells on",
        "Iglewicz & Hoaglin 1993",
        gt=0,
    )
    bootstrap_draws: int = _limit(
        2000, "bootstrap and permutation draws", "[K]", ge=200, le=100_000
    )
    seed: int = _limit(SEED, "seed of every random draw", "[K]", ge=0)


class GrowthSettings(_Frozen):
    """Growth (SPEC: normalisation)."""

    proliferation_h: float = _limit(48.0, "readout time of the growth call", "protocol", gt=0)
    min_control_doublings: float = _limit(1.0, "control doublings from here pass", "[K]", ge=0)
    undefined_control_doublings: float = _limit(
        0.5, "control doublings below leave GR undefined", "[K]", ge=0
    )
    max_readout_disagreement_gr: float = _limit(
        0.15, "largest |GR of ATP - GR of counts| that is accepted", "[K]", ge=0
    )
    lod_sd: float = _limit(
        3.0, "limit of detection: blank mean plus this many SD", "convention", ge=0
    )


class EffectSettings(_Frozen):
    """Contrasts and rescue (SPEC: tests)."""

    alpha: float = _limit(0.05, "family-wise and false-discovery level", "convention", gt=0, lt=0.5)
    min_replicates: int = _limit(
        3, "biological replicates below which nothing is tested ('exploratory')", "[K]", ge=2
    )
    max_sd_ratio: float = _limit(
        3.0,
        "ratio of SDs of paired differences above which the report says that they differ",
        "[K]",
        ge=1,
    )
    equivalence_margin_log2: float = _limit(
        0.322,
        "margin of equivalence with control, log2 (0.80 to 1.25)",
        "FDA bioequivalence style, [K] here",
        gt=0,
    )
    min_rescue_denominator: float = _limit(
        0.3, "loss of GR below which no rescue index is formed", "[K]", ge=0
    )
    rescue_index_likely_full: float = _limit(0.8, "rescue index from here: likely full", "[K]")
    rescue_index_failed: float = _limit(
        0.3, "rescue index below here: failed, if its interval agrees", "[K]"
    )
    rescue_index_failed_upper: float = _limit(
        0.5, "upper end of the interval below which a failed rescue is believed", "[K]"
    )


class ApoptosisSettings(_Frozen):
    """Annexin V / PI (SPEC: apoptosis)."""

    apoptosis_h: float = _limit(72.0, "readout time of death", "protocol", gt=0)
    min_events: int = _limit(10_000, "singlets from here pass", "[K]", ge=1)
    fail_events: int = _limit(2_000, "singlets below fail", "[K]", ge=1)
    max_control_annexin_percent: float = _percent(10, "Annexin V+ in control up to here passes")
    fail_control_annexin_percent: float = _percent(20, "Annexin V+ in control above fails")
    max_control_necrotic_percent: float = _percent(5, "Annexin V-/PI+ in control up to here passes")
    max_debris_ratio: float = _limit(
        2.0, "debris over control's above which death is called underestimated", "[K]", gt=0
    )
    min_inducer_specific_apoptosis: float = _fraction(
        0.30, "specific apoptosis the inducer has to reach"
    )


class ProtocolSettings(_Frozen):
    """Compliance and carry-over (SPEC: metadata, carry-over)."""

    strict_serum: bool = _limit(True, "undialyzed serum voids every call", "source protocol")
    max_serum_cutoff_kDa: float = _limit(
        10, "dialysis cut-off up to here passes", "source protocol", gt=0
    )
    warn_serum_cutoff_kDa: float = _limit(
        14, "dialysis cut-off up to here warns, above fails", "[K]", gt=0
    )
    gr_mask_moderate: float = _fraction(
        0.09, "GR an auxotroph could show from carry-over: from here warns"
    )
    gr_mask_high: float = _fraction(0.18, "the same: from here voids partial and prototroph calls")
    serum_asparagine_uM: float = _limit(
        50.0,
        "asparagine in undialyzed serum where it was not measured (30 to 200 reported)",
        "[K]",
        ge=0,
    )
    serum_glutamine_uM: float = _limit(
        300.0, "glutamine in undialyzed serum where it was not measured", "[K]", ge=0
    )
    serum_serine_uM: float = _limit(
        150.0, "serine in undialyzed serum where it was not measured", "[K]", ge=0
    )
    dialysis_removal: float = _fraction(0.99, "share of free amino acids that dialysis removes")
    protein_pg_suspension: float = _limit(100.0, "protein per lymphoid cell, pg", "[K]", gt=0)
    protein_pg_adherent: float = _limit(200.0, "protein per carcinoma cell, pg", "[K]", gt=0)
    asparagine_share_of_residues: float = _fraction(
        0.036, "asparagine's share of the residues of protein"
    )
    glutamine_share_of_residues: float = _fraction(
        0.040, "glutamine's share of the residues of protein"
    )
    serine_share_of_residues: float = _fraction(0.075, "serine's share of the residues of protein")
    growth_sustaining_low_uM: float = _limit(
        3.0, "asparagine from here may let lymphoid cells double once", "[K], computed", ge=0
    )
    growth_sustaining_high_uM: float = _limit(
        10.0, "upper end of that range", "[K], computed", ge=0
    )
    assumed_previous_asparagine_uM: float = _limit(
        378.0, "asparagine on the cells before the wash, where not given", "RPMI 1640 recipe", ge=0
    )
    assumed_previous_glutamine_uM: float = _limit(
        2053.0, "glutamine on the cells before the wash, where not given", "RPMI 1640 recipe", ge=0
    )
    assumed_previous_serine_uM: float = _limit(
        286.0, "serine on the cells before the wash, where not given", "RPMI 1640 recipe", ge=0
    )
    assumed_spin_residual_mL: float = _limit(
        0.2, "volume left above a pellet, where not given", "[K]", gt=0
    )
    assumed_cells_per_well: float = _limit(
        10_000.0, "cells per well at the start, where not given", "[K]", gt=0
    )
    assumed_well_volume_uL: float = _limit(
        100.0, "medium per well, where not given", "[K], 96 wells", gt=0
    )
    assumed_serum_percent: float = _percent(10, "serum in the medium, where not given")
    assumed_control_doublings: float = _limit(
        2.0, "doublings of control, where not measured", "[K]", gt=0
    )
    min_acclimatization_passages: int = _limit(
        2,
        "passages in dialyzed serum from here pass, one fewer warns, none fails",
        "source protocol",
        ge=1,
    )
    max_doubling_time_ratio: float = _limit(
        1.5, "doubling time in dialyzed over regular serum up to here passes", ge=1
    )
    max_medium_deviation_percent: float = _percent(
        5, "amino acids not dropped may deviate from control by this much, more fails"
    )
    min_control_asparagine_uM: float = _limit(
        50.0, "asparagine in control from here passes, none fails", ge=0
    )
    rescue_asparagine_uM: float = _limit(100.0, "asparagine of its rescue", "source protocol", gt=0)
    rescue_glutamine_uM: float = _limit(
        2000.0, "glutamine of its rescue; as much as control holds passes as well", gt=0
    )
    rescue_serine_uM: float = _limit(
        400.0, "serine of its rescue; as much as control holds passes as well", gt=0
    )
    max_rescue_deviation_percent: float = _percent(
        10, "a rescue may deviate from its concentration by this much"
    )
    max_rescue_to_control_ratio: float = _limit(
        2.0, "rescue over control asparagine, either way, up to here passes", ge=1
    )
    max_glutamine_age_days: float = _limit(
        14.0,
        "days at 4 C after glutamine was added, up to here passes",
        "glutamine half-life 6 to 20 d",
        ge=0,
    )
    min_confluence_percent: float = _percent(
        20, "confluence at the switch from here passes", "source protocol"
    )
    max_confluence_percent: float = _percent(
        40, "confluence at the switch up to here passes", "source protocol"
    )
    fail_confluence_percent: float = _percent(60, "confluence at the switch above fails")
    min_viable_per_mL: float = _limit(
        1e5, "viable suspension cells per mL at the start from here pass", gt=0
    )
    max_viable_per_mL: float = _limit(
        3e5, "viable suspension cells per mL at the start up to here pass", gt=0
    )
    warn_viable_per_mL: float = _limit(
        5e5, "viable suspension cells per mL at the start above warn", gt=0
    )
    max_endpoint_viable_per_mL: float = _limit(
        1.5e6, "viable suspension cells per mL in control at the end up to here pass", gt=0
    )
    min_adherence_h: float = _limit(
        6.0, "hours of adherence from here pass", "source protocol", ge=0
    )
    max_adherence_h: float = _limit(
        12.0, "hours of adherence up to here pass", "source protocol", ge=0
    )
    fail_adherence_h: float = _limit(3.0, "hours of adherence below fail", ge=0)
    min_washes: int = _limit(
        2, "washes from here pass, one fewer warns, none fails", "source protocol", ge=1
    )
    min_spin_wash_mL: float = _limit(10.0, "volume of a spin-wash from here passes", gt=0)
    max_cell_loss_percent: float = _percent(15, "cells lost by the washes up to here pass")
    max_t0_delay_h: float = _limit(
        1.0, "hours between the switch and the 0 h plate up to here pass", ge=0
    )
    min_t0_wells: int = _limit(4, "wells at 0 h per line and replicate from here pass", ge=1)
    max_proliferation_offset_h: float = _limit(
        2.0, "distance of the growth readout from its time up to here passes", ge=0
    )
    max_apoptosis_offset_h: float = _limit(
        3.0, "distance of the death readout from its time up to here passes", ge=0
    )
    fail_readout_offset_h: float = _limit(
        6.0, "distance of either readout from its time above fails", ge=0
    )
    max_concentration_factor: float = _limit(
        100.0, "amino acids this far from DMEM, RPMI and the protocol are asked about", gt=1
    )
    min_growth_rate_ratio: float = _limit(
        0.7, "doublings of control over those of the stated doubling time, from here passes", gt=0
    )
    max_growth_rate_ratio: float = _limit(1.4, "the same: up to here passes", gt=0)
    max_doublings_ratio: float = _limit(
        1.5, "doublings of control, largest over smallest replicate, up to here passes", ge=1
    )
    min_possible_doubling_h: float = _limit(
        10.0, "no cell doubles faster than this: more doublings fail", gt=0
    )
    max_gr: float = _limit(1.3, "mean GR of a medium up to here passes: control has 1", gt=1)
    max_residual_correlation: float = _fraction(
        0.8, "correlation of the wells of two replicates after treatment means, from here fails"
    )
    min_gr_high_line: float = _limit(
        0.6, "GR without asparagine that an ASNS-high reference line has to reach", gt=-1, le=1
    )
    max_gr_low_line: float = _limit(
        0.2, "GR without asparagine that an ASNS-low reference line may show", gt=-1, le=1
    )
    min_viability_percent: float = _percent(90, "viable share at seeding from here passes")
    fail_viability_percent: float = _percent(80, "viable share at seeding below fails")
    max_mycoplasma_age_days: float = _limit(
        30.0, "days since the mycoplasma test up to here pass", ge=0
    )
    max_str_age_days: float = _limit(
        366.0, "days since the STR profile up to here pass (12 months)", ge=0
    )


class CallSettings(_Frozen):
    """Dependency call (SPEC: call)."""

    gr_auxotroph: float = _limit(
        0.20, "GR up to here: auxotrophic or dependent", "[K]", gt=-1, lt=1
    )
    gr_prototroph: float = _limit(
        0.60, "GR from here: prototrophic, if few cells die", "[K]", gt=-1, le=1
    )
    gr_slowed: float = _limit(0.85, "GR below here: prototrophic but slowed", "[K]", gt=-1, le=1)
    sa_low: float = _fraction(0.10, "specific apoptosis below here: few cells die")
    sa_high: float = _fraction(0.20, "specific apoptosis from here: cytotoxic")
    prior_df: float = _limit(4.0, "degrees of freedom of the prior SD", "[K], limma style", ge=0)
    prior_sd_gr: float = _limit(0.10, "prior SD of GR between biological replicates", "[K]", gt=0)
    prior_weight: float = _limit(
        8.0,
        "degrees of freedom that the prior SD weighs against the replicates of the experiment",
        "[K], by simulation",
        ge=0,
    )
    prior_sd_sa: float = _limit(
        0.05, "prior SD of specific apoptosis between biological replicates", "[K]", gt=0
    )
    cutoff_shift: float = _limit(
        0.05, "cut-offs move by this much in the sensitivity guard", "[K]", ge=0
    )
    min_probability_confident: float = _fraction(0.80, "posterior probability from here: confident")
    min_probability_provisional: float = _fraction(
        0.60, "posterior probability from here: provisional"
    )
    posterior_draws: int = _limit(20_000, "posterior draws", "[K]", ge=1000, le=1_000_000)


class WesternSettings(_Frozen):
    """ASNS: blots and correlation (SPEC: western, correlation). Percents of ASNS are of the mean of
    the reference lanes.
    """

    western_saturation_fraction: float = _fraction(
        0.98, "a pixel at or above this share of the detector's maximum saturates its lane"
    )
    western_lod_snr: float = _limit(
        3.0, "signal to noise from which a band is detected", "convention", gt=0
    )
    western_loq_snr: float = _limit(
        10.0,
        "signal to noise from which a band is quantified; below it a line is low",
        "convention",
        gt=0,
    )
    min_western_linearity_r2: float = _fraction(
        0.98,
        "R2 of signal on load, through the origin, from which ratios are valid",
        "[K], after Butler 2019",
    )
    min_lane_factor: float = _limit(
        0.7, "a lane's load over the membrane's mean from here passes", gt=0
    )
    max_lane_factor: float = _limit(
        1.3, "a lane's load over the membrane's mean up to here passes", gt=0
    )
    min_reference_lanes: int = _limit(
        2, "lanes of pooled reference lysate per membrane from here pass", ge=1
    )
    max_reference_spread: float = _limit(
        1.5, "highest over lowest reference lane of a membrane up to here passes", ge=1
    )
    fail_reference_spread: float = _limit(
        3.0, "highest over lowest reference lane of a membrane above here voids its ratios", ge=1
    )
    min_induction_log2: float = _limit(
        1.0, "rise of ASNS or ATF4 without asparagine, log2, from here is a rise", gt=0
    )
    min_lysates: int = _limit(3, "independent lysates of a line from here pass", ge=1)
    asns_mw_kDa: float = _limit(
        64.0, "mass of ASNS (561 residues, 64.4 kDa)", "UniProt P08243", gt=0
    )
    max_mw_error_percent: float = _percent(
        10, "distance of the band's mass from that of ASNS up to here passes"
    )
    fail_mw_error_percent: float = _percent(
        15, "distance of the band's mass from that of ASNS above is not ASNS"
    )
    min_ladder_markers: int = _limit(
        4, "markers of the ladder, on both sides of ASNS, from here pass", ge=2
    )
    min_ladder_r2: float = _fraction(0.98, "R2 of log10 mass on migration from here passes")
    min_knockout_loss_percent: float = _limit(
        80.0,
        "signal lost in a knockout or siRNA lane from here validates the antibody",
        "[K]",
        ge=0,
        le=100,
    )
    max_off_target_share: float = _fraction(
        0.5, "share of a lane's signal in other bands up to here passes"
    )
    min_control_lane_ratio: float = _limit(
        5.0, "ASNS of the high over the lowest line from here passes", ge=1
    )
    fail_control_lane_ratio: float = _limit(
        2.0, "ASNS of the high over the lowest line below fails", ge=1
    )
    asns_low_percent: float = _percent(10, "ASNS up to here is low")
    asns_high_percent: float = _percent(50, "ASNS above here is high, between the two moderate")
    asns_floor_percent: float = _limit(
        1.0, "ASNS below here counts as this much for logarithms", gt=0, le=100
    )
    asns_high_lines: tuple[str, ...] = _limit(
        ("HeLa", "A549"),
        "lines whose own lanes stand in where a membrane has no pooled reference",
        "source protocol",
        min_length=1,
    )
    min_lines_estimate: int = _limit(5, "lines below which no correlation is estimated", ge=4)
    min_lines_inference: int = _limit(
        8, "lines below which a correlation is descriptive: no p, no interval", ge=5
    )
    preferred_lines: int = _limit(
        10, "lines from which a correlation is no longer called small", ge=5
    )
    min_lines_per_class: int = _limit(
        5, "auxotrophs, and other lines, from which a ROC cut-off is given", ge=2
    )
    discordant_z: float = _limit(
        1.0, "z of mRNA over z of protein by more than this, at low protein: discordant", gt=0
    )


class SignalingSettings(_Frozen):
    """mTORC1 divergence (SPEC: mTORC1). Activations are log2 of phospho over total, over starved."""

    min_all_activation_log2: float = _limit(
        1.0, "activation of wild type by all amino acids from here: the assay works"
    )
    max_torin_log2: float = _limit(
        0.25, "signal under Torin over starved up to here: the signal is mTOR's"
    )
    max_total_change_percent: float = _percent(
        30.0, "change of total S6K by the genotype or the drug up to here passes"
    )
    max_rag_left_percent: float = _percent(
        20.0, "Rag band left in the knock-out, percent of wild type, up to here: Rag is lost"
    )
    min_rdi_dependent: float = _limit(
        0.7, "share of the activation that needs Rag (RDI) from here: Rag-dependent", gt=0, le=1
    )
    rdi_half: float = _limit(
        0.5,
        "RDI: Rag-dependent needs the lower 95 % bound from here, independent the upper 90 % bound"
        " below",
        gt=0,
        lt=1,
    )
    min_rdi_mixed: float = _limit(0.3, "RDI from here: mixed", gt=0, lt=1)
    min_adi: float = _limit(
        0.5, "share of the Rag-independent activation that needs Arf1 (ADI) from here: Arf1", gt=0
    )
    max_contrast_change_log2: float = _limit(
        0.3, "change of a contrast by scaling, background or denominator up to here passes", gt=0
    )
    max_paired_se_ratio: float = _limit(
        2.0, "paired over pooled standard error above which the paired test counts", ge=1
    )


CROSSED = "limits_crossed"
APART = (("gr_auxotroph", "gr_prototroph"),)
"""Pairs of which the first has to be below the second."""
IN_ORDER = (
    ("max_share_used", "fail_share_used"),
    ("provisional_uptake_change_percent", "min_uptake_change_percent"),
    ("fail_z_prime", "min_z_prime"), ("fail_ssmd", "min_ssmd"), ("fail_signal_to_background", "min_signal_to_background"),
    ("fail_signal_to_noise", "min_signal_to_noise"), ("max_cv_control_percent", "fail_cv_control_percent"),
    ("max_cv_group_percent", "fail_cv_group_percent"), ("max_edge_effect_percent", "fail_edge_effect_percent"),
    ("max_blank_disagreement_percent", "fail_blank_disagreement_percent"),
    ("max_drift_percent", "fail_drift_percent"), ("max_volume_loss_percent", "fail_volume_loss_percent"),
    ("min_linearity_slope", "max_linearity_slope"), ("undefined_control_doublings", "min_control_doublings"),
    ("rescue_index_failed", "rescue_index_likely_full"), ("fail_events", "min_events"),
    ("max_control_annexin_percent", "fail_control_annexin_percent"), ("max_serum_cutoff_kDa", "warn_serum_cutoff_kDa"),
    ("gr_mask_moderate", "gr_mask_high"), ("growth_sustaining_low_uM", "growth_sustaining_high_uM"),
    ("min_confluence_percent", "max_confluence_percent"), ("max_confluence_percent", "fail_confluence_percent"),
    ("min_viable_per_mL", "max_viable_per_mL"), ("max_viable_per_mL", "warn_viable_per_mL"), ("fail_adherence_h", "min_adherence_h"),
    ("min_adherence_h", "max_adherence_h"), ("max_proliferation_offset_h", "fail_readout_offset_h"),
    ("max_apoptosis_offset_h", "fail_readout_offset_h"), ("max_gr_low_line", "min_gr_high_line"),
    ("fail_viability_percent", "min_viability_percent"), ("sa_low", "sa_high"),
    ("min_probability_provisional", "min_probability_confident"), ("western_lod_snr", "western_loq_snr"),
    ("min_lane_factor", "max_lane_factor"), ("max_mw_error_percent", "fail_mw_error_percent"),
    ("fail_control_lane_ratio", "min_control_lane_ratio"), ("asns_low_percent", "asns_high_percent"),
    ("min_lines_estimate", "min_lines_inference"), ("max_reference_spread", "fail_reference_spread"),
    ("recovery_from_h", "recovery_to_h"), ("recovery_irreversible", "recovery_reversible_low"),
    ("recovery_reversible_low", "recovery_reversible"),
    ("min_growth_rate_ratio", "max_growth_rate_ratio"),
    ("min_rdi_mixed", "rdi_half"), ("rdi_half", "min_rdi_dependent"),
)  # fmt: skip
"""Pairs of which the first may not exceed the second."""


class ExchangeSettings(_Frozen):
    """Medium ledger, uptake and exchange (SPEC: exhaustion, exchange factor)."""

    glutamine_decay_per_h: float = _limit(
        0.0018,
        "loss of glutamine at 37 °C without cells, 1/h",
        "Copeland 2023: half-life 16 d",
        ge=0,
    )
    assumed_uptake_asparagine_fmol: float = _limit(
        2.0, "uptake where not measured, fmol per cell and hour", "[K], protein of a new cell", gt=0
    )
    assumed_uptake_glutamine_fmol: float = _limit(
        40.0, "uptake where not measured, fmol per cell and hour", "Copeland 2023", gt=0
    )
    assumed_uptake_serine_fmol: float = _limit(
        10.0, "uptake where not measured, fmol per cell and hour", "[K], Copeland 2023: 14", gt=0
    )
    max_share_used: float = _fraction(0.5, "share of the supply used at the read-out, passes")
    fail_share_used: float = _fraction(0.8, "share of the supply used at the read-out above fails")
    min_uptake_change_percent: float = _percent(
        10, "change of an amino acid against its blank from here passes"
    )
    provisional_uptake_change_percent: float = _percent(
        5, "change from here is provisional, less is not measurable"
    )
    min_uptake_change_se: float = _limit(
        3.0, "change over its standard error over experiments from here passes", ge=0
    )
    max_lcms_cv_percent: float = _percent(15, "CV of blanks and QC samples up to here passes")
    max_calibration_error_percent: float = _percent(
        15, "error of a standard calculated back up to here passes"
    )
    min_supply_left: float = _fraction(0.2, "share of the supply left from here passes")
    max_blank_from_recipe_percent: float = _percent(
        20, "blank may differ from the recipe by this much"
    )
    min_essential_share: float = _fraction(
        0.5, "uptake per new cell of an essential amino acid over the demand of protein, at least"
    )
    max_uptake_fmol: float = _limit(
        500.0, "uptake of an amino acid above: check the units, fmol per cell and hour", gt=0
    )
    min_doublings_for_growth: float = _limit(
        0.5, "doublings below which uptake per new cell is not defined", gt=0
    )
    decay_alpha: float = _limit(0.01, "p below which a decay is taken off", gt=0, lt=1)
    min_exchange_elasticity: float = _limit(
        0.10, "slope of log2 uptake per new cell on log2 asparagine that counts as exchange", gt=0
    )


class TimeCourseSettings(_Frozen):
    """Time courses (SPEC: time courses)."""

    settling_h: float = _limit(4.0, "scans before this hour are left out: cells settle", ge=0)
    medium_change_h: float = _limit(
        2.0, "scans within this many hours after a change of medium are left out", ge=0
    )
    max_live_confluence_percent: float = _percent(
        80, "confluence from which a well's scans are left out as saturated"
    )
    stray_scan_mads: float = _limit(
        5.0, "a scan further than this many MAD off its running median is a stray scan", gt=0
    )
    stray_scan_log2: float = _limit(0.25, "and further than this, log2", gt=0)
    min_scans: int = _limit(5, "scans needed for a growth rate", ge=3)
    min_rate_window_h: float = _limit(12.0, "hours a growth rate's scans have to span", gt=0)
    onset_alpha: float = _limit(0.01, "level of the test for an onset", gt=0, lt=1)
    recovery_from_h: float = _limit(12.0, "recovery is read from this hour after add-back", ge=0)
    recovery_to_h: float = _limit(48.0, "and before this hour", gt=0)
    recovery_reversible: float = _fraction(
        0.8, "recovered: rate over the control's from here is reversible"
    )
    recovery_reversible_low: float = _fraction(0.5, "with the lower end of its interval from here")
    recovery_irreversible: float = _fraction(0.3, "upper end of the interval below is irreversible")


class DoseSettings(_Frozen):
    """Dose-response and titration (SPEC: asparaginase)."""

    min_dose_effect: float = _fraction(
        0.2, "change within the doses below which a curve has no effect"
    )
    dose_aicc_margin: float = _limit(
        4.0, "AICc by which a curve with two phases or a rise has to win", "[K], simulated", ge=0
    )
    max_ic50_ci_log10: float = _limit(
        1.0, "widest 95 % interval of a reported IC50, in decades", "[K]", gt=0
    )
    max_dose_control_error: float = _fraction(
        0.05, "largest standard error of the wells without agent", "Sebaugh 2011"
    )


class Settings(
    QualitySettings,
    GrowthSettings,
    EffectSettings,
    ApoptosisSettings,
    ProtocolSettings,
    CallSettings,
    WesternSettings,
    ExchangeSettings,
    SignalingSettings,
    TimeCourseSettings,
    DoseSettings,
):
    """All settings in one flat namespace, as `settings:` in experiment.yaml names them. Limits of
    one thing have to stand in their order.
    """

    @model_validator(mode="after")
    def _in_order(self) -> Settings:
        """Two limits that have crossed leave no class or verdict between them, so what they judge
        would be an accident of the code.
        """
        pairs = [
            (*pair, "below") for pair in APART if getattr(self, pair[0]) >= getattr(self, pair[1])
        ]
        pairs += [
            (*pair, "at most")
            for pair in IN_ORDER
            if getattr(self, pair[0]) > getattr(self, pair[1])
        ]
        said = [
            f"{low} ({getattr(self, low):g}) has to be {how} {high} ({getattr(self, high):g})"
            for low, high, how in pairs
        ]
        if said:
            raise PydanticCustomError(CROSSED, "{said}", {"said": "; ".join(said)})
        return self

    @classmethod
    def wrong(cls, name: str, value: Any) -> str:
        """What is wrong with one value by itself, in words; empty where nothing is. Its order with
        other limits needs all of them.
        """
        try:
            cls.model_validate({name: value})
        except ValidationError as error:
            return next(
                (item["msg"].lower() for item in error.errors() if item["type"] != CROSSED), ""
            )
        return ""

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Python takes `true` for 1: as a threshold it is a slip."""
        if isinstance(value, bool) and not isinstance(
            cls.model_fields[info.field_name or ""].default, bool
        ):
            raise ValueError(f"should be a number, not {str(value).lower()}")
        return value

    @classmethod
    def describe(cls) -> list[dict[str, Any]]:
        """One dict per setting: name, default, meaning, source, group."""
        groups = {
            name: str(group.__doc__).split(" (")[0].split(".")[0]
            for group in cls.__mro__[1:-3]
            for name in group.__annotations__
        }
        rows = []
        for name, field in cls.model_fields.items():
            extra = field.json_schema_extra
            source = extra["source"] if isinstance(extra, dict) else ""
            rows.append(
                {
                    "name": name,
                    "default": field.default,
                    "meaning": field.description,
                    "source": source,
                    "group": groups[name],
                }
            )
        return rows


def moved(settings: Settings) -> list[tuple[str, Any, Any]]:
    """Settings that differ from the kit's: (name, value, the kit's value)."""
    return [
        (name, value, field.default)
        for name, field in Settings.model_fields.items()
        if (value := getattr(settings, name)) != field.default
    ]
