// A folder in, the stand-in for Google's Terraform provider built into its terraform-provider/; called by `npm run contract -- --install`.
import { join, resolve } from 'node:path';
import { buildGoProgram } from './build-go-program.ts';

/** A few lines of Go around HashiCorp's plugin library, whose go.mod pins its version. The schema is read when it runs. */
const SOURCE = resolve(import.meta.dirname, '../../test/infra/stand-in-provider');
const FILES = ['go.mod', 'go.sum', 'main.go', 'plan.go', 'schema.go'];

export const installStandInProvider = (dir: string): Promise<void> => buildGoProgram(SOURCE, FILES, join(dir, 'terraform-provider/terraform-provider-google'));
