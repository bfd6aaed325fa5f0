// Loaded before a deployed function: functions-framework listens on every interface, and tests stay on this machine. Plain JavaScript
// without imports of its own, so that it costs a measured start nothing (emulators/preload.ts is TypeScript, which Node loads a compiler for).
const { Server } = require('node:net');

const { listen } = Server.prototype;
Server.prototype.listen = function listenOnLoopback(port, ...rest) {
  return listen.call(this, port, '127.0.0.1', ...rest.filter((argument) => typeof argument === 'function'));
};
