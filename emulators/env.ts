// Ports of the local cloud -> the variables by which Google's own clients find it. scripts/start.ts gives them to every function,
// and writes them down for whoever wants to reach the local services with Google's clients.

export type LocalCloud = {
  host: string;
  project: string;
  pubsubPort: number;
  bigqueryPort: number;
  /** Storage Write API (gRPC): Google's client knows no variable for it, so a setting of the product names it. */
  bigqueryWritePort: number;
  storagePort: number;
  metadataPort: number;
  /** Absent: the local clock is the machine's. */
  clockFile?: string;
};

/** Variables that Google's clients read. */
export function clientVariables(cloud: LocalCloud): Record<string, string> {
  const at = (port: number): string => `${cloud.host.includes(':') ? `[${cloud.host}]` : cloud.host}:${port}`;
  return {
    GOOGLE_CLOUD_PROJECT: cloud.project,
    PUBSUB_EMULATOR_HOST: at(cloud.pubsubPort),
    // These two clients use the value as the base of their URLs, so it needs the scheme.
    BIGQUERY_EMULATOR_HOST: `http://${at(cloud.bigqueryPort)}`,
    STORAGE_EMULATOR_HOST: `http://${at(cloud.storagePort)}`,
    GCE_METADATA_HOST: at(cloud.metadataPort),
    // Without it the auth library probes the machine's BIOS and network cards first, and may decide that this is no cloud.
    METADATA_SERVER_DETECTION: 'assume-present',
  };
}

/** Variables that emulators/preload.ts reads. */
export function preloadVariables(cloud: Pick<LocalCloud, 'host' | 'clockFile'>): Record<string, string> {
  return { LOCAL_CLOUD_HOST: cloud.host, ...(cloud.clockFile === undefined ? {} : { LOCAL_CLOUD_CLOCK_FILE: cloud.clockFile }) };
}

/** The value of the writer's endpoint setting: http:// means without TLS. */
export function bigqueryWriteEndpoint(cloud: Pick<LocalCloud, 'host' | 'bigqueryWritePort'>): string {
  return `http://${cloud.host}:${cloud.bigqueryWritePort}`;
}
