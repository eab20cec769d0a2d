/* SPDX-License-Identifier: Apache-2.0
 *
 * Software rasteriser for the drawn people scenes.
 *
 * Triangles come in camera space (x right, y up, z away from the camera). A first pass
 * fills a depth buffer with the index of the nearest triangle, a second one fills a depth
 * map seen from the light, a third shades every pixel from procedural materials. Pictures
 * are drawn `ss` times larger than asked and averaged down; labels take the majority.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define VS 10 /* floats a vertex: position 3, normal 3, texture 3, clip 1 */
#define MS 40 /* floats a material, see materials.py */

enum { SKIN = 0, CLOTH = 1, HAIR = 2, FACE = 3, GLOSS = 4, ROUGH = 5 };

static inline float clampf(float v, float lo, float hi) { return v < lo ? lo : v > hi ? hi : v; }
static inline float mixf(float a, float b, float t) { return a + (b - a) * t; }
static inline float smooth(float lo, float hi, float v) {
  float t = clampf((v - lo) / (hi - lo), 0.f, 1.f);
  return t * t * (3.f - 2.f * t);
}

static inline float hash3(int x, int y, int z) {
  uint32_t h = (uint32_t)x * 374761393u + (uint32_t)y * 668265263u + (uint32_t)z * 2147483647u;
  h = (h ^ (h >> 13)) * 1274126177u;
  h ^= h >> 16;
  return (float)(h & 0xffffffu) * (1.f / 16777216.f);
}

/* Value noise in [0, 1]. */
static float noise3(float x, float y, float z) {
  float fx = floorf(x), fy = floorf(y), fz = floorf(z);
  int ix = (int)fx, iy = (int)fy, iz = (int)fz;
  float tx = x - fx, ty = y - fy, tz = z - fz;
  tx = tx * tx * (3.f - 2.f * tx);
  ty = ty * ty * (3.f - 2.f * ty);
  tz = tz * tz * (3.f - 2.f * tz);
  float a = mixf(mixf(hash3(ix, iy, iz), hash3(ix + 1, iy, iz), tx),
                 mixf(hash3(ix, iy + 1, iz), hash3(ix + 1, iy + 1, iz), tx), ty);
  float b = mixf(mixf(hash3(ix, iy, iz + 1), hash3(ix + 1, iy, iz + 1), tx),
                 mixf(hash3(ix, iy + 1, iz + 1), hash3(ix + 1, iy + 1, iz + 1), tx), ty);
  return mixf(a, b, tz);
}

static float fbm(float x, float y, float z, int octaves) {
  float s = 0.f, w = 0.5f, n = 0.f;
  for (int i = 0; i < octaves; i++) {
    s += w * noise3(x, y, z);
    n += w;
    w *= 0.5f;
    x = x * 2.03f + 17.1f;
    y = y * 2.03f + 5.3f;
    z = z * 2.03f + 9.7f;
  }
  return s / n;
}

static void mix3(float *c, const float *d, float t) {
  for (int i = 0; i < 3; i++) c[i] = mixf(c[i], d[i], t);
}

