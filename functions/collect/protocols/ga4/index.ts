// GA4 Measurement Protocol bodies in, native batches out.
import type { Protocol } from '../protocol.ts';

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
export const protocol: Protocol = {
  name: 'ga4',
  isBatch: (body) => isRecord(body) && Array.isArray(body['events']),
  toBatch: (body) => ({ batch: {}, events: (body as { events: unknown[] }).events, asSent: { batch: body, events: (body as { events: unknown[] }).events } }),
};
