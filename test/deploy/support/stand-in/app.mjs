// Stands for Node-RED and for the worker where a test needs neither: BEHAVIOUR says what is wrong with it, VERSION what it is.
import { createServer } from 'node:http';

const { BEHAVIOUR, VERSION } = process.env;
if (BEHAVIOUR === 'exits') process.exit(3);
const persons = BEHAVIOUR === 'wrong' ? [] : [1, 2];
createServer((request, response) => {
  if (request.url === '/ready')
    response.writeHead(BEHAVIOUR === 'unready' ? 503 : 200).end('the model is not here\n');
  else if (request.method === 'POST') {
    request.resume();
    // Long enough for a deploy to come between.
    request.on('end', () =>
      setTimeout(() => response.end(JSON.stringify({ version: VERSION, persons })), 300),
    );
  } else response.end(VERSION);
}).listen(1880);
// As Node-RED does: whoever is still connected then gets no answer.
process.on('SIGTERM', () => process.exit());
