// What `npm run contract -- --install` does: every optional thing into .contract/, each by its own installer; a line for each with its seconds.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

type Installer = {
  name: string;
  /** What it is for, in a few words. */
  for: string;
  /** Must be on the machine; where it is not, this one is left out with a sentence. */
  needs: 'node' | 'go' | 'python3';
  file: string;
  /** Below .contract/; most installers choose their own folder there. */
  folder?: string;
};

const INSTALLERS: readonly Installer[] = [
  { name: 'pstest', for: 'independent Pub/Sub', needs: 'go', file: 'install-pstest.ts' },
  { name: 'fake-gcs-server', for: 'independent Cloud Storage', needs: 'go', file: 'install-fake-gcs-server.ts' },
  { name: 'bqemulator', for: 'independent BigQuery', needs: 'python3', file: 'install-bqemulator.ts' },
  { name: 'zetasql', for: "Google's GoogleSQL analyser", needs: 'node', file: 'install-zetasql.ts', folder: 'zetasql' },
  { name: 'python', for: "Google's Python clients", needs: 'python3', file: 'install-python.ts' },
  { name: 'go-clients', for: "Google's Go clients", needs: 'go', file: 'install-go-clients.ts' },
  { name: 'terraform-provider', for: 'a stand-in for Terraform', needs: 'go', file: 'install-terraform-provider.ts' },
];

const VERSION_ARGUMENT = { node: '--version', go: 'version', python3: '--version' } as const;

/** Exit code 0 when all that this machine can have is there. All at once, since most of the time is waiting for downloads; but Go's programs one after another, since the second finds compiled what it shares with the first. */
export async function installAll(root: string): Promise<number> {
  const dir = join(root, '.contract');
  mkdirSync(dir, { recursive: true });
  const known = INSTALLERS.filter(({ file }) => existsSync(join(import.meta.dirname, file)));
  const inGo = known.filter(({ needs }) => needs === 'go');
  const others = known.filter(({ needs }) => needs !== 'go');
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
    const run = Object.values((await import(join(import.meta.dirname, one.file))) as Record<string, unknown>).find((value): value is (dir: string) => Promise<void> => typeof value === 'function' && value.name.startsWith('install'));
    if (run === undefined) throw new Error(`scripts/contract/${one.file} exports no function install…(dir).`);
    await run(one.folder === undefined ? dir : join(dir, one.folder));
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
