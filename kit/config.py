"""experiment.yaml as frozen, checked data: who, what, media, protocol, and which file is which."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from kit import config_rest
from kit.errors import Problem, Problems, did_you_mean
from kit.settings import CROSSED, Settings
from kit.yamlfile import YamlFile, read_yaml

FILE = "experiment.yaml"
AMINO_ACIDS = ("asparagine", "glutamine", "serine", "glycine", "aspartate", "glutamate", "arginine", "leucine", "cysteine", "methionine",
               "proline", "alanine", "histidine", "isoleucine", "lysine", "phenylalanine", "threonine", "tryptophan", "tyrosine", "valine")  # fmt: skip
CALLED = ("asparagine", "glutamine", "serine")

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Amount = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
RelativePath = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]
AminoAcid = Literal[AMINO_ACIDS]  # type: ignore[valid-type]


class Part(BaseModel):
    """Frozen; an unknown field is an error; numbers are finite; text is never taken for a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True, coerce_numbers_to_str=True)


class Mycoplasma(Part):
    date: dt.date | None = Field(None, description="day of the test")
    result: Literal["negative", "positive"] | None = Field(None, description="its result")


class CellsAtSeeding(Part):
    """What may be given for all lines (protocol) or for one (cell_lines); the line's own value counts."""

    seeding_confluence_percent: Percent | None = Field(None, description="confluence at the medium switch (adherent lines)")
    seeding_cells_per_well: Positive | None = Field(None, description="cells per well at the start")
    seeding_viable_per_mL: Positive | None = Field(None, description="viable cells per mL at the start (suspension lines)")
    viability_at_seeding_percent: Percent | None = Field(None, description="viable share at seeding")
    cell_loss_by_wash_percent: Percent | None = Field(None, description="cells lost by the washes")
    control_endpoint_viable_per_mL: Positive | None = Field(None, description="viable cells per mL in control at the end")
    doubling_time_dialyzed_h: Positive | None = Field(None, description="doubling time in dialyzed serum")
    doubling_time_regular_h: Positive | None = Field(None, description="doubling time in regular serum")


class CellLine(CellsAtSeeding):
    growth_mode: Literal["adherent", "suspension"] | None = Field(None, description="how the line grows")
    doubling_time_h: Positive | None = Field(None, description="doubling time in the complete medium of this assay")
    passage: Annotated[int, Field(ge=0)] | None = Field(None, description="passage number")
    str_date: dt.date | None = Field(None, description="day of the STR profile")
    str_match: bool | None = Field(None, description="the STR profile matches the line")
    mycoplasma: Mycoplasma | None = Field(None, description="last mycoplasma test")
    asparagine_free_history: bool | None = Field(None, description="grown before without asparagine or with asparaginase")
    asns_class: Literal["low", "moderate", "high"] | None = Field(
        None, description="known ASNS protein class, for the reference-line checks"
    )
    lineage: Name | None = Field(None, description="tissue or lineage")
    protein_pg_per_cell: Positive | None = Field(None, description="protein mass of a cell")


class Serum(Part):
    dialyzed: bool | None = Field(None, description="dialyzed serum")
    cutoff_kDa: Positive | None = Field(None, description="molecular-weight cut-off of the dialysis")
    percent: Percent | None = Field(None, description="share of the medium")
    lot: Name | None = Field(None, description="lot number")
    supplier: Name | None = Field(None, description="supplier")
    asparagine_uM: Amount | None = Field(None, description="measured in the undiluted serum; null: not measured")
    glutamine_uM: Amount | None = Field(None, description="measured in the undiluted serum")
    serine_uM: Amount | None = Field(None, description="measured in the undiluted serum")


