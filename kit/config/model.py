"""experiment.yaml as frozen, checked data: who, what, media, protocol, and which file is which."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from kit.config.settings import Settings

FILE = "experiment.yaml"
AMINO_ACIDS = ("asparagine", "glutamine", "serine", "glycine", "aspartate", "glutamate", "arginine", "leucine", "cysteine", "methionine",
               "proline", "alanine", "histidine", "isoleucine", "lysine", "phenylalanine", "threonine", "tryptophan", "tyrosine", "valine")  # fmt: skip
CALLED = ("asparagine", "glutamine", "serine")

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Amount = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
RelativePath = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)
]
AminoAcid = Literal[AMINO_ACIDS]  # type: ignore[valid-type]


class Part(BaseModel):
    """Frozen; an unknown field is an error; numbers are finite; text is never taken for a
    number.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        str_strip_whitespace=True,
        coerce_numbers_to_str=True,
    )


class Mycoplasma(Part):
    date: dt.date | None = Field(None, description="day of the test")
    result: Literal["negative", "positive"] | None = Field(None, description="its result")


class CellsAtSeeding(Part):
    """What may be given for all lines (protocol) or for one (cell_lines); the line's own value
    counts.
    """

    seeding_confluence_percent: Percent | None = Field(
        None, description="confluence at the medium switch (adherent lines)"
    )
    seeding_cells_per_well: Positive | None = Field(None, description="cells per well at the start")
    seeding_viable_per_mL: Positive | None = Field(
        None, description="viable cells per mL at the start (suspension lines)"
    )
    viability_at_seeding_percent: Percent | None = Field(
        None, description="viable share at seeding"
    )
    cell_loss_by_wash_percent: Percent | None = Field(None, description="cells lost by the washes")
    control_endpoint_viable_per_mL: Positive | None = Field(
        None, description="viable cells per mL in control at the end"
    )
    doubling_time_dialyzed_h: Positive | None = Field(
        None, description="doubling time in dialyzed serum"
    )
    doubling_time_regular_h: Positive | None = Field(
        None, description="doubling time in regular serum"
    )


class CellLine(CellsAtSeeding):
    growth_mode: Literal["adherent", "suspension"] | None = Field(
        None, description="how the line grows"
    )
    doubling_time_h: Positive | None = Field(
        None, description="doubling time in the complete medium of this assay"
    )
    passage: Annotated[int, Field(ge=0)] | None = Field(None, description="passage number")
    str_date: dt.date | None = Field(None, description="day of the STR profile")
    str_match: bool | None = Field(None, description="the STR profile matches the line")
    mycoplasma: Mycoplasma | None = Field(None, description="last mycoplasma test")
    asparagine_free_history: bool | None = Field(
        None, description="grown before without asparagine or with asparaginase"
    )
    asns_class: Literal["low", "moderate", "high"] | None = Field(
        None, description="known ASNS protein class, for the reference-line checks"
    )
    lineage: Name | None = Field(None, description="tissue or lineage")
    genotype: Name | None = Field(None, description="genotype, e.g. WT or ASNS-KO")
    parent: Name | None = Field(None, description="line this one was made from, under cell_lines")
    protein_pg_per_cell: Positive | None = Field(None, description="protein mass of a cell")


class Composition(Part):
    """Concentrations of amino acids, each with a field of its own or in `amino_acids_uM`."""

    amino_acids_uM: dict[AminoAcid, Amount] = Field(
        default_factory=dict, description="further amino acids by name"
    )

    def amount_uM(self, amino_acid: str) -> float | None:
        """What is given of an amino acid, None where nothing is."""
        own = getattr(self, f"{amino_acid}_uM", None)
        return self.amino_acids_uM.get(amino_acid) if own is None else own


class Serum(Composition):
    dialyzed: bool | None = Field(None, description="dialyzed serum")
    cutoff_kDa: Positive | None = Field(
        None, description="molecular-weight cut-off of the dialysis"
    )
    percent: Percent | None = Field(None, description="share of the medium")
    lot: Name | None = Field(None, description="lot number")
    supplier: Name | None = Field(None, description="supplier")
    asparagine_uM: Amount | None = Field(
        None, description="measured in the undiluted serum; null: not measured"
    )
    glutamine_uM: Amount | None = Field(None, description="measured in the undiluted serum")
    serine_uM: Amount | None = Field(None, description="measured in the undiluted serum")


