/** The HTTP proxy that the environment names: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in upper or lower case. */
import type { Agent } from 'node:http';
import type { SecureContextOptions } from 'node:tls';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { getProxyForUrl } from 'proxy-from-env';
import { M2fpError, type M2fpErrorCode } from './errors.ts';

/**
 * The proxy through which `url` is asked for; undefined: without one.
 * @param code of the error
 * @throws {M2fpError} `code` where what the environment names is no address of a proxy
 */
export function proxyFor(url: URL, code: M2fpErrorCode): URL | undefined {
  const found = getProxyForUrl(url.href);
  if (found === '') return undefined;
  // To an address without a scheme the library gives the target's; for curl, wget and npm it is http.
  const written = ['https_proxy', 'all_proxy'].flatMap((name) => [
    process.env[name],
    process.env[name.toUpperCase()],
  ]);
  const address =
    url.protocol === 'https:' && !written.includes(found) ? found.replace(/^https:/, 'http:') : found;
  const proxy = URL.parse(address);
  if (proxy === null || !/^https?:$/.test(proxy.protocol)) {
    throw new M2fpError(
      code,
      `The proxy that the environment names for ${url.host} is no address like http://host:port ` +
        '(see HTTPS_PROXY, HTTP_PROXY, ALL_PROXY)',
    );
  }
  return proxy;
}

/** What sends a request for `url` through `proxy`. @param tls for the connection to the server behind it */
export function proxyAgent(url: URL, proxy: URL, tls: SecureContextOptions = {}): Agent {
  return url.protocol === 'https:' ? new HttpsProxyAgent(proxy, tls) : new HttpProxyAgent(proxy);
}
