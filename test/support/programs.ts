/** Programs that are not npm packages: the system has to bring them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a package puts servers, which is not in every user's PATH. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

/** The path of `program`; fails with the line that installs `debianPackage` where there is none. */
export function requireProgram(program: string, debianPackage: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SERVER_FOLDERS];
  const found = folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
  assert.ok(found, `${program} is missing: sudo apt-get install -y --no-install-recommends ${debianPackage}`);
  return found;
}