class Medium(Composition):
    label: Name | None = Field(
        None, description="what people read in the place of its name, e.g. −Asn"
    )
    role: Literal["control", "dropout", "rescue", "other"] = Field(
        description="what the medium is for"
    )
    removes: AminoAcid | list[AminoAcid] | None = Field(
        None, description="amino acid taken away (role dropout)"
    )
    restores: AminoAcid | list[AminoAcid] | None = Field(
        None, description="amino acid added back (role rescue)"
    )
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
    glutamine_form: Literal["L-glutamine", "GlutaMAX", "none"] | None = Field(
        None, description="free glutamine or a dipeptide"
    )
    glutamine_age_days: Amount | None = Field(
        None, description="days since glutamine was added, at 4 C"
    )
    refeeds: dict[AminoAcid, Positive] = Field(
        default_factory=dict, description="amino acids given again, and every how many hours"
    )
    inducer: bool = Field(False, description="medium of the death-inducer control (role other)")

    @field_validator("removes", "restores")
    @classmethod
    def _join(cls, value: Any) -> Any:
        """Several amino acids become one text, `asparagine+glutamine`."""
        return "+".join(sorted(value)) if isinstance(value, list) else value


class Agent(Part):
    kind: Literal["enzyme", "drug", "nutrient"] = Field(
        description="enzyme or drug (falling curves), or nutrient (rising, in a medium without it)"
    )
    unit: Name | None = Field(None, description="unit of its doses, where the layout has none")
    source: Name | None = Field(None, description="where it comes from, e.g. E. coli")
    glutaminase_percent: Percent | None = Field(
        None, description="glutaminase as a share of its asparaginase activity"
    )
    lot: Name | None = Field(None, description="lot number")


class PreviousMedium(Composition):
    asparagine_uM: Amount | None = Field(None, description="on the cells before the wash")
    glutamine_uM: Amount | None = Field(None, description="on the cells before the wash")
    serine_uM: Amount | None = Field(None, description="on the cells before the wash")


class Wash(Part):
    buffer: Name | None = Field(None, description="wash buffer")
    count: Annotated[int, Field(ge=0, le=20)] | None = Field(None, description="number of washes")
    volume_uL: Positive | None = Field(None, description="volume of each wash")
    residual_uL: Positive | None = Field(
        None, description="volume left behind after each aspiration, best by weighing"
    )


class SpinWashes(Part):
    count: Annotated[int, Field(ge=0, le=20)] | None = Field(
        None, description="number of spin-washes in bulk tubes"
    )
    volume_mL: Positive | None = Field(None, description="volume of each")
    residual_mL: Positive | None = Field(None, description="volume left above the pellet")
    resuspended_mL: Positive | None = Field(
        None, description="fresh medium the washed pellet is taken up in; null: as much as a wash"
    )


class Protocol(CellsAtSeeding):
    acclimatization_passages: Annotated[int, Field(ge=0)] | None = Field(
        None, description="passages in dialyzed serum with all amino acids"
    )
    acclimatization_serum: Name | None = Field(
        None, description="serum of those passages, a name under sera"
    )
    acclimatization_medium: Name | None = Field(None, description="medium of those passages")
    adherence_h: Amount | None = Field(None, description="hours between seeding and the switch")
    previous_medium: PreviousMedium | None = Field(
        None, description="amino acids on the cells before the wash"
    )
    wash: Wash | None = Field(None, description="washes in the plate")
    pre_plating_spin_washes: SpinWashes | None = Field(
        None, description="washes before plating (suspension lines)"
    )
    well_volume_uL: Positive | None = Field(
        None, description="medium added per well after the washes"
    )
    t0_delay_h: Amount | None = Field(
        None, description="hours between the switch and the 0 h plate"
    )
    volume_loss_percent: Percent | None = Field(
        None, description="volume lost by evaporation at the last readout"
    )
    layout_randomised: bool | None = Field(
        None, description="treatments are randomised or blocked over the plate"
    )
    oxygen_percent: Percent | None = Field(None, description="oxygen in the incubator")
    etc_inhibitors: bool | None = Field(
        None, description="inhibitors of the respiratory chain are present"
    )
    caspase_evidence: bool | None = Field(
        None, description="death was shown to need caspases (zVAD, cleaved caspase)"
    )
    rnase_or_7aad: bool | None = Field(
        None, description="RNase was used with PI, or 7-AAD or DAPI instead"
    )
    reagent: Name | None = Field(None, description="viability reagent and lot")
    instrument: Name | None = Field(None, description="plate reader")
    concentrations_stated_for: Literal["base", "with_serum"] | None = Field(
        None,
        description="media's concentrations are those of the base, or with the serum; null: base",
    )
    serum_impurity_uM: Amount | None = Field(
        None, description="amino acid contributed by impurities of the medium, if measured"
    )


