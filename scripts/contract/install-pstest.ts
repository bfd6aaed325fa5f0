// A folder in, pstest (the in-memory Pub/Sub of Google's Go client) built into its bin/; called by `npm run contract -- --install`.
import { join, resolve } from 'node:path';
import { buildGoProgram } from './build-go-program.ts';

/** A few lines of Go around the package, whose go.mod pins its version. */
const SOURCE = resolve(import.meta.dirname, '../../test/contract/pubsub/pstest-server');

export const installPstest = (dir: string): Promise<void> => buildGoProgram(SOURCE, ['go.mod', 'go.sum', 'main.go'], join(dir, 'bin/pstest-server'));
