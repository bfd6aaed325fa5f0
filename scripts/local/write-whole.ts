// Writes a JSON file so that no reader ever sees half of it: beside it, then renamed. supervisor.ts and scripts/start.ts call it.
import { renameSync, writeFileSync } from 'node:fs';

export function writeWhole(file: string, value: unknown): void {
  const beside = `${file}.${process.pid}.new`;
  writeFileSync(beside, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(beside, file);
}
