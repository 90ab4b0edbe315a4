// A real OpenID provider on loopback (npm's oidc-provider) with plain pages for signing in. tests/servers/oidc_server.py starts it.
// One argument: JSON {"resource", "access_s", "device_s", "people": {login: {email, name}}}. Prints {"issuer", ...} when ready, then one line an event.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const want = JSON.parse(process.argv[2]);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const key = (type, options, alg) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: alg,
});
const safe = (text) => String(text).replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
const page = (title, body) => `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${body}</html>`;

const server = createServer();
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
const deskSecret = randomBytes(24).toString('base64url');

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'deskside', client_name: 'Deskside', application_type: 'native', token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'], redirect_uris: ['http://127.0.0.1/deskside', 'http://localhost/deskside'],
    },
    // The help desk, which may ask whether a token is still good.
    { client_id: 'desk', client_secret: deskSecret, grant_types: [], response_types: [], redirect_uris: [] },
  ],
  jwks: { keys: [key('rsa', { modulusLength: 2048 }, 'RS256'), key('ec', { namedCurve: 'P-256' }, 'ES256')] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  scopes: ['openid', 'offline_access', 'profile', 'email'],
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: false, // name and address in the id token, as most companies' providers have them
  findAccount: (_, id) => (want.people[id] ? { accountId: id, claims: () => ({ sub: id, email_verified: true, ...want.people[id] }) } : undefined),
  ttl: {
    AccessToken: want.access_s, IdToken: 600, RefreshToken: 86400, DeviceCode: want.device_s, Grant: 86400, Interaction: 600, Session: 86400,
  },
  rotateRefreshToken: true,
  extraTokenClaims: (_, token) => want.people[token.accountId],
  features: {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    introspection: { enabled: true, allowedPolicy: (_, client) => client.clientId === 'desk' },
    deviceFlow: {
      enabled: true,
      userCodeInputSource: (ctx, form, _, error) => { ctx.body = page('Enter the code', `${error ? 'Wrong code' : ''}${form}<button type="submit" form="op.deviceInputForm">Go on</button>`); },
      userCodeConfirmSource: (ctx, form, client, info, code) => { ctx.body = page('Is this your code?', `<code>${code}</code>${form}<button id="confirm" type="submit" form="op.deviceConfirmForm">Yes</button><button id="abort" type="submit" form="op.deviceConfirmForm" name="abort" value="yes">No</button>`); },
      successSource: (ctx) => { ctx.body = page('Device is signed in', ''); },
    },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({ scope: 'tickets', audience: resource, accessTokenTTL: want.access_s, accessTokenFormat: 'jwt' }),
    },
  },
  renderError: (ctx, out) => { ctx.type = 'html'; ctx.body = page('Error', `<pre>${safe(JSON.stringify(out))}</pre>`); },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
});
for (const name of ['grant.success', 'grant.error', 'refresh_token.consumed', 'refresh_token.destroyed', 'grant.revoked', 'server_error', 'authorization.error']) {
  provider.on(name, (ctx, error) => say({ event: name, grant: ctx?.oidc?.params?.grant_type, error: error instanceof Error ? `${error.message}: ${error.error_description ?? ''}` : undefined }));
}

async function interact(request, response, step) {
  const { uid, prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (step === 'abort') {
    return provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'The person said no.' });
  }
  if (request.method === 'POST' && prompt.name === 'login') {
    let body = '';
    for await (const chunk of request) body += chunk;
    const login = new URLSearchParams(body).get('login');
    return provider.interactionFinished(request, response, want.people[login] ? { login: { accountId: login } } : { error: 'access_denied', error_description: 'Nobody of this name.' });
  }
  if (request.method === 'POST') {
    const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details;
    if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
    if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
    for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) grant.addResourceScope(resource, scopes.join(' '));
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  }
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  const fields = prompt.name === 'login' ? '<label>Name <input name="login" autofocus></label> <label>Password <input name="password" type="password"></label>' : `<p>Deskside asks for: ${safe(params.scope)}</p>`;
  return response.end(page(prompt.name === 'login' ? 'Sign in' : 'Allow it?', `<form method="post" action="/interaction/${uid}">${fields}<button id="go" type="submit">Go on</button></form><a id="abort" href="/interaction/${uid}/abort">No</a>`));
}

const serve = provider.callback();
server.on('request', (request, response) => {
  const found = /^\/interaction\/([\w-]+)(?:\/(abort))?$/.exec(request.url);
  if (!found) return serve(request, response);
  return interact(request, response, found[2]).catch((error) => {
    say({ event: 'interaction.error', error: String(error) });
    response.statusCode = 500;
    response.end('error');
  });
});
process.stdin.resume().on('end', () => process.exit(0)); // ends with whoever started it
say({ issuer, client_id: 'deskside', desk_id: 'desk', desk_secret: deskSecret });
