// The push configuration of a subscription: what is taken, completed and refused. resources.ts and the calls use it.
import { invalid } from './refusal.ts';

export type PushConfig = {
  push_endpoint?: string;
  attributes?: Record<string, string>;
  oidc_token?: { service_account_email?: string; audience?: string };
  pubsub_wrapper?: object;
  no_wrapper?: { write_metadata?: boolean };
};

const VERSION = 'x-goog-version';
/** `v1beta1` is another shape of the pushed JSON, which nobody has asked for since 2015. */
const VERSIONS_TAKEN = ['v1', 'v1beta2'];

/** Without an endpoint it is a pull subscription, and the rest must be empty too. `before`: a change that names no version keeps it. */
export function checkPushConfig(push: PushConfig | null | undefined, before?: PushConfig): PushConfig {
  const endpoint = push?.push_endpoint ?? '';
  if (!push || endpoint === '') {
    if (push?.oidc_token || push?.no_wrapper) throw invalid('Invalid push config: an OIDC token or a wrapper needs a push endpoint.');
    return {};
  }
  // Google takes https only; a service on this machine has no certificate.
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) throw invalid(`Invalid push endpoint given (endpoint=${endpoint}).`);
  if (push.oidc_token && !push.oidc_token.service_account_email) throw invalid('Invalid push config: oidc_token.service_account_email is missing.');
  const version = push.attributes?.[VERSION] ?? before?.attributes?.[VERSION] ?? 'v1';
  const unknown = Object.keys(push.attributes ?? {}).find((name) => name !== VERSION);
  if (unknown !== undefined) throw invalid(`Invalid push config: the attribute ${unknown} is not known; ${VERSION} is.`);
  if (!VERSIONS_TAKEN.includes(version)) throw invalid(`Invalid push config: ${VERSION} is ${version}; the local Pub/Sub pushes ${VERSIONS_TAKEN.join(' and ')}.`);
  return { ...push, attributes: { [VERSION]: version } };
}