class Replicate(Part):
    date: dt.date | None = Field(None, description="day of the medium switch")
    passage: Annotated[int, Field(ge=0)] | None = Field(None, description="passage number")
    medium_lot: Name | None = Field(None, description="medium batch")


class Plate(Part):
    plate: Name = Field(description="plate name, unique in the experiment")
    file: RelativePath = Field(description="what the reader wrote")
    layout: RelativePath = Field(description="plate map")
    readout: Name = Field(description="assay, e.g. CellTiter-Glo, BrdU, count")
    hours: Annotated[float, Field(ge=0, le=2000)] = Field(
        description="hours after the medium switch"
    )
    replicate: Annotated[int, Field(ge=1, le=1000)] = Field(
        description="biological replicate: own passage, day and medium batch"
    )
    sheet: Name | None = Field(None, description="Excel sheet")
    read: Name | None = Field(None, description="which read, where the file holds several")
    saturation: Positive | None = Field(
        None, description="signal at or above which the detector is saturated"
    )
    format: Name = Field("auto", description="reader format; auto recognises it by content")
    cell_line: Name | None = Field(
        None, description="line on this plate, where the layout does not say"
    )
    unlisted_wells: Literal["empty"] | None = Field(
        None, description="what measured wells are that the layout does not list; null: judged"
    )


class Flow(Part):
    file: RelativePath = Field(description="gated table, or the sample sheet of FCS files")
    hours: Positive = Field(72.0, description="hours after the medium switch")
    gates: dict[str, Any] | None = Field(None, description="gates for FCS files")


class Blot(Part):
    file: RelativePath = Field(description="densitometry table or blot image")
    replicate: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="independent lysate; null: the table says"
    )
    lanes: RelativePath | None = Field(None, description="lane list of a blot image")
    dark_bands: bool | None = Field(
        None,
        description=(
            "bands of the image are dark on bright; null: told from its border (a white frame"
            " misleads)"
        ),
    )
    antibody: Name | None = Field(
        None,
        description=(
            "ASNS antibody; its dilution series and knockout lanes serve every blot that names it"
        ),
    )


class Expression(Part):
    file: RelativePath = Field(description="one value per line, or a qPCR export")
    kind: Name = Field("mRNA", description="what was measured")
    unit: Name | None = Field(None, description="its unit")
    target: Name | None = Field(None, description="target gene of a qPCR export")
    reference_genes: list[Name] | None = Field(None, description="reference genes of a qPCR export")
    calibrator: Name | None = Field(None, description="calibrator sample of a qPCR export")


class Signaling(Part):
    file: RelativePath = Field(description="densitometry table or blot image of a signalling blot")
    experiment: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="independent experiment; null: the table says"
    )
    lanes: RelativePath | None = Field(
        None, description="lane list: lane, genotype, drug, stimulus, target"
    )
    dark_bands: bool | None = Field(
        None, description="bands of the image are dark on bright; null: told from its border"
    )
    rag_loss: Name | None = Field(
        None, description="how the loss of Rag was shown elsewhere, e.g. sequencing of clone 4"
    )


class Uptake(Part):
    """Amounts in the medium of one biological replicate, with counts, for the exchange factor."""

    concentrations: RelativePath = Field(description="LC-MS table, areas or concentrations")
    samples: RelativePath = Field(
        description="sample sheet: sample, kind, cell_line, medium, hours, volume_mL"
    )
    counts: RelativePath = Field(description="cells per well: cell_line, medium, hours, cells")
    replicate: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="biological replicate; null: the sheets say"
    )
    intracellular: RelativePath | None = Field(
        None, description="intracellular asparagine per arm: cell_line, medium, asparagine"
    )
    transport: RelativePath | None = Field(
        None, description="labelled uptake after a preload with asparagine or none"
    )
    unit: Name | None = Field(None, description="unit of concentrations, where the table has none")
    compounds: dict[Name, AminoAcid] = Field(
        default_factory=dict, description="names of the table that may mean several compounds"
    )
    negative_controls: list[AminoAcid] = Field(
        default_factory=lambda: ["valine"], description="amino acids that no exchange moves"
    )
    volume_mL: Positive | None = Field(None, description="medium per well at the switch")
    evaporation_percent: Percent | None = Field(
        None, description="volume lost at the last sample; null: see plate_masses_g, or protocol"
    )
    empty_plate_g: Positive | None = Field(None, description="mass of the empty plate")
    plate_masses_g: dict[float, Positive] = Field(
        default_factory=dict, description="mass of the filled plate by hours"
    )


