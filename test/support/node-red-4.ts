/** Required by .mocharc.node-red-4.json: the node tests then run in Node-RED 4.1. */
process.env['NR'] = 'node-red-4';
