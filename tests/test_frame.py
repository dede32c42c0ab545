"""The frame holds: data flow one way, names agree, notebooks are thin, dependencies are the same
everywhere.
"""

import json
import re
import tomllib

import pytest
from papermill import inspect_notebook
from ruamel.yaml import YAML

from kit.config.model import ExperimentConfig
from kit.config.settings import Settings
from kit.core.columns import TABLES


def dependencies(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return {re.split(r"[<>=! ]", text)[0].lower(): text for text in project["dependencies"]}


def test_environment_names_the_same_dependencies(root):
    listed = [
        item
        for item in YAML(typ="safe").load((root / "environment.yml").read_text())["dependencies"]
        if isinstance(item, str)
    ]
    conda = {
        re.split(r"[<>=! ]", text)[0]: text
        for text in listed
        if not text.startswith(("python>", "pip"))
    }
    same = {"matplotlib-base": "matplotlib"}
    assert {
        same.get(name, name): text.replace("matplotlib-base", "matplotlib")
        for name, text in conda.items()
    } == dependencies(root)


def test_constraints_pin_every_dependency(root):
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (root / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    assert set(dependencies(root)) <= pinned
    assert (
        "@" not in (root / "constraints.txt").read_text()
        and "://" not in (root / "constraints.txt").read_text()
    )


NOTEBOOKS = (
    "01_assay_qc",
    "02_dropout_analysis",
    "03_asns_correlation",
    "06_mtorc1_divergence",
)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_are_thin_stripped_and_parameterised(root, name):
    path = root / f"notebooks/{name}.ipynb"
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
            assert "".join(cell["source"]).count("\n") < 12 and not re.search(
                r"^\s*(def|class|for .*range)\b", "".join(cell["source"]), re.M
            )
    parameters = inspect_notebook(str(path))
    assert set(parameters) == {"experiment", "out", "settings"}
    assert all(
        item["help"].strip() and item["inferred_type_name"] == "str" for item in parameters.values()
    )


def test_every_field_of_experiment_yaml_is_described():
    def fields(model):
        for name, field in model.model_fields.items():
            yield model.__name__, name, field
        for inner in model.__subclasses__():
            yield from fields(inner)

    from kit.config.model import Part

    bare = [f"{model}.{name}" for model, name, field in fields(Part) if not field.description]
    assert bare == []
    assert {
        "cell_lines",
        "sera",
        "media",
        "plates",
        "flow",
        "blots",
        "expression",
        "settings",
    } <= set(ExperimentConfig.model_fields)


def test_every_setting_is_used(root):
    """By name, or by a name built from its parts (`f"serum_{amino_acid}_uM"`, `at_most(...,
    "edge_effect_percent")`).
    """
    text = "\n".join(
        path.read_text() for path in (root / "kit").rglob("*.py") if path.name != "settings.py"
    )

    def built(name):
        whole = re.sub("asparagine|glutamine|serine", r"{amino_acid}", name)
        return (
            whole in re.sub(r"\{(name|acid|aa|amino_acid|which)\}", "{amino_acid}", text)
            or f'"{re.sub("^(min|max|fail)_", "", name)}"' in text
        )

    assert [name for name in Settings.model_fields if name not in text and not built(name)] == []


def test_contract_tables_are_what_the_contract_says(root):
    contract = root.parent / "shared" / "CONTRACT.md"
    if not contract.exists():
        pytest.skip("the contract is not part of the repository")
    text = contract.read_text()
    promised = re.findall(r"^- `([a-z_]+)`: ", text.split("### Tables")[1], re.M)
    assert len(promised) == 13 and set(promised) <= set(TABLES)
    for name in promised:
        table, line = TABLES[name], re.search(rf"^- `{name}`: (.*(?:\n  .*)*)", text, re.M)
        wanted = re.sub(r"\(.*?\)", "", line[1].split(". Metrics")[0], flags=re.S)
        missing = [
            column
            for column in re.findall(r"\b([a-z][A-Za-z0-9_]*)\b", wanted.split("with agent")[0])
            if column in wanted.split(", ") and column not in table
        ]
        assert missing == [], (name, missing)


def test_readme_commands_stand_word_for_word(root):
    text = (root / "README.md").read_text()
    assert (
        "python -m pip install -c constraints.txt . && kit run data/examples --out reports" in text
    )
    assert 'python -m pip install -c constraints.txt ".[test]" && pytest' in text
    script = (root / ".ci/run").read_text()
    assert script.index("test run") > 0
