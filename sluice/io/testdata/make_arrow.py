"""Writes the small Parquet and Arrow files that arrow_reader_test.cc reads. Needs pyarrow and numpy: python make_arrow.py"""
import datetime, decimal, pathlib

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
N = 300
i = np.arange(N)


def bfloat16(values):
    return [int(v >> 16).to_bytes(2, "little") for v in np.asarray(values, np.float32).view(np.uint32)]


def gaps(values, every):
    return [None if k % every == 3 else v for k, v in enumerate(values)]


numbers = {
    "i8": pa.array(i % 100 - 50, pa.int8()), "i16": pa.array(i * 100 - 9000, pa.int16()), "i32": pa.array(i * 1000003 - 5, pa.int32()),
    "i64": pa.array(i * 2**44 - 7, pa.int64()), "u8": pa.array(i % 256, pa.uint8()), "u16": pa.array(i * 200, pa.uint16()),
    "u32": pa.array(i * 14000000, pa.uint32()), "u64": pa.array(i * 2**44, pa.uint64()),
    "f32": pa.array(gaps((i / 8).tolist(), 7), pa.float32()), "f64": pa.array(gaps((i / 10).tolist(), 11), pa.float64()),
    "yes": pa.array(gaps((i % 3 == 0).tolist(), 13), pa.bool_()),
    "price": pa.array([decimal.Decimal(int(k)) / 100 - 1 for k in i], pa.decimal128(10, 2)),
    "name": pa.array(gaps([f"név {k}" for k in i], 5), pa.string()),
    "kind": pa.array([["red", "green", "blue"][k % 3] for k in i]).dictionary_encode(),
    "day": pa.array([datetime.date(2024, 1, 1) + datetime.timedelta(int(k)) for k in i]),
    "big": pa.array([2**53 + 1 if k == 250 else int(k) for k in i], pa.int64()),
}
table = pa.table(numbers)
pq.write_table(table, HERE / "types.parquet", row_group_size=128, write_page_checksum=True)
feather.write_feather(table, HERE / "types.feather", compression="lz4", chunksize=100)
with pa.ipc.new_file(HERE / "types.arrow", table.schema) as sink:
    sink.write_table(table, 77)
with pa.ipc.new_stream(HERE / "types_stream.arrow", table.schema) as sink:
    sink.write_table(table, 77)

flat = (np.arange(40 * 4) / 4).tolist()
half = pa.array(np.array(flat, np.float16))
lists = pa.table({
    "id": pa.array([f"r{k}" for k in range(40)]),
    "f32": pa.FixedSizeListArray.from_arrays(pa.array(flat, pa.float32()), 4),
    "f16": pa.FixedSizeListArray.from_arrays(half, 4),
    "bf16": pa.FixedSizeListArray.from_arrays(pa.array(bfloat16(flat), pa.binary(2)), 4),
    "var": pa.array([None if k == 2 else flat[4 * k:4 * k + 4] for k in range(40)], pa.list_(pa.float64())),
    "one": pa.array(bfloat16(np.arange(40) / 2), pa.binary(2)),
    "key": pa.array([bytes([k] * 16) for k in range(40)], pa.binary(16)),
})
pq.write_table(lists, HERE / "lists.parquet")
with pa.ipc.new_file(HERE / "lists.arrow", lists.schema) as sink:
    sink.write_table(lists)

pq.write_table(pa.table({"n": [1, 2], "s": pa.array([{"a": 1}, {"a": 2}])}), HERE / "struct.parquet")
pq.write_table(pa.table({"v": pa.array([[1.0, 2.0], [3.0]])}), HERE / "ragged.parquet")
pq.write_table(pa.table({"n": pa.array([], pa.int64())}), HERE / "empty.parquet")
