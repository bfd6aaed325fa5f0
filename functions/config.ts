// Settings: each function declares a table, parsed once at start. Every problem is told in one message; a CHIPLOG_* variable
// that no setting declares is a problem too (a typing error would otherwise be a silent default).
// This is the only file of functions/ that reads process.env.

export type Setting<T> = {
  env: string;
  /** Makes the value, or throws an Error whose message says what was expected. */
  parse: (text: string) => T;
  /** Absent: the variable must be set. */
  default?: T;
  /** Why the setting exists, for docs and for the error. */
  why: string;
};
export type SettingTable = Record<string, Setting<unknown>>;
export type Settings<T extends SettingTable> = { readonly [K in keyof T]: T[K] extends Setting<infer V> ? V : never };

export const text = (value: string): string => {
  if (value === '') throw new Error('a text that is not empty');
  return value;
};
export const wholeNumber = (min: number, max: number) => (value: string): number => {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max) throw new Error(`a whole number from ${min} to ${max}`);
  return number;
};
export const timeZone = (value: string): string => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone;
  } catch {
    throw new Error('a time zone of the IANA list, such as Europe/Berlin');
  }
};
export const matching = (pattern: RegExp, expected: string) => (value: string): string => {
  if (!pattern.test(value)) throw new Error(expected);
  return value;
};

/** Settings that several functions share, so that each is declared once. */
export const SHARED = {
  project: { env: 'GOOGLE_CLOUD_PROJECT', parse: text, why: 'The project that holds topics, tables and bucket.' },
  prefix: { env: 'CHIPLOG_PREFIX', parse: matching(/^[a-z][a-z0-9-]{0,19}$/, 'lower-case letters, digits and hyphens, starting with a letter, at most 20'), default: 'chiplog', why: 'First part of every topic and subscription name.' },
  dataset: { env: 'CHIPLOG_DATASET', parse: matching(/^[A-Za-z0-9_]{1,1024}$/, 'letters, digits and underscores'), default: 'chiplog', why: 'BigQuery dataset of all tables.' },
  location: { env: 'CHIPLOG_LOCATION', parse: matching(/^[A-Za-z0-9-]+$/, 'a BigQuery location such as EU'), default: 'US', why: 'Where the dataset lives; jobs must name it.' },
  bucket: { env: 'CHIPLOG_BUCKET', parse: matching(/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/, 'a Cloud Storage bucket name'), why: 'Bucket of the raw files.' },
  timeZone: { env: 'CHIPLOG_TIME_ZONE', parse: timeZone, default: 'UTC', why: 'Reporting time zone: whose midnight ends a day. Fixed at first start.' },
  bigqueryWriteEndpoint: { env: 'CHIPLOG_BIGQUERY_WRITE_ENDPOINT', parse: text, default: '', why: 'Address of the Storage Write API where it is not Google\'s public one; http:// means without TLS.' },
} as const satisfies SettingTable;

export class SettingsError extends Error {
  override name = 'SettingsError';
}

/** Parses the table, or throws one SettingsError that names every problem. */
export function readSettings<T extends SettingTable>(table: T, env: Record<string, string | undefined> = process.env): Settings<T> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(table)) {
    const raw = env[setting.env];
    if (raw === undefined || (raw === '' && 'default' in setting)) {
      if ('default' in setting) values[name] = setting.default;
      else problems.push(`${setting.env} is not set. ${setting.why}`);
      continue;
    }
    try {
      values[name] = setting.parse(raw);
    } catch (error) {
      problems.push(`${setting.env} is ${JSON.stringify(raw)}; expected ${(error as Error).message}. ${setting.why}`);
    }
  }
  const declared = new Set(Object.values(table).map((setting) => setting.env));
  for (const name of Object.keys(env)) {
    if (name.startsWith('CHIPLOG_') && !declared.has(name)) problems.push(`${name} is not a setting of this function. Known: ${[...declared].sort().join(', ')}.`);
  }
  if (problems.length > 0) throw new SettingsError(`Settings:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  return values as Settings<T>;
}
