#!/usr/bin/env python3
"""Writes the first 1,000 bundled digits as PNG files of 8 x 8 grey pixels: photos/0000.png ... for `sluice kmeans photos/`,
and the digit each shows, one a line, into photos.labels.txt for `--label`.

usage: make_png.py DIR [COUNT]
"""
import gzip
import itertools
import pathlib
import struct
import sys
import zlib

SIDE = 8
TABLE = pathlib.Path(__file__).with_name("digits.csv.gz")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(pixels):
    """An 8-bit grey PNG of SIDE x SIDE bytes."""
    rows = b"".join(b"\0" + bytes(pixels[r * SIDE : (r + 1) * SIDE]) for r in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out, count = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    out.mkdir(parents=True, exist_ok=True)
    labels = []
    with gzip.open(TABLE, "rt", encoding="ascii") as table:
        for line in itertools.islice(table, count):
            *ink, label = (float(cell) for cell in line.split(","))
            # The table counts ink from 0 to 16; 15 times that is a grey, and the distances keep their proportions exactly.
            (out / f"{len(labels):04d}.png").write_bytes(png([int(value) * 15 for value in ink]))
            labels.append(int(label))
    out.with_name(out.name + ".labels.txt").write_text("".join(f"{label}\n" for label in labels), encoding="ascii")
    print(f"{len(labels)} pictures in {out}")


if __name__ == "__main__":
    main()
