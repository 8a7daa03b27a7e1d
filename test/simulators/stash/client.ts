// The simulator's own way in, as the admin: a real request on a connection of its own, so that what the
// demo and the tests do to Stash takes the way a browser's would.
import { request } from 'node:http';

export async function askGraphql(
  url: string,
  adminToken: string,
  query: string,
  variables: object,
  // biome-ignore lint/suspicious/noExplicitAny: what comes back is what was asked for
): Promise<any> {
  const text = await post(`${url}/graphql`, adminToken, JSON.stringify({ query, variables }));
  const answer = JSON.parse(text) as { data: unknown; errors?: { message: string }[] };
  const failure = answer.errors?.[0];
  if (failure !== undefined) throw new Error(failure.message);
  return answer.data;
}

function post(url: string, adminToken: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'x-simulator-admin': adminToken };
    const sent = request(url, { method: 'POST', headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
