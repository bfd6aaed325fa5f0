// The generated validators by stream. A new collecting stream is one more line here (CONTRIBUTING.md).
import * as generated from '../../schemas/generated/validators.js';
import type { SchemaError } from './describe-schema-errors.ts';

export type Validator = ((data: unknown) => boolean) & { errors?: readonly SchemaError[] | null | undefined };

/** Streams that clients send to. */
export type CollectedStream = 'events' | 'inference';

export type StreamValidators = {
  /** The whole batch; stops at the first error. */
  batch: Validator;
  /** Batch fields without events. */
  context: Validator;
  contextAll: Validator;
  event: Validator;
  eventAll: Validator;
};

export const VALIDATORS: Record<CollectedStream, StreamValidators> = {
  events: {
    batch: generated.validateEventsBatch, context: generated.validateEventsContext, contextAll: generated.validateEventsContextAll,
    event: generated.validateEventsEvent, eventAll: generated.validateEventsEventAll,
  },
  inference: {
    batch: generated.validateInferenceBatch, context: generated.validateInferenceContext, contextAll: generated.validateInferenceContextAll,
    event: generated.validateInferenceEvent, eventAll: generated.validateInferenceEventAll,
  },
};
