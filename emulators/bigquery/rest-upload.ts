// Load jobs whose data comes with the request (multipart or resumable upload). Handlers for http.ts.
import { randomUUID } from 'node:crypto';
import type { Routes } from './http.ts';
import { Refusal } from './refusal.ts';
import { insertJob, jobResource, type JobsApi } from './rest-jobs.ts';

/** `multipart/related`: the first part is the job as JSON, the second the data. */
export function splitMultipart(body: Buffer, contentType: string): { job: Record<string, unknown>; data: Buffer } {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  if (boundary === undefined) throw new Refusal('invalid', 'A multipart upload names its boundary in Content-Type.');
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: Buffer[] = [];
  let from = body.indexOf(delimiter);
  for (;;) {
    const start = from + delimiter.length;
    const next = body.indexOf(delimiter, start);
    if (from === -1 || next === -1) break;
    const part = body.subarray(start, next);
    const head = part.indexOf('\r\n\r\n');
    parts.push(part.subarray(head + 4, part.length - 2));
    from = next;
  }
  if (parts.length !== 2) throw new Refusal('invalid', `A multipart upload has two parts; this one has ${parts.length}.`);
  return { job: JSON.parse(parts[0]!.toString('utf8')) as Record<string, unknown>, data: parts[1]! };
}

export function uploadRoutes(api: JobsApi): Routes {
  const pending = new Map<string, Record<string, unknown>>();
  return {
    'POST /upload/projects/{project}/jobs': { method: 'jobs.insert', handler: async (call) => {
      if (call.query.get('uploadType') === 'resumable') {
        const id = randomUUID();
        pending.set(id, JSON.parse(call.raw.toString('utf8') || '{}') as Record<string, unknown>);
        return { body: {}, headers: { location: `${call.base}/upload/bigquery/v2/projects/${call.params['project']}/jobs?uploadType=resumable&upload_id=${id}` } };
      }
      const { job, data } = splitMultipart(call.raw, call.headers['content-type'] ?? '');
      return { body: jobResource((await insertJob(api, call.params['project']!, job, data)).job, call.base) };
    } },
    'PUT /upload/projects/{project}/jobs': { method: 'jobs.upload', handler: async (call) => {
      const id = call.query.get('upload_id') ?? '';
      const job = pending.get(id);
      if (job === undefined) throw new Refusal('notFound', `Not found: upload ${id}`);
      const range = call.headers['content-range'];
      const whole = range === undefined || /^bytes (0-\d+|\*)\/\d+$/.test(range);
      if (!whole) throw new Refusal('notImplemented', 'Resumable uploads in several parts are not implemented in the local BigQuery.');
      pending.delete(id);
      return { body: jobResource((await insertJob(api, call.params['project']!, job, call.raw)).job, call.base) };
    } },
  };
}
