/* SPDX-License-Identifier: Apache-2.0
 *
 * The sampling step of multi-scale deformable attention for training on a CPU, forwards and
 * backwards: a framework's general gathers spend most of a training step here.
 *
 * value [B, N, H, D]; px, py, weight [B, N, H, L, P] in cells of each level;
 * out [B, N, H, D]; level l is high[l] x wide[l] cells from cell start[l] on.
 */
#include <math.h>
#include <string.h>

void forward(int B, int N, int H, int D, int L, int P, const float *value, const float *px, const float *py,
             const float *weight, const int *wide, const int *high, const int *start, float *out) {
  for (int b = 0; b < B; b++)
    for (int n = 0; n < N; n++)
      for (int h = 0; h < H; h++) {
        size_t row = ((size_t)b * N + n) * H + h;
        float *o = out + row * D;
        memset(o, 0, D * sizeof(float));
        for (int l = 0; l < L; l++)
          for (int p = 0; p < P; p++) {
            size_t k = (row * L + l) * P + p;
            float fx = floorf(px[k]), fy = floorf(py[k]), tx = px[k] - fx, ty = py[k] - fy;
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

void backward(int B, int N, int H, int D, int L, int P, const float *value, const float *px, const float *py,
              const float *weight, const int *wide, const int *high, const int *start, const float *gout,
              float *gvalue, float *gx, float *gy, float *gweight) {
  memset(gvalue, 0, (size_t)B * N * H * D * sizeof(float));
  for (int b = 0; b < B; b++)
    for (int n = 0; n < N; n++)
      for (int h = 0; h < H; h++) {
        size_t row = ((size_t)b * N + n) * H + h;
        const float *g = gout + row * D;
        for (int l = 0; l < L; l++)
          for (int p = 0; p < P; p++) {
            size_t k = (row * L + l) * P + p;
            gx[k] = gy[k] = gweight[k] = 0.f;
            float fx = floorf(px[k]), fy = floorf(py[k]), tx = px[k] - fx, ty = py[k] - fy;
            if (!(fx >= -1.f && fy >= -1.f && fx < wide[l] && fy < high[l])) continue;
            int x = (int)fx, y = (int)fy;
            for (int c = 0; c < 4; c++) {
              int cx = x + (c & 1), cy = y + (c >> 1);
              if (cx < 0 || cy < 0 || cx >= wide[l] || cy >= high[l]) continue;
              float sx = (c & 1) ? tx : 1.f - tx, sy = (c >> 1) ? ty : 1.f - ty, w = weight[k], dot = 0.f;
              size_t at = (((size_t)b * N + start[l] + cy * wide[l] + cx) * H + h) * D;
              const float *v = value + at;
              float *gv = gvalue + at, s = w * sx * sy;
              for (int d = 0; d < D; d++) {
                dot += g[d] * v[d];
                gv[d] += s * g[d];
              }
              gweight[k] += dot * sx * sy;
              gx[k] += dot * w * sy * ((c & 1) ? 1.f : -1.f);
              gy[k] += dot * w * sx * ((c >> 1) ? 1.f : -1.f);
            }
          }
      }
}