/* Colour patterns; u and v are metres on the surface. */
static void pattern(const float *m, float u, float v, float w, float *c) {
  float s = m[11], p = m[12], seed = m[17];
  const float *c1 = m + 4, *c2 = m + 7;
  switch ((int)m[10]) {
    case 1: case 2: { /* stripes, across or along */
      float q = ((int)m[10] == 1 ? v : u) * s;
      q -= floorf(q);
      if (q < p) memcpy(c, c1, 12);
      else if (q < p + 0.12f && m[33] > 0.5f) memcpy(c, c2, 12);
      break;
    }
    case 3: { /* woven checks */
      float a = u * s, b = v * s;
      a -= floorf(a);
      b -= floorf(b);
      mix3(c, c1, (a < p ? 0.5f : 0.f) + (b < p ? 0.5f : 0.f));
      if (m[33] > 0.5f && (fabsf(a - 0.75f) < 0.05f || fabsf(b - 0.75f) < 0.05f)) mix3(c, c2, 0.7f);
      break;
    }
    case 4: { /* dots */
      float a = u * s, b = v * s;
      if (((int)floorf(b)) & 1) a += 0.5f;
      a -= floorf(a) + 0.5f;
      b -= floorf(b) + 0.5f;
      if (a * a + b * b < p * p * 0.25f) memcpy(c, c1, 12);
      break;
    }
    case 5: { /* blobs: camouflage, flowers, batik */
      float n = fbm(u * s + seed, v * s, w * s, 2), k = fbm(u * s + seed + 31.f, v * s + 7.f, w * s, 2);
      if (n > 0.56f) memcpy(c, c1, 12);
      if (k > 0.60f) memcpy(c, c2, 12);
      break;
    }
    case 6: { /* a print on the chest: m[34..37] = centre u, v, half size u, v */
      float a = (u - m[34]) / m[36], b = (v - m[35]) / m[37];
      if (fabsf(a) < 1.f && fabsf(b) < 1.f) {
        if (p < 0.33f) { /* lines of writing */
          float row = b * 3.f;
          float cell = hash3((int)floorf(a * 9.f), (int)floorf(row), (int)seed);
          float frac = row - floorf(row), col = a * 9.f - floorf(a * 9.f);
          if (cell > 0.25f && frac > 0.25f && frac < 0.8f && col < 0.75f) memcpy(c, c1, 12);
        } else if (p < 0.66f) { /* a badge */
          float r = sqrtf(a * a + b * b);
          if (r < 1.f) memcpy(c, fbm(a * 4.f + seed, b * 4.f, 1.f, 2) > 0.5f ? c2 : c1, 12);
        } else {
          memcpy(c, fbm(a * 3.f + seed, b * 3.f, 0.f, 2) > 0.48f ? c1 : c2, 12);
        }
      }
      break;
    }
    case 7: /* two blocks of colour */
      if (v > p) memcpy(c, c1, 12);
      break;
    case 8: /* fading from one colour into the other */
      mix3(c, c1, smooth(p - m[36], p + m[36], v));
      break;
    case 9: { /* bricks */
      float b = v * s, a = u * s * 0.5f;
      if (((int)floorf(b)) & 1) a += 0.5f;
      float k = hash3((int)floorf(a), (int)floorf(b), (int)seed);
      for (int i = 0; i < 3; i++) c[i] *= 0.75f + 0.5f * k;
      a -= floorf(a);
      b -= floorf(b);
      if (a < 0.05f || b < 0.10f) memcpy(c, c1, 12);
      break;
    }
    case 10: { /* tiles or boards */
      float a = u * s, b = v * s * p;
      float k = hash3((int)floorf(a), (int)floorf(b), (int)seed);
      for (int i = 0; i < 3; i++) c[i] *= 0.82f + 0.36f * k;
      a -= floorf(a);
      b -= floorf(b);
      if (a < 0.03f || b < 0.03f * p) mix3(c, c1, 0.8f);
      break;
    }
    case 11: { /* windows in a front */
      float a = u * s, b = v * s * p;
      float k = hash3((int)floorf(a), (int)floorf(b), (int)seed);
      a -= floorf(a);
      b -= floorf(b);
      if (a > 0.2f && a < 0.8f && b > 0.25f && b < 0.8f) {
        memcpy(c, c1, 12);
        if (k > 0.6f) mix3(c, c2, 0.7f);
        if (fabsf(a - 0.5f) < 0.02f) mix3(c, c2, 0.6f);
      }
      break;
    }
    case 12: { /* leaves */
      float n = fbm(u * s + seed, v * s, w * s, 4);
      mix3(c, c1, smooth(0.4f, 0.6f, n));
      mix3(c, c2, smooth(0.58f, 0.72f, fbm(u * s * 2.f, v * s * 2.f + seed, w * s, 3)));
      break;
    }
    case 13: { /* veins: wood, marble */
      float n = fbm(u * s * 0.3f + seed, v * s * 2.f, w * s, 3);
      float q = sinf((n * 6.f + u * s * 0.2f) * 6.28f) * 0.5f + 0.5f;
      mix3(c, c1, q);
      break;
    }
    default: break;
  }
}

