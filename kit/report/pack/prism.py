"""GraphPad Prism project (.pzfx): two tables a line, with biological replicates as subcolumns.

The elements are those of Prism's XML format, version 5: `Table` holds `RowTitlesColumn` and one
`YColumn` per group, each with a `Subcolumn` per replicate; `<d Excluded="1">` is a value that was
left out and stays visible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd

from kit.core.labels import Labels
from kit.report.pack.report_files import ReportFiles

MEASURES = {"gr": "GR value", "relative_viability": "Relative viability"}

Values = Sequence[Sequence[tuple[float, bool]]]
"""Subcolumns of a group: one list per replicate of (value, excluded)."""


def write(report: ReportFiles, path: Path) -> None:
    """Write the Prism project of a report to `path`: per line its GR values (rows are media) and
    its wells (columns are media, excluded wells struck out).
    """
    root = ET.Element("GraphPadPrismFile", PrismXMLVersion="5.00")
    created = ET.SubElement(root, "Created")
    ET.SubElement(
        created,
        "OriginalVersion",
        CreatedByProgram="asn-dropout-kit",
        CreatedByVersion=str(report.manifest["kit_version"]),
        Login="",
        DateTime=str(report.manifest["started"])[:19],
    )
    _info(root, report)
    tables = _tables(report)
    sequence = ET.SubElement(root, "TableSequence", Selected="1")
    for index in range(len(tables)):
        ET.SubElement(sequence, "Ref", ID=f"Table{index}", **({} if index else {"Selected": "1"}))
    root.extend(tables)
    ET.indent(root, " ")
    path.write_bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _info(root: ET.Element, report: ReportFiles) -> None:
    sequence = ET.SubElement(root, "InfoSequence")
    ET.SubElement(sequence, "Ref", ID="Info0", Selected="1")
    info = ET.SubElement(root, "Info", ID="Info0")
    ET.SubElement(info, "Title").text = report.name
    ET.SubElement(info, "Notes").text = report.origin
    facts = {"Experiment": report.name, "Date": report.manifest.get("date") or ""}
    for name, value in facts.items():
        constant = ET.SubElement(info, "Constant")
        ET.SubElement(constant, "Name").text = name
        ET.SubElement(constant, "Value").text = str(value)


def _tables(report: ReportFiles) -> list[ET.Element]:
    found: list[ET.Element] = []
    labels = Labels(report.manifest.get("labels"))
    growth, wells = (
        None if table is None else labels.table(table)
        for table in (report.tables.get("growth"), report.tables.get("wells"))
    )
    if growth is not None:
        for keys, rows in growth.groupby(["cell_line", "readout", "hours"], sort=False):
            for measure, label in MEASURES.items():
                if rows[measure].notna().any():
                    title = f"{keys[0]}: {label} ({keys[1]}, {keys[2]:g} h)"
                    found.append(_growth_table(len(found), title, label, rows, measure))
    if wells is not None:
        samples = wells[wells["role"].eq("sample")]
        for keys, rows in samples.groupby(["cell_line", "readout", "hours"], sort=False):
            title = f"{keys[0]}: wells ({keys[1]}, {keys[2]:g} h)"
            found.append(_well_table(len(found), title, rows))
    return found


def _treatment(rows: pd.DataFrame) -> pd.Series:
    """Medium, with agent and dose where there are any."""
    if "agent" not in rows or rows["agent"].isna().all():
        return rows["medium"].astype(str)
    dose = rows["concentration"].map("{:g}".format) + " " + rows["concentration_unit"].fillna("")
    return (
        rows["medium"]
        + " "
        + rows["agent"].fillna("")
        + " "
        + dose.where(rows["agent"].notna(), "")
    ).str.strip()


def _growth_table(
    number: int, title: str, label: str, rows: pd.DataFrame, measure: str
) -> ET.Element:
    """Rows are treatments, one group whose subcolumns are the biological replicates."""
    wide = rows.assign(treatment=_treatment(rows)).pivot_table(
        index="treatment", columns="replicate", values=measure, sort=False
    )
    wide = wide[sorted(wide.columns)]
    columns = {label: [[(value, False) for value in wide[name]] for name in wide.columns]}
    return _table(number, title, columns, [str(name) for name in wide.index])


def _well_table(number: int, title: str, rows: pd.DataFrame) -> ET.Element:
    """Columns are treatments, subcolumns biological replicates, rows their wells."""
    replicates = sorted(set(rows["replicate"]))
    columns = {}
    for treatment, group in rows.groupby(_treatment(rows), sort=False):
        columns[str(treatment)] = [
            [
                (well.signal_corrected, bool(well.excluded))
                for well in group[group["replicate"].eq(number)].itertuples()
            ]
            for number in replicates
        ]
    return _table(number, title, columns, None)


def _table(
    number: int, title: str, columns: Mapping[str, Values], names: Sequence[str] | None
) -> ET.Element:
    replicates = max(len(values) for values in columns.values())
    table = ET.Element(
        "Table",
        ID=f"Table{number}",
        XFormat="none",
        YFormat="replicates",
        Replicates=str(replicates),
        TableType="TwoWay",
        EVFormat="AsteriskAfterNumber",
    )
    ET.SubElement(table, "Title").text = title
    titles = ET.SubElement(table, "RowTitlesColumn", Width="160")
    inner = ET.SubElement(titles, "Subcolumn")
    for name in names or ():
        ET.SubElement(inner, "d").text = name
    for name, values in columns.items():
        column = ET.SubElement(
            table, "YColumn", Width=str(81 * replicates), Decimals="4", Subcolumns=str(replicates)
        )
        ET.SubElement(column, "Title").text = name
        for cells in values:
            _subcolumn(column, cells)
    return table


def _subcolumn(column: ET.Element, cells: Sequence[tuple[float, bool]]) -> None:
    inner = ET.SubElement(column, "Subcolumn")
    for value, excluded in cells:
        cell = ET.SubElement(inner, "d", **({"Excluded": "1"} if excluded else {}))
        cell.text = "" if pd.isna(value) else repr(float(value))
