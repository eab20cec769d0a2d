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

/* The four cells around a sample: left before right, top before bottom. */
struct corners {
  float tx, ty;                   /* where between them, 0 to 1 */
  float left, right, top, bottom; /* 1, or 0 for what lies outside */
  size_t at[4];                   /* of their values; of those outside, of a cell inside */
};

/* Fills c; 0 where all corners lie outside. Without branches for each: what lies outside is unpredictable. */
INLINE int around(const float *place, const float *offset, int wide, int high, size_t cell, struct corners *c) {
  float px = place[0] + offset[0], py = place[1] + offset[1], fx = floorf(px), fy = floorf(py);
  if (!(fx >= -1.f && fy >= -1.f && fx < wide && fy < high)) return 0;
  int x = (int)fx, y = (int)fy;
  c->tx = px - fx, c->ty = py - fy;
  c->left = x >= 0, c->right = x + 1 < wide, c->top = y >= 0, c->bottom = y + 1 < high;
  size_t x0 = x >= 0 ? x : 0, x1 = x + 1 < wide ? x + 1 : wide - 1;
  size_t y0 = y >= 0 ? y : 0, y1 = y + 1 < high ? y + 1 : high - 1;
  c->at[0] = (y0 * wide + x0) * cell, c->at[1] = (y0 * wide + x1) * cell;
  c->at[2] = (y1 * wide + x0) * cell, c->at[3] = (y1 * wide + x1) * cell;
  return 1;
}

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
        float all[D];
        for (int d = 0; d < D; d++) all[d] = 0.f;
        for (int l = 0; l < L; l++) {
          const float *cells = value + (((size_t)b * N + start[l]) * H + h) * D;
          for (int p = 0; p < P; p++) {
            size_t k = (row * L + l) * P + p;
            struct corners c;
            if (!around(place + (n * L + l) * 2, offset + k * 2, wide[l], high[l], H * D, &c)) continue;
            float left = w[l * P + p] * c.left * (1.f - c.tx), right = w[l * P + p] * c.right * c.tx;
            float top = c.top * (1.f - c.ty), bottom = c.bottom * c.ty;
            for (int d = 0; d < D; d++)
              all[d] += top * (left * cells[c.at[0] + d] + right * cells[c.at[1] + d]) + bottom * (left * cells[c.at[2] + d] + right * cells[c.at[3] + d]);
          }
        }
        for (int d = 0; d < D; d++) o[d] = all[d];
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
        for (int l = 0; l < L; l++) {
          size_t first = (((size_t)b * N + start[l]) * H + h) * D;
          for (int p = 0; p < P; p++) {
            size_t k = (row * L + l) * P + p;
            struct corners c;
            if (!around(place + (n * L + l) * 2, offset + k * 2, wide[l], high[l], H * D, &c)) {
              goffset[k * 2] = goffset[k * 2 + 1] = gw[l * P + p] = 0.f;
              continue;
            }
            float dot[4];
            for (int i = 0; i < 4; i++) {
              const float *v = value + first + c.at[i];
              float s = 0.f;
              for (int d = 0; d < D; d++) s += g[d] * v[d];
              dot[i] = s;
            }
            dot[0] *= c.top * c.left;
            dot[1] *= c.top * c.right;
            dot[2] *= c.bottom * c.left;
            dot[3] *= c.bottom * c.right;
            float share = w[l * P + p], top = 1.f - c.ty, left = 1.f - c.tx;
            gw[l * P + p] = top * (left * dot[0] + c.tx * dot[1]) + c.ty * (left * dot[2] + c.tx * dot[3]);
            goffset[k * 2] = share * (top * (dot[1] - dot[0]) + c.ty * (dot[3] - dot[2]));
            goffset[k * 2 + 1] = share * (left * (dot[2] - dot[0]) + c.tx * (dot[3] - dot[1]));
            top *= share * c.top;
            float bottom = share * c.bottom * c.ty, right = c.right * c.tx;
            left *= c.left;
            const float part[4] = {top * left, top * right, bottom * left, bottom * right};
            // One after the other: at the frame two corners may be the same cell.
            for (int i = 0; i < 4; i++) {
              float *gv = gvalue + first + c.at[i];
              for (int d = 0; d < D; d++) gv[d] += part[i] * g[d];
            }
          }
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
