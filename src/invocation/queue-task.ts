// Asking Stash to run our drain task. The one thing that a hook ever says to the network, and only to the Stash that
// waits for it; by node:http, because an HTTP client of our own costs ten hooks to load.

import * as http from 'node:http';
import * as https from 'node:https';
import { headersOf, type StashConnection } from '../stash/connection.ts';
import { DRAIN_TASK, PLUGIN_ID } from './handover.ts';

/** Stash is on this host and answers this at once, in ms. */
const TIMEOUT_MS = 3_000;
/** It says the number of a job. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** The old form of arguments, which every Stash still takes. */
const MUTATION = `mutation($plugin:ID!,$task:String!){runPluginTask(plugin_id:$plugin,task_name:$task,args:[
  {key:"mode",value:{str:"drain"}},{key:"by",value:{str:"hook"}}])}`;

/** Whether Stash has taken it. */
export function queueTask(connection: StashConnection): Promise<boolean> {
  const body = JSON.stringify({ query: MUTATION, variables: { plugin: PLUGIN_ID, task: DRAIN_TASK } });
  const url = new URL('/graphql', connection.origin);
  const options = {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headersOf(connection) },
    timeout: TIMEOUT_MS,
    rejectUnauthorized: false,
  };
  return new Promise((resolve) => {
    // The timeout of a request is one of silence: an answer that drips has another.
    const deadline = setTimeout(() => request.destroy(), TIMEOUT_MS);
    deadline.unref();
    const request = (url.protocol === 'https:' ? https : http).request(url, options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) request.destroy();
        else chunks.push(chunk);
      });
      response.on('error', () => resolve(false));
      response.on('close', () => resolve(false));
      response.on('end', () => resolve(isTaken(response.statusCode, Buffer.concat(chunks).toString('utf8'))));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
    request.end(body);
  });
}

function isTaken(status: number | undefined, text: string): boolean {
  if (status !== 200) return false;
  try {
    const answer = JSON.parse(text) as { errors?: unknown; data?: { runPluginTask?: unknown } };
    return answer.errors === undefined && typeof answer.data?.runPluginTask === 'string';
  } catch {
    return false;
  }
}
