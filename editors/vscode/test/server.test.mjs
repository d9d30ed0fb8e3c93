/** The client's side of the conversation, without an editor: what `launch` says is started, asked and answered. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
const { createProtocolConnection, StreamMessageReader, StreamMessageWriter } = require("vscode-languageserver-protocol/node");
const { launch } = require("../out/launch.js");
const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf-8"));

const TEXT = 'import torch\n\nw = torch.zeros(2).cuda()\nprint(w)\n';
const PATH = process.env.TORCHLINT ?? "torchlint";

/** The findings of the text and the actions on its third row, as a server with these settings gives them. */
async function conversation(folder, settings) {
  const { command, args, initializationOptions } = launch(settings);
  const server = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const connection = createProtocolConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
  const published = new Promise((resolve) => connection.onNotification("textDocument/publishDiagnostics", resolve));
  connection.listen();
  const uri = pathToFileURL(join(folder, "train.py")).href;
  const workspaceFolders = [{ uri: pathToFileURL(folder).href, name: "project" }];
  const initialized = await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: workspaceFolders[0].uri,
    capabilities: { textDocument: { publishDiagnostics: { relatedInformation: true } } },
    workspaceFolders,
    initializationOptions,
  });
  await connection.sendNotification("initialized", {});
  await connection.sendNotification("textDocument/didOpen", { textDocument: { uri, languageId: "python", version: 1, text: TEXT } });
  const { diagnostics } = await published;
  const range = { start: { line: 2, character: 0 }, end: { line: 2, character: 24 } };
  const actions = await connection.sendRequest("textDocument/codeAction", { textDocument: { uri }, range, context: { diagnostics } });
  await connection.sendRequest("shutdown");
  await connection.sendNotification("exit");
  const status = await ended;
  connection.dispose();
  return { server: initialized.serverInfo.name, diagnostics, actions, status };
}

async function project(run) {
  const folder = await mkdtemp(join(tmpdir(), "torchlint-"));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("findings and fixes come from the server that the settings name", async () => {
  const { server, diagnostics, actions, status } = await project((folder) => conversation(folder, { path: PATH, configuration: "" }));

  assert.equal(server, "torchlint");
  assert.deepEqual(diagnostics.map((each) => each.code), ["TL401"]);
  assert.ok(actions.some((each) => each.kind === "quickfix" && JSON.stringify(each.edit).includes("device")));
  assert.ok(actions.some((each) => each.kind === "source.fixAll.torchlint"));
  assert.equal(status, 0);
});

test("the configuration that the settings name holds", async () => {
  const { diagnostics } = await project(async (folder) => {
    const configuration = join(folder, "other.toml");
    await writeFile(configuration, 'ignore = ["TL401"]\n');
    return conversation(folder, { path: PATH, configuration });
  });

  assert.deepEqual(diagnostics, []);
});

test("defaults are those that the manifest gives", () => {
  const { "torchlint.path": path, "torchlint.configuration": configuration } = manifest.contributes.configuration.properties;

  assert.deepEqual(launch({ path: path.default, configuration: configuration.default }), {
    command: "torchlint",
    args: ["server"],
    initializationOptions: {},
  });
  assert.equal(launch({ path: " ", configuration: " a.toml " }).command, "torchlint");
  assert.deepEqual(launch({ path: "/opt/torchlint", configuration: " a.toml " }).initializationOptions, { configuration: "a.toml" });
});