/* Eyes, brows, lips, nostrils, beard, painted in the head's own coordinates. */
static float face_paint(const float *m, float x, float y, float z, float *c) {
  float gloss = 0.f;
  if (z < 0.05f) return gloss;
  const float *eye = m + 19, *lip = m + 22, *brow = m + 25;
  float beard = m[28], open = m[29], age = m[30], smile = m[31], seed = m[17];
  static const float white[3] = {0.80f, 0.78f, 0.75f}, dark[3] = {0.02f, 0.015f, 0.012f};
  float red[3] = {c[0] * 1.08f, c[1] * 0.80f, c[2] * 0.78f};
  float ax = fabsf(x);
  float cheek = expf(-((ax - 0.42f) * (ax - 0.42f) + (y + 0.22f) * (y + 0.22f)) / 0.05f);
  mix3(c, red, 0.45f * cheek);
  mix3(c, red, 0.5f * expf(-(x * x + (y + 0.2f) * (y + 0.2f)) / 0.012f));
  float shade[3] = {c[0] * 0.72f, c[1] * 0.66f, c[2] * 0.64f};
  float ex = (ax - 0.30f) / 0.155f;
  float ey = (y - 0.07f - 0.02f * ex * ex * (x > 0 ? 1.f : 1.f)) / (0.085f * open + 0.012f);
  mix3(c, shade, 0.55f * expf(-((ax - 0.28f) * (ax - 0.28f) / 0.035f + (y - 0.10f) * (y - 0.10f) / 0.018f)));
  if (age > 0.3f) {
    float fold = expf(-powf((ax - 0.22f - 0.25f * (-0.2f - y)) / 0.025f, 2.f)) * (y < -0.18f && y > -0.5f);
    mix3(c, shade, age * 0.7f * fold);
    mix3(c, shade, age * 0.5f * smooth(0.4f, 0.9f, sinf(y * 45.f + 3.f * x)) * (y > 0.35f && ax < 0.4f));
  }
  float lid = 1.f - ex * ex;
  if (lid > 0.f) {
    float top = sqrtf(lid), hit = fabsf(ey) / (top + 1e-3f);
    if (hit < 1.f) {
      memcpy(c, white, 12);
      float gx = (ax - 0.30f) + (x > 0 ? -m[38] : m[38]), gy = y - 0.075f;
      float r = sqrtf(gx * gx + gy * gy);
      if (r < 0.072f) memcpy(c, eye, 12);
      if (r < 0.033f) memcpy(c, dark, 12);
      if ((gx - 0.02f) * (gx - 0.02f) + (gy - 0.025f) * (gy - 0.025f) < 0.0003f) c[0] = c[1] = c[2] = 1.f;
      if (ey > 0.f) mix3(c, dark, 0.75f * smooth(0.65f, 1.f, hit));
      gloss = 0.4f;
    } else if (ey > 0.f && hit < 1.5f) {
      mix3(c, dark, 0.5f * (1.f - (hit - 1.f) * 2.f));
    }
  }
  float bx = (ax - 0.32f) / 0.21f, by = y - (0.255f + 0.03f * m[39] - 0.045f * bx * bx);
  if (fabsf(bx) < 1.f) {
    float thick = 0.042f * (1.f - 0.6f * bx) * (0.6f + m[32]);
    float k = smooth(thick, thick * 0.4f, fabsf(by)) * (0.6f + 0.4f * noise3(x * 60.f, y * 14.f, seed));
    mix3(c, brow, 0.85f * k);
  }
  float lx = x / (0.20f + 0.07f * smile), curve = (lx * lx - 0.4f) * 0.06f * smile;
  float ly = y + 0.47f - curve;
  float lw = 1.f - lx * lx;
  if (lw > 0.f) {
    float half = (ly > 0.f ? 0.055f : 0.072f) * sqrtf(lw);
    if (ly > 0.f) half *= 1.f - 0.25f * expf(-lx * lx * 40.f);
    if (fabsf(ly) < half) {
      mix3(c, lip, 0.85f);
      gloss = 0.15f;
    }
    float gap = m[18] * 0.05f * lw;
    if (fabsf(ly + 0.004f) < 0.009f + gap) {
      if (gap > 0.02f && ly > -0.01f) memcpy(c, white, 12);
      else mix3(c, dark, 0.7f);
    }
  }
  float nx = (ax - 0.075f) / 0.032f, ny = (y + 0.285f) / 0.02f;
  mix3(c, dark, 0.6f * expf(-nx * nx - ny * ny));
  mix3(c, shade, 0.5f * expf(-powf((y + 0.31f) / 0.035f, 2.f) - powf(x / 0.15f, 2.f)));
  if (beard > 0.f) {
    float side = smooth(0.42f, 0.62f, ax) * smooth(0.1f, -0.15f, y);
    float chin = smooth(-0.50f, -0.66f, y + 0.10f * smooth(0.2f, 0.5f, ax));
    float lipz = smooth(0.30f, 0.2f, ax) * smooth(-0.30f, -0.34f, y) * smooth(-0.46f, -0.40f, y);
    float k = clampf(fmaxf(fmaxf(side, chin), lipz), 0.f, 1.f);
    if (fabsf(ly) < 0.07f && fabsf(lx) < 1.f) k = 0.f;
    k *= beard * (0.55f + 0.6f * noise3(x * 45.f, y * 25.f, z * 45.f + seed));
    mix3(c, brow, clampf(k, 0.f, 0.96f));
  }
  return gloss;
}

