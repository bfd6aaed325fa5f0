// A field mask: which parts of a resource an update changes. https://protobuf.dev/reference/protobuf/google.protobuf/#field-mask
import { invalid } from './refusal.ts';

/** Fields with fields of their own that a path may go into. */
const NESTED: Record<string, readonly string[]> = {
  retry_policy: ['minimum_backoff', 'maximum_backoff'], dead_letter_policy: ['dead_letter_topic', 'max_delivery_attempts'], expiration_policy: ['ttl'],
  push_config: ['push_endpoint', 'attributes', 'oidc_token', 'no_wrapper', 'pubsub_wrapper'],
};

/** The resource with the masked parts of `patch`; a masked part without value is cleared. Only what Google lets change. */
export function applyMask(resource: Record<string, unknown>, patch: Record<string, unknown>, paths: readonly string[] | undefined, changeable: readonly string[]): Record<string, unknown> {
  if (!paths || paths.length === 0) throw invalid('The update_mask must name at least one field.');
  const merged: Record<string, unknown> = { ...resource };
  for (const path of paths) {
    const [field, inner, ...deeper] = path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).split('.') as [string, ...string[]];
    const isKnown = changeable.includes(field) && (inner === undefined || NESTED[field]?.includes(inner) === true) && deeper.length === 0;
    if (!isKnown) throw invalid(`Invalid update_mask provided in the request: '${path}' is not a field that can be updated.`);
    if (inner === undefined) copy(field, patch, merged);
    else {
      const part = { ...(merged[field] as Record<string, unknown> | undefined) };
      copy(inner, (patch[field] ?? {}) as Record<string, unknown>, part);
      merged[field] = part;
    }
  }
  return merged;
}

function copy(field: string, from: Record<string, unknown>, to: Record<string, unknown>): void {
  if (from[field] === undefined || from[field] === null) delete to[field];
  else to[field] = from[field];
}
