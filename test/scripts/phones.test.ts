// The pretend phones: the same seed gives the same requests, good ones pass the schema, and exactly the planned ones do not.
import { describe, expect, it } from 'vitest';
import { validateEventsBatch } from '../../schemas/generated/validators.js';
import { planPhones, type PhonesWanted } from '../../scripts/send/phones.ts';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const wanted = (more: Partial<PhonesWanted> = {}): PhonesWanted => ({ phones: 12, events: 2_000, duplicatesPercent: 10, badPercent: 3, latePercent: 5, seed: 7, nowMs: NOW, ...more });
type Body = { user_pseudo_id: string; events: { event_id?: string; event_name: string; event_timestamp: number }[] };
const first = (plan: ReturnType<typeof planPhones>) => plan.requests.filter(({ isRepeat }) => !isRepeat);

describe('planPhones', () => {
  it('makes the same bytes of the same seed and clock, and others of another seed', () => {
    expect(planPhones(wanted())).toEqual(planPhones(wanted()));
    expect(planPhones(wanted()).ids[0]).not.toBe(planPhones(wanted({ seed: 8 })).ids[0]);
  });

  it('plans exactly as many events, bad ones and late ones as wanted, with ids that occur once', () => {
    const plan = planPhones(wanted());
    const events = first(plan).flatMap(({ body }) => (JSON.parse(body) as Body).events);
    expect(events).toHaveLength(2_000);
    expect([plan.bad, plan.late]).toEqual([60, 100]);
    expect(first(plan).reduce((sum, { bad }) => sum + bad.length, 0)).toBe(60);
    expect(new Set(plan.ids).size).toBe(1_940);
    const closed = events.filter(({ event_timestamp: at }) => at / 1_000 < NOW - 26 * 3_600_000);
    expect(closed.length).toBeGreaterThanOrEqual(95);
    expect(closed.length).toBeLessThanOrEqual(100);
  });

  it('sends good events that pass the schema, and spoils the others so that they do not, or are in the future', () => {
    for (const { body, bad } of planPhones(wanted())  .requests) {
      const batch = JSON.parse(body) as Body;
      for (const [index, event] of batch.events.entries()) {
        const passes = validateEventsBatch({ ...batch, events: [event] });
        if (!bad.includes(index)) expect(passes, JSON.stringify(validateEventsBatch.errors)).toBe(true);
        else expect(passes === false || event.event_timestamp / 1_000 > NOW + 24 * 3_600_000).toBe(true);
      }
    }
  });

  it('repeats requests byte by byte, of the share that is wanted', () => {
    const plan = planPhones(wanted({ events: 20_000 }));
    const repeats = plan.requests.filter(({ isRepeat }) => isRepeat);
    expect(repeats).toHaveLength(plan.repeats);
    expect(repeats.length / first(plan).length).toBeGreaterThan(0.07);
    expect(repeats.length / first(plan).length).toBeLessThan(0.13);
    const sent = new Set(first(plan).map(({ body }) => body));
    expect(repeats.every(({ body }) => sent.has(body))).toBe(true);
  });

  it('keeps every request within what the collector takes', () => {
    for (const { body, events } of planPhones(wanted({ phones: 1, events: 5_000 })).requests) {
      expect(events).toBeLessThanOrEqual(1_000);
      expect(Buffer.byteLength(body)).toBeLessThan(1_048_576);
    }
  });
});
