// A folder in, a program that uses Google's Go clients built into its bin/; called by `npm run contract -- --install`, run by test/contract/clients/go.test.ts.
import { join, resolve } from 'node:path';
import { buildGoProgram } from './build-go-program.ts';

/** Its go.mod pins the versions of the clients. */
const SOURCE = resolve(import.meta.dirname, '../../test/contract/clients/go');

export const installGoClients = (dir: string): Promise<void> => buildGoProgram(SOURCE, ['go.mod', 'go.sum', 'main.go'], join(dir, 'bin/go-clients'));
