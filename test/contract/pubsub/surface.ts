// Every method of Google's Pub/Sub API, and how far the local one can be trusted with it. emulators/README.md is generated from this and from the cases.
import type { SurfaceLine } from '../contract.ts';

export const PUBSUB_SURFACE: readonly SurfaceLine[] = [
  { method: 'Publisher.Publish', grade: 'faithful', says: 'one write and one fdatasync for all that arrive together; 10 MB, 1,000 messages' },
  { method: 'Subscriber.StreamingPull', grade: 'faithful', says: 'heartbeats, flow control bounds, ack deadlines' },
];
