"""Checks of sera and media: P01, P02, P05 to P10, P25."""

from __future__ import annotations

from collections.abc import Iterator

from kit.config.model import CALLED, ExperimentConfig, Serum
from kit.config.settings import Settings
from kit.protocol.base import FILE, Check, Evidence, Ruling, band, listing, not_given, scope_of

COMPARED = ("control", "dropout", "rescue")


def _compared(evidence: Evidence) -> dict[str, str | None]:
    """Serum of each medium of the comparison."""
    return {
        name: medium.serum
        for name, medium in evidence.config.media.items()
        if medium.role in COMPARED
    }


def serum_dialyzed(evidence: Evidence) -> Iterator[Ruling]:
    """P01: undialyzed serum brings the amino acid back. How thoroughly it was dialyzed is told by a
    measurement, not by the cut-off.
    """
    config, settings = evidence.config, evidence.settings
    media = _compared(evidence)
    yield from (
        not_given(name, f"media.{name}.serum", scope_of(config, name))
        for name, serum in media.items()
        if serum is None
    )
    for name in dict.fromkeys(serum for serum in media.values() if serum is not None):
        serum, place = config.sera[name], f"sera.{name}"
        if serum.percent == 0:
            yield Ruling(name, "no serum", "pass")
        elif serum.dialyzed is None:
            yield not_given(name, f"{place}.dialyzed")
        elif not serum.dialyzed:
            effect = "void" if settings.strict_serum else "masking"
            yield Ruling(
                name,
                "serum not dialyzed",
                "fail",
                f"Repeat with dialyzed serum (cut-off at most {settings.max_serum_cutoff_kDa:g}"
                " kDa).",
                effect=effect,
            )
        elif serum.cutoff_kDa is None:
            yield not_given(name, f"{place}.cutoff_kDa")
        else:
            verdict = band(
                serum.cutoff_kDa <= settings.max_serum_cutoff_kDa,
                serum.cutoff_kDa > settings.warn_serum_cutoff_kDa,
            )
            advice = (
                ""
                if verdict == "pass"
                else (
                    f"Use serum dialyzed at {settings.max_serum_cutoff_kDa:g} kDa or less, and"
                    " measure its amino acids."
                )
            )
            yield Ruling(name, f"dialyzed at {serum.cutoff_kDa:g} kDa", verdict, advice)
        if serum.percent != 0 and serum.asparagine_uM is None and "asparagine" in evidence.dropped:
            yield not_given(name, f"{place}.asparagine_uM", "asparagine")


def serum_identical(evidence: Evidence) -> Iterator[Ruling]:
    """P02: one serum, percentage and lot in every group; the lot of acclimatization too."""
    config = evidence.config
    names = list(
        dict.fromkeys(serum for serum in _compared(evidence).values() if serum is not None)
    )
    sera = [config.sera[name] for name in names]
    for name, serum in zip(names, sera, strict=True):
        yield from (
            not_given(name, f"sera.{name}.{field}")
            for field in ("percent", "lot")
            if getattr(serum, field) is None
        )
    if names:
        kinds = {_kind(serum) for serum in sera}
        advice = (
            "" if len(kinds) == 1 else "Repeat with one serum, lot and percentage in all groups."
        )
        value = (
            f"one serum ({_words(sera[0])})"
            if len(kinds) == 1
            else f"groups differ in serum: {listing(_words(serum) for serum in sera)}"
        )
        yield Ruling("groups", value, band(len(kinds) == 1, len(kinds) > 1), advice)
    before = config.protocol.acclimatization_serum
    if before is None:
        yield not_given("acclimatization", "protocol.acclimatization_serum")
    elif names and before not in names:
        same = config.sera[before].lot is not None and config.sera[before].lot in {
            serum.lot for serum in sera
        }
        value = f"acclimatized in {before} ({_words(config.sera[before])})"
        yield Ruling(
            "acclimatization",
            value,
            band(same, False),
            "" if same else "Acclimatize in the lot that the assay uses.",
        )
    elif names:
        yield Ruling("acclimatization", f"acclimatized in {before}, as in the assay", "pass")


def _kind(serum: Serum) -> tuple:
    return serum.dialyzed, serum.percent, serum.lot


