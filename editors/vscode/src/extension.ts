/** Starts `torchlint server` for Python and Markdown, in files and in the cells of notebooks, and starts it anew where the settings change. Everything else is the server's. */

import { commands, ExtensionContext, window, workspace } from "vscode";
import { LanguageClient, LanguageClientOptions, ServerOptions } from "vscode-languageclient/node";

import { launch, Settings, TEXTS } from "./launch";

let client: LanguageClient | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
  context.subscriptions.push(
    commands.registerCommand("torchlint.restart", restart),
    workspace.onDidChangeConfiguration((change) => (change.affectsConfiguration("torchlint") ? restart() : undefined)),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  const running = client;
  client = undefined;
  await running?.dispose();
}

async function restart(): Promise<void> {
  await deactivate();
  await start();
}

async function start(): Promise<void> {
  const { command, args, initializationOptions } = launch(settings());
  const server: ServerOptions = { command, args };
  const options: LanguageClientOptions = {
    documentSelector: [...TEXTS],
    initializationOptions,
  };
  client = new LanguageClient("torchlint", "torchlint", server, options);
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    void window.showErrorMessage(
      `torchlint: \`${command} server\` does not start (${reason}). Install it with pip install "torchlint[lsp]", or say where it is in the setting torchlint.path.`,
    );
  }
}

function settings(): Settings {
  const given = workspace.getConfiguration("torchlint");
  return { path: given.get("path", "torchlint"), configuration: given.get("configuration", "") };
}