class Medium(Part):
    role: Literal["control", "dropout", "rescue", "other"] = Field(description="what the medium is for")
    removes: AminoAcid | list[AminoAcid] | None = Field(None, description="amino acid taken away (role dropout)")
    restores: AminoAcid | list[AminoAcid] | None = Field(None, description="amino acid added back (role rescue)")
    serum: Name | None = Field(None, description="a name under sera")
    asparagine_uM: Amount | None = Field(None, description="concentration as made")
    glutamine_uM: Amount | None = Field(None, description="concentration as made")
    serine_uM: Amount | None = Field(None, description="concentration as made")
    glycine_uM: Amount | None = Field(None, description="concentration as made")
    aspartate_uM: Amount | None = Field(None, description="concentration as made")
    glutamate_uM: Amount | None = Field(None, description="concentration as made")
    pyruvate_uM: Amount | None = Field(None, description="concentration as made")
    base: Name | None = Field(None, description="base medium, e.g. RPMI 1640 without amino acids")
    lot: Name | None = Field(None, description="lot or batch")
    glutamine_form: Literal["L-glutamine", "GlutaMAX", "none"] | None = Field(None, description="free glutamine or a dipeptide")
    glutamine_age_days: Amount | None = Field(None, description="days since glutamine was added, at 4 C")
    inducer: bool = Field(False, description="medium of the death-inducer control (role other)")

    @field_validator("removes", "restores")
    @classmethod
    def _join(cls, value: Any) -> Any:
        """Several amino acids become one text, `asparagine+glutamine`."""
        return "+".join(sorted(value)) if isinstance(value, list) else value


class PreviousMedium(Part):
    asparagine_uM: Amount | None = Field(None, description="on the cells before the wash")
    glutamine_uM: Amount | None = Field(None, description="on the cells before the wash")
    serine_uM: Amount | None = Field(None, description="on the cells before the wash")


class Wash(Part):
    buffer: Name | None = Field(None, description="wash buffer")
    count: Annotated[int, Field(ge=0, le=20)] | None = Field(None, description="number of washes")
    volume_uL: Positive | None = Field(None, description="volume of each wash")
    residual_uL: Positive | None = Field(None, description="volume left behind after each aspiration, best by weighing")


class SpinWashes(Part):
    count: Annotated[int, Field(ge=0, le=20)] | None = Field(None, description="number of spin-washes in bulk tubes")
    volume_mL: Positive | None = Field(None, description="volume of each")
    residual_mL: Positive | None = Field(None, description="volume left above the pellet")
    resuspended_mL: Positive | None = Field(None, description="fresh medium the washed pellet is taken up in; null: as much as a wash")


class Protocol(CellsAtSeeding):
    acclimatization_passages: Annotated[int, Field(ge=0)] | None = Field(
        None, description="passages in dialyzed serum with all amino acids"
    )
    acclimatization_serum: Name | None = Field(None, description="serum of those passages, a name under sera")
    acclimatization_medium: Name | None = Field(None, description="medium of those passages")
    adherence_h: Amount | None = Field(None, description="hours between seeding and the switch")
    previous_medium: PreviousMedium | None = Field(None, description="amino acids on the cells before the wash")
    wash: Wash | None = Field(None, description="washes in the plate")
    pre_plating_spin_washes: SpinWashes | None = Field(None, description="washes before plating (suspension lines)")
    well_volume_uL: Positive | None = Field(None, description="medium added per well after the washes")
    t0_delay_h: Amount | None = Field(None, description="hours between the switch and the 0 h plate")
    volume_loss_percent: Percent | None = Field(None, description="volume lost by evaporation at the last readout")
    layout_randomised: bool | None = Field(None, description="treatments are randomised or blocked over the plate")
    oxygen_percent: Percent | None = Field(None, description="oxygen in the incubator")
    etc_inhibitors: bool | None = Field(None, description="inhibitors of the respiratory chain are present")
    caspase_evidence: bool | None = Field(None, description="death was shown to need caspases (zVAD, cleaved caspase)")
    rnase_or_7aad: bool | None = Field(None, description="RNase was used with PI, or 7-AAD or DAPI instead")
    reagent: Name | None = Field(None, description="viability reagent and lot")
    instrument: Name | None = Field(None, description="plate reader")
    serum_impurity_uM: Amount | None = Field(None, description="amino acid contributed by impurities of the medium, if measured")


class Replicate(Part):
    date: dt.date | None = Field(None, description="day of the medium switch")
    passage: Annotated[int, Field(ge=0)] | None = Field(None, description="passage number")
    medium_lot: Name | None = Field(None, description="medium batch")


class Plate(Part):
    plate: Name = Field(description="plate name, unique in the experiment")
    file: RelativePath = Field(description="what the reader wrote")
    layout: RelativePath = Field(description="plate map")
    readout: Name = Field(description="assay, e.g. CellTiter-Glo, BrdU, count")
    hours: Annotated[float, Field(ge=0, le=2000)] = Field(description="hours after the medium switch")
    replicate: Annotated[int, Field(ge=1, le=1000)] = Field(description="biological replicate: own passage, day and medium batch")
    sheet: Name | None = Field(None, description="Excel sheet")
    read: Name | None = Field(None, description="which read, where the file holds several")
    saturation: Positive | None = Field(None, description="signal at or above which the detector is saturated")
    format: Name = Field("auto", description="reader format; auto recognises it by content")
    cell_line: Name | None = Field(None, description="line on this plate, where the layout does not say")


