"""pyfim behind the interface of bench/rivals: fit(work, baskets, options, threads) gives lists to write, and facts. It has one thread."""

import fim


def fit(_, baskets, options, __):
    found = fim.eclat(baskets, target="s", supp=-options["count"], zmin=1, report="a", algo=options["variant"])
    return {"itemsets": found}, {}
