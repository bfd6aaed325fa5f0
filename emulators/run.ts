// One service of the local cloud as a process: arguments in, one JSON line with its ports out when it answers. scripts/start.ts calls it.
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startControl } from './control.ts';
import { Faults } from './faults.ts';
import { holdFolder } from './hold-folder.ts';
import { SERVICES, type RunningService, type ServiceName, type StartService } from './service.ts';

const HELP = `node --import ./emulators/preload.ts emulators/run.ts <${SERVICES.join('|')}> --data DIR [options]

  --data DIR           folder of this service; what it acknowledged is found there after a crash
  --port P             port of the service (default 0: any free one)
  --control-port C     port of /healthz, /time, /faults, /fault-points and /stats (default 0)
  --write-port W       bigquery: port of the Storage Write API (default 0)
  --host H             address to listen on (default 127.0.0.1)
  --project ID         project of requests that name none (default chiplog-local)

Prints {"service","port","control_port","pid"} (bigquery: also "write_port") on one line when ready. Ends tidily on SIGTERM and SIGINT.
`;

/** How long open calls may hold up a tidy end. */
const CLOSE_MS_MAX = 3_000;

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      data: { type: 'string' }, host: { type: 'string', default: '127.0.0.1' }, project: { type: 'string', default: 'chiplog-local' },
      port: { type: 'string', default: '0' }, 'control-port': { type: 'string', default: '0' }, 'write-port': { type: 'string', default: '0' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const name = SERVICES.find((service) => service === positionals[0]);
  if (name === undefined || positionals.length !== 1) throw new Error(`Name one service: ${SERVICES.join(', ')}. --help tells more.`);
  if (values.data === undefined) throw new Error('--data is needed: the folder of this service.');
  mkdirSync(values.data, { recursive: true });
  const ports = { port: portOf('--port', values.port), control: portOf('--control-port', values['control-port']), write: portOf('--write-port', values['write-port']) };
  await holdFolder(values.data);

  const faults = new Faults();
  const { start } = (await import(`./${name}/server.ts`)) as { start: StartService };
  const service = await start({
    host: values.host, port: ports.port, dataDir: values.data, project: values.project, faults, now: () => Date.now(), writePort: ports.write,
  });
  const control = await startControl({
    host: values.host, port: ports.control, faults, faultPoints: service.faultPoints, now: () => Date.now(), ...(service.gauges ? { gauges: service.gauges } : {}),
  });
  endTidily(name, service, control.close);
  console.log(JSON.stringify({
    service: name, port: service.port, control_port: control.port, pid: process.pid, ...(service.writePort === undefined ? {} : { write_port: service.writePort }),
  }));
}

function portOf(option: string, text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error(`${option} is ${JSON.stringify(text)}; expected a port from 0 to 65535.`);
  return port;
}

function endTidily(name: ServiceName, service: RunningService, closeControl: () => Promise<void>): void {
  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    setTimeout(() => process.exit(0), CLOSE_MS_MAX).unref();
    Promise.all([service.close(), closeControl()]).then(() => process.exit(0), (error: unknown) => {
      console.error(`${name} did not close: ${String(error)}`);
      process.exit(1);
    });
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}
