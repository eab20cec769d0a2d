/**
 * `prepublish` in package.json: after `npm ci`, one line about Node.js where there is something to say. Plain JavaScript,
 * because it must run on the versions that it speaks of. Not `prepare`: npm counts that among the install scripts of a
 * package that is installed from a file, and warns those who upload ours.
 */
/** Is `version` ("v22.9.0") at least `major`.`minor`? */
const atLeast = (version, major, minor) => {
  const [has, hasMinor] = version.replace(/^v/, '').split('.').map(Number);
  return has > major || (has === major && hasMinor >= minor);
};

// npm puts node_modules/.bin first: this script runs on the Node.js that came along, npm itself on the machine's.
const { npm_config_user_agent: agent = '' } = process.env;
const machine = /\bnode\/(v\S+)/.exec(agent)?.[1] ?? process.version;

if (!atLeast(process.version, 22, 18)) {
  console.log(
    `Node.js ${process.version} is too old to build and test this project: install 22.18 or newer ` +
      '(24 is best), then run npm ci again.',
  );
} else if (!atLeast(machine, 22, 9)) {
  console.log(
    `The EBADENGINE warnings speak of this machine's Node.js ${machine}. Nothing to do: npm start, npm test and ` +
      `the rest use Node.js ${process.version}, which npm ci has just put into node_modules.`,
  );
}