def _words(serum: Serum) -> str:
    percent = "unknown %" if serum.percent is None else f"{serum.percent:g} %"
    return f"{percent}, lot {serum.lot or 'unknown'}"


def dropout_clean(evidence: Evidence) -> Iterator[Ruling]:
    """P05: what is taken away is not in the medium, and the other two are as in control."""
    config = evidence.config
    control = config.media[config.control_medium] if config.control_medium else None
    for name, medium in config.media.items():
        if medium.role != "dropout":
            continue
        removed = str(medium.removes).split("+")
        for amino_acid in removed:
            made = getattr(medium, f"{amino_acid}_uM", 0.0)
            if made is None:
                yield not_given(name, f"media.{name}.{amino_acid}_uM", scope_of(config, name))
            else:
                advice = f"Make {name} without {amino_acid}." if made > 0 else ""
                yield Ruling(
                    name,
                    f"{made:g} uM {amino_acid} as made",
                    band(made == 0, made > 0),
                    advice,
                    scope_of(config, name),
                )
        for amino_acid in CALLED:
            if control is not None and amino_acid not in removed:
                yield _as_in_control(
                    evidence, name, amino_acid, getattr(control, f"{amino_acid}_uM")
                )
    yield from _rescues_recorded(evidence)
    if not any(replicate.medium_lot for replicate in config.replicates.values()):
        yield from (
            not_given(name, f"media.{name}.lot", scope_of(config, name))
            for name in _compared(evidence)
            if config.media[name].lot is None
        )


def _rescues_recorded(evidence: Evidence) -> Iterator[Ruling]:
    """The amino acids a rescue medium does not restore have to be known too; how much it restores
    is asked by P07 and P08.
    """
    config = evidence.config
    for name, medium in config.media.items():
        if medium.role == "rescue":
            gaps = [
                item
                for item in CALLED
                if item not in str(medium.restores).split("+")
                and getattr(medium, f"{item}_uM") is None
            ]
            yield from (
                not_given(name, f"media.{name}.{item}_uM", scope_of(config, name)) for item in gaps
            )


def _as_in_control(evidence: Evidence, name: str, amino_acid: str, wanted: float | None) -> Ruling:
    scope, made = (
        scope_of(evidence.config, name),
        getattr(evidence.config.media[name], f"{amino_acid}_uM"),
    )
    if wanted is None:
        return not_given(
            str(evidence.config.control_medium),
            f"media.{evidence.config.control_medium}.{amino_acid}_uM",
        )
    if made is None:
        return not_given(name, f"media.{name}.{amino_acid}_uM", scope)
    good = (
        abs(made - wanted) <= evidence.settings.max_medium_deviation_percent / 100 * wanted + 1e-9
    )
    value = f"{made:g} uM {amino_acid}, {wanted:g} uM in control"
    advice = (
        ""
        if good
        else (
            f"Make {name} with {wanted:g} uM {amino_acid}: it differs from control by more than"
            " what it drops."
        )
    )
    return Ruling(name, value, band(good, not good), advice, scope)


def control_asparagine(evidence: Evidence) -> Iterator[Ruling]:
    """P06: DMEM holds no asparagine, so it cannot be the control of an asparagine dropout."""
    name, asked = evidence.config.control_medium, evidence.settings.min_control_asparagine_uM
    if name is None:
        return
    made = evidence.config.media[name].asparagine_uM
    if made is None:
        yield not_given(name, f"media.{name}.asparagine_uM")
        return
    verdict = band(made >= asked, made == 0)
    advice = (
        ""
        if verdict == "pass"
        else f"Add asparagine to {name}: at least {asked:g} uM (DMEM holds none)."
    )
    yield Ruling(
        name,
        f"{made:g} uM asparagine in control",
        verdict,
        advice,
        "all" if verdict == "fail" else "asparagine",
    )


