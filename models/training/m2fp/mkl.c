/* SPDX-License-Identifier: Apache-2.0
 *
 * Loaded before PyTorch, this answers MKL's question whether the processor is Intel's. Otherwise
 * MKL leaves AVX-512 unused on AMD processors, and matrix products take twice the time.
 */
int mkl_serv_intel_cpu_true(void) { return 1; }
