"""`python -m benchmarks` lists its benchmarks, and refuses unknown names with that list."""

import ast
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS, BY_NAME_ONLY, describe, parse_names

FOLDER = Path(__file__).parents[2] / "benchmarks"


def test_an_unknown_name_is_refused_with_the_known_names_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_names(["engine", "nonsense"])
    assert ended.value.code == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert "There is no benchmark 'nonsense'." in message
    assert all(name in message for name in (*BENCHMARKS, *BY_NAME_ONLY))


def test_help_states_what_each_benchmark_measures(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_names(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for name in (*BENCHMARKS, *BY_NAME_ONLY):
        assert f"{name} " in shown
        assert describe(name) in shown


def test_without_a_name_all_run_except_those_that_need_an_environment_of_their_own() -> None:
    assert parse_names([]) == list(BENCHMARKS)
    assert parse_names(["peer", "road"]) == ["peer", "road"]


@pytest.mark.parametrize("name", [*BENCHMARKS, *BY_NAME_ONLY])
def test_each_benchmark_is_a_module_with_a_docstring_and_a_function_without_arguments(name: str) -> None:
    module = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    functions = [one for one in module.body if isinstance(one, ast.FunctionDef) and one.name == "measure"]
    assert [ast.unparse(one.args) for one in functions] == [""]
    assert describe(name).endswith(".")