def rescue_asparagine(evidence: Evidence) -> Iterator[Ruling]:
    """P07: the rescue gives back what control holds; beyond that it is another medium."""
    config, settings = evidence.config, evidence.settings
    control = config.media[config.control_medium].asparagine_uM if config.control_medium else None
    for name in config.rescues("asparagine"):
        made = config.media[name].asparagine_uM
        if made is None:
            yield not_given(name, f"media.{name}.asparagine_uM", "asparagine")
            continue
        near = (
            abs(made - settings.rescue_asparagine_uM)
            <= settings.max_rescue_deviation_percent / 100 * settings.rescue_asparagine_uM + 1e-9
        )
        like = (
            control is None
            or not control
            or _like_a_control(config, made, settings.max_rescue_to_control_ratio)
        )
        value = f"{made:g} uM asparagine" + (
            "" if control is None else f", {control:g} uM in control"
        )
        steps = [] if near else [f"Rescue with {settings.rescue_asparagine_uM:g} uM asparagine."]
        steps += [_add_control(config, settings)] if control and not like else []
        advice = " ".join(dict.fromkeys(step for step in steps if step))
        yield Ruling(name, value, band(near and like, False), advice, "asparagine")


def _within(made: float, control: float, ratio: float) -> bool:
    return 1 / ratio <= made / control <= ratio


def _like_a_control(config: ExperimentConfig, made: float, ratio: float) -> bool:
    """Whether control, or a further complete medium (`Control@100 uM`), holds asparagine within
    `ratio` of a rescue's.
    """
    complete = [
        medium
        for medium in config.media.values()
        if medium.role in ("control", "other") and medium.glutamine_uM and medium.serine_uM
    ]
    return any(
        _within(made, medium.asparagine_uM, ratio) for medium in complete if medium.asparagine_uM
    )


def _add_control(config: ExperimentConfig, settings: Settings) -> str:
    """The further control that a rescue at the usual concentration needs, or nothing."""
    usual = settings.rescue_asparagine_uM
    control = config.media[config.control_medium].asparagine_uM if config.control_medium else None
    if not control or _like_a_control(config, usual, settings.max_rescue_to_control_ratio):
        return ""
    return (
        f"Add Control@{usual:g} uM, a control with {usual:g} uM asparagine: the control has"
        f" {control:g} uM."
    )


def specific_rescue(evidence: Evidence) -> Iterator[Ruling]:
    """P08: each dropout needs its own rescue, else a loss may come from the medium and not from the
    amino acid.
    """
    config, settings = evidence.config, evidence.settings
    control = config.media[config.control_medium] if config.control_medium else None
    for amino_acid in evidence.dropped:
        usual = getattr(settings, f"rescue_{amino_acid}_uM")
        good = {usual, (control and getattr(control, f"{amino_acid}_uM")) or usual}
        rescues = config.rescues(amino_acid)
        if not rescues:
            advice = f"Add a rescue group: the -{amino_acid} medium plus {usual:g} uM {amino_acid}."
            advice += (
                f" {_add_control(config, settings)}".rstrip() if amino_acid == "asparagine" else ""
            )
            yield Ruling(amino_acid, f"no rescue with {amino_acid}", "warn", advice, amino_acid)
        for name in rescues:
            made = getattr(config.media[name], f"{amino_acid}_uM")
            if amino_acid == "asparagine":  # how much of it is P07's question
                yield Ruling(amino_acid, f"rescued by {name}", "pass", "", amino_acid)
            elif made is None:
                yield not_given(name, f"media.{name}.{amino_acid}_uM", amino_acid)
            else:
                near = any(
                    abs(made - wanted)
                    <= settings.max_rescue_deviation_percent / 100 * wanted + 1e-9
                    for wanted in good
                )
                advice = "" if near else f"Rescue with {usual:g} uM {amino_acid}."
                yield Ruling(
                    amino_acid,
                    f"rescued by {name} with {made:g} uM",
                    band(near, False),
                    advice,
                    amino_acid,
                )


