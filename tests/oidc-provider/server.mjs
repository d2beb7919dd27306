// The npm package oidc-provider on a free loopback port, with a way to get tokens without a browser.
//
// Prints `listening ORIGIN` when it is ready. Then it takes commands, one JSON object a line, on its standard input and answers
// each with one line; it ends when the input does, so that it never outlives the test that started it.
//
//   {"do": "issue", client_id, sub, nonce?, scope?, redeem?}  walks the authorization code flow with PKCE over HTTP, as a browser
//                                  and the app would; with redeem = false the code is handed back with its verifier, unredeemed
//   {"do": "visit", url, login_hint, client_id, redirect_uri}  walks an application's own authorization request, as a browser would,
//                                  once redirect_uri is registered for the client; gives the address that it ends at
//   {"do": "revoke", client_id, access_token}
//   {"do": "rotate", forget}       from now on signs with new keys; with forget = true the old ones are no longer published
//   {"do": "clock", offset_seconds}  moves the provider's clock

import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import Provider from 'oidc-provider';

const REDIRECT_URI = 'https://app.example.org/callback';
const NATIVE_REDIRECT_URI = 'org.example.app:/callback';
const MAX_REDIRECTS = 10;

function confidential(clientId, algorithm) {
  return {
    client_id: clientId,
    client_secret: `${clientId}-secret`,
    redirect_uris: [REDIRECT_URI],
    id_token_signed_response_alg: algorithm,
  };
}

const clients = [
  confidential('acme-rs256', 'RS256'),
  confidential('acme-ps256', 'PS256'),
  confidential('acme-es256', 'ES256'),
  confidential('acme-eddsa', 'EdDSA'),
  confidential('other-app', 'RS256'),
  {
    client_id: 'acme-ios',
    application_type: 'native',
    redirect_uris: [NATIVE_REDIRECT_URI],
    token_endpoint_auth_method: 'none',
    id_token_signed_response_alg: 'ES256',
  },
];

// Signing keys -------------------------------------------------------------------------------------------------------

let generation = 0;

function newKeys() {
  generation += 1;
  const jwk = (type, options, algorithm) => ({
    ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
    kid: `${algorithm}-${generation}`,
    alg: algorithm,
    use: 'sig',
  });
  return [
    jwk('rsa', { modulusLength: 2048 }, 'RS256'),
    jwk('rsa', { modulusLength: 2048 }, 'PS256'),
    jwk('ec', { namedCurve: 'P-256' }, 'ES256'),
    jwk('ed25519', {}, 'EdDSA'),
  ];
}

// The provider -------------------------------------------------------------------------------------------------------

function claimsOf(sub) {
  return {
    sub,
    preferred_username: sub,
    given_name: 'Ada',
    family_name: 'Okafor',
    name: 'Ada Okafor',
    email: `${sub}@example.org`,
    email_verified: true,
  };
}

function newProvider(issuer, keys) {
  return new Provider(issuer, {
    clients,
    jwks: { keys },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    claims: {
      openid: ['sub'],
      profile: ['name', 'given_name', 'family_name', 'preferred_username'],
      email: ['email', 'email_verified'],
    },
    // Puts the claims of the scopes into the id token too, as most of the large providers do.
    conformIdTokenClaims: false,
    cookies: { keys: [randomBytes(32).toString('hex')] },
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      userinfo: { enabled: true },
    },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => claimsOf(sub) }),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    // The person has consented to everything that the client asks for.
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
    pkce: { required: () => true },
    ttl: {
      AccessToken: 3600,
      AuthorizationCode: 60,
      Grant: 7200,
      IdToken: 3600,
      Interaction: 600,
      Session: 7200,
    },
  });
}

// The person and the app ---------------------------------------------------------------------------------------------

class Browser {
  #cookies = new Map();

  async get(url) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', headers: cookie ? { cookie } : {} });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value === '' || /expires=thu, 01 jan 1970/i.test(line)) {
        this.#cookies.delete(name);
      } else {
        this.#cookies.set(name, value);
      }
    }
    return answer;
  }
}

const base64url = (bytes) => Buffer.from(bytes).toString('base64url');

