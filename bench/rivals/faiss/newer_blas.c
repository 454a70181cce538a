/* sgemm_ as faiss calls it, from the OpenBLAS in scipy's wheel: the one in faiss's own wheel (0.3.15) knows no newer AMD.
   Preloaded before faiss; tools/bench_setup.sh builds it beside the environment. */
void scipy_sgemm_(const char *, const char *, const int *, const int *, const int *, const float *, const float *, const int *,
                  const float *, const int *, const float *, float *, const int *);

void sgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k, const float *alpha, const float *a, const int *lda,
            const float *b, const int *ldb, const float *beta, float *c, const int *ldc) {
  scipy_sgemm_(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