def glutamine_free(evidence: Evidence) -> Iterator[Ruling]:
    """P09: GlutaMAX releases glutamine in culture; free glutamine decays in the bottle (half-life 6
    to 20 d).
    """
    config, limit = evidence.config, evidence.settings.max_glutamine_age_days
    for name in config.dropouts("glutamine"):
        form = config.media[name].glutamine_form
        if form is None:
            yield not_given(name, f"media.{name}.glutamine_form", "glutamine")
        else:
            advice = "Repeat with a base medium free of GlutaMAX." if form == "GlutaMAX" else ""
            yield Ruling(
                name,
                f"form of glutamine: {form}",
                band(form != "GlutaMAX", form == "GlutaMAX"),
                advice,
                "glutamine",
            )
    for name, medium in config.media.items():
        fed = medium.glutamine_uM or medium.glutamine_form == "L-glutamine"
        if (
            medium.role not in COMPARED
            or not fed
            or medium.glutamine_form == "GlutaMAX"
            or "glutamine" in str(medium.removes)
        ):
            continue
        age = medium.glutamine_age_days
        if age is None:
            yield not_given(name, f"media.{name}.glutamine_age_days", scope_of(config, name))
        else:
            advice = (
                ""
                if age <= limit
                else f"Add fresh glutamine: use the medium within {limit:g} days."
            )
            yield Ruling(
                name,
                f"glutamine added {age:g} days before",
                band(age <= limit, False),
                advice,
                scope_of(config, name),
            )


def glycine_declared(evidence: Evidence) -> Iterator[Ruling]:
    """P10: glycine does not replace serine (Labuschagne 2014), yet it has to be known to read a
    -serine result.
    """
    for name in evidence.config.dropouts("serine"):
        glycine = evidence.config.media[name].glycine_uM
        if glycine is None:
            field = f"media.{name}.glycine_uM"
            yield Ruling(
                name,
                "glycine not declared",
                "info",
                f"Fill in `{field}` in {FILE}.",
                "serine",
                missing=field,
            )
        else:
            yield Ruling(name, f"{glycine:g} uM glycine", "pass", "", "serine")


def context_recorded(evidence: Evidence) -> Iterator[Ruling]:
    """P25: ASNS needs aspartate, and respiration sets how much asparagine is needed (Krall
    2021).
    """
    config = evidence.config
    name = config.control_medium
    values: dict[str, object] = {
        f"protocol.{field}": getattr(config.protocol, field)
        for field in ("oxygen_percent", "etc_inhibitors")
    }
    if name is not None:
        fields = ("pyruvate_uM", "aspartate_uM", "glutamate_uM", "glycine_uM")
        values |= {f"media.{name}.{field}": getattr(config.media[name], field) for field in fields}
    gaps = [field for field, value in values.items() if value is None]
    known = [
        f"{field.rsplit('.', 1)[1]} {value}" for field, value in values.items() if value is not None
    ]
    advice = f"Fill in {listing((f'`{gap}`' for gap in gaps), 9)} in {FILE}." if gaps else ""
    yield Ruling(
        name or "protocol",
        "; ".join(known) or "nothing recorded",
        "info" if gaps else "pass",
        advice,
        missing=" ".join(gaps),
    )


MEDIA_CHECKS = (
    Check(
        "P01",
        "serum dialyzed at {max_serum_cutoff_kDa:g} kDa or less, its free asparagine measured",
        "fail",
        serum_dialyzed,
    ),
    Check(
        "P02",
        "one serum, percentage and lot in all groups, and in acclimatization",
        "fail",
        serum_identical,
    ),
    Check(
        "P05",
        "none of the dropped amino acid; the other two within {max_medium_deviation_percent:g} % of"
        " control; media with lot",
        "fail",
        dropout_clean,
    ),
    Check(
        "P06",
        "control holds at least {min_control_asparagine_uM:g} uM asparagine",
        "fail",
        control_asparagine,
    ),
    Check(
        "P07",
        "asparagine rescue {rescue_asparagine_uM:g} uM within {max_rescue_deviation_percent:g} %,"
        " within {max_rescue_to_control_ratio:g}-fold of control",
        "warn",
        rescue_asparagine,
    ),
    Check("P08", "a rescue of its own for every dropout", "warn", specific_rescue),
    Check(
        "P09",
        "-glutamine medium free of GlutaMAX; glutamine added at most {max_glutamine_age_days:g}"
        " days before",
        "fail",
        glutamine_free,
    ),
    Check("P10", "glycine of the -serine medium declared", "info", glycine_declared),
    Check(
        "P25",
        "pyruvate, aspartate, glutamate, glycine, oxygen and respiratory inhibitors recorded",
        "info",
        context_recorded,
    ),
)
