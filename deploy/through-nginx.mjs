// Runs inside the Node-RED container that was deployed: whether requests reach it through nginx.
import { get as byHttp } from 'node:http';
import { get as byHttps } from 'node:https';

// nginx may ask for the name for 15 s, and try an address that is gone for 3 s.
const ONE_ANSWER = 20_000;
const WAIT = 60_000;

/** Resolves to what is wrong, or to nothing. */
function ask(get, url) {
  return new Promise((resolve) => {
    // The certificate is for the name by which others know the server.
    const request = get(url, { rejectUnauthorized: false, timeout: ONE_ANSWER, agent: false }, (response) => {
      response.resume();
      const { statusCode, headers } = response;
      if ([502, 503, 504].includes(statusCode)) resolve(`it answers ${statusCode}`);
      else if (url.startsWith('http:') && headers.location?.startsWith('https:')) resolve('it has no HTTPS');
      else resolve();
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', (error) => resolve(error.code ?? error.message));
  });
}

const deadline = Date.now() + WAIT;
let trouble;
do {
  if (trouble) await new Promise((resolve) => setTimeout(resolve, 500));
  trouble = await ask(byHttps, 'https://nginx:8443/');
  // A stack without TLS.
  if (trouble === 'ECONNREFUSED') trouble = await ask(byHttp, 'http://nginx:8080/');
} while (trouble && Date.now() < deadline);
console.log(trouble ?? 'nginx answers.');
