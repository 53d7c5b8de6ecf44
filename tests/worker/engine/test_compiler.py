"""The compiler is checked against torch, keeps its code in a folder, and leaves training to torch where it cannot."""

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.groups import group_runs
from tests.worker.engine.training import ROSENBROCK, surface
from worker.engine.fused import elementwise
from worker.engine.fused.check import check, differences
from worker.engine.fused.compiler import Compiler, Unavailable
from worker.engine.fused.graph import Graph
from worker.engine.fused.programs import Programs, Service
from worker.engine.fused.sums import summed
from worker.engine.stack.plan import Plan
from worker.engine.trainer import Trainer


@pytest.fixture
def compiler() -> Compiler:
    pytest.importorskip("llvmlite")
    return Compiler()


def naive_lerp(g: Graph, start: int, end: int, weight: int) -> int:
    return g.node("+", start, g.node("*", weight, g.node("-", end, start)))


def test_all_functions_agree_with_torch_on_this_processor(compiler: Compiler) -> None:
    check(compiler)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_check_finds_a_function_that_rounds_twice(
    compiler: Compiler, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(elementwise.ELEMENTWISE, "lerp", (naive_lerp, 3, False))
    assert differences(compiler, dtype) == ["lerp"]


def test_a_processor_that_disagrees_trains_with_torch_after_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("llvmlite")
    monkeypatch.setitem(elementwise.ELEMENTWISE, "lerp", (naive_lerp, 3, False))
    service = Service()
    with caplog.at_level(logging.WARNING, "ravine.engine"):
        service.configure(enabled=True, folder="")
        assert not service.is_available()
        for _ in range(2):
            with pytest.raises(Unavailable):
                service.compiler()
    assert [record.getMessage() for record in caplog.records] == [
        "no compiled programs: lerp in torch.float32 differ from torch on this processor; torch trains alone"
    ]


def test_without_llvmlite_torch_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    service = Service()
    assert not service.is_available()
    monkeypatch.setattr("worker.engine.fused.programs.service", lambda: service)
    plan = Plan(surface(ROSENBROCK, [(0.0, 0.0)]), group_runs([("sgd", {"lr": 1e-3})], [0]), 3)
    trainer = Trainer(plan, engine="compiled")
    assert [epoch.number for epoch in trainer.run() if epoch] == [0, 1, 2, 3]
    assert (trainer.num_compiled_epochs, trainer.reason) == (0, "llvmlite is not installed (the extra `fast`)")


# What is registered first runs last.
EXITS = """
import atexit, threading
atexit.register(lambda: print([thread.name for thread in threading.enumerate()]))
from worker.engine.fused.programs import service
begins = threading.Event()
service().submit(begins.set)
service().configure(enabled=True, folder="")
begins.wait()
"""


def test_a_process_exits_after_the_program_that_is_being_compiled() -> None:
    # A thread inside LLVM or torch would abort a process that exits.
    pytest.importorskip("llvmlite")
    done = subprocess.run([sys.executable, "-c", EXITS], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "['MainThread']"


def test_switched_off_torch_trains() -> None:
    service = Service()
    service.configure(enabled=False, folder="")
    assert not service.is_available()


def test_code_is_read_from_the_folder_and_ignored_where_it_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("llvmlite")
    check(Compiler(tmp_path))
    files = sorted(tmp_path.iterdir())
    assert len(files) == 2
    assert tmp_path.stat().st_mode & 0o022 == 0
    kept = [one.read_bytes() for one in files]

    def no_compilation(text: str) -> None:
        assert text == "", "compiled again"
        return parse(text)

    again = Compiler(tmp_path)
    parse = again._llvm.parse_assembly
    with monkeypatch.context() as patched:
        patched.setattr(again._llvm, "parse_assembly", no_compilation)
        check(again)
    files[0].write_bytes(kept[0][: len(kept[0]) // 2])
    check(Compiler(tmp_path))
    assert [one.read_bytes() for one in files] == kept


def test_the_folder_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llvmlite")
    monkeypatch.setattr("worker.engine.fused.compiler.FOLDER_BYTES", 1)
    check(Compiler(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_compiler_that_fails_leaves_training_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llvmlite")
    plan = Plan(surface(ROSENBROCK, [(0.0, 0.0)]), group_runs([("sgd", {"lr": 1e-3})], [0]), 3)
    programs = Programs(Trainer(plan, engine="torch")._stacks)

    def broken(*_: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(Service, "kernel", broken)
    programs.request()
    assert programs.wait(60)
    assert (programs.kernels, programs.reason) == (None, "RuntimeError: no memory")


@pytest.mark.parametrize("num", [1, 2, 4, 15, 16, 17, 31, 40, 64, 100])
def test_sums_are_added_in_the_order_of_torch(num: int) -> None:
    rows = torch.from_numpy(np.random.default_rng(num).standard_normal((num, 64)) * 10.0 ** np.arange(num)[:, None] % 7)
    g = Graph("float64", (64,))
    result = summed(g, [g.input(str(at)) for at in range(num)])
    values: list[torch.Tensor] = []
    for node in g.nodes:
        if node[0] == "+":
            values.append(values[int(str(node[1]))] + values[int(str(node[2]))])
        else:
            values.append(rows[int(str(node[1]))] if node[0] == "input" else torch.zeros(64, dtype=torch.float64))
    assert torch.equal(values[result], rows.sum(0))
