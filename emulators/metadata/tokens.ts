// Tokens in the form of Google's; the signatures say that they are not. server.ts hands them out.

const LIFETIME_SECONDS = 3_600;

/** Changes with the hour, as a real one does, so that a client which never renews is found out. */
export function accessToken(nowMs: number): { access_token: string; expires_in: number; token_type: 'Bearer' } {
  const hour = Math.floor(nowMs / (LIFETIME_SECONDS * 1_000));
  return { access_token: `ya29.local-${hour}`, expires_in: LIFETIME_SECONDS - 1, token_type: 'Bearer' };
}

export type IdentityFacts = {
  audience: string;
  email: string;
  nowMs: number;
  /** `format=full`: where the token was asked for, too. */
  machine?: { project: string; zone: string };
};

/** A JSON Web Token with Google's claims for this audience. */
export function identityToken({ audience, email, nowMs, machine }: IdentityFacts): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const issuedAt = Math.floor(nowMs / 1_000);
  const claims = {
    aud: audience, azp: '100000000000000000000', sub: '100000000000000000000', email, email_verified: true,
    iss: 'https://accounts.google.com', iat: issuedAt, exp: issuedAt + LIFETIME_SECONDS,
    ...(machine ? { google: { compute_engine: { project_id: machine.project, zone: machine.zone, instance_name: 'local' } } } : {}),
  };
  return `${part({ alg: 'RS256', kid: 'local', typ: 'JWT' })}.${part(claims)}.${Buffer.from('local cloud, not signed').toString('base64url')}`;
}
