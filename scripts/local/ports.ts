// Free ports for the local run. scripts/start.ts calls these before it starts anything, since every child must know the others' ports.
import { connect, createServer } from 'node:net';
import { ExpectedError } from './options.ts';

/** Below the range from which systems take ports for outgoing connections: a child that is restarted must find its port free. */
const LOWEST = 12_000;
const HIGHEST = 31_000;

/** An address that this machine does not have is an error: no port of it will ever be free. */
export function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (code === 'EADDRINUSE' || code === 'EACCES') resolve(false);
      else reject(new ExpectedError(`Nothing can listen on the address ${host}: ${message}`));
    });
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/** `count` free ports, in a place that is different for every run, so that two runs that start together do not meet. */
export async function freePorts(count: number, host: string): Promise<number[]> {
  const ports: number[] = [];
  for (let port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST)); ports.length < count; port = port >= HIGHEST ? LOWEST : port + 1) {
    if (await isFree(port, host)) ports.push(port);
  }
  return ports;
}

/** The wanted port, or the next free one after it; 0 means any. */
export async function freePortFrom(wanted: number, host: string): Promise<number> {
  if (wanted === 0) return (await freePorts(1, host))[0]!;
  for (let port = wanted; port < Math.min(wanted + 100, 65_536); port += 1) if (await isFree(port, host)) return port;
  return (await freePorts(1, host))[0]!;
}

/** Whether something takes connections there now. */
export function accepts(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    socket.once('connect', () => { socket.destroy(); resolve(true); }).once('error', () => resolve(false));
  });
}
