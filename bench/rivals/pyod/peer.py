"""PyOD behind the interface of bench/rivals: fit(work, rows, options, threads) gives arrays to save, and facts."""

import time

from pyod.models.ecod import ECOD

quickest = []  # how many processes, found in the first run, which does not count: sending them the rows may cost more than they save


def timed(rows, processes):
    begin = time.perf_counter()
    scores = ECOD(n_jobs=processes).fit(rows).decision_scores_
    return time.perf_counter() - begin, scores


def fit(_, rows, __, threads):
    if not quickest:
        quickest.append(min((1, threads), key=lambda processes: min(timed(rows, processes)[0] for _ in range(2))))
    return {"scores": timed(rows, quickest[0])[1]}, {"processes": quickest[0]}
