"""All frequent item sets of real baskets, listed in a file."""

import csv
import gzip
import math

from .row import Row, real


def make_baskets(name, share, variant):
    """Both sides read the same unpacked text. `variant` is the quickest of pyfim's here; its slowest takes a hundred times as long."""

    def make(folder):
        text = gzip.decompress(real("itemsets", f"{name}.dat.gz").read_bytes())
        (folder / "baskets.dat").write_bytes(text)
        baskets = text.count(b"\n") + (not text.endswith(b"\n"))
        count = math.ceil(share * baskets - 1e-9)
        return {"data": str(folder / "baskets.dat"), "count": count, "baskets": baskets, "variant": variant}

    return make


def command(options):
    return ["eclat", options["data"], "--min-support", options["count"]]


def account(path, header):
    """How many sets a list holds, a sum over them that no order of lines or items changes, and the single items with their counts."""
    sets, digest, singles = 0, 0, {}
    with path.open(encoding="ascii", newline="") as file:
        lines = csv.reader(file)
        if header:
            next(lines)
        for line in lines:
            items, count = tuple(sorted(map(int, line[0].split()))), int(line[2 if header else 1])
            sets, digest = sets + 1, (digest + hash((items, count))) % 2**128
            if len(items) == 1:
                singles[items[0]] = count
    return sets, digest, singles


def check(options, ours, theirs):
    """Equal sets with equal counts. pyfim leaves out a single item that every basket holds: those are told, and no fault of either."""
    sets, digest, singles = account(ours["folder"] / "itemsets.csv", True)
    their_sets, their_digest, their_singles = account(theirs["folder"] / "itemsets.csv", False)
    left = [item for item, count in singles.items() if count == options["baskets"] and item not in their_singles]
    for item in left:
        their_sets, their_digest = their_sets + 1, (their_digest + hash(((item,), options["baskets"]))) % 2**128
    equal = sets == their_sets and digest == their_digest
    words = f"{sets} and {their_sets} sets from a count of {options['count']}, lists {'equal' if equal else 'DIFFER'}"
    return equal, words + (f"; the peer leaves out {len(left)} that every basket holds" if left else "")


def itemset_row(title, name, share, variant):
    make = make_baskets(name, share, variant)
    return Row("FI", title, "itemsets", ("pyfim",), make, command, lambda folder: {"folder": folder, "facts": {}}, check)


ROWS = [
    itemset_row("item sets of mushroom at 5 %, list written", "mushroom", 0.05, "a"),
    itemset_row("item sets of retail at 0.02 %, list written", "retail", 0.0002, "a"),
    itemset_row("item sets of T10I4D100K at 0.02 %, list written", "T10I4D100K", 0.0002, "o"),
]
