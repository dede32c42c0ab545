"""Checks of sera and media: P01, P02, P05 to P10, P25."""

from __future__ import annotations

from collections.abc import Iterator

from kit.config.model import CALLED, ExperimentConfig, Serum
from kit.config.settings import Settings
from kit.core.findings import band, listing, number
from kit.protocol.base import Check, Evidence, Ruling, not_given, scope_of

COMPARED = ("control", "dropout", "rescue")


def _compared(evidence: Evidence) -> dict[str, str | None]:
    """Serum of each medium of the comparison."""
    media = evidence.config.media
    return {name: medium.serum for name, medium in media.items() if medium.role in COMPARED}


def _amount(config: ExperimentConfig, medium: str | None, amino_acid: str) -> float | None:
    """µM of an amino acid in a medium; None where it is not given."""
    return getattr(config.media[medium], f"{amino_acid}_uM", None) if medium else None


def _near(made: float, wanted: float, percent: float) -> bool:
    return abs(made - wanted) <= percent / 100 * wanted + 1e-9


def serum_dialyzed(evidence: Evidence) -> Iterator[Ruling]:
    """P01: undialyzed serum brings the amino acid back. A measurement tells how thoroughly it was
    dialyzed, not the cut-off.
    """
    config, settings = evidence.config, evidence.settings
    media = _compared(evidence)
    for name, serum_name in media.items():
        if serum_name is None:
            yield not_given(name, f"media.{name}.serum", scope_of(config, name))
    for name in dict.fromkeys(serum for serum in media.values() if serum is not None):
        serum, place = config.sera[name], f"sera.{name}"
        if serum.percent == 0:
            yield Ruling("P01_NO_SERUM", name, "pass")
        elif serum.dialyzed is None:
            yield not_given(name, f"{place}.dialyzed")
        elif not serum.dialyzed:
            strict = settings.strict_serum
            code = "P01_NOT_DIALYZED_STRICT" if strict else "P01_NOT_DIALYZED"
            yield Ruling(code, name, "fail")
        elif serum.cutoff_kDa is None:
            yield not_given(name, f"{place}.cutoff_kDa")
        else:
            limits = settings.max_serum_cutoff_kDa, settings.warn_serum_cutoff_kDa
            verdict = band(serum.cutoff_kDa <= limits[0], serum.cutoff_kDa > limits[1])
            yield Ruling("P01_CUTOFF", name, verdict, {"cutoff": serum.cutoff_kDa})
        if serum.percent != 0 and serum.asparagine_uM is None and "asparagine" in evidence.dropped:
            yield not_given(name, f"{place}.asparagine_uM", "asparagine")


def serum_identical(evidence: Evidence) -> Iterator[Ruling]:
    """P02: one serum, percentage and lot in every group; the lot of acclimatization too."""
    config = evidence.config
    names = [name for name in dict.fromkeys(_compared(evidence).values()) if name is not None]
    sera = [config.sera[name] for name in names]
    for name, serum in zip(names, sera, strict=True):
        for field in ("percent", "lot"):
            if getattr(serum, field) is None:
                yield not_given(name, f"sera.{name}.{field}")
    if len({(serum.dialyzed, serum.percent, serum.lot) for serum in sera}) > 1:
        values = {"sera": [_words(serum) for serum in sera]}
        yield Ruling("P02_SERA_DIFFER", "groups", "fail", values)
    elif names:
        yield Ruling("P02_ONE_SERUM", "groups", "pass", {"serum": _words(sera[0])})
    before = config.protocol.acclimatization_serum
    if before is None:
        yield not_given("acclimatization", "protocol.acclimatization_serum")
    elif names and before not in names:
        lot = config.sera[before].lot
        same = lot is not None and lot in {serum.lot for serum in sera}
        values = {"serum": before, "words": _words(config.sera[before])}
        yield Ruling("P02_ACCLIMATIZED_IN", "acclimatization", band(same, False), values)
    elif names:
        yield Ruling("P02_ACCLIMATIZED_ALIKE", "acclimatization", "pass", {"serum": before})


def _words(serum: Serum) -> str:
    percent = "unknown %" if serum.percent is None else f"{serum.percent:g} %"
    return f"{percent}, lot {serum.lot or 'unknown'}"


