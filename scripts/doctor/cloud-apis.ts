// Google's REST APIs that only a real project has: in go a token and names, out comes JSON. Made by scripts/doctor.ts; a test gives its
// own hosts. A 404 is undefined (the thing is not there), every other failure an error that says which call failed and why.

export type CloudHosts = { serviceusage: string; cloudresourcemanager: string; run: string; cloudfunctions: string; cloudscheduler: string; monitoring: string };

export const GOOGLE_HOSTS: CloudHosts = {
  serviceusage: 'https://serviceusage.googleapis.com', cloudresourcemanager: 'https://cloudresourcemanager.googleapis.com', run: 'https://run.googleapis.com',
  cloudfunctions: 'https://cloudfunctions.googleapis.com', cloudscheduler: 'https://cloudscheduler.googleapis.com', monitoring: 'https://monitoring.googleapis.com',
};

export type Policy = { bindings?: { role: string; members?: string[]; condition?: unknown }[] };
export type DeployedFunction = {
  state?: string;
  buildConfig?: { runtime?: string; entryPoint?: string };
  serviceConfig?: { uri?: string; environmentVariables?: Record<string, string>; maxInstanceRequestConcurrency?: number; ingressSettings?: string; serviceAccountEmail?: string };
};
export type TimeSeries = { resource?: { labels?: Record<string, string> }; points?: { value?: { int64Value?: string; doubleValue?: number } }[] };

export type CloudApis = {
  enabledServices: () => Promise<Set<string>>;
  projectPolicy: () => Promise<Policy>;
  functionNamed: (name: string) => Promise<DeployedFunction | undefined>;
  functionUri: (name: string) => Promise<string | undefined>;
  /** Who may call a function. */
  invokers: (name: string) => Promise<Policy | undefined>;
  schedulerJob: (name: string) => Promise<{ state?: string } | undefined>;
  timeSeries: (metric: string, nowMs: number) => Promise<TimeSeries[]>;
};

export type CloudOptions = { project: string; region: string; prefix: string; token: () => Promise<string>; hosts?: CloudHosts };

const CALL_MS_MAX = 20_000;

export function createCloudApis({ project, region, prefix, token, hosts = GOOGLE_HOSTS }: CloudOptions): CloudApis {
  const call = async <T>(url: string, body?: object): Promise<T | undefined> => {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json', 'x-goog-user-project': project },
      signal: AbortSignal.timeout(CALL_MS_MAX), ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    if (response.status === 404) return undefined;
    const answer = await response.json().catch(() => ({})) as T & { error?: { message?: string; status?: string } };
    if (!response.ok) throw new Error(`${new URL(url).hostname} answered ${response.status}: ${answer.error?.message ?? answer.error?.status ?? 'no reason given'}`);
    return answer;
  };
  const inRegion = `projects/${project}/locations/${region}`;
  const functions = new Map<string, Promise<DeployedFunction | undefined>>();
  const functionNamed = (name: string): Promise<DeployedFunction | undefined> => {
    let asked = functions.get(name);
    if (asked === undefined) functions.set(name, (asked = call<DeployedFunction>(`${hosts.cloudfunctions}/v2/${inRegion}/functions/${prefix}-${name}`)));
    return asked;
  };
  return {
    functionNamed,
    functionUri: async (name) => (await functionNamed(name))?.serviceConfig?.uri,
    invokers: (name) => call<Policy>(`${hosts.run}/v2/${inRegion}/services/${prefix}-${name}:getIamPolicy?options.requestedPolicyVersion=3`),
    schedulerJob: (name) => call(`${hosts.cloudscheduler}/v1/${inRegion}/jobs/${prefix}-${name}`),
    projectPolicy: async () => await call<Policy>(`${hosts.cloudresourcemanager}/v3/projects/${project}:getIamPolicy`, { options: { requestedPolicyVersion: 3 } }) ?? {},
    async enabledServices() {
      const names = new Set<string>();
      for (let pageToken = ''; ;) {
        const page = await call<{ services?: { config?: { name?: string }; name?: string }[]; nextPageToken?: string }>(`${hosts.serviceusage}/v1/projects/${project}/services?filter=state:ENABLED&pageSize=200${pageToken === '' ? '' : `&pageToken=${encodeURIComponent(pageToken)}`}`);
        for (const { config, name } of page?.services ?? []) names.add(config?.name ?? name?.split('/').at(-1) ?? '');
        pageToken = page?.nextPageToken ?? '';
        if (pageToken === '') return names;
      }
    },
    async timeSeries(metric, nowMs) {
      const query = new URLSearchParams({
        filter: `metric.type="${metric}" AND resource.type="pubsub_subscription"`,
        'interval.startTime': new Date(nowMs - 15 * 60_000).toISOString(), 'interval.endTime': new Date(nowMs).toISOString(),
      });
      return (await call<{ timeSeries?: TimeSeries[] }>(`${hosts.monitoring}/v3/projects/${project}/timeSeries?${query}`))?.timeSeries ?? [];
    },
  };
}
