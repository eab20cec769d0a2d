/** Mocha lets an unhandled rejection pass; here it fails the test that runs when it comes up. */
const found: unknown[] = [];

process.on('unhandledRejection', (reason) => found.push(reason));

export const mochaHooks = {
  afterEach(): void {
    const [reason] = found.splice(0);
    if (reason !== undefined)
      throw new Error('a promise was rejected and nobody handled it', { cause: reason });
  },
};
