// What GET / of the control address answers: every request that gateway.ts takes, in a sentence, and one to copy.
type Asked = { services: Readonly<Record<string, string>>; kill?: { names: readonly string[] } };

export function gatewayHelp({ services, kill }: Asked): { what: string; services: string[]; processes: readonly string[]; requests: Record<string, string>; fault: Record<string, string>; example: object } {
  return {
    what: 'Steers the local cloud: faults on purpose, the clock, kills. JSON in, JSON out.',
    services: Object.keys(services),
    processes: kill?.names ?? [],
    requests: {
      'GET /': 'this text',
      'GET /healthz': '200 when every service answers',
      'GET /stats': 'calls, faults that met them, and present sizes, by service; ?service=pubsub is one',
      'GET /fault-points': 'the calls that a plan can name, and what can happen to each; ?service=…',
      'GET /faults': 'plans that are still to come; ?service=…',
      'POST /faults': 'one plan or a list of them; all are taken, or none with the reason',
      'DELETE /faults': 'forgets all plans; ?service=…',
      'GET /time': 'the local time, and how far it is from real time',
      'POST /time': '{"now":"2026-11-24T10:00:00Z"}, {"offset_ms":0} or {"advance":"1d"}; answers when every service shows it',
      'POST /kill': '{"service":"bigquery"}: SIGKILL; answers when the process serves again',
    },
    fault: {
      service: 'which service; needed', method: 'the call as GET /fault-points names it, or *; needed',
      kind: 'fail, delay, hang, lose (answers OK without doing it), duplicate, reorder, truncate, corrupt and reset (uploads and downloads, see bytes); needed',
      times: 'how many calls it meets: 1 unless said, null until cleared', after: 'calls it lets pass first', every: 'meets every so many-th call: 10 is 10 %',
      resource: 'only calls on a topic, subscription, table, object or job whose name contains this text',
      status: 'for fail: the name of a gRPC status, or an HTTP status', delay_ms: 'waits so long before it acts', bytes: 'for truncate, corrupt and reset: after so many bytes of the content', takes_effect: 'for fail and hang: the call is carried out, only its answer is lost',
    },
    example: { service: 'pubsub', method: 'Publish', kind: 'fail', status: 'UNAVAILABLE', times: 3 },
  };
}
