// Every call of the Storage Write API, and how far the local one can be trusted with it. emulators/README.md is generated from this and from the cases.
import type { SurfaceLine } from '../contract.ts';

export const BIGQUERY_WRITE_SURFACE: readonly SurfaceLine[] = [
  { method: 'AppendRows', grade: 'faithful', says: 'default and named streams, offsets, row errors, schema changes, several tables over one connection; refused by name: Arrow rows, change data capture, partition decorators' },
  { method: 'CreateWriteStream', grade: 'faithful', says: 'COMMITTED, PENDING and BUFFERED' },
  { method: 'GetWriteStream', grade: 'faithful', says: 'the schema with the view FULL' },
  { method: 'FinalizeWriteStream', grade: 'faithful', says: 'answers the number of rows' },
  { method: 'BatchCommitWriteStreams', grade: 'faithful', says: 'all streams or none, with the reason for each' },
  { method: 'FlushRows', grade: 'faithful', says: 'rows of a BUFFERED stream up to an offset' },
];
