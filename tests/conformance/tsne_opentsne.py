"""Makes the openTSNE figures that tsne_opentsne_test.py compares with. Needs openTSNE 1.x, numpy, scipy, scikit-learn; takes minutes.

    python tests/conformance/tsne_opentsne.py DATA        # prints the lines of REFERENCE

Divergences are those of tsne_divergence.py, one exact evaluator for both programs' maps; openTSNE ran with 250 + 750 steps, random_state=0,
neighbors='exact', negative_gradient_method='fft' and its defaults otherwise.
"""
import pathlib
import sys

import numpy as np
from sklearn.manifold import trustworthiness

from tsne_divergence import affinities, digits, divergence, mnist

if __name__ == "__main__":
    import openTSNE

    folder = pathlib.Path(sys.argv[1])
    for name, rows in (("digits", digits(folder)), ("mnist", mnist(folder))):
        made = np.asarray(openTSNE.TSNE(n_iter=750, random_state=0, neighbors="exact", negative_gradient_method="fft").fit(rows))
        trust = trustworthiness(rows[:5000], made[:5000], n_neighbors=15) if name == "digits" else None
        print(f'    "{name}": {{"divergence": {divergence(affinities(rows), made):.6f}, "trustworthiness": {trust}}},')
