// What the bundle takes of undici. Its index loads fetch, web sockets, caches and mocks as well: half of all that a wake
// has to read when it starts. Checked by every test that runs the bundle; the sources use the whole package.
const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');

Object.assign(Dispatcher.prototype, { request: require('undici/lib/api/api-request.js') });

exports.Agent = require('undici/lib/dispatcher/agent.js');