class Flow(Part):
    file: RelativePath = Field(description="gated table, or the sample sheet of FCS files")
    hours: Positive = Field(72.0, description="hours after the medium switch")
    gates: dict[str, Any] | None = Field(None, description="gates for FCS files")


class Blot(Part):
    file: RelativePath = Field(description="densitometry table or blot image")
    replicate: Annotated[int, Field(ge=1, le=1000)] | None = Field(None, description="independent lysate; null: the table says")
    lanes: RelativePath | None = Field(None, description="lane list of a blot image")
    dark_bands: bool | None = Field(None, description="bands of the image are dark on bright; null: told from its border (a white frame misleads)")
    antibody: Name | None = Field(None, description="ASNS antibody; its dilution series and knockout lanes serve every blot that names it")


class Expression(Part):
    file: RelativePath = Field(description="one value per line, or a qPCR export")
    kind: Name = Field("mRNA", description="what was measured")
    unit: Name | None = Field(None, description="its unit")
    target: Name | None = Field(None, description="target gene of a qPCR export")
    reference_genes: list[Name] | None = Field(None, description="reference genes of a qPCR export")
    calibrator: Name | None = Field(None, description="calibrator sample of a qPCR export")


class ExperimentConfig(Part):
    schema_version: Literal[1] = Field(1, description="version of this file's form")
    experiment_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = Field(description="equals the folder's name")
    title: Annotated[str, StringConstraints(max_length=400)] = Field("", description="one line for the report's head")
    date: dt.date | None = Field(None, description="day of the experiment")
    simulated: bool = Field(False, description="the data are simulated: every page says so")
    description: Annotated[str, StringConstraints(max_length=4000)] = Field("", description="anything a reader should know")
    cell_lines: dict[Name, CellLine] = Field(description="lines by name", min_length=1)
    sera: dict[Name, Serum] = Field(default_factory=dict, description="sera by name")
    media: dict[Name, Medium] = Field(default_factory=dict, description="media by name; may be absent without plates and flow")
    protocol: Protocol = Field(default_factory=lambda: Protocol.model_validate({}), description="how it was done")
    replicates: dict[int, Replicate] = Field(default_factory=dict, description="biological replicates by number")
    plates: list[Plate] = Field(default_factory=list, description="plate files")
    flow: list[Flow] = Field(default_factory=list, description="flow cytometry")
    blots: list[Blot] = Field(default_factory=list, description="western blots")
    expression: list[Expression] = Field(default_factory=list, description="mRNA or other values per line")
    settings: Settings = Field(default_factory=Settings, description="thresholds that differ from the defaults")

    @field_validator("cell_lines", "sera", mode="before")
    @classmethod
    def _empty_entries(cls, value: Any) -> Any:
        """`HeLa:` with nothing behind it is a line about which nothing is known."""
        return {key: {} if item is None else item for key, item in value.items()} if isinstance(value, dict) else value

    @cached_property
    def control_medium(self) -> str | None:
        """The name of the one medium of role control, or None."""
        return next((name for name, medium in self.media.items() if medium.role == "control"), None)

    @property
    def control_name(self) -> str:
        """`control_medium`, or "" (which is no medium's name)."""
        return self.control_medium or ""

    def cells(self, line: str, field: str) -> Any:
        """A seeding value: the line's own where given, else the protocol's."""
        own = getattr(self.cell_lines[line], field)
        return own if own is not None else getattr(self.protocol, field)

    def dropouts(self, amino_acid: str) -> list[str]:
        """Media that take away exactly this amino acid."""
        return [name for name, medium in self.media.items() if medium.role == "dropout" and medium.removes == amino_acid]

    def rescues(self, amino_acid: str) -> list[str]:
        """Media that add back exactly this amino acid."""
        return [name for name, medium in self.media.items() if medium.role == "rescue" and medium.restores == amino_acid]


