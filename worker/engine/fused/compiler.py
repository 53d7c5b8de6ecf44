"""Machine code of programs: compiled by llvmlite for this processor, kept in memory and in a folder."""

import ctypes
import hashlib
import os
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import torch

from worker.engine.fused.epoch import Program
from worker.engine.fused.lower import lowered
from worker.engine.fused.memory import ROOT

# Numbers of a vector: two registers of AVX2.
LANES = {"float32": 16, "float64": 8}
# Bytes of the folder, at most; the oldest files are removed.
FOLDER_BYTES = 64 * 2**20
_VERSION = 2
_FUNCTION = ctypes.CFUNCTYPE(
    *(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p),
    *(ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p),
    *(ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p),
)


class Function:
    """Machine code in memory, which is freed with this object."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._call = _FUNCTION(engine.get_function_address("kernel"))

    def __call__(self, *arguments: int) -> None:
        """Run it, without Python's lock."""
        self._call(*arguments)


class Unavailable(Exception):
    """Programs cannot be compiled in this process."""


class Compiler:
    """Compiles for this processor.

    Raises:
        Unavailable: llvmlite, fused multiplication or MKL's functions are missing.
    """

    def __init__(self, folder: Path | None = None) -> None:
        try:
            import llvmlite.binding as llvm
        except ImportError:
            raise Unavailable("llvmlite is not installed (the extra `fast`)") from None
        if torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"):
            raise Unavailable(f"torch runs with {torch.backends.cpu.get_cpu_capability()} on this processor")
        self._llvm, self._folder = llvm, folder
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        for name, address in roots().items():
            llvm.add_symbol(name, address)
        self._processor, self._features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
        self._target = repr((_VERSION, llvm.llvm_version_info, self._processor, self._features))

    def _machine(self) -> Any:
        """A description of this processor; an engine that loads code owns the one that it is given."""
        return self._llvm.Target.from_default_triple().create_target_machine(
            cpu=self._processor, features=self._features, opt=2, jit=True
        )

    def function(self, program: Program) -> tuple[Function, int]:
        """The function of a program, and the numbers of scratch memory that it needs."""
        text, scratch = lowered(program, LANES[program.graph.dtype])
        digest = hashlib.sha256(f"{self._target}\n{text}".encode()).hexdigest()
        code = self._read(digest)
        if code is None:
            module = self._llvm.parse_assembly(text)
            module.verify()
            code = self._machine().emit_object(module)
            self._write(digest, code)
        engine = self._llvm.create_mcjit_compiler(self._llvm.parse_assembly(""), self._machine())
        engine.add_object_file(self._llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        return Function(engine), scratch

    def _read(self, digest: str) -> bytes | None:
        """Code from the folder, with its own hash in front: a file that was cut short is ignored."""
        if self._folder is not None:
            with suppress(OSError):
                path = self._folder / digest
                kept = path.read_bytes()
                if hashlib.sha256(kept[32:]).digest() == kept[:32]:
                    path.touch()
                    return kept[32:]
        return None

    def _write(self, digest: str, code: bytes) -> None:
        if self._folder is None:
            return
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            number, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
            with os.fdopen(number, "wb") as file:
                file.write(hashlib.sha256(code).digest() + code)
            Path(name).replace(self._folder / digest)
            self._clean(self._folder)

    @staticmethod
    def _clean(folder: Path) -> None:
        """Remove the files that were not used for the longest time."""
        files = sorted(((one.stat(), one) for one in folder.iterdir()), key=lambda item: -item[0].st_mtime)
        total = 0
        for stat, path in files:
            total += stat.st_size
            if total > FOLDER_BYTES:
                path.unlink(missing_ok=True)


@cache
def roots() -> dict[str, int]:
    """Addresses of MKL's square roots, which torch calls.

    Raises:
        Unavailable: This build of torch has none.
    """
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        pointers = {name: ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in ROOT.values()}
    except (OSError, AttributeError):
        raise Unavailable("this build of torch has no MKL") from None
    return {name: address for name, address in pointers.items() if address is not None}
