/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch and group norm with the sum and the ReLU that follow, for training on a CPU, forwards
 * and backwards: as single operators they spend their time on memory traffic.
 *
 * All maps are [B, R, C], channels last. Each of the B parts has its own statistics, shared by
 * G neighbouring channels: batch norm is one part with G = 1, group norm one part a picture.
 * With G = 0 the statistics are given, and constants for the gradient: batch norm with those of
 * all pictures. mean, inv [B, C]; weight, bias [C]. plus (added before the ReLU) may be NULL.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#define MOST 2048 /* channels */
#define ROWS 64   /* summed in single precision before it goes on in double */

void forward(int B, int R, int C, int G, float eps, int relu, const float *x, const float *weight, const float *bias,
             const float *plus, float *out, float *mean, float *inv) {
  float s[MOST], q[MOST];
  double sum[MOST], square[MOST];
  for (int b = 0; b < B; b++, mean += C, inv += C) {
    const float *first = x + (size_t)b * R * C; /* moments about the first row cancel less */
    memset(sum, 0, C * sizeof(double));
    memset(square, 0, C * sizeof(double));
    for (int from = 0; G && from < R; from += ROWS) {
      memset(s, 0, C * sizeof(float));
      memset(q, 0, C * sizeof(float));
      for (int r = from; r < R && r < from + ROWS; r++) {
        const float *row = first + (size_t)r * C;
        for (int c = 0; c < C; c++) {
          float d = row[c] - first[c];
          s[c] += d;
          q[c] += d * d;
        }
      }
      for (int c = 0; c < C; c++) {
        sum[c] += s[c];
        square[c] += q[c];
      }
    }
    for (int g = 0; G && g < C; g += G) {
      double m = 0, v = 0;
      for (int c = g; c < g + G; c++) m += (first[c] + sum[c] / R) / G;
      for (int c = g; c < g + G; c++) {
        double d = sum[c] / R, off = first[c] + d - m;
        v += (square[c] / R - d * d + off * off) / G;
      }
      for (int c = g; c < g + G; c++) {
        mean[c] = m;
        inv[c] = 1 / sqrt((v > 0 ? v : 0) + eps);
      }
    }
    for (int c = 0; c < C; c++) {
      s[c] = weight[c] * inv[c];
      q[c] = bias[c] - mean[c] * s[c];
    }
    for (size_t r = 0, at = (size_t)b * R * C; r < (size_t)R; r++, at += C)
      for (int c = 0; c < C; c++) {
        float y = x[at + c] * s[c] + q[c] + (plus ? plus[at + c] : 0.f);
        out[at + c] = relu && y < 0.f ? 0.f : y;
      }
  }
}

static inline __attribute__((always_inline)) void back(
    int B, int R, int C, int G, int relu, int added, const float *restrict x, const float *restrict weight, const float *mean,
    const float *inv, const float *restrict out, const float *restrict gout, float *restrict gx, float *restrict gplus,
    float *gweight, float *gbias) {
  float s[MOST], q[MOST], a[MOST];
  double sum[MOST], dot[MOST];
  memset(gweight, 0, C * sizeof(float));
  memset(gbias, 0, C * sizeof(float));
  for (int b = 0; b < B; b++, mean += C, inv += C) {
    memset(sum, 0, C * sizeof(double));
    memset(dot, 0, C * sizeof(double));
    memcpy(a, mean, C * sizeof(float));
    for (int from = 0; from < R; from += ROWS) {
      memset(s, 0, C * sizeof(float));
      memset(q, 0, C * sizeof(float));
      for (int r = from; r < R && r < from + ROWS; r++) {
        size_t at = ((size_t)b * R + r) * C;
        for (int c = 0; c < C; c++) {
          float g = gout[at + c];
          if (relu) g = out[at + c] > 0.f ? g : 0.f;
          s[c] += g;
          q[c] += g * (x[at + c] - a[c]);
        }
      }
      for (int c = 0; c < C; c++) {
        sum[c] += s[c];
        dot[c] += q[c];
      }
    }
    int share = G ? G : 1;
    for (int g = 0; g < C; g += share) {
      double m1 = 0, m2 = 0;
      for (int c = g; c < g + share; c++) {
        gbias[c] += sum[c];
        gweight[c] += dot[c] * inv[c];
        if (!G) continue;
        m1 += weight[c] * sum[c] / ((double)R * G);
        m2 += weight[c] * dot[c] * inv[c] / ((double)R * G);
      }
      /* gx = g * a - x * s - q */
      for (int c = g; c < g + share; c++) {
        a[c] = weight[c] * inv[c];
        s[c] = inv[c] * inv[c] * m2;
        q[c] = inv[c] * m1 - mean[c] * s[c];
      }
    }
    for (size_t r = 0, at = (size_t)b * R * C; r < (size_t)R; r++, at += C)
      for (int c = 0; c < C; c++) {
        float g = gout[at + c];
        if (relu) g = out[at + c] > 0.f ? g : 0.f;
        gx[at + c] = g * a[c] - x[at + c] * s[c] - q[c];
        if (added) gplus[at + c] = g;
      }
  }
}

/* out: the result after the ReLU, NULL where there was none; gplus: NULL where nothing was added. */
void backward(int B, int R, int C, int G, const float *x, const float *weight, const float *mean, const float *inv,
              const float *out, const float *gout, float *gx, float *gplus, float *gweight, float *gbias) {
  /* Constants, so that the inner loops have no branches. */
  if (out && gplus) back(B, R, C, G, 1, 1, x, weight, mean, inv, out, gout, gx, gplus, gweight, gbias);
  else if (out) back(B, R, C, G, 1, 0, x, weight, mean, inv, out, gout, gx, NULL, gweight, gbias);
  else if (gplus) back(B, R, C, G, 0, 1, x, weight, mean, inv, NULL, gout, gx, gplus, gweight, gbias);
  else back(B, R, C, G, 0, 0, x, weight, mean, inv, NULL, gout, gx, NULL, gweight, gbias);
}
