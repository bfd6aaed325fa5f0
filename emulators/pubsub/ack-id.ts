// Ack ids: which subscription, which message, and a number that no other lease has. backlog.ts gives them out, the calls read them.

/** Grows faster than leases are given, also over a restart: an ack id of the run before must not be one of this run. */
let lastLease = Math.floor(performance.timeOrigin * 1_000);

export function ackIdOf(subscription: number, entryId: number): string {
  lastLease += 1;
  return `${subscription}-${entryId}-${lastLease}`;
}

/** Anything else is nobody's. */
export const isAckId = (text: string): boolean => /^\d{1,10}-\d{1,16}-\d{1,16}$/.test(text);
export const subscriptionOf = (ackId: string): number => Number(ackId.slice(0, ackId.indexOf('-')));
export const entryIdOf = (ackId: string): number => Number(ackId.split('-')[1]);

const REMEMBERED_MAX = 10_000;

/** Ack ids that were acknowledged, so that saying it again is no error. */
export class RecentAckIds {
  private readonly ackIds = new Set<string>();

  add(ackId: string): void {
    this.ackIds.add(ackId);
    if (this.ackIds.size > REMEMBERED_MAX) this.ackIds.delete(this.ackIds.values().next().value!);
  }

  has(ackId: string): boolean {
    return this.ackIds.has(ackId);
  }
}
