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

/** `bytes 0-99/*`, `bytes 100-149/150`, or `bytes * /150` (which only asks); answers the size of the whole, if it is known. A part that came before is not taken again. */
function takePart(upload: { parts: Buffer[]; bytes: number }, range: string | undefined, data: Buffer): number | undefined {
  const match = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(range ?? `bytes 0-${data.length - 1}/${data.length}`);
  if (match === null && data.length > 0) throw new Refusal('invalid', `Invalid Content-Range: ${range}`);
  const from = Number(match?.[1] ?? upload.bytes);
  if (from > upload.bytes) throw new Refusal('invalid', `Invalid Content-Range: ${range}; expected bytes from ${upload.bytes}.`);
  const fresh = data.subarray(upload.bytes - from);
  upload.parts.push(fresh);
  upload.bytes += fresh.length;
  return match === null ? data.length : match[3] === '*' ? undefined : Number(match[3]);
}

export function uploadRoutes(api: JobsApi): Routes {
  const pending = new Map<string, { job: Record<string, unknown>; parts: Buffer[]; bytes: number }>();
  return {
    'POST /upload/projects/{project}/jobs': { method: 'jobs.insert', handler: async (call) => {
      if (call.query.get('uploadType') === 'resumable') {
        const id = randomUUID();
        pending.set(id, { job: JSON.parse(call.raw.toString('utf8') || '{}') as Record<string, unknown>, parts: [], bytes: 0 });
        return { body: {}, headers: { location: `${call.base}/upload/bigquery/v2/projects/${call.params['project']}/jobs?uploadType=resumable&upload_id=${id}` } };
      }
      const { job, data } = splitMultipart(call.raw, call.headers['content-type'] ?? '');
      return { body: jobResource((await insertJob(api, call.params['project']!, job, [data])).job, call.base) };
    } },
    'PUT /upload/projects/{project}/jobs': { method: 'jobs.upload', handler: async (call) => {
      const id = call.query.get('upload_id') ?? '';
      const upload = pending.get(id);
      if (upload === undefined) throw new Refusal('notFound', `Not found: upload ${id}`);
      const total = takePart(upload, call.headers['content-range'], call.raw);
      // 308 "Resume Incomplete": how far the upload has come.
      if (total === undefined || upload.bytes < total) return { status: 308, headers: upload.bytes === 0 ? {} : { range: `bytes=0-${upload.bytes - 1}` } };
      pending.delete(id);
      return { body: jobResource((await insertJob(api, call.params['project']!, upload.job, upload.parts)).job, call.base) };
    } },
  };
}
