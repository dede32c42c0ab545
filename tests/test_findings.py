"""Judgements are data: every code has its words, every code is used, and nothing decides by words."""

import ast
import re
from string import Formatter

import pytest

import kit
from kit.cli.main import main
from kit.config.settings import Settings
from kit.core.columns import TABLES
from kit.core.findings import EFFECTS, Finding, codes, say
from kit.report import glossary

CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
MAKERS = {"Finding": 0, "Ruling": 0}
"""Functions that name a code, and the place of the code among their arguments."""
WAITING = {"REPLICATES_DISAGREE"}  # of dose-response curves, whose table is not made yet
WORDS = r"(note|notes|sentence|sentences|reasons?|advice|remedy)"
DECIDES = re.compile(
    r"""\bstr\((error|exc)\)\.(starts|ends)with|["'] (not )?in str\((error|exc)\)|"""
    rf"""["'] (not )?in \w*\.?{WORDS}\b|\["{WORDS}"\]\.(fillna\(""\)\.)?str\.(contains|startswith)"""
    rf"""|\b{WORDS}\.(startswith|endswith|removeprefix|removesuffix)\("""
)
"""A comparison with a text that the kit wrote itself."""
READS_WHAT_OTHERS_WROTE = ("readers", "new", "explore/yaml_edit.py", "core/yaml_file.py")


def sources(root):
    return [(path, path.read_text(encoding="utf-8")) for path in (root / "kit").rglob("*.py")]


def literals(text):
    """Every text in the code but those that document it."""
    return {
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_code_is_used_and_every_used_code_has_words(root):
    texts = [text for _, text in sources(root)]
    used = set().union(*map(literals, texts))
    used |= {name.upper() for name in used}  # a metric's code is its name in capitals
    assert sorted(set(codes()) - used - WAITING) == []
    named = {
        node.args[MAKERS[node.func.id]].value
        for text in texts
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in MAKERS
        and node.args
        and isinstance(node.args[MAKERS[node.func.id]], ast.Constant)
    }
    assert sorted(named - set(codes())) == []


@pytest.mark.parametrize("code", list(codes()))
def test_the_words_of_a_code(code):
    """They fill, name only settings that exist where a name looks like one, and read as text."""
    entry = codes()[code]
    assert CODE.fullmatch(code) and entry.title and entry.sentence and entry.effect in EFFECTS
    limits = Settings().model_dump()
    for template in (entry.sentence, entry.remedy):
        fields = {name for _, name, _, _ in Formatter().parse(template) if name}
        strays = {name for name in fields if re.match("(min|max|fail|warn)_", name)} - set(limits)
        assert not strays
        values = {name: limits.get(name, 1.5) for name in fields}
        said = say(template, "MOLT-4", values)
        assert "{" not in said and "  " not in said
        assert "uM" not in re.sub("`[^`]*`", "", said)  # in backticks: to be typed as it stands
    assert not entry.remedy or entry.remedy.endswith((".", "}"))
    if entry.effect in ("mask", "void"):
        assert entry.remedy, "what forbids a call says what to do"


def test_a_sentence_holds_numbers_as_people_write_them():
    said = say(
        "{a}, {b} and {c} of {d}", values={"a": 2000.0, "b": -0.12345, "c": 3, "d": ["x", "y"]}
    )
    assert said == "2000, −0.123 and 3 of x and y"
    assert Finding("P12_HOURS", "warn", "A549", {"given": 2.0}).phrase == "2 h of adherence"


def test_nothing_decides_by_reading_a_sentence(root):
    found = [
        f"{path.relative_to(root)}: {line.strip()}"
        for path, text in sources(root)
        if not str(path.relative_to(root / "kit")).startswith(READS_WHAT_OTHERS_WROTE)
        for line in text.splitlines()
        if DECIDES.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("P13", "check"),
        ("P13_RESIDUE", "finding"),
        ("z_prime", "metric"),
        ("min_z_prime", "setting"),
        ("gr_mask", "column of carryover"),
        ("partially dependent", "call"),
        ("likely_full", "rescue class"),
    ],
)
def test_every_kind_of_name_is_explained(name, said, capsys):
    assert main(["explain", name]) == 0
    assert f"\n  {said}" in capsys.readouterr().out


NAMES = sorted(
    {
        *codes(),
        *Settings.model_fields,
        *TABLES,
        *(name for table in TABLES.values() for name in table),
    }
)


def test_every_name_there_is_is_explained():
    for name in (*NAMES, *glossary.entries()):
        said = glossary.explain(name)
        assert len(said.splitlines()) > 1, name
    for entry in (item for items in glossary.entries().values() for item in items):
        assert entry.kind and entry.meaning and "{" not in entry.meaning, entry


JUDGED = ("verdict", "call", "class", "status", "grade", "gate", "rescue", "confidence", "subtype",
          "response", "direction", "censored", "phase", "severity", "flag")  # fmt: skip
"""Columns whose cells are words of the kit."""


@pytest.mark.parametrize("example", ["EXP-DEMO-02", "EXP-DEMO-04", "EXP-DEMO-05", "EXP-DEMO-06",
                                     "EXP-DEMO-07", pytest.param("EXP-DEMO-01", marks=pytest.mark.slow),
                                     pytest.param("EXP-DEMO-03", marks=pytest.mark.slow)])  # fmt: skip
def test_what_an_analysis_says_is_explained_and_judgements_carry_codes(example, root):
    """Every column and every class in every table, and a code beside every verdict."""
    analysis = kit.analyse(kit.load(root / "data" / "examples" / example))
    known = {re.sub("[ -]", "_", name.casefold()) for name in glossary.entries()}
    known_columns = set(glossary.entries())
    unknown = {name: set(table) - known_columns for name, table in analysis.tables.items()}
    assert {name: found for name, found in unknown.items() if found} == {}, (
        "name them in names.toml"
    )
    for name, table in analysis.tables.items():
        if "verdict" in table and name != "plate_verdicts":
            assert "code" in table, name
            amiss = table[table["verdict"].isin(["warn", "fail"])]
            assert amiss["code"].ne("").all(), name
        for column in set(JUDGED) & set(table):
            words = {re.sub("[ -]", "_", str(word).casefold()) for word in table[column].dropna()}
            assert words - known <= {""}, f"{name}, {column}"
        if "code" in table:
            used = {code for cell in table["code"].dropna() for code in str(cell).split()}
            assert used <= set(codes()), name


def test_a_wrong_name_gets_the_nearest_and_no_name_lists_all(capsys):
    assert main(["explain", "z_prmie"]) == 2
    assert "'z_prime'" in capsys.readouterr().err.casefold()
    assert main(["explain"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("P13_RESIDUE", "min_z_prime", "prototrophic"))
