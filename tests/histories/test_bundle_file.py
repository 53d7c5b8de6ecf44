"""Bundles from untrusted files: every size is checked before it is read, and nothing is unpacked."""

import json
import struct
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from service.database.connection import Database
from service.histories.bundle import MEMBERS
from service.histories.bundle_file import Bundle, NotABundle
from service.histories.bundle_rows import StoredRows
from service.spec.price import price
from tests.bundles import bundle_of, changed, members_of, rewrite, table_of, with_receipt, with_table
from tests.trained import trained

SPEC = {
    "problem": {"kind": "surface", "name": "ravine", "noise": 0.1},
    "optimizers": [{"label": "a", "kind": "sgd", "lr": 0.01}, {"label": "b", "kind": "momentum", "lr": 0.02}],
    "seeds": {"first": 3, "count": 4},
    "epochs": 5,
}


@pytest.fixture(scope="module")
def bundle(new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    with closing(Database(new_database("sqlite"))) as database:
        return bundle_of(database, trained(database, SPEC), tmp_path_factory.mktemp("bundle") / "bundle.zip")


def rows_of(path: Path) -> StoredRows:
    with Bundle(path) as found:
        return StoredRows(found.histories(), found.spec, price(found.spec))


def test_a_bundle_is_read_as_it_was_written(bundle: Path) -> None:
    with Bundle(bundle) as found:
        assert found.receipt["status"] == "completed"
        assert found.spec.seeds.count == 4  # type: ignore[union-attr]
        stored = StoredRows(found.histories(), found.spec, price(found.spec))
        assert stored.num_rows == 8 * 6
        rows = stored.between(2, 5)
        assert sorted(set(rows.index_N.tolist())) == [2, 3, 4]
        assert rows.epoch_N.tolist() == [*range(6)] * 3
        assert set(rows.label_N) == {"a", "b"}
        assert np.array_equal(np.unique(rows.seed_N), [3, 5, 6])


def test_rows_in_any_order_are_sorted(bundle: Path, tmp_path: Path) -> None:
    table = table_of(bundle)
    mixed = table.take(pa.array(np.random.default_rng(0).permutation(len(table))))
    path = with_table(bundle, tmp_path / "mixed.zip", mixed, row_group_size=7)
    with Bundle(path) as found, Bundle(bundle) as plain:
        one, other = (StoredRows(one.histories(), one.spec, price(one.spec)).between(0, 8) for one in (found, plain))
    assert np.array_equal(one.index_N, other.index_N)
    assert np.array_equal(one.values_CN, other.values_CN)


def refused(path: Path, reason: str) -> None:
    with pytest.raises(NotABundle, match=reason):
        rows_of(path)


def test_files_that_are_no_zip_are_refused(tmp_path: Path) -> None:
    for content, reason in ((b"", "too short"), (b"x" * 100, "no zip"), (b"PK\x05\x06" + bytes(18), "0 members")):
        path = tmp_path / "file"
        path.write_bytes(content)
        refused(path, reason)


def test_other_members_are_refused_whatever_their_names(bundle: Path, tmp_path: Path) -> None:
    members = members_of(bundle)
    evil = {**{name: members[name] for name in MEMBERS[:-1]}, "../../etc/passwd": b"x"}
    refused(rewrite(tmp_path / "evil.zip", evil), "each once, and no other")
    refused(rewrite(tmp_path / "more.zip", {**members, "more": b""}), "each once, and no other")
    refused(rewrite(tmp_path / "most.zip", {**members, "more": b"", "most": b""}), "7 members")
    refused(rewrite(tmp_path / "many.zip", {f"{number}": b"" for number in range(2_000)}), "2,000 members")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused(bundle: Path, tmp_path: Path) -> None:
    members = [(name, content) for name, content in members_of(bundle).items() if name != "README.txt"]
    refused(rewrite(tmp_path / "twice.zip", [*members, members[0]]), "each once")


@pytest.mark.slow
def test_a_compressed_member_is_refused_before_it_is_read(bundle: Path, tmp_path: Path) -> None:
    bomb = {**members_of(bundle), "spec.json": b" " * 200_000_000}
    path = rewrite(tmp_path / "bomb.zip", bomb, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1_000_000
    refused(path, "is compressed")


def test_a_length_in_the_directory_that_is_not_true_is_refused(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "long.zip"
    data = bytearray(bundle.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    struct.pack_into("<2L", data, entry + 20, 2**31, 2**31)
    path.write_bytes(data)
    refused(path, "longer than the file|directory cannot be read|lies behind")


def test_members_that_are_no_json_or_no_spec_are_refused(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "changed.zip"
    for content, reason in (
        (b"{", "spec.json cannot be read"),
        (b"\xff", "spec.json cannot be read"),
        (b"[" * 100_000, "spec.json cannot be read"),
        (b"[]", "no JSON object"),
        (b"{}", "spec.json is no spec of this version"),
    ):
        refused(changed(bundle, path, spec=content), reason)
    other = json.loads(members_of(bundle)["spec.json"]) | {"epochs": 4}
    refused(changed(bundle, path, spec=json.dumps(other).encode()), "is not the spec of receipt.json")
    refused(with_receipt(bundle, path, spec_digest="0" * 64), "is not the spec of receipt.json")


def test_histories_that_are_no_rows_of_the_spec_are_refused(bundle: Path, tmp_path: Path) -> None:
    path, table = tmp_path / "changed.zip", table_of(bundle)
    refused(changed(bundle, path, histories=b"PAR1 and more"), "no Parquet file")
    refused(with_table(bundle, path, table.drop_columns(["loss"])), "the spec gives others")
    refused(with_table(bundle, path, pa.concat_tables([table, table])), "the spec gives at most 48")
    whole = members_of(bundle)["histories.parquet"]
    with Bundle(changed(bundle, path, histories=whole[:200] + bytes(400) + whole[600:])) as found:
        stored = StoredRows(found.histories(), found.spec, price(found.spec))
        with pytest.raises(NotABundle, match="cannot be read"):
            stored.between(0, 8)
