#!/usr/bin/env node
// The image's HEALTHCHECK, and what a deploy asks: ends with 0 when pictures can be parsed now, else says why not.
const url = process.env.M2FP_READY_URL;
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(4000) });
  const text = (await response.text()).slice(0, 2000);
  if (!response.ok) throw new Error(`it answers ${response.status}: ${text}`);
  console.log(text);
} catch (error) {
  console.log(`${url}: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
