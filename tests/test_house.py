"""The house stands: every room imports only from floors below its own, lazily or not."""

import ast

import pytest

FLOORS = (
    "core stats",
    "config readers store",
    "plates flow asns dose timecourse signaling exchange",
    "protocol effects western",
    "experiment calls plots",
    "analysis simulate",
    "across new",
    "report",
    "batch",
    "explore",
    "cli",
)
FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor.split()}
DOORS = {"kit", "__main__"}  # hands on the public names, and starts the command line


def modules(root):
    """Dotted name -> path of every module of the kit."""
    found = {}
    for path in (root / "kit").rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path, known):
    """The kit's modules that a file imports, at top level or inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else node.module for name in inside]
        else:
            assert not getattr(node, "level", 0), f"{path}: relative import"
            continue
        yield from (name for name in names if name.startswith("kit."))


def room(module):
    """`kit.plates.growth` -> `plates`."""
    return module.split(".")[1] if "." in module else module


def test_every_module_stands_on_a_floor(root):
    assert {room(name) for name in modules(root)} - DOORS <= set(FLOOR)


def test_every_import_goes_down(root):
    known = modules(root)
    up = []
    for name, path in known.items():
        here = room(name)
        if here in DOORS:
            continue
        for target in imports(path, known):
            there = room(target)
            if there != here and FLOOR[there] >= FLOOR[here]:
                up.append(f"{name} -> {target}")
    assert up == []


def test_no_import_goes_round_in_a_circle(root):
    """Inside a room too."""
    known = modules(root)
    found = {name: set(imports(path, known)) for name, path in known.items() if name != "kit"}
    state: dict[str, int] = {}

    def visit(name, trail):
        assert state.get(name) != 1, " -> ".join([*trail, name])
        if state.get(name) == 2 or name not in found:
            return
        state[name] = 1
        for target in found[name]:
            if target != name and not name.startswith(f"{target}."):
                visit(target, [*trail, name])
        state[name] = 2

    for name in found:
        visit(name, [])


@pytest.mark.parametrize("floor", FLOORS)
def test_every_room_says_what_comes_in_and_goes_out(root, floor):
    for name in floor.split():
        door = root / f"kit/{name}/__init__.py"
        if door.exists():
            assert len(ast.get_docstring(ast.parse(door.read_text())) or "") > 40, name
