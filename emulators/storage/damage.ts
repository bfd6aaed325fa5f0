// Faults that concern the bytes of an object on their way: cut off, changed, or their connection broken. uploads.ts, resumable.ts and media.ts lead every
// piece through here; without a plan nothing happens.
import type { Call } from './call.ts';

/**
 * Pieces of one body in, pieces out. `truncate`: the rest after `bytes` bytes (half of the first piece, unless said) is swallowed. `corrupt`: the byte at `bytes` changes.
 * `reset`: the connection breaks after `bytes` bytes.
 */
export async function* damaged(call: Call, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { fault } = call;
  let at = fault?.bytes ?? 0;
  let seen = 0;
  let isChanged = false;
  for await (const piece of pieces) {
    const from = seen;
    if (from === 0 && fault?.kind === 'truncate') at = fault.bytes ?? Math.floor(piece.length / 2);
    seen += piece.length;
    if (fault?.kind === 'truncate' || fault?.kind === 'reset') {
      const left = piece.subarray(0, Math.max(0, at - from));
      if (left.length > 0) yield left;
      if (fault.kind === 'reset' && seen > at) return breakConnection(call);
    } else if (fault?.kind === 'corrupt' && !isChanged && seen > at) {
      isChanged = true;
      const copy = Buffer.from(piece);
      copy[at - from]! ^= 0xff;
      yield copy;
    } else yield piece;
  }
}

/** A TCP reset, so that the client sees the connection break and not an orderly end. */
export function breakConnection(call: Call): never {
  call.request.socket.resetAndDestroy();
  throw new ConnectionBroken();
}

/** Nothing is answered any more. */
export class ConnectionBroken extends Error {
  override name = 'ConnectionBroken';
}