def read_config(folder: Path, overrides: Mapping[str, Any] | None = None) -> ExperimentConfig:
    """The checked experiment.yaml of `folder`; `overrides` replace settings. Raises InputError with every problem found."""
    config, problems = read_parts(folder, overrides)
    problems.raise_if_any()
    return cast(ExperimentConfig, config)  # without a problem there is one


def read_parts(folder: Path, overrides: Mapping[str, Any] | None = None) -> tuple[ExperimentConfig | None, Problems]:
    """(what of experiment.yaml can be used, every problem found); the first is None where nothing can, whole where there is no problem."""
    source = read_yaml(folder / FILE, FILE)
    data = dict(source.data)
    if overrides:
        data["settings"] = {**(data.get("settings") or {}), **overrides}
    for section in ("sera", "media", "protocol", "replicates", "plates", "flow", "blots", "expression", "settings"):
        if section in data and data[section] is None:
            del data[section]
    config, problems = _validated(data, source)
    if config is not None:
        _check_references(config, source, folder, problems)
    return config, problems


def _validated(data: dict[str, Any], source: YamlFile) -> tuple[ExperimentConfig | None, Problems]:
    """The settings, or what remains of them without their faults, and those faults."""
    problems = Problems()
    for _ in config_rest.rounds():
        try:
            return ExperimentConfig.model_validate(data), problems
        except ValidationError as error:
            problems = problems or Problems(_problems(error, source))
            faults = [(_path(item), item["type"]) for item in error.errors(include_url=False)]
            rest = config_rest.without_faults(data, dict.fromkeys(faults))
            if rest is None:
                break
            data = rest
    return None, problems


def _check_references(config: ExperimentConfig, source: YamlFile, folder: Path, problems: Problems) -> None:
    def say(path: tuple[str | int, ...], what: str, remedy: str = "") -> None:
        problems.say(FILE, source.place(path), what, remedy)

    stands_in = bool(problems) and config.experiment_id == config_rest.UNNAMED
    if config.experiment_id != folder.resolve().name and not stands_in:
        say(("experiment_id",), f"'{config.experiment_id}' differs from the folder's name '{folder.resolve().name}'", "Make them equal.")
    _check_media(config, say)
    _check_plates(config, folder, say)
    for section in ("flow", "blots", "expression"):
        for index, entry in enumerate(getattr(config, section)):
            _check_file(folder, entry.file, (section, index, "file"), say)
            if getattr(entry, "lanes", None):
                _check_file(folder, entry.lanes, (section, index, "lanes"), say)


def _check_media(config: ExperimentConfig, say: Any) -> None:
    measured = [section for section in ("plates", "flow") if getattr(config, section)]
    if measured and not config.media:
        what = f"no medium is named, but {' and '.join(measured)} are listed"
        say(("media",), what, "List each medium with its role: `media: {complete: {role: control}, no_asn: {role: dropout, removes: asparagine}}`.")
    controls = [name for name, medium in config.media.items() if medium.role == "control"]
    if len(controls) > 1:
        say(
            ("media", controls[1], "role"),
            f"'{controls[0]}' and '{controls[1]}' are both role control",
            "Keep one; give the other role 'other'.",
        )
    for name, medium in config.media.items():
        if medium.serum is not None and medium.serum not in config.sera:
            say(("media", name, "serum"), f"serum '{medium.serum}' is not under sera", did_you_mean(medium.serum, config.sera))
        if medium.role == "dropout" and medium.removes is None:
            say(("media", name), "role dropout does not say what it removes", "Add `removes: asparagine` (or glutamine, serine).")
        if medium.role == "rescue" and medium.restores is None:
            say(("media", name), "role rescue does not say what it restores", "Add `restores: asparagine` (or glutamine, serine).")
        if medium.role == "control" and medium.removes:
            say(("media", name, "removes"), f"a control removes '{medium.removes}'", "Use role dropout.")
    wanted = config.protocol.acclimatization_serum
    if wanted is not None and wanted not in config.sera:
        say(("protocol", "acclimatization_serum"), f"serum '{wanted}' is not under sera", did_you_mean(wanted, config.sera))


def _check_plates(config: ExperimentConfig, folder: Path, say: Any) -> None:
    first: dict[str, int] = {}
    for index, plate in enumerate(config.plates):
        if plate.plate in first:
            say(
                ("plates", index, "plate"),
                f"plate '{plate.plate}' is already entry {first[plate.plate] + 1} of plates",
                "Give each plate its own name.",
            )
        first.setdefault(plate.plate, index)
        for field in ("file", "layout"):
            _check_file(folder, getattr(plate, field), ("plates", index, field), say)
        if plate.cell_line is not None and plate.cell_line not in config.cell_lines:
            say(
                ("plates", index, "cell_line"),
                f"line '{plate.cell_line}' is not under cell_lines",
                did_you_mean(plate.cell_line, config.cell_lines),
            )


