"""openTSNE behind the interface of bench/rivals: fit(work, rows, options, threads) gives arrays to save, and facts."""

import numpy as np
import openTSNE


def fit(_, rows, options, threads):
    model = openTSNE.TSNE(
        perplexity=options["perplexity"],
        early_exaggeration_iter=250,
        n_iter=options["steps"] - 250,
        negative_gradient_method="fft",
        random_state=0,
        n_jobs=threads,
    )
    return {"embedding": np.asarray(model.fit(rows))}, {}
