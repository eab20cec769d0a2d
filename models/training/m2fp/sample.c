/* SPDX-License-Identifier: Apache-2.0
 *
 * The sampling step of multi-scale deformable attention for training on a CPU, forwards and
 * backwards: a framework's general gathers spend most of a training step here.
 *
 * value [B, N, H, D]; place [N, L, 2] (x, y) of each cell's centre in cells of each level;
 * offset [B, N, H, L, P, 2] from there; logit [B, N, H, L * P], whose softmax weight the samples
 * have; out [B, N, H, D]; level l is high[l] x wide[l] cells from cell start[l] on.
 */
#include <math.h>
#include <string.h>

/* With D known the inner loops are single vector instructions. */
#define INLINE static inline __attribute__((always_inline))
#define FOR_DEPTH(f, ...) (D == 8 ? f(8, __VA_ARGS__) : D == 32 ? f(32, __VA_ARGS__) : f(D, __VA_ARGS__))

INLINE void sum(int D, int B, int N, int H, int L, int P, const float *restrict value, const float *place, const float *offset,
                const float *logit, const int *wide, const int *high, const int *start, float *restrict out, float *restrict weight) {
  int K = L * P;
  for (int b = 0; b < B; b++)
    for (int n = 0; n < N; n++)
      for (int h = 0; h < H; h++) {
        size_t row = ((size_t)b * N + n) * H + h;
        float *o = out + row * D, *w = weight + row * K, most = logit[row * K], total = 0.f;
        for (int k = 1; k < K; k++) most = fmaxf(most, logit[row * K + k]);
        for (int k = 0; k < K; k++) total += w[k] = expf(logit[row * K + k] - most);
        for (int k = 0; k < K; k++) w[k] /= total;
        memset(o, 0, D * sizeof(float));
        for (int l = 0; l < L; l++)
          for (int p = 0; p < P; p++) {
            size_t k = (row * L + l) * P + p;
            float px = place[(n * L + l) * 2] + offset[k * 2], py = place[(n * L + l) * 2 + 1] + offset[k * 2 + 1];
            float fx = floorf(px), fy = floorf(py), tx = px - fx, ty = py - fy;
            if (!(fx >= -1.f && fy >= -1.f && fx < wide[l] && fy < high[l])) continue;
            int x = (int)fx, y = (int)fy;
            for (int c = 0; c < 4; c++) {
              int cx = x + (c & 1), cy = y + (c >> 1);
              if (cx < 0 || cy < 0 || cx >= wide[l] || cy >= high[l]) continue;
              float s = weight[k] * ((c & 1) ? tx : 1.f - tx) * ((c >> 1) ? ty : 1.f - ty);
              const float *v = value + (((size_t)b * N + start[l] + cy * wide[l] + cx) * H + h) * D;
              for (int d = 0; d < D; d++) o[d] += s * v[d];
            }
          }
      }
}

INLINE void back(int D, int B, int N, int H, int L, int P, const float *restrict value, const float *place, const float *offset,
                 const float *weight, const int *wide, const int *high, const int *start, const float *restrict gout,
                 float *restrict gvalue, float *restrict goffset, float *restrict glogit) {
  int K = L * P;
  memset(gvalue, 0, (size_t)B * N * H * D * sizeof(float));
  for (int b = 0; b < B; b++)
    for (int n = 0; n < N; n++)
      for (int h = 0; h < H; h++) {
        size_t row = ((size_t)b * N + n) * H + h;
        const float *g = gout + row * D, *w = weight + row * K;
        float *gw = glogit + row * K, mean = 0.f;
        for (int l = 0; l < L; l++)
          for (int p = 0; p < P; p++) {
            size_t k = (row * L + l) * P + p;
            float gx = 0.f, gy = 0.f, gweight = 0.f;
            float px = place[(n * L + l) * 2] + offset[k * 2], py = place[(n * L + l) * 2 + 1] + offset[k * 2 + 1];
            float fx = floorf(px), fy = floorf(py), tx = px - fx, ty = py - fy;
            if (fx >= -1.f && fy >= -1.f && fx < wide[l] && fy < high[l]) {
              int x = (int)fx, y = (int)fy;
              for (int c = 0; c < 4; c++) {
                int cx = x + (c & 1), cy = y + (c >> 1);
                if (cx < 0 || cy < 0 || cx >= wide[l] || cy >= high[l]) continue;
                float sx = (c & 1) ? tx : 1.f - tx, sy = (c >> 1) ? ty : 1.f - ty, s = weight[k] * sx * sy, dot = 0.f;
                size_t at = (((size_t)b * N + start[l] + cy * wide[l] + cx) * H + h) * D;
                const float *v = value + at;
                float *gv = gvalue + at;
                for (int d = 0; d < D; d++) {
                  dot += g[d] * v[d];
                  gv[d] += s * g[d];
                }
                gweight += dot * sx * sy;
                gx += dot * sy * ((c & 1) ? 1.f : -1.f);
                gy += dot * sx * ((c >> 1) ? 1.f : -1.f);
              }
            }
            goffset[k * 2] = gx * weight[k];
            goffset[k * 2 + 1] = gy * weight[k];
            gw[l * P + p] = gweight;
          }
        for (int k = 0; k < K; k++) mean += w[k] * gw[k];
        for (int k = 0; k < K; k++) gw[k] = w[k] * (gw[k] - mean);
      }
}

void forward(int B, int N, int H, int D, int L, int P, const float *value, const float *place, const float *offset,
             const float *logit, const int *wide, const int *high, const int *start, float *out, float *weight) {
  FOR_DEPTH(sum, B, N, H, L, P, value, place, offset, logit, wide, high, start, out, weight);
}

void backward(int B, int N, int H, int D, int L, int P, const float *value, const float *place, const float *offset,
              const float *weight, const int *wide, const int *high, const int *start, const float *gout, float *gvalue,
              float *goffset, float *glogit) {
  FOR_DEPTH(back, B, N, H, L, P, value, place, offset, weight, wide, high, start, gout, gvalue, goffset, glogit);
}