/* One triangle into a depth buffer; keeps the triangle's number where it wins. */
static void fill(const float *a, const float *b, const float *c, const float *k, int W, int H,
                 float *zb, int32_t *id, int tri, int inverse) {
  float area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]);
  if (fabsf(area) < 1e-9f) return;
  float lox = fminf(a[0], fminf(b[0], c[0])), hix = fmaxf(a[0], fmaxf(b[0], c[0]));
  float loy = fminf(a[1], fminf(b[1], c[1])), hiy = fmaxf(a[1], fmaxf(b[1], c[1]));
  if (hix < 0.f || hiy < 0.f || lox > W || loy > H) return;
  int x0 = (int)fmaxf(0.f, floorf(lox)), x1 = (int)fminf((float)W - 1.f, ceilf(hix));
  int y0 = (int)fmaxf(0.f, floorf(loy)), y1 = (int)fminf((float)H - 1.f, ceilf(hiy));
  float inv = 1.f / area;
  for (int y = y0; y <= y1; y++) {
    float py = y + 0.5f;
    for (int x = x0; x <= x1; x++) {
      float px = x + 0.5f;
      float wa = ((b[0] - px) * (c[1] - py) - (c[0] - px) * (b[1] - py)) * inv;
      float wb = ((c[0] - px) * (a[1] - py) - (a[0] - px) * (c[1] - py)) * inv;
      float wc = 1.f - wa - wb;
      if (wa < 0.f || wb < 0.f || wc < 0.f) continue;
      float z = inverse ? 1.f / (wa * a[2] + wb * b[2] + wc * c[2]) : wa * a[2] + wb * b[2] + wc * c[2];
      int at = y * W + x;
      if (z >= zb[at]) continue;
      if (k && wa * k[0] + wb * k[1] + wc * k[2] < 0.f) continue;
      zb[at] = z;
      if (id) id[at] = tri;
    }
  }
}

/*
 * view: 0 focal length in drawn pixels, 1-2 centre, 3-5 direction to the light, 6-8 light
 * colour, 9-11 sky ambient, 12-14 ground ambient, 15-17 centre of the shadowed ball, 18 its
 * radius, 19 shadow strength, 20 softness of the shadow in map pixels, 21 occlusion
 * strength, 22-24 fog colour, 25 fog density.
 */
