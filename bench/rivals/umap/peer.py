"""umap-learn behind the interface of bench/rivals: fit(work, rows, options, threads) gives arrays to save, and facts."""

import umap


def fit(_, rows, options, threads):
    # Without a seed, which would hold it to one thread.
    return {"embedding": umap.UMAP(n_neighbors=options["k"], n_jobs=threads).fit_transform(rows)}, {}
