"""How the numbers were made, in sentences fit for a paper's methods section, with the settings in
force.
"""

from __future__ import annotations

from kit.analysis import Analysis


def methods_text(analysis: Analysis) -> list[str]:
    """Only what was done to these data is said."""
    sentences = [_wells(analysis), _quality(analysis)] if analysis.wells is not None else []
    if analysis.growth is not None and len(analysis.growth):
        sentences += [_growth(analysis)]
    if analysis.effects is not None and len(analysis.effects):
        sentences += [_effects(analysis)]
    if analysis.rescue is not None and len(analysis.rescue):
        sentences += [_rescue(analysis)]
    if analysis.apoptosis is not None:
        sentences += [_apoptosis(analysis)]
    if analysis.calls is not None and len(analysis.calls):
        sentences += [_calls(analysis)]
    return sentences


def _wells(analysis: Analysis) -> str:
    excluded = 0 if analysis.wells is None else int(analysis.wells["excluded"].sum())
    return (
        "Signals were corrected by the median of the blank wells of the same medium and plate."
        f" Saturated and missed wells count as missing. {excluded or 'No'}"
        f" well{'s were' if excluded != 1 else ' was'} excluded by hand; flagged outliers were"
        " kept."
    )


def _quality(analysis: Analysis) -> str:
    s = analysis.experiment.settings
    return (
        f"Plates were judged by Z' (control against killed wells, at least {s.min_z_prime:g}; Zhang"
        f" 1999), SSMD (at least {s.min_ssmd:g}; Zhang XHD 2007), signal to background, CV of"
        f" control (at most {s.max_cv_control_percent:g} %), edge effect and drift (at most"
        f" {s.max_edge_effect_percent:g} % after removing treatment means). Intervals are bootstrap"
        f" percentiles ({s.bootstrap_draws} draws within each kind of well, seed {s.seed})."
    )


def _growth(analysis: Analysis) -> str:
    s = analysis.experiment.settings
    return (
        "Wells were averaged per biological replicate (independent passage, day and medium batch),"
        " then GR = 2^[log2(x/x0)/log2(x_control/x0)] - 1 was formed (Hafner 2016). GR is"
        f" undefined where control grew fewer than {s.undefined_control_doublings:g} doublings."
        f" Means below the limit of detection (blank mean + {s.lod_sd:g} SD) are set to it for"
        " logarithms."
    )


def _effects(analysis: Analysis) -> str:
    s, effects = analysis.experiment.settings, analysis.effects
    if effects is None or not effects["p"].notna().any():
        return (
            "Differences of log2 signal and GR are means of paired differences; nothing was"
            f" tested, since no contrast has {s.min_replicates} biological replicates."
        )
    return (
        "Log2 signals were analysed as randomised complete blocks (block = biological replicate);"
        " dropouts were compared with control by Dunnett's test (multivariate t, rho 0.5), rescue"
        " contrasts by t tests with Holm's correction. Each contrast was divided by the larger of"
        " two standard errors, that of the block model and that of its own paired differences, with"
        " degrees of freedom between theirs (geometric mean): fixed beforehand, and at 1 to 7 % family"
        " error by simulation whether SDs are equal or one is threefold; q values across lines are"
        f" Benjamini-Hochberg. Nothing is tested below {s.min_replicates} replicates."
    )


def _rescue(analysis: Analysis) -> str:
    s = analysis.experiment.settings
    return (
        "Rescue was classed by one-sided superiority over the dropout, two one-sided tests of"
        f" equivalence with control (margin {s.equivalence_margin_log2:g} log2), and the rescue"
        " index (share of lost GR restored, Fieller interval) where at least"
        f" {s.min_rescue_denominator:g} GR was lost."
    )


def _apoptosis(analysis: Analysis) -> str:
    formed = (
        "Specific Annexin V positivity is (A - A_control)/(100 - A_control) per replicate, A being"
        " early plus late percent; samples carry Wilson intervals. "
    )
    least, effects = analysis.experiment.settings.min_replicates, analysis.apoptosis_effects
    if effects is None or not effects["p"].notna().any():
        return (
            f"{formed}Death was not tested: no contrast has {least} biological replicates with both"
            " samples."
        )
    return (
        f"{formed}Contrasts of death are paired t tests on logits over biological replicates (n"
        " counts replicates, never cells), Holm-adjusted within each line over media against"
        " control and, apart, over rescues against their dropout; intervals are each contrast's"
        f" own. Failed samples stay out; nothing is tested below {least} replicates."
    )


def _calls(analysis: Analysis) -> str:
    s = analysis.experiment.settings
    return (
        f"Calls: GR up to {s.gr_auxotroph:g} auxotrophic (glutamine, serine: dependent); from"
        f" {s.gr_prototroph:g} with specific death below {s.sa_low:g} prototrophic; otherwise"
        f" partially dependent. Probability is the share of {s.posterior_draws:,} posterior draws"
        f" (SD moderated towards {s.prior_sd_gr:g} GR and {s.prior_sd_sa:g} SA with {s.prior_df:g}"
        f" df, seed {s.seed}); confident from {s.min_probability_confident:g} if the class holds"
        f" when all cut-offs move by {s.cutoff_shift:g}, provisional from"
        f" {s.min_probability_provisional:g}. The cut-offs are this kit's convention, not published"
        " thresholds."
    )
