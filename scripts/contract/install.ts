// What `npm run contract -- --install` does: every optional thing into .contract/, each by its own installer; a line for each with its seconds.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { installBqemulator } from './install-bqemulator.ts';
import { installFakeGcsServer } from './install-fake-gcs-server.ts';
import { installGoClients } from './install-go-clients.ts';
import { installPstest } from './install-pstest.ts';
import { installPython } from './install-python.ts';
import { installStandInProvider } from './install-terraform-provider.ts';
import { installZetasql } from './install-zetasql.ts';

type Installer = {
  name: string;
  /** What it is for, in a few words. */
  for: string;
  /** Must be on the machine; where it is not, this one is left out with a sentence. */
  needs: 'node' | 'go' | 'python3';
  /** Takes .contract/ and chooses its own place there. */
  install(dir: string): Promise<void>;
};

const INSTALLERS: readonly Installer[] = [
  { name: 'pstest', for: 'independent Pub/Sub', needs: 'go', install: installPstest },
  { name: 'fake-gcs-server', for: 'independent Cloud Storage', needs: 'go', install: installFakeGcsServer },
  { name: 'bqemulator', for: 'independent BigQuery', needs: 'python3', install: installBqemulator },
  { name: 'zetasql', for: "Google's GoogleSQL analyser", needs: 'node', install: (dir) => installZetasql(join(dir, 'zetasql')) },
  { name: 'python', for: "Google's Python clients", needs: 'python3', install: installPython },
  { name: 'go-clients', for: "Google's Go clients", needs: 'go', install: installGoClients },
  { name: 'terraform-provider', for: 'a stand-in for Terraform', needs: 'go', install: installStandInProvider },
];

const VERSION_ARGUMENT = { node: '--version', go: 'version', python3: '--version' } as const;

/** Exit code 0 when all that this machine can have is there. All at once, since most of the time is waiting for downloads; but Go's programs one after another, since the second finds compiled what it shares with the first. */
export async function installAll(root: string): Promise<number> {
  const dir = join(root, '.contract');
  mkdirSync(dir, { recursive: true });
  const inGo = INSTALLERS.filter(({ needs }) => needs === 'go');
  const others = INSTALLERS.filter(({ needs }) => needs !== 'go');
  const failed = await Promise.all([oneAfterAnother(inGo, dir), ...others.map((one) => install(one, dir))]);
  return failed.includes(true) ? 1 : 0;
}

async function oneAfterAnother(list: readonly Installer[], dir: string): Promise<boolean> {
  let isFailed = false;
  for (const one of list) isFailed = (await install(one, dir)) || isFailed;
  return isFailed;
}

/** True when it failed. */
async function install(one: Installer, dir: string): Promise<boolean> {
  const title = `${one.name} (${one.for})`;
  if (!isThere(one.needs)) {
    console.log(`${title}: left out, since there is no ${one.needs} on this machine. Its tests are skipped, and say so.`);
    return false;
  }
  const began = performance.now();
  const seconds = (): string => ((performance.now() - began) / 1_000).toFixed(1);
  try {
    await one.install(dir);
    console.log(`${title}: there after ${seconds()} s`);
    return false;
  } catch (error) {
    console.error(`${title}: FAILED after ${seconds()} s\n${error instanceof Error ? error.message : String(error)}`);
    return true;
  }
}

function isThere(command: keyof typeof VERSION_ARGUMENT): boolean {
  return spawnSync(command, [VERSION_ARGUMENT[command]], { stdio: 'ignore' }).status === 0;
}
