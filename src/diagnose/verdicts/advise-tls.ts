import type { Advice, CallFailure } from './call-failure';

/** What each of OpenSSL's and Node's verdicts on a certificate asks for; no other is given an advice. */
const CERTIFICATE_ADVICE: readonly (readonly [codes: RegExp, advice: string])[] = [
  [
    /^(?:ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/,
    'is for other names than this host: call it by a name that the certificate holds, or have one issued for this name.',
  ],
  [/^CERT_HAS_EXPIRED$/, 'has expired: renew it (or correct the clock of this machine).'],
  [/^CERT_NOT_YET_VALID$/, 'is not valid yet: look at the clocks of both machines.'],
  [
    /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)$/,
    'is signed by itself: give this process that certificate as an authority (NODE_EXTRA_CA_CERTS, or the option "ca").',
  ],
  [
    /^UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT|GET_ISSUER_CERT_LOCALLY)$/,
    'is signed by an authority that this process does not know: have the upstream send its whole chain, or give this process the authority (NODE_EXTRA_CA_CERTS, or the option "ca").',
  ],
  [/^CERT_REVOKED$/, 'has been revoked: it needs a new one.'],
];

/** A certificate that was not accepted: each reason has its own remedy. */
export function adviseCertificate({ trigger, tlsCode, origin: { origin } }: CallFailure): Advice | undefined {
  if (trigger !== 'certificate' || tlsCode === undefined) return undefined;
  const known = CERTIFICATE_ADVICE.find(([codes]) => codes.test(tlsCode));
  if (!known) return undefined;
  return {
    advice: `The certificate of ${origin} ${known[1]}`,
    evidence: `The handshake was refused here with ${tlsCode}.`,
  };
}

/** TLS spoken to a port that answers in something else. */
export function advisePlainHttp({ tlsCode, phase, origin: { origin } }: CallFailure): Advice | undefined {
  const isPlain = tlsCode === 'ERR_SSL_WRONG_VERSION_NUMBER' || tlsCode === 'ERR_SSL_PACKET_LENGTH_TOO_LONG';
  if (!isPlain || phase !== 'tls') return undefined;
  return {
    advice: `${origin} does not speak TLS on this port: call it by http:, or use its https port.`,
    evidence: `What it answered to the handshake is no TLS (${tlsCode}).`,
  };
}
