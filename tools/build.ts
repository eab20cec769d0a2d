/** `npm run build`: compiles the nodes, the child process and the command, and lays their assets beside them. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, writeFileSync } from 'node:fs';

const tsup = spawnSync('tsup', ['--silent'], { stdio: 'inherit', shell: process.platform === 'win32' });
if (tsup.status !== 0) process.exit(tsup.status ?? 1);

for (const type of readdirSync('nodes')) {
  for (const asset of [`${type}.html`, 'locales', 'icons']) {
    const from = `nodes/${type}/${asset}`;
    if (existsSync(from)) cpSync(from, `dist/nodes/${type}/${asset}`, { recursive: true });
  }
}
// The package itself is made of ES modules; what is built for Node-RED is not.
writeFileSync('dist/package.json', '{ "type": "commonjs" }\n');
