// The native protocol: the body is the batch, so nothing is copied. A newline-delimited body arrives (and is archived) as one array.
import type { MappedBatch, Protocol } from '../protocol.ts';

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const NO_FIELDS: Record<string, unknown> = Object.freeze({});

export const protocol: Protocol = {
  name: 'native',
  isBatch: (body) => Array.isArray(body) || (isRecord(body) && Array.isArray(body['events'])),
  toBatch(body): MappedBatch {
    const batch = Array.isArray(body) ? NO_FIELDS : (body as Record<string, unknown>);
    const events = Array.isArray(body) ? body : (batch['events'] as unknown[]);
    return { batch, events, asSent: { batch, events } };
  },
};