def dropout_clean(evidence: Evidence) -> Iterator[Ruling]:
    """P05: what is taken away is not in the medium, and the other two are as in control."""
    config = evidence.config
    for name, medium in config.media.items():
        if medium.role != "dropout":
            continue
        scope, removed = scope_of(config, name), str(medium.removes).split("+")
        for amino_acid in removed:
            made = getattr(medium, f"{amino_acid}_uM", 0.0)
            if made is None:
                yield not_given(name, f"media.{name}.{amino_acid}_uM", scope)
            else:
                values = {"made": made, "amino_acid": amino_acid, "medium": name}
                yield Ruling("P05_DROPPED", name, band(made == 0, made > 0), values, scope)
        for amino_acid in CALLED:
            if config.control_medium is not None and amino_acid not in removed:
                yield _as_in_control(evidence, name, config.control_medium, amino_acid)
    yield from _recorded(evidence)


def _recorded(evidence: Evidence) -> Iterator[Ruling]:
    """The amino acids a rescue medium does not restore have to be known (P07 and P08 ask how much
    it restores), and so do the lots of the media.
    """
    config = evidence.config
    for name, medium in config.media.items():
        if medium.role == "rescue":
            for item in CALLED:
                restored = item in str(medium.restores).split("+")
                if not restored and _amount(config, name, item) is None:
                    yield not_given(name, f"media.{name}.{item}_uM", scope_of(config, name))
    if not any(replicate.medium_lot for replicate in config.replicates.values()):
        for name in _compared(evidence):
            if config.media[name].lot is None:
                yield not_given(name, f"media.{name}.lot", scope_of(config, name))


def _as_in_control(evidence: Evidence, name: str, control: str, amino_acid: str) -> Ruling:
    config, scope = evidence.config, scope_of(evidence.config, name)
    wanted, made = (_amount(config, medium, amino_acid) for medium in (control, name))
    if wanted is None:
        return not_given(control, f"media.{control}.{amino_acid}_uM")
    if made is None:
        return not_given(name, f"media.{name}.{amino_acid}_uM", scope)
    good = _near(made, wanted, evidence.settings.max_medium_deviation_percent)
    values = {"made": made, "wanted": wanted, "amino_acid": amino_acid, "medium": name}
    return Ruling("P05_OTHER", name, band(good, not good), values, scope)


def control_asparagine(evidence: Evidence) -> Iterator[Ruling]:
    """P06: DMEM holds no asparagine, so it cannot be the control of an asparagine dropout."""
    name = evidence.config.control_medium
    if name is None:
        return
    made = _amount(evidence.config, name, "asparagine")
    if made is None:
        yield not_given(name, f"media.{name}.asparagine_uM")
        return
    verdict = band(made >= evidence.settings.min_control_asparagine_uM, made == 0)
    scope = "all" if verdict == "fail" else "asparagine"
    yield Ruling("P06_ASPARAGINE", name, verdict, {"made": made, "medium": name}, scope)


def rescue_asparagine(evidence: Evidence) -> Iterator[Ruling]:
    """P07: the rescue gives back what control holds; beyond that it is another medium."""
    config, settings = evidence.config, evidence.settings
    control, usual = (
        _amount(config, config.control_medium, "asparagine"),
        (settings.rescue_asparagine_uM),
    )
    for name in config.rescues("asparagine"):
        made = _amount(config, name, "asparagine")
        if made is None:
            yield not_given(name, f"media.{name}.asparagine_uM", "asparagine")
            continue
        near = _near(made, usual, settings.max_rescue_deviation_percent)
        like = not control or _like_a_control(config, made, settings)
        steps = [] if near else [f"Rescue with {usual:g} µM asparagine."]
        steps += [] if like else [_add_control(config, settings)]
        values = {
            "made": made,
            "control": "" if control is None else f", {control:g} µM in control",
            "steps": " ".join(step for step in steps if step),
        }
        yield Ruling("P07_RESCUE", name, band(near and like, False), values, "asparagine")


def _like_a_control(config: ExperimentConfig, made: float, settings: Settings) -> bool:
    """Whether control, or a further complete medium (`Control@100 µM`), holds asparagine within
    the ratio of a rescue's.
    """
    ratio = settings.max_rescue_to_control_ratio
    return any(
        1 / ratio <= made / medium.asparagine_uM <= ratio
        for medium in config.media.values()
        if medium.role in ("control", "other")
        and medium.glutamine_uM
        and medium.serine_uM
        and medium.asparagine_uM
    )


def _add_control(config: ExperimentConfig, settings: Settings) -> str:
    """The further control that a rescue at the usual concentration needs, or nothing."""
    usual = settings.rescue_asparagine_uM
    control = _amount(config, config.control_medium, "asparagine")
    if not control or _like_a_control(config, usual, settings):
        return ""
    return (
        f"Add Control@{usual:g} µM, a control with {usual:g} µM asparagine: the control has"
        f" {control:g} µM."
    )