int draw(int w, int h, int ss, int nv, const float *vert, int nt, const int32_t *tri,
         const int32_t *tmesh, const uint8_t *mlabel, const uint8_t *mperson,
         const int32_t *mmat, const float *mats, const float *view, const float *backdrop,
         float *rgb, uint8_t *label, uint8_t *person) {
  int W = w * ss, H = h * ss, SM = 640;
  size_t n = (size_t)W * H;
  float *zb = malloc(n * 4), *scr = malloc((size_t)nv * 12), *sh = malloc((size_t)nv * 12);
  int32_t *id = malloc(n * 4);
  float *sz = malloc((size_t)SM * SM * 4);
  float *col = malloc(n * 12);
  if (!zb || !scr || !sh || !id || !sz || !col) return 1;
  for (size_t i = 0; i < n; i++) { zb[i] = 1e9f; id[i] = -1; }
  for (size_t i = 0; i < (size_t)SM * SM; i++) sz[i] = 1e9f;
  float f = view[0], cx = view[1], cy = view[2];
  float L[3] = {view[3], view[4], view[5]};
  float up[3] = {0.f, 1.f, 0.f};
  if (fabsf(L[1]) > 0.95f) { up[0] = 1.f; up[1] = 0.f; }
  float A[3] = {up[1] * L[2] - up[2] * L[1], up[2] * L[0] - up[0] * L[2], up[0] * L[1] - up[1] * L[0]};
  float al = 1.f / sqrtf(A[0] * A[0] + A[1] * A[1] + A[2] * A[2]);
  for (int i = 0; i < 3; i++) A[i] *= al;
  float B[3] = {L[1] * A[2] - L[2] * A[1], L[2] * A[0] - L[0] * A[2], L[0] * A[1] - L[1] * A[0]};
  float sr = view[18], sk = SM / (2.f * sr);
  for (int i = 0; i < nv; i++) {
    const float *p = vert + (size_t)i * VS;
    float q[3] = {p[0] - view[15], p[1] - view[16], p[2] - view[17]};
    float z = p[2] < 1e-3f ? 1e-3f : p[2];
    scr[i * 3] = cx + f * p[0] / z;
    scr[i * 3 + 1] = cy - f * p[1] / z;
    scr[i * 3 + 2] = 1.f / z;
    sh[i * 3] = SM * 0.5f + sk * (q[0] * A[0] + q[1] * A[1] + q[2] * A[2]);
    sh[i * 3 + 1] = SM * 0.5f + sk * (q[0] * B[0] + q[1] * B[1] + q[2] * B[2]);
    sh[i * 3 + 2] = -(q[0] * L[0] + q[1] * L[1] + q[2] * L[2]);
  }
  for (int t = 0; t < nt; t++) {
    const int32_t *v = tri + (size_t)t * 3;
    float k[3];
    int near = 0;
    for (int j = 0; j < 3; j++) {
      k[j] = vert[(size_t)v[j] * VS + 9];
      near |= vert[(size_t)v[j] * VS + 2] < 0.08f;
    }
    int clipped = k[0] < 0.f || k[1] < 0.f || k[2] < 0.f;
    if (k[0] < 0.f && k[1] < 0.f && k[2] < 0.f) continue;
    if (!near)
      fill(scr + v[0] * 3, scr + v[1] * 3, scr + v[2] * 3, clipped ? k : NULL, W, H, zb, id, t, 1);
    if (mats[(size_t)mmat[tmesh[t]] * MS + 33] >= 0.f && view[19] > 0.f)
      fill(sh + v[0] * 3, sh + v[1] * 3, sh + v[2] * 3, clipped ? k : NULL, SM, SM, sz, NULL, t, 0);
  }
  float bias = 2.5f * sr / SM + 0.012f;
  for (int y = 0; y < H; y++)
    for (int x = 0; x < W; x++) {
      size_t at = (size_t)y * W + x;
      float *out = col + at * 3;
      int t = id[at];
      if (t < 0) {
        memcpy(out, backdrop + ((size_t)(y / ss) * w + x / ss) * 3, 12);
        continue;
      }
      const int32_t *v = tri + (size_t)t * 3;
      const float *a = scr + v[0] * 3, *b = scr + v[1] * 3, *c = scr + v[2] * 3;
      float inv = 1.f / ((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]));
      float px = x + 0.5f, py = y + 0.5f;
      float wt[3];
      wt[0] = ((b[0] - px) * (c[1] - py) - (c[0] - px) * (b[1] - py)) * inv;
      wt[1] = ((c[0] - px) * (a[1] - py) - (a[0] - px) * (c[1] - py)) * inv;
      wt[2] = 1.f - wt[0] - wt[1];
      float z = zb[at], g[9] = {0};
      for (int j = 0; j < 3; j++) {
        float k = wt[j] * scr[v[j] * 3 + 2] * z;
        const float *p = vert + (size_t)v[j] * VS;
        for (int i = 0; i < 9; i++) g[i] += k * p[i];
      }
      const float *m = mats + (size_t)mmat[tmesh[t]] * MS;
      int surface = (int)m[0];
      float N[3] = {g[3], g[4], g[5]};
      float V[3] = {-g[0], -g[1], -g[2]};
      float vl = 1.f / sqrtf(V[0] * V[0] + V[1] * V[1] + V[2] * V[2]);
      for (int i = 0; i < 3; i++) V[i] *= vl;
      float u = g[6], vv = g[7], ww = g[8];
      float c0[3] = {m[1], m[2], m[3]};
      float inside = 1.f;
      if (N[0] * V[0] + N[1] * V[1] + N[2] * V[2] < 0.f) {
        for (int i = 0; i < 3; i++) N[i] = -N[i];
        if (surface == CLOTH || surface == HAIR) inside = 0.55f;
      }
      float spec = m[15], amp = m[13], bs = m[14], seed = m[17];
      pattern(m, u, vv, ww, c0);
      if (surface == HAIR) { /* strands run along v */
        float s1 = noise3(u * bs, vv * bs * 0.05f, ww * 2.f + seed);
        float s2 = noise3(u * bs * 3.1f, vv * bs * 0.12f, seed);
        float k = 0.55f + 0.65f * s1 + 0.35f * (s2 - 0.5f);
        mix3(c0, m + 4, smooth(0.55f, 0.9f, noise3(u * bs * 0.4f + 9.f, vv * bs * 0.02f, seed)));
        for (int i = 0; i < 3; i++) c0[i] *= k;
        N[0] += amp * (s1 - 0.5f);
        N[1] += amp * 0.6f * (s2 - 0.5f);
        N[2] += amp * (noise3(u * bs + 40.f, vv * bs * 0.05f, seed) - 0.5f);
      } else if (amp > 0.f) {
        float qx = u * bs + seed, qy = vv * bs, qz = ww * bs;
        N[0] += amp * (fbm(qx, qy, qz, 2) - 0.5f);
        N[1] += amp * (fbm(qx + 20.f, qy, qz, 2) - 0.5f);
        N[2] += amp * (noise3(qx, qy + 20.f, qz) - 0.5f);
      }
      if (surface == CLOTH) {
        float grain = noise3(u * 400.f, vv * 400.f, seed) - 0.5f;
        float wear = fbm(u * 5.f + seed, vv * 5.f, ww * 5.f, 2) - 0.5f;
        for (int i = 0; i < 3; i++) c0[i] *= 1.f + 0.25f * m[18] * grain + 0.5f * m[32] * wear;
      } else if (surface == SKIN || surface == FACE) {
        float mot = fbm(u * 7.f + seed, vv * 7.f, ww * 7.f, 2) - 0.5f;
        c0[0] *= 1.f + 0.10f * mot;
        c0[1] *= 1.f + 0.22f * mot;
        c0[2] *= 1.f + 0.22f * mot;
        if (surface == FACE) spec += face_paint(m, u, vv, ww, c0);
      } else if (surface == ROUGH) {
        float k = fbm(u * m[16] + seed, vv * m[16], ww * m[16], 3) - 0.5f;
        for (int i = 0; i < 3; i++) c0[i] *= 1.f + m[18] * k;
      }
      float nl = 1.f / sqrtf(N[0] * N[0] + N[1] * N[1] + N[2] * N[2] + 1e-12f);
      for (int i = 0; i < 3; i++) N[i] *= nl;
      float ndl = N[0] * L[0] + N[1] * L[1] + N[2] * L[2];
      float lit = 1.f;
      if (view[19] > 0.f && ndl > -0.3f) {
        float q[3] = {g[0] - view[15], g[1] - view[16], g[2] - view[17]};
        float sx = SM * 0.5f + sk * (q[0] * A[0] + q[1] * A[1] + q[2] * A[2]);
        float sy = SM * 0.5f + sk * (q[0] * B[0] + q[1] * B[1] + q[2] * B[2]);
        float sd = -(q[0] * L[0] + q[1] * L[1] + q[2] * L[2]) - bias;
        float sum = 0.f, soft = view[20];
        for (int j = -1; j <= 1; j++)
          for (int i = -1; i <= 1; i++) {
            int ix = (int)(sx + i * soft), iy = (int)(sy + j * soft);
            sum += (ix < 0 || iy < 0 || ix >= SM || iy >= SM || sz[iy * SM + ix] > sd) ? 1.f : 0.f;
          }
        lit = 1.f - view[19] * (1.f - sum / 9.f);
      }
      float wrap = surface == SKIN || surface == FACE ? 0.25f : surface == HAIR ? 0.15f : 0.08f;
      float diff = clampf((ndl + wrap) / (1.f + wrap), 0.f, 1.f) * lit;
      float Hv[3] = {L[0] + V[0], L[1] + V[1], L[2] + V[2]};
      float hl = 1.f / sqrtf(Hv[0] * Hv[0] + Hv[1] * Hv[1] + Hv[2] * Hv[2] + 1e-9f);
      float ndh = clampf((N[0] * Hv[0] + N[1] * Hv[1] + N[2] * Hv[2]) * hl, 0.f, 1.f);
      float sp = spec * powf(ndh, m[16] > 1.f ? m[16] : 12.f) * lit * (ndl > 0.f ? 1.f : 0.f);
      float ndv = clampf(N[0] * V[0] + N[1] * V[1] + N[2] * V[2], 0.f, 1.f);
      float rim = powf(1.f - ndv, 3.f) * (surface == GLOSS ? 0.5f : surface == ROUGH ? 0.f : 0.12f);
      float ao = 1.f;
      if (view[21] > 0.f) {
        float rad = f * 0.09f / z, occ = 0.f;
        float turn = hash3(x, y, 3) * 6.28f;
        for (int i = 0; i < 8; i++) {
          float r = rad * (0.25f + 0.1f * i);
          int ox = x + (int)(r * cosf(turn + i * 2.4f)), oy = y + (int)(r * sinf(turn + i * 2.4f));
          if (ox < 0 || oy < 0 || ox >= W || oy >= H) continue;
          float dz = z - zb[(size_t)oy * W + ox];
          if (dz > 0.012f) occ += 1.f / (1.f + dz * dz * 16.f);
        }
        ao = 1.f - view[21] * occ / 8.f;
      }
      float hemi = 0.5f + 0.5f * N[1];
      for (int i = 0; i < 3; i++) {
        float amb = mixf(view[12 + i], view[9 + i], hemi) * ao;
        float e = c0[i] * (amb + view[6 + i] * diff * (0.5f + 0.5f * ao));
        if ((surface == SKIN || surface == FACE) && i == 0) /* light bleeding through skin */
          e += 0.06f * c0[0] * view[6] * lit * expf(-12.f * ndl * ndl);
        out[i] = e * inside + view[6 + i] * sp + rim * amb * (0.3f + c0[i]);
      }
      if (view[25] > 0.f) {
        float fog = 1.f - expf(-view[25] * z);
        for (int i = 0; i < 3; i++) out[i] = mixf(out[i], view[22 + i], fog);
      }
    }
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++) {
      float s[3] = {0};
      int best = 0, code[16], count[16], nc = 0;
      for (int j = 0; j < ss; j++)
        for (int i = 0; i < ss; i++) {
          size_t at = (size_t)(y * ss + j) * W + x * ss + i;
          for (int q = 0; q < 3; q++) s[q] += col[at * 3 + q] > 1.5f ? 1.5f : col[at * 3 + q];
          int k = 0, mesh = id[at] < 0 ? -1 : tmesh[id[at]];
          int what = mesh < 0 ? 0 : mlabel[mesh] | mperson[mesh] << 8;
          while (k < nc && code[k] != what) k++;
          if (k == nc) { code[nc] = what; count[nc++] = 0; }
          count[k]++;
        }
      for (int k = 1; k < nc; k++) if (count[k] > count[best]) best = k;
      size_t at = (size_t)y * w + x;
      for (int q = 0; q < 3; q++) rgb[at * 3 + q] = s[q] / (ss * ss);
      label[at] = code[best] & 255;
      person[at] = code[best] >> 8;
    }
  free(zb); free(scr); free(sh); free(id); free(sz); free(col);
  return 0;
}
