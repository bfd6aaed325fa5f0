// How an error leaves over gRPC: status, sentence, and what Google's clients read from the details. server.ts and receivers.ts answer with it.
import { Metadata, status } from '@grpc/grpc-js';
import { Refusal } from './refusal.ts';
import { statusWithErrorInfo } from './wire.ts';

/** What a failed call is answered with; anything but a refusal is a bug of ours. */
export function statusOf(error: unknown): { code: number; details: string; metadata?: Metadata } {
  if (!(error instanceof Refusal)) {
    console.error('pubsub:', error);
    return { code: status.INTERNAL, details: String(error) };
  }
  if (error.info === undefined) return { code: error.code, details: error.message };
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', statusWithErrorInfo(error.code, error.message, error.info));
  return { code: error.code, details: error.message, metadata };
}
