// Sends planned requests to the collector as a patient client does: the same bytes again until they are answered 200.
// scripts/prove.ts drives it; the kills need to know how many requests wait for an answer.
import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlannedRequest } from './traffic.ts';

export type Tally = {
  requests: number;
  accepted: number;
  rejected: number;
  /** Attempts that were not answered 200, by what came instead. */
  again: Record<string, number>;
  /** SHA-256 of the text of every body answered 200. */
  answered: Set<string>;
  /** SHA-256 of the text of every body sent. */
  sent: Set<string>;
  /** Requests whose answer named other events as rejected than planned. */
  surprises: string[];
};

export class Sender {
  readonly tally: Tally = { requests: 0, accepted: 0, rejected: 0, again: {}, answered: new Set(), sent: new Set(), surprises: [] };
  /** Requests that were sent and not answered yet. */
  unanswered = 0;
  /** How many of the planned requests may have been started by now; the kills let it grow. */
  allowed = 0;
  readonly #url: string;
  readonly #key: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });

  constructor(collectorUrl: string, writeKey: string) {
    this.#url = `${collectorUrl}/v1/events`;
    this.#key = writeKey;
  }

  /** Sends all requests with `clients` at a time, and resolves when each was answered 200. */
  async sendAll(requests: readonly PlannedRequest[], clients: number): Promise<void> {
    let next = 0;
    const client = async (): Promise<void> => {
      while (next < requests.length) {
        if (next >= this.allowed) {
          await sleep(10);
          continue;
        }
        const planned = requests[next]!;
        next += 1;
        await this.#sendUntilAnswered(planned);
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    this.#agent.destroy();
  }

  async #sendUntilAnswered(planned: PlannedRequest): Promise<void> {
    const sha = createHash('sha256').update(planned.text).digest('hex');
    this.tally.sent.add(sha);
    for (let attempt = 0; ; attempt += 1) {
      this.unanswered += 1;
      const answer = await this.#post(planned).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
      this.unanswered -= 1;
      if (typeof answer !== 'string' && answer.status === 200) {
        this.#count(planned, sha, answer.body);
        return;
      }
      const reason = typeof answer === 'string' ? answer : String(answer.status);
      this.tally.again[reason] = (this.tally.again[reason] ?? 0) + 1;
      if (attempt > 600) throw new Error(`A request was refused ${attempt} times, last with ${reason}.`);
      await sleep(200);
    }
  }

  #count(planned: PlannedRequest, sha: string, body: string): void {
    const answer = JSON.parse(body) as { accepted: number; rejected: { index: number }[] };
    const indexes = [...new Set(answer.rejected.map(({ index }) => index))].sort((a, b) => a - b);
    this.tally.requests += 1;
    this.tally.accepted += answer.accepted;
    this.tally.rejected += indexes.length;
    this.tally.answered.add(sha);
    if (indexes.join() !== planned.bad.join() || answer.accepted !== planned.events - planned.bad.length) {
      this.tally.surprises.push(`${planned.events} events, planned bad ${planned.bad.join()}, answered ${body.slice(0, 300)}`);
    }
  }

  #post(planned: PlannedRequest): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const headers: Record<string, string | number> = { 'authorization': `Bearer ${this.#key}`, 'content-type': 'application/json', 'content-length': planned.bytes.length };
      if (planned.gzip) headers['content-encoding'] = 'gzip';
      const sending = request(this.#url, { method: 'POST', agent: this.#agent, headers, timeout: 30_000 }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
        response.on('error', reject);
      });
      sending.on('timeout', () => sending.destroy(new Error('no answer in 30 s')));
      sending.on('error', reject);
      sending.end(planned.bytes);
    });
  }
}
