"""pynndescent behind the interface of bench/rivals: fit(work, rows, options, threads) gives arrays to save, and facts."""

import pynndescent


def fit(_, rows, options, threads):
    # Its list begins with the row itself.
    made = pynndescent.NNDescent(rows, n_neighbors=options["k"] + 1, random_state=options.get("seed", 0), n_jobs=threads)
    indices, distances = made.neighbor_graph
    return {"indices": indices[:, 1:], "distances": distances[:, 1:]}, {}