def specific_rescue(evidence: Evidence) -> Iterator[Ruling]:
    """P08: each dropout needs its own rescue, else a loss may come from the medium and not from the
    amino acid.
    """
    config, settings = evidence.config, evidence.settings
    for amino_acid in evidence.dropped:
        usual = getattr(settings, f"rescue_{amino_acid}_uM")
        good = {usual, _amount(config, config.control_medium, amino_acid) or usual}
        values = {"usual": usual, "amino_acid": amino_acid}
        rescues = config.rescues(amino_acid)
        if not rescues:
            more = _add_control(config, settings) if amino_acid == "asparagine" else ""
            values["control"] = f" {more}".rstrip()
            yield Ruling("P08_NO_RESCUE", amino_acid, "warn", values, amino_acid)
        for name in rescues:
            made, values = _amount(config, name, amino_acid), {**values, "medium": name}
            if amino_acid == "asparagine":  # how much of it is P07's question
                yield Ruling("P08_RESCUE", amino_acid, "pass", values, amino_acid)
            elif made is None:
                yield not_given(name, f"media.{name}.{amino_acid}_uM", amino_acid)
            else:
                near = any(_near(made, to, settings.max_rescue_deviation_percent) for to in good)
                values["made"] = made
                yield Ruling("P08_CONCENTRATION", amino_acid, band(near, False), values, amino_acid)


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
            verdict = "fail" if form == "GlutaMAX" else "pass"
            yield Ruling("P09_FORM", name, verdict, {"form": form}, "glutamine")
    for name in _compared(evidence):
        medium, scope = config.media[name], scope_of(config, name)
        fed = medium.glutamine_uM or medium.glutamine_form == "L-glutamine"
        if not fed or medium.glutamine_form == "GlutaMAX" or "glutamine" in str(medium.removes):
            continue
        age = medium.glutamine_age_days
        if age is None:
            yield not_given(name, f"media.{name}.glutamine_age_days", scope)
        else:
            yield Ruling("P09_AGE", name, band(age <= limit, False), {"age": age}, scope)


def glycine_declared(evidence: Evidence) -> Iterator[Ruling]:
    """P10: glycine does not replace serine (Labuschagne 2014), yet it has to be known to read a
    -serine result.
    """
    for name in evidence.config.dropouts("serine"):
        glycine, field = evidence.config.media[name].glycine_uM, f"media.{name}.glycine_uM"
        if glycine is None:
            yield Ruling("P10_UNKNOWN", name, "info", {"field": field}, "serine", field)
        else:
            yield Ruling("P10_GLYCINE", name, "pass", {"glycine": glycine}, "serine")


def context_recorded(evidence: Evidence) -> Iterator[Ruling]:
    """P25: ASNS needs aspartate, and respiration sets how much asparagine is needed (Krall
    2021).
    """
    config = evidence.config
    name = config.control_medium
    fields = ("pyruvate", "aspartate", "glutamate", "glycine") if name is not None else ()
    given: dict[str, object] = {
        f"protocol.{field}": getattr(config.protocol, field)
        for field in ("oxygen_percent", "etc_inhibitors")
    } | {f"media.{name}.{field}_uM": _amount(config, name, field) for field in fields}
    gaps = [field for field, value in given.items() if value is None]
    known = [_amount_given(field, value) for field, value in given.items() if value is not None]
    values = {
        "known": "; ".join(known) or "nothing recorded",
        "gaps": listing((f"`{gap}`" for gap in gaps), 9),
    }
    verdict = "info" if gaps else "pass"
    yield Ruling("P25_CONTEXT", name or "protocol", verdict, values, missing=" ".join(gaps))


def _amount_given(field: str, value: object) -> str:
    """A field with its value: `pyruvate 1000 µM`, `oxygen 20 %`, `no respiratory inhibitors`."""
    words, _, unit = field.rsplit(".", 1)[1].rpartition("_")
    if isinstance(value, bool):
        return f"{'' if value else 'no '}respiratory inhibitors"
    unit = {"uM": "µM", "percent": "%"}.get(unit, unit)
    return f"{words} {number(value) if isinstance(value, float) else value} {unit}"


MEDIA_CHECKS = (
    Check("P01", "fail", serum_dialyzed),
    Check("P02", "fail", serum_identical),
    Check("P05", "fail", dropout_clean),
    Check("P06", "fail", control_asparagine),
    Check("P07", "warn", rescue_asparagine),
    Check("P08", "warn", specific_rescue),
    Check("P09", "fail", glutamine_free),
    Check("P10", "info", glycine_declared),
    Check("P25", "info", context_recorded),
)