def _check_file(folder: Path, relative: str, path: tuple[str | int, ...], say: Any) -> None:
    root = folder.resolve()
    if relative == config_rest.NOWHERE:
        return  # what is not named was said to be missing
    if "\x00" in relative or Path(relative).is_absolute() or not (target := (root / relative).resolve()).is_relative_to(root):
        say(path, f"'{relative}' leaves the experiment folder", "Put the file inside the folder and write its path from there.")
    elif not target.is_file():
        siblings = [str(item.relative_to(root)) for item in target.parent.glob("*")] if target.parent.is_dir() else []
        siblings = [name for name in siblings if _letters(name) != _letters(relative)]  # another replicate's file is no misspelling
        remedy = did_you_mean(relative, siblings, listing=False) or "Put the file there, or correct the path."
        say(path, f"'{relative}' is {'a folder' if target.is_dir() else 'not there'}", remedy)


def is_inside(folder: Path, relative: str) -> bool:
    """Whether a file of the experiment is there, and in its folder."""
    if "\x00" in relative or Path(relative).is_absolute():
        return False
    target = (folder.resolve() / relative).resolve()
    return target.is_relative_to(folder.resolve()) and target.is_file()


def _letters(name: str) -> str:
    return "".join(char for char in name if not char.isdigit())


def _problems(error: ValidationError, source: YamlFile) -> list[Problem]:
    found = []
    for item in error.errors(include_url=False):
        path = _path(item)
        what, remedy = _explain(item, path)
        found.append(Problem(FILE, source.place(path), what, remedy))
    return list(dict.fromkeys(found))


def _path(item: Any) -> tuple[str | int, ...]:
    """Where an entry of pydantic's list stands in the file."""
    return tuple(part for part in item["loc"] if not _is_branch(part))


def _is_branch(part: Any) -> bool:
    """pydantic names the branch of a union in the path; the user never wrote that."""
    return isinstance(part, str) and (part.startswith(("literal[", "list[", "constrained-")) or part == "[key]")


def _explain(item: Any, path: tuple[str | int, ...]) -> tuple[str, str]:
    """What is wrong and what to do, for one entry of pydantic's list."""
    kind, value = item["type"], item["input"]
    if kind == "extra_forbidden":
        known = list(_model_at(path[:-1]).model_fields)
        return f"'{path[-1]}' is not a field here", did_you_mean(path[-1], known)
    if kind == "missing":
        return f"'{path[-1]}' is missing", "Add it."
    if kind == "literal_error":
        allowed = [name for name in (_choices(item["ctx"]["expected"]))]
        return f"{_show(value)} is not allowed", did_you_mean(value, allowed)
    if kind == CROSSED:
        return item["msg"], "Change one of them, here or in --set."
    if path == ("experiment_id",):
        return f"{_show(value)} is not a name", "Use letters, digits, '.', '_' and '-', at most 64."
    return f"{_show(value)}: {item['msg'].lower()}", _unit_hint(path)


def _choices(expected: str) -> list[str]:
    return [part.strip(" '") for part in expected.replace(" or ", ", ").split(",")]


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _unit_hint(path: tuple[str | int, ...]) -> str:
    units = {"_uM": "in uM", "_uL": "in uL", "_mL": "in mL", "_h": "in hours", "_kDa": "in kDa", "_percent": "in percent, 0 to 100"}
    unit = next((text for ending, text in units.items() if str(path[-1]).endswith(ending)), None) if path else None
    return f"Write a plain number {unit}." if unit else ""


def _model_at(path: tuple[str | int, ...]) -> type[BaseModel]:
    """The model that stands at `path` in the file."""
    model: Any = ExperimentConfig
    for part in path:
        if isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
            model = model.model_fields[str(part)].annotation
        model = _inner_model(model)
    return model


def _inner_model(annotation: Any) -> Any:
    """The model inside `dict[str, Model]`, `list[Model]` or `Model | None`, or the annotation itself."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        inner = _inner_model(argument)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return inner
    return annotation
