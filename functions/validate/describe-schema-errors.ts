// ajv's errors in, sentences that a person understands out, with codes of the registry. Called by validate-batch.ts for events
// that failed, and only for those. `data` is the value that was checked, so that a sentence can say what was there instead.
import { ingestError, type ErrorCode, type IngestError } from '../errors.ts';
import { LIMITS } from '../limits.ts';

export type SchemaError = { instancePath: string; keyword: string; params: Record<string, unknown>; message?: string; propertyName?: string };

/** Fields whose every schema error has a code of its own. */
const CODE_BY_POINTER: Record<string, ErrorCode> = {
  '/event_id': 'bad_event_id',
  '/event_name': 'bad_name',
  '/event_timestamp': 'bad_timestamp',
};

/** The pattern of 64-bit integers as text ends here. */
const INT64_MAX = '9223372036854775807';

/** Keywords that only report what errors below them say already. */
const SUMMARIES: ReadonlySet<string> = new Set(['if', 'anyOf', 'oneOf', 'allOf', 'propertyNames', 'not']);

export function describeSchemaErrors(errors: readonly SchemaError[], data: unknown): IngestError[] {
  const detailed = new Set(errors.filter(({ keyword }) => !SUMMARIES.has(keyword)).map(({ instancePath }) => instancePath));
  const described: IngestError[] = [];
  for (const error of errors) {
    // A union's own error is kept and its branches' dropped where both are about one value: "must be a or b" is what helps.
    if (SUMMARIES.has(error.keyword) && error.keyword !== 'propertyNames' && [...detailed].some((path) => path !== error.instancePath && path.startsWith(error.instancePath))) continue;
    if (error.keyword === 'propertyNames' || error.keyword === 'if') continue;
    described.push(describe(error, data));
  }
  return described;
}

function describe(error: SchemaError, data: unknown): IngestError {
  const pointer = pointerOf(error);
  const code = CODE_BY_POINTER[pointer];
  if (code !== undefined) return ingestError(code, {}, pointer);
  if (error.keyword === 'additionalProperties' || error.keyword === 'unevaluatedProperties') {
    const key = String(error.params['additionalProperty'] ?? error.params['unevaluatedProperty']);
    if (key === '__proto__' || key === 'constructor') return ingestError('forbidden_key', { key }, pointer);
  }
  if (error.propertyName !== undefined) return ingestError('bad_key', { keyLengthMax: LIMITS.nameLengthMax }, `${error.instancePath}/${escape(error.propertyName)}`);
  const value = valueAt(data, error.instancePath);
  if (error.keyword === 'pattern' && String(error.params['pattern']).includes(INT64_MAX) && typeof value === 'string' && /^-?\d+$/.test(value)) {
    return ingestError('out_of_range', { value: value.slice(0, 40) }, pointer);
  }
  return ingestError('schema_violation', { problem: sentence(error, value, pointer) }, pointer);
}

const escape = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** Where a person would look: a missing or surplus field's own place, not its parent's. */
function pointerOf({ instancePath, keyword, params }: SchemaError): string {
  const field = keyword === 'required' ? params['missingProperty'] : (params['additionalProperty'] ?? params['unevaluatedProperty']);
  return field === undefined ? instancePath : `${instancePath}/${escape(String(field))}`;
}

function sentence({ keyword, params, message }: SchemaError, value: unknown, pointer: string): string {
  const name = pointer === '' ? 'The event' : pointer.slice(1).replaceAll('/', '.');
  const limit = params['limit'];
  switch (keyword) {
    case 'required': return `${name} is missing.`;
    case 'additionalProperties':
    case 'unevaluatedProperties': return `${name} is not a field here; your own values go into event_params.`;
    case 'type': return `${name} must be ${listOf(params['type'])}, but is ${kindOf(value)}.`;
    case 'maxLength': return `${name} has ${[...String(value)].length} characters; at most ${limit} are allowed.`;
    case 'minLength': return `${name} must have at least ${limit} character${limit === 1 ? '' : 's'}.`;
    case 'maxItems': return `${name} has more than ${limit} entries.`;
    case 'minItems': return `${name} must have at least ${limit} entries.`;
    case 'maxProperties': return `${name} has more than ${limit} keys.`;
    case 'pattern': return `${name} does not match ${String(params['pattern'])}.`;
    case 'enum': return `${name} must be one of ${listOf(params['allowedValues'])}.`;
    case 'const': return `${name} must be ${JSON.stringify(params['allowedValue'])}.`;
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum': return `${name} must be ${String(params['comparison'])} ${limit}.`;
    default: return `${name} ${message ?? `fails ${keyword}`}.`;
  }
}

function listOf(values: unknown): string {
  return (Array.isArray(values) ? values : [values]).map((value) => (value === null ? 'null' : String(value))).join(' or ');
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return value === undefined ? 'missing' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}

function valueAt(data: unknown, pointer: string): unknown {
  let value = data;
  for (const step of pointer.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return value;
}
