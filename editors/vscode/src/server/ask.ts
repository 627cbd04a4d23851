/** The commands of the server. */

import * as vscode from 'vscode';

import type { Server } from './server.ts';

/** Has the server do something; what it refuses, it refuses in words, and answers undefined. */
export async function ask(server: Server, command: string, given: unknown[]): Promise<unknown> {
  const client = server.client;
  if (client === undefined) {
    void vscode.window.showWarningMessage('The server of covls is not running; its log says why.');
    return undefined;
  }
  try {
    return await client.sendRequest('workspace/executeCommand', { command, arguments: given });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    void vscode.window.showWarningMessage(said);
    return undefined;
  }
}
