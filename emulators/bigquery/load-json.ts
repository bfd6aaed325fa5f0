// Newline-delimited JSON in, one entry for each line that is not empty out. Called by load jobs and by schema detection.
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A record of a file, or why it is none; where it begins, and how many bytes it has. */
export type Entry = { position: number; bytes: number } & ({ row: unknown } | { problem: string });

export async function* readJsonLines(input: Readable): AsyncGenerator<Entry> {
  let position = 0;
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    const bytes = Buffer.byteLength(line) + 1;
    if (line.trim() !== '') yield { position, bytes, ...parsed(line) };
    position += bytes;
  }
}

function parsed(line: string): { row: unknown } | { problem: string } {
  try {
    return { row: JSON.parse(line) };
  } catch (error) {
    return { problem: `JSON parsing error in row: ${(error as Error).message}` };
  }
}