/** Signs the person in and returns the authorization code. */
async function authorize({ client, redirectUri, sub, nonce, scope, verifier }) {
  const state = base64url(randomBytes(16));
  const url = new URL('/auth', origin);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: base64url(createHash('sha256').update(verifier).digest()),
    code_challenge_method: 'S256',
    login_hint: sub,
    ...(nonce === undefined ? {} : { nonce }),
  }).toString();

  const end = await walk(url, redirectUri);
  const code = end.searchParams.get('code');
  if (code === null || end.searchParams.get('state') !== state) {
    throw new Error(`no code: ${end.search}`);
  }
  return code;
}

/** Follows redirects until one leads to the application. */
async function walk(url, redirectUri) {
  const browser = new Browser();
  let next = url;
  for (let step = 0; step < MAX_REDIRECTS; step += 1) {
    const answer = await browser.get(next);
    const location = answer.headers.get('location');
    if (location === null) {
      throw new Error(`no redirect but status ${answer.status}: ${await answer.text()}`);
    }
    next = new URL(location, next);
    if (next.href.startsWith(redirectUri)) {
      return next;
    }
  }
  throw new Error('too many redirects');
}

async function visit(wanted) {
  const client = findClient(wanted.client_id);
  if (!client.redirect_uris.includes(wanted.redirect_uri)) {
    client.redirect_uris.push(wanted.redirect_uri);
    startProvider(keys);
  }
  const url = new URL(wanted.url);
  url.searchParams.set('login_hint', wanted.login_hint);
  return { url: (await walk(url, wanted.redirect_uri)).href };
}

/** Posts a form as the client. */
async function postAs(client, url, members) {
  const headers = {};
  const form = new URLSearchParams(members);
  if (client.client_secret === undefined) {
    form.set('client_id', client.client_id);
  } else {
    const credentials = Buffer.from(`${client.client_id}:${client.client_secret}`);
    headers.authorization = `Basic ${credentials.toString('base64')}`;
  }
  const answer = await fetch(url, { method: 'POST', headers, body: form });
  const body = await answer.text();
  if (!answer.ok) {
    throw new Error(`${url}: ${answer.status} ${body}`);
  }
  return body === '' ? {} : JSON.parse(body);
}

function findClient(clientId) {
  const client = clients.find(({ client_id: id }) => id === clientId);
  if (client === undefined) {
    throw new Error(`there is no client ${clientId}`);
  }
  return client;
}

async function issue(wanted) {
  const client = findClient(wanted.client_id);
  const [redirectUri] = client.redirect_uris;
  const verifier = base64url(randomBytes(32));
  const scope = wanted.scope ?? 'openid profile email';
  const code = await authorize({
    client, redirectUri, sub: wanted.sub, nonce: wanted.nonce, scope, verifier,
  });
  if (wanted.redeem === false) {
    return { code, code_verifier: verifier, redirect_uri: redirectUri };
  }
  return postAs(client, new URL('/token', origin), {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
}

// The server ---------------------------------------------------------------------------------------------------------

const realNow = Date.now;
let keys = newKeys();
let origin;
let provider;
let answerAsProvider;

function startProvider(published) {
  provider = newProvider(origin, published);
  answerAsProvider = provider.callback();
}

const commands = {
  issue,
  visit,
  revoke: ({ client_id: clientId, access_token: token }) =>
    postAs(findClient(clientId), new URL('/token/revocation', origin), { token }),
  rotate: ({ forget }) => {
    const fresh = newKeys();
    startProvider(forget ? fresh : [...fresh, ...keys]);
    keys = fresh;
    return { kids: fresh.map(({ kid }) => kid) };
  },
  clock: ({ offset_seconds: offset }) => {
    Date.now = () => realNow() + offset * 1000;
    return { now: Math.floor(Date.now() / 1000) };
  },
};

async function handle(request, response) {
  if (!request.url.startsWith('/interaction/')) {
    await answerAsProvider(request, response);
    return;
  }
  const { params } = await provider.interactionDetails(request, response);
  await provider.interactionFinished(request, response, {
    login: { accountId: params.login_hint },
    consent: {}, // a native client is never silently consented to (RFC 8252 §8.6)
  });
}

const server = createServer((request, response) => {
  handle(request, response).catch((error) => {
    console.error(error);
    response.destroy();
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
origin = `http://127.0.0.1:${server.address().port}`;
startProvider(keys);
console.log(`listening ${origin}`);

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    console.log(JSON.stringify(await commands[command.do](command)));
  } catch (error) {
    console.log(JSON.stringify({ failure: error.message }));
  }
}
process.exit(0);