class TimeCourse(Part):
    file: RelativePath = Field(description="live-imaging or kinetic plate-reader export")
    layout: RelativePath = Field(description="plate map")
    plate: Name = Field(description="plate name, unique in the experiment")
    replicate: Annotated[int, Field(ge=1, le=1000)] = Field(
        description="biological replicate: own passage, day and medium batch"
    )
    metric: Name = Field("auto", description="what stands for cell number; auto: by its name")
    sheet: Name | None = Field(None, description="Excel sheet")
    withdrawal_h: Amount = Field(0.0, description="hour of the medium switch in the file's time")
    addback_h: Positive | None = Field(
        None, description="hour at which the amino acid was added back, in the file's time"
    )
    saturation: Positive | None = Field(
        None, description="signal from which the read-out is no longer linear"
    )

    @model_validator(mode="after")
    def _in_time(self) -> TimeCourse:
        """What was withdrawn first can be added back later."""
        if self.addback_h is not None and self.addback_h <= self.withdrawal_h:
            said = f"addback_h ({self.addback_h:g}) has to be after withdrawal_h"
            raise ValueError(f"{said} ({self.withdrawal_h:g})")
        return self


class ExperimentConfig(Part):
    schema_version: Literal[1] = Field(1, description="version of this file's form")
    experiment_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = Field(
        description="equals the folder's name"
    )
    title: Annotated[str, StringConstraints(max_length=400)] = Field(
        "", description="one line for the report's head"
    )
    date: dt.date | None = Field(None, description="day of the experiment")
    simulated: bool = Field(False, description="the data are simulated: every page says so")
    description: Annotated[str, StringConstraints(max_length=4000)] = Field(
        "", description="anything a reader should know"
    )
    cell_lines: dict[Name, CellLine] = Field(description="lines by name", min_length=1)
    sera: dict[Name, Serum] = Field(default_factory=dict, description="sera by name")
    media: dict[Name, Medium] = Field(
        default_factory=dict, description="media by name; may be absent without plates and flow"
    )
    agents: dict[Name, Agent] = Field(
        default_factory=dict, description="drugs, enzymes and nutrients that layouts name"
    )
    protocol: Protocol = Field(
        default_factory=lambda: Protocol.model_validate({}), description="how it was done"
    )
    replicates: dict[int, Replicate] = Field(
        default_factory=dict, description="biological replicates by number"
    )
    plates: list[Plate] = Field(default_factory=list, description="plate files")
    flow: list[Flow] = Field(default_factory=list, description="flow cytometry")
    blots: list[Blot] = Field(default_factory=list, description="western blots")
    expression: list[Expression] = Field(
        default_factory=list, description="mRNA or other values per line"
    )
    signaling: list[Signaling] = Field(
        default_factory=list, description="blots of mTORC1 signalling by genotype, drug, stimulus"
    )
    uptake: list[Uptake] = Field(default_factory=list, description="LC-MS of media, with counts")
    timecourse: list[TimeCourse] = Field(
        default_factory=list, description="time courses, one entry a plate"
    )
    settings: Settings = Field(
        default_factory=Settings, description="thresholds that differ from the defaults"
    )

    @field_validator("cell_lines", "sera", mode="before")
    @classmethod
    def _empty_entries(cls, value: Any) -> Any:
        """`HeLa:` with nothing behind it is a line about which nothing is known."""
        return (
            {key: {} if item is None else item for key, item in value.items()}
            if isinstance(value, dict)
            else value
        )

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
        return [
            name
            for name, medium in self.media.items()
            if medium.role == "dropout" and medium.removes == amino_acid
        ]

    def rescues(self, amino_acid: str) -> list[str]:
        """Media that add back exactly this amino acid."""
        return [
            name
            for name, medium in self.media.items()
            if medium.role == "rescue" and medium.restores == amino_acid
        ]
